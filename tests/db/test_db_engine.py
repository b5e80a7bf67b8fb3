"""The engine: pragmas, one writer, whole transactions, cancellation, nothing left behind."""

import asyncio
import gc
import os
import random
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from pymeet.db import audit
from pymeet.db.engine import READERS, Database, DatabaseError, Transaction, _set_pragmas
from pymeet.db.schema import audit_events, messages, rooms


async def note(conn: Transaction, target: str) -> None:
    await audit.record(conn, at_ms=1, actor="system", action="test.noted", target=target)


def places_of(content: str, path: Path) -> set[str]:
    """The files beside the database, and itself, in whose bytes the text stands."""
    return {each.name for each in path.parent.iterdir() if content.encode() in each.read_bytes()}


async def noted(db: Database) -> list[str]:
    async with db.read() as conn:
        return list((await conn.execute(select(audit_events.c.target).order_by(audit_events.c.sequence))).scalars())


async def pragmas(conn: Transaction) -> dict[str, object]:
    names = ("journal_mode", "synchronous", "secure_delete", "temp_store", "foreign_keys", "busy_timeout")
    return {name: (await conn.execute(text(f"PRAGMA {name}"))).scalar_one() for name in names}


async def test_every_connection_has_the_pragmas(db: Database):
    """A single connection without them would lose acknowledged changes or leave deleted content on the disk."""
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "temp_store": 2,
        "foreign_keys": 1,
        "busy_timeout": 15_000,
    }

    async with db.write() as conn:
        assert await pragmas(conn) == wanted
    for _ in range(READERS):
        async with db.read() as conn:
            assert await pragmas(conn) == wanted


async def test_a_sqlite_that_ignores_a_pragma_is_refused():
    """Some builds leave features out and say nothing; the promise is checked, not assumed."""

    class Deaf:
        """A connection that honours nothing."""

        def cursor(self) -> "Deaf":
            return self

        def execute(self, _statement: str) -> None:
            pass

        def fetchone(self) -> tuple[int]:
            return (0,)

        def close(self) -> None:
            pass

    with pytest.raises(DatabaseError, match="secure_delete"):
        _set_pragmas(Deaf(), {"secure_delete": 1})


async def test_only_the_owner_can_read_the_files(path: Path):
    """Other people on the machine must not read names, addresses and chats; side files hold the same content."""
    os.close(os.open(path, os.O_CREAT, 0o644))

    db = await Database.open(path)
    async with db.write() as conn:
        await note(conn, "a")

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {"pymeet.db": 0o600, "pymeet.db-wal": 0o600, "pymeet.db-shm": 0o600}
    await db.close()


