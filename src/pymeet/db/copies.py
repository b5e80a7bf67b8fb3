"""Copies of SQLite files as files: made from a database in use, and looked at without touching them.

Everything is synchronous and meant for threads. A copy has no write-ahead log beside it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pymeet.db.engine import BUSY_TIMEOUT_MS
from pymeet.errors import ConflictError, PymeetError

_LOOK_EVERY: Final = 50_000
"""After so many steps of SQLite's machine it is asked whether to go on."""


class DamagedCopyError(PymeetError):
    """A copy of a database is not whole, or is none of ours."""

    code = "copy_damaged"


@dataclass(frozen=True)
class Copy:
    """What a copy of the main database says about itself."""

    schema: str
    """Its revision."""
    erasures: int
    """The number of the newest line of the erasure ledger in it; 0 without any."""
    audit_sequence: int
    """The number of the newest event of the audit log in it; 0 without any."""
    audit_chain: bytes
    """The state of the chain after it; empty without any."""


@dataclass(frozen=True)
class Keys:
    """What a copy of `keys.db` holds, without its keys."""

    file_ids: frozenset[str]
    masters: frozenset[str]
    """The names of the master keys that open it."""


def copy(path: Path, target: Path, stopped: Callable[[], bool]) -> None:
    """Writes a consistent copy of a database in use to `target` (mode 0600), safe on the disk when this returns.

    Others read and write meanwhile; only deleted content stays in the write-ahead log until this is done. Asks `stopped`
    now and then, and gives up when it says so. Raises sqlite3.Error and OSError; then a part may be left at `target`.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as conn:
        conn.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        conn.set_progress_handler(stopped, _LOOK_EVERY)
        conn.execute("VACUUM INTO ?", (str(target),))
    sync(target)


def examine(path: Path) -> Copy:
    """Reads all of a copy of the main database. DamagedCopyError where anything in it does not fit."""
    with _reading(path) as conn:
        for check in ("PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"):
            found = conn.execute(check).fetchone()
            if found not in (None, ("ok",)):
                raise DamagedCopyError("The copy of the database is damaged.")
        tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        schema, erasures, head = None, None, None
        if "alembic_version" in tables:
            schema = conn.execute("SELECT version_num FROM alembic_version").fetchone()
        if schema is None:
            raise DamagedCopyError("This is no database of pymeet.")
        if "erasure_ledger" in tables:
            erasures = conn.execute("SELECT max(sequence) FROM erasure_ledger").fetchone()[0]
        if "audit_head" in tables:
            head = conn.execute("SELECT sequence, chain FROM audit_head").fetchone()
        sequence, chain = head or (0, b"")
        return Copy(str(schema[0]), erasures or 0, sequence, chain)


def keys_in(path: Path) -> Keys:
    """Reads a copy of `keys.db`. DamagedCopyError when it is none."""
    with _reading(path) as conn:
        if conn.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            raise DamagedCopyError("The copy of keys.db is damaged.")
        ids = frozenset(str(row[0]) for row in conn.execute("SELECT file_id FROM file_keys"))
        masters = conn.execute("SELECT master FROM purpose_keys UNION SELECT master FROM file_keys")
        return Keys(ids, frozenset(str(row[0]) for row in masters))


def close_down(path: Path) -> None:
    """Leaves a database that nobody uses as one file, without write-ahead log; the next to open it makes one again.

    ConflictError when somebody has it open. Raises sqlite3.DatabaseError when it cannot be read.
    """
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as conn:
        try:
            conn.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            raise ConflictError(
                "Another command is using the database.\nWait until it is done, and run this again."
            ) from None


def is_damage(error: sqlite3.Error) -> bool:
    """Whether a database is broken, not the disk full, locked or unreadable."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def sync(path: Path) -> None:
    """Makes a file, or the names in a directory, safe on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """`immutable` keeps SQLite from writing anything beside the copy."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as conn:
            yield conn
    except sqlite3.DatabaseError:
        raise DamagedCopyError("The copy of the database is damaged, or is no database of pymeet.") from None
