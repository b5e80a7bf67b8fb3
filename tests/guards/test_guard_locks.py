"""The pinned dependencies: everywhere the same, and from wherever the machine gets its packages."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pins(name: str) -> dict[str, str]:
    """Every requirement of a lock with its version."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_tests_run_with_the_versions_that_a_server_installs() -> None:
    """Otherwise they would prove something about another program."""
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")

    assert runtime
    assert {name: development.get(name) for name in runtime} == runtime


def test_every_pin_has_hashes_and_no_lock_names_an_index() -> None:
    """What is installed is what was tested, from whatever mirror it came."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]

        assert all("--hash=sha256:" in entry for entry in entries)
        assert "http" not in re.sub(r"[\w-]*aiohttp[\w-]*|httpx|httpcore", "", text)
        assert "--index" not in text
