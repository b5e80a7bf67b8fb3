"""What must not be guessed comes from the operating system's generator and is long enough (CVE class 7)."""

import ast
import math
from pathlib import Path

from pymeet import ids
from pymeet.clock import ManualClock
from pymeet.sfu.ice import Credentials, IceLite

SOURCE = Path(__file__).parents[2] / "src" / "pymeet"
PREDICTABLE = {"random", "uuid"}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_nothing_is_drawn_from_a_predictable_generator() -> None:
    """Of Python's generator 624 numbers tell all that follow."""
    assert [str(path) for path in SOURCE.rglob("*.py") if _imports(path) & PREDICTABLE] == []


def test_secrets_have_the_bits_that_standards_ask_for() -> None:
    """128 for whatever admits to something: tokens, sessions and their addresses, ICE passwords (RFC 8445 section 5.3)."""
    drawn = Credentials.random()

    assert len(ids.new_secret()) * 6 >= 256
    assert len(ids.new_id()) * 6 >= 128
    assert len(drawn.password) * 4 >= 128
    assert len(drawn.ufrag) * 4 >= 24
    assert drawn != Credentials.random()


def test_a_rooms_address_is_too_long_to_be_found_by_trying() -> None:
    """50 bits: with a million rooms and a thousand tries a second, years; whoever finds one can still be sent out."""
    alphabet = len(set(ids._SLUG_ALPHABET))

    tries = alphabet ** len(ids.new_slug().replace("-", "")) / 1_000_000

    assert math.log2(tries) > 29
    assert len({ids.new_slug() for _ in range(1000)}) == 1000


def test_a_restart_of_ice_draws_new_secrets() -> None:
    """RFC 8445 section 9: both name and password change."""
    agent = IceLite(ManualClock().monotonic())
    before = agent.local

    agent.restart()

    assert agent.local.ufrag != before.ufrag
    assert agent.local.password != before.password
