"""Room tokens: who shows one may publish into, or play from, one room until it expires.

A token is what it grants, signed; nothing is stored, so a single one cannot be taken back. Deleting the room ends all of
its tokens, for a token names the room's id.
"""

import hashlib
from dataclasses import dataclass

from pymeet import signed
from pymeet.errors import NotSignedInError

PURPOSE = b"room-token"
"""What to ask the keyring for."""

MAX_LENGTH = signed.MAX_LENGTH
_PREFIX = "pmr1."


@dataclass(frozen=True)
class RoomToken:
    """What a token grants."""

    room_id: str
    name: str | None
    """The name its bearer goes by in the room; None leaves the choice to the bearer."""
    id: str
    """Tells it from other tokens, without opening anything. Of what was signed, for that alone has a single spelling."""


def issue(key: bytes, room_id: str, name: str | None, expires_at_ms: int) -> str:
    """Makes a token. Anybody who has it can read `name` in it."""
    return signed.sign(key, _PREFIX, [room_id, name, expires_at_ms])


def verify(key: bytes, token: str, now_ms: int) -> RoomToken:
    """What the token grants; NotSignedInError when it is not ours, or too old."""
    content = signed.read(key, _PREFIX, token)
    if content is None or len(content) != 3:
        raise NotSignedInError("This room token is not valid.", code="bad_token")
    room_id, name, expires_at_ms = content
    if now_ms >= expires_at_ms:
        raise NotSignedInError("This room token has expired.", code="bad_token")
    payload = token.removeprefix(_PREFIX).partition(".")[0]
    return RoomToken(room_id, name, hashlib.sha256(payload.encode()).hexdigest())
