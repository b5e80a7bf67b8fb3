"""`Seat`: one member's place at the rim of a live room: the connection that tells them and those that carry their media."""

from collections.abc import Mapping

import structlog

from pymeet.rooms.events import Event
from pymeet.rooms.following import Following
from pymeet.rooms.media import PublishTransport, SubscribeTransport, Track
from pymeet.rooms.member import CloseReason, Listener
from pymeet.rooms.offers import OfferTurn
from pymeet.rooms.people import Kind, Role, Source
from pymeet.rooms.quality import Quality, Verdict
from pymeet.rooms.viewing import Watching
from pymeet.sfu.view import View

_log = structlog.get_logger(__name__)


class Seat:
    """A `Member`. Only the `LiveRoom` that made it changes it; all of it lives on the event loop."""

    def __init__(
        self,
        *,
        participant_id: str,
        token: str,
        name: str,
        role: Role,
        kind: Kind,
        user_id: str | None,
        since_ms: int = 0,
        token_id: str | None = None,
    ) -> None:
        self.id = participant_id
        self.token = token
        self.name = name
        self.role = role
        self.kind = kind
        self.user_id = user_id
        self.since_ms = since_ms
        """When it was taken."""
        self.token_id = token_id
        """Of the room token that was shown for it."""

        self.listener: Listener | None = None
        """The live connection; None while it is lost, and for who has none (WHIP, WHEP)."""
        self.entries = 0
        """How often somebody took this seat, so that an entry that was overtaken notices."""
        self.is_noted = False
        """Whether the attendance is stored."""
        self.is_gone = False
        """Whether the seat was given up; then nothing of it may be used any more."""

        self.publishing: PublishTransport | None = None
        self.certificate: frozenset[str] = frozenset()
        """Of the client's end of `publishing`."""
        self.sends: dict[str, Track] = {}
        """What others may receive from here, by track id."""

        self.receiving: SubscribeTransport | None = None
        self.receives: tuple[str, ...] = ()
        """Ids of the tracks that `receiving` was told last."""
        self.is_fresh = False
        """Whether `receiving` was never offered."""
        self.offers = OfferTurn()
        self.following: Following | None = None
        self.watching = Watching()
        self.views: Mapping[str, View] = {}
        """What `receiving` was told of the pictures."""
        self.withheld: tuple[str, ...] = ()
        """Ids of the pictures of which the member was told that they are not sent."""
        self.layers: dict[Source, tuple[str, ...]] = {}
        """What the member was told to send, by source."""
        self.quality = Quality()
        self.graded: tuple[tuple[str, Verdict], ...] = ()
        """What the member was told of everybody's connections."""

    def is_same_person(self, other: "Seat") -> bool:
        """Whether both are known to be one person's: by account, or by the room token that was shown."""
        return (self.user_id is not None and self.user_id == other.user_id) or (
            self.token_id is not None and self.token_id == other.token_id
        )

    def send(self, event: Event) -> None:
        """Tells the member, if they can be reached now. A connection that fails at it is closed, and nobody else notices."""
        if self.listener is None:
            return
        try:
            self.listener.send(event)
        except Exception:
            _log.exception("telling a member failed", participant=self.id)
            self.close(CloseReason.BROKEN)

    def close(self, reason: CloseReason) -> None:
        """Ends the member's connection, if there is one."""
        if self.listener is not None:
            self.listener.close(reason)

    def stop_publishing(self, now: float) -> None:
        """Ends what the member sends."""
        transport, self.publishing = self.publishing, None
        self.sends = {}
        self.layers = {}
        self.certificate = frozenset()
        self._end(transport, now)

    def stop_receiving(self, now: float) -> None:
        """Ends what the member receives."""
        transport, self.receiving = self.receiving, None
        self.receives = ()
        self.views = {}
        self.offers.start_over()
        self._end(transport, now)

    def _end(self, transport: PublishTransport | SubscribeTransport | None, now: float) -> None:
        """A fault at it is logged and no more: whoever leaves must be able to leave."""
        if transport is None:
            return
        try:
            transport.close(now)
        except Exception:
            _log.exception("closing a media connection failed", participant=self.id)
