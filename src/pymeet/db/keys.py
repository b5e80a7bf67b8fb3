"""The key store: `keys.db`, apart from the main database, with one wrapped key for every sealed file.

Who deletes a key here has destroyed its file wherever copies of it are (crypto-shredding), so backups treat this
database differently: they keep few snapshots of it, and a restored file opens only if its key is still here.

Everything is synchronous and meant for threads; one connection, one lock. Several processes may have the file open.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from pymeet.db.engine import _PRAGMAS, BUSY_TIMEOUT_MS, _make_private, _set_pragmas
from pymeet.db.inventory import Basis, Category, EraseRow, Lasting, not_personal, table
from pymeet.errors import ConflictError, NotFoundError, PymeetError
from pymeet.keyring import Keyring

FILE_NAME = "keys.db"

Progress = Callable[[int, int], None]
"""Told how many keys are done, of how many."""

_CHECKPOINT_WAIT_MS = 2_000
"""How long shredding waits for another process that reads; other threads wait with it, so it is short."""

_BATCH = 500

_OLDER_THAN_THIS = (b"room-token",)
"""Purposes whose keys were in use before there was a `keys.db`: they are taken over when it is made, before the master
key can change. They also prove at every start that the master key is the right one, even where there are no files."""

keys_metadata = MetaData()

file_keys = table(
    "file_keys",
    keys_metadata,
    Column("file_id", Text, primary_key=True, info=not_personal()),
    Column("wrapped", LargeBinary, nullable=False, info=not_personal()),
    Column("master", Text, nullable=False, info=not_personal()),
    Column("made_at_ms", BigInteger, nullable=False, info=not_personal()),
    category=Category.OPERATION,
    purpose="To open sealed files, and to destroy them for good, in backups too.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(),
    keep=(Lasting("A key is deleted first when its file is; random numbers say nothing about anybody."),),
    erase=EraseRow.COLUMNS,
)

purpose_keys = table(
    "purpose_keys",
    keys_metadata,
    Column("purpose", Text, primary_key=True, info=not_personal()),
    Column("wrapped", LargeBinary, nullable=False, info=not_personal()),
    Column("master", Text, nullable=False, info=not_personal()),
    category=Category.OPERATION,
    purpose="To sign and recognise what must stay valid when the master key changes.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(),
    keep=(Lasting("The server's own keys, one for each purpose."),),
    erase=EraseRow.COLUMNS,
)


class KeyGoneError(NotFoundError):
    """There is no key for this file: it was destroyed, or never was."""

    code = "key_gone"


class WrongKeyError(PymeetError):
    """The master key at hand does not open what is in `keys.db`; the message says what the operator can do."""

    code = "wrong_key"


class KeysBusyError(PymeetError):
    """Somebody reads `keys.db`, so a deleted key is still in its write-ahead log; to be tried again."""

    code = "keys_busy"


@dataclass(frozen=True)
class _Kind:
    """The statements and the wrapping key of one table."""

    wrapping: bytes
    count: str
    after: str
    rewrap: str


_FILES = _Kind(
    wrapping=b"file-keys",
    count="SELECT count(*) FROM file_keys",
    after="SELECT file_id, wrapped, master FROM file_keys WHERE file_id > ? ORDER BY file_id LIMIT ?",
    rewrap="UPDATE file_keys SET wrapped = ?, master = ? WHERE file_id = ?",
)
_PURPOSES = _Kind(
    wrapping=b"purpose-keys",
    count="SELECT count(*) FROM purpose_keys",
    after="SELECT purpose, wrapped, master FROM purpose_keys WHERE purpose > ? ORDER BY purpose LIMIT ?",
    rewrap="UPDATE purpose_keys SET wrapped = ?, master = ? WHERE purpose = ?",
)


class KeyStore:
    """An open `keys.db`. Make it with `KeyStore.open(path, keyring)`; any thread may use it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, keyring: Keyring) -> None:
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()
        self._use(keyring)

    @classmethod
    def open(cls, path: Path, keyring: Keyring) -> "KeyStore":
        """Makes the file (mode 0600) if needed. WrongKeyError when it belongs to another master key."""
        _make_private(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _set_pragmas(connection, _PRAGMAS)
            store = cls(path, connection, keyring)
            with store._transaction():
                for each in keys_metadata.sorted_tables:
                    statement = CreateTable(each, if_not_exists=True).compile(dialect=sqlite.dialect())
                    connection.execute(str(statement))
                if not store._number("SELECT count(*) FROM purpose_keys"):
                    for purpose in _OLDER_THAN_THIS:
                        store._take_over(purpose)
            store._check(_PURPOSES)
        except BaseException:
            connection.close()
            raise
        return store

    def make(self, file_id: str, now_ms: int) -> bytes:
        """A new key of 32 bytes for a file that has none; it is on the disk when this returns."""
        key = os.urandom(32)
        with self._transaction():
            self._refuse_if_changed_elsewhere()
            try:
                self._connection.execute(
                    "INSERT INTO file_keys (file_id, wrapped, master, made_at_ms) VALUES (?, ?, ?, ?)",
                    (file_id, self._wrap(_FILES, file_id, key), self._master, now_ms),
                )
            except sqlite3.IntegrityError:
                raise ConflictError("There is a key for this file already.") from None
        return key

    def get(self, file_id: str) -> bytes:
        """The key of a file. KeyGoneError when there is none, WrongKeyError when the master key does not open it."""
        with self._lock:
            row = self._row("SELECT wrapped, master FROM file_keys WHERE file_id = ?", file_id)
        if row is None:
            raise KeyGoneError("This file was destroyed: its key is gone.")
        return self._unwrap(_FILES, file_id, *row)

    def shred(self, *file_ids: str) -> None:
        """Destroys keys; those that are gone already are no error. KeysBusyError: deleted, but not yet off the disk."""
        with self._transaction():
            self._connection.executemany("DELETE FROM file_keys WHERE file_id = ?", [(each,) for each in file_ids])
        self._empty_log()

    def purpose_key(self, purpose: bytes) -> bytes:
        """32 bytes for one purpose, which stay the same when the master key changes.

        At first they are `Keyring.subkey(purpose)`, so that what was signed with that stays valid.
        """
        with self._transaction():
            row = self._row("SELECT wrapped, master FROM purpose_keys WHERE purpose = ?", purpose.decode())
            if row is None:
                self._refuse_if_changed_elsewhere()
                return self._take_over(purpose)
        return self._unwrap(_PURPOSES, purpose.decode(), *row)

    def ids(self) -> Iterator[tuple[str, int]]:
        """Every file that has a key, with the time (UTC ms) it was made: a key without file was left by a crash."""
        with self._lock:
            rows = self._connection.execute("SELECT file_id, made_at_ms FROM file_keys").fetchall()
        yield from rows

    def check(self) -> int:
        """Opens every key and returns their number; WrongKeyError names the first that stays closed."""
        return self._check(_PURPOSES) + self._check(_FILES)

    def rotate(self, keyring: Keyring, progress: Progress) -> int:
        """Wraps every key anew under `keyring`, in batches, and returns how many had to be.

        May be stopped at any point and run again. When it returns, nothing in the file needs a former key.
        """
        with self._lock:
            self._use(keyring)
            total = sum(self._number(kind.count) for kind in (_PURPOSES, _FILES))
        done = rewrapped = 0
        # The purposes first: from then on another process that knows only the former key makes no more keys with it.
        for kind in (_PURPOSES, _FILES):
            for rows in self._batches(kind):
                stale = [row for row in rows if row[2] != self._master]
                with self._transaction():
                    for name, wrapped, master in stale:
                        again = self._wrap(kind, name, self._unwrap(kind, name, wrapped, master))
                        self._connection.execute(kind.rewrap, (again, self._master, name))
                done += len(rows)
                rewrapped += len(stale)
                progress(done, total)
        self._empty_log()
        return rewrapped

    def snapshot(self, path: Path) -> None:
        """Writes a consistent copy (mode 0600), safe on the disk, to a file that does not exist yet."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with self._lock:
                self._connection.execute("VACUUM INTO ?", (str(path),))
            for each in (path, path.parent):
                descriptor = os.open(each, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except BaseException:
            path.unlink()
            raise

    def close(self) -> None:
        """Closes the file. May be called twice."""
        with self._lock:
            self._connection.close()

    def _use(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._master = keyring.id
        self._ciphers = {
            (kind, each.id): AESGCM(each.subkey(kind.wrapping))
            for kind in (_FILES, _PURPOSES)
            for each in (keyring, *keyring.former)
        }

    def _wrap(self, kind: _Kind, name: str, key: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._ciphers[kind, self._master].encrypt(nonce, key, f"{name}{self._master}".encode())

    def _unwrap(self, kind: _Kind, name: str, wrapped: bytes, master: str) -> bytes:
        cipher = self._ciphers.get((kind, master))
        if cipher is None:
            raise WrongKeyError(
                f"{self._path} belongs to another master key than the one in use. Nothing was changed.\n"
                "Put the right master.key back from your backup. If the key was changed while this was running, "
                "start it again."
            )
        try:
            return cipher.decrypt(wrapped[:12], wrapped[12:], f"{name}{master}".encode())
        except InvalidTag:
            raise WrongKeyError(
                f"{self._path}: the key of {name} is damaged. Nothing was changed.\n"
                "Put the newest snapshot of keys.db back from your backup."
            ) from None

    def _take_over(self, purpose: bytes) -> bytes:
        key = self._keyring.subkey(purpose)
        wrapped = self._wrap(_PURPOSES, purpose.decode(), key)
        self._connection.execute(
            "INSERT INTO purpose_keys (purpose, wrapped, master) VALUES (?, ?, ?)",
            (purpose.decode(), wrapped, self._master),
        )
        return key

    def _refuse_if_changed_elsewhere(self) -> None:
        """A key wrapped under a master key that another process is about to forget would be lost."""
        for name, wrapped, master in self._connection.execute(_PURPOSES.after, ("", _BATCH)).fetchall():
            self._unwrap(_PURPOSES, name, wrapped, master)

    def _check(self, kind: _Kind) -> int:
        count = 0
        for rows in self._batches(kind):
            for name, wrapped, master in rows:
                self._unwrap(kind, name, wrapped, master)
            count += len(rows)
        return count

    def _batches(self, kind: _Kind) -> Iterator[list[tuple[str, bytes, str]]]:
        last = ""
        while True:
            with self._lock:
                rows = self._connection.execute(kind.after, (last, _BATCH)).fetchall()
            if not rows:
                return
            yield rows
            last = rows[-1][0]

    def _row(self, statement: str, name: str) -> Any:
        return self._connection.execute(statement, (name,)).fetchone()

    def _number(self, statement: str) -> int:
        (number,) = self._connection.execute(statement).fetchone()
        return int(number)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    def _empty_log(self) -> None:
        """Only a truncated write-ahead log holds no page with what was deleted."""
        with self._lock:
            self._connection.execute(f"PRAGMA busy_timeout={_CHECKPOINT_WAIT_MS}")
            try:
                busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        if busy:
            raise KeysBusyError(
                "A deleted key is still in the write-ahead log of keys.db, because another process reads it. Try again."
            )


@dataclass(frozen=True)
class Rotation:
    """What a change of the master key did."""

    rewrapped: int
    """How many keys were wrapped anew."""
    resumed: bool
    """Whether it finished a change begun earlier, with the new key of that time, instead of making another."""


def rotate_master_key(data_dir: Path, store: KeyStore, progress: Progress) -> Rotation:
    """Gives `data_dir` a new master key, wraps everything in `store` under it, and forgets the former one.

    It can be killed at any point: pymeet starts as usual, and the next call finishes. Sealed files are not touched.
    Snapshots of `keys.db` made before still need the former key. ConflictError when a change is under way already.
    """
    with _alone(data_dir):
        keyring = Keyring.open(data_dir)
        resumed = bool(keyring.former)
        if not resumed:
            keyring = Keyring.begin_change(data_dir)
        rewrapped = store.rotate(keyring, progress)
        Keyring.end_change(data_dir)
    return Rotation(rewrapped, resumed)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Of two changes at once, one would write over the other's new key. The lock ends with the process."""
    descriptor = os.open(data_dir, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError("The master key is being changed already.") from None
        yield
    finally:
        os.close(descriptor)
