"""The periods in force. A longer one counts at once; a shorter one only after 72 hours, so that a mistake can be undone.

What the configuration says is compared at every start with what was decided before. Rooms may have their own periods
for some classes, inside the same bounds. Times are UTC milliseconds, None as a period means without end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection, Row, delete, func, insert, select

from pymeet.config import RetentionConfig
from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.db.inventory import Keep, entries
from pymeet.db.schema import metadata, retention_periods, room_retention, rooms
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.retention import CLASSES, check_period, format_period, hours

K = TypeVar("K")

log = structlog.get_logger(__name__)

SHORTENING_WAIT_MS: Final = hours(72)
"""So long a shortened period waits."""


@dataclass(frozen=True)
class Dated:
    """A period and when it was decided and begins to count."""

    period_ms: int | None
    decided_at_ms: int
    in_force_from_ms: int


@dataclass(frozen=True)
class Preview:
    """What a period would leave over, counted now: rows, and the clock of the oldest."""

    rows: int
    oldest_ms: int | None


@dataclass(frozen=True)
class Change:
    """A period that was decided and does not count yet."""

    name: str
    room_id: str | None
    from_ms: int | None
    to_ms: int | None
    in_force_from_ms: int
    preview: Preview


class Periods:
    """Made with `await Periods.open(…)`; knows the periods of all classes and rooms."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._classes: dict[str, tuple[Dated, ...]] = {}
        self._rooms: dict[tuple[str, str], tuple[Dated, ...]] = {}
        self._previews: dict[tuple[str, str | None], Preview] = {}

    @classmethod
    async def open(cls, db: Database, configured: RetentionConfig, now_ms: int) -> "Periods":
        """Compares the configuration with what was decided before, and notes every change, in the audit log too.

        At the very first start everything counts at once: there is nothing yet that could be lost by mistake.
        """
        periods = cls(db)
        await db.work(_reconcile, {name: configured.period_ms(name) for name in CLASSES}, now_ms)
        await periods._load(now_ms)
        for change in periods.coming(now_ms):
            log.info(
                "a shorter period is coming",
                retention_class=change.name,
                room_id=change.room_id,
                period=format_period(change.to_ms),
                rows=change.preview.rows,
                in_hours=(change.in_force_from_ms - now_ms) // hours(1),
            )
        return periods

    def period_ms(self, name: str, now_ms: int) -> int | None:
        """How long class `name` is kept."""
        return in_force(self._classes[name], now_ms).period_ms

    def cutoff_ms(self, name: str, now_ms: int) -> int | None:
        """Rows whose clock shows this or less are over; None when none ever is."""
        period_ms = self.period_ms(name, now_ms)
        return None if period_ms is None else now_ms - period_ms

    def room(self, room_id: str, name: str, now_ms: int) -> int | None:
        """How long class `name` is kept in one room."""
        own = self.own(name, now_ms).get(room_id)
        return self.period_ms(name, now_ms) if own is None else own

    def own(self, name: str, now_ms: int) -> dict[str, int]:
        """The rooms that have a period of their own for class `name`, with that period."""
        found = {}
        for (room_id, each), dated in self._rooms.items():
            counting = [one for one in dated if one.in_force_from_ms <= now_ms]
            if each == name and counting and counting[-1].period_ms is not None:
                found[room_id] = counting[-1].period_ms
        return found

    def coming(self, now_ms: int) -> list[Change]:
        """The changes that wait, the next one first, with what was counted when each was last looked at."""
        found = []
        for name, dated in self._classes.items():
            # the first one of all counts from the start, also when the clock was ahead when it was written
            if dated[-1].in_force_from_ms > now_ms and len(dated) > 1:
                found.append(self._change(name, None, self.period_ms(name, now_ms), dated[-1]))
        for (room_id, name), dated in self._rooms.items():
            if dated[-1].in_force_from_ms > now_ms:
                found.append(self._change(name, room_id, self.room(room_id, name, now_ms), dated[-1]))
        return sorted(found, key=lambda change: change.in_force_from_ms)

    async def preview(self, name: str, period_ms: int, now_ms: int, room_id: str | None = None) -> Preview:
        """What class `name`, kept for this long, would leave over now."""
        return await self._db.study(_count, name, now_ms - period_ms, room_id)

    async def set_room(self, room_id: str, name: str, period_ms: int | None, *, now_ms: int, actor: str) -> None:
        """Gives one room its own period for class `name`; None leads back to what counts everywhere.

        InvalidInputError for a class that rooms cannot change or a period out of bounds, NotFoundError without room.
        """
        if name not in CLASSES or not CLASSES[name].per_room:
            able = ", ".join(each.name for each in CLASSES.values() if each.per_room)
            raise InvalidInputError(f"Rooms have no period of their own for {name}, only for {able}.")
        if period_ms is not None:
            check_period(name, period_ms)
        await self._db.work(_set_room, room_id, name, period_ms, self.period_ms(name, now_ms), now_ms, actor)
        await self._load(now_ms)

    async def _load(self, now_ms: int) -> None:
        self._classes, self._rooms = await self._db.study(_read)
        for change in self.coming(now_ms):
            if change.to_ms is not None:
                # counted as of the moment when it begins to count
                cutoff_ms = change.in_force_from_ms - change.to_ms
                preview = await self._db.study(_count, change.name, cutoff_ms, change.room_id)
                self._previews[change.name, change.room_id] = preview

    def _change(self, name: str, room_id: str | None, from_ms: int | None, to: Dated) -> Change:
        to_ms = to.period_ms
        if room_id is not None and to_ms is None:
            to_ms = in_force(self._classes[name], to.in_force_from_ms).period_ms
        preview = self._previews.get((name, room_id), Preview(0, None))
        return Change(name, room_id, from_ms, to_ms, to.in_force_from_ms, preview)


