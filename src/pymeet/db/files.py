"""Sealed files on the disk: `files/<first two characters>/<id>.sealed` in the data directory. Plaintext never is there.

Everything is synchronous and meant for threads. Ids are random (`pymeet.ids.new_id`) and never used again.
"""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, TypeVar

from pymeet.db import seal_log
from pymeet.db.keys import KeysBusyError
from pymeet.db.seal import Bytes, PatchableWriter, SealedReader, SealedWriter, plaintext_bytes
from pymeet.errors import NotFoundError, PymeetError

DIRECTORY = "files"

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SUFFIX = ".sealed"
_PART = ".sealed.part"

T = TypeVar("T")


class FileNotGoneError(PymeetError):
    """A file, or its key, could not be destroyed: it must stay on the list of what is to go."""

    code = "file_not_gone"


class Keys(Protocol):
    """What files need of a `pymeet.db.keys.KeyStore`; a process without one may have been given some keys."""

    def make(self, file_id: str, now_ms: int) -> bytes:
        """A new key of 32 bytes. ConflictError when there is one."""

    def get(self, file_id: str) -> bytes:
        """The key of a file. NotFoundError."""

    def shred(self, *file_ids: str) -> None:
        """Destroys keys; those that are gone already are no error."""


class Files:
    """All sealed files of one data directory."""

    def __init__(self, data_dir: Path, keys: Keys) -> None:
        self._directory = data_dir / DIRECTORY
        self._keys = keys

    def create(self, file_id: str, now_ms: int) -> "SealedSink":
        """Begins a file under a new key. It exists once `finish()` has returned; until then a crash leaves a part.

        Raises ConflictError when the id is in use, OSError or sqlite3.Error when there is no room.
        """
        return self._begin(file_id, now_ms, lambda path, key: SealedSink(self, file_id, path, key))

    def create_patchable(self, file_id: str, now_ms: int) -> "PatchableSink":
        """As `create`, for programs that write the first 64 KiB once more at the end, as makers of films do."""
        return self._begin(file_id, now_ms, lambda path, key: PatchableSink(self, file_id, path, key))

    def create_log(self, file_id: str, now_ms: int) -> "SealedLogSink":
        """Begins a file that grows while something happens. What was appended survives the death of the program, what
        was synced also a power cut: `recover_log` makes a file of it. Raises as `create`."""
        return self._begin(file_id, now_ms, lambda path, key: SealedLogSink(self, file_id, path, key))

    def recover_log(self, file_id: str) -> int | None:
        """Makes a file of what a crash left of a log: cuts off its torn end and finishes it. Bytes of plaintext, or None
        where nothing was left. Can be killed and done again; a finished file stays as it is.

        NotFoundError without its key, SealError when it is another's, OSError when the disk is full.
        """
        if self.exists(file_id):
            return self.size(file_id)
        path = self._path(file_id, _PART)
        key = self._keys.get(file_id)
        try:
            file = path.open("r+b", buffering=0)
        except FileNotFoundError:
            return None
        with file:
            found = seal_log.recover(file, key, file_id)
            if found is None:
                return None
            _finish_log(file, found.whole_bytes, found.end)
            os.fsync(file.fileno())
        self._finish(file_id)
        return found.content_bytes

    def open(self, file_id: str) -> SealedReader:
        """Opens a finished file of either format. NotFoundError without file or key, SealError when it is damaged."""
        key = self._keys.get(file_id)
        try:
            file = self.path(file_id).open("rb")
        except FileNotFoundError:
            raise NotFoundError("This file is not there.") from None
        try:
            reader = seal_log.SealedLogReader if _is_log(file) else SealedReader
            return reader(file, key, file_id)
        except BaseException:
            file.close()
            raise

    def size(self, file_id: str) -> int:
        """Bytes of plaintext in a finished file, by its length alone. NotFoundError when there is none."""
        try:
            with self.path(file_id).open("rb", buffering=0) as file:
                if _is_log(file):
                    return seal_log.plaintext_bytes(file)
                return plaintext_bytes(os.fstat(file.fileno()).st_size)
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

    def _begin(self, file_id: str, now_ms: int, begin: Callable[[Path, bytes], T]) -> T:
        path = self._path(file_id, _PART)
        key = self._keys.make(file_id, now_ms)
        try:
            self._make_directory(path.parent)
            return begin(path, key)
        except BaseException:
            self.destroy(file_id)
            raise

    def _finish(self, file_id: str) -> None:
        """Gives a part that is whole and synced its name."""
        path = self._path(file_id, _PART)
        os.rename(path, self.path(file_id))
        _sync(path.parent)

    def _path(self, file_id: str, suffix: str) -> Path:
        if not _ID.fullmatch(file_id):
            raise ValueError("not the id of a file")
        return self._directory / file_id[:2] / f"{file_id}{suffix}"

    def _make_directory(self, directory: Path) -> None:
        for each in (self._directory, directory):
            each.mkdir(mode=0o700, exist_ok=True)
            _sync(each.parent)


