"""Legal holds: what must not be deleted, though its time is over or its person asks for it. No hold ends by itself.

A hold keeps everything that belongs to one account, one guest's seat, one room or one recording. It hides nothing and shows nothing:
what is over stays hidden while it is held.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from pymeet.db import audit
from pymeet.db.inventory import KEY, Anchor, KeepWith, TableEntry
from pymeet.db.schema import attendance, holds, metadata, recordings, rooms, users
from pymeet.db.schema.privacy import HOLD_REASONS
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.ids import new_id
from pymeet.privacy.people import DataSubject, belongs_to_any
from pymeet.privacy.rows import hanging, room_column


@dataclass(frozen=True)
class Hold:
    """One hold; exactly one of `user_id`, `participant_id`, `room_id` and `recording_id` is given.

    Times are UTC milliseconds.
    """

    id: str
    user_id: str | None
    participant_id: str | None
    room_id: str | None
    reason: str
    placed_at_ms: int
    review_at_ms: int
    """When somebody must look whether it is still needed; nothing happens then by itself."""
    released_at_ms: int | None
    recording_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self)


@cache
def held(table: Table) -> ColumnElement[bool]:
    """The condition that picks the rows under a hold. It is never NULL, so it may be negated."""
    entry: TableEntry = table.info[KEY]
    of_people = (
        belongs_to_any(entry, Anchor.MEMBER, _held(holds.c.user_id)),
        belongs_to_any(entry, Anchor.GUEST, _held(holds.c.participant_id)),
    )
    found = [condition for condition in of_people if condition is not None]
    if not entry.subjects:
        # What leads to nobody by itself, but joins rows that do, is theirs as far as those are.
        found += [_with(table, rule, held(metadata.tables[rule.table])) for rule in _joined(entry)]
    return or_(false(), *found, *_in_held_thing(table))


@cache  # it is large, and making it takes longer than asking it
def kept(table: Table, *also: Callable[[Table], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Like `held`, and the rows on which a held row hangs: it would be deleted with them. `also` are conditions alike."""
    found = [held(table), *(each(table) for each in also)]
    for way in hanging(table):
        first, last = way[0], way[-1].table
        joined: FromClause = first.table
        for child in way[1:]:  # joined instead of nested: SQLite reads no more than some levels
            joined = joined.join(child.table, child.column == child.parent_column)
        conditions = or_(held(last), *(each(last) for each in also))
        theirs = select(first.column).select_from(joined).where(first.column == first.parent_column, conditions)
        found.append(exists(theirs.correlate(table)))
    return or_(*found)


def place(
    conn: Connection,
    *,
    reason: str,
    review_at_ms: int,
    now_ms: int,
    actor: str,
    person: DataSubject | None = None,
    room_id: str | None = None,
    recording_id: str | None = None,
) -> Hold:
    """Places a hold on a person, a room or a recording.

    NotFoundError when there is no such thing, ConflictError (`already_held`) when it is held for this reason
    already, InvalidInputError for another reason than `HOLD_REASONS` or a review that lies behind.
    """
    if sum(each is not None for each in (person, room_id, recording_id)) != 1:
        raise InvalidInputError("A hold is placed on one person, one room or one recording.")
    if reason not in HOLD_REASONS:
        raise InvalidInputError(f"{reason} is not a reason for a hold. The reasons are {', '.join(HOLD_REASONS)}.")
    if review_at_ms <= now_ms:
        raise InvalidInputError("The day on which the hold is looked at again must lie ahead.")
    user_id, participant_id = (person.user_id, person.participant_id) if person else (None, None)
    hold = Hold(new_id(), user_id, participant_id, room_id, reason, now_ms, review_at_ms, None, recording_id)
    (column, known), value = next(
        (columns, value) for name, columns in _OBJECTS.items() if (value := getattr(hold, name)) is not None
    )
    if not conn.execute(select(known).where(known == value)).first():
        raise NotFoundError("Nothing is stored about that person, room or recording.")
    same = select(holds.c.id).where(column == value, holds.c.reason == reason, holds.c.released_at_ms.is_(None))
    if conn.execute(same).first():
        raise ConflictError("This is held for that reason already.", code="already_held")
    conn.execute(insert(holds).values(**asdict(hold)))
    audit.record_now(conn, now_ms, actor, "hold.placed", _target(hold), {"reason": reason})
    return hold


def release(conn: Connection, hold_id: str, *, now_ms: int, actor: str) -> Hold:
    """Ends a hold; what it kept is over by its own period again. NotFoundError, ConflictError (`already_released`)."""
    row = conn.execute(select(holds).where(holds.c.id == hold_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("There is no such hold.")
    if row["released_at_ms"] is not None:
        raise ConflictError("This hold was released before.", code="already_released")
    conn.execute(update(holds).where(holds.c.id == hold_id).values(released_at_ms=now_ms))
    hold = Hold(**{**row, "released_at_ms": now_ms})
    audit.record_now(conn, now_ms, actor, "hold.released", _target(hold), {"reason": hold.reason})
    return hold


def listed(conn: Connection, *, also_released: bool = False) -> list[Hold]:
    """The holds in force, those to be looked at first in front; with `also_released` those of the past as well."""
    query = select(holds).order_by(holds.c.review_at_ms, holds.c.id)
    if not also_released:
        query = query.where(holds.c.released_at_ms.is_(None))
    return [Hold(**row) for row in conn.execute(query).mappings()]


def to_review(conn: Connection, now_ms: int) -> int:
    """How many holds in force somebody should have looked at again by now."""
    overdue = select(func.count()).where(holds.c.released_at_ms.is_(None), holds.c.review_at_ms <= now_ms)
    return conn.execute(overdue).scalar_one()


_OBJECTS = {
    "user_id": (holds.c.user_id, users.c.id),
    "participant_id": (holds.c.participant_id, attendance.c.participant_id),
    "room_id": (holds.c.room_id, rooms.c.id),
    "recording_id": (holds.c.recording_id, recordings.c.id),
}
"""What can be held: the column that names it, and where it must exist."""


def _target(hold: Hold) -> str | audit.Person:
    # The id of a guest's seat must not stay in the audit log when the guest is erased.
    return audit.Person(hold.user_id) if hold.user_id else hold.room_id or hold.recording_id or hold.id


def _in_held_thing(table: Table) -> list[ColumnElement[bool]]:
    """Conditions for the rows of held rooms and recordings, and for what lives with those."""
    found: list[ColumnElement[bool]] = []
    room = room_column(table)
    if room is not None:
        found.append(and_(room.is_not(None), room.in_(_held(holds.c.room_id))))
    if table is recordings:
        found.append(recordings.c.id.in_(_held(holds.c.recording_id)))
    for rule in _joined(table.info[KEY]):
        if within := _in_held_thing(metadata.tables[rule.table]):
            found.append(_with(table, rule, or_(*within)))
    return found


def _joined(entry: TableEntry) -> list[KeepWith]:
    return [rule for rule in entry.keep if isinstance(rule, KeepWith)]


def _with(table: Table, rule: KeepWith, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition that picks the rows whose row of the other table fulfils its condition. Never NULL."""
    column = table.c[rule.column]
    key = next(iter(metadata.tables[rule.table].primary_key.columns))
    return and_(column.is_not(None), column.in_(select(key).where(condition).correlate(None)))


def _held(column: Column[Any]) -> Select[Any]:
    return select(column).where(holds.c.released_at_ms.is_(None), column.is_not(None)).correlate(None)
