"""Files that commands write: whole or not there, readable by their owner only, and none is replaced by mistake."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pymeet.errors import ConflictError, PymeetError
from pymeet.ops.progress import Progress

_MIB = 1 << 20


class Watched:
    """A file that tells how much has been written."""

    def __init__(self, file: BinaryIO, total_bytes: int, progress: Progress) -> None:
        self._file = file
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._progress = progress

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._done_bytes += len(data)
        total_mib = -(-self._total_bytes // _MIB)
        self._progress(min(self._done_bytes // _MIB, total_mib), total_mib, "Writing the file (MiB)")
        return len(data)


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file that only its owner may read. It has its name when the block ended well, whole and on the disk."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if force:
            part.replace(path)
        else:
            _link(part, path)
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _link(part: Path, path: Path) -> None:
    try:
        os.link(part, path)  # unlike a rename it replaces nothing, however late the other file came
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without hard links
        refuse_to_replace(path, force=False)
        part.rename(path)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # not every file system lets a directory be synced
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_to_replace(path: Path, *, force: bool) -> None:
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise PymeetError(f"{path} cannot be a file.\nName a file in a directory that exists.", code="no_such_place")
    if path.exists() and not force:
        raise _exists(path)


def _exists(path: Path) -> ConflictError:
    return ConflictError(
        f"{path} exists already. Nothing was written.\nChoose another name, or replace it with --force.",
        code="file_exists",
    )
