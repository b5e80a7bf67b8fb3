"""The bearer token of a request (RFC 6750), which the API, WHIP, WHEP and monitoring take in place of a cookie."""

from typing import Final

from aiohttp import web

from pymeet.accounts.model import User

API_PATH: Final = "/api/v1/"
"""Where API tokens count, and nowhere else."""

_PERSON: Final = web.RequestKey("person_of_token", User)


def bearer_token(request: web.BaseRequest) -> str | None:
    """The token in `Authorization: Bearer …`; None without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token and token.isascii() else None


def bears_token(request: web.BaseRequest) -> bool:
    """Whether the request asks the API by a token, good or not. Then no cookie of it counts for anything."""
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return scheme.lower() == "bearer" and request.path.startswith(API_PATH)


def set_person_of_token(request: web.Request, user: User) -> None:
    """Notes whose token it is, once that is checked."""
    request[_PERSON] = user


def person_of_token(request: web.Request) -> User | None:
    """Whose token the request bears; None where it was not checked."""
    return request.get(_PERSON)
