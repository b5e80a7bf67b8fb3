"""Finding the people behind what somebody says who they are, and what others wrote about them.

Accounts are found by id or address, guests by their receipt or seat: these are certain. A name is not: two people may have
the same, so whoever is found by name only must be asked for more before their data is shown to them, or erased.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, func, or_, select

from pymeet.db.inventory import Anchor, Erase, Export, Keep, Kind, Subject, TableEntry, entries
from pymeet.db.schema import attendance, metadata, rooms, users
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.privacy import receipts
from pymeet.privacy.people import DataSubject, guest, member
from pymeet.privacy.rows import room_column

MOST: Final = 200
"""So many are listed; who finds more must look closer."""

SHORTEST: Final = 3
"""Characters of a name whose mentions can be searched."""

_AROUND: Final = 40


class How(StrEnum):
    """By what somebody was found."""

    ACCOUNT = "account"
    ADDRESS = "address"
    RECEIPT = "receipt"
    SEAT = "seat"
    NAME = "name"


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be meant. Times are UTC milliseconds."""

    person: DataSubject
    how: How
    name: str | None
    email: str | None
    room: str | None
    """The address of the room where a guest was, or where the name stands."""
    at_ms: int | None

    @property
    def certain(self) -> bool:
        """False where only the name fits: check who it is first."""
        return self.how is not How.NAME

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        person = {"anchor": self.person.anchor.name.lower(), "id": self.person.id}
        return {**asdict(self), "person": person, "certain": self.certain}


@dataclass(frozen=True)
class Mention:
    """A text that names somebody, for a human to decide about."""

    table: str
    column: str
    id: str
    room: str | None
    at_ms: int | None
    excerpt: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self)


def find(conn: Connection, text: str, receipt_key: bytes) -> list[Candidate]:
    """Everybody who may be meant by a text: those who certainly are first, each of them once per room."""
    text = text.strip()
    if text.startswith(receipts.PREFIX):
        return _of_seat(conn, receipts.read(receipt_key, text).participant_id, How.RECEIPT)
    found = [*_accounts(conn, text), *_of_seat(conn, text, How.SEAT)]
    known = {(candidate.person, candidate.room) for candidate in found}
    people = {candidate.person for candidate in found}
    for candidate in _named(conn, text):
        if (candidate.person, candidate.room) not in known and candidate.person not in people:
            known.add((candidate.person, candidate.room))
            found.append(candidate)
    return found


def the_person(conn: Connection, text: str, receipt_key: bytes) -> DataSubject:
    """The one who certainly is meant, by address, id, seat or receipt. NotFoundError; a name is not enough.

    NotSignedInError (`bad_receipt`) for a receipt that is not ours.
    """
    for candidate in find(conn, text, receipt_key):
        if candidate.certain:
            return candidate.person
    raise NotFoundError(
        "Nothing is stored about such a person.\n"
        "Name an e-mail address, an account's id or a guest's receipt; `pymeet find-subject` looks for names."
    )


def mentions(conn: Connection, name: str) -> list[Mention]:
    """Texts by whomever in which the name stands, oldest first. They are not rewritten: a person decides, each time.

    InvalidInputError for a name of fewer than three characters.
    """
    name = name.strip()
    if len(name) < SHORTEST:
        raise InvalidInputError(f"A name to look for has at least {SHORTEST} characters.")
    found: list[Mention] = []
    for entry in entries(metadata):
        table = metadata.tables[entry.name]
        for column in _columns(entry, Kind.CONTENT, lambda said: said.export is Export.YES):
            query = select(table).where(_contains(table.c[column], name)).order_by(*table.primary_key.columns)
            for row in conn.execute(query.limit(MOST - len(found))).mappings():
                room, at_ms = _where_and_when(conn, entry, row)
                key = "id" if "id" in row else next(iter(table.primary_key.columns)).name
                excerpt = _excerpt(row[column], name)
                found.append(Mention(entry.name, column, str(row[key]), room, at_ms, excerpt))
    return found


