"""Who receives what: keeps every seat's receiving connection in step with what is published. Part of the rim of a live room."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import structlog

from pymeet.clock import Clock
from pymeet.errors import ConflictError
from pymeet.rooms.events import Offered, PicturesWithheld, Section
from pymeet.rooms.following import Following, choose_shown, find_target, tracks_to_show
from pymeet.rooms.measuring import Measuring
from pymeet.rooms.media import MediaServer, SubscribeTransport, Track, View
from pymeet.rooms.member import CloseReason
from pymeet.rooms.people import Kind, Source
from pymeet.rooms.room import Room
from pymeet.rooms.seat import Seat
from pymeet.rooms.viewing import ALL_LINES, Picture, Precedence, Watching, look
from pymeet.sfu.events import TransportEvent

_log = structlog.get_logger(__name__)

_TURN_S = 0.004
"""How long one turn of the loop may go on with offers: packets of every meeting wait meanwhile."""

Hear = Callable[[Seat, SubscribeTransport, TransportEvent], None]


class Forwarding:
    """Browsers get everything the others send; players get whom they follow.

    What changes within one turn of the loop goes out as one offer. In a large room the offers are spread over several turns.
    """

    def __init__(
        self,
        *,
        media: MediaServer,
        clock: Clock,
        room: Room,
        seats: Mapping[str, Seat],
        hear: Hear,
        last_videos: int,
    ) -> None:
        """`last_videos`: of the pictures that one receiver would see so many are sent at most."""
        self._media = media
        self._clock = clock
        self._room = room
        self._seats = seats
        self._hear = hear
        self._last_videos = last_videos
        self._measuring = Measuring(seats, clock)
        self._precedence = Precedence()
        self._dominant: str | None = None
        self._spotlight: str | None = None
        self._pending: asyncio.Handle | None = None
        self._unserved: dict[str, None] = {}
        self._awaited: dict[str, None] = {}
        """Who is to be offered something, but not before they have answered."""

    def touch(self, seat: Seat | None = None) -> None:
        """Something changed for everybody, or (`seat`) for one of them; `flush` follows within this turn of the loop."""
        self._unserved |= dict.fromkeys(self._seats if seat is None else (seat.id,))
        if self._pending is None:
            self._pending = asyncio.get_running_loop().call_soon(self.flush)

    def led_by(self, dominant: str | None) -> None:
        """This one leads the conversation now. Others who say something change nothing of what is seen."""
        if dominant != self._dominant:
            self._dominant = dominant
            if dominant is not None:
                self._precedence.led_by(dominant)
            self.touch()

    def spotlit(self, whom: str | None) -> None:
        """A host shows this one to everybody now."""
        if whom != self._spotlight:
            self._spotlight = whom
            self.touch()

    def watch(self, seat: Seat, watching: Watching) -> None:
        """A browser shows this now, or a player chose."""
        if watching != seat.watching:
            seat.watching = watching
            self.touch(seat)

    def close(self) -> None:
        """Nothing is brought into step any more."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def flush(self) -> None:
        """Tells every receiving connection what it gets now, and offers where an offer is due."""
        self._pending = None
        published = {track_id: track for seat in self._seats.values() for track_id, track in seat.sends.items()}
        pictures = self._pictures(published.values())
        begun = self._clock.monotonic()
        while self._unserved:
            seat_id = next(iter(self._unserved))
            del self._unserved[seat_id]
            if seat_id in self._seats:
                self._serve(self._seats[seat_id], published, pictures)
            if self._unserved and self._clock.monotonic() - begun > _TURN_S:
                self._pending = asyncio.get_running_loop().call_soon(self.flush)
                return

    def _serve(self, seat: Seat, published: Mapping[str, Track], pictures: Sequence[Picture]) -> None:
        try:
            if seat.kind is Kind.BROWSER:
                self._serve_browser(seat, [t for t in published.values() if t.id not in seat.sends])
                if seat.offers.is_wanted:
                    self._awaited[seat.id] = None
                self._show(seat, pictures)
            elif seat.kind is Kind.PLAYER:
                self._serve_player(seat, published)
        except Exception:
            # an invariant of one connection broke; the others must not notice
            _log.exception("forwarding to a member failed", participant=seat.id)
            seat.close(CloseReason.BROKEN)

    def tick(self) -> None:
        """Sends the offers that waited long enough for an answer to the one before, and looks how the connections work."""
        self._measuring.tick()
        now = self._clock.monotonic()
        for seat_id in [*self._awaited]:
            seat = self._seats.get(seat_id)
            if seat is None or not seat.offers.is_wanted:
                del self._awaited[seat_id]
            elif seat.offers.is_due(now):
                self.touch(seat)

    # -- browsers: the server offers ----------------------------------------------------------------------------

    def accept(self, seat: Seat, number: int, sdp: str) -> None:
        """Takes the answer to an offer; one to an older offer is ignored. Raises DescriptionError."""
        transport_number = seat.offers.answered(number)
        if seat.receiving is None or transport_number is None:
            return
        try:
            seat.receiving.accept(transport_number, sdp, self._clock.monotonic())
        finally:
            if seat.offers.is_due(self._clock.monotonic()):
                self.touch(seat)

    def restart(self, seat: Seat, *, fresh: bool) -> None:
        """Offers anew at once: with new ICE credentials, or for a new peer connection."""
        now = self._clock.monotonic()
        if fresh:
            seat.stop_receiving(now)
        elif seat.receiving is not None:
            seat.receiving.restart_ice()
        self.offer_anew(seat)

    def offer_anew(self, seat: Seat) -> None:
        """Offers again what is received, without waiting for an answer to what was sent before."""
        seat.offers.start_over()
        seat.offers.want()
        seat.withheld = ()
        seat.graded = ()
        self.touch(seat)

    def _serve_browser(self, seat: Seat, tracks: Sequence[Track]) -> None:
        now = self._clock.monotonic()
        wanted = tuple(track.id for track in tracks)
        if seat.receiving is None:
            if not tracks or seat.listener is None:
                return
            seat.receiving = self._open(seat)
            seat.is_fresh = True
        if wanted != seat.receives:
            seat.offers.want()
        if seat.listener is not None and seat.offers.is_due(now):
            # not before: the answer to an offer must meet the sections that were offered. What ended is silent anyway.
            seat.receiving.set_tracks(tracks, now)
            seat.receives = wanted
            number, sdp, sections = seat.receiving.offer(now)
            number = seat.offers.sent(number, now)
            listed = tuple(Section(mid, t.owner, t.id, Source(t.source)) for mid, t in sections.items())
            seat.send(Offered(number, seat.is_fresh, sdp, listed))
            seat.is_fresh = False

    def _pictures(self, tracks: Iterable[Track]) -> list[Picture]:
        found = (Picture(t.id, t.owner, t.source == "screen", t.muted) for t in tracks if t.kind == "video")
        return self._precedence.order(found, self._seats, self._room.state.spotlight)

    def _show(self, seat: Seat, pictures: Sequence[Picture]) -> None:
        """Tells the connection how its pictures are seen, and the page which of them it does not get."""
        if seat.receiving is None:
            return
        sight = look(
            seat.watching,
            (picture for picture in pictures if picture.owner != seat.id),
            dominant=self._room.dominant,
            spotlight=self._room.state.spotlight,
            limit=self._last_videos,
        )
        if sight.views != seat.views:
            seat.views = sight.views
            seat.receiving.set_view(sight.views, self._clock.monotonic())
        if sight.withheld != seat.withheld:
            seat.withheld = sight.withheld
            seat.send(PicturesWithheld(sight.withheld))

    # -- players: the client offers -----------------------------------------------------------------------------

    def play(self, seat: Seat, offer_sdp: str, target: str | None) -> str:
        """Answers a player's offer. Raises DescriptionError, NotFoundError, or ConflictError when nothing is sent."""
        now = self._clock.monotonic()
        wanted = None if target is None else find_target(target, self._room.participants).id
        following = Following(wanted, seat.following.shown if seat.following else None)
        shown = choose_shown(following, self._room.participants, self._room.dominant)
        if shown is None:
            raise ConflictError("Nobody in this meeting sends anything now.")
        tracks = self._tracks_of(shown)
        transport = self._open(seat)
        try:
            answer = transport.answer(offer_sdp, tracks, now)
        except BaseException:
            transport.close(now)
            raise
        seat.stop_receiving(now)
        seat.receiving = transport
        seat.receives = tuple(track.id for track in tracks)
        seat.following = replace(following, shown=shown)
        return answer

    def _serve_player(self, seat: Seat, published: Mapping[str, Track]) -> None:
        if seat.receiving is None or seat.following is None:
            return
        shown = choose_shown(seat.following, self._room.participants, self._room.dominant)
        tracks = [] if shown is None else [track for track in self._tracks_of(shown) if track.id in published]
        seat.following = replace(seat.following, shown=shown)
        wanted = tuple(track.id for track in tracks)
        self._limit(seat, {*seat.receives, *wanted})
        if wanted != seat.receives:
            seat.receiving.set_tracks(tracks, self._clock.monotonic())
            seat.receives = wanted

    def _limit(self, seat: Seat, track_ids: Collection[str]) -> None:
        """What a player chose holds for whatever it shows, those before and after included while they change."""
        choice = seat.watching.choice
        views = {} if choice is None else dict.fromkeys(track_ids, View(ALL_LINES, choice=choice))
        if seat.receiving is not None and views != seat.views:
            seat.views = views
            seat.receiving.set_view(views, self._clock.monotonic())

    def _tracks_of(self, participant_id: str) -> list[Track]:
        sends = self._seats[participant_id].sends
        return [sends[track] for track in tracks_to_show(self._room.participant(participant_id)) if track in sends]

    def _open(self, seat: Seat) -> SubscribeTransport:
        def heard(event: TransportEvent) -> None:
            self._hear(seat, transport, event)

        transport = self._media.subscriber(seat.id, heard, self._clock.monotonic())
        return transport
