"""Room tokens: who shows one may publish into, or play from, one room until it expires.

A token is what it grants plus a signature (HMAC-SHA256); nothing is stored, so a single one cannot be taken back.
Deleting the room ends all of its tokens, for a token names the room's id.
"""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass

from pymeet.errors import NotSignedInError

PURPOSE = b"room-token"
"""What to ask the keyring for."""

MAX_LENGTH = 1000
_PREFIX = "pmr1."


@dataclass(frozen=True)
class RoomToken:
    """What a token grants."""

    room_id: str
    name: str | None
    """The name its bearer goes by in the room; None leaves the choice to the bearer."""


def issue(key: bytes, room_id: str, name: str | None, expires_at_ms: int) -> str:
    """Makes a token. Anybody who has it can read `name` in it."""
    content = json.dumps([room_id, name, expires_at_ms], ensure_ascii=False, separators=(",", ":"))
    payload = _encode(content.encode())
    return f"{_PREFIX}{payload}.{_encode(_sign(key, payload))}"


def verify(key: bytes, token: str, now_ms: int) -> RoomToken:
    """What the token grants; NotSignedInError when it is not ours, or too old."""
    refused = NotSignedInError("This room token is not valid.", code="bad_token")
    if not token.startswith(_PREFIX) or len(token) > MAX_LENGTH:
        raise refused
    payload, _, signature = token.removeprefix(_PREFIX).partition(".")
    try:
        if not hmac.compare_digest(_sign(key, payload), _decode(signature)):
            raise refused
        room_id, name, expires_at_ms = json.loads(_decode(payload))
    except (ValueError, binascii.Error):
        raise refused from None
    if now_ms >= expires_at_ms:
        raise NotSignedInError("This room token has expired.", code="bad_token")
    return RoomToken(room_id, name)


def _sign(key: bytes, payload: str) -> bytes:
    return hmac.digest(key, payload.encode(), "sha256")


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
