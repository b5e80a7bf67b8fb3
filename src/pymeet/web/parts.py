"""What the handlers work with: built once by `server.py`, found in the application under one key."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from pymeet.accounts.factors import Factors
from pymeet.accounts.model import User
from pymeet.accounts.oidc import Oidc
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.service import Accounts
from pymeet.accounts.sign_in import SignIn
from pymeet.clock import Clock
from pymeet.config import Config
from pymeet.db.engine import Database
from pymeet.meetings.model import Room
from pymeet.meetings.planning import Planning
from pymeet.meetings.service import Meetings
from pymeet.ops.live_meetings import LiveMeetings
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.sweeper import Status
from pymeet.recording.catalogue import FilmMaker
from pymeet.rooms.registry import Registry
from pymeet.sfu.probe import Ways


class Signaling(Protocol):
    """Takes a request over as a WebSocket; `signaling/` behind a callable, for the two do not know each other."""

    async def __call__(
        self, request: web.Request, *, user: User | None, room: Room | None, network: str, signed_in_by: str | None
    ) -> web.StreamResponse:
        """Returns when the connection is over. Without a room the client is told that there is none.

        `signed_in_by` names the session of `user`, with which the connection ends."""


@dataclass(frozen=True)
class Parts:
    """The objects behind the HTTP interface."""

    config: Config
    clock: Clock
    database: Database
    accounts: Accounts
    passwords: Passwords
    """Hashes the passwords of shared links."""
    meetings: Meetings
    registry: Registry
    signaling: Signaling
    media_alive: Callable[[], bool]
    """Whether the media port is open and served."""
    media_ways: Callable[[], Ways]
    """Where media is to be sent, for those who look whether they can."""
    room_token_key: bytes
    """The key that room tokens are signed with."""
    metrics: Callable[[], bytes]
    """The present readings in Prometheus' text form."""
    lifecycle: Lifecycle
    """Periods in force, sealed files, and what else retention and the rights of people need."""
    receipt_key: bytes
    """The key of guests' privacy receipts."""
    status_key: bytes
    """The key of the texts that tell how far an erasure is."""
    consent_key: bytes
    """The key of receipts of consent."""
    planning: Planning
    """Scheduled meetings, their invitations and calendars."""
    factors: Factors
    """Second factors, passkeys, sessions and devices of members."""
    sign_in: SignIn
    """What is asked between the password and the session, and the browsers that are known."""
    live: LiveMeetings
    """The meetings that are going on, as administrators look after them."""
    oidc: Oidc | None = None
    """Signing in through the organisation's OpenID provider; None where there is none."""
    sweeps: Callable[[], Status] = Status
    """How the sweeps stand."""
    films: FilmMaker | None = None
    """Makes films of recordings; None where none can be made."""


PARTS = web.AppKey("parts", Parts)
