"""The API by which administrators see and end others' API tokens, and unlink their accounts at the OpenID provider."""

from typing import Any

from aiohttp import web

from pymeet.accounts import identity_store
from pymeet.accounts.model import User
from pymeet.accounts.oidc_accounts import unlink
from pymeet.db import audit
from pymeet.errors import NotFoundError
from pymeet.web import tokens
from pymeet.web.admin_users import id_of_other
from pymeet.web.parts import PARTS
from pymeet.web.roles import administrator, record_view


async def show(request: web.Request) -> web.Response:
    """What lets programs, and the provider, into somebody's account; never by what secret."""
    user, user_id = await _asked(request)
    parts = request.app[PARTS]
    own = await parts.accounts.tokens.of(user_id)
    async with parts.database.read() as conn:
        linked = await identity_store.identities_of(conn, user_id)
    await record_view(request, user, audit.Person(user_id), len(own) + len(linked))
    shown: list[dict[str, Any]] = [
        {
            "id": each["id"],
            "issuer": each["issuer"],
            "created_at": each["created_at_ms"],
            "last_used_at": each["last_used_at_ms"],
        }
        for each in linked
    ]
    return web.json_response({"tokens": [tokens.shown(each) for each in own], "identities": shown})


async def revoke_token(request: web.Request) -> web.Response:
    user, user_id = await _asked(request)
    await request.app[PARTS].accounts.tokens.revoke(request.match_info["token"], of=user_id, by=user.id)
    return web.Response(status=204)


async def remove_identity(request: web.Request) -> web.Response:
    """Ends the sessions that began there, and the API tokens, too: whoever came in by a wrong link may have made some."""
    user, user_id = await _asked(request)
    parts = request.app[PARTS]
    if not await unlink(parts.database, parts.clock, user_id, request.match_info["identity"], by=user.id):
        raise NotFoundError("There is no such account.")
    return web.Response(status=204)


async def _asked(request: web.Request) -> tuple[User, str]:
    """The administrator, and whose account it is; one's own is a matter of the page for that."""
    user = await administrator(request)
    return user, await id_of_other(request, user)
