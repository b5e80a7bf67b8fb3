"""What meetings hand out: frozen facts, without behaviour. Times are UTC milliseconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """A place to meet, with an address that lasts."""

    id: str
    slug: str
    name: str
    owner_id: str | None
    created_at_ms: int


@dataclass(frozen=True)
class Message:
    """Something written in a room."""

    id: str
    participant_id: str
    name: str
    text: str
    at_ms: int
