"""The bearer token of a request (RFC 6750), which WHIP, WHEP and monitoring use in place of a cookie."""

from aiohttp import web


def bearer_token(request: web.Request) -> str | None:
    """The token in `Authorization: Bearer …`; None without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token and token.isascii() else None
