"""What meetings hand out: frozen facts, without behaviour. Times are UTC milliseconds."""

from dataclasses import dataclass, field

from pymeet.meetings.settings import RoomSettings


@dataclass(frozen=True)
class Room:
    """A place to meet, with an address that lasts."""

    id: str
    slug: str
    name: str
    owner_id: str | None
    created_at_ms: int
    settings: RoomSettings = field(default_factory=RoomSettings)
    password_hash: str | None = field(default=None, repr=False)
    """Of the password that opens it (argon2id), where it has one."""


@dataclass(frozen=True)
class Message:
    """Something written in a room."""

    id: str
    participant_id: str
    name: str
    text: str
    at_ms: int
    to: str | None = None
    """The participant to whom alone it was written; empty where that is not known any more."""
    edited_at_ms: int | None = None
    user_id: str | None = None
    """The author's account, where it is known."""
    to_user_id: str | None = None
    """The account of `to`."""


@dataclass(frozen=True)
class Attendee:
    """One seat that somebody had in a room."""

    name: str
    is_member: bool
    kind: str
    joined_at_ms: int
    left_at_ms: int | None