def _accounts(conn: Connection, text: str) -> Iterator[Candidate]:
    query = select(users).where(or_(users.c.id == text, users.c.email == text.lower()))
    for row in conn.execute(query).mappings():
        how = How.ACCOUNT if row["id"] == text else How.ADDRESS
        yield Candidate(member(row["id"]), how, row["name"], row["email"], None, row["created_at_ms"])


def _of_seat(conn: Connection, participant_id: str, how: How) -> list[Candidate]:
    query = select(attendance, rooms.c.slug).join(rooms, rooms.c.id == attendance.c.room_id)
    row = conn.execute(query.where(attendance.c.participant_id == participant_id)).mappings().first()
    if row is None:
        # Attendance may have ended by its period while messages, or what was asked for, remain.
        return (
            [Candidate(guest(participant_id), how, None, None, None, None)] if _is_known(conn, participant_id) else []
        )
    person = guest(participant_id) if row["user_id"] is None else member(row["user_id"])
    return [Candidate(person, how, row["name"], None, row["slug"], row["joined_at_ms"])]


def _is_known(conn: Connection, participant_id: str) -> bool:
    for entry in entries(metadata):
        for whose in entry.subjects:
            if isinstance(whose, Subject) and whose.anchor is Anchor.GUEST and len(whose.hops) == 1:
                column = metadata.tables[entry.name].c[whose.hops[0].column]
                if conn.execute(select(column).where(column == participant_id).limit(1)).first():
                    return True
    return False


def _named(conn: Connection, text: str) -> Iterator[Candidate]:
    for entry in entries(metadata):
        table = metadata.tables[entry.name]
        for column in _columns(entry, Kind.NAME, lambda said: said.erase is not Erase.KEEP):
            query = select(table).where(or_(table.c[column] == text, func.lower(table.c[column]) == text.lower()))
            for row in conn.execute(query.order_by(*table.primary_key.columns).limit(MOST)).mappings():
                person = _person(entry, row)
                if person is not None:
                    room, at_ms = _where_and_when(conn, entry, row)
                    yield Candidate(person, How.NAME, row[column], row.get("email"), room, at_ms)


def _person(entry: TableEntry, row: RowMapping) -> DataSubject | None:
    """Whose row it is: an account's where it has one, otherwise a seat's."""
    for anchor, made in ((Anchor.MEMBER, member), (Anchor.GUEST, guest)):
        for whose in entry.subjects:
            if isinstance(whose, Subject) and whose.anchor is anchor and len(whose.hops) <= 1:
                column = whose.hops[0].column if whose.hops else anchor.value.partition(".")[2]
                if row[column] is not None:
                    return made(row[column])
    return None


def _where_and_when(conn: Connection, entry: TableEntry, row: RowMapping) -> tuple[str | None, int | None]:
    table = metadata.tables[entry.name]
    at_ms = next(
        (row[rule.clock] for rule in entry.keep if isinstance(rule, Keep) and row[rule.clock] is not None), None
    )
    room = room_column(table)
    if room is None:
        return None, at_ms
    return conn.execute(select(rooms.c.slug).where(rooms.c.id == row[room.name])).scalar(), at_ms


def _columns(entry: TableEntry, kind: Kind, wanted: Callable[[Any], bool]) -> list[str]:
    return [name for name, said in entry.columns.items() if said.kind is kind and wanted(said)]


def _contains(column: Column[Any], name: str) -> ColumnElement[bool]:
    # SQLite's lower() knows ASCII only; the usual ways to write a name are tried besides.
    ways = {name, name.lower(), name.upper(), name.title()}
    return or_(*(func.instr(column, way) > 0 for way in ways), func.instr(func.lower(column), name.lower()) > 0)


def _excerpt(text: str, name: str) -> str:
    at = max(0, text.lower().find(name.lower()))
    start, end = max(0, at - _AROUND), at + len(name) + _AROUND
    return f"{'…' if start else ''}{' '.join(text[start:end].split())}{'…' if end < len(text) else ''}"
