"""The rows of the register of requests: what one says, when its answer is due, and how it goes from state to state.

The functions work inside the caller's transaction, so that a step stands if and only if the deed does.
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, or_, select, true, update

from pymeet.db import audit
from pymeet.db.schema import request_events, requests, users
from pymeet.db.schema.privacy import ORIGINS, RIGHTS, STATES
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.ids import new_id
from pymeet.privacy.people import DataSubject, guest, member
from pymeet.retention import days, hours

OPEN: Final = "open"
OVERDUE: Final = "overdue"
ALL: Final = "all"
WHICH: Final = (OPEN, OVERDUE, ALL, *STATES)
"""What a list can be asked for."""


@dataclass(frozen=True)
class Request:
    """One request. Times are UTC milliseconds; words are those of `db.schema.privacy`."""

    id: str
    right: str
    origin: str
    person: DataSubject | None
    """None while nobody knows who asks, and after that person was erased."""
    received_at_ms: int
    due_at_ms: int
    extended_at_ms: int | None
    extension_reason: str | None
    reminded_at_ms: int | None
    state: str
    decision: str | None
    not_before_ms: int | None
    """An erasure begins no earlier than this."""
    closed_at_ms: int | None
    result: str | None

    @property
    def open(self) -> bool:
        """Whether it still waits for its answer."""
        return self.closed_at_ms is None

    def overdue(self, now_ms: int) -> bool:
        """Whether the answer is late."""
        return self.open and now_ms >= self.due_at_ms

    def days_left(self, now_ms: int) -> int:
        """How many days (UTC) from today to the one on which it is due; negative after that day."""
        return (day_of(self.due_at_ms) - day_of(now_ms)).days


@dataclass(frozen=True)
class Step:
    """One entry of a request's timeline: a state it entered, or `extended`, or `reminded` (the last time)."""

    at_ms: int
    what: str


def due_ms(received_ms: int, *, months: int = 1) -> int:
    """When the answer is due: 30 days of 24 hours for each month, or sooner where the law's months end sooner.

    The law counts calendar months (Article 12(3); Regulation 1182/71, Article 3) from the day on which the controller
    received the request, in the controller's time. That may be the day before or after the one in UTC, and clocks may
    be put forward by an hour meanwhile; so the shortest of these counts, and nowhere is it later than the law says.
    """
    day = day_of(received_ms)
    possible = [day + timedelta(days=each) for each in (-1, 0, 1)]
    shortest = min((_months_later(each, months) - each).days for each in possible)
    return received_ms + min(days(30 * months), days(shortest) - hours(1))


def day_of(at_ms: int) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def open_now(
    conn: Connection,
    right: str,
    person: DataSubject | None,
    origin: str,
    actor: str,
    now_ms: int,
    received_at_ms: int | None = None,
    *,
    verified: bool = False,
) -> Request:
    """Enters a request inside the caller's transaction. InvalidInputError, NotFoundError."""
    check_word(right, RIGHTS, "right")
    check_word(origin, ORIGINS, "origin")
    received_at_ms = now_ms if received_at_ms is None else received_at_ms
    if received_at_ms > now_ms:
        raise InvalidInputError("A request cannot be received in the future.")
    user_id = person.user_id if person else None
    if user_id and conn.execute(select(users.c.id).where(users.c.id == user_id)).first() is None:
        raise NotFoundError("There is no such account.")
    request_id = new_id()
    conn.execute(
        insert(requests).values(
            id=request_id,
            right=right,
            origin=origin,
            user_id=user_id,
            participant_id=person.participant_id if person else None,
            received_at_ms=received_at_ms,
            due_at_ms=due_ms(received_at_ms),
            state="requested",
        )
    )
    conn.execute(insert(request_events).values(request_id=request_id, at_ms=received_at_ms, state="requested"))
    audit.record_now(conn, now_ms, actor, "request.received", request_id, {"right": right, "origin": origin})
    return step_now(conn, request_id, "verified", actor, now_ms) if verified else get_now(conn, request_id)


