"""The words of a live meeting: who is in it, as what, and what each sends. Follows the participant record of docs/protocol.md."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do here; see `permissions.py`."""

    HOST = "host"
    COHOST = "cohost"
    MEMBER = "member"
    GUEST = "guest"


class Kind(StrEnum):
    """What somebody came with."""

    BROWSER = "browser"
    PUBLISHER = "publisher"
    PLAYER = "player"


class Connection(StrEnum):
    """Whether somebody can be reached now."""

    CONNECTED = "connected"
    RECONNECTING = "reconnecting"


class Source(StrEnum):
    """What a track shows or lets hear."""

    MICROPHONE = "microphone"
    CAMERA = "camera"
    SCREEN = "screen"
    SCREEN_AUDIO = "screen_audio"

    @property
    def kind(self) -> "TrackKind":
        """The kind of media that comes from here."""
        return TrackKind.AUDIO if self in (Source.MICROPHONE, Source.SCREEN_AUDIO) else TrackKind.VIDEO


class TrackKind(StrEnum):
    """What a track is made of."""

    AUDIO = "audio"
    VIDEO = "video"


class Reaction(StrEnum):
    """What somebody can show in passing."""

    THUMBS_UP = "thumbs_up"
    CLAP = "clap"
    HEART = "heart"
    LAUGH = "laugh"
    SURPRISED = "surprised"
    CELEBRATE = "celebrate"


class Departure(StrEnum):
    """Why somebody is no longer here."""

    LEFT = "left"
    REMOVED = "removed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """A track that somebody sends."""

    id: str
    source: Source
    kind: TrackKind
    muted: bool


@dataclass(frozen=True, slots=True)
class Participant:
    """What everybody in the room may know about one of them."""

    id: str
    name: str
    role: Role
    kind: Kind
    connection: Connection = Connection.CONNECTED
    tracks: tuple[TrackRecord, ...] = ()
    picture: str | None = None
    """Where their account has a picture: the secret from which follows how each of those here asks for it (`pictures.py`)."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """What everybody knows of the meeting as a whole: the state record of docs/protocol.md."""

    locked: bool = False
    spotlight: str | None = None
    """Whom a host shows to everybody."""
    hands: tuple[str, ...] = ()
    """Who raised their hand, the first first."""
    may_share: str = "everybody"
    """Who may share a screen: everybody, members or hosts."""
    may_record: str = "hosts"
    """Who may record: hosts or nobody."""


@dataclass(frozen=True, slots=True)
class WaitingPerson:
    """Somebody who waits to be admitted."""

    id: str
    name: str
    is_member: bool
    since_ms: int
