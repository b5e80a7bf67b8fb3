"""Memory that meetings needed goes back to the system when people have left."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pymeet.ops import memory
from pymeet.ops.memory import Leftovers

PIECES, PIECE_BYTES = 20_000, 2_000
"""Together 40 MB, each too small for the C library to ask the system for it alone."""

FULL_AND_EMPTY = f"""
from pathlib import Path
from pymeet.ops.memory import Leftovers

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * {os.sysconf("SC_PAGE_SIZE")} / 1e6

leftovers = Leftovers()
leftovers.tidy(20)
before = resident_mb()
pieces = [bytes([1]) * {PIECE_BYTES} for _ in range({PIECES})]
full = resident_mb()
for number in range({PIECES}):
    if number % 100:
        pieces[number] = None
freed = resident_mb()
leftovers.tidy(10)
print(before, full, freed, resident_mb())
"""


def is_glibc() -> bool:
    return "glibc" in (os.confstr("CS_GNU_LIBC_VERSION") or "") if sys.platform == "linux" else False


@pytest.mark.skipif(not is_glibc(), reason="another C library has its own ways")
def test_memory_of_those_who_left_is_the_systems_again() -> None:
    """Else a server that was full once would look full for ever, and its operator would look for a leak."""
    environ = {**os.environ, "PYTHONPATH": str(Path(memory.__file__).parents[2])}
    program = [sys.executable, "-c", FULL_AND_EMPTY]
    done = subprocess.run(program, env=environ, capture_output=True, text=True, timeout=30, check=True)

    before, full, freed, after = (float(each) for each in done.stdout.split())
    assert full > before + 30
    assert freed > before + 30, "freeing alone would do: this test shows nothing"
    assert after < before + 10


def test_nothing_is_given_back_while_as_many_are_there_or_more() -> None:
    """It would be needed again at once."""
    leftovers = Leftovers()

    assert [leftovers.tidy(number) for number in (0, 4, 4, 6, 5, 5, 7, 0, 0)] == [
        False, False, False, False, True, False, False, True, False,
    ]  # fmt: skip


async def test_it_is_looked_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the server stops."""
    monkeypatch.setattr(memory, "EVERY_S", 0.001)
    numbers = iter((4, 3))
    asked = asyncio.Event()

    def transports() -> int:
        try:
            return next(numbers)
        except StopIteration:
            asked.set()
            return 0

    task = asyncio.create_task(memory.watch(transports))
    await asyncio.wait_for(asked.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
