"""The API by which people sign in and out: password, second factor, passkey (docs/protocol.md, section 4)."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.errors import InvalidInputError
from pymeet.web.attempts import attempt
from pymeet.web.bodies import Body, read_json
from pymeet.web.oidc import sign_out_url
from pymeet.web.parts import PARTS
from pymeet.web.personal_data import cancel_erasure
from pymeet.web.sessions import admitted, browser, end_session, known_device, needed_site, network, signed_in

Email = Annotated[str, Field(min_length=3, max_length=254)]
Password = Annotated[str, Field(min_length=1, max_length=1000)]
Ticket = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(min_length=1, max_length=40)]


class SignIn(Body):
    email: Email
    password: Password


class SecondFactor(Body):
    ticket: Ticket
    code: Code | None = None
    recovery_code: Code | None = None
    credential: dict[str, Any] | None = None
    remember: bool = False


class PasskeySignIn(Body):
    ticket: Ticket
    credential: dict[str, Any]


async def sign_in(request: web.Request) -> web.Response:
    """Checks the password. A network that failed often must wait, so that passwords cannot be tried through."""
    body = await read_json(request, SignIn)
    parts = request.app[PARTS]
    known_as = await known_device(request, body.email)
    with attempt(request, known_as):
        user = await parts.accounts.check_password(
            body.email, body.password, network=network(request), known_device=known_as is not None
        )
    return await signed_in(request, user)


async def second_factor(request: web.Request) -> web.Response:
    """Takes one of code, recovery code and passkey; the ticket says who is asked, and counts the tries."""
    body = await read_json(request, SecondFactor)
    parts = request.app[PARTS]
    ways = parts.sign_in
    cancels, began = ways.cancels_erasure(body.ticket), ways.began(body.ticket)
    match body.code, body.recovery_code, body.credential:
        case str(code), None, None:
            user_id = await ways.by_code(body.ticket, code, browser(request))
        case None, str(code), None:
            user_id = await ways.by_recovery_code(body.ticket, code)
        case None, None, dict(credential):
            user_id = await ways.by_passkey(body.ticket, credential)
        case _:
            raise InvalidInputError("Send one of code, recovery_code and credential.")
    if cancels:
        await cancel_erasure(request, user_id)
    return await admitted(request, await parts.accounts.user(user_id), remember=body.remember, began=began)


async def passkey_options(request: web.Request) -> web.Response:
    """What a browser asks its passkeys; nobody has said yet who they are."""
    challenge = request.app[PARTS].sign_in.passkey_challenge(needed_site(request))
    return web.json_response({"ticket": challenge.ticket, "options": challenge.passkey})


async def passkey(request: web.Request) -> web.Response:
    """Signs in by a passkey alone, which is something the person has, opened by what they are or know."""
    body = await read_json(request, PasskeySignIn)
    parts = request.app[PARTS]
    site = needed_site(request)
    with attempt(request):
        user_id = await parts.sign_in.by_passkey_alone(body.ticket, body.credential, site)
    return await admitted(request, await parts.accounts.user(user_id))


async def sign_out(request: web.Request) -> web.Response:
    """Signs out here; `{url}` says where to go to be signed out at the OpenID provider too."""
    url = await sign_out_url(request)
    response = web.Response(status=204) if url is None else web.json_response({"url": url})
    await end_session(request, response)
    return response
