"""`Member`: everybody in a room is one, whatever they came with. `Listener`: the connection that a member can be told by."""

from enum import Enum, auto
from typing import Protocol

from pymeet.rooms.events import Event
from pymeet.rooms.people import Kind, Role


class CloseReason(Enum):
    """Why the server ends a connection."""

    DONE = auto()
    GOING_AWAY = auto()
    TAKEN_OVER = auto()
    ENDED = auto()
    REMOVED = auto()
    TOO_SLOW = auto()
    BROKEN = auto()
    """Something went wrong in the server."""


class Listener(Protocol):
    """One live connection. Neither method waits: what is sent goes into a bounded queue of the connection."""

    def send(self, event: Event) -> None:
        """Tells an event."""

    def close(self, reason: CloseReason) -> None:
        """Ends the connection after what was sent; a second call does nothing."""

    async def wait_closed(self) -> None:
        """Returns when the connection is gone."""


class Member(Protocol):
    """Somebody in a room."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> Role: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def user_id(self) -> str | None: ...

    def send(self, event: Event) -> None:
        """Tells the member, if they can be reached now."""

    def close(self, reason: CloseReason) -> None:
        """Ends the member's connection, if there is one."""
