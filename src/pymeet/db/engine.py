"""The database: SQLite through SQLAlchemy Core, one writer at a time, everything acknowledged is on the disk.

Two pools stand behind one object: a single connection that writes, and a few that can only read. Besides them there is
one thread with a connection of its own for long work: sweeping, erasing, archiving. Another process (a command of the
administrator) may have the same file open; it waits its turn at `BEGIN IMMEDIATE`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, CursorResult, Engine, Executable, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from pymeet.db import migrate
from pymeet.errors import PymeetError
from pymeet.stepback import step_back

T = TypeVar("T")

READERS = 4
"""How many reads run side by side; more wait their turn."""

BUSY_TIMEOUT_MS = 15_000
"""How long a statement waits for another process before it fails with "database is locked"."""

CHECKPOINT_WAIT_MS = 500
"""How long a checkpoint waits for readers; writers wait with it, so it is short."""

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


class Transaction:
    """What a block works with. A statement that has begun runs to its end; a cancellation is passed on after it.

    The driver runs statements in a thread that cannot be interrupted, and SQLAlchemy answers a cancellation in the
    middle by throwing the connection away without waiting for that thread.
    """

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Runs one statement; the whole result is in memory when this returns."""
        return await _to_the_end(self._conn.execute(statement, parameters))

    async def run_sync(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs `function(connection, *arguments)` with SQLAlchemy's synchronous connection in the same transaction."""
        return await _to_the_end(self._conn.run_sync(function, *arguments))


class Database:
    """One open database file. Make it with `await Database.open(path)`; it belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = _engine(path, begin="BEGIN IMMEDIATE", connections=1)
        self._reading = _engine(path, begin="BEGIN", connections=READERS, query_only=1)
        self._working = _sync_engine(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="db-work", initializer=step_back)
        self._worker = asyncio.Lock()
        self._writer = asyncio.Lock()
        self._readers = asyncio.Semaphore(READERS)
        self._closed = False
        self._disposed = False

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
    async def write(self) -> AsyncIterator[Transaction]:
        """A transaction that may change things: commits when the block ends, rolls back when it raises.

        One block runs at a time in this process. A cancelled block leaves nothing behind; a cancellation during the
        commit itself is passed on when the commit has ended.
        """
        async with self._writer:
            self._refuse_if_closed()
            async with _connection(self._writing) as conn:
                try:
                    yield Transaction(conn)
                except BaseException:
                    await _to_the_end(conn.rollback())
                    raise
                await _to_the_end(conn.commit())

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """A view of the database as it was at the first statement; statements that change something fail.

        Keep it short: while it is open, deleted content cannot be removed from the write-ahead log.
        """
        async with self._readers:
            self._refuse_if_closed()
            async with _connection(self._reading) as conn:
                yield Transaction(conn)

    async def work(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs `function(connection, *arguments)` in the thread for long work, as one transaction that may change things.

        It counts as a writer, so nobody else writes meanwhile: keep each call to some ten milliseconds. A cancellation
        is passed on when the transaction has ended.
        """
        # In this order: while a long study has the thread, others must be able to write.
        async with self._worker, self._writer:
            self._refuse_if_closed()
            return await _to_the_end(self._in_thread(self._write_there, function, arguments))

    async def study(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs `function(connection, *arguments)` in the thread for long work, with a view of the database as it is now.

        Others may write meanwhile. A cancellation is passed on when the function has ended. Not to be called inside a
        `write` block, which a waiting `work` would never see the end of.
        """
        async with self._worker:
            self._refuse_if_closed()
            return await _to_the_end(self._in_thread(self._read_there, function, arguments))

    async def _in_thread(self, run: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, run, *arguments)

    def _write_there(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        with self._working.connect() as conn:
            conn.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                result = function(conn, *arguments)
            except BaseException:
                conn.exec_driver_sql("ROLLBACK")
                raise
            conn.exec_driver_sql("COMMIT")
            return result

    def _read_there(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        with self._working.connect() as conn:
            conn.exec_driver_sql("PRAGMA query_only=1")
            conn.exec_driver_sql("BEGIN")
            try:
                return function(conn, *arguments)
            finally:
                conn.exec_driver_sql("ROLLBACK")
                conn.exec_driver_sql("PRAGMA query_only=0")

    async def check(self) -> None:
        """Raises if the database does not answer."""
        async with self.read() as conn:
            await conn.execute(text("SELECT count(*) FROM alembic_version"))

    async def checkpoint(self, *, forget: bool = True) -> bool:
        """Moves everything into the database file and empties the write-ahead log.

        True when it is empty; False when a reader (here or in another process) still needs it. Only after True is
        deleted content gone from the disk; from memory it is gone unless `forget` is False, as between the parts of a
        long deletion, because making every statement anew takes the event loop's time.
        """
        async with self._writer:
            self._refuse_if_closed()
            # SQLAlchemy keeps each statement it compiled together with the values it was first made with.
            for engine in (self._writing.sync_engine, self._reading.sync_engine, self._working) if forget else ():
                engine.clear_compiled_cache()
            return await _to_the_end(self._checkpoint())

    async def close(self) -> None:
        """Waits for what is running, empties the write-ahead log and closes every connection. May be called twice."""
        self._closed = True
        async with self._writer, AsyncExitStack() as readers:
            for _ in range(READERS):
                await readers.enter_async_context(self._readers)
            if not self._disposed:
                await _to_the_end(self._dispose())

    async def _dispose(self) -> None:
        try:
            await self._checkpoint()
        except OperationalError:
            pass  # the file is locked or gone; the next start reads the write-ahead log
        finally:
            await asyncio.to_thread(self._thread.shutdown)
            self._working.dispose()
            await self._reading.dispose()
            await self._writing.dispose()
            self._disposed = True

    async def _checkpoint(self) -> bool:
        # Past SQLAlchemy, because its connections always begin a transaction and a checkpoint cannot run inside one.
        async with _connection(self._writing) as conn:
            driver = (await conn.get_raw_connection()).driver_connection
            assert driver is not None  # noqa: S101  it was connected a line ago
            await driver.execute(f"PRAGMA busy_timeout={CHECKPOINT_WAIT_MS}")
            try:
                async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
                    busy, _, _ = await cursor.fetchone()
            finally:
                await driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
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


@asynccontextmanager
async def _connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    conn = engine.connect()
    try:
        await _to_the_end(conn.start())
        yield conn
    finally:
        if conn.sync_connection is not None:
            await _to_the_end(conn.close())


def _engine(path: Path, *, begin: str, connections: int, **pragmas: int) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        # The driver's own transaction control commits before DDL; without it, `begin` below rules.
        connect_args={"isolation_level": None},
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,  # errors travel to logs, and parameters are names, addresses and messages
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        _set_pragmas(connection, {**_PRAGMAS, **pragmas})

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _sync_engine(path: Path) -> Engine:
    """The engine of the thread for long work; its transactions begin and end where `work` and `study` say so."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"isolation_level": None, "check_same_thread": False},
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        execution_options={"isolation_level": "AUTOCOMMIT"},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        _set_pragmas(connection, _PRAGMAS)

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
