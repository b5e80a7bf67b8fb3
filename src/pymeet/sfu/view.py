"""What a receiver makes of one picture: the seam between `rooms`, which know it, and `SubscribeTransport.set_view`, which acts on it."""

from dataclasses import dataclass
from enum import IntEnum


class Importance(IntEnum):
    """Which pictures go first where there is not enough for all; sound goes before any of them."""

    OTHER = 0
    PINNED = 1
    """Whom this receiver pinned, or a host put in the spotlight."""
    SPEAKER = 2
    SCREEN = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """What a player wants of a picture: no more than this. None is no limit."""

    rid: str | None = None
    """One of the streams that the sender names (RFC 8851); where the sender has none like that, any."""
    spatial: int | None = None
    temporal: int | None = None
    """The highest spatial and temporal layer within the stream."""
    width: int | None = None
    height: int | None = None
    """In pixels; a size that is not known is not too large."""


@dataclass(frozen=True, slots=True)
class View:
    """How one receiver sees one track."""

    height: int
    """The lines at which it is shown, in pixels of the device; 0: not at all, and then nothing of it is sent."""
    importance: Importance = Importance.OTHER
    choice: Choice | None = None
    """Counts in place of `height`."""
