"""What a transport tells its owner."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connected:
    """ICE and DTLS are done; media flows. Comes again after a `Disconnected`."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The peer has stopped answering for its address (RFC 7675); an ICE restart or a new check brings it back."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """What is being sent brings no reports any more: the way there may be dead, and the peer need not know. An ICE
    restart finds another. Comes again once the peer was heard."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The transport is gone for good."""

    reason: str
    """`closed`, `peer closed`, `wrong certificate`, `handshake failed`, `no connection` or `internal error`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of the layers that the peer sends in one section these are wanted now; the others it need not send."""

    mid: str
    rids: tuple[str, ...]


TransportEvent = Connected | Disconnected | Unheard | Closed | Wanted
