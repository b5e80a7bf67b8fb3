"""The erasure ledger: who was erased must stay erased when an older backup is restored.

It is a file beside the database, `ledger/erasures.jsonl`, never part of a backup's rows, and the same lines in a table.
A line names nobody: it holds keyed hashes of the person's id and e-mail address. Whoever has the key and a restored
database hashes what is in there and sees who must go again. Fixed words and numbers only; times are UTC milliseconds.
"""

import fcntl
import hashlib
import hmac
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select

from pymeet.db.inventory import Anchor, Kind, Subject, entries
from pymeet.db.keys import KeyStore
from pymeet.db.schema import erasure_ledger, metadata
from pymeet.privacy.people import DataSubject

DIRECTORY: Final = "ledger"
FILE_NAME: Final = "erasures.jsonl"

PURPOSE: Final = b"erasure-ledger"
"""What to ask the key store for."""

_CHUNK_ROWS = 1000
_MARK = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Line:
    """One erasure."""

    mark: str
    """The keyed hash of the person's id."""
    address_mark: str | None
    """The keyed hash of the e-mail address; None for guests."""
    anchor: str
    cause: str
    at_ms: int
    inventory: str
    """The digest of the inventory by which was erased."""


@dataclass(frozen=True)
class Reading:
    """What the file holds."""

    lines: tuple[Line, ...]
    damaged: int
    """Lines that are not what was written; a last line cut off by a crash is not counted."""


@dataclass(frozen=True)
class Erased:
    """Every mark that counts, with the time of the newest erasure it stands for."""

    marks: Mapping[str, int]
    damaged: int
    count: int
    """How many people they stand for; somebody whom a restore brought back was erased twice, and counts once."""


@dataclass(frozen=True)
class Returned:
    """What is in the database although the ledger says that it was erased."""

    people: tuple[DataSubject, ...]
    addresses: tuple[str, ...]
    """Addresses in rows from before the erasure; rows that came later are a new beginning and do not count."""


