"""The SQL of meetings. Every function takes the connection of a transaction that its caller owns."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    ScalarSelect,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from pymeet.db.engine import Transaction
from pymeet.db.schema import (
    attendance,
    message_recipients,
    messages,
    processing_limits,
    recordings,
    room_passwords,
    rooms,
    users,
)
from pymeet.privacy import limits
from pymeet.privacy.holds import kept
from pymeet.privacy.rows import delete_rows

_ROOMS = (
    select(rooms, room_passwords.c.password_hash)
    .outerjoin(room_passwords, room_passwords.c.room_id == rooms.c.id)
    .where(rooms.c.deleted_at_ms.is_(None))
)


async def add_room(conn: Transaction, **values: Any) -> None:
    await conn.execute(insert(rooms).values(**values))


async def person_exists(conn: Transaction, user_id: str) -> bool:
    return (await conn.execute(select(users.c.id).where(users.c.id == user_id))).first() is not None


async def person_is_admin(conn: Transaction, user_id: str) -> bool:
    query = select(users.c.id).where(users.c.id == user_id, users.c.is_admin)
    return (await conn.execute(query)).first() is not None


async def person_is_locked(conn: Transaction, user_id: str) -> bool:
    """Whether the account is disabled, being erased, or gone."""
    there = select(users.c.id).where(users.c.id == user_id)
    disabled = select(users.c.id).where(users.c.id == user_id, users.c.disabled_at_ms.is_not(None))
    erasing = select(processing_limits.c.id).where(
        processing_limits.c.user_id == user_id,
        processing_limits.c.cause == limits.ERASURE,
        processing_limits.c.lifted_at_ms.is_(None),
    )
    return bool((await conn.execute(select(or_(~exists(there), exists(disabled), exists(erasing))))).scalar_one())


async def slug_taken(conn: Transaction, slug: str) -> bool:
    """Deleted rooms keep their address for a while, so these count too."""
    return (await conn.execute(select(rooms.c.id).where(rooms.c.slug == slug))).first() is not None


async def room(conn: Transaction, slug: str) -> RowMapping | None:
    query = _ROOMS.where(rooms.c.slug == slug)
    return (await conn.execute(query)).mappings().first()


async def room_exists(conn: Transaction, room_id: str) -> bool:
    query = select(rooms.c.id).where(rooms.c.id == room_id, rooms.c.deleted_at_ms.is_(None))
    return (await conn.execute(query)).first() is not None


async def all_rooms(conn: Transaction, owner_id: str | None, *, or_nobody: bool = False) -> list[RowMapping]:
    query = _ROOMS.order_by(rooms.c.created_at_ms, rooms.c.slug)
    if owner_id is not None:
        theirs = rooms.c.owner_id == owner_id
        query = query.where(or_(theirs, rooms.c.owner_id.is_(None)) if or_nobody else theirs)
    return list((await conn.execute(query)).mappings())


async def empty_and_mark_room(conn: Transaction, room_id: str, at_ms: int) -> None:
    """Removes everything of a room but its address; what is under a legal hold goes with that, once the hold ends."""
    for table in (recordings, messages, attendance):
        await conn.run_sync(delete_rows, table, and_(table.c.room_id == room_id, ~kept(table)), at_ms)
    await set_password(conn, room_id, None)
    await conn.execute(update(rooms).where(rooms.c.id == room_id).values(name="", owner_id=None, deleted_at_ms=at_ms))


async def change_room(conn: Transaction, room_id: str, **values: Any) -> None:
    await conn.execute(update(rooms).where(rooms.c.id == room_id).values(**values))


async def leave_recordings(conn: Transaction, room_id: str) -> None:
    """Notes with the recordings that are the room's owner's alone whose they are, before the room gets another owner."""
    owner = select(rooms.c.owner_id).where(rooms.c.id == room_id).scalar_subquery()
    since = select(func.coalesce(rooms.c.owner_since_ms, 0)).where(rooms.c.id == room_id).scalar_subquery()
    theirs = recordings.c.room_id == room_id, recordings.c.owner_id.is_(None), recordings.c.started_at_ms >= since
    await conn.execute(update(recordings).where(*theirs).values(owner_id=owner))


async def set_password(conn: Transaction, room_id: str, password_hash: str | None) -> None:
    """None takes it away."""
    await conn.execute(delete(room_passwords).where(room_passwords.c.room_id == room_id))
    if password_hash is not None:
        await conn.execute(insert(room_passwords).values(room_id=room_id, password_hash=password_hash))


async def add_attendance(conn: Transaction, *, user_id: str | None, **values: Any) -> None:
    """Opens a row; somebody who comes back under the same participant id is there again in the same row.

    An account that is gone by now counts as none. Whoever objected to attendance being kept has no name there.
    """
    if user_id is not None and await conn.run_sync(limits.objects, user_id):
        values["name"] = limits.NAMELESS
    person = select(users.c.id).where(users.c.id == user_id).scalar_subquery()
    again = upsert(attendance).values(user_id=person, **values)
    await conn.execute(
        again.on_conflict_do_update(
            index_elements=[attendance.c.participant_id],
            set_={"name": again.excluded.name, "left_at_ms": None},
        )
    )


async def close_attendance(conn: Transaction, participant_id: str, at_ms: int) -> None:
    await conn.execute(
        update(attendance)
        .where(attendance.c.participant_id == participant_id, attendance.c.left_at_ms.is_(None))
        .values(left_at_ms=func.max(attendance.c.joined_at_ms, at_ms))
    )
    # Until here the row led from the seat to the account, so that messages are known to be theirs.
    await conn.run_sync(limits.let_go, attendance, attendance.c.participant_id == participant_id, at_ms)


async def close_open_attendance(conn: Transaction, at_ms: int) -> int:
    """How many rows were open. Whoever objected to attendance being kept is let go of, as on leaving."""
    closed = await conn.execute(
        update(attendance)
        .where(attendance.c.left_at_ms.is_(None))
        .values(left_at_ms=func.max(attendance.c.joined_at_ms, at_ms))
    )
    await conn.run_sync(limits.let_go, attendance, attendance.c.left_at_ms.is_not(None), at_ms)
    return closed.rowcount


async def attendees(
    conn: Transaction, room_id: str, limit: int, shown: ColumnElement[bool] | None = None
) -> list[RowMapping]:
    """Who was in the room since it is its owner's, those of `shown`, the newest first."""
    since = select(func.coalesce(rooms.c.owner_since_ms, 0)).where(rooms.c.id == room_id).scalar_subquery()
    query = select(attendance).where(attendance.c.room_id == room_id, true() if shown is None else shown)
    query = query.where(attendance.c.joined_at_ms >= since)
    query = query.order_by(attendance.c.joined_at_ms.desc()).limit(limit)
    return list((await conn.execute(query)).mappings())


