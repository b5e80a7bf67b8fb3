"""Fields of the profile that administrators define, such as a department or a telephone number.

A field is one short line. Administrators read and fill in everybody's; people their own, where the field lets them.
Nobody else sees what stands in them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, RowMapping

from pymeet.accounts import profile_field_store as store
from pymeet.accounts.rows import named
from pymeet.accounts.texts import clean_line
from pymeet.clock import Clock
from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from pymeet.ids import new_id

T = TypeVar("T")

MOST_FIELDS: Final = 20
LABEL_LENGTH: Final = 60
VALUE_LENGTH: Final = 200


@dataclass(frozen=True)
class Field:
    """One field. Times are UTC milliseconds."""

    id: str
    label: str
    editable: bool
    """Whether people fill it in themselves."""
    people: int
    """For how many it is filled in."""
    created_at_ms: int


@dataclass(frozen=True)
class Filled:
    """One field, and what stands in somebody's."""

    id: str
    label: str
    editable: bool
    value: str | None
    """None where it is empty."""


@dataclass(frozen=True)
class FieldChange:
    """What is to be different about a field; what is None stays."""

    label: str | None = None
    editable: bool | None = None
    place: int | None = None
    """From 1 on; the others make room. Beyond the last it becomes the last."""


class ProfileFields:
    """The fields of one server."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def listed(self) -> list[Field]:
        """All fields in their order."""
        async with self._db.read() as conn:
            return [_field(row) for row in await conn.run_sync(store.fields)]

    async def one(self, label_or_id: str) -> Field:
        """A field by its id or its label. NotFoundError."""
        async with self._db.read() as conn:
            return _field(await conn.run_sync(_one, label_or_id))

    async def add(self, label: str, *, editable: bool = True, by: str = audit.OPERATOR) -> Field:
        """Adds a field behind the others. InvalidInputError, ConflictError (`label_taken`, `too_many_fields`)."""
        field = Field(new_id(), _label(label), editable, 0, self._clock.now_ms())

        def add(conn: Connection) -> None:
            rows = store.fields(conn)
            _refuse_taken(rows, field.label)
            if len(rows) >= MOST_FIELDS:
                raise ConflictError(f"There can be {MOST_FIELDS} fields. Delete one first.", code="too_many_fields")
            place = rows[-1]["place"] + 1 if rows else 1
            values = {"id": field.id, "label": field.label, "editable": editable, "place": place}
            store.add(conn, created_at_ms=field.created_at_ms, **values)
            audit.record_now(conn, field.created_at_ms, by, "profile_field.added", field.id)

        await self._write(add)
        return field

    async def change(self, label_or_id: str, wanted: FieldChange, *, by: str = audit.OPERATOR) -> Field:
        """Changes a field. InvalidInputError, NotFoundError, ConflictError (`label_taken`)."""
        values: dict[str, Any] = {} if wanted.label is None else {"label": _label(wanted.label)}
        if wanted.editable is not None:
            values["editable"] = wanted.editable
        if wanted.place is not None and wanted.place < 1:
            raise InvalidInputError("The first place is 1.")

        def change(conn: Connection) -> RowMapping:
            row = _one(conn, label_or_id)
            if "label" in values:
                _refuse_taken(store.fields(conn), values["label"], besides=row["id"])
            if values:
                store.change(conn, row["id"], **values)
            if wanted.place is not None:
                _move(conn, row["id"], wanted.place)
            if values or wanted.place is not None:
                audit.record_now(conn, self._clock.now_ms(), by, "profile_field.changed", row["id"])
            return _one(conn, row["id"])

        return _field(await self._write(change))

    async def delete(self, label_or_id: str, *, by: str = audit.OPERATOR) -> Field:
        """Deletes a field with what stands in it. NotFoundError; ConflictError (`held`) while a legal hold keeps of that."""

        def delete(conn: Connection) -> RowMapping:
            now_ms, row = self._clock.now_ms(), _one(conn, label_or_id)
            if store.is_held(conn, row["id"]):
                raise ConflictError("A legal hold keeps what stands in this field.", code="held")
            store.remove(conn, row["id"], now_ms)
            audit.record_now(conn, now_ms, by, "profile_field.deleted", row["id"], {"people": row["people"]})
            return row

        return _field(await self._write(delete))

    async def of(self, email_or_id: str) -> list[Filled]:
        """All fields, with what stands in somebody's. NotFoundError."""
        async with self._db.read() as conn:
            person = await named(conn, email_or_id)
            return _filled(await conn.run_sync(store.filled, person["id"]))

    async def fill(
        self, email_or_id: str, values: Mapping[str, str | None], *, by: str = audit.OPERATOR, own: bool = False
    ) -> list[Filled]:
        """Fills in somebody's fields, by id or label; None or an empty text empties one. All of them or none.

        `own`: the person does it, who may not change every field. NotFoundError, InvalidInputError; NotAllowedError
        (`field_not_editable`).
        """
        async with self._db.write() as conn:
            person = await named(conn, email_or_id)
            return await conn.run_sync(self._fill, person["id"], values, by, own)

    def _fill(
        self, conn: Connection, user_id: str, values: Mapping[str, str | None], by: str, own: bool
    ) -> list[Filled]:
        now_ms, before = self._clock.now_ms(), {each["id"]: each["value"] for each in store.filled(conn, user_id)}
        changed = 0
        for name, text in values.items():
            row = _one(conn, name)
            value = clean_line(text, what=row["label"], limit=VALUE_LENGTH) if text and text.strip() else None
            if value == before[row["id"]]:
                continue
            if own and not row["editable"]:
                raise NotAllowedError("This field is filled in by administrators.", code="field_not_editable")
            store.put_value(conn, row["id"], user_id, value, now_ms)
            changed += 1
        if changed:
            detail: audit.Detail = {"fields": changed}
            audit.record_now(conn, now_ms, by, "user.fields_changed", audit.Person(user_id), detail)
        return _filled(store.filled(conn, user_id))

    async def _write(self, work: Callable[[Connection], T]) -> T:
        async with self._db.write() as conn:
            return await conn.run_sync(work)


def _one(conn: Connection, label_or_id: str) -> RowMapping:
    rows, label = store.fields(conn), label_or_id.strip().casefold()
    found = [row for row in rows if row["id"] == label_or_id]
    found += [row for row in rows if row["label"].casefold() == label]
    if not found:
        raise NotFoundError("There is no such field.")
    return found[0]


def _refuse_taken(rows: Sequence[RowMapping], label: str, besides: str = "") -> None:
    if any(row["label"].casefold() == label.casefold() and row["id"] != besides for row in rows):
        raise ConflictError("There is already a field with this label.", code="label_taken")


def _move(conn: Connection, field_id: str, place: int) -> None:
    ids = [row["id"] for row in store.fields(conn) if row["id"] != field_id]
    ids.insert(place - 1, field_id)
    for number, each in enumerate(ids, 1):
        store.change(conn, each, place=number)


def _label(text: str) -> str:
    return clean_line(text, what="The label", limit=LABEL_LENGTH)


def _field(row: RowMapping) -> Field:
    return Field(row["id"], row["label"], row["editable"], row["people"], row["created_at_ms"])


def _filled(rows: Sequence[RowMapping]) -> list[Filled]:
    return [Filled(row["id"], row["label"], row["editable"], row["value"]) for row in rows]
