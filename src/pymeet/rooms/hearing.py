"""What the media server tells of members' connections, and what follows from it. Part of the rim of a live room."""

from collections.abc import Callable
from typing import Literal

import structlog

from pymeet.clock import Clock
from pymeet.rooms.commands import Command, Leave, Lose, Return, Send
from pymeet.rooms.events import LayersWanted, MediaChanged
from pymeet.rooms.media import PublishTransport, SubscribeTransport
from pymeet.rooms.people import Departure, Kind, Source
from pymeet.rooms.seat import Seat
from pymeet.sfu.events import Closed, Connected, Disconnected, TransportEvent, Unheard, Wanted

_log = structlog.get_logger(__name__)

MediaConnection = Literal["publish", "subscribe"]


class Hearing:
    """`do` applies a command to the room; `changed` is called when somebody sends or receives no more."""

    def __init__(
        self, *, room_id: str, clock: Clock, do: Callable[[Command, str], None], changed: Callable[[], None]
    ) -> None:
        self._room_id = room_id
        self._clock = clock
        self._do = do
        self._changed = changed

    def publishing(self, seat: Seat, transport: PublishTransport, event: TransportEvent) -> None:
        """Something happened to a connection on which somebody sends. One that was replaced or closed on purpose is no
        longer heard."""
        if seat.publishing is not transport:
            return
        if isinstance(event, Wanted):
            track = transport.tracks.get(event.mid)
            if track is not None:
                source = Source(track.source)
                seat.layers[source] = event.rids
                seat.send(LayersWanted(source, event.rids))
        else:
            self._hear(seat, "publish", event)

    def receiving(self, seat: Seat, transport: SubscribeTransport, event: TransportEvent) -> None:
        """The same of one on which somebody receives."""
        if seat.receiving is transport:
            self._hear(seat, "subscribe", event)

    def _hear(self, seat: Seat, connection: MediaConnection, event: TransportEvent) -> None:
        is_media_only = seat.kind is not Kind.BROWSER
        match event:
            case Connected():
                seat.send(MediaChanged(connection, "connected"))
                if is_media_only:
                    self._do(Return(), seat.id)
            case Disconnected():
                seat.send(MediaChanged(connection, "disconnected"))
                if is_media_only:
                    self._do(Lose(), seat.id)
            case Unheard():
                seat.send(MediaChanged(connection, "disconnected"))  # only they can look for another way
            case Closed(reason):
                self._lose(seat, connection, reason)
                if is_media_only:
                    self._do(Leave(Departure.LOST), seat.id)

    def _lose(self, seat: Seat, connection: MediaConnection, reason: str) -> None:
        _log.info("media failed", room=self._room_id, participant=seat.id, connection=connection, reason=reason)
        now = self._clock.monotonic()
        seat.send(MediaChanged(connection, "failed"))
        if connection == "publish":
            seat.stop_publishing(now)
            self._do(Send(()), seat.id)
        else:
            seat.stop_receiving(now)
        self._changed()