async def test_a_failed_block_leaves_nothing(db: Database):
    """Half a change is worse than none."""

    async def fail() -> None:
        async with db.write() as conn:
            await note(conn, "a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert await noted(db) == []


async def test_schema_changes_are_part_of_the_transaction(db: Database):
    """The driver's own transaction control would commit before each of them."""

    async def fail() -> None:
        async with db.write() as conn:
            await conn.execute(text("CREATE TABLE leftover (id)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    async with db.read() as conn:
        assert (await conn.execute(text("SELECT 1 FROM sqlite_master WHERE name='leftover'"))).first() is None


async def test_foreign_keys_hold(db: Database):
    """A row that points at nothing is found by nobody."""
    with pytest.raises(IntegrityError):
        async with db.write() as conn:
            await conn.execute(
                insert(messages).values(id="m", room_id="gone", participant_id="p", name="Ann", text="Hi", at_ms=1)
            )


async def test_an_error_does_not_show_what_was_stored(db: Database):
    """Errors end up in logs; names and messages must not."""
    with pytest.raises(IntegrityError) as caught:
        async with db.write() as conn:
            await conn.execute(
                insert(messages).values(id="m", room_id="gone", participant_id="p", name="Ann", text="Psst", at_ms=1)
            )

    assert "Psst" not in str(caught.value)


async def test_reads_cannot_change_anything(db: Database):
    """Only the one writer writes; a forgotten `write()` shows at once."""
    with pytest.raises(OperationalError, match="readonly"):
        async with db.read() as conn:
            await note(conn, "a")


async def test_writers_of_one_process_take_turns(db: Database):
    """Read, then write what was read plus one: without turns, updates get lost."""

    async def add_one() -> None:
        async with db.write() as conn:
            count = (await conn.execute(select(func.count()).select_from(audit_events))).scalar_one()
            await asyncio.sleep(0)
            await note(conn, str(count))

    await asyncio.gather(*(add_one() for _ in range(40)))

    assert await noted(db) == [str(number) for number in range(40)]


async def test_two_openers_of_one_file_take_turns(db: Database, path: Path):
    """An administrator's command writes while the server runs; neither may fail or lose anything."""
    other = await Database.open(path)

    async def add(to: Database, name: str) -> None:
        async with to.write() as conn:
            await note(conn, name)

    await asyncio.gather(*(add(to, f"{name}{n}") for n in range(20) for to, name in ((db, "a"), (other, "b"))))
    await other.close()

    assert len(await noted(db)) == 40


async def test_reads_go_on_while_somebody_writes(db: Database):
    """A long write must not stop the server from answering; what is not committed is not seen."""
    async with db.write() as conn:
        await note(conn, "a")
        assert await noted(db) == []

    assert await noted(db) == ["a"]


async def test_more_readers_than_connections_wait(db: Database):
    """A crowd must not fail with a timeout of the pool."""
    answers = await asyncio.gather(*(noted(db) for _ in range(READERS * 10)))

    assert answers == [[]] * (READERS * 10)


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_a_cancelled_write_is_there_whole_or_not_at_all(db: Database, turns: int):
    """People close tabs at any moment: whatever turn of the loop is hit, no half change and no stuck lock."""

    async def add_two() -> None:
        async with db.write() as conn:
            await note(conn, "first")
            await note(conn, "second")

    task = asyncio.create_task(add_two())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert await noted(db) in ([], ["first", "second"])
    async with db.write() as conn:
        await note(conn, "after")
    assert (await noted(db))[-1] == "after"


async def test_a_storm_of_cancellations_costs_no_connection(db: Database, caplog: pytest.LogCaptureFixture):
    """A network that breaks cancels many at once, some twice; each lost connection would leave a thread behind."""
    chance = random.Random(7)

    async def add_two() -> None:
        async with db.write() as conn:
            await note(conn, "first")
            await note(conn, "second")

    await asyncio.gather(*(noted(db) for _ in range(READERS)))
    threads = set(threading.enumerate())
    for _ in range(60):
        tasks = [asyncio.create_task(work) for work in (add_two(), noted(db), noted(db))]
        await asyncio.wait(tasks, timeout=chance.random() * 0.005)
        for _ in range(chance.choice((1, 2))):
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [each for each in outcomes if isinstance(each, Exception)]
    gc.collect()

    assert (await noted(db)).count("first") == (await noted(db)).count("second")
    assert set(threading.enumerate()) <= threads
    assert caplog.records == []


async def test_a_write_cancelled_between_statements_rolls_back(db: Database):
    """The plainest case, at a known place."""
    reached = asyncio.Event()

    async def hang() -> None:
        async with db.write() as conn:
            await note(conn, "a")
            reached.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await reached.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await noted(db) == []


async def test_a_cancelled_read_gives_its_connection_back(db: Database):
    """Otherwise a few impatient visitors use up all readers."""
    for _ in range(READERS * 3):
        task = asyncio.create_task(noted(db))
        for _ in range(4):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert await noted(db) == []


async def test_closing_leaves_one_file_and_no_thread(path: Path):
    """A leftover write-ahead log holds content that was deleted; a leftover thread keeps the process from ending."""
    before = set(threading.enumerate())
    db = await Database.open(path)
    await asyncio.gather(*(noted(db) for _ in range(READERS)))
    ours = set(threading.enumerate()) - before

    await db.close()
    await db.close()
    gc.collect()

    assert [each.name for each in path.parent.iterdir()] == ["pymeet.db"]
    for thread in ours:
        thread.join(timeout=10)
    assert [thread for thread in ours if thread.is_alive()] == []


async def test_closing_waits_for_what_is_running(path: Path):
    """An orderly stop must not break a change in the middle."""
    db = await Database.open(path)
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with db.write() as conn:
            await note(conn, "a")
            inside.set()
            await go_on.wait()

    task = asyncio.create_task(write())
    await inside.wait()
    closing = asyncio.create_task(db.close())
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(task, closing)

    again = await Database.open(path)
    assert await noted(again) == ["a"]
    await again.close()


async def test_a_closed_database_says_so(path: Path):
    """A late request gets an error with a code, not a stack trace out of the driver."""
    db = await Database.open(path)
    await db.close()

    with pytest.raises(DatabaseError, match="closed"):
        await db.check()
    with pytest.raises(DatabaseError, match="closed"):
        async with db.write():
            pass


async def test_deleted_content_is_gone_from_the_disk_after_a_checkpoint(db: Database, path: Path):
    """Deleting in SQLite only forgets where the content is, unless secure_delete overwrites it."""
    canary = "canary-4f1d9a7c"
    async with db.write() as conn:
        await conn.execute(insert(rooms).values(id="r", slug="abc", name="Room", created_at_ms=1))
        for number in range(50):
            row = {"id": f"m{number}", "room_id": "r", "participant_id": "p", "name": "Ann", "at_ms": 1}
            await conn.execute(insert(messages).values(text=f"{canary} {'x' * 200}", **row))
    assert await db.checkpoint()
    assert places_of(canary, path) == {"pymeet.db"}  # otherwise the search below is blind

    async with db.write() as conn:
        await conn.execute(messages.delete())
    assert await db.checkpoint()

    assert places_of(canary, path) == set()


async def test_a_checkpoint_tells_when_a_reader_is_in_the_way(db: Database):
    """Erasure may be reported only when the log is empty; a busy checkpoint must not pass for one."""
    async with db.read() as reading:
        await reading.execute(select(audit_events))
        async with db.write() as conn:
            await note(conn, "a")
        emptied_while_read = await db.checkpoint()

    assert not emptied_while_read
    assert await db.checkpoint()


@pytest.mark.parametrize("fields", [{"target": "ann@example.org"}, {"actor": "Ann Smith"}, {"action": "Ann left"}])
async def test_the_audit_log_refuses_names_and_addresses(db: Database, fields: dict[str, str]):
    """It outlives what it tells about, so it may hold nothing but ids."""
    line = {"actor": "system", "action": "test.noted", "target": "x"} | fields

    with pytest.raises(ValueError, match="ids"):
        async with db.write() as conn:
            await audit.record(conn, at_ms=1, **line)
