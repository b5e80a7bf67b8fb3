"""What is held about one person, kind by kind: counted now, in words, with the time by which it is gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, false, func, or_, select

from pymeet.config import Config
from pymeet.db.inventory import Keep, KeepWith, TableEntry, entries
from pymeet.db.schema import attendance, metadata, rooms, users
from pymeet.privacy.consents import UNTIL_ENDED_MS
from pymeet.privacy.documents.deadlines import Deadline, deadlines, in_force
from pymeet.privacy.documents.notice import begins_of, notice
from pymeet.privacy.documents.words import Words, words
from pymeet.privacy.holds import kept
from pymeet.privacy.limits import restricted
from pymeet.privacy.people import DataSubject, belongs_to, counts_of, guest, member
from pymeet.privacy.periods import Periods
from pymeet.privacy.rows import room_column


@dataclass(frozen=True)
class HeldClass:
    """One kind of data that exists about a person."""

    name: str
    """The table."""
    title: str
    purpose: str
    basis: str
    count: int
    period: str
    begins: str
    """From when the period runs; empty where `period` says it all."""
    gone_by_ms: int | None
    """When the newest of it has left the last backup too, UTC milliseconds; None where that cannot be told."""
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class Seat:
    """A guest's seat in a meeting, as far as something of it is left."""

    name: str
    room: str
    at_ms: int


def overview(
    conn: Connection, person: DataSubject, config: Config, periods: Periods, language: str, now_ms: int
) -> list[HeldClass]:
    """Every kind of data that exists about the person, in the order of the privacy notice."""
    effective = in_force(periods, now_ms)
    due, say = deadlines(effective), words(language)
    counts = counts_of(conn, person)
    by_name = {entry.name: entry for entry in entries(metadata)}
    found = []
    for held in (each for group in notice(language, config, effective).groups for each in group.held):
        if held.name in counts:
            entry = by_name[held.name]
            period, begins = _period(say, entry, due)
            gone_by_ms = _gone_by_ms(conn, entry, person, due, periods, now_ms)
            found.append(
                HeldClass(
                    name=held.name,
                    title=held.title,
                    purpose=held.purpose,
                    basis=held.basis,
                    count=counts[held.name],
                    period=period,
                    begins=begins,
                    gone_by_ms=gone_by_ms,
                    recipients=held.seen_by,
                )
            )
    return found


def titles(language: str) -> Mapping[str, str]:
    """What the rows of each table are to the person they are about."""
    say = words(language)
    return {entry.name: say(f"title.{entry.name}") for entry in entries(metadata) if f"title.{entry.name}" in say}


def seat_of(conn: Connection, participant_id: str) -> Seat | None:
    """The seat that somebody had; None once nothing of it is left."""
    query = (
        select(attendance.c.name, rooms.c.name.label("room"), attendance.c.joined_at_ms)
        .join(rooms, rooms.c.id == attendance.c.room_id)
        .where(attendance.c.participant_id == participant_id, attendance.c.user_id.is_(None))
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else Seat(row.name, row.room, row.joined_at_ms)


def person_of_id(conn: Connection, person_id: str) -> DataSubject | None:
    """Whose id it is: an account's, or a guest's seat's; None where nothing is held about anybody of that id."""
    if conn.execute(select(users.c.id).where(users.c.id == person_id)).first():
        return member(person_id)
    return guest(person_id) if counts_of(conn, guest(person_id)) and not _is_members(conn, person_id) else None


def called(conn: Connection, person: DataSubject) -> str | None:
    """What administrators know somebody by: a member by the e-mail address, a guest by the name given at joining."""
    if person.user_id:
        column, found = users.c.email, users.c.id == person.id
    else:
        column, found = attendance.c.name, attendance.c.participant_id == person.id
    return conn.execute(select(column).where(found)).scalar_one_or_none()


def room_called(conn: Connection, room_id: str) -> str | None:
    """The address of a room."""
    return conn.execute(select(rooms.c.slug).where(rooms.c.id == room_id)).scalar_one_or_none()


def _is_members(conn: Connection, participant_id: str) -> bool:
    """Whether the seat was that of somebody with an account, who is found by that."""
    seat = attendance.c.participant_id == participant_id, attendance.c.user_id.is_not(None)
    return conn.execute(select(attendance.c.participant_id).where(*seat)).first() is not None


def _period(say: Words, entry: TableEntry, due: Mapping[str, Deadline]) -> tuple[str, str]:
    """The period in words, and from when it runs."""
    found = []
    for rule in entry.keep:
        if isinstance(rule, KeepWith):
            found.append((say(f"with.{rule.table}"), ""))
        elif isinstance(rule, Keep):
            period_ms = due[rule.name].period_ms
            without_end = period_ms is None
            period = say("notice.held.endless") if period_ms is None else say.period(period_ms)
            found.append((period, "" if without_end else begins_of(say, entry.name, rule)))
    if len(found) == 1:
        return found[0]
    return "; ".join(f"{period} {begins}".strip() for period, begins in found), ""


def _gone_by_ms(
    conn: Connection,
    entry: TableEntry,
    person: DataSubject,
    due: Mapping[str, Deadline],
    periods: Periods,
    now_ms: int,
) -> int | None:
    table = metadata.tables[entry.name]
    theirs = belongs_to(entry, person)
    clocks = [table.c[rule.clock] for rule in entry.keep if isinstance(rule, Keep)]
    if theirs is None:
        return None
    # What a hold or a restriction keeps, and what has not ended yet, has no day.
    not_ended = and_(*(or_(clock.is_(None), clock == UNTIL_ENDED_MS) for clock in clocks)) if clocks else false()
    without_day = or_(kept(table), restricted(table), not_ended)
    if conn.execute(select(func.count()).select_from(table).where(theirs, without_day)).scalar_one():
        return None
    ends: list[int | None] = []
    for rule in entry.keep:
        if isinstance(rule, KeepWith):
            parent: TableEntry = next(each for each in entries(metadata) if each.name == rule.table)
            ends.append(_gone_by_ms(conn, parent, person, due, periods, now_ms))
        elif isinstance(rule, Keep):
            ends += _ends(conn, table, rule, theirs, due[rule.name], periods, now_ms)
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _ends(
    conn: Connection, table: Any, rule: Keep, theirs: Any, deadline: Deadline, periods: Periods, now_ms: int
) -> list[int | None]:
    """By when the newest row is gone, once for each room that has its own period."""
    clock, room = table.c[rule.clock], room_column(table)
    newest = select(func.max(clock)).where(theirs, clock.is_not(None))
    if rule.rule.per_room and room is not None:
        rows = conn.execute(newest.add_columns(room).group_by(room)).all()
        each = [(at_ms, periods.room(room_id, rule.name, now_ms)) for at_ms, room_id in rows]
    else:
        each = [(conn.execute(newest).scalar(), deadline.period_ms)]
    found: list[int | None] = []
    for at_ms, period_ms in each:
        if at_ms is None:
            continue
        if period_ms is None or deadline.period_ms is None or deadline.gone_everywhere_ms is None:
            found.append(None)
        else:
            found.append(at_ms + period_ms + deadline.gone_everywhere_ms - deadline.period_ms)
    return found
