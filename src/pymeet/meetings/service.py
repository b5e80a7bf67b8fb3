"""Meetings: rooms, attendance and messages that last. What happens live is elsewhere. Times are UTC milliseconds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, RowMapping

from pymeet.accounts.avatars import has_avatar
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.texts import clean_line, clean_text
from pymeet.clock import Clock
from pymeet.config import RoomsConfig
from pymeet.db import audit
from pymeet.db.engine import Database, Transaction
from pymeet.db.schema import attendance, messages
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError, NotSignedInError
from pymeet.ids import new_id, new_slug
from pymeet.meetings import store
from pymeet.meetings.model import Attendee, Message, Room
from pymeet.meetings.settings import NAMES, RoomSettings
from pymeet.meetings.slugs import checked_slug
from pymeet.privacy.periods import Periods
from pymeet.privacy.visible import visible

__all__ = ["Meetings", "Message", "Room"]

MESSAGE_LENGTH = 4_000
EDITING_MS = 15 * 60 * 1000
"""How long the author of a message may change it."""
ATTENDANCE_SHOWN = 1_000


class Meetings:
    """Everything about meetings that outlives them. With `periods` it shows nothing whose time is over."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        periods: Periods | None = None,
        *,
        passwords: Passwords | None = None,
        rules: Callable[[], RoomsConfig] = RoomsConfig,
    ) -> None:
        """`rules` says what holds on this server now; asked each time."""
        self.passwords = passwords or Passwords()
        """Makes and checks the passwords of rooms."""
        self._db = db
        self._clock = clock
        self._periods = periods
        self._rules = rules
        self.cancel_planned: Callable[[Connection, str, int], None] = lambda _conn, _room_id, _now_ms: None
        """Cancels the meetings planned in a room that is being deleted; `Planning` knows how."""

    async def create_room(
        self, name: str, owner_id: str | None, slug: str | None = None, *, by: str | None = None
    ) -> Room:
        """Makes a room, at a random address unless `slug` names one. Without `by` its owner makes it.

        Raises InvalidInputError, ConflictError (`slug_taken`; the address of a deleted room stays taken for a while),
        NotFoundError for an owner without account, or NotAllowedError (`rooms_by_admins`) where only administrators do.
        """
        name = clean_line(name, what="The room's name")
        wanted = None if slug is None else checked_slug(slug)
        now_ms = self._clock.now_ms()
        actor, rules = by or owner_id or audit.OPERATOR, self._rules()
        async with self._db.write() as conn:
            if owner_id is not None and not await store.person_exists(conn, owner_id):
                raise NotFoundError("There is no such account.")
            if (
                rules.may_create == "admins"
                and actor != audit.OPERATOR
                and not await store.person_is_admin(conn, actor)
            ):
                raise NotAllowedError("On this server administrators make the rooms.", code="rooms_by_admins")
            if wanted is None:
                wanted = new_slug()
                while await store.slug_taken(conn, wanted):
                    wanted = new_slug()
            elif await store.slug_taken(conn, wanted):
                raise ConflictError(f"The address {wanted} is taken. Choose another one.", code="slug_taken")
            room = Room(new_id(), wanted, name, owner_id, now_ms, RoomSettings(waiting_room=rules.waiting_room))
            await store.add_room(
                conn,
                id=room.id,
                slug=room.slug,
                name=room.name,
                owner_id=owner_id,
                created_at_ms=now_ms,
                waiting_room=rules.waiting_room,
            )
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

    async def has_picture(self, user_id: str) -> bool:
        """Whether the account has a picture to be shown in meetings."""
        async with self._db.read() as conn:
            return await has_avatar(conn, user_id)

    async def change_settings(self, slug: str, changes: dict[str, Any], *, by: str = audit.OPERATOR) -> Room:
        """Changes some of `RoomSettings`, and the password where `changes` has `password` (None takes it away).

        Raises NotFoundError, or InvalidInputError for values that are not acceptable.
        """
        settings = {name: value for name, value in changes.items() if name != "password"}
        password = changes.get("password")
        password_hash = None if password is None else await self.passwords.hash(password)
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await store.room(conn, slug)
            if row is None:
                raise _no_room()
            changed = _room(row).settings.changed(settings)
            await store.change_room(conn, row["id"], **{name: getattr(changed, name) for name in NAMES})
            if "password" in changes:
                await store.set_password(conn, row["id"], password_hash)
            if changed.chat_limit is not None:
                await store.keep_newest(conn, row["id"], changed.chat_limit, now_ms)
            await audit.record(conn, at_ms=now_ms, actor=by, action="room.changed", target=row["id"])
        return await self.room(slug)

    async def hand_over(self, slug: str, owner_id: str | None, *, by: str = audit.OPERATOR) -> Room:
        """Gives the room another owner, or (None) nobody in particular. What was before stays none of the new owner's:
        neither attendance nor recordings of that time become theirs. A recording that is its room's owner's alone stays
        that person's, whoever has the room afterwards.

        Raises NotFoundError for the room or the account, ConflictError (`account_disabled`) for one that is locked.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await store.room(conn, slug)
            if row is None:
                raise _no_room()
            if owner_id is not None and not await store.person_exists(conn, owner_id):
                raise NotFoundError("There is no such account.")
            if owner_id is not None and await store.person_is_locked(conn, owner_id):
                raise ConflictError("The account is disabled.", code="account_disabled")
            if row["owner_id"] != owner_id:
                await store.leave_recordings(conn, row["id"])
                await store.change_room(conn, row["id"], owner_id=owner_id, owner_since_ms=now_ms)
                await audit.record(conn, at_ms=now_ms, actor=by, action="room.handed_over", target=row["id"])
        return await self.room(slug)

    async def attendance(self, room_id: str) -> list[Attendee]:
        """Who was in the room since it is its owner's, the newest 1,000 first: as long as attendance is kept, and without
        who restricted that."""
        shown = None if self._periods is None else visible(attendance, self._periods, self._clock.now_ms())
        async with self._db.read() as conn:
            rows = await store.attendees(conn, room_id, ATTENDANCE_SHOWN, shown)
        return [
            Attendee(row["name"], row["user_id"] is not None, row["kind"], row["joined_at_ms"], row["left_at_ms"])
            for row in rows
        ]

    async def delete_room(self, slug: str, *, by: str = audit.OPERATOR) -> None:
        """Deletes the room with all its messages and attendance, for good; only the address stays taken for a while.

        `by` is the id of whoever does it. Raises NotFoundError.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await store.room(conn, slug)
            if row is None:
                raise _no_room()
            await conn.run_sync(self.cancel_planned, row["id"], now_ms)
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

    async def add_message(
        self,
        room_id: str,
        participant_id: str,
        name: str,
        text: str,
        *,
        to: str | None = None,
        keep_newest: int | None = None,
    ) -> Message:
        """Stores a message, with `to` for this participant alone; when this returns it is on the disk.

        Of the room's messages the newest `keep_newest` stay.

        Raises InvalidInputError (text of 1 to 4,000 characters), or NotFoundError when the room is gone.
        """
        message = Message(
            id=new_id(),
            participant_id=participant_id,
            name=clean_line(name, what="The name"),
            text=clean_text(text, what="The message", limit=MESSAGE_LENGTH),
            at_ms=self._clock.now_ms(),
            to=to,
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
                to=to,
            )
            if keep_newest is not None:
                await store.keep_newest(conn, room_id, keep_newest, message.at_ms)
        return message

    async def edit_message(
        self, room_id: str, message_id: str, text: str, *, participant_id: str, user_id: str | None
    ) -> Message:
        """Changes a message of this participant, or account, within 15 minutes.

        Raises InvalidInputError (the text), NotFoundError, NotAllowedError (another's, or too late), ConflictError (a hold).
        """
        text = clean_text(text, what="The message", limit=MESSAGE_LENGTH)
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await self._changeable(conn, room_id, message_id, participant_id, user_id)
            if not _is_author(row, participant_id, user_id):
                raise NotAllowedError("Only who wrote a message may change it.")
            if now_ms >= row["at_ms"] + EDITING_MS:
                raise NotAllowedError("A message can be changed for 15 minutes.")
            await store.change_message(conn, message_id, text=text, edited_at_ms=now_ms)
        return replace(_message(row), text=text, edited_at_ms=now_ms)

    async def delete_message(
        self, room_id: str, message_id: str, *, participant_id: str, user_id: str | None, any_message: bool
    ) -> Message:
        """Deletes a message of this participant, or account, or (`any_message`) of anybody; for good.

        Raises NotFoundError, NotAllowedError for another's, or ConflictError when a legal hold keeps it.
        """
        async with self._db.write() as conn:
            row = await self._changeable(conn, room_id, message_id, participant_id, user_id)
            if not any_message and not _is_author(row, participant_id, user_id):
                raise NotAllowedError("Only who wrote a message, or a host, may delete it.")
            await store.delete_message(conn, message_id, self._clock.now_ms())
        return _message(row)

    async def _changeable(
        self, conn: Transaction, room_id: str, message_id: str, participant_id: str, user_id: str | None
    ) -> RowMapping:
        """A message that they see. Private ones of others do not exist for anybody, hosts included."""
        row = await store.message(conn, room_id, message_id)
        if row is None or (row["is_private"] and not _is_in(row, participant_id, user_id)):
            raise NotFoundError("There is no such message.")
        if row["is_held"]:
            raise ConflictError("A legal hold keeps this message as it is.")
        return row

    async def messages(
        self,
        room_id: str,
        after_id: str | None = None,
        limit: int = 200,
        *,
        since_ms: int | None = None,
        participant_id: str | None = None,
        user_id: str | None = None,
    ) -> list[Message]:
        """The newest `limit` messages, oldest first; only those after `after_id` where the room has that message.

        Without those whose time is over, and those of people who restricted the use of their data; private ones only
        where this participant, or account, wrote them or got them; none from before `since_ms`.
        """
        shown = None if self._periods is None else visible(messages, self._periods, self._clock.now_ms())
        async with self._db.read() as conn:
            rows = await store.newest_messages(
                conn,
                room_id,
                after_id,
                limit,
                shown,
                since_ms=since_ms,
                participant_id=participant_id,
                user_id=user_id,
            )
        return [_message(row) for row in rows]


def _room(row: RowMapping) -> Room:
    settings = RoomSettings(**{name: row[name] for name in NAMES})
    return Room(
        row["id"], row["slug"], row["name"], row["owner_id"], row["created_at_ms"], settings, row["password_hash"]
    )


def _message(row: RowMapping) -> Message:
    to = (row["to"] or "") if row["is_private"] else None
    return Message(
        id=row["id"],
        participant_id=row["participant_id"],
        name=row["name"],
        text=row["text"],
        at_ms=row["at_ms"],
        to=to,
        edited_at_ms=row["edited_at_ms"],
        user_id=row["user_id"],
        to_user_id=row["to_user_id"],
    )


def _is_author(row: RowMapping, participant_id: str, user_id: str | None) -> bool:
    return row["participant_id"] == participant_id or (user_id is not None and row["user_id"] == user_id)


def _is_in(row: RowMapping, participant_id: str, user_id: str | None) -> bool:
    got = row["to"] == participant_id or (user_id is not None and row["to_user_id"] == user_id)
    return got or _is_author(row, participant_id, user_id)


def _no_room() -> NotFoundError:
    return NotFoundError("There is no such room.")
