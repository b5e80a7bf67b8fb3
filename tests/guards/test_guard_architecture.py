"""What the house rules say and no other tool holds: files that can be read in one sitting, and pure modules."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pymeet"
LONGEST = 500
"""Lines; 300 are wanted."""

IMPURE = {"asyncio", "aiohttp", "aiosqlite", "sqlite3", "time", "random"}
IMPURE_SFU = {"udp.py", "tcp.py", "batch.py", "ports.py"}
"""The rim of the media path."""

OWN_CLOCK = {"sfu/dtls.py"}
"""OpenSSL keeps time for its retransmissions itself."""


def pure_modules() -> list[str]:
    sfu = [path for path in (SOURCE / "sfu").glob("*.py") if path.name not in IMPURE_SFU]
    names = ("room", "hosting", "commands", "events", "permissions", "pictures", "quality")
    rooms = [SOURCE / "rooms" / f"{name}.py" for name in names]
    others = [SOURCE / "config.py", SOURCE / "refusals.py", SOURCE / "ops" / "room_tokens.py"]
    found = [path for path in (*sfu, *rooms, *others) if path.exists()]
    return sorted(str(path.relative_to(SOURCE)) for path in found)


def sources() -> list[str]:
    python = SOURCE.rglob("*.py")
    script = [path for path in (SOURCE / "web" / "static").rglob("*.js") if "vendor" not in path.parts]
    return sorted(str(path.relative_to(SOURCE)) for path in (*python, *script))


@pytest.mark.parametrize("module", pure_modules())
def test_a_pure_module_imports_nothing_that_waits_or_reads_the_clock(module: str) -> None:
    """That is what lets scenario tests run on a virtual clock, a thousand times the same."""
    imported = {
        name.partition(".")[0] for node in ast.walk(ast.parse((SOURCE / module).read_text())) for name in _imports(node)
    }

    allowed = {"time"} if module in OWN_CLOCK else set()
    assert imported & IMPURE <= allowed


def test_every_source_file_can_be_read_in_one_sitting() -> None:
    """A file that grows past the limit has become two things."""
    lengths = {name: len((SOURCE / name).read_text().splitlines()) for name in sources()}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_every_python_file_says_what_it_is() -> None:
    """The first line answers whether one has opened the right file."""
    modules = [name for name in sources() if name.endswith(".py") and "migrations/versions" not in name]
    silent = [
        name
        for name in modules
        if (text := (SOURCE / name).read_text()).strip() and not ast.get_docstring(ast.parse(text))
    ]

    assert silent == []


def test_only_the_configuration_and_the_command_line_read_the_environment() -> None:
    """One frozen object is passed down; nothing else decides from outside."""
    readers = [
        name
        for name in sources()
        if name.endswith(".py") and not name.startswith("cli/") and "os.environ" in (SOURCE / name).read_text()
    ]

    assert readers == []


def test_nothing_in_the_tree_depends_on_one_machine() -> None:
    """A path of somebody's home in a script works for nobody else."""
    suspicious = ("/" + "root/", "/" + "home/")
    texts = [ROOT / "Makefile", *(ROOT / ".ci").iterdir(), *(ROOT / "docs").glob("*.md"), *SOURCE.rglob("*.py")]

    assert [str(path) for path in texts if any(mark in path.read_text() for mark in suspicious)] == []


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []
