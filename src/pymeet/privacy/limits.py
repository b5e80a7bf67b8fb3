"""Limits to the use of somebody's data: restriction (Article 18), objection (Article 21), and the time before an erasure.

What is restricted is hidden (`visible`) and, unless the person is erased, kept: `restricted` is to be treated by purges
as a hold. An objection ends what rests on legitimate interests (Article 6(1)(f)): rows of that kind lose the person at
once, new ones as soon as they are no longer needed to hold the meeting together. The audit log is kept in spite of an
objection; it rests on compelling grounds (Article 21(1)): without it nobody could prove what was done.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    exists,
    false,
    insert,
    or_,
    select,
    update,
)

from pymeet.db import audit
from pymeet.db.inventory import KEY, Anchor, Basis, Category, Erase, EraseRow, Keep, TableEntry, entries
from pymeet.db.schema import metadata, processing_limits
from pymeet.db.schema.privacy import LIMITS
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.ids import new_id
from pymeet.privacy.holds import held
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, belongs_to, belongs_to_any
from pymeet.privacy.rows import among, anonymise_rows, rowids_of

ERASURE: Final = "erasure"
RESTRICTION: Final = "restriction"
OBJECTION: Final = "objection"

NAMELESS: Final = "Participant"
"""The name under which the attendance of somebody who objected is stored."""

BATCH: Final = 200
"""Rows in one transaction."""


@dataclass(frozen=True)
class Limit:
    """One limit; exactly one of `user_id` and `participant_id` is given. Times are UTC milliseconds."""

    id: str
    user_id: str | None
    participant_id: str | None
    cause: str
    request_id: str | None
    from_ms: int
    lifted_at_ms: int | None

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self)


def limit(
    conn: Connection, person: DataSubject, cause: str, *, now_ms: int, actor: str, request_id: str | None = None
) -> Limit:
    """Puts a limit in force, for one of `LIMITS`; where the same is in force already, that one is returned.

    Rows from before an objection are the business of `objection`.
    """
    if cause not in LIMITS:
        raise InvalidInputError(f"There is no such limit. Choose one of: {', '.join(LIMITS)}.")
    for each in in_force(conn, person):
        if each.cause == cause:
            return each
    made = Limit(new_id(), person.user_id, person.participant_id, cause, request_id, now_ms, None)
    conn.execute(insert(processing_limits).values(**asdict(made)))
    audit.record_now(conn, now_ms, actor, "limit.set", _target(person, made.id), {"cause": cause})
    return made


def lift(conn: Connection, person: DataSubject, cause: str, *, now_ms: int, actor: str) -> Limit:
    """Ends a limit. NotFoundError when none is in force. After a restriction the person must be told (Article 18(3))."""
    for each in in_force(conn, person):
        if each.cause == cause:
            conn.execute(update(processing_limits).where(processing_limits.c.id == each.id).values(lifted_at_ms=now_ms))
            audit.record_now(conn, now_ms, actor, "limit.lifted", _target(person, each.id), {"cause": cause})
            return Limit(**{**asdict(each), "lifted_at_ms": now_ms})
    raise NotFoundError("There is no such limit in force.")


def in_force(conn: Connection, person: DataSubject) -> list[Limit]:
    """The person's limits that count now, oldest first."""
    column = processing_limits.c.user_id if person.anchor is Anchor.MEMBER else processing_limits.c.participant_id
    query = select(processing_limits).where(column == person.id, processing_limits.c.lifted_at_ms.is_(None))
    rows = conn.execute(query.order_by(processing_limits.c.from_ms, processing_limits.c.id)).mappings()
    return [Limit(**row) for row in rows]


def restricted(table: Table) -> ColumnElement[bool]:
    """The condition that picks the rows of people who restricted their use: no purge may delete them (Article 18(2)).

    It is never NULL, so it may be negated.
    """
    return _of_people_with(RESTRICTION, table)


def objects(conn: Connection, user_id: str) -> bool:
    """Whether this member has objected to what rests on legitimate interests."""
    mine = _limited(OBJECTION, processing_limits.c.user_id).where(processing_limits.c.user_id == user_id)
    return conn.execute(select(exists(mine))).scalar_one()


def objectionable() -> list[TableEntry]:
    """The tables to whose use a person can object: those on Article 6(1)(f) whose rows can lose the person."""
    return [
        entry
        for entry in entries(metadata)
        if entry.basis is Basis.LEGITIMATE_INTEREST
        and entry.category is not Category.ACCOUNTABILITY
        and entry.erase is EraseRow.COLUMNS
        and any(column.erase in (Erase.CLEAR, Erase.PSEUDONYM) for column in entry.columns.values())
    ]


async def objection(lifecycle: Lifecycle, person: DataSubject, *, actor: str, request_id: str | None = None) -> int:
    """Puts an objection in force, and lets go of what is stored already; how many rows that were.

    Rows under a hold stay as they are (a legal claim, Article 21(1)); rows of a meeting that still runs follow at its end.
    """
    now_ms = lifecycle.clock.now_ms()

    def begin(conn: Connection) -> None:
        limit(conn, person, OBJECTION, now_ms=now_ms, actor=actor, request_id=request_id)

    await lifecycle.db.work(begin)
    count = 0
    for entry in objectionable():
        while done := await lifecycle.db.work(_let_go_of, entry, person, now_ms):
            count += done
    return count


def let_go(conn: Connection, table: Table, ended: ColumnElement[bool], now_ms: int) -> int:
    """Lets rows that have `ended` lose those who objected; for features, when they close such a row. How many it were."""
    entry: TableEntry = table.info[KEY]
    return anonymise_rows(conn, entry, and_(ended, _of_people_with(OBJECTION, table), ~held(table)), now_ms)


def _let_go_of(conn: Connection, entry: TableEntry, person: DataSubject, now_ms: int) -> int:
    table = metadata.tables[entry.name]
    theirs = belongs_to(entry, person)
    if theirs is None:
        return 0
    # Rows whose period has not begun are still in use.
    ended = [table.c[rule.clock].is_not(None) for rule in entry.keep if isinstance(rule, Keep)]
    rowids = rowids_of(conn, table, and_(theirs, *ended, ~held(table)))[:BATCH]
    return anonymise_rows(conn, entry, among(table, rowids), now_ms)


def _of_people_with(cause: str, table: Table) -> ColumnElement[bool]:
    entry: TableEntry = table.info[KEY]
    of_people = (
        belongs_to_any(entry, Anchor.MEMBER, _limited(cause, processing_limits.c.user_id)),
        belongs_to_any(entry, Anchor.GUEST, _limited(cause, processing_limits.c.participant_id)),
    )
    return or_(false(), *(condition for condition in of_people if condition is not None))


def _limited(cause: str, column: Column[Any]) -> Select[Any]:
    here = processing_limits.c.lifted_at_ms.is_(None), processing_limits.c.cause == cause, column.is_not(None)
    return select(column).where(*here).correlate(None)


def _target(person: DataSubject, limit_id: str) -> str | audit.Person:
    # The id of a guest's seat must not stay in the audit log when the guest is erased.
    return audit.Person(person.id) if person.anchor is Anchor.MEMBER else limit_id
