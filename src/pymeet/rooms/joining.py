"""How somebody asks to come into a live room, or back into it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pymeet.rooms.member import Listener
from pymeet.rooms.people import Kind
from pymeet.rooms.permissions import SignedIn
from pymeet.rooms.recording import Answer


@dataclass(frozen=True, slots=True)
class Resume:
    """Somebody says that they had a seat."""

    token: str
    keep_media: bool
    last_message: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingAnswer:
    """Somebody says whether they agree to be recorded."""

    recording_id: str
    answer: Answer
    method: Literal["joining", "dialog"]
    """Where they were asked: before they came in, or in the room."""
    language: str | None = None
    """In which they were asked, as BCP 47 writes it; None where the page did not say."""


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
    """Whether they showed a room token, which lets guests into rooms that are closed to them, have a password or let wait."""
    token_id: str | None = None
    """What tells that token from others, without opening anything."""
    password: str | None = None
    """What they gave as the room's password."""
    network: str = ""
    """From where they come: wrong passwords are counted by it."""
    recording: RecordingAnswer | None = None
    """What they answered before they came; it counts when that recording runs and the seat has not answered."""
    last_check: Callable[[], None] | None = None
    """Called when nothing else keeps them out, before the seat is taken; what it raises keeps them out."""
