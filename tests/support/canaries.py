"""Fills the database with somebody's data: in every table that a path of the inventory leads to, a row whose text columns
hold tokens that occur nowhere else. Who finds a token knows which column of whom leaked, or stayed.

The rows follow from the metadata, so a table added tomorrow is filled too. Nothing about them is urgent or in force:
requests are closed, holds released, limits lifted, so that they get in nobody's way.
"""

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Connection, Integer, LargeBinary, Text, insert, select, update

from pymeet.db import audit
from pymeet.db.inventory import KEY, Hop, Subject, TableEntry, entries
from pymeet.db.schema import audit_people, metadata, rooms
from pymeet.ids import new_id
from pymeet.privacy.people import DataSubject, belongs_to

Canaries = dict[tuple[str, str], str]
"""`(table, column)` to the token that stands in the person's row there."""

AT_MS = 1_699_998_800_000
"""Twenty minutes before a new `ManualClock`."""

_WORDS: Mapping[tuple[str, str], Any] = {
    ("attendance", "kind"): "member",
    ("avatars", "file_id"): None,  # an archive would look for the file
    ("consents", "language"): "en",
    ("exports", "state"): "fetched",
    ("mail_outbox", "language"): "en",
    ("mail_outbox", "template"): "export_ready",
    ("one_time_links", "purpose"): "set_password",
    ("request_events", "state"): "done",
    ("recording_tracks", "state"): "lost",
    ("requests", "state"): "done",
}
"""Columns in which code expects a word it knows, whether or not the database enforces it."""

_SET_TIMES = {
    ("attendance", "left_at_ms"),
    ("holds", "released_at_ms"),
    ("mail_outbox", "sent_at_ms"),
    ("processing_limits", "lifted_at_ms"),
    ("requests", "closed_at_ms"),
}
"""Times that may be missing and are not: with them, the row is in nobody's way."""

_OWN_WAY = ("audit_people", "audit_events")
"""Filled through `pymeet.db.audit`, so that the chain still verifies."""


def fill(conn: Connection, person: DataSubject, label: str, *, at_ms: int = AT_MS) -> Canaries:
    """Puts one row for the person into every table that is about such people; what times there are, are `at_ms`.

    A member's account and a guest's seat are made where they are not there yet, and get tokens where they are. Tokens
    are lower case, without a common beginning, and end in `label`, for whoever reads a failure.
    """
    return _Filling(conn, person, label, at_ms).fill()


def _hops(person: DataSubject) -> list[Hop]:
    paths = [path for entry in reachable(person) for path in entry.subjects if isinstance(path, Subject)]
    return [hop for path in paths if path.anchor is person.anchor for hop in path.hops]


def reachable(person: DataSubject) -> tuple[TableEntry, ...]:
    """The tables that hold something about such people."""
    return tuple(entry for entry in entries(metadata) if belongs_to(entry, person) is not None)


