"""Checkpoints of the audit log: a file beside the database that tells how far the log went, and with which hash.

Whoever puts an older copy of the database in its place, or removes the newest events, finds that the file remembers them.
One JSON object a line, numbered and signed: `{"line", "kind", "origin", "sequence", "chain", "at_ms", "mac"}`, after the
checkpoints of transparency logs (C2SP tlog-checkpoint). A copy kept on another machine proves more than the one here.
"""

import fcntl
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

FILE_NAME: Final = "audit-checkpoints.jsonl"
PLACE: Final = Path("ledger", FILE_NAME)
"""Where the file stands in the data directory."""

_TAIL_BYTES = 4096
"""More than the longest line."""


class Kind(StrEnum):
    """Why a line was written."""

    SEALED = "sealed"
    RESTORED = "restored"  # a backup was put back: what the file remembers beyond this number is lost, and known to be


@dataclass(frozen=True)
class Checkpoint:
    """One good line."""

    kind: Kind
    sequence: int
    chain: bytes
    at_ms: int


@dataclass(frozen=True)
class Remembered:
    """What the whole file says."""

    checkpoints: tuple[Checkpoint, ...]
    bad_line: int | None
    """The first line that is unreadable, not in its place, of another log, or not signed with this server's key."""


class Checkpoints:
    """The file at `path`, signed with `mac_key`. Synchronous: to be called in a thread."""

    def __init__(self, path: Path, mac_key: bytes) -> None:
        self.path = path
        self.mac_key = mac_key
        self.origin = hmac.digest(mac_key, b"origin", "sha256")[:8].hex()
        """Names the log: the same for as long as the server has its key."""

    @classmethod
    def beside(cls, data_dir: Path, mac_key: bytes) -> "Checkpoints":
        """The file of the database in `data_dir`."""
        return cls(data_dir / PLACE, mac_key)

    def __repr__(self) -> str:
        return f"<Checkpoints {self.path}>"

    def append(self, kind: Kind, sequence: int, chain: bytes, at_ms: int) -> None:
        """Adds a line; it is on the disk when this returns."""
        with self._locked() as descriptor:
            number = _cut_and_count(descriptor) + 1
            said = [number, kind.value, self.origin, sequence, chain.hex(), at_ms]
            names = ("line", "kind", "origin", "sequence", "chain", "at_ms")
            line = json.dumps({**dict(zip(names, said, strict=True)), "mac": self._mac(said)})
            os.write(descriptor, line.encode() + b"\n")
            os.fsync(descriptor)

    def newest(self) -> Checkpoint | None:
        """The last line; None when there is none, or not a good one."""
        try:
            with self.path.open("rb") as file:
                lines = _tail(file.fileno()).split(b"\n")[:-1]
        except FileNotFoundError:
            return None
        return self._checked(lines[-1]) if lines else None

    def read(self) -> Remembered:
        """All lines. A last line that a power cut left unfinished counts as none; so does a file that is not there."""
        good: list[Checkpoint] = []
        try:
            lines = self.path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return Remembered((), None)
        for number, line in enumerate(lines, start=1):
            checkpoint = self._checked(line, number)
            if checkpoint is None:
                return Remembered(tuple(good), number)
            good.append(checkpoint)
        return Remembered(tuple(good), None)

    def _checked(self, line: bytes, number: int | None = None) -> Checkpoint | None:
        try:
            given = json.loads(line)
            said = [given[name] for name in ("line", "kind", "origin", "sequence", "chain", "at_ms")]
            if number not in (None, said[0]) or said[2] != self.origin:
                return None
            if not hmac.compare_digest(self._mac(said), given["mac"]):
                return None
            return Checkpoint(Kind(said[1]), int(said[3]), bytes.fromhex(said[4]), int(said[5]))
        except (ValueError, KeyError, TypeError):
            return None

    def _mac(self, said: list[Any]) -> str:
        return hmac.digest(self.mac_key, json.dumps(["checkpoint", *said]).encode(), "sha256").hex()

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The open file, to one writer at a time: a command may run beside the server."""
        is_new = not self.path.exists()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
            if is_new:
                _sync_directory(self.path.parent)
        finally:
            os.close(descriptor)


def _cut_and_count(descriptor: int) -> int:
    """Cuts off a line that a power cut left unfinished; the number of the last whole one."""
    whole, _, torn = _tail(descriptor).rpartition(b"\n")
    if torn:
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - len(torn))
    try:
        return int(json.loads(whole.rpartition(b"\n")[2])["line"])
    except (ValueError, KeyError, TypeError):
        # Somebody changed the last line, or there is none: what counts then is how many there are.
        with open(os.dup(descriptor), "rb") as file:
            file.seek(0)
            return sum(1 for _ in file)


def _tail(descriptor: int) -> bytes:
    return os.pread(descriptor, _TAIL_BYTES, max(0, os.fstat(descriptor).st_size - _TAIL_BYTES))


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
