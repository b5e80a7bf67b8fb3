"""Passwords for the TURN server, good for some hours: what coturn calls `use-auth-secret` (draft-uberti-behave-turn-rest).

The name is the moment at which it ends and a random word, so the TURN server does not learn who somebody is.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from pymeet.config_media import TurnConfig

MEETING_S = 12 * 3600
"""For a meeting, and for a stream that is published or played."""
CHECK_S = 5 * 60
"""For looking whether the way works."""


@dataclass(frozen=True)
class IceServer:
    """What a browser needs to use the TURN server."""

    urls: tuple[str, ...]
    username: str
    credential: str


def ice_server(config: TurnConfig, now_ms: int, good_s: int = MEETING_S) -> IceServer | None:
    """A new name and password, good for `good_s` seconds; None where no TURN server is configured."""
    if not config.urls or config.secret is None:
        return None
    username = f"{now_ms // 1000 + good_s}:{secrets.token_hex(8)}"
    mac = hmac.digest(config.secret.get_secret_value().encode(), username.encode(), hashlib.sha1)
    return IceServer(config.urls, username, base64.b64encode(mac).decode())


def links(server: IceServer) -> list[str]:
    """The same as values of `Link` headers (RFC 9725, section 4.6)."""
    return [
        f'<{url}>; rel="ice-server"; username="{server.username}"; '
        f'credential="{server.credential}"; credential-type="password"'
        for url in server.urls
    ]
