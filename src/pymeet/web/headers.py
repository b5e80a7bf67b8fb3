"""The security headers that go on every answer: pages, API, static files, errors and the WebSocket's 101 alike."""

import re

from aiohttp import web

_SAFE_HOST = re.compile(r"[A-Za-z0-9._\-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")

_USED_FEATURES = (
    "autoplay",
    "camera",
    "clipboard-write",
    "display-capture",
    "fullscreen",
    "microphone",
    "picture-in-picture",
    "screen-wake-lock",
)
_UNUSED_FEATURES = (
    "accelerometer",
    "clipboard-read",
    "encrypted-media",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "midi",
    "payment",
    "serial",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
"""Only names that browsers know: an unknown one is a complaint in the visitor's console."""

FIXED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        [f"{name}=(self)" for name in _USED_FEATURES] + [f"{name}=()" for name in _UNUSED_FEATURES]
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What does not depend on the request."""

HSTS = "max-age=31536000"
"""A year, for this host only: an operator's other hosts are not ours to decide about."""


SANDBOX = "sandbox"
"""What a handler sets as its `Content-Security-Policy` for what must have no rights, opened by itself, on our origin."""


def safe_host(request: web.BaseRequest) -> str | None:
    """The `Host` of the request where it looks like one; None where it would be dangerous to repeat."""
    host = request.headers.get("Host", "")
    return host if len(host) <= 255 and _SAFE_HOST.fullmatch(host) else None


def content_security_policy(host: str | None, https: bool) -> str:
    """The policy for one origin. Some browsers do not count the WebSocket as 'self', so it is named."""
    socket = f" {'wss' if https else 'ws'}://{host}" if host else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            f"connect-src 'self'{socket}",
            "media-src 'self' blob:",
            "font-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def add_security_headers(response: web.StreamResponse, host: str | None, *, https: bool, hsts: bool) -> None:
    """Sets the headers; what a handler said about caching and of a sandbox stays."""
    response.headers.update(FIXED)
    policy = content_security_policy(host, https)
    if response.headers.get("Content-Security-Policy") == SANDBOX:
        policy = f"{policy}; {SANDBOX}"
    response.headers["Content-Security-Policy"] = policy
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.pop("Server", None)
    if hsts:
        response.headers["Strict-Transport-Security"] = HSTS
