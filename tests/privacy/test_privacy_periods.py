"""Periods in force: longer at once, shorter after 72 hours, rooms inside the same bounds; durations, never calendars."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, select
from tests.support.migrated import prepare
from tests.support.retention import DAY_MS, NOW_MS, add_messages, add_room, open_lifecycle

from pymeet.config import RetentionConfig
from pymeet.db.engine import Database
from pymeet.db.schema import audit_events, room_retention
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.privacy.periods import SHORTENING_WAIT_MS, Periods
from pymeet.retention import CLASSES, hours


@pytest.fixture
async def db(tmp_path: Path):
    database = await Database.open(prepare(tmp_path / "pymeet.db"))
    await database.work(add_room, "room")
    yield database
    await database.close()


async def events(db: Database, action: str) -> list[tuple[str, dict[str, object]]]:
    def ask(conn: Connection) -> list[tuple[str, dict[str, object]]]:
        query = select(audit_events.c.target, audit_events.c.detail).where(audit_events.c.action == action)
        return [(row.target, json.loads(row.detail)) for row in conn.execute(query)]

    return await db.study(ask)


async def opened(db: Database, now_ms: int = NOW_MS, **configured: str) -> Periods:
    return await Periods.open(db, RetentionConfig(**configured), now_ms)


async def test_at_the_first_start_every_class_counts_at_once(db: Database):
    """There is nothing yet that could be lost by mistake, and nothing was changed that the audit log should tell."""
    periods = await opened(db, chat="30d")

    assert periods.period_ms("chat", NOW_MS) == 30 * DAY_MS
    assert periods.cutoff_ms("chat", NOW_MS) == NOW_MS - 30 * DAY_MS
    assert {name: periods.period_ms(name, NOW_MS) for name in CLASSES} == {
        name: 30 * DAY_MS if name == "chat" else each.default_ms for name, each in CLASSES.items()
    }
    assert periods.coming(NOW_MS) == []
    assert await events(db, "retention.changed") == []


async def test_a_shorter_period_waits_72_hours_to_the_millisecond(db: Database):
    """A slip of the finger in a configuration file must not delete a year at the next restart."""
    await opened(db, chat="90d")
    periods = await opened(db, chat="7d")
    begins_ms = NOW_MS + hours(72)

    assert hours(72) == SHORTENING_WAIT_MS
    assert periods.period_ms("chat", begins_ms - 1) == 90 * DAY_MS
    assert periods.period_ms("chat", begins_ms) == 7 * DAY_MS
    assert (await opened(db, begins_ms, chat="7d")).period_ms("chat", begins_ms) == 7 * DAY_MS


async def test_a_longer_period_counts_at_once(db: Database):
    """Waiting would delete what the operator just decided to keep."""
    await opened(db, chat="90d")

    assert (await opened(db, chat="180d")).period_ms("chat", NOW_MS) == 180 * DAY_MS
    forever = await opened(db, chat="forever")
    assert forever.period_ms("chat", NOW_MS) is None
    assert forever.cutoff_ms("chat", NOW_MS) is None


async def test_what_is_taken_back_within_72_hours_never_happens(db: Database):
    """That is what the time is for."""
    await opened(db, chat="90d")
    await opened(db, chat="7d")
    periods = await opened(db, NOW_MS + hours(70), chat="90d")

    for later_h in (70, 72, 1000):
        assert periods.period_ms("chat", NOW_MS + hours(later_h)) == 90 * DAY_MS
    assert periods.coming(NOW_MS + hours(70)) == []


async def test_a_period_that_was_replaced_while_it_waited_never_counts(db: Database):
    """7 days, then 30: after 72 hours of the first the 90 still hold, because nobody wants the 7 any more."""
    await opened(db, chat="90d")
    await opened(db, chat="7d")
    periods = await opened(db, NOW_MS + hours(10), chat="30d")

    assert periods.period_ms("chat", NOW_MS + hours(73)) == 90 * DAY_MS
    assert periods.period_ms("chat", NOW_MS + hours(82)) == 30 * DAY_MS


async def test_starting_again_does_not_begin_the_wait_anew(db: Database):
    """Otherwise a server that restarts every day would never delete."""
    await opened(db, chat="90d")
    await opened(db, chat="7d")

    periods = await opened(db, NOW_MS + hours(71), chat="7d")

    assert periods.period_ms("chat", NOW_MS + hours(72)) == 7 * DAY_MS
    assert len(await events(db, "retention.changed")) == 1


async def test_a_coming_period_says_beforehand_what_it_will_delete(db: Database):
    """Counts and the oldest row, so that somebody is startled in time."""
    ages = [5, 20, 40, 89]
    await db.work(add_messages, "room", *(NOW_MS - age * DAY_MS for age in ages))
    await opened(db, chat="90d")

    periods = await opened(db, chat="7d")

    (change,) = periods.coming(NOW_MS)
    assert (change.name, change.room_id, change.from_ms, change.to_ms) == ("chat", None, 90 * DAY_MS, 7 * DAY_MS)
    assert change.in_force_from_ms == NOW_MS + hours(72)
    # in 72 hours the one of 5 days is 8 days old
    assert (change.preview.rows, change.preview.oldest_ms) == (4, NOW_MS - 89 * DAY_MS)
    asked = await periods.preview("chat", 30 * DAY_MS, NOW_MS)
    assert (asked.rows, asked.oldest_ms) == (2, NOW_MS - 89 * DAY_MS)


async def test_a_clock_that_was_ahead_at_the_first_start_makes_nothing_wait(db: Database):
    """The first periods count, whatever the date was when they were written."""
    await opened(db, NOW_MS + 1000 * DAY_MS)

    periods = await opened(db, NOW_MS)

    assert periods.period_ms("chat", NOW_MS) == 90 * DAY_MS
    assert periods.coming(NOW_MS) == []


async def test_every_change_is_in_the_audit_log(db: Database):
    """With the class and both periods: who shortened what is asked when something is missing."""
    await opened(db, chat="90d", attendance="90d")
    await opened(db, chat="7d", attendance="180d")

    assert await events(db, "retention.changed") == [
        ("attendance", {"from": "90d", "to": "180d", "in_force_from_ms": NOW_MS}),
        ("chat", {"from": "90d", "to": "7d", "in_force_from_ms": NOW_MS + hours(72)}),
    ]


async def test_a_room_may_have_its_own_period(db: Database):
    """Longer at once, shorter after 72 hours, like everywhere."""
    periods = await opened(db)

    await periods.set_room("room", "chat", 180 * DAY_MS, now_ms=NOW_MS, actor="operator")
    assert periods.room("room", "chat", NOW_MS) == 180 * DAY_MS
    assert periods.room("elsewhere", "chat", NOW_MS) == 90 * DAY_MS

    await periods.set_room("room", "chat", 7 * DAY_MS, now_ms=NOW_MS, actor="operator")
    assert periods.room("room", "chat", NOW_MS + hours(72) - 1) == 180 * DAY_MS
    assert periods.room("room", "chat", NOW_MS + hours(72)) == 7 * DAY_MS
    (change,) = periods.coming(NOW_MS)
    assert (change.room_id, change.from_ms, change.to_ms) == ("room", 180 * DAY_MS, 7 * DAY_MS)

    again = await opened(db)
    assert again.room("room", "chat", NOW_MS) == 180 * DAY_MS
    assert [detail["to"] for _, detail in await events(db, "room.retention_changed")] == ["180d", "7d"]


async def test_a_room_that_goes_back_to_a_shorter_common_period_waits_too(db: Database):
    """Taking back a longer period deletes as surely as naming a shorter one."""
    periods = await opened(db)
    await periods.set_room("room", "chat", 180 * DAY_MS, now_ms=NOW_MS, actor="operator")

    await periods.set_room("room", "chat", None, now_ms=NOW_MS + 1, actor="operator")

    assert periods.room("room", "chat", NOW_MS + 1) == 180 * DAY_MS
    assert periods.room("room", "chat", NOW_MS + 1 + hours(72)) == 90 * DAY_MS


async def test_a_room_can_take_back_what_waits(db: Database):
    """The same way out as in the configuration."""
    periods = await opened(db)
    await periods.set_room("room", "chat", 7 * DAY_MS, now_ms=NOW_MS, actor="operator")

    await periods.set_room("room", "chat", None, now_ms=NOW_MS + 1, actor="operator")

    assert periods.room("room", "chat", NOW_MS + hours(100)) == 90 * DAY_MS
    async with db.read() as conn:
        assert (await conn.execute(select(room_retention))).all() == []


@pytest.mark.parametrize(
    ("name", "period_ms", "what"),
    [
        ("chat", hours(1) - 1, "Chat messages can be kept from 1h to 3650d"),
        ("chat", 3651 * DAY_MS, "Chat messages can be kept from 1h to 3650d"),
        ("audit", 365 * DAY_MS, "only for attendance, chat"),
        ("nonsense", DAY_MS, "only for attendance, chat"),
    ],
)
async def test_rooms_cannot_leave_the_bounds(db: Database, name: str, period_ms: int, what: str):
    """Refused with the bounds, never quietly changed to the nearest value."""
    periods = await opened(db)

    with pytest.raises(InvalidInputError, match=what):
        await periods.set_room("room", name, period_ms, now_ms=NOW_MS, actor="operator")


async def test_a_room_that_is_not_there_has_no_period(db: Database):
    """A typing error in an address must not pass for success."""
    with pytest.raises(NotFoundError):
        await (await opened(db)).set_room("gone", "chat", DAY_MS, now_ms=NOW_MS, actor="operator")


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Europe/Amsterdam", datetime(2026, 10, 25, 2, 30)),  # twice on that night
        ("Europe/Amsterdam", datetime(2026, 3, 29, 1, 59)),  # an hour before there is none
        ("America/New_York", datetime(2026, 3, 8, 1, 59)),
        ("Pacific/Apia", datetime(2011, 12, 29, 23, 59)),  # the 30th did not happen
        ("UTC", datetime(2028, 2, 29, 12, 0)),  # a leap day
        ("UTC", datetime(2027, 12, 31, 23, 59)),
    ],
)
async def test_a_period_is_a_number_of_milliseconds_whatever_the_calendar_says(
    db: Database, zone: str, written: datetime
):
    """Nobody's data lives an hour shorter because the clocks went forward, or a day longer because of a leap year."""
    at_ms = int(written.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)
    periods = await opened(db, at_ms, chat="365d")

    over_ms = at_ms + 365 * 24 * 3_600_000
    assert periods.cutoff_ms("chat", over_ms) == at_ms
    assert datetime.fromtimestamp(over_ms / 1000, UTC) - datetime.fromtimestamp(at_ms / 1000, UTC) == (
        datetime(2027, 1, 1) - datetime(2026, 1, 1)
    )


async def test_the_lifecycle_opens_with_the_periods_of_its_configuration(tmp_path: Path):
    """What the server and a command at rest both do."""
    async with open_lifecycle(tmp_path, retention={"chat": "12h"}) as lifecycle:
        assert lifecycle.periods.period_ms("chat", NOW_MS) == hours(12)
