"""When a scheduled meeting takes place: wall clock, time zone and rule on one side, instants on the other.

A meeting keeps the wall clock of its zone: every Monday at nine stays at nine when the clocks change (RFC 5545, section
3.3.10). A wall clock that a change of the clocks skips counts by the offset before the change, one that comes twice counts
the first time (section 3.3.5). The same components are expanded here and sent to calendars.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import recurring_ical_events  # type: ignore[import-untyped]
from icalendar import Calendar, Event, vRecur

from pymeet.errors import InvalidInputError

LONGEST_MIN: Final = 24 * 60
"""Minutes of a meeting that does not take whole days."""

LONGEST_DAYS: Final = 31
"""Days of one that does."""

SERIES_DAYS: Final = 20 * 366
"""A series with an end must end within this time."""

MOST_OCCURRENCES: Final = 1000
"""The largest COUNT."""

_LONGEST_INTERVAL = {"DAILY": 366, "WEEKLY": 52, "MONTHLY": 24, "YEARLY": 10}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KEYS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL")
_DAY_MS = 86_400_000
_AHEAD_DAYS = (40, 400, 40 * 366)
"""How far the next occurrence is looked for, in turn: most are near."""


@dataclass(frozen=True)
class Change:
    """One occurrence that is not as the rule says; `recurrence_id` is the wall clock at which it would have begun."""

    recurrence_id: str
    cancelled: bool
    starts_local: str | None = None
    duration_min: int | None = None


@dataclass(frozen=True)
class Timing:
    """When a meeting is. `starts_local` is `2027-03-28T09:00`, or `2027-03-28` for whole days."""

    starts_local: str
    time_zone: str
    duration_min: int
    rrule: str | None = None
    changes: tuple[Change, ...] = ()

    @property
    def all_day(self) -> bool:
        """Whether it takes whole days, of the zone it was planned in."""
        return "T" not in self.starts_local


@dataclass(frozen=True)
class Occurrence:
    """One time that the meeting takes place. Times are UTC milliseconds."""

    recurrence_id: str
    """As iCalendar writes it: `20270328T090000` on the zone's wall clock, or `20270328`."""
    start_ms: int
    end_ms: int


def checked_timing(start: str, time_zone: str, duration_min: int, rrule: str | None) -> Timing:
    """A timing that can be kept. Raises InvalidInputError that says what is wrong."""
    if time_zone not in _zones():
        raise InvalidInputError("There is no such time zone. One is written like Europe/Berlin.")
    first = checked_local(start)
    timing = Timing(_written(first), time_zone, duration_min)
    _check_duration(timing, duration_min)
    if rrule is None:
        return timing
    timing = replace(timing, rrule=_checked_rule(rrule, first, time_zone))
    if not _ends_in_time(timing):
        raise InvalidInputError("A series ends within twenty years, and has at most 1000 meetings.")
    return timing


def checked_change(timing: Timing, recurrence_id: str, start: str, duration_min: int) -> Change:
    """One occurrence, moved. Raises InvalidInputError."""
    moved = checked_local(start)
    if isinstance(moved, datetime) == timing.all_day:
        raise InvalidInputError("A meeting of whole days moves to a day, any other to a day and a time.")
    _check_duration(timing, duration_min)
    return Change(recurrence_id, cancelled=False, starts_local=_written(moved), duration_min=duration_min)


def with_change(timing: Timing, change: Change) -> Timing:
    """The timing with one occurrence changed, again or for the first time."""
    others = tuple(each for each in timing.changes if each.recurrence_id != change.recurrence_id)
    return replace(timing, changes=(*others, change))


