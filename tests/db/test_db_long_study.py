"""Long looks at the database: they delay other long work, and nobody who is in a meeting."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from pymeet.db.engine import Database


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "pymeet.db")
    yield database
    await database.close()


async def test_work_that_waits_for_a_long_study_blocks_no_writer(db: Database) -> None:
    """A chat message must not wait until an administrator's look at the whole audit log is over."""
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def study(_conn: Connection) -> None:
        begun.set()
        go_on.wait()

    def work(_conn: Connection) -> None:
        done.append("work")

    studying = asyncio.create_task(db.study(study))
    await asyncio.to_thread(begun.wait)
    working = asyncio.create_task(db.work(work))
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(10), db.write() as conn:
            await conn.execute(text("DELETE FROM pending_gone"))
            done.append("write")
    finally:
        go_on.set()
    await asyncio.gather(studying, working)

    assert done == ["write", "work"]
