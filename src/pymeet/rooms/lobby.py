"""The waiting room of a live meeting: who waits until a host admits them. Part of the rim; nothing of it is stored."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pymeet.errors import ConflictError, NotAllowedError, NotFoundError, TooManyError
from pymeet.rooms.events import Closing, Ended, Waits
from pymeet.rooms.member import CloseReason, Listener
from pymeet.rooms.people import WaitingPerson

LIMIT = 100
"""How many may wait at a time."""

_REFUSED = "A host did not let you in."


@dataclass(frozen=True, slots=True)
class _Place:
    person: WaitingPerson
    user_id: str | None
    listener: Listener
    answer: "asyncio.Future[None]"


class Lobby:
    """`changed` is called when somebody comes or goes."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._places: dict[str, _Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    @property
    def people(self) -> tuple[WaitingPerson, ...]:
        """Who waits, those first who came first."""
        return tuple(place.person for place in self._places.values())

    async def wait(self, person: WaitingPerson, user_id: str | None, listener: Listener, told: Waits) -> None:
        """Returns when they are admitted.

        Raises TooManyError (`room_full`), NotAllowedError (`refused`, with the host's reason), or ConflictError when they
        went away or the meeting ended, which they were told then.
        """
        if len(self._places) >= LIMIT:
            raise TooManyError("Too many people wait for this meeting.", code="room_full")
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._places[person.id] = _Place(person, user_id, listener, answer)
        listener.send(told)
        self._changed()
        try:
            await answer
        finally:
            if self._places.pop(person.id, None) is not None:
                self._changed()

    def admit(self, person_id: str | None) -> None:
        """Lets one in, or (None) everybody. Raises NotFoundError."""
        for place in list(self._places.values()) if person_id is None else [self._place(person_id)]:
            if not place.answer.done():
                place.answer.set_result(None)

    def refuse(self, person_id: str, reason: str | None) -> None:
        """Sends one away. Raises NotFoundError."""
        _fail(self._place(person_id), NotAllowedError(reason or _REFUSED, code="refused"))

    def refuse_account(self, user_id: str, reason: str) -> None:
        """Sends away who waits with this account."""
        for place in [place for place in self._places.values() if place.user_id == user_id]:
            _fail(place, NotAllowedError(reason, code="refused"))

    def left(self, listener: Listener) -> None:
        """This connection is gone; nothing happens when nobody waits there."""
        for place in [place for place in self._places.values() if place.listener is listener]:
            _fail(place, ConflictError("They went away."))

    def close(self, told: Ended | Closing, reason: CloseReason) -> None:
        """Nobody is admitted any more."""
        for place in list(self._places.values()):
            place.listener.send(told)
            place.listener.close(reason)
            _fail(place, ConflictError("The meeting is over."))

    def _place(self, person_id: str) -> _Place:
        found = self._places.get(person_id)
        if found is None:
            raise NotFoundError("Nobody like that waits here.")
        return found


def _fail(place: _Place, error: Exception) -> None:
    if not place.answer.done():
        place.answer.set_exception(error)
