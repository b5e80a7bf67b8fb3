"""The chat of a live meeting: stores what is written, then tells it to those who may see it. Part of the rim."""

import asyncio
from collections.abc import Callable, Mapping

from pymeet.errors import NotAllowedError
from pymeet.meetings import service
from pymeet.rooms.commands import Say
from pymeet.rooms.events import Event, MessageAdded, MessageChanged
from pymeet.rooms.people import Kind
from pymeet.rooms.permissions import PERMISSIONS, Verb
from pymeet.rooms.room import Room
from pymeet.rooms.seat import Seat

HISTORY = 200
"""How many chat messages somebody gets who comes in."""


class Chat:
    """`held` is held from storing a message to telling it, and from reading the history to taking a seat: none is missed or told
    twice."""

    def __init__(
        self,
        *,
        room_id: str,
        meetings: service.Meetings,
        room: Room,
        seats: Mapping[str, Seat],
        say: Callable[[Say], None],
        has_history: Callable[[], bool],
    ) -> None:
        self.held = asyncio.Lock()
        self._room_id = room_id
        self._meetings = meetings
        self._room = room
        self._seats = seats
        self._say = say
        self._has_history = has_history

    async def write(self, by: str, text: str, to: str | None, keep_newest: int | None) -> None:
        """Stores a message and tells it, with `to` to that participant and the writer alone.

        Raises InvalidInputError, NotFoundError when they are not here, NotAllowedError for who cannot read it.
        """
        async with self.held:
            writer = self._room.check(by, Verb.CHAT)
            if to is not None and (to == by or self._room.participant(to).kind is not Kind.BROWSER):
                raise NotAllowedError("A private message goes to somebody else who can read it.")
            stored = await self._meetings.add_message(
                self._room_id, by, writer.name, text, to=to, keep_newest=keep_newest
            )
            if to is None:
                self._say(Say(stored.id, stored.participant_id, stored.name, stored.text, stored.at_ms))
            else:
                self._tell(stored, _event(stored), by)

    async def edit(self, by: str, message_id: str, text: str) -> None:
        """Changes a message of the asker. Raises NotFoundError, NotAllowedError, ConflictError, InvalidInputError."""
        async with self.held:
            self._room.check(by, Verb.CHAT)
            changed = await self._meetings.edit_message(
                self._room_id, message_id, text, participant_id=by, user_id=self._account(by)
            )
            self._tell(changed, MessageChanged(changed.id, changed.text, changed.edited_at_ms), by)

    async def delete(self, by: str, message_id: str) -> None:
        """Deletes a message, the asker's or, by a host, anybody's. Raises NotFoundError, NotAllowedError, ConflictError."""
        async with self.held:
            asker = self._room.check(by, Verb.CHAT)
            gone = await self._meetings.delete_message(
                self._room_id,
                message_id,
                participant_id=by,
                user_id=self._account(by),
                any_message=Verb.DELETE_ANY_MESSAGE in PERMISSIONS[asker.role],
            )
            self._tell(gone, MessageChanged(gone.id, None, None), by)

    async def history(self, seat: Seat, after: str | None, *, since_ms: int | None) -> tuple[MessageAdded, ...]:
        """What a seat is shown, the newest 200."""
        stored = await self._meetings.messages(
            self._room_id, after, HISTORY, since_ms=since_ms, participant_id=seat.id, user_id=seat.user_id
        )
        return tuple(_event(message) for message in stored)

    def _account(self, participant_id: str) -> str | None:
        seat = self._seats.get(participant_id)
        return None if seat is None else seat.user_id

    def _tell(self, message: service.Message, event: Event, by: str) -> None:
        """Those who may see it: of a private one the writer and who got it, on all seats of their accounts; without history
        nobody who came later. And in any case who did it."""
        seats = list(self._seats.values())
        if message.to is not None:
            ends = (message.participant_id, message.to)
            accounts = {message.user_id, message.to_user_id, *(self._account(end) for end in ends)} - {None}
            seats = [seat for seat in seats if seat.id in (*ends, by) or seat.user_id in accounts]
        if not self._has_history():
            seats = [seat for seat in seats if seat.since_ms <= message.at_ms or seat.id == by]
        for seat in seats:
            seat.send(event)


def _event(message: service.Message) -> MessageAdded:
    return MessageAdded(
        message.id,
        message.participant_id,
        message.name,
        message.text,
        message.at_ms,
        message.to,
        message.edited_at_ms,
    )
