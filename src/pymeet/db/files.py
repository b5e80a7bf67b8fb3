"""Sealed files on the disk: `files/<first two characters>/<id>.sealed` in the data directory. Plaintext never is there.

Everything is synchronous and meant for threads. Ids are random (`pymeet.ids.new_id`) and never used again.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from pymeet.db.keys import KeysBusyError, KeyStore
from pymeet.db.seal import Bytes, SealedReader, SealedWriter, plaintext_bytes
from pymeet.errors import NotFoundError, PymeetError

DIRECTORY = "files"

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SUFFIX = ".sealed"
_PART = ".sealed.part"


class FileNotGoneError(PymeetError):
    """A file, or its key, could not be destroyed: it must stay on the list of what is to go."""

    code = "file_not_gone"


class Files:
    """All sealed files of one data directory."""

    def __init__(self, data_dir: Path, keys: KeyStore) -> None:
        self._directory = data_dir / DIRECTORY
        self._keys = keys

    def create(self, file_id: str, now_ms: int) -> "SealedSink":
        """Begins a file under a new key. It exists once `finish()` has returned; until then a crash leaves a part.

        Raises ConflictError when the id is in use, OSError or sqlite3.Error when there is no room.
        """
        path = self._path(file_id, _PART)
        key = self._keys.make(file_id, now_ms)
        try:
            self._make_directory(path.parent)
            return SealedSink(self, file_id, path, key)
        except BaseException:
            self.destroy(file_id)
            raise

    def open(self, file_id: str) -> SealedReader:
        """Opens a finished file. NotFoundError without file or key, SealError when it is damaged."""
        key = self._keys.get(file_id)
        try:
            file = self.path(file_id).open("rb")
        except FileNotFoundError:
            raise NotFoundError("This file is not there.") from None
        try:
            return SealedReader(file, key, file_id)
        except BaseException:
            file.close()
            raise

    def size(self, file_id: str) -> int:
        """Bytes of plaintext in a finished file, by its length alone. NotFoundError when there is none."""
        try:
            return plaintext_bytes(self.path(file_id).stat().st_size)
        except FileNotFoundError:
            raise NotFoundError("This file is not there.") from None

    def exists(self, file_id: str) -> bool:
        """Whether there is a finished file, with or without its key."""
        return self.path(file_id).exists()

    def path(self, file_id: str) -> Path:
        """Where a finished file stands; a backup copies it as it is."""
        return self._path(file_id, _SUFFIX)

    def destroy(self, file_id: str) -> None:
        """Destroys the key, then the file, finished or not. What is gone already is no error.

        FileNotGoneError when anything else stands against it: the caller must come back.
        """
        paths = self.path(file_id), self._path(file_id, _PART)
        failure: Exception | None = None
        try:
            self._keys.shred(file_id)
        except (sqlite3.Error, KeysBusyError) as error:
            failure = error  # on a full disk the database cannot even delete; what follows makes room for it
        try:
            for path in paths:
                path.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                _sync(paths[0].parent)
        except OSError as error:
            failure = error
        if failure is not None:
            raise FileNotGoneError("A file could not be destroyed yet; it will be tried again.") from failure

    def ids(self) -> Iterator[tuple[str, int, bool]]:
        """Every file on the disk: its id, when it was last written (UTC ms), and whether it is only a part.

        Whoever knows which ids should be there can find the ones nobody knows.
        """
        for directory in _entries(self._directory):
            for entry in _entries(directory.path):
                name, dot, suffix = entry.name.partition(".")
                try:
                    if dot + suffix in (_SUFFIX, _PART):
                        yield name, entry.stat().st_mtime_ns // 1_000_000, dot + suffix == _PART
                except FileNotFoundError:
                    continue  # destroyed, or finished under its other name, since the directory was read

    def _path(self, file_id: str, suffix: str) -> Path:
        if not _ID.fullmatch(file_id):
            raise ValueError("not the id of a file")
        return self._directory / file_id[:2] / f"{file_id}{suffix}"

    def _make_directory(self, directory: Path) -> None:
        for each in (self._directory, directory):
            each.mkdir(mode=0o700, exist_ok=True)
            _sync(each.parent)


class SealedSink:
    """A file being written. In a `with` block it is abandoned unless `finish()` was reached."""

    def __init__(self, files: Files, file_id: str, path: Path, key: bytes) -> None:
        self._files = files
        self._file_id = file_id
        self._path = path
        self._finished = False
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        try:
            self._writer = SealedWriter(self._file, key, file_id)
        except BaseException:
            self._file.close()
            raise

    def write(self, data: Bytes) -> int:
        """Takes all of `data`. After an OSError (a full disk) the file can only be abandoned."""
        return self._writer.write(data)

    def flush(self) -> None:
        """For those who call it on every file; nothing is certain before `finish()`."""
        self._writer.flush()

    def finish(self) -> None:
        """The file is whole, under its name and safe on the disk when this returns. Raises OSError otherwise."""
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.rename(self._path, self._files.path(self._file_id))
        _sync(self._path.parent)
        self._finished = True

    def abandon(self) -> None:
        """Destroys the key and what was written so far. FileNotGoneError as with `Files.destroy`."""
        with suppress(OSError):  # what it still held back did not fit on the disk either
            self._file.close()
        self._files.destroy(self._file_id)

    def __enter__(self) -> "SealedSink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            self.abandon()


def _entries(directory: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _sync(directory: Path) -> None:
    """Makes names that were added or removed as durable as the files themselves."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
