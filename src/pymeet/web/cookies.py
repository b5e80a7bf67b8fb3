"""The cookies of members: host-only, out of reach of scripts.

The session is new at every sign-in. The device cookie says nothing but that a browser is the one of an earlier sign-in.
"""

from typing import Final

from aiohttp import web

SECURE_NAME: Final = "__Host-pymeet_session"
PLAIN_NAME: Final = "pymeet_session"
"""Over plain HTTP, which is served on loopback only, browsers refuse the `__Host-` prefix."""

SECURE_DEVICE: Final = "__Host-pymeet_device"
PLAIN_DEVICE: Final = "pymeet_device"


SECURE_OIDC: Final = "__Host-pymeet_oidc"
PLAIN_OIDC: Final = "pymeet_oidc"


def name_for(https: bool) -> str:
    """The cookie's name for the scheme."""
    return SECURE_NAME if https else PLAIN_NAME


def has_session_cookie(request: web.BaseRequest) -> bool:
    """Whether the request carries a session of either name, valid or not."""
    return SECURE_NAME in request.cookies or PLAIN_NAME in request.cookies


def set_session(response: web.StreamResponse, token: str, max_age_s: int, *, https: bool) -> None:
    """Hands the browser its session."""
    response.set_cookie(
        name_for(https), token, max_age=max_age_s, path="/", secure=https, httponly=True, samesite="Lax"
    )


def clear_session(response: web.StreamResponse, *, https: bool) -> None:
    """Takes the session away from the browser."""
    response.del_cookie(name_for(https), path="/", secure=https, httponly=True, samesite="Lax")


def device_name_for(https: bool) -> str:
    """The device cookie's name for the scheme."""
    return SECURE_DEVICE if https else PLAIN_DEVICE


def clear_device(response: web.StreamResponse, *, https: bool) -> None:
    """Takes from the browser what it was known by."""
    response.del_cookie(device_name_for(https), path="/", secure=https, httponly=True, samesite="Lax")


def set_device(response: web.StreamResponse, token: str, max_age_s: int, *, https: bool) -> None:
    """Lets the browser be known again."""
    response.set_cookie(
        device_name_for(https), token, max_age=max_age_s, path="/", secure=https, httponly=True, samesite="Lax"
    )


def oidc_name_for(https: bool) -> str:
    """The name of the cookie of who is at the OpenID provider."""
    return SECURE_OIDC if https else PLAIN_OIDC


def set_oidc(response: web.StreamResponse, content: str, max_age_s: int, *, https: bool) -> None:
    """Lets the browser be known when it comes back. Lax: it comes from another site."""
    response.set_cookie(
        oidc_name_for(https), content, max_age=max_age_s, path="/", secure=https, httponly=True, samesite="Lax"
    )


def clear_oidc(response: web.StreamResponse, *, https: bool) -> None:
    """Takes it away when it was used."""
    response.del_cookie(oidc_name_for(https), path="/", secure=https, httponly=True, samesite="Lax")