class Ledger:
    """The file and its key. Synchronous, for threads; several processes may append."""

    def __init__(self, data_dir: Path, key: bytes) -> None:
        self.path = data_dir / DIRECTORY / FILE_NAME
        self._key = key

    @classmethod
    def open(cls, data_dir: Path, keys: KeyStore) -> "Ledger":
        """The ledger of a data directory; the file is made by the first erasure."""
        return cls(data_dir, keys.purpose_key(PURPOSE))

    def mark(self, person: DataSubject) -> str:
        """The keyed hash (HMAC-SHA256) of a person's id."""
        return self._hash(person.anchor.name.lower(), person.id)

    def address_mark(self, address: str) -> str:
        """The keyed hash of an e-mail address, in the form in which addresses are stored and compared."""
        return self._hash("address", unicodedata.normalize("NFKC", address).strip().lower())

    def line(self, person: DataSubject, address: str | None, cause: str, at_ms: int, inventory: str) -> Line:
        """The line for an erasure."""
        address_mark = None if address is None else self.address_mark(address)
        return Line(self.mark(person), address_mark, person.anchor.name.lower(), cause, at_ms, inventory)

    def append(self, line: Line) -> None:
        """Adds a line to the file; it is on the disk when this returns. Raises OSError."""
        with self._alone():
            made = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                torn = self.path.read_bytes().rpartition(b"\n")[2]
                if torn and self._line(torn) is None:
                    # A crash left half a line of an erasure that had not begun: the next must not become part of it.
                    os.ftruncate(descriptor, os.fstat(descriptor).st_size - len(torn))
                    torn = b""
                _write_all(descriptor, (b"\n" if torn else b"") + self._written(line))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if made:
                _sync(self.path.parent)
                _sync(self.path.parent.parent)

    def read(self) -> Reading:
        """All lines that are ours. No file is an empty ledger. Raises OSError."""
        try:
            written = self.path.read_bytes()
        except FileNotFoundError:
            return Reading((), 0)
        whole, _, torn = written.rpartition(b"\n")
        read = [self._line(text) for text in (*whole.split(b"\n"), torn) if text]
        lines = tuple(line for line in read if line)
        cut_off = bool(torn) and read[-1] is None
        return Reading(lines, len(read) - len(lines) - cut_off)

    def prune(self, until_ms: int) -> int:
        """Removes the lines of erasures up to `until_ms` and returns their number. Damaged lines stay, as evidence."""
        with self._alone():
            if not self.path.exists():
                return 0
            written = [text for text in self.path.read_bytes().split(b"\n") if text]
            kept = [text for text in written if (line := self._line(text)) is None or line.at_ms > until_ms]
            if len(kept) < len(written):
                unfinished = self.path.with_name(f"{self.path.name}.new")
                descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                try:
                    _write_all(descriptor, b"".join(text + b"\n" for text in kept))
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                unfinished.replace(self.path)
                _sync(self.path.parent)
            return len(written) - len(kept)

    def erased(self, conn: Connection) -> Erased:
        """The marks of file and table together: after a restore the table is old, after a loss the file may be."""
        reading = self.read()
        marks: dict[str, int] = {}
        for line in reading.lines:
            _note(marks, (line.mark, line.address_mark), line.at_ms)
        moments, people = {line.at_ms for line in reading.lines}, {line.mark for line in reading.lines}
        rows = select(erasure_ledger.c.subject_mark, erasure_ledger.c.at_ms).order_by(erasure_ledger.c.sequence)
        for row in conn.execute(rows):
            _note(marks, (row.subject_mark,), row.at_ms)
            if (
                row.at_ms not in moments
            ):  # no two erasures begin in the same millisecond, and the person's mark is first
                moments.add(row.at_ms)
                people.add(row.subject_mark)
        return Erased(marks, reading.damaged, len(people))

    def returned(self, conn: Connection, erased: Erased) -> Returned:
        """Hashes every id and address in the database, and tells which of them were erased."""
        people: dict[DataSubject, None] = {}
        addresses: dict[str, None] = {}
        if not erased.marks:
            return Returned((), ())
        for anchor, name, column in _columns_of_ids():
            for value in _values(conn, name, column):
                person = DataSubject(anchor, value)
                if person not in people and self.mark(person) in erased.marks:
                    people[person] = None
        for name, column in _columns_of_addresses():
            table = metadata.tables[name]
            given = select(table.c[column], table.c.created_at_ms).where(table.c[column].is_not(None))
            rows = conn.execute(given, execution_options={"yield_per": _CHUNK_ROWS})
            for address, created_at_ms in rows:
                erased_at_ms = erased.marks.get(self.address_mark(address))
                if erased_at_ms is not None and created_at_ms < erased_at_ms:
                    addresses[address] = None
        return Returned(tuple(people), tuple(addresses))

    def _hash(self, what: str, value: str) -> str:
        return hmac.new(self._key, f"{what}:{value}".encode(), hashlib.sha256).hexdigest()

    def _written(self, line: Line) -> bytes:
        said = asdict(line)
        return json.dumps({**said, "mac": self._mac(said)}).encode() + b"\n"

    def _mac(self, said: Mapping[str, object]) -> str:
        return self._hash("line", json.dumps(said, sort_keys=True))

    def _line(self, text: bytes) -> Line | None:
        """None for what is not a line of ours."""
        try:
            said = json.loads(text)
            mac = said.pop("mac")
            line = Line(**said)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        ours = isinstance(mac, str) and hmac.compare_digest(mac.encode(), self._mac(said).encode())
        return line if ours and _MARK.fullmatch(line.mark) else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A line added while the file is being replaced would be lost."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def note(conn: Connection, line: Line) -> None:
    """Puts a line into the table, one row for each mark, where it does not stand there already."""
    here = erasure_ledger.c.subject_mark == line.mark, erasure_ledger.c.at_ms == line.at_ms
    if conn.execute(select(erasure_ledger.c.sequence).where(*here)).first():
        return
    same = {"anchor": line.anchor, "cause": line.cause, "at_ms": line.at_ms, "inventory": line.inventory}
    marks = [mark for mark in (line.mark, line.address_mark) if mark]
    conn.execute(insert(erasure_ledger), [{"subject_mark": mark, **same} for mark in marks])


def _note(marks: dict[str, int], found: Iterable[str | None], at_ms: int) -> None:
    for mark in found:
        if mark is not None:
            marks[mark] = max(at_ms, marks.get(mark, at_ms))


def _columns_of_ids() -> Iterator[tuple[Anchor, str, str]]:
    """Every column that holds the id of a person, by the paths of the inventory."""
    found: dict[tuple[Anchor, str, str], None] = {}
    for entry in entries(metadata):
        for whose in entry.subjects:
            if isinstance(whose, Subject) and len(whose.hops) <= 1:
                own = whose.anchor.value.partition(".")[2]
                found[whose.anchor, entry.name, whose.hops[0].column if whose.hops else own] = None
    yield from found


def _columns_of_addresses() -> Iterator[tuple[str, str]]:
    """Every column that holds an e-mail address."""
    for entry in entries(metadata):
        yield from ((entry.name, name) for name, column in entry.columns.items() if column.kind is Kind.CONTACT)


def _values(conn: Connection, name: str, column: str) -> Iterator[str]:
    wanted = metadata.tables[name].c[column]
    query = select(wanted).where(wanted.is_not(None)).distinct()
    yield from conn.execute(query, execution_options={"yield_per": _CHUNK_ROWS}).scalars()


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
