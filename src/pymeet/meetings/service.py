"""Meetings: rooms, attendance and messages that last. What happens live is elsewhere. Times are UTC milliseconds."""

from sqlalchemy import RowMapping

from pymeet.accounts.texts import clean_line, clean_text
from pymeet.clock import Clock
from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.db.schema import messages
from pymeet.errors import ConflictError, NotFoundError, NotSignedInError
from pymeet.ids import new_id, new_slug
from pymeet.meetings import store
from pymeet.meetings.model import Message, Room
from pymeet.meetings.slugs import checked_slug
from pymeet.privacy.periods import Periods
from pymeet.privacy.visible import visible

__all__ = ["Meetings", "Message", "Room"]

MESSAGE_LENGTH = 4_000


class Meetings:
    """Everything about meetings that outlives them. With `periods` it shows nothing whose time is over."""

    def __init__(self, db: Database, clock: Clock, periods: Periods | None = None) -> None:
        self._db = db
        self._clock = clock
        self._periods = periods

    async def create_room(
        self, name: str, owner_id: str | None, slug: str | None = None, *, by: str | None = None
    ) -> Room:
        """Makes a room, at a random address unless `slug` names one. Without `by` its owner makes it.

        Raises InvalidInputError, ConflictError (`slug_taken`; the address of a deleted room stays taken for a while),
        or NotFoundError for an owner without account.
        """
        name = clean_line(name, what="The room's name")
        wanted = None if slug is None else checked_slug(slug)
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            if owner_id is not None and not await store.person_exists(conn, owner_id):
                raise NotFoundError("There is no such account.")
            if wanted is None:
                wanted = new_slug()
                while await store.slug_taken(conn, wanted):
                    wanted = new_slug()
            elif await store.slug_taken(conn, wanted):
                raise ConflictError(f"The address {wanted} is taken. Choose another one.", code="slug_taken")
            room = Room(new_id(), wanted, name, owner_id, now_ms)
            await store.add_room(
                conn, id=room.id, slug=room.slug, name=room.name, owner_id=owner_id, created_at_ms=now_ms
            )
            actor = by or owner_id or audit.OPERATOR
            await audit.record(conn, at_ms=now_ms, actor=actor, action="room.created", target=room.id)
        return room

    async def rooms(self, owner_id: str | None = None, *, or_nobody: bool = False) -> list[Room]:
        """Rooms, oldest first: all, or those of one owner, with `or_nobody` together with those of nobody."""
        async with self._db.read() as conn:
            return [_room(row) for row in await store.all_rooms(conn, owner_id, or_nobody=or_nobody)]

    async def room(self, slug: str) -> Room:
        """The room at this address. Raises NotFoundError."""
        async with self._db.read() as conn:
            row = await store.room(conn, slug)
        if row is None:
            raise _no_room()
        return _room(row)

    async def delete_room(self, slug: str, *, by: str = audit.OPERATOR) -> None:
        """Deletes the room with all its messages and attendance, for good; only the address stays taken for a while.

        `by` is the id of whoever does it. Raises NotFoundError.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await store.room(conn, slug)
            if row is None:
                raise _no_room()
            await store.empty_and_mark_room(conn, row["id"], now_ms)
            await audit.record(conn, at_ms=now_ms, actor=by, action="room.deleted", target=row["id"])

    async def attended(self, room_id: str, participant_id: str, name: str, user_id: str | None, kind: str) -> None:
        """Notes that somebody joined. Raises NotFoundError when the room is gone, InvalidInputError for the name.

        NotSignedInError when the account was locked since it was last looked at: here, where nothing can come between.
        """
        name = clean_line(name, what="The name")
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            if not await store.room_exists(conn, room_id):
                raise _no_room()
            if user_id is not None and await store.person_is_locked(conn, user_id):
                raise NotSignedInError("This account cannot be used.")
            await store.add_attendance(
                conn,
                participant_id=participant_id,
                room_id=room_id,
                name=name,
                user_id=user_id,
                kind=kind,
                joined_at_ms=now_ms,
            )

    async def left(self, participant_id: str) -> None:
        """Notes that somebody left; no error where nothing is open, such as in a room deleted meanwhile."""
        async with self._db.write() as conn:
            await store.close_attendance(conn, participant_id, self._clock.now_ms())

    async def close_open_attendance(self, at_ms: int) -> int:
        """Closes what a killed server left open and tells how many that were; to be called before anybody joins."""
        async with self._db.write() as conn:
            return await store.close_open_attendance(conn, at_ms)

    async def add_message(self, room_id: str, participant_id: str, name: str, text: str) -> Message:
        """Stores a message; when this returns it is on the disk.

        Raises InvalidInputError (text of 1 to 4,000 characters), or NotFoundError when the room is gone.
        """
        message = Message(
            id=new_id(),
            participant_id=participant_id,
            name=clean_line(name, what="The name"),
            text=clean_text(text, what="The message", limit=MESSAGE_LENGTH),
            at_ms=self._clock.now_ms(),
        )
        async with self._db.write() as conn:
            if not await store.room_exists(conn, room_id):
                raise _no_room()
            await store.add_message(
                conn,
                id=message.id,
                room_id=room_id,
                participant_id=participant_id,
                name=message.name,
                text=message.text,
                at_ms=message.at_ms,
            )
        return message

    async def messages(self, room_id: str, after_id: str | None = None, limit: int = 200) -> list[Message]:
        """The newest `limit` messages, oldest first; only those after `after_id` where the room has that message.

        Without those whose time is over, and those of people who restricted the use of their data.
        """
        shown = None if self._periods is None else visible(messages, self._periods, self._clock.now_ms())
        async with self._db.read() as conn:
            return [_message(row) for row in await store.newest_messages(conn, room_id, after_id, limit, shown)]


def _room(row: RowMapping) -> Room:
    return Room(row["id"], row["slug"], row["name"], row["owner_id"], row["created_at_ms"])


def _message(row: RowMapping) -> Message:
    return Message(row["id"], row["participant_id"], row["name"], row["text"], row["at_ms"])


def _no_room() -> NotFoundError:
    return NotFoundError("There is no such room.")
