"""The waiting room of a live meeting: who waits until a host admits them. Part of the rim; nothing of it is stored."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from pymeet.accounts.throttle import AttemptLimiter
from pymeet.clock import Clock
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError, TooManyError
from pymeet.rooms.events import Closing, Ended, Waits
from pymeet.rooms.member import CloseReason, Listener
from pymeet.rooms.people import WaitingPerson

LIMIT = 100
"""How many may wait at a time,"""
NETWORK_LIMIT = 10
"""how many of them guests of one network,"""
ACCOUNT_LIMIT = 2
"""and how many with one account."""
REFUSALS = 5
"""Whoever was refused this often, by account or network,"""
REFUSALS_S = 300.0
"""in any so many seconds does not wait again until these are over."""

_log = structlog.get_logger(__name__)

_REFUSED = "A host did not let you in."


@dataclass(frozen=True, slots=True)
class _Place:
    person: WaitingPerson
    user_id: str | None
    network: str
    listener: Listener
    answer: "asyncio.Future[bool]"
    """Whether a host admitted them."""

    @property
    def origin(self) -> str:
        """By what they are counted."""
        return _origin(self.user_id, self.network)

    def send(self, event: Waits | Ended | Closing) -> None:
        """Tells them. A connection that fails at it is closed, and nobody else notices."""
        try:
            self.listener.send(event)
        except Exception:
            _log.exception("telling somebody who waits failed", participant=self.person.id)
            self.close(CloseReason.BROKEN)
            self.fail(ConflictError("They went away."))

    def close(self, reason: CloseReason) -> None:
        """Ends their connection."""
        try:
            self.listener.close(reason)
        except Exception:
            _log.exception("closing the connection of somebody who waits failed", participant=self.person.id)

    def let_in(self, *, by_host: bool) -> None:
        """They wait no more; nothing happens when they have their answer."""
        if not self.answer.done():
            self.answer.set_result(by_host)

    def fail(self, error: Exception) -> None:
        """They do not come in; nothing happens when they have their answer."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Lobby:
    """`changed` is called when somebody comes or goes. Refusals are counted in `refusals`."""

    def __init__(self, changed: Callable[[], None], refusals: AttemptLimiter, clock: Clock) -> None:
        self._changed = changed
        self._refusals = refusals
        self._clock = clock
        self._places: dict[str, _Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    @property
    def people(self) -> tuple[WaitingPerson, ...]:
        """Who waits, those first who came first."""
        return tuple(place.person for place in self._places.values())

    async def wait(
        self, person: WaitingPerson, user_id: str | None, network: str, listener: Listener, told: Waits
    ) -> bool:
        """Returns when they may come in, and whether that is because a host admitted them.

        Raises TooManyError (also `room_full`), NotAllowedError (`refused`, with the host's reason), or ConflictError when
        they went away or the meeting ended, which they were told then.
        """
        self._check(user_id, network)
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        place = self._places[person.id] = _Place(person, user_id, network, listener, answer)
        try:
            place.send(told)
            self._changed()
            return await answer
        finally:
            if self._places.pop(person.id, None) is not None:
                self._changed()

    def admit(self, person_id: str | None, free: int) -> None:
        """A host lets in one, or (None) everybody, while one of the `free` places is left.

        Raises NotFoundError, or TooManyError (`room_full`) when somebody has to go on waiting.
        """
        meant = list(self._places.values()) if person_id is None else [self._place(person_id)]
        waiting = [place for place in meant if not place.answer.done()]
        free -= sum(place.answer.done() for place in self._places.values())  # they are about to take theirs
        for place in waiting[: max(free, 0)]:
            place.let_in(by_host=True)
        if len(waiting) > free:
            raise TooManyError("This meeting is full.", code="room_full")

    def let_in(self, person_id: str) -> None:
        """Nobody has to wait in this room any more. Raises NotFoundError."""
        self._place(person_id).let_in(by_host=False)

    def refuse(self, person_id: str, reason: str | None) -> None:
        """Sends one away. Raises NotFoundError."""
        place = self._place(person_id)
        self._refusals.attempt(place.origin, self._clock.monotonic())
        place.fail(NotAllowedError(reason or _REFUSED, code="refused"))

    def refuse_account(self, user_id: str, reason: str) -> None:
        """Sends away who waits with this account."""
        for place in [place for place in self._places.values() if place.user_id == user_id]:
            place.fail(NotAllowedError(reason, code="refused"))

    def left(self, listener: Listener) -> None:
        """This connection is gone; nothing happens when nobody waits there."""
        for place in [place for place in self._places.values() if place.listener is listener]:
            place.fail(ConflictError("They went away."))

    def close(self, told: Ended | Closing, reason: CloseReason) -> None:
        """Nobody is admitted any more."""
        for place in list(self._places.values()):
            place.send(told)
            place.close(reason)
            place.fail(ConflictError("The meeting is over."))

    def _check(self, user_id: str | None, network: str) -> None:
        origin = _origin(user_id, network)
        if self._refusals.wait_s(origin, self._clock.monotonic()):
            raise TooManyError("A host did not let you in several times. Try again in a few minutes.")
        alike = sum(place.origin == origin for place in self._places.values())
        if len(self._places) >= LIMIT or alike >= (NETWORK_LIMIT if user_id is None else ACCOUNT_LIMIT):
            raise TooManyError("Too many people wait for this meeting.", code="room_full")

    def _place(self, person_id: str) -> _Place:
        found = self._places.get(person_id)
        if found is None:
            raise NotFoundError("Nobody like that waits here.")
        return found


def _origin(user_id: str | None, network: str) -> str:
    return f"network {network}" if user_id is None else f"account {user_id}"
