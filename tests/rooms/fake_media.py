"""A media server that forwards nothing: it implements `pymeet.rooms.media` and remembers what it was told."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from pymeet.rooms.media import TrackWish
from pymeet.rooms.people import Source
from pymeet.sfu.budget import Figures
from pymeet.sfu.errors import DescriptionError
from pymeet.sfu.events import Closed, TransportEvent
from pymeet.sfu.view import View

_numbers = count(1)


@dataclass
class FakeTrack:
    """A published track."""

    owner: str
    source: str
    muted: bool
    id: str = field(default_factory=lambda: f"track-{next(_numbers)}")
    closed: bool = False
    kind: str = ""
    tap: object = None
    has_levels: bool = True
    levels: tuple[int, ...] = ()
    withheld: bool = False
    voice: object = None

    def __post_init__(self) -> None:
        self.kind = self.kind or Source(self.source).kind.value

    def set_muted(self, muted: bool, now: float) -> None:
        self.muted = muted

    def set_withheld(self, withheld: bool, now: float) -> None:
        self.withheld = withheld

    def set_tap(self, tap: object, now: float) -> None:
        self.tap = tap


class FakeTransport:
    """What both kinds have in common."""

    def __init__(self, owner: str, on_event: Callable[[TransportEvent], None]) -> None:
        self.owner = owner
        self.on_event = on_event
        self.closed = False
        self.ice_restarts = 0

    def restart(self, ufrag: str) -> tuple[str, str]:
        self.ice_restarts += 1
        return f"for-{ufrag}", "password"

    def close(self, now: float, reason: str = "closed") -> None:
        if not self.closed:
            self.closed = True
            self.ended(now)
            self.on_event(Closed(reason))

    def ended(self, now: float) -> None:
        pass


class FakePublish(FakeTransport):
    """Takes every offer but those with the word "bad" in it. "lying" makes every section a picture."""

    def __init__(self, owner: str, on_event: Callable[[TransportEvent], None]) -> None:
        super().__init__(owner, on_event)
        self.tracks: dict[str, FakeTrack] = {}
        self.losses: list[tuple[int, int]] = []
        """Packets that were due since the last look, and those that never came."""

    def answer(self, offer_text: str, wishes: Mapping[str, TrackWish], now: float, before: object = None) -> str:
        if "bad" in offer_text:
            raise DescriptionError("The offer is bad.")
        for mid, track in list(self.tracks.items()):
            if mid not in wishes or wishes[mid].source != track.source:
                track.closed = True
                del self.tracks[mid]
        for mid, wish in wishes.items():
            kind = "video" if "lying" in offer_text else ""
            track = self.tracks.setdefault(mid, FakeTrack(self.owner, wish.source, wish.muted, kind=kind))
            track.muted = wish.muted
        return f"answer to {offer_text}"

    def take_losses(self) -> list[tuple[int, int]]:
        return self.losses

    def ended(self, now: float) -> None:
        for track in self.tracks.values():
            track.closed = True
        self.tracks = {}


class FakeSubscribe(FakeTransport):
    """Numbers its offers and refuses answers with the word "bad" in them."""

    def __init__(self, owner: str, on_event: Callable[[TransportEvent], None]) -> None:
        super().__init__(owner, on_event)
        self.current: list[FakeTrack] = []
        self.number = 0
        self.accepted: list[int] = []
        self.views: Mapping[str, View] = {}
        self.measured = Figures(0, 0, 0.0, 0, 0, None)
        self.is_at_rest = False

    def set_tracks(self, tracks: Sequence[FakeTrack], now: float) -> None:
        self.current = list(tracks)

    def set_view(self, wishes: Mapping[str, View], now: float) -> None:
        self.views = wishes

    def path(self, now: float) -> Figures:
        return self.measured

    def figures(self) -> tuple[Figures, dict[str, int]]:
        return self.measured, {track.id: 0 for track in self.current}

    def offer(self, now: float) -> tuple[int, str, dict[str, FakeTrack]]:
        self.number += 1
        return self.number, f"offer {self.number}", {str(mid): track for mid, track in enumerate(self.current)}

    def accept(self, number: int, answer_text: str, now: float) -> bool:
        if "bad" in answer_text:
            raise DescriptionError("The answer is bad.")
        self.accepted.append(number)
        return True

    def restart_ice(self) -> None:
        self.ice_restarts += 1

    def answer(self, offer_text: str, tracks: Sequence[FakeTrack], now: float) -> str:
        if "bad" in offer_text:
            raise DescriptionError("The offer is bad.")
        self.current = list(tracks)
        return f"answer to {offer_text}"


class FakeMedia:
    """Every transport that was made, and how loud a test says tracks are."""

    def __init__(self) -> None:
        self.publishers: list[FakePublish] = []
        self.subscribers: list[FakeSubscribe] = []
        self.loudness: dict[str, float] = {}
        """0 to 127 by participant id."""

    def publisher(self, owner: str, on_event: Callable[[TransportEvent], None], now: float) -> FakePublish:
        self.publishers.append(FakePublish(owner, on_event))
        return self.publishers[-1]

    def subscriber(self, owner: str, on_event: Callable[[TransportEvent], None], now: float) -> FakeSubscribe:
        self.subscribers.append(FakeSubscribe(owner, on_event))
        return self.subscribers[-1]

    def levels(self, tracks: Iterable[FakeTrack]) -> dict[str, tuple[int, ...]]:
        return {track.id: (round(self.loudness.get(track.owner, 0)),) * 10 for track in tracks}

    def publisher_of(self, owner: str) -> FakePublish:
        """Their newest connection for sending."""
        return [transport for transport in self.publishers if transport.owner == owner][-1]

    def subscriber_of(self, owner: str) -> FakeSubscribe:
        """Their newest connection for receiving."""
        return [transport for transport in self.subscribers if transport.owner == owner][-1]
