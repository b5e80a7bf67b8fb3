"""Asking once more who somebody is, before what opens a way in or cannot be undone: an unlocked screen is not enough."""

from aiohttp import web

from pymeet.accounts import store
from pymeet.accounts.devices import token_hash
from pymeet.accounts.model import User
from pymeet.errors import NotAllowedError
from pymeet.web.attempts import attempt
from pymeet.web.parts import PARTS
from pymeet.web.sessions import session_token


async def confirm(request: web.Request, user: User, password: str | None) -> None:
    """Passes whoever gives the account's password, or without one, showed the OpenID provider a moment ago who they are.

    Raises what `Accounts.confirm_password` does, StatusError 429, or NotAllowedError (`confirm_first`).
    """
    if password is not None:
        with attempt(request, token_hash(session_token(request))):
            await request.app[PARTS].accounts.confirm_password(user, password)
    elif not await _is_fresh(request):
        raise NotAllowedError("Show once more who you are.", code="confirm_first")


async def way_to_confirm(request: web.Request, user: User) -> str:
    """How the person shows it here: `password`, `provider`, or `fresh` where they have just done it."""
    parts = request.app[PARTS]
    if parts.oidc is None:
        return "password"
    if await _is_fresh(request):
        return "fresh"
    async with parts.database.read() as conn:
        return "password" if await store.has_password(conn, user.id) else "provider"


async def _is_fresh(request: web.Request) -> bool:
    oidc = request.app[PARTS].oidc
    return oidc is not None and await oidc.is_fresh(session_token(request) or "")
