"""What a room needs of the media server: the seam at which `server.py` hands in `pymeet.sfu.service.Sfu`. Times are monotonic seconds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from pymeet.sfu.budget import Figures
from pymeet.sfu.events import TransportEvent
from pymeet.sfu.producer import Track
from pymeet.sfu.publish import TrackWish
from pymeet.sfu.view import View

__all__ = ["MediaServer", "PublishTransport", "SubscribeTransport", "Track", "TrackWish", "View", "certificate_in"]


class PublishTransport(Protocol):
    """The connection on which somebody sends."""

    @property
    def tracks(self) -> Mapping[str, Track]:
        """What is being sent, by the mid of its section."""

    def answer(
        self,
        offer_text: str,
        wishes: Mapping[str, TrackWish],
        now: float,
        before: Mapping[str, Track] | None = None,
    ) -> str:
        """Answers an offer; tracks that are no longer wished for end. `before`: the tracks of the connection in whose stead
        this one comes; those that are offered again go on. Raises DescriptionError, changing nothing."""

    def restart(self, ufrag: str) -> tuple[str, str]:
        """ICE restart without a description: the peer's new name in, our new name and password out."""

    def take_losses(self) -> list[tuple[int, int]]:
        """For each track how many packets were due since the last call, and how many of them never came."""

    def close(self, now: float) -> None:
        """Ends it, and its tracks."""


class SubscribeTransport(Protocol):
    """The connection on which somebody receives; either the server offers, or (WHEP) the client does."""

    def set_tracks(self, tracks: Sequence[Track], now: float) -> None:
        """What this receiver gets from now on; where the server offers, no answer may be awaited now."""

    def set_view(self, wishes: Mapping[str, View], now: float) -> None:
        """How the pictures are seen from now on, by track id, those that come later included."""

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing was sent there or heard from there for a while."""

    def path(self, now: float) -> Figures:
        """What is known of the way to this receiver."""

    def figures(self) -> tuple[Figures, Mapping[str, int]]:
        """The same as of its last packets, and by track id the layer it is sent in (-1: none)."""

    def offer(self, now: float) -> tuple[int, str, Mapping[str, Track]]:
        """A new offer: its number, the description, and the track of each section that carries one."""

    def accept(self, number: int, answer_text: str, now: float) -> bool:
        """Takes the answer to the newest offer; False for an older one. Raises DescriptionError."""

    def restart_ice(self) -> None:
        """The next offer has new ICE credentials."""

    def answer(self, offer_text: str, tracks: Sequence[Track], now: float) -> str:
        """Answers a client's only offer. Raises DescriptionError."""

    def restart(self, ufrag: str) -> tuple[str, str]:
        """ICE restart without a description: the peer's new name in, our new name and password out."""

    def close(self, now: float) -> None:
        """Ends it."""


class MediaServer(Protocol):
    """What forwards media."""

    def publisher(self, owner: str, on_event: Callable[[TransportEvent], None], now: float) -> PublishTransport:
        """A new connection on which `owner` (a participant's id) will send."""

    def subscriber(self, owner: str, on_event: Callable[[TransportEvent], None], now: float) -> SubscribeTransport:
        """A new connection on which `owner` will receive."""

    def levels(self, tracks: Iterable[Track]) -> Mapping[str, Sequence[int]]:
        """How loud each packet of these audio tracks was since the last call, 0 to 127, by track id."""


def certificate_in(sdp: str) -> frozenset[str]:
    """The certificate fingerprints in a description: another set means another peer connection on the client."""
    lines = (line.strip().lower() for line in sdp.splitlines())
    return frozenset(line for line in lines if line.startswith("a=fingerprint:"))