def occurrences(timing: Timing, from_ms: int, to_ms: int) -> list[Occurrence]:
    """What takes place, in whole or in part, from one moment to before another, in order."""
    near = _moment(from_ms) - timedelta(days=LONGEST_DAYS + 2)
    far = _moment(to_ms) + timedelta(days=2)
    calendar = Calendar()
    for event in events(timing, "x"):
        calendar.add_component(event)
    lengths = {each.recurrence_id: each.duration_min for each in timing.changes}
    found = []
    for event in recurring_ical_events.of(calendar).between(near, far):
        begins = event["DTSTART"].dt
        written = event["RECURRENCE-ID"].dt if "RECURRENCE-ID" in event else begins
        name = _id(written)
        start_ms, end_ms = _span(begins, timing.time_zone, lengths.get(name) or timing.duration_min)
        if start_ms < to_ms and end_ms > from_ms:
            found.append(Occurrence(name, start_ms, end_ms))
    return sorted(found, key=lambda each: (each.start_ms, each.recurrence_id))


def occurrence(timing: Timing, recurrence_id: str) -> Occurrence | None:
    """The occurrence of this name, where it takes place; None where there is none or it is cancelled."""
    try:
        bare = datetime.strptime(recurrence_id, "%Y%m%dT%H%M%S" if "T" in recurrence_id else "%Y%m%d")
    except ValueError:
        return None
    moved = next((each.starts_local for each in timing.changes if each.recurrence_id == recurrence_id), None)
    near_ms = _instant_ms(checked_local(moved) if moved else bare, timing.time_zone)
    found = occurrences(timing, near_ms - _DAY_MS, near_ms + 2 * _DAY_MS)
    return next((each for each in found if each.recurrence_id == recurrence_id), None)


def occurrence_name(local: str) -> str:
    """The name of the occurrence that begins at a wall clock, such as `2027-03-28T09:00`, by the rule."""
    name = local.replace("-", "").replace(":", "")
    return f"{name}00" if len(name) == len("20270328T0900") else name


def named_ms(recurrence_id: str) -> int | None:
    """About when an occurrence of this name would begin, to a day; None for what is no name."""
    try:
        bare = datetime.strptime(recurrence_id, "%Y%m%dT%H%M%S" if "T" in recurrence_id else "%Y%m%d")
    except ValueError:
        return None
    return round(bare.replace(tzinfo=UTC).timestamp() * 1000)


def first_start_ms(timing: Timing) -> int:
    """When it begins for the first time, whatever became of that occurrence."""
    return _instant_ms(checked_local(timing.starts_local), timing.time_zone)


def last_end_ms(timing: Timing) -> int | None:
    """When its last occurrence ends; None for a series without end."""
    if timing.rrule is not None and "COUNT" not in timing.rrule and "UNTIL" not in timing.rrule:
        return None
    begins = checked_local(timing.starts_local)
    start_ms, end_ms = _span(begins, timing.time_zone, timing.duration_min)
    if timing.rrule is None and not timing.changes:
        return end_ms
    every = occurrences(timing, 0, start_ms + SERIES_DAYS * _DAY_MS)
    return max((each.end_ms for each in every), default=end_ms)


def next_start_ms(timing: Timing, after_ms: int) -> int | None:
    """When it begins for the next time after a moment; None when it never does."""
    if timing.rrule is None and not timing.changes:
        start_ms = first_start_ms(timing)
        return start_ms if start_ms > after_ms else None
    from_ms = max(after_ms, first_start_ms(timing))
    for days in _AHEAD_DAYS:
        for each in occurrences(timing, after_ms, from_ms + days * _DAY_MS):
            if each.start_ms > after_ms:
                return each.start_ms
    return None


def events(timing: Timing, uid: str) -> Iterator[Event]:
    """The components that say when it is: the series first, then each occurrence that was moved (RFC 5545, 3.6.1)."""
    zone = ZoneInfo(timing.time_zone)
    master = _event(uid, timing.starts_local, timing.duration_min, zone)
    if timing.rrule is not None:
        master.add("rrule", vRecur.from_ical(timing.rrule))
    cancelled = [_parsed(each.recurrence_id, zone) for each in timing.changes if each.cancelled]
    if cancelled:
        master.add("exdate", cancelled)
    yield master
    for each in timing.changes:
        if each.starts_local is not None and not each.cancelled:
            moved = _event(uid, each.starts_local, each.duration_min or timing.duration_min, zone)
            moved.add("recurrence-id", _parsed(each.recurrence_id, zone))
            yield moved


