"""What readers may see: rows whose time is not over, of people who did not restrict the use of their data.

Deleting takes a while and a sweep may be late; hiding is exact to the millisecond. Every read path uses this condition.
"""

from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, func, literal, or_, select, true

from pymeet.db.inventory import KEY, Keep, Purge, TableEntry
from pymeet.db.schema import processing_limits, room_retention
from pymeet.privacy.periods import Periods
from pymeet.privacy.rows import room_column

HIDING = ("erasure", "restriction")
"""The causes of a limit that hide a person's rows. An objection stops single uses only."""


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
            found.append(func.coalesce(clock > now_ms - kept_ms, true()))
        elif period_ms is not None:
            found.append(func.coalesce(clock > now_ms - period_ms, true()))
    return found


def _own_period(room: Column[Any], name: str, now_ms: int) -> ColumnElement[Any]:
    own = room_retention
    query = select(own.c.period_ms).where(own.c.room_id == room, own.c.class_name == name)
    query = query.where(own.c.in_force_from_ms <= now_ms).order_by(own.c.in_force_from_ms.desc()).limit(1)
    return query.correlate(room.table).scalar_subquery()


def _not_restricted(table: Table) -> list[ColumnElement[bool]]:
    found = []
    for name in ("user_id", "participant_id"):
        if name in table.c:
            limited = processing_limits.c[name]
            who = select(limited).where(
                processing_limits.c.lifted_at_ms.is_(None), processing_limits.c.cause.in_(HIDING), limited.is_not(None)
            )
            found.append(or_(table.c[name].is_(None), table.c[name].not_in(who)))
    return found
