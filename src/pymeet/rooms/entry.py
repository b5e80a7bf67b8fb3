"""Who may come into a live room, on whatever way: guests or not, bans, the password, and who waits. Part of the rim."""

from collections.abc import Callable

from pymeet.accounts.passwords import Passwords
from pymeet.accounts.throttle import AttemptLimiter
from pymeet.clock import Clock
from pymeet.errors import NotAllowedError, TooManyError
from pymeet.meetings import service
from pymeet.rooms.joining import JoinRequest
from pymeet.rooms.people import Role
from pymeet.rooms.permissions import role_for
from pymeet.rooms.seat import Seat

BANNED = "You were removed from this meeting by a host."
_MAX_BANS = 1_000
"""How many bans, and tokens of removed people, are remembered; the oldest goes first."""


class Entry:
    """The door of one meeting. `room` is the room as it was read last."""

    def __init__(
        self,
        room: service.Room,
        *,
        guests_allowed: Callable[[], bool],
        passwords: Passwords,
        wrong: AttemptLimiter,
        clock: Clock,
    ) -> None:
        self.room = room
        self._server_allows_guests = guests_allowed
        self._passwords = passwords
        self._wrong = wrong
        self._clock = clock
        self._removed: dict[str, None] = {}
        self._banned: dict[str, None] = {}
        """Accounts, and ids of room tokens."""

    def role(self, request: JoinRequest) -> Role:
        """As what they would come in. Raises NotSignedInError where guests may not, NotAllowedError for who was removed."""
        resume = request.resume
        if resume is not None and resume.token in self._removed:
            raise NotAllowedError(BANNED)
        if any(each in self._banned for each in (request.user and request.user.id, request.token_id)):
            raise NotAllowedError(BANNED)
        return role_for(
            request.user,
            owner_id=self.room.owner_id,
            guests_allowed=self.room.settings.guests_allowed(self._server_allows_guests()),
            admitted=request.admitted,
        )

    async def check_password(self, request: JoinRequest, role: Role) -> None:
        """Raises NotAllowedError (`wrong_password`) without the room's password, TooManyError after many wrong ones.

        Hosts, and who shows a room token, need none.
        """
        stored = self.room.password_hash
        if stored is None or role is Role.HOST or request.admitted:
            return
        wrong = NotAllowedError("This room has a password, and this is not it.", code="wrong_password")
        if not request.password:
            raise wrong
        if not self._wrong.attempt(request.network, self._clock.monotonic()):
            raise TooManyError("Too many wrong passwords. Try again in a few minutes.")
        if not await self._passwords.verify(request.password, stored):
            raise wrong
        self._wrong.take_back(request.network)

    def must_wait(self, role: Role, *, admitted: bool) -> bool:
        """Whether a host must admit them. After a ban all guests must, for they cannot be told from who was banned."""
        if role is Role.HOST or admitted:
            return False
        waiting = self.room.settings.waiting_room
        return waiting == "everybody" or (role is Role.GUEST and (waiting == "guests" or bool(self._banned)))

    def removed(self, seat: Seat, *, ban: bool) -> None:
        """Somebody was sent out: this seat is not taken back, and with `ban` nothing else of theirs comes in either."""
        _remember(self._removed, seat.token)
        if ban:
            # of a guest nothing is known that would come again, but that somebody was banned counts
            _remember(self._banned, seat.user_id or seat.token_id or seat.id)


def _remember(known: dict[str, None], key: str) -> None:
    known[key] = None
    if len(known) > _MAX_BANS:
        del known[next(iter(known))]