async def add_message(conn: Transaction, *, participant_id: str, to: str | None, at_ms: int, **values: Any) -> None:
    """Stores a message together with the account of its author, so that it is found when they ask for their data; and so
    with the one to whom alone it was written."""
    added = await conn.execute(
        insert(messages).values(
            participant_id=participant_id,
            user_id=_account_of(participant_id),
            at_ms=at_ms,
            is_private=to is not None,
            **values,
        )
    )
    if to is not None:
        key = added.inserted_primary_key
        assert key is not None  # noqa: S101  one row was inserted
        sequence = key[0]
        await conn.execute(
            insert(message_recipients).values(message=sequence, participant_id=to, user_id=_account_of(to), at_ms=at_ms)
        )


async def keep_newest(conn: Transaction, room_id: str, limit: int, at_ms: int) -> None:
    """Deletes all messages of the room but the newest; what is under a legal hold stays."""
    newest = select(messages.c.sequence).where(messages.c.room_id == room_id)
    oldest_kept = newest.order_by(messages.c.sequence.desc()).offset(limit - 1).limit(1).scalar_subquery()
    older = and_(messages.c.room_id == room_id, messages.c.sequence < oldest_kept, ~kept(messages))
    await conn.run_sync(delete_rows, messages, older, at_ms)


async def message(conn: Transaction, room_id: str, message_id: str) -> RowMapping | None:
    """A message, and under `is_held` whether a legal hold keeps it."""
    query = _MESSAGES.add_columns(kept(messages).label("is_held"))
    query = query.where(messages.c.room_id == room_id, messages.c.id == message_id)
    return (await conn.execute(query)).mappings().first()


async def change_message(conn: Transaction, message_id: str, **values: Any) -> None:
    await conn.execute(update(messages).where(messages.c.id == message_id).values(**values))


async def delete_message(conn: Transaction, message_id: str, at_ms: int) -> None:
    await conn.run_sync(delete_rows, messages, messages.c.id == message_id, at_ms)


async def newest_messages(
    conn: Transaction,
    room_id: str,
    after_id: str | None,
    limit: int,
    shown: ColumnElement[bool] | None = None,
    *,
    since_ms: int | None = None,
    participant_id: str | None = None,
    user_id: str | None = None,
) -> list[RowMapping]:
    """Those that `shown` picks, oldest first; of more than `limit` the newest. An unknown `after_id` counts as none.

    Private ones only where the participant or the account wrote them or got them.
    """
    mine = [~messages.c.is_private]
    for table in (messages, message_recipients):
        mine += [] if participant_id is None else [table.c.participant_id == participant_id]
        mine += [] if user_id is None else [table.c.user_id == user_id]
    query = _MESSAGES.where(messages.c.room_id == room_id, true() if shown is None else shown, or_(*mine))
    if since_ms is not None:
        query = query.where(messages.c.at_ms >= since_ms)
    if after_id is not None:
        after = select(messages.c.sequence).where(messages.c.id == after_id, messages.c.room_id == room_id)
        query = query.where(messages.c.sequence > func.coalesce(after.scalar_subquery(), 0))
    query = query.order_by(messages.c.sequence.desc()).limit(limit)
    return list(reversed((await conn.execute(query)).mappings().all()))


_MESSAGES = select(
    messages, message_recipients.c.participant_id.label("to"), message_recipients.c.user_id.label("to_user_id")
).outerjoin(message_recipients, message_recipients.c.message == messages.c.sequence)


def _account_of(participant_id: str) -> ScalarSelect[Any]:
    return select(attendance.c.user_id).where(attendance.c.participant_id == participant_id).scalar_subquery()