class _Part:
    """A file being written. In a `with` block it is abandoned unless `finish()` was reached."""

    def __init__(self, files: Files, file_id: str, path: Path, *, buffering: int = -1) -> None:
        self._files = files
        self._file_id = file_id
        self._finished = False
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering)

    def _settle(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._files._finish(self._file_id)
        self._finished = True

    def abandon(self) -> None:
        """Destroys the key and what was written so far. FileNotGoneError as with `Files.destroy`."""
        with suppress(OSError):  # what it still held back did not fit on the disk either
            self._file.close()
        self._files.destroy(self._file_id)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            self.abandon()


class SealedSink(_Part):
    """A file being written from beginning to end."""

    def __init__(self, files: Files, file_id: str, path: Path, key: bytes) -> None:
        super().__init__(files, file_id, path)
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
        self._settle()

    def __enter__(self) -> "SealedSink":
        return self


class PatchableSink(_Part):
    """A file being written whose first 64 KiB can be written again until the end."""

    def __init__(self, files: Files, file_id: str, path: Path, key: bytes) -> None:
        super().__init__(files, file_id, path)
        try:
            self._writer = PatchableWriter(self._file, key, file_id)
        except BaseException:
            self._file.close()
            raise

    def write(self, data: Bytes) -> int:
        """Takes all of `data` at the present place. After an OSError (a full disk) the file can only be abandoned;
        `io.UnsupportedOperation` where something other than the first 64 KiB would be written again."""
        return self._writer.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves inside the first 64 KiB or to the end; `io.UnsupportedOperation` elsewhere."""
        return self._writer.seek(offset, whence)

    def tell(self) -> int:
        """Where the next `write` begins."""
        return self._writer.tell()

    def finish(self) -> None:
        """The file is whole, under its name and safe on the disk when this returns. Raises OSError otherwise."""
        self._writer.close()
        self._settle()

    def __enter__(self) -> "PatchableSink":
        return self


class SealedLogSink(_Part):
    """A file that grows while something happens. Nothing is held back in the program."""

    def __init__(self, files: Files, file_id: str, path: Path, key: bytes) -> None:
        super().__init__(files, file_id, path, buffering=0)
        try:
            self._writer = seal_log.SealedLogWriter(_Whole(self._file), key, file_id)
            _sync(path.parent)  # a part without a name could not be recovered
        except BaseException:
            self._file.close()
            raise

    def append(self, data: Bytes) -> None:
        """Seals and writes all of `data`. After an OSError (a full disk) the file can only be finished or closed: what
        was appended before is kept."""
        self._writer.append(data)

    def sync(self) -> None:
        """What was appended survives a power cut when this returns. Raises OSError."""
        os.fdatasync(self._file.fileno())

    def finish(self) -> None:
        """The file is whole, under its name and safe on the disk when this returns, also after an `append` that failed.
        Raises OSError otherwise; then the part stays for `recover_log`."""
        try:
            _finish_log(self._file, self._writer.whole_bytes, self._writer.end())
            self._settle()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Leaves the part as it is, for `recover_log`; so does the end of a `with` block. Does nothing once finished."""
        self._file.close()

    def __enter__(self) -> "SealedLogSink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Whole:
    """Writes to an unbuffered file until everything is there; a file that is full takes a part first, then refuses."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        return len(data)


def _finish_log(file: BinaryIO, whole_bytes: int, end: bytes) -> None:
    """Puts the last record behind those that are whole. The torn one goes first: that makes room on a full disk."""
    file.truncate(whole_bytes)
    file.seek(whole_bytes)
    _Whole(file).write(end)


def _is_log(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(len(seal_log.MAGIC)) == seal_log.MAGIC


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
