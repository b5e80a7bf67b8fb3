"""Backup sets: what a directory of backups looks like, and everything about sets that exist.

    <directory>/20261121T020000Z/       one set, named for the time (UTC) it was made; whole, or not there
        manifest.json                   what is in it, with sizes and hashes
        pymeet.db or pymeet.db.age      the database
        files/<two characters>/…sealed  sealed files, as sealed as they were
    <directory>/20261121T020000Z.part/  one being made, or what a crash left of it
    <directory>/keys/<time>.db          the two newest snapshots of keys.db
    <directory>/ledger/                 copies of the ledgers

Old sets are always used with the newest keys, so what was destroyed since stays closed. `master.key` is in none of them.
Everything is synchronous and meant for threads.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from pymeet.db.copies import sync
from pymeet.db.seal import Sink
from pymeet.errors import ConflictError, NotFoundError, PymeetError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = "pymeet.db"
ENCRYPTED: Final = "pymeet.db.age"
KEYS: Final = "keys"
PART: Final = ".part"

KEPT_KEYS: Final = 2
"""So many snapshots of `keys.db` are kept: what was destroyed before the older of them is gone from all backups."""

_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_NAME_FORMAT = "%Y%m%dT%H%M%SZ"
_PATH = re.compile(r"pymeet\.db(\.age)?|files/[A-Za-z0-9_-]{2}/[A-Za-z0-9_-]{8,64}\.sealed")
_PIECE_BYTES = 1 << 20


class BackupError(PymeetError):
    """A backup could not be made, or cannot be used; the message says which, and what is safe."""

    code = "backup_failed"


class Interrupted(Exception):  # noqa: N818  it is no error: somebody pressed Ctrl-C
    """Nobody wants this work any more."""


@dataclass(frozen=True)
class Entry:
    """One file of a set."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What is in a set."""

    format: int
    pymeet: str
    made_at_ms: int
    schema: str
    inventory: str
    """The digest of the inventory at that time."""
    encrypted: bool
    erasures: int
    """The number of the newest line of the erasure ledger that the database knows."""
    audit_sequence: int
    files: tuple[Entry, ...]

    @property
    def database(self) -> Entry:
        """The file that is the database."""
        return next(each for each in self.files if each.path in (DATABASE, ENCRYPTED))

    @property
    def sealed(self) -> tuple[Entry, ...]:
        """The sealed files."""
        return tuple(each for each in self.files if each.path not in (DATABASE, ENCRYPTED))

    def write(self, directory: Path) -> None:
        """Makes `manifest.json`, safe on the disk."""
        said = asdict(self)
        with open_new(directory / MANIFEST) as file:
            file.write(json.dumps({**said, "digest": _digest(said)}, indent=1).encode() + b"\n")

    @classmethod
    def read(cls, directory: Path) -> "Manifest":
        """BackupError when it is not there, damaged, or from a newer pymeet."""
        try:
            said = json.loads((directory / MANIFEST).read_bytes())
            digest = said.pop("digest")
            if said["format"] != FORMAT:
                raise BackupError(f"The backup {directory.name} was made by a newer pymeet. Restore it with that one.")
            if digest != _digest(said):
                raise ValueError
            manifest = cls(**{**said, "files": tuple(Entry(**each) for each in said["files"])})
            if not all(_PATH.fullmatch(each.path) for each in manifest.files) or not manifest.database:
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
            raise BackupError(f"The backup {directory.name} is damaged: its manifest cannot be read.") from None
        return manifest


@dataclass(frozen=True)
class Found:
    """One set as it stands in a directory."""

    path: Path
    made_at_ms: int
    manifest: Manifest | None
    """None where it is damaged."""

    @property
    def size_bytes(self) -> int:
        """What its files take, each counted in full, also where the disk holds it only once."""
        return sum(each.size_bytes for each in self.manifest.files) if self.manifest else 0


