"""What readers may see: rows whose time is not over, of people who did not restrict the use of their data.

Deleting takes a while and a sweep may be late; hiding is exact to the millisecond. Every read path uses this condition.
"""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, and_, func, literal, or_, select, true

from pymeet.db.inventory import KEY, Anchor, Keep, Purge, Subject, TableEntry
from pymeet.db.schema import processing_limits, room_retention
from pymeet.privacy.people import belongs_to_any
from pymeet.privacy.periods import Periods
from pymeet.privacy.rows import named, room_column

HIDING = ("erasure", "restriction")
"""The causes of a limit that hide a person's rows. An objection stops single uses only."""

_SEAT: Final = Anchor.GUEST.value
"""The rows of this column are seats: where no hop leads there, the row is one."""


def visible(table: Table, periods: Periods, now_ms: int) -> ColumnElement[bool]:
    """The condition that leaves out what is over and what is restricted. It is never NULL, so it may be negated."""
    return and_(true(), *_not_over(table, periods, now_ms), *_not_restricted(table))


def _not_over(table: Table, periods: Periods, now_ms: int) -> list[ColumnElement[bool]]:
    entry: TableEntry = table.info[KEY]
    found: list[ColumnElement[bool]] = []
    for rule in entry.keep:
        if not isinstance(rule, Keep) or rule.purge is Purge.ERASE:
            continue  # a person whose account is over is warned and erased, not hidden
        clock, room = table.c[rule.clock], room_column(table)
        period_ms = periods.period_ms(rule.name, now_ms)
        if rule.rule.per_room and room is not None:
            kept_ms = func.coalesce(_own_period(room, rule.name, now_ms), literal(period_ms))
            lives = func.coalesce(clock > now_ms - kept_ms, true())
        elif period_ms is not None:
            lives = func.coalesce(clock > now_ms - period_ms, true())
        else:
            continue
        found.append(or_(lives, named(table, rule)))
    return found


def _own_period(room: Column[Any], name: str, now_ms: int) -> ColumnElement[Any]:
    own = room_retention
    query = select(own.c.period_ms).where(own.c.room_id == room, own.c.class_name == name)
    query = query.where(own.c.in_force_from_ms <= now_ms).order_by(own.c.in_force_from_ms.desc()).limit(1)
    return query.correlate(room.table).scalar_subquery()


def _not_restricted(table: Table) -> list[ColumnElement[bool]]:
    """What is somebody's own, or shows them. What they own and others use, such as a room, stays in sight."""
    entry: TableEntry = table.info[KEY]
    found = []
    for anchor, name in ((Anchor.MEMBER, "user_id"), (Anchor.GUEST, "participant_id")):
        limited = processing_limits.c[name]
        who = select(limited).where(
            processing_limits.c.lifted_at_ms.is_(None), processing_limits.c.cause.in_(HIDING), limited.is_not(None)
        )
        own = tuple(
            path
            for path in entry.subjects
            if isinstance(path, Subject) and (path.hops[-1].column if path.hops else anchor.value) in (name, _SEAT)
        )
        theirs = belongs_to_any(replace(entry, subjects=own), anchor, who)
        if theirs is not None:
            found.append(~theirs)
    return found
