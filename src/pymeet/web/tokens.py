"""API tokens: the door that they open, and the API by which people make and revoke their own (docs/protocol.md)."""

from typing import Annotated, Any

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import Field

from pymeet.accounts.scopes import grantable
from pymeet.accounts.tokens import DEFAULT_DAYS, LONGEST_DAYS, Token, Told
from pymeet.errors import NotAllowedError, NotSignedInError
from pymeet.ops.addresses import public_url
from pymeet.web.attempts import attempt
from pymeet.web.bearer import bearer_token, bears_token, set_person_of_token
from pymeet.web.bodies import Body, read_json
from pymeet.web.confirming import confirm
from pymeet.web.errors import StatusError
from pymeet.web.parts import PARTS
from pymeet.web.scopes import PUBLIC, SCOPES, route_of
from pymeet.web.sessions import member, network


class NewToken(Body):
    name: Annotated[str, Field(max_length=200)]
    """`clean_line` says how long it may be."""
    scopes: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=40)]
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = DEFAULT_DAYS
    password: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """As `confirm` says."""


@web.middleware
async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets a program in by its token, at routes whose scope the token has.

    Raises NotSignedInError (`bad_token`), NotAllowedError (`not_for_tokens`), StatusError 403 (`missing_scope`), or 429
    where many wrong ones came from one network: there is nothing to guess, but somebody's program runs wild.
    """
    if bears_token(request):
        await _admit(request)
    return await handler(request)


async def list_tokens(request: web.Request) -> web.Response:
    """The asker's tokens, and what a new one may be good for."""
    user = await member(request)
    tokens = await request.app[PARTS].accounts.tokens.of(user.id)
    return web.json_response(
        {
            "tokens": [shown(each) for each in tokens],
            "scopes": list(grantable(user.role)),
            "default_days": DEFAULT_DAYS,
            "longest_days": LONGEST_DAYS,
        }
    )


async def create(request: web.Request) -> web.Response:
    """Asks once more who it is. The token is in the answer, and nowhere else afterwards."""
    user = await member(request)
    body = await read_json(request, NewToken)
    await confirm(request, user, body.password)
    parts = request.app[PARTS]
    made, text = await parts.accounts.tokens.create(
        user.id, body.name, body.scopes, body.days, by=user.id, mail=Told.of(parts.config, public_url(parts.config))
    )
    parts.lifecycle.poke_mail()
    return web.json_response({**shown(made), "token": text}, status=201)


async def revoke(request: web.Request) -> web.Response:
    user = await member(request)
    await request.app[PARTS].accounts.tokens.revoke(request.match_info["id"], of=user.id, by=user.id)
    return web.Response(status=204)


async def _admit(request: web.Request) -> None:
    bearer = await request.app[PARTS].accounts.tokens.bearer(bearer_token(request) or "")
    if bearer is None:
        with attempt(request, f"token {network(request)}"):
            raise NotSignedInError("This token is not valid, or has ended.", code="bad_token")
    route = route_of(request)
    if route is None:  # the answer is 404 or 405, whoever asks
        return
    scope = SCOPES.get(route)
    if scope is None and route not in PUBLIC:
        raise NotAllowedError("This cannot be done with a token. Sign in on the pages.", code="not_for_tokens")
    if scope is not None and scope not in bearer.scopes:
        challenge = f'Bearer realm="pymeet", error="insufficient_scope", scope="{scope}"'
        raise StatusError(
            403, f"The token needs the scope {scope}.", code="missing_scope", headers={"WWW-Authenticate": challenge}
        )
    set_person_of_token(request, bearer.user)


def shown(token: Token) -> dict[str, Any]:
    """A token as its person, and administrators, see it."""
    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "created_at": token.created_at_ms,
        "expires_at": token.expires_at_ms,
        "last_used_at": token.last_used_at_ms,
    }