def name_of(at_ms: int) -> str:
    """The name of a set made at that time."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime(_NAME_FORMAT)


def time_of(name: str) -> int:
    """When a set of that name was made, UTC milliseconds."""
    return int(datetime.strptime(name, _NAME_FORMAT).replace(tzinfo=UTC).timestamp()) * 1000


def sets(directory: Path) -> list[Found]:
    """All sets, the oldest first. A set whose files are not all there in their size counts as damaged."""
    found = []
    for path in _named(directory):
        try:
            manifest: Manifest | None = Manifest.read(path)
        except BackupError:
            manifest = None
        if manifest and any(_size(path / each.path) != each.size_bytes for each in manifest.files):
            manifest = None
        found.append(Found(path, time_of(path.name), manifest))
    return found


def find(directory: Path, name: str) -> Path:
    """The set `name` in a directory of backups. NotFoundError."""
    path = directory / name
    if not _NAME.fullmatch(name) or not path.is_dir():
        raise NotFoundError(f"There is no backup {name} in {directory}.\n`pymeet backup list` shows those there are.")
    return path


def check_hashes(path: Path, manifest: Manifest, tell: Callable[[str], None]) -> list[str]:
    """Reads every file of a set, and names those that are not what was written. Tells each before it is read."""
    damaged = []
    for entry in manifest.files:
        tell(entry.path)
        try:
            with (path / entry.path).open("rb") as file:
                as_written = hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
        except OSError:
            as_written = False
        if not as_written:
            damaged.append(entry.path)
    return damaged


def delete(directory: Path, name: str) -> None:
    """Deletes one set. NotFoundError, ConflictError while another command works there."""
    path = find(directory, name)
    with alone(directory):
        remove_unfinished(directory)
        _remove(path)


def expire(directory: Path, period_ms: int, now_ms: int) -> list[str]:
    """Deletes the sets that were made `period_ms` ago or earlier, and what crashes left; the names of the sets.

    Nothing is spared, not the last one either: that is what is promised. Raises OSError, ConflictError.
    """
    if not directory.is_dir():
        return []
    with alone(directory):
        remove_unfinished(directory)
        over = [path for path in _named(directory) if time_of(path.name) <= now_ms - period_ms]
        for path in over:
            _remove(path)
        prune_keys(directory)
    return [path.name for path in over]


def snapshots(directory: Path) -> list[Path]:
    """The snapshots of `keys.db`, the oldest first."""
    found = (directory / KEYS).glob("*.db")
    return sorted(path for path in found if _NAME.fullmatch(path.stem))


def prune_keys(directory: Path) -> None:
    """Deletes all snapshots of `keys.db` but the newest."""
    for path in snapshots(directory)[:-KEPT_KEYS]:
        path.unlink()


def remove_unfinished(directory: Path) -> None:
    """Removes what crashes left of backups that were never whole. Only while `alone`."""
    for path in (*directory.glob(f"*{PART}"), *(directory / KEYS).glob(f"*{PART}")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """One command at a time makes, deletes or restores in a directory of backups. The lock ends with the process."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                "Another backup or restore is under way there.\nWait until it is done, and run this again."
            ) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def open_new(path: Path) -> Iterator[BinaryIO]:
    """A file that did not exist (mode 0600), safe on the disk when the block ends."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def pour(source: BinaryIO | Any, sink: Sink, stopped: Callable[[], bool] = lambda: False) -> None:
    """Copies to the end, piece by piece; Interrupted when `stopped` says so."""
    while piece := source.read(_PIECE_BYTES):
        if stopped():
            raise Interrupted
        sink.write(piece)


def copy_or_link(source: Path, target: Path, stopped: Callable[[], bool] = lambda: False) -> None:
    """Puts a file that never changes under another name: the same one where the file system allows, else a copy."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        with source.open("rb") as file, open_new(target) as copy:
            pour(file, copy, stopped)


def sync_tree(directory: Path) -> None:
    """Makes all names below a directory safe on the disk; the files are already."""
    for path, _, _ in os.walk(directory):
        sync(Path(path))


def _named(directory: Path) -> Iterable[Path]:
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())


def _remove(path: Path) -> None:
    """Under the other name first, so that a crash never leaves half a set that looks like one."""
    dying = path.with_name(f"{path.name}{PART}")
    path.rename(dying)
    sync(path.parent)
    shutil.rmtree(dying)
    sync(path.parent)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _digest(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
