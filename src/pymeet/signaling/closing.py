"""Why a connection ends, as the client sees it: the close codes of docs/protocol.md section 1."""

from enum import IntEnum

from pymeet.rooms.member import CloseReason


class CloseCode(IntEnum):
    """The codes that the server sends. 1009 is aiohttp's own."""

    DONE = 1000
    GOING_AWAY = 1001
    INTERNAL = 1011
    BUSY = 1013
    PROTOCOL = 4400
    REFUSED = 4403
    NOT_FOUND = 4404
    TOO_SLOW = 4408
    TAKEN_OVER = 4409
    OVER = 4410
    TOO_MANY = 4429


CODE_OF = {
    CloseReason.DONE: CloseCode.DONE,
    CloseReason.GOING_AWAY: CloseCode.GOING_AWAY,
    CloseReason.TAKEN_OVER: CloseCode.TAKEN_OVER,
    CloseReason.ENDED: CloseCode.OVER,
    CloseReason.REMOVED: CloseCode.OVER,
    CloseReason.TOO_SLOW: CloseCode.TOO_SLOW,
    CloseReason.BROKEN: CloseCode.INTERNAL,
}

FORFEITS = frozenset({CloseCode.PROTOCOL, CloseCode.TOO_MANY})
"""Whoever is cut off for these has no seat to come back to."""
