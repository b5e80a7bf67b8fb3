"""The SQL of what members are told on the pages, and of what they want to be told.

Nothing of anybody else stands in a notification: titles and names are read from what it is about, as its reader may see
that now. What they may not see any more, or what is gone, is not shown.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    delete,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from pymeet.db.schema import (
    exports,
    invitees,
    known_devices,
    meetings,
    notification_choices,
    notifications,
    recordings,
    requests,
    rooms,
    users,
)
from pymeet.privacy.periods import Periods
from pymeet.privacy.visible import visible
from pymeet.recording.catalogue_store import concerns

_OF_RECORDINGS = ("recording_ready", "recording_shared", "recording_expiring")
_OF_MEETINGS = ("meeting_invited", "meeting_changed", "meeting_cancelled")
_WITHOUT_OBJECT = ("meeting_cancelled", "new_device")
"""Told also when what it was about is gone."""


def page(
    conn: Connection, user_id: str, periods: Periods, now_ms: int, before: tuple[int, str] | None, limit: int
) -> list[RowMapping]:
    """The newest first; `before` is when the last one of the page before was told, and its id."""
    place = (notifications.c.created_at_ms, notifications.c.id)
    further = true() if before is None else tuple_(*place) < tuple_(*before)
    query = _shown(user_id, periods, now_ms).where(further).order_by(*(each.desc() for each in place)).limit(limit)
    return list(conn.execute(query).mappings())


def unread(conn: Connection, user_id: str, periods: Periods, now_ms: int) -> int:
    """How many are shown that were not read."""
    those = _shown(user_id, periods, now_ms).where(notifications.c.read_at_ms.is_(None)).subquery()
    return conn.execute(select(func.count()).select_from(those)).scalar_one()


def mark_read(conn: Connection, user_id: str, which: ColumnElement[bool], now_ms: int) -> None:
    mine = and_(notifications.c.user_id == user_id, notifications.c.read_at_ms.is_(None), which)
    conn.execute(update(notifications).where(mine).values(read_at_ms=now_ms))


def is_there(conn: Connection, user_id: str, notification_id: str) -> bool:
    mine = notifications.c.id == notification_id, notifications.c.user_id == user_id
    return conn.execute(select(notifications.c.id).where(*mine)).first() is not None


def remove(conn: Connection, user_id: str, notification_id: str) -> bool:
    """Whether there was one."""
    mine = notifications.c.id == notification_id, notifications.c.user_id == user_id
    return conn.execute(delete(notifications).where(*mine)).rowcount > 0


def choices(conn: Connection, user_id: str) -> Mapping[str, tuple[bool, bool]]:
    """What somebody chose by kind: on the pages, by mail. What is not there was not chosen."""
    mine = notification_choices.c.user_id == user_id
    return {row.kind: (row.in_app, row.mail) for row in conn.execute(select(notification_choices).where(mine))}


def choose(conn: Connection, user_id: str, kind: str, *, in_app: bool, mail: bool) -> None:
    values = {"in_app": in_app, "mail": mail}
    made = upsert(notification_choices).values(user_id=user_id, kind=kind, **values)
    conn.execute(made.on_conflict_do_update(index_elements=["user_id", "kind"], set_=values))


def _shown(user_id: str, periods: Periods, now_ms: int) -> Select[Any]:
    """What somebody is shown, each with what it is about; every join finds one row at most."""
    kind, about = notifications.c.kind, notifications.c.object_id
    organiser, guest = users.alias("organiser"), users.alias("invited_member")
    answered, place, own = meetings.alias("answered"), rooms.alias("place"), invitees.alias("own")
    invited = meetings.c.id.in_(select(own.c.meeting_id).where(own.c.user_id == user_id))
    meeting = and_(meetings.c.id == about, kind.in_(_OF_MEETINGS), invited, visible(meetings, periods, now_ms))
    answer = and_(
        invitees.c.id == about,
        kind == "meeting_answered",
        invitees.c.answer != "none",
        visible(invitees, periods, now_ms),
    )
    recording = and_(
        recordings.c.id == about,
        kind.in_(_OF_RECORDINGS),
        recordings.c.trashed_at_ms.is_(None),
        visible(recordings, periods, now_ms),
    )
    where = and_(
        place.c.id == about,
        or_(kind == "meeting_cancelled", and_(kind == "somebody_waits", place.c.owner_id == user_id)),
        place.c.deleted_at_ms.is_(None),
    )
    archive = and_(exports.c.id == about, exports.c.user_id == user_id, exports.c.link_expires_at_ms > now_ms)
    mine = and_(answered.c.id == invitees.c.meeting_id, answered.c.organiser_id == user_id)
    titles = (meetings.c.title, answered.c.title, recordings.c.name, place.c.name, known_devices.c.name)
    return (
        select(
            notifications,
            func.coalesce(*titles).label("subject"),
            func.coalesce(organiser.c.name, guest.c.name, invitees.c.email).label("person"),
            invitees.c.answer,
            place.c.slug,
            func.coalesce(meetings.c.id, answered.c.id).label("meeting_id"),
            meetings.c.starts_local,
        )
        .select_from(notifications)
        .outerjoin(meetings, meeting)
        .outerjoin(organiser, organiser.c.id == meetings.c.organiser_id)
        .outerjoin(invitees, answer)
        .outerjoin(answered, mine)
        .outerjoin(guest, guest.c.id == invitees.c.user_id)
        .outerjoin(recordings, recording)
        .outerjoin(rooms, rooms.c.id == recordings.c.room_id)
        .outerjoin(place, where)
        .outerjoin(exports, archive)
        .outerjoin(requests, and_(requests.c.id == about, requests.c.user_id == user_id))
        .outerjoin(known_devices, and_(known_devices.c.id == about, known_devices.c.user_id == user_id))
        .where(
            notifications.c.user_id == user_id,
            visible(notifications, periods, now_ms),
            or_(
                kind.in_(_WITHOUT_OBJECT),
                meetings.c.id.is_not(None),
                answered.c.id.is_not(None),
                and_(recordings.c.id.is_not(None), concerns(user_id)),
                place.c.id.is_not(None),
                exports.c.id.is_not(None),
                requests.c.id.is_not(None),
            ),
        )
    )
