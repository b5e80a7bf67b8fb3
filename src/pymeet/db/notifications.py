"""What members are told on the pages: putting one in belongs to the transaction of the deed that it tells of.

A row says of what kind it is and what it is about; the words are made when it is read (`ops/notifications.py`).
"""

from typing import Final

from sqlalchemy import Connection, Select, delete, exists, insert, select

from pymeet.db.schema.notifications import notification_choices, notifications
from pymeet.ids import new_id

ALWAYS: Final = frozenset({"new_device"})
"""What is told whether or not somebody wants it, for whoever took an account over would want it least."""

BY_MAIL: Final = frozenset(
    {
        "meeting_invited",
        "meeting_changed",
        "meeting_cancelled",
        "recording_expiring",
        "export_ready",
        "request_decided",
    }
)
"""The kinds of which a mail tells, too, unless somebody does not want it."""

MOST: Final = 200
"""Of one member; then the oldest go."""


def tell(
    conn: Connection,
    *,
    now_ms: int,
    user_id: str,
    kind: str,
    object_id: str,
    moment_ms: int | None = None,
    instead_of_ms: int | None = None,
    quiet_ms: int = 0,
) -> None:
    """Tells a member, where they want to be told, of something of this kind (`KINDS`) about this object.

    It takes the place of what they were told before about the same; with `instead_of_ms` only where that spoke of this
    moment. With `quiet_ms` they are not told again so soon after it.
    """
    same = [notifications.c.user_id == user_id, notifications.c.kind == kind, notifications.c.object_id == object_id]
    if instead_of_ms is not None:
        same.append(notifications.c.moment_ms == instead_of_ms)
    if (
        quiet_ms
        and conn.execute(select(exists().where(*same, notifications.c.created_at_ms > now_ms - quiet_ms))).scalar()
    ):
        return
    if kind not in ALWAYS and not _wants(conn, user_id, kind)[0]:
        return
    conn.execute(delete(notifications).where(*same))
    conn.execute(
        insert(notifications).values(
            id=new_id(),
            user_id=user_id,
            kind=kind,
            object_id=object_id,
            moment_ms=moment_ms,
            created_at_ms=now_ms,
        )
    )
    conn.execute(
        delete(notifications).where(notifications.c.user_id == user_id, notifications.c.id.not_in(_newest(user_id)))
    )


def take_back(conn: Connection, kind: str, object_id: str) -> None:
    """Nobody is told of it any more."""
    conn.execute(delete(notifications).where(notifications.c.kind == kind, notifications.c.object_id == object_id))


def wants_mail(conn: Connection, user_id: str | None, kind: str) -> bool:
    """Whether a mail of this kind may go to somebody; whoever has no account cannot say that they want none."""
    return user_id is None or _wants(conn, user_id, kind)[1]


def _wants(conn: Connection, user_id: str, kind: str) -> tuple[bool, bool]:
    """On the pages, and by mail."""
    mine = notification_choices.c.user_id == user_id, notification_choices.c.kind == kind
    row = conn.execute(select(notification_choices.c.in_app, notification_choices.c.mail).where(*mine)).first()
    return (True, True) if row is None else (row.in_app, row.mail)


def _newest(user_id: str) -> Select[tuple[str]]:
    order = notifications.c.created_at_ms.desc(), notifications.c.id.desc()
    mine = select(notifications.c.id).where(notifications.c.user_id == user_id)
    return mine.order_by(*order).limit(MOST)