def in_force(decided: Sequence[Dated], now_ms: int) -> Dated:
    """Which of the decisions about one class, oldest first, counts. One that was replaced while it waited never does."""
    counts = decided[0]
    for each, next_one in zip(decided, [*decided[1:], None], strict=True):
        replaced = next_one is not None and next_one.decided_at_ms < each.in_force_from_ms
        if each.in_force_from_ms <= now_ms and not replaced:
            counts = each
    return counts


def is_shorter(period_ms: int | None, than_ms: int | None) -> bool:
    """Whether data would go earlier."""
    return period_ms is not None and (than_ms is None or period_ms < than_ms)


def _reconcile(conn: Connection, configured: dict[str, int | None], now_ms: int) -> None:
    known, _ = _read(conn)
    for name, period_ms in configured.items():
        decided = known.get(name)
        if decided is None:
            _decide(conn, name, Dated(period_ms, now_ms, now_ms))
        elif decided[-1].period_ms != period_ms:
            waits = is_shorter(period_ms, in_force(decided, now_ms).period_ms)
            from_ms = now_ms + SHORTENING_WAIT_MS if waits else now_ms
            _decide(conn, name, Dated(period_ms, now_ms, from_ms))
            detail: audit.Detail = {
                "from": format_period(decided[-1].period_ms),
                "to": format_period(period_ms),
                "in_force_from_ms": from_ms,
            }
            audit.record_now(conn, now_ms, audit.OPERATOR, "retention.changed", name, detail)


def _decide(conn: Connection, name: str, dated: Dated) -> None:
    conn.execute(
        insert(retention_periods).values(
            class_name=name,
            period_ms=dated.period_ms,
            decided_at_ms=dated.decided_at_ms,
            in_force_from_ms=dated.in_force_from_ms,
        )
    )


def _set_room(
    conn: Connection, room_id: str, name: str, period_ms: int | None, elsewhere_ms: int | None, now_ms: int, actor: str
) -> None:
    if not conn.execute(select(rooms.c.id).where(rooms.c.id == room_id, rooms.c.deleted_at_ms.is_(None))).first():
        raise NotFoundError("There is no such room.")
    here = (room_retention.c.room_id == room_id, room_retention.c.class_name == name)
    query = select(room_retention.c.period_ms).where(*here, room_retention.c.in_force_from_ms <= now_ms)
    own_ms = conn.execute(query.order_by(room_retention.c.in_force_from_ms.desc()).limit(1)).scalar()
    conn.execute(delete(room_retention).where(*here, room_retention.c.in_force_from_ms > now_ms))
    if period_ms == own_ms:
        return  # as it is; what waited was taken back a line ago
    before_ms = elsewhere_ms if own_ms is None else own_ms
    after_ms = elsewhere_ms if period_ms is None else period_ms
    from_ms = now_ms + SHORTENING_WAIT_MS if is_shorter(after_ms, before_ms) else now_ms
    if from_ms == now_ms:
        conn.execute(delete(room_retention).where(*here))
    conn.execute(
        insert(room_retention).values(
            room_id=room_id,
            class_name=name,
            in_force_from_ms=from_ms,
            period_ms=period_ms,
            decided_at_ms=now_ms,
        )
    )
    detail: audit.Detail = {
        "class": name,
        "from": format_period(before_ms),
        "to": format_period(after_ms),
        "in_force_from_ms": from_ms,
    }
    audit.record_now(conn, now_ms, actor, "room.retention_changed", room_id, detail)


def _read(conn: Connection) -> tuple[dict[str, tuple[Dated, ...]], dict[tuple[str, str], tuple[Dated, ...]]]:
    classes = select(retention_periods).order_by(retention_periods.c.id)
    own = select(room_retention).order_by(room_retention.c.in_force_from_ms)
    by_class = [(row.class_name, _dated(row)) for row in conn.execute(classes)]
    by_room = [((row.room_id, row.class_name), _dated(row)) for row in conn.execute(own)]
    return _grouped(by_class), _grouped(by_room)


def _dated(row: Row[Any]) -> Dated:
    return Dated(row.period_ms, row.decided_at_ms, row.in_force_from_ms)


def _grouped(pairs: Iterable[tuple[K, Dated]]) -> dict[K, tuple[Dated, ...]]:
    found: dict[K, tuple[Dated, ...]] = {}
    for key, dated in pairs:
        found[key] = (*found.get(key, ()), dated)
    return found


def _count(conn: Connection, name: str, cutoff_ms: int, room_id: str | None) -> Preview:
    count, oldest = 0, []
    for entry in entries(metadata):
        table = metadata.tables[entry.name]
        for rule in entry.keep:
            if isinstance(rule, Keep) and rule.name == name:
                clock = table.c[rule.clock]
                query = select(func.count(), func.min(clock)).where(clock <= cutoff_ms)
                rows, first_ms = conn.execute(
                    query if room_id is None else query.where(table.c.room_id == room_id)
                ).one()
                count += rows
                oldest += [] if first_ms is None else [first_ms]
    return Preview(count, min(oldest, default=None))