class _Filling:
    def __init__(self, conn: Connection, person: DataSubject, label: str, at_ms: int) -> None:
        self._conn = conn
        self._person = person
        self._label = re.sub(r"[^a-z0-9]", "", label.lower())
        self._at_ms = at_ms
        self._rows: dict[str, dict[str, Any]] = {}
        self._canaries: Canaries = {}

    def fill(self) -> Canaries:
        for entry in reachable(self._person):
            if entry.name not in _OWN_WAY:
                self._row(entry.name)
        for entry in entries(metadata):
            if not entry.subjects and any(hop.to.startswith(f"{entry.name}.") for hop in _hops(self._person)):
                self._row(entry.name)  # it leads from one row to another, and says nothing itself
        if self._person.user_id:
            self._audit(self._person.user_id)
        return self._canaries

    def _row(self, name: str) -> dict[str, Any]:
        """The person's row in a table, made on first use; of a table that is about nobody, one that belongs to nobody."""
        if name not in self._rows:
            self._rows[name] = self._make(name)
        return self._rows[name]

    def _make(self, name: str) -> dict[str, Any]:
        entry: TableEntry = metadata.tables[name].info[KEY]
        if name == rooms.name and belongs_to(entry, self._person) is None:
            return self._nobodys_room()
        table = metadata.tables[name]
        values: dict[str, Any] = {}
        before = dict(self._canaries)
        for column in table.columns:
            value = self._value(entry, column)
            if value is not None:
                values[column.name] = value
        key = [column == values[column.name] for column in table.primary_key.columns if column.name in values]
        if key and self._conn.execute(select(table).where(*key)).first():
            self._conn.execute(update(table).where(*key).values(values))
        else:
            made = self._conn.execute(insert(table).values(values)).inserted_primary_key
            # numbers that the database gives, by which other rows point here
            values |= zip((column.name for column in table.primary_key.columns), made or (), strict=False)
        if belongs_to(entry, self._person) is None:
            # such as the recording a guest is in: it must be there, and what stands in it is nobody's
            self._canaries = {
                place: text for place, text in self._canaries.items() if place in before or place[0] != name
            }
        return values

    def _nobodys_room(self) -> dict[str, Any]:
        """Where a guest was: there is a room, and nothing about it is theirs."""
        values = {"id": new_id(), "slug": new_id().lower(), "name": "A room", "created_at_ms": self._at_ms}
        self._conn.execute(insert(rooms).values(values))
        return values

    def _value(self, entry: TableEntry, column: Column[Any]) -> Any:
        place = (entry.name, column.name)
        if f"{entry.name}.{column.name}" == self._person.anchor.value:
            self._canaries[place] = self._person.id
            return self._person.id
        hops = [
            (path.anchor, path.hops[0].to)
            for path in entry.subjects
            if isinstance(path, Subject) and path.hops and path.hops[0].column == column.name
        ]
        if column.primary_key:  # what points to this table is no pointer out of it
            hops = [(anchor, to) for anchor, to in hops if not _points_to(to, entry.name)]
        if hops and column.nullable and not any(anchor is self._person.anchor for anchor, _ in hops):
            return None  # rows are about a member or about a guest, not both
        for pointed_at in [*(to for _, to in hops), *(key.target_fullname for key in column.foreign_keys)]:
            target, _, target_column = pointed_at.partition(".")
            value = self._row(target).get(target_column)
            if isinstance(value, str) and value in self._canaries.values():
                self._canaries[place] = value
            return value
        if place in _WORDS:
            return _WORDS[place]
        if words := checked_words(column):
            return words[0]
        return self._made_up(place, column)

    def _made_up(self, place: tuple[str, str], column: Column[Any]) -> Any:
        if isinstance(column.type, Text):
            token = self._canaries[place] = self._token()
            if "values" in column.name:
                return json.dumps({"link": token})
            return f"{token}@example.org" if "email" in column.name or "address" in column.name else token
        if isinstance(column.type, LargeBinary):
            return secrets.token_bytes(16)
        if isinstance(column.type, Boolean):
            return False
        if column.nullable and place not in _SET_TIMES:
            return None
        if isinstance(column.type, Integer) and not column.name.endswith("_ms"):
            return None if column.primary_key else 1
        return self._at_ms

    def _audit(self, user_id: str) -> None:
        found = select(audit_people.c.pseudonym).where(audit_people.c.user_id == user_id)
        pseudonym = self._conn.execute(found).scalar_one_or_none()
        if pseudonym is None:
            pseudonym = self._token()
            self._conn.execute(insert(audit_people).values(user_id=user_id, pseudonym=pseudonym))
        detail = self._canaries["audit_events", "detail"] = self._token()
        person = audit.Person(user_id)
        audit.record_now(self._conn, self._at_ms, user_id, "canary.filled", person, {"canary": detail})
        self._canaries["audit_people", "user_id"] = user_id
        for place in (("audit_people", "pseudonym"), ("audit_events", "actor"), ("audit_events", "target")):
            self._canaries[place] = pseudonym

    def _token(self) -> str:
        # No common beginning: an index that compresses prefixes would hide tokens from a search of the bytes.
        return secrets.token_hex(12) + self._label


def _points_to(place: str, name: str) -> bool:
    table, _, column = place.partition(".")
    return any(key.column.table.name == name for key in metadata.tables[table].c[column].foreign_keys)


def checked_words(column: Column[Any]) -> list[str]:
    """The words that a CHECK of the table allows in this column."""
    for check in column.table.constraints:
        if isinstance(check, CheckConstraint):
            found = re.fullmatch(rf"{column.name} IN \((.*)\)", str(check.sqltext))
            if found:
                return re.findall(r"'([^']*)'", found[1])
    return []
