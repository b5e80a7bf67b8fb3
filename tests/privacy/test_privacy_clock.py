"""The clock guard: what a sweep must not believe, and what it must not be startled by."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection
from tests.support.retention import DAY_MS, NOW_MS, add_messages, add_room, open_lifecycle

from pymeet.privacy import clockguard
from pymeet.privacy.clockguard import ENOUGH_ROWS, Facts, Reading, judge, read_clocks
from pymeet.privacy.plan import plan
from pymeet.retention import days, hours, minutes

BEFORE = Reading(NOW_MS - minutes(5), "boot", days(3))
NOW = Reading(NOW_MS, "boot", days(3) + minutes(5))
USUAL = Facts(due=500, vanishing=(), newest_ms=NOW_MS - 1)
ALL = Facts(due=500, vanishing=("chat",), newest_ms=NOW_MS - 1)


def test_a_steady_clock_is_believed():
    """Every five minutes for years."""
    assert judge(NOW, BEFORE, USUAL).trusted


def test_a_class_may_end_while_the_clock_is_steady():
    """A room nobody has used for 90 days loses all its messages, and that is right."""
    assert judge(NOW, BEFORE, ALL).trusted


@pytest.mark.parametrize("step_ms", [days(7) + 1, days(30), days(3650), -days(8)])
def test_a_step_of_more_than_a_week_is_doubted(step_ms: int):
    """The wall clock jumped while the time since boot went on as ever."""
    jumped = replace(NOW, wall_ms=NOW.wall_ms + step_ms)

    assert "stepped" in judge(jumped, BEFORE, USUAL).doubts


@pytest.mark.parametrize("step_ms", [0, hours(1), -hours(1), hours(14), days(7) - 1])
def test_small_corrections_are_believed(step_ms: int):
    """Time servers, and hardware clocks that were set to local time."""
    assert judge(replace(NOW, wall_ms=NOW.wall_ms + max(step_ms, -DAY_MS)), BEFORE, USUAL).trusted


def test_a_step_of_a_day_is_doubted_when_a_whole_class_would_go():
    """The plainest sign of a clock that is ahead."""
    jumped = replace(NOW, wall_ms=NOW.wall_ms + days(2))

    assert judge(jumped, BEFORE, USUAL).trusted
    assert judge(jumped, BEFORE, ALL).doubts == {"all_would_go"}


def test_a_step_matters_only_when_something_would_go():
    """Nobody is woken for a clock on an empty server."""
    jumped = replace(NOW, wall_ms=NOW.wall_ms + days(30))

    assert judge(jumped, BEFORE, Facts(0, (), None)).trusted


def test_a_clock_that_went_back_is_doubted():
    """It deletes nothing too early, but it is wrong, and what is written now gets wrong dates."""
    assert judge(replace(NOW, wall_ms=BEFORE.wall_ms - DAY_MS - 1), BEFORE, USUAL).doubts >= {"backwards"}
    assert judge(replace(NOW, wall_ms=BEFORE.wall_ms - DAY_MS - 1, boot_id="other"), BEFORE, USUAL).doubts == {
        "backwards"
    }


def test_a_year_before_pymeet_is_doubted():
    """A board without battery begins in 1970."""
    early = Reading(clockguard.EARLIEST_MS - 1, "boot", 1)

    assert "too_early" in judge(early, None, Facts(0, (), None)).doubts


def test_after_a_restart_a_week_may_have_passed():
    """A server in a cupboard is not a wrong clock, unless a whole class would go with it."""
    later = Reading(NOW_MS + days(60), "next-boot", 1000)

    assert judge(later, BEFORE, USUAL).trusted
    assert judge(later, BEFORE, ALL).doubts == {"all_would_go"}
    assert judge(Reading(NOW_MS + days(6), "next-boot", 1000), BEFORE, ALL).trusted


def test_without_an_earlier_reading_not_much_is_deleted():
    """The first sweep after an update or a restore: nothing tells whether the clock is right."""
    assert judge(NOW, None, USUAL).doubts == {"no_mark"}
    assert judge(NOW, None, Facts(ENOUGH_ROWS - 1, (), NOW_MS)).trusted


def test_without_an_earlier_reading_rows_from_tomorrow_speak_against_the_clock():
    """With one, they speak against themselves: they were written while the clock was wrong."""
    ahead = Facts(0, (), NOW_MS + DAY_MS + 1)

    assert judge(NOW, None, ahead).doubts == {"older_than_data"}
    assert judge(NOW, BEFORE, ahead).trusted


def test_the_clocks_of_this_machine_can_be_read():
    """From the kernel itself, not from a library that may be fooled with."""
    first, second = read_clocks(1), read_clocks(2)

    assert first.boot_id == second.boot_id
    assert len(first.boot_id) == 36
    assert 0 < first.boot_ms <= second.boot_ms
    assert (first.wall_ms, second.wall_ms) == (1, 2)


async def test_the_facts_of_a_plan(tmp_path: Path):
    """A class vanishes when every row of it is over, and it had ten or more."""

    async def facts(*at_ms: int) -> Facts:
        async with open_lifecycle(tmp_path) as lifecycle:

            def ask(conn: Connection) -> Facts:
                return clockguard.facts(conn, plan(conn, lifecycle.periods, NOW_MS))

            await lifecycle.db.work(lambda conn: add_messages(conn, "room", *at_ms))
            return await lifecycle.db.study(ask)

    async with open_lifecycle(tmp_path) as lifecycle:
        await lifecycle.db.work(add_room, "room")
    old_ms = NOW_MS - days(100)

    assert await facts(*[old_ms] * 9) == Facts(9, (), old_ms)
    assert await facts(old_ms) == Facts(10, ("chat",), old_ms)
    assert await facts(NOW_MS - days(90) + 1) == Facts(10, (), NOW_MS - days(90) + 1)


async def test_a_mark_is_kept_and_replaced(tmp_path: Path):
    """One row, over restarts."""
    async with open_lifecycle(tmp_path) as lifecycle:
        assert await lifecycle.db.study(clockguard.last_mark) is None
        await lifecycle.db.work(clockguard.mark, BEFORE)
        await lifecycle.db.work(clockguard.mark, NOW)
    async with open_lifecycle(tmp_path) as lifecycle:
        assert await lifecycle.db.study(clockguard.last_mark) == NOW


async def test_rows_from_tomorrow_are_counted(tmp_path: Path):
    """On a gauge: they live longer than promised."""
    async with open_lifecycle(tmp_path) as lifecycle:
        await lifecycle.db.work(add_room, "room")
        await lifecycle.db.work(lambda conn: add_messages(conn, "room", NOW_MS, NOW_MS + DAY_MS, NOW_MS + days(2)))

        assert await lifecycle.db.study(clockguard.ahead, NOW_MS) == 1
