"""Processes that share the file, and processes that are killed."""

import asyncio
import signal
import sys
from pathlib import Path

from sqlalchemy import select

from pymeet.db.engine import Database
from pymeet.db.schema import audit_events

WRITE_FOREVER = """
import asyncio, sys
from pathlib import Path
from pymeet.db import audit
from pymeet.db.engine import Database

async def main():
    db = await Database.open(Path(sys.argv[1]))
    for number in range(int(sys.argv[2])):
        async with db.write() as conn:
            await audit.record(conn, at_ms=number, actor="system", action="test.noted", target=f"{sys.argv[3]}{number}")
        print(number, flush=True)
    await db.close()

asyncio.run(main())
"""


async def start(path: Path, count: int, name: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITE_FOREVER, str(path), str(count), name, stdout=asyncio.subprocess.PIPE
    )


async def targets(path: Path) -> set[str]:
    db = await Database.open(path)
    async with db.read() as conn:
        found = set((await conn.execute(select(audit_events.c.target))).scalars())
    await db.close()
    return found


async def test_what_was_acknowledged_survives_a_killed_process(path: Path):
    """The server may be killed at any moment; what somebody was told is stored must be there afterwards."""
    child = await start(path, 1_000_000, "n")
    assert child.stdout is not None
    acknowledged = [int(await child.stdout.readline()) for _ in range(60)]

    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in (await child.stdout.read()).split(b"\n")[:-1]]
    await child.wait()

    assert {f"n{number}" for number in acknowledged} <= await targets(path)


async def test_processes_that_open_a_new_file_at_once_all_succeed(path: Path):
    """A command given while the server starts for the first time must not break either."""
    children = [await start(path, 10, name) for name in "abc"]

    for child in children:
        await child.communicate()

    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(await targets(path)) == 30
