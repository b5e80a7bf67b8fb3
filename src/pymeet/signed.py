"""Signed texts: what they say stands in them, and a signature (HMAC-SHA256) shows that this server wrote it.

Nothing is stored for them; whoever has such a text can read it and show it, nobody can make or change one.
"""

import base64
import binascii
import hmac
import json
from typing import Any

MAX_LENGTH = 1000


def sign(key: bytes, prefix: str, content: list[Any]) -> str:
    """The text form of `content`, a list that JSON can carry. `prefix` names kind and version, such as `pmr1.`."""
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    payload = _encode(written.encode())
    return f"{prefix}{payload}.{_encode(_signature(key, payload))}"


def read(key: bytes, prefix: str, text: str) -> list[Any] | None:
    """What a signed text says; None when it is not of this kind, or not ours."""
    if not text.startswith(prefix) or len(text) > MAX_LENGTH:
        return None
    payload, _, signature = text.removeprefix(prefix).partition(".")
    try:
        if not hmac.compare_digest(_signature(key, payload), _decode(signature)):
            return None
        content = json.loads(_decode(payload))
    except (ValueError, binascii.Error):
        return None
    return content if isinstance(content, list) else None


def _signature(key: bytes, payload: str) -> bytes:
    return hmac.digest(key, payload.encode(), "sha256")


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
