"""The verbs of `pymeet retention` and `pymeet room retention`."""

from collections.abc import Mapping
from typing import Any

from pymeet.db import audit
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso
from pymeet.privacy.periods import Change
from pymeet.privacy.sweeper import accept_clock
from pymeet.retention import CLASSES, format_period, parse_period

DOUBTS: Mapping[str, str] = {
    "all_would_go": "it jumped, and a whole class of data would go",
    "backwards": "it shows less than it did",
    "no_mark": "there was no sweep yet to compare it with, and much would go",
    "older_than_data": "there are rows from after now",
    "stepped": "it was set by more than a week",
    "too_early": "the year cannot be",
}
"""The words of `clockguard.judge` in words for people."""


async def retention_periods(services: Services) -> dict[str, Any]:
    """The periods in force, and those that wait, with what they will delete."""
    now_ms, periods = services.clock.now_ms(), services.lifecycle.periods
    slugs = {room.id: room.slug for room in await services.meetings.rooms()}
    rooms = [
        {"class": name, "room": slugs[room_id], "period": format_period(period_ms)}
        for name in CLASSES
        for room_id, period_ms in sorted(periods.own(name, now_ms).items())
        if room_id in slugs
    ]
    return {
        "classes": [
            {
                "class": name,
                "title": each.title,
                "begins": each.begins,
                "period": format_period(periods.period_ms(name, now_ms)),
            }
            for name, each in CLASSES.items()
        ],
        "rooms": rooms,
        "coming": [_change(each, slugs) for each in periods.coming(now_ms)],
    }


async def retention_accept_clock(services: Services) -> dict[str, Any]:
    """Believes the clock as it is, so that sweeps go on."""
    await accept_clock(services.lifecycle, audit.OPERATOR)
    return {"now": iso(services.clock.now_ms())}


async def room_retention(services: Services, *, slug: str, name: str, period: str) -> dict[str, Any]:
    """Gives a room its own period for one class; `default` leads back to what counts everywhere.

    NotFoundError, InvalidInputError for a class that rooms cannot change or a period out of bounds.
    """
    room = await services.meetings.room(slug)
    now_ms, periods = services.clock.now_ms(), services.lifecycle.periods
    period_ms = None if period == "default" else parse_period(period)
    await periods.set_room(room.id, name, period_ms, now_ms=now_ms, actor=audit.OPERATOR)
    slugs = {room.id: room.slug}
    waits = [_change(each, slugs) for each in periods.coming(now_ms) if (each.room_id, each.name) == (room.id, name)]
    return {
        "slug": room.slug,
        "class": name,
        "period": format_period(periods.room(room.id, name, now_ms)),
        "coming": waits[0] if waits else None,
    }


OPERATIONS: Mapping[str, Operation] = {
    "retention.periods": retention_periods,
    "retention.accept_clock": retention_accept_clock,
    "room.retention": room_retention,
}


def _change(change: Change, slugs: Mapping[str, str]) -> dict[str, Any]:
    return {
        "class": change.name,
        "room": change.room_id and slugs.get(change.room_id),
        "from": format_period(change.from_ms),
        "to": format_period(change.to_ms),
        "in_force_from": iso(change.in_force_from_ms),
        "rows": change.preview.rows,
        "oldest": None if change.preview.oldest_ms is None else iso(change.preview.oldest_ms),
    }
