"""The database: SQLite through SQLAlchemy Core, one writer at a time, everything acknowledged is on the disk.

Two pools stand behind one object: a single connection that writes, and a few that can only read. Another process (a
command of the administrator) may have the same file open; it waits its turn at `BEGIN IMMEDIATE`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from pymeet.db import migrate
from pymeet.errors import PymeetError

T = TypeVar("T")

READERS = 4
"""How many reads run side by side; more wait their turn."""

BUSY_TIMEOUT_MS = 15_000
"""How long a statement waits for another process before it fails with "database is locked"."""

_PRAGMAS: dict[str, int | str] = {
    "busy_timeout": BUSY_TIMEOUT_MS,
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: with NORMAL a power cut loses acknowledged commits
    "secure_delete": 1,  # FAST (2) leaves deleted content in free pages
    "temp_store": 2,  # MEMORY: sorting must not leave personal data in temporary files
    "foreign_keys": 1,
}
"""Set on every connection in this order, then read back: a SQLite that ignores one of them must not be used."""


class DatabaseError(PymeetError):
    """The database cannot be used: closed, or a SQLite without the guarantees pymeet gives."""

    code = "database_error"


class Database:
    """One open database file. Make it with `await Database.open(path)`; it belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = _engine(path, begin="BEGIN IMMEDIATE", connections=1)
        self._reading = _engine(path, begin="BEGIN", connections=READERS, query_only=1)
        self._writer = asyncio.Lock()
        self._readers = asyncio.Semaphore(READERS)
        self._closed = False

    @classmethod
    async def open(cls, path: Path, *, migrations: Path = migrate.DIRECTORY) -> "Database":
        """Makes the file (mode 0600) if needed, checks the pragmas and brings the schema up to date.

        Raises DatabaseError, `migrate.NewerDatabaseError`, or what a failing migration raised; the file then is as
        it was.
        """
        _make_private(path)
        db = cls(path)
        try:
            async with db.write() as conn:
                await conn.run_sync(migrate.upgrade, migrations)
        except BaseException:
            await _to_the_end(db.close())
            raise
        return db

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change things: commits when the block ends, rolls back when it raises.

        One block runs at a time in this process. A cancelled block leaves nothing behind; a cancellation during the
        commit itself is passed on when the commit has ended.
        """
        async with self._writer:
            self._refuse_if_closed()
            async with self._writing.connect() as conn:
                transaction = await conn.begin()
                try:
                    yield conn
                except BaseException:
                    await _to_the_end(transaction.rollback())
                    raise
                await _to_the_end(transaction.commit())

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A view of the database as it was at the first statement; statements that change something fail.

        Keep it short: while it is open, deleted content cannot be removed from the write-ahead log.
        """
        async with self._readers:
            self._refuse_if_closed()
            async with self._reading.connect() as conn:
                yield conn

    async def check(self) -> None:
        """Raises if the database does not answer."""
        async with self.read() as conn:
            await conn.execute(text("SELECT count(*) FROM alembic_version"))

    async def checkpoint(self) -> bool:
        """Moves everything into the database file and empties the write-ahead log.

        True when it is empty; False when a reader (here or in another process) still needs it. Only after True is
        deleted content gone from the disk.
        """
        async with self._writer:
            self._refuse_if_closed()
            return await self._checkpoint()

    async def close(self) -> None:
        """Waits for what is running, empties the write-ahead log and closes every connection. May be called twice."""
        async with self._writer:
            if self._closed:
                return
            self._closed = True
            for _ in range(READERS):
                await self._readers.acquire()
            try:
                await self._checkpoint()
            except OperationalError:
                pass  # the file is locked or gone; the next start reads the write-ahead log
            finally:
                await self._reading.dispose()
                await self._writing.dispose()
                for _ in range(READERS):
                    self._readers.release()

    async def _checkpoint(self) -> bool:
        # Past SQLAlchemy, because its connections always begin a transaction and a checkpoint cannot run inside one.
        async with self._writing.connect() as conn:
            driver = (await conn.get_raw_connection()).driver_connection
            assert driver is not None  # noqa: S101
            async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
                busy, _, _ = await cursor.fetchone()
            return bool(busy == 0)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise DatabaseError("The database is closed.")


def _make_private(path: Path) -> None:
    """Makes the file readable by its owner only; SQLite gives its side files the mode of the database file."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.fchmod(file, 0o600)
    finally:
        os.close(file)


def _engine(path: Path, *, begin: str, connections: int, **pragmas: int) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        # The driver's own transaction control commits before DDL; without it, `begin` below rules.
        connect_args={"isolation_level": None},
        pool_size=connections,
        max_overflow=0,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        _set_pragmas(connection, {**_PRAGMAS, **pragmas})

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _set_pragmas(connection: Any, pragmas: dict[str, int | str]) -> None:
    cursor = connection.cursor()
    try:
        for name, wanted in pragmas.items():
            cursor.execute(f"PRAGMA {name}={wanted}")
            cursor.execute(f"PRAGMA {name}")
            (found,) = cursor.fetchone()
            if found != wanted:
                raise DatabaseError(f"This SQLite does not honour {name}={wanted} (it says {found}).")
    finally:
        cursor.close()


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Awaits work that must not be left half done: a cancellation is passed on once it has ended."""
    task = asyncio.create_task(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    result = task.result()
    if cancelled:
        raise asyncio.CancelledError
    return result
