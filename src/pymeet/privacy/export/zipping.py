"""The archive: a ZIP (zip64) written member by member to a sink that cannot go back, with a SHA-256 for each.

Everything is synchronous, in constant memory, and meant for threads, one at a time.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pymeet.db.seal import Bytes, Sink

LEVEL = 6
"""Of deflate: more costs much and gains little on text."""


@dataclass(frozen=True)
class Member:
    """A finished file in the archive."""

    path: str
    size_bytes: int
    sha256: str


class MemberWriter(Protocol):
    """What a member is written through."""

    def write(self, data: bytes, /) -> int:
        """Takes the bytes."""


class ArchiveWriter:
    """Writes one archive. End it with `finish()`, or with `drop()` when the sink is to be thrown away."""

    def __init__(self, sink: Sink, made_at_ms: int) -> None:
        moment = datetime.fromtimestamp(made_at_ms / 1000, UTC)
        self._date = (max(moment.year, 1980), moment.month, moment.day, moment.hour, moment.minute, moment.second)
        self._sink = _Droppable(sink)
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)  # type: ignore[call-overload]
        self.members: list[Member] = []

    @contextmanager
    def member(self, path: str, *, compressed: bool = True) -> Iterator[MemberWriter]:
        """A file of the archive, of any size, written in the block. Nothing else may be written meanwhile."""
        info = zipfile.ZipInfo(path, self._date)
        info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        info.external_attr = 0o100600 << 16
        with self._zip.open(info, "w", force_zip64=True) as into:
            hashing = _Hashing(into)
            yield hashing
        self.members.append(Member(path, hashing.size_bytes, hashing.sha256.hexdigest()))

    def add(self, path: str, content: Iterable[str]) -> Member:
        """A file of text in pieces."""
        with self.member(path) as into:
            for piece in content:
                into.write(piece.encode())
        return self.members[-1]

    def finish(self) -> None:
        """Adds SHA256SUMS over all members and the directory of the archive; the sink stays open."""
        self.add("SHA256SUMS", [f"{member.sha256}  {member.path}\n" for member in self.members])
        self._zip.close()

    def drop(self) -> None:
        """Ends without writing anything more."""
        self._sink.dropped = True
        self._zip.close()


class _Droppable:
    """A sink without `tell`, so that the archive is written straight through."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.dropped = False

    def write(self, data: bytes) -> int:
        if not self.dropped:
            self._sink.write(data)
        return len(data)

    def flush(self) -> None:
        """The sink is flushed by its owner."""


class _Hashing:
    def __init__(self, into: MemberWriter) -> None:
        self._into = into
        self.sha256 = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: Bytes) -> int:
        self._into.write(data)  # type: ignore[arg-type]  # a view of bytes is as good
        self.sha256.update(data)
        self.size_bytes += len(data)
        return len(data)
