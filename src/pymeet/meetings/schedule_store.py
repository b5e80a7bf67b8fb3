"""The SQL of scheduled meetings. Every function takes the connection of a transaction that its caller owns."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from pymeet.db.schema import (
    calendar_feeds,
    invitees,
    mail_outbox,
    meeting_exceptions,
    meetings,
    notification_settings,
    processing_limits,
    reminder_marks,
    rooms,
    users,
)
from pymeet.meetings.recurrence import Change, Timing
from pymeet.meetings.scheduled import Invitee, Scheduled
from pymeet.privacy.rows import rowid
from pymeet.privacy.visible import HIDING

REMINDER_MIN = 15
"""How long before a meeting people are reminded who did not choose a time."""


def add_meeting(conn: Connection, **values: Any) -> None:
    conn.execute(insert(meetings).values(**values))


def update_meeting(conn: Connection, meeting_id: str, **values: Any) -> None:
    conn.execute(update(meetings).where(meetings.c.id == meeting_id).values(**values))


def put_next(conn: Connection, meeting_id: str, next_at_ms: int | None) -> None:
    """Notes when it begins next, where that is not what is noted already."""
    other = and_(meetings.c.id == meeting_id, meetings.c.next_at_ms.is_distinct_from(next_at_ms))
    conn.execute(update(meetings).where(other).values(next_at_ms=next_at_ms))


def put_changes(conn: Connection, meeting_id: str, changes: Collection[Change]) -> None:
    """Makes these the exceptions of the meeting."""
    conn.execute(delete(meeting_exceptions).where(meeting_exceptions.c.meeting_id == meeting_id))
    for each in changes:
        conn.execute(
            insert(meeting_exceptions).values(
                meeting_id=meeting_id,
                recurrence_id=each.recurrence_id,
                cancelled=each.cancelled,
                starts_local=each.starts_local,
                duration_min=each.duration_min,
            )
        )


def scheduled(conn: Connection, condition: ColumnElement[bool]) -> list[Scheduled]:
    """The meetings that a condition picks, with their exceptions, in the order in which they begin for the first time."""
    query = (
        select(meetings, rooms.c.slug, rooms.c.name.label("room_name"), users.c.name.label("organiser_name"))
        .join(rooms, rooms.c.id == meetings.c.room_id)
        .join(users, users.c.id == meetings.c.organiser_id)
        .where(condition, rooms.c.deleted_at_ms.is_(None))
        .order_by(meetings.c.starts_at_ms, meetings.c.id)
    )
    rows = conn.execute(query).mappings().all()
    changes = _changes(conn, [row["id"] for row in rows if row["rrule"] is not None])
    return [_scheduled(row, changes.get(row["id"], ())) for row in rows]


def own_room(conn: Connection, slug: str, user_id: str, *, or_nobodys: bool) -> str | None:
    """The id of a room that the person may plan meetings in."""
    mine = rooms.c.owner_id == user_id
    query = select(rooms.c.id).where(rooms.c.slug == slug, rooms.c.deleted_at_ms.is_(None))
    return conn.execute(query.where(or_(mine, rooms.c.owner_id.is_(None)) if or_nobodys else mine)).scalar()


def concerns(user_id: str) -> ColumnElement[bool]:
    """The condition that picks the meetings that somebody planned or is invited to."""
    invited = select(invitees.c.meeting_id).where(invitees.c.user_id == user_id)
    return or_(meetings.c.organiser_id == user_id, meetings.c.id.in_(invited))


def meetings_of(*invited: ColumnElement[bool]) -> Select[tuple[str]]:
    """The ids of the meetings of such invitees."""
    return select(invitees.c.meeting_id).where(*invited)


def answers(conn: Connection, user_id: str) -> dict[str, str]:
    """What a member answered, by meeting; of who is invited twice the first counts."""
    query = select(invitees.c.meeting_id, invitees.c.answer).where(invitees.c.user_id == user_id)
    query = query.order_by(invitees.c.created_at_ms.desc(), rowid(invitees).desc())
    return {row.meeting_id: row.answer for row in conn.execute(query)}


def add_invitee(conn: Connection, **values: Any) -> None:
    conn.execute(insert(invitees).values(**values))


def remove_invitee(conn: Connection, invitee_id: str) -> None:
    conn.execute(delete(invitees).where(invitees.c.id == invitee_id))


def is_invited(conn: Connection, meeting_id: str, email: str) -> bool:
    """Whether this very address is invited already. That a member has two addresses is not told to the organiser."""
    here = invitees.c.meeting_id == meeting_id, invitees.c.email == email
    return conn.execute(select(exists().where(*here))).scalar_one()


def free_address(conn: Connection, meeting_id: str, email: str) -> None:
    """Takes the address out of the row of a member who was invited by a group, which leads to them without it."""
    here = invitees.c.meeting_id == meeting_id, invitees.c.email == email, invitees.c.by_group
    conn.execute(update(invitees).where(*here, invitees.c.user_id.is_not(None)).values(email=invitees.c.user_id))


def planned_count(conn: Connection, organiser_id: str, now_ms: int) -> int:
    """How many meetings of an organiser are not over."""
    lasting = or_(meetings.c.ends_at_ms.is_(None), meetings.c.ends_at_ms > now_ms)
    query = select(func.count()).select_from(meetings).where(meetings.c.organiser_id == organiser_id, lasting)
    return conn.execute(query).scalar_one()


def invited(conn: Connection, condition: ColumnElement[bool]) -> list[Invitee]:
    """The invitees that a condition picks, in the order in which they were invited."""
    query = (
        select(
            invitees,
            users.c.email.label("own_email"),
            users.c.name,
            users.c.language.label("own_language"),
            users.c.time_zone,
            notification_settings.c.mail,
            notification_settings.c.reminder_min,
            notification_settings.c.user_id.label("has_settings"),
            _usable().label("usable"),
        )
        .outerjoin(users, users.c.id == invitees.c.user_id)
        .outerjoin(notification_settings, notification_settings.c.user_id == invitees.c.user_id)
        .where(condition)
        .order_by(invitees.c.created_at_ms, rowid(invitees))
    )
    return [_invitee(row) for row in conn.execute(query).mappings()]


def organiser_of(conn: Connection, meeting: Scheduled) -> Invitee:
    """Who planned the meeting, as one of those who are reminded of it."""
    query = (
        select(users, notification_settings.c.mail, notification_settings.c.reminder_min)
        .add_columns(notification_settings.c.user_id.label("has_settings"), _usable().label("usable"))
        .outerjoin(notification_settings, notification_settings.c.user_id == users.c.id)
        .where(users.c.id == meeting.organiser_id)
    )
    row = conn.execute(query).mappings().one()
    return Invitee(
        id=row["id"],
        meeting_id=meeting.id,
        user_id=row["id"],
        email=row["email"],
        write_to=row["email"],
        name=row["name"],
        language=row["language"] or "",
        time_zone=row["time_zone"],
        answer="accepted",
        answered_at_ms=None,
        wants_mail=_wants_mail(row),
        reminder_min=_reminder_min(row),
    )


def answer(conn: Connection, invitee_id: str, word: str, now_ms: int) -> None:
    conn.execute(update(invitees).where(invitees.c.id == invitee_id).values(answer=word, answered_at_ms=now_ms))


def ask_again(conn: Connection, meeting_id: str) -> None:
    """Whoever answered answered for another time."""
    mine = invitees.c.meeting_id == meeting_id
    conn.execute(update(invitees).where(mine).values(answer="none", answered_at_ms=None))


def member_by_email(conn: Connection, email: str) -> RowMapping | None:
    """The account of an address, where it can be used."""
    query = select(users.c.id, users.c.language).where(users.c.email == email, _usable())
    return conn.execute(query).mappings().first()


def forget_mails(conn: Connection, meeting_ids: Collection[str]) -> None:
    """Removes the mails about these meetings that wait or were sent a short while ago."""
    for meeting_id in meeting_ids:
        about = func.json_extract(mail_outbox.c.template_values, "$.meeting") == meeting_id
        conn.execute(delete(mail_outbox).where(mail_outbox.c.template.like("meeting\\_%", escape="\\"), about))


def feed_at_ms(conn: Connection, user_id: str) -> int | None:
    query = select(calendar_feeds.c.created_at_ms).where(calendar_feeds.c.user_id == user_id)
    return conn.execute(query).scalar()


def put_feed(conn: Connection, user_id: str, secret_hash: str, now_ms: int) -> None:
    made = upsert(calendar_feeds).values(user_id=user_id, secret_hash=secret_hash, created_at_ms=now_ms)
    again = {"secret_hash": secret_hash, "created_at_ms": now_ms}
    conn.execute(made.on_conflict_do_update(index_elements=["user_id"], set_=again))


def remove_feed(conn: Connection, user_id: str) -> None:
    conn.execute(delete(calendar_feeds).where(calendar_feeds.c.user_id == user_id))


def feed_owner(conn: Connection, secret_hash: str) -> str | None:
    """Whose feed it is, where they could sign in."""
    query = select(users.c.id).join(calendar_feeds, calendar_feeds.c.user_id == users.c.id)
    return conn.execute(query.where(calendar_feeds.c.secret_hash == secret_hash, _usable())).scalar()


def settings(conn: Connection, user_id: str) -> tuple[bool, int | None]:
    """Whether a member wants mail about meetings, and how many minutes before they want to be reminded."""
    mine = select(notification_settings).where(notification_settings.c.user_id == user_id)
    row = conn.execute(mine).mappings().first()
    return (True, REMINDER_MIN) if row is None else (row["mail"], row["reminder_min"])


def put_settings(conn: Connection, user_id: str, *, mail: bool, reminder_min: int | None) -> None:
    values = {"mail": mail, "reminder_min": reminder_min}
    made = upsert(notification_settings).values(user_id=user_id, **values)
    conn.execute(made.on_conflict_do_update(index_elements=["user_id"], set_=values))


def reminded_until_ms(conn: Connection) -> int | None:
    return conn.execute(select(reminder_marks.c.until_ms)).scalar()


def put_reminded_until(conn: Connection, until_ms: int) -> None:
    made = upsert(reminder_marks).values(id=1, until_ms=until_ms)
    conn.execute(made.on_conflict_do_update(index_elements=["id"], set_={"until_ms": until_ms}))


def _usable() -> ColumnElement[bool]:
    hidden = select(processing_limits.c.user_id).where(
        processing_limits.c.user_id == users.c.id,
        processing_limits.c.cause.in_(HIDING),
        processing_limits.c.lifted_at_ms.is_(None),
    )
    return and_(users.c.disabled_at_ms.is_(None), ~exists(hidden.correlate(users)))


def _changes(conn: Connection, meeting_ids: Sequence[str]) -> dict[str, tuple[Change, ...]]:
    found: dict[str, tuple[Change, ...]] = {}
    query = select(meeting_exceptions).where(meeting_exceptions.c.meeting_id.in_(meeting_ids))
    for row in conn.execute(query.order_by(meeting_exceptions.c.recurrence_id)).mappings():
        change = Change(row["recurrence_id"], row["cancelled"], row["starts_local"], row["duration_min"])
        found[row["meeting_id"]] = (*found.get(row["meeting_id"], ()), change)
    return found


def _scheduled(row: RowMapping, changes: tuple[Change, ...]) -> Scheduled:
    return Scheduled(
        id=row["id"],
        room_id=row["room_id"],
        slug=row["slug"],
        room_name=row["room_name"],
        organiser_id=row["organiser_id"],
        organiser_name=row["organiser_name"],
        title=row["title"],
        agenda=row["agenda"],
        timing=Timing(row["starts_local"], row["time_zone"], row["duration_min"], row["rrule"], changes),
        sequence=row["sequence"],
        changed_at_ms=row["changed_at_ms"],
        starts_at_ms=row["starts_at_ms"],
        ends_at_ms=row["ends_at_ms"],
    )


def _invitee(row: RowMapping) -> Invitee:
    return Invitee(
        id=row["id"],
        meeting_id=row["meeting_id"],
        user_id=row["user_id"],
        email=row["email"],
        write_to=row["own_email"] or row["email"],
        name=row["name"] if row["answer"] != "none" or row["by_group"] else None,
        language=row["own_language"] or row["language"],
        time_zone=row["time_zone"],
        answer=row["answer"],
        answered_at_ms=row["answered_at_ms"],
        wants_mail=row["user_id"] is None or _wants_mail(row),
        reminder_min=_reminder_min(row),
        by_group=row["by_group"],
    )


def _wants_mail(row: RowMapping) -> bool:
    return bool(row["usable"]) and (row["has_settings"] is None or row["mail"])


def _reminder_min(row: RowMapping) -> int | None:
    minutes: int | None = REMINDER_MIN if row["has_settings"] is None else row["reminder_min"]
    return minutes if row["usable"] else None