def step_now(
    conn: Connection,
    request_id: str,
    state: str,
    actor: str,
    now_ms: int,
    *,
    decision: str | None = None,
    **values: Any,
) -> Request:
    """Moves a request to another state inside the caller's transaction, and says so in its events and the audit log.

    A `decision` closes it. `values` are further columns of the row. NotFoundError.
    """
    if decision is not None:
        values |= {"decision": decision, "closed_at_ms": now_ms}
    get_now(conn, request_id)
    conn.execute(update(requests).where(requests.c.id == request_id).values(state=state, **values))
    conn.execute(insert(request_events).values(request_id=request_id, at_ms=now_ms, state=state))
    detail = {"state": state} if decision is None else {"state": state, "decision": decision}
    audit.record_now(conn, now_ms, actor, "request.step", request_id, detail)
    return get_now(conn, request_id)


def get_now(conn: Connection, request_id: str) -> Request:
    """One request, inside the caller's transaction. NotFoundError."""
    row = conn.execute(select(requests).where(requests.c.id == request_id)).mappings().first()
    if row is None:
        raise NotFoundError("There is no such request.", code="no_such_request")
    return request_of(row)


def listed(conn: Connection, which: str, now_ms: int, cutoff_ms: int | None) -> Sequence[Request]:
    """The requests that are meant, one of `WHICH`, what is due first first; without what was closed at `cutoff_ms` or before."""
    query = select(requests).where(_not_over(cutoff_ms)).order_by(requests.c.due_at_ms, requests.c.id)
    if which in (OPEN, OVERDUE):
        query = query.where(requests.c.closed_at_ms.is_(None))
    if which == OVERDUE:
        query = query.where(requests.c.due_at_ms <= now_ms)
    if which in STATES:
        query = query.where(requests.c.state == which)
    return [request_of(row) for row in conn.execute(query).mappings()]


def of_person(conn: Connection, person: DataSubject, cutoff_ms: int | None) -> Sequence[Request]:
    """What one person asked for, the newest first; without what was closed at `cutoff_ms` or before."""
    column = requests.c.user_id if person.user_id else requests.c.participant_id
    query = select(requests).where(column == person.id, _not_over(cutoff_ms))
    order = (requests.c.received_at_ms.desc(), requests.c.id)
    return [request_of(row) for row in conn.execute(query.order_by(*order)).mappings()]


def timeline_of(conn: Connection, request_id: str) -> Sequence[Step]:
    """What happened to a request, oldest first. NotFoundError."""
    found = get_now(conn, request_id)
    query = select(request_events).where(request_events.c.request_id == request_id)
    rows = conn.execute(query.order_by(request_events.c.id)).mappings()
    steps = [Step(row["at_ms"], row["state"]) for row in rows]
    if found.extended_at_ms is not None:
        steps.append(Step(found.extended_at_ms, "extended"))
    if found.reminded_at_ms is not None:
        steps.append(Step(found.reminded_at_ms, "reminded"))
    return sorted(steps, key=lambda step: step.at_ms)


def request_of(row: RowMapping) -> Request:
    """What a row says."""
    values = dict(row)
    user_id, participant_id = values.pop("user_id"), values.pop("participant_id")
    person = member(user_id) if user_id else guest(participant_id) if participant_id else None
    return Request(person=person, **values)


def _not_over(cutoff_ms: int | None) -> ColumnElement[bool]:
    if cutoff_ms is None:
        return true()
    return or_(requests.c.closed_at_ms.is_(None), requests.c.closed_at_ms > cutoff_ms)


def _months_later(day: date, months: int) -> date:
    """The same day some months later, or the last of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def check_word(word: str, known: Sequence[str], what: str) -> None:
    """InvalidInputError for a word that is not known; the message names those that are."""
    if word not in known:
        raise InvalidInputError(f"There is no such {what}. Choose one of: {', '.join(known)}.")
