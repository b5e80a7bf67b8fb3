"""The API of signing in through the organisation's OpenID provider (docs/protocol.md, section 4.5).

The provider sends people back to a page, which hands code and state over: nothing happens by merely opening an address.
"""

import re
from typing import Annotated, Final
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import Field

from pymeet.accounts.model import User
from pymeet.accounts.oidc import ATTEMPT_S, PATH_LENGTH, Arrived, Oidc, Purpose
from pymeet.accounts.oidc_provider import ProviderError
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.web.bodies import Body, read_body, read_json
from pymeet.web.confirming import confirm
from pymeet.web.cookies import clear_oidc, oidc_name_for, set_oidc
from pymeet.web.errors import StatusError
from pymeet.web.origins import is_https
from pymeet.web.parts import PARTS
from pymeet.web.people import shown_user
from pymeet.web.personal_data import cancel_erasure
from pymeet.web.sessions import admitted, challenged, member, session_token, visitor

LOGOUT_LIMIT: Final = 64 * 1024
COOKIE_LIMIT: Final = 1000
FORM: Final = "application/x-www-form-urlencoded"

Path = Annotated[str, Field(max_length=2000)]
Password = Annotated[str, Field(min_length=1, max_length=1000)]


class Begin(Body):
    return_to: Path = "/"
    """A path of this server; anything else is taken for the start page."""
    keep_account: bool = False
    """Whether the erasure of the account, which is under way, is to be cancelled."""


class BeginConfirming(Body):
    return_to: Path = "/"


class BeginLinking(Body):
    password: Password | None = None


class RemoveIdentity(Body):
    password: Password | None = None


class Finish(Body):
    state: Annotated[str, Field(min_length=1, max_length=200)]
    code: Annotated[str, Field(min_length=1, max_length=4000)]
    iss: Annotated[str, Field(max_length=2000)] | None = None
    """What the provider calls itself, where it says so (RFC 9207)."""


async def begin(request: web.Request) -> web.Response:
    """Where to go to sign in."""
    body = await read_json(request, Begin)
    return await _sent(request, Purpose.KEEP if body.keep_account else Purpose.SIGN_IN, body.return_to)


async def begin_confirming(request: web.Request) -> web.Response:
    """Where to go to show once more who one is; for ten minutes that counts as the password."""
    user = await member(request)
    body = await read_json(request, BeginConfirming)
    return await _sent(request, Purpose.CONFIRM, body.return_to, user)


async def begin_linking(request: web.Request) -> web.Response:
    """Where to go to link an account there with this one. It opens a way in, so the password is asked for."""
    user = await member(request)
    body = await read_json(request, BeginLinking)
    _oidc(request)
    await confirm(request, user, body.password)
    return await _sent(request, Purpose.LINK, "/security", user)


async def finish(request: web.Request) -> web.Response:
    """Takes what the provider sent somebody back with. The cookie is used up by that, whatever comes of it.

    So tries need not be counted: each cookie is good for one code, and without one nothing is asked of the provider. To
    count them by network would shut out everybody who comes from the same one.
    """
    body = await read_json(request, Finish)
    cookie = request.cookies.get(oidc_name_for(_https(request)), "")
    user, token = await visitor(request), session_token(request) or ""
    try:
        arrived = await _oidc(request).finish(
            cookie if len(cookie) <= COOKIE_LIMIT else "",
            state=body.state,
            code=body.code,
            issuer=body.iss,
            user=user,
            token=token,
        )
    except ProviderError as error:
        raise _unavailable(error) from None
    response = await _answer(request, arrived)
    clear_oidc(response, https=_https(request))
    return response


async def remove_identity(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, RemoveIdentity)
    oidc = _oidc(request)
    await confirm(request, user, body.password)
    await oidc.accounts.remove(user, request.match_info["id"], token=session_token(request) or "")
    return web.Response(status=204)


async def backchannel_logout(request: web.Request) -> web.Response:
    """The provider says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0, section 2.5)."""
    oidc = _oidc(request)
    try:
        form = parse_qsl((await read_body(request, FORM, LOGOUT_LIMIT)).decode(), max_num_fields=20)
    except ValueError:
        raise InvalidInputError("The body is not a form.") from None
    tokens = [value for name, value in form if name == "logout_token"]
    if len(tokens) != 1:
        raise InvalidInputError("Send one logout_token.")
    try:
        ended = await oidc.signed_out(tokens[0])
    except ProviderError as error:
        raise _unavailable(error) from None
    if ended is not None:
        request.app[PARTS].sign_in.end(ended.covers)
    return web.Response()


async def sign_out_url(request: web.Request) -> str | None:
    """Where to go to be signed out at the provider too; None where nowhere, or where it cannot be reached."""
    oidc, token = request.app[PARTS].oidc, session_token(request)
    if oidc is None or token is None:
        return None
    try:
        return await oidc.sign_out_url(token)
    except ProviderError:
        return None  # to be signed out here must never depend on it


async def _sent(request: web.Request, purpose: Purpose, return_to: str, user: User | None = None) -> web.Response:
    try:
        begun = await _oidc(request).begin(purpose, own_path(return_to), user=user)
    except ProviderError as error:
        raise _unavailable(error) from None
    response = web.json_response({"url": begun.url})
    set_oidc(response, begun.cookie, ATTEMPT_S, https=_https(request))
    return response


async def _answer(request: web.Request, arrived: Arrived) -> web.Response:
    """As after a password, with what it was for and the page to go on to."""
    more = {"purpose": arrived.purpose, "return_to": arrived.return_to}
    user, oidc = arrived.user, _oidc(request)
    if arrived.purpose in (Purpose.LINK, Purpose.CONFIRM):
        return web.json_response({"user": await shown_user(request, user), **more})
    keeping = arrived.purpose is Purpose.KEEP
    if not oidc.config.trust_second_factor:
        asked = await challenged(request, user, cancels_erasure=keeping, began=arrived.began, more=more)
        if asked is not None:
            return asked
    if keeping:
        await cancel_erasure(request, user.id)
    return await admitted(request, user, began=arrived.began, more=more)


def _oidc(request: web.Request) -> Oidc:
    """The provider. Raises NotFoundError where there is none."""
    oidc = request.app[PARTS].oidc
    if oidc is None:
        raise NotFoundError("No sign-in service is set up here.")
    return oidc


def own_path(text: str) -> str:
    """The path, if it can lead nowhere but to this server; browsers read `//` and `/\\` as another host."""
    return text if len(text) <= PATH_LENGTH and re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", text) else "/"


def _https(request: web.Request) -> bool:
    return is_https(request, request.app[PARTS].config.http.trusted_proxies)


def _unavailable(error: ProviderError) -> StatusError:
    return StatusError(503, error.message, code=error.code, headers={"Retry-After": "60"})
