"""What members send: their publishing connections and the tracks on them. Part of the rim of a live room."""

from collections.abc import Callable, Mapping, Sequence

from pymeet.clock import Clock
from pymeet.rooms.events import LayersWanted
from pymeet.rooms.media import MediaServer, PublishTransport, TrackWish, certificate_in
from pymeet.rooms.people import Source, TrackKind, TrackRecord
from pymeet.rooms.seat import Seat
from pymeet.sfu.events import TransportEvent
from pymeet.sfu.voices import Voices

Hear = Callable[[Seat, PublishTransport, TransportEvent], None]


class Publishing:
    """One connection per seat; an offer with another certificate replaces it, and the same tracks go on."""

    def __init__(self, *, media: MediaServer, clock: Clock, hear: Hear, last_voices: int) -> None:
        """`last_voices`: of the microphones so many are forwarded at most, the loudest."""
        self._voices = Voices(last_voices)
        self._media = media
        self._clock = clock
        self._hear = hear
        self._senders: dict[str, Seat] = {}
        """By participant; who has stopped sending is forgotten with the next `listen`."""

    def publish(self, seat: Seat, sdp: str, wishes: Mapping[str, TrackWish]) -> str:
        """Answers an offer and sets `seat.sends`. Raises DescriptionError, and then nothing has changed."""
        now = self._clock.monotonic()
        certificate = certificate_in(sdp)
        before = seat.publishing
        transport = self._open(seat) if before is None or certificate != seat.certificate else before
        replaced = before.tracks if before is not None and before is not transport else None
        try:
            answer = transport.answer(sdp, wishes, now, replaced)
        except BaseException:
            if transport is not before:
                transport.close(now)
            raise
        seat.publishing, seat.certificate = transport, certificate
        if before is not transport:
            seat.layers = {}
            if before is not None:
                before.close(now)
        # a picture that claims to be a microphone is forwarded to nobody
        seat.sends = {t.id: t for t in transport.tracks.values() if Source(t.source).kind == t.kind}
        self._senders[seat.id] = seat
        for source, active in seat.layers.items():
            # what was said while the client could not hear it; after a resume it offers anew
            seat.send(LayersWanted(source, active))
        return answer

    def listen(self) -> dict[str, Sequence[int]]:
        """How loud everybody's microphone was since the last call, by participant; the loudest are forwarded."""
        self._senders = {id_: seat for id_, seat in self._senders.items() if seat.sends}
        sent = (track for seat in self._senders.values() for track in seat.sends.values())
        microphones = [track for track in sent if track.source == "microphone" and not track.muted]
        self._voices.set_tracks(microphones, self._clock.monotonic())
        heard = self._media.levels(microphones) if microphones else {}
        return {track.owner: heard[track.id] for track in microphones if track.id in heard}

    def _open(self, seat: Seat) -> PublishTransport:
        def heard(event: TransportEvent) -> None:
            self._hear(seat, transport, event)

        transport = self._media.publisher(seat.id, heard, self._clock.monotonic())
        return transport


def records_of(seat: Seat) -> tuple[TrackRecord, ...]:
    """What others are told of the tracks of a seat."""
    return tuple(TrackRecord(t.id, Source(t.source), TrackKind(t.kind), t.muted) for t in seat.sends.values())