def one_event(timing: Timing, uid: str, recurrence_id: str) -> Event:
    """The component of one occurrence as the rule says it, for telling that it is cancelled."""
    zone = ZoneInfo(timing.time_zone)
    begins = _parsed(recurrence_id, zone)
    event = _event(uid, _written(begins.replace(tzinfo=None) if isinstance(begins, datetime) else begins), 0, zone)
    del event["DTEND"]
    event.add("recurrence-id", begins)
    return event


def checked_local(text: str) -> date | datetime:
    """A day, or a day and a time without zone. Raises InvalidInputError."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            found: date | datetime = date.fromisoformat(text)
        elif re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text):
            found = datetime.fromisoformat(text)
        else:
            raise ValueError
    except ValueError:
        raise InvalidInputError("A meeting begins on a day, 2027-03-28, or at a time, 2027-03-28T09:00.") from None
    if not 1970 < found.year < 2200:
        raise InvalidInputError("A meeting begins between 1971 and 2199.")
    return found


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _event(uid: str, starts_local: str, duration_min: int, zone: ZoneInfo) -> Event:
    event = Event()
    event.add("uid", uid)
    begins = checked_local(starts_local)
    if isinstance(begins, datetime):
        start = begins.replace(tzinfo=zone)
        event.add("dtstart", start)
        event.add("dtend", (start.astimezone(UTC) + timedelta(minutes=duration_min)).astimezone(zone))
    else:
        event.add("dtstart", begins)
        event.add("dtend", begins + timedelta(minutes=duration_min))
    return event


def _checked_rule(text: str, first: date | datetime, time_zone: str) -> str:
    """The rule in one form. The subset that people choose from: every n days, weeks on days, months by day or weekday,
    years."""
    if not re.fullmatch(r"[A-Z]+=[A-Z0-9,\-]+(;[A-Z]+=[A-Z0-9,\-]+)*", text) or len(text) > 200:
        raise _bad_rule()
    parts = [part.split("=") for part in text.split(";")]
    rule = dict(parts)
    every = rule.get("FREQ", "")
    if len(rule) != len(parts) or not set(rule) <= set(_KEYS) or every not in _LONGEST_INTERVAL:
        raise _bad_rule()
    if "COUNT" in rule and "UNTIL" in rule:
        raise _bad_rule()
    if not _is_number(rule.get("INTERVAL", "1"), _LONGEST_INTERVAL[every]):
        raise _bad_rule()
    if not _is_number(rule.get("COUNT", "1"), MOST_OCCURRENCES):
        raise _bad_rule()
    if "UNTIL" in rule:
        rule["UNTIL"] = _until(rule["UNTIL"], first, time_zone)
    if not _days_fit(rule, first):
        raise InvalidInputError("The first meeting is not on a day that the rule names, or the rule cannot be used.")
    return ";".join(f"{key}={rule[key]}" for key in _KEYS if key in rule)


def _days_fit(rule: dict[str, str], first: date) -> bool:
    """Whether the days are ones that this kind of rule takes, with the first meeting on one of them."""
    weekday = _WEEKDAYS[first.weekday()]
    last_day = monthrange(first.year, first.month)[1]
    by_day, by_month_day = rule.get("BYDAY"), rule.get("BYMONTHDAY")
    if by_month_day is not None:
        there = str(first.day) == by_month_day or (by_month_day == "-1" and first.day == last_day)
        return rule["FREQ"] == "MONTHLY" and by_day is None and there
    if by_day is None:
        return True
    if rule["FREQ"] == "WEEKLY":
        named = by_day.split(",")
        return len(set(named)) == len(named) and set(named) <= set(_WEEKDAYS) and weekday in named
    ways = {f"{(first.day - 1) // 7 + 1}{weekday}"} | ({f"-1{weekday}"} if first.day + 7 > last_day else set())
    return rule["FREQ"] == "MONTHLY" and by_day in ways - {f"5{weekday}"}


def _until(text: str, first: date | datetime, time_zone: str) -> str:
    """The end in the form that RFC 5545 demands: a day for whole days, a moment in UTC for anything else."""
    try:
        if re.fullmatch(r"\d{8}T\d{6}Z", text) and isinstance(first, datetime):
            end = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        else:
            day = datetime.strptime(text, "%Y%m%d").date()
            if not isinstance(first, datetime):
                if day < first:
                    raise InvalidInputError("The series ends before it begins.")
                return text
            end = datetime.combine(day, time(23, 59, 59), ZoneInfo(time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _bad_rule() from None
    if end < first.replace(tzinfo=ZoneInfo(time_zone)):
        raise InvalidInputError("The series ends before it begins.")
    return end.strftime("%Y%m%dT%H%M%SZ")


def _ends_in_time(timing: Timing) -> bool:
    rule = dict(part.split("=") for part in (timing.rrule or "").split(";"))
    start_ms = first_start_ms(timing)
    latest_ms = start_ms + SERIES_DAYS * _DAY_MS
    if "COUNT" in rule:
        return len(occurrences(timing, start_ms, latest_ms)) == int(rule["COUNT"])
    if "UNTIL" in rule:
        until = datetime.strptime(rule["UNTIL"][:8], "%Y%m%d").replace(tzinfo=UTC)
        return (
            until.timestamp() * 1000 < latest_ms and len(occurrences(timing, start_ms, latest_ms)) <= MOST_OCCURRENCES
        )
    return True


def _check_duration(timing: Timing, duration_min: int) -> None:
    if timing.all_day:
        if duration_min % LONGEST_MIN or not 0 < duration_min <= LONGEST_DAYS * LONGEST_MIN:
            raise InvalidInputError("A meeting of whole days takes 1 to 31 of them, each of 1440 minutes.")
    elif not 0 < duration_min <= LONGEST_MIN:
        raise InvalidInputError("A meeting takes 1 to 1440 minutes.")


def _span(begins: date | datetime, time_zone: str, duration_min: int) -> tuple[int, int]:
    start_ms = _instant_ms(begins, time_zone)
    if isinstance(begins, datetime):
        return start_ms, start_ms + duration_min * 60_000
    return start_ms, _instant_ms(begins + timedelta(minutes=duration_min), time_zone)


def _instant_ms(local: date | datetime, time_zone: str) -> int:
    if not isinstance(local, datetime):
        local = datetime.combine(local, time())
    return round(local.replace(tzinfo=ZoneInfo(time_zone)).timestamp() * 1000)


def _parsed(recurrence_id: str, zone: ZoneInfo) -> date | datetime:
    if "T" in recurrence_id:
        return datetime.strptime(recurrence_id, "%Y%m%dT%H%M%S").replace(tzinfo=zone)
    return datetime.strptime(recurrence_id, "%Y%m%d").date()


def _id(moment: date | datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S" if isinstance(moment, datetime) else "%Y%m%d")


def _written(local: date | datetime) -> str:
    return local.strftime("%Y-%m-%dT%H:%M" if isinstance(local, datetime) else "%Y-%m-%d")


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _is_number(text: str, most: int) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,3}", text) is not None and int(text) <= most


def _bad_rule() -> InvalidInputError:
    return InvalidInputError(
        "This rule cannot be used. A rule is an RRULE of RFC 5545 with FREQ, INTERVAL, BYDAY, BYMONTHDAY, COUNT or UNTIL."
    )
