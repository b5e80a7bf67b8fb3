"""The meetings a person attended, as a calendar that other programs open (iCalendar, RFC 5545)."""

from datetime import UTC, datetime

from icalendar import Calendar, Event
from sqlalchemy import Connection, select

from pymeet.db.inventory import KEY
from pymeet.db.schema import attendance, rooms
from pymeet.privacy.export.reading import PAGE_ROWS
from pymeet.privacy.people import DataSubject, belongs_to

FILE = "calendar.ics"

_UNKNOWN = {"en": "Meeting", "de": "Besprechung"}


def opening(language: str) -> str:
    """What stands before the events."""
    return _calendar(language).partition("END:VCALENDAR")[0]


def closing() -> str:
    """What stands behind them."""
    return "END:VCALENDAR\r\n"


def read_events(
    conn: Connection, person: DataSubject, after: str | None, *, made_at_ms: int, language: str
) -> tuple[list[str], str | None]:
    """The next meetings behind the seat `after`, and the last seat; None when there is no further page."""
    condition = belongs_to(attendance.info[KEY], person)
    if condition is None:
        return [], None
    query = (
        select(attendance.c.participant_id, attendance.c.joined_at_ms, attendance.c.left_at_ms, rooms.c.name)
        .join_from(attendance, rooms, isouter=True)
        .where(condition)
        .order_by(attendance.c.participant_id)
        .limit(PAGE_ROWS)
    )
    if after is not None:
        query = query.where(attendance.c.participant_id > after)
    found = conn.execute(query).all()
    events = []
    for row in found:
        event = Event()
        event.add("uid", f"{row.participant_id}@pymeet")
        event.add("dtstamp", _moment(made_at_ms))
        event.add("dtstart", _moment(row.joined_at_ms))
        if row.left_at_ms is not None:
            event.add("dtend", _moment(max(row.left_at_ms, row.joined_at_ms)))
        event.add("summary", row.name or _UNKNOWN[language])
        events.append(event.to_ical().decode())
    return events, found[-1].participant_id if len(found) == PAGE_ROWS else None


def _calendar(language: str) -> str:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", f"-//pymeet//export//{language.upper()}")
    return str(calendar.to_ical().decode())


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
