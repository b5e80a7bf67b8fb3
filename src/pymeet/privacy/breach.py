"""After a breach: what was there, about how many people, who looked at it, and the 72 hours (Articles 33 and 34 GDPR).

Everything is derived from the inventory: which tables hold personal data, to whom their rows lead, which columns tell
when a row came about, and how sensitive they are. Times are UTC milliseconds.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    false,
    func,
    insert,
    or_,
    select,
    true,
    union_all,
    update,
)

from pymeet.db import audit
from pymeet.db.audit_reading import Tally, tallies
from pymeet.db.inventory import Anchor, Category, Erase, Kind, Subject, TableEntry, Unreachable, entries
from pymeet.db.schema import attendance, breaches, metadata
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.ids import new_id
from pymeet.privacy.rows import still_personal

DEADLINE_MS: Final = 72 * 3_600_000
"""From noticing a breach to telling the authority, where it is feasible (Article 33(1)). Hours, weekends included."""

SENSITIVE: Final = (Kind.CREDENTIAL, Kind.CONTACT, Kind.CONTENT)
"""With these, others can do something to people: pose as them, write to them, know what they said."""

_WRITTEN = re.compile(r"(.*_)?(at|from)_ms")
_TO_COME = re.compile(r".*(expires|due|review|next|keep_from).*")


@dataclass(frozen=True)
class Extent:
    """So many records, about so many different people."""

    records: int
    members: int
    guests: int


@dataclass(frozen=True)
class Affected:
    """One category of personal data."""

    category: Category
    within: Extent
    """What came about, or last changed, in the time in question."""
    held: Extent
    """All that is held now: what somebody who read everything has read. What was deleted since is not in it."""
    kinds: tuple[Kind, ...]
    sensitive: tuple[Kind, ...]


@dataclass(frozen=True)
class Assessment:
    """What can be said about a breach without knowing how it happened."""

    since_ms: int
    until_ms: int
    affected: tuple[Affected, ...]
    """Categories of which anything is held."""
    within: Extent
    held: Extent
    """People are counted once, in however many categories they are."""
    unreachable: tuple[Unreachable, ...]
    """People of whom there may be data besides, and why no number can be given."""
    access: tuple[Tally, ...]
    """Who did what in that time, from the audit log."""

    @property
    def failed_sign_ins(self) -> int:
        """How often signing in failed in that time."""
        return sum(each.count for each in self.access if each.action == "user.sign_in_failed")

    def numbers(self) -> dict[str, Any]:
        """The extent for the register of breaches: numbers and fixed words."""
        return {
            "within": asdict(self.within),
            "held": asdict(self.held),
            "categories": {
                each.category.value: {"within": asdict(each.within), "held": asdict(each.held)}
                for each in self.affected
            },
        }


@dataclass(frozen=True)
class Breach:
    """An entry in the register (Article 33(5))."""

    id: str
    noticed_at_ms: int
    since_ms: int
    until_ms: int
    counts: Mapping[str, Any]
    authority_told_at_ms: int | None
    people_told_at_ms: int | None

    @property
    def deadline_ms(self) -> int:
        """When the authority must have been told."""
        return self.noticed_at_ms + DEADLINE_MS

    def left_ms(self, now_ms: int) -> int | None:
        """How much of the 72 hours is left, negative when they are over; None when the authority was told."""
        return None if self.authority_told_at_ms is not None else self.deadline_ms - now_ms


def assess(conn: Connection, since_ms: int, until_ms: int, categories: Collection[str] = ()) -> Assessment:
    """Counts what a breach between two points in time may concern, in all categories or some.

    Raises InvalidInputError for a category that does not exist, or a time that ends before it begins.
    """
    if unknown := sorted(set(categories) - set(Category)):
        raise InvalidInputError(f"There is no category {unknown[0]}. There are {', '.join(Category)}.")
    if since_ms >= until_ms:
        raise InvalidInputError("The time ends before it begins.")
    concerned = [
        each for each in entries(metadata) if each.personal and (not categories or each.category in set(categories))
    ]
    affected = []
    for category in Category:
        tables = [each for each in concerned if each.category is category]
        held = _extent(conn, tables, None)
        if held.records:
            kinds = {column.kind for each in tables for column in each.columns.values() if column.kind}
            affected.append(
                Affected(
                    category,
                    _extent(conn, tables, (since_ms, until_ms)),
                    held,
                    tuple(kind for kind in Kind if kind in kinds),
                    tuple(kind for kind in SENSITIVE if kind in kinds),
                )
            )
    unreachable = [
        whose
        for each in concerned
        for whose in each.subjects
        if isinstance(whose, Unreachable) and _extent(conn, [each], None).records
    ]
    return Assessment(
        since_ms,
        until_ms,
        tuple(affected),
        _extent(conn, concerned, (since_ms, until_ms)),
        _extent(conn, concerned, None),
        tuple(unreachable),
        tuple(tallies(conn, since_ms, until_ms)),
    )


def note(conn: Connection, assessment: Assessment, noticed_at_ms: int, now_ms: int, actor: str) -> Breach:
    """Enters a breach in the register; the 72 hours run from when it was noticed. Raises InvalidInputError."""
    if not assessment.since_ms <= noticed_at_ms <= now_ms:
        raise InvalidInputError("A breach is noticed after it began, and not in the future.")
    numbers = assessment.numbers()
    made = Breach(new_id(), noticed_at_ms, assessment.since_ms, assessment.until_ms, numbers, None, None)
    conn.execute(insert(breaches).values({**asdict(made), "counts": json.dumps(numbers, sort_keys=True)}))
    audit.record_now(conn, now_ms, actor, "breach.noted", made.id, {"records": assessment.held.records})
    return made


def told(conn: Connection, breach_id: str, whom: str, now_ms: int, actor: str) -> Breach:
    """Notes that the `authority` or the `people` were told now; the first time counts.

    Raises NotFoundError, or InvalidInputError for anybody else.
    """
    if whom not in ("authority", "people"):
        raise InvalidInputError("Write whom you told: authority or people.")
    column = breaches.c[f"{whom}_told_at_ms"]
    found = _one(conn, breach_id)
    if getattr(found, column.name) is None:
        conn.execute(update(breaches).where(breaches.c.id == breach_id).values({column.name: now_ms}))
        audit.record_now(conn, now_ms, actor, "breach.told", breach_id, {"whom": whom})
    return _one(conn, breach_id)


def all_breaches(conn: Connection) -> list[Breach]:
    """The register, the newest first."""
    return [_breach(row) for row in conn.execute(select(breaches).order_by(breaches.c.noticed_at_ms.desc()))]


def open_breaches(conn: Connection) -> list[Breach]:
    """Breaches of which the authority was not told yet, the most urgent first."""
    untold = select(breaches).where(breaches.c.authority_told_at_ms.is_(None)).order_by(breaches.c.noticed_at_ms)
    return [_breach(row) for row in conn.execute(untold)]


def _one(conn: Connection, breach_id: str) -> Breach:
    row = conn.execute(select(breaches).where(breaches.c.id == breach_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such breach in the register.")
    return _breach(row)


def _breach(row: Any) -> Breach:
    return Breach(**{**row._mapping, "counts": json.loads(row.counts)})


def _extent(conn: Connection, tables: Collection[TableEntry], window: tuple[int, int] | None) -> Extent:
    conditions = {entry.name: and_(_concerned(entry), _within(entry, window)) for entry in tables}
    records = sum(
        conn.execute(select(func.count()).select_from(metadata.tables[name]).where(condition)).scalar_one()
        for name, condition in conditions.items()
    )
    return Extent(records, *(_people(conn, tables, conditions, anchor) for anchor in (Anchor.MEMBER, Anchor.GUEST)))


def _concerned(entry: TableEntry) -> ColumnElement[bool]:
    """Rows that are still about somebody: where a made-up name takes the place of a real one, nobody is left."""
    made_up = any(each.erase is Erase.PSEUDONYM and each.kind is Kind.NAME for each in entry.columns.values())
    return still_personal(entry) if made_up else true()


def _within(entry: TableEntry, window: tuple[int, int] | None) -> ColumnElement[bool]:
    """Rows that came about or changed in that time, by any column that tells; where none does, they only count as held."""
    if window is None:
        return true()
    columns = metadata.tables[entry.name].columns
    times = [each for each in columns if _WRITTEN.fullmatch(each.name) and not _TO_COME.fullmatch(each.name)]
    return or_(false(), *(and_(each >= window[0], each < window[1]) for each in times))


def _people(
    conn: Connection, tables: Collection[TableEntry], conditions: Mapping[str, ColumnElement[bool]], anchor: Anchor
) -> int:
    paths = [
        _ids(entry, whose, conditions[entry.name])
        for entry in tables
        for whose in entry.subjects
        if isinstance(whose, Subject) and whose.anchor is anchor
    ]
    if not paths:
        return 0
    ids = union_all(*paths).subquery().c.id
    return int(conn.execute(select(func.count(ids.distinct()))).scalar_one())


def _ids(entry: TableEntry, whose: Subject, condition: ColumnElement[bool]) -> Select[Any]:
    """The ids of the people to whom the rows lead along one path."""
    table = metadata.tables[entry.name]
    joined: Any = table
    at = table
    column = table.c[whose.hops[0].column if whose.hops else whose.anchor.value.partition(".")[2]]
    for hop, following in zip(whose.hops, whose.hops[1:], strict=False):
        target, _, key = hop.to.partition(".")
        at = metadata.tables[target]
        joined = joined.join(at, column == at.c[key])
        column = at.c[following.column]
    query = select(column.label("id")).select_from(joined).where(condition, column.is_not(None))
    if whose.anchor is Anchor.GUEST:
        # Members have a seat, too, and are counted by their account.
        seats = select(attendance.c.participant_id).where(attendance.c.user_id.is_not(None))
        query = query.where(column.not_in(seats))
        if "user_id" in at.c:
            query = query.where(at.c.user_id.is_(None))
    return query
