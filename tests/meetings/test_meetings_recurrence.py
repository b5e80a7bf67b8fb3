"""When a meeting takes place: instants worked out by hand, and by dateutil over naive wall clocks, which knows no zones.

In 2027 the clocks of Berlin change on 28 March and 31 October, those of New York on 14 March and 7 November.
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from pymeet.errors import InvalidInputError
from pymeet.meetings.recurrence import (
    Change,
    Timing,
    checked_change,
    checked_timing,
    last_end_ms,
    next_start_ms,
    occurrence,
    occurrences,
    with_change,
)

END_MS = round(datetime(2060, 1, 1, tzinfo=UTC).timestamp() * 1000)


def instants(timing: Timing) -> list[str]:
    """The beginnings of all occurrences, in UTC."""
    return [written(each.start_ms) for each in occurrences(timing, 0, END_MS)]


def written(at_ms: int | None) -> str:
    assert at_ms is not None
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def at(text: str) -> int:
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


@pytest.mark.parametrize(
    ("start", "zone", "rule", "expected"),
    [
        (
            "2027-03-22T09:00",
            "Europe/Berlin",
            "FREQ=WEEKLY;COUNT=3",
            ["2027-03-22 08:00", "2027-03-29 07:00", "2027-04-05 07:00"],
        ),
        (
            "2027-10-25T09:00",
            "Europe/Berlin",
            "FREQ=WEEKLY;COUNT=3",
            ["2027-10-25 07:00", "2027-11-01 08:00", "2027-11-08 08:00"],
        ),
        (
            "2027-03-13T09:00",
            "America/New_York",
            "FREQ=DAILY;COUNT=2",
            ["2027-03-13 14:00", "2027-03-14 13:00"],
        ),
        # the hour that is skipped counts by the offset before: 02:30 is 03:30 in summer time
        (
            "2027-03-27T02:30",
            "Europe/Berlin",
            "FREQ=DAILY;COUNT=3",
            ["2027-03-27 01:30", "2027-03-28 01:30", "2027-03-29 00:30"],
        ),
        # the hour that comes twice counts the first time
        (
            "2027-10-30T02:30",
            "Europe/Berlin",
            "FREQ=DAILY;COUNT=3",
            ["2027-10-30 00:30", "2027-10-31 00:30", "2027-11-01 01:30"],
        ),
        # whole days are those of the zone, 23 and 25 hours long at the changes
        ("2027-03-28", "Europe/Berlin", "FREQ=DAILY;COUNT=2", ["2027-03-27 23:00", "2027-03-28 22:00"]),
        (
            "2027-01-29T09:00",
            "Europe/Berlin",
            "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3",
            ["2027-01-29 08:00", "2027-02-26 08:00", "2027-03-26 08:00"],
        ),
        (
            "2027-01-31T09:00",
            "UTC",
            "FREQ=MONTHLY;COUNT=3",
            ["2027-01-31 09:00", "2027-03-31 09:00", "2027-05-31 09:00"],
        ),
        (
            "2027-01-31T09:00",
            "UTC",
            "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
            ["2027-01-31 09:00", "2027-02-28 09:00", "2027-03-31 09:00"],
        ),
        ("2028-02-29T09:00", "UTC", "FREQ=YEARLY;COUNT=2", ["2028-02-29 09:00", "2032-02-29 09:00"]),
        (
            "2027-03-26T09:00",
            "Europe/Berlin",
            "FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20270329",
            ["2027-03-26 08:00", "2027-03-29 07:00"],
        ),
        ("2027-03-26T09:00", "Europe/Berlin", None, ["2027-03-26 08:00"]),
    ],
)
def test_a_series_keeps_the_wall_clock_of_its_zone(
    start: str, zone: str, rule: str | None, expected: list[str]
) -> None:
    """Every Monday at nine stays at nine for whoever planned it, and moves for people in other zones."""
    assert instants(checked_timing(start, zone, 1440 if len(start) == 10 else 60, rule)) == expected


def test_a_day_is_as_long_as_the_zone_says() -> None:
    """The day on which the clocks go forward has 23 hours; a meeting of an hour has an hour also over the change."""
    (day,) = occurrences(checked_timing("2027-03-28", "Europe/Berlin", 1440, None), 0, END_MS)
    (night,) = occurrences(checked_timing("2027-10-31T02:30", "Europe/Berlin", 60, None), 0, END_MS)

    assert day.end_ms - day.start_ms == 23 * 3_600_000
    assert night.end_ms - night.start_ms == 3_600_000


ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC", "America/Sao_Paulo")
RULES = (
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2",
    "FREQ=MONTHLY",
    "FREQ=YEARLY",
)


@settings(max_examples=60, deadline=None)
@given(
    # without leap days: twelve of them take longer than a series may
    start=st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1)).filter(lambda day: (day.month, day.day) != (2, 29)),
    zone=st.sampled_from(ZONES),
    rule=st.sampled_from(RULES),
    count=st.integers(1, 12),
)
def test_another_program_finds_the_same_instants(start: datetime, zone: str, rule: str, count: int) -> None:
    """dateutil expands the wall clocks, the zone database makes instants of them: neither is what is tested here."""
    start = start.replace(second=0, microsecond=0)
    timing = checked_timing(f"{start:%Y-%m-%dT%H:%M}", zone, 30, f"{rule};COUNT={count}")
    wall: Any = rrulestr(f"{rule};COUNT={count}", dtstart=start)

    expected = sorted(each.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000 for each in wall)

    assert [each.start_ms for each in occurrences(timing, 0, END_MS * 3)] == expected
    assert last_end_ms(timing) == expected[-1] + 30 * 60_000


def test_single_occurrences_are_moved_and_cancelled() -> None:
    """The rest of the series stays where it was."""
    timing = checked_timing("2027-03-22T09:00", "Europe/Berlin", 60, "FREQ=WEEKLY;COUNT=4")
    timing = with_change(timing, Change("20270329T090000", cancelled=True))
    timing = with_change(timing, checked_change(timing, "20270405T090000", "2027-04-20T10:00", 30))

    assert instants(timing) == ["2027-03-22 08:00", "2027-04-12 07:00", "2027-04-20 08:00"]
    assert occurrence(timing, "20270329T090000") is None
    moved = occurrence(timing, "20270405T090000")
    assert moved is not None
    assert moved.end_ms - moved.start_ms == 30 * 60_000
    assert written(last_end_ms(timing)) == "2027-04-20 08:30"
    assert written(next_start_ms(timing, at("2027-03-22 08:00"))) == "2027-04-12 07:00"
    assert next_start_ms(timing, at("2027-04-20 08:00")) is None


def test_a_series_without_end_has_a_next_one_however_late() -> None:
    """Once a year is rare, and 29 February rarer; neither may be taken for over."""
    yearly = checked_timing("2028-02-29T09:00", "UTC", 60, "FREQ=YEARLY")

    assert last_end_ms(yearly) is None
    assert written(next_start_ms(yearly, at("2096-03-01 00:00"))) == "2104-02-29 09:00"
    assert [written(each.start_ms) for each in occurrences(yearly, at("2032-02-29 09:30"), at("2036-01-01 00:00"))] == [
        "2032-02-29 09:00"  # it is under way
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=WEEKLY;COUNT=2;UNTIL=20280101",
        "FREQ=WEEKLY;COUNT=0",
        "FREQ=WEEKLY;COUNT=1001",
        "FREQ=WEEKLY;INTERVAL=53",
        "FREQ=WEEKLY;FREQ=DAILY",
        "FREQ=WEEKLY;BYSETPOS=1",
        "FREQ=WEEKLY;BYDAY=TU",
        "FREQ=WEEKLY;BYDAY=MO,MO",
        "FREQ=MONTHLY;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=2MO",
        "FREQ=MONTHLY;BYMONTHDAY=23",
        "FREQ=DAILY;UNTIL=20270321",
        "FREQ=DAILY;UNTIL=20270399",
        "FREQ=YEARLY;COUNT=400",
        "FREQ=DAILY;UNTIL=20990101",
        "RRULE:FREQ=DAILY",
        "freq=daily",
        "FREQ=DAILY\r\nATTENDEE:mailto:eve@example.org",
        "",
    ],
)
def test_a_rule_that_nobody_needs_is_refused(rule: str) -> None:
    """The rest of RFC 5545 has rules that never end to be worked out; nobody chooses them in a dialog."""
    with pytest.raises(InvalidInputError):
        checked_timing("2027-03-22T09:00", "Europe/Berlin", 60, rule)  # a Monday


@pytest.mark.parametrize(
    ("start", "zone", "duration_min"),
    [
        ("2027-03-22T09:00", "Mars/Olympus", 60),
        ("2027-03-22T09:00", "../../etc/passwd", 60),
        ("2027-03-22T09:00", "Europe/Berlin", 0),
        ("2027-03-22T09:00", "Europe/Berlin", 1441),
        ("2027-03-22", "Europe/Berlin", 60),
        ("2027-03-22", "Europe/Berlin", 32 * 1440),
        ("2027-02-29T09:00", "Europe/Berlin", 60),
        ("2027-03-22T09:00Z", "Europe/Berlin", 60),
        ("0001-01-01T00:00", "Europe/Berlin", 60),
        ("9999-12-31T23:59", "Europe/Berlin", 60),
    ],
)
def test_a_time_that_does_not_exist_is_refused(start: str, zone: str, duration_min: int) -> None:
    """What is stored is read again for years, by people and by their calendars."""
    with pytest.raises(InvalidInputError):
        checked_timing(start, zone, duration_min, None)
