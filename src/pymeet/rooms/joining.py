"""How somebody asks to come into a live room, or back into it."""

from dataclasses import dataclass

from pymeet.rooms.member import Listener
from pymeet.rooms.people import Kind
from pymeet.rooms.permissions import SignedIn


@dataclass(frozen=True, slots=True)
class Resume:
    """Somebody says that they had a seat."""

    token: str
    keep_media: bool
    last_message: str | None = None


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Somebody wants to come in."""

    name: str
    user: SignedIn | None
    kind: Kind
    listener: Listener | None = None
    """Where they are told things; None for who only sends or receives media."""
    resume: Resume | None = None
    admitted: bool = False
    """Whether they showed a room token, which lets guests into rooms that are closed to them."""
