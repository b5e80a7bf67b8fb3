"""From the session cookie, or an API token, to the person who asks; and the one place where sessions begin."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from pymeet.accounts.devices import KNOWN_MS, Browser, NewDeviceMail, device_name, token_hash
from pymeet.accounts.model import ProviderSession, User
from pymeet.accounts.passkeys import Site, site_of
from pymeet.accounts.rows import hash_of
from pymeet.accounts.sign_in import Challenge
from pymeet.errors import ConflictError, NotAllowedError, NotSignedInError
from pymeet.ops.addresses import public_url
from pymeet.web.bearer import bears_token, person_of_token
from pymeet.web.cookies import clear_device, clear_session, device_name_for, name_for, set_device, set_session
from pymeet.web.origins import client_address, is_https, neighbourhood, public_base
from pymeet.web.parts import PARTS
from pymeet.web.people import shown_user

SECURITY_PAGE = "/security"


async def visitor(request: web.Request, *, uses: bool = True) -> User | None:
    """The signed-in person, or whose API token it is; None for anybody else. `uses`: see `Accounts.user_of_session`."""
    if bears_token(request):
        return person_of_token(request)
    token = session_token(request)
    return await request.app[PARTS].accounts.user_of_session(token, uses=uses) if token else None


async def member(request: web.Request, *, uses: bool = True) -> User:
    """The signed-in person; NotSignedInError for anybody else. `uses`: see `Accounts.user_of_session`."""
    user = await visitor(request, uses=uses)
    if user is None:
        raise NotSignedInError("Sign in first.")
    return user


def session_token(request: web.Request) -> str | None:
    """The token in the cookie that belongs to the request's scheme; one of the other name is not looked at."""
    return _cookie(request, name_for(_https(request)))


def session_key(request: web.Request) -> str | None:
    """What names the session of the request without opening it; see `Accounts.open_sessions`."""
    token = session_token(request)
    return hash_of(token) if token else None


def browser(request: web.Request) -> Browser:
    """What the browser shows of itself."""
    return Browser(
        _cookie(request, device_name_for(_https(request))), device_name(request.headers.get("User-Agent", ""))
    )


def network(request: web.Request) -> str:
    """What counts as one place from which somebody tries to sign in."""
    return neighbourhood(client_address(request, request.app[PARTS].config.http.trusted_proxies))


async def known_device(request: web.Request, email: str) -> str | None:
    """What the browser counts as where attempts are counted, if the person with this address used it before."""
    here = browser(request)
    return token_hash(here.token) if await request.app[PARTS].sign_in.devices.knows(email, here) else None


def passkey_site(request: web.Request) -> Site | None:
    """This server as passkeys know it; None where it has no name."""
    return site_of(public_base(request))


def needed_site(request: web.Request) -> Site:
    """The same where a passkey is to be made or used. Raises ConflictError (`no_passkeys_here`)."""
    site = passkey_site(request)
    if site is None:
        raise ConflictError("This server has no host name, which passkeys need.", code="no_passkeys_here")
    return site


async def signed_in(request: web.Request, user: User) -> web.Response:
    """The answer to who has proved by one thing who they are: `{user}` and a session, or `{second_factor}` to show first."""
    return await challenged(request, user) or await admitted(request, user)


def check_way_in(request: web.Request, user: User) -> None:
    """Raises NotAllowedError (`oidc_only`) where the OpenID provider alone lets such people in."""
    oidc = request.app[PARTS].config.oidc
    if oidc.only and not user.is_admin:
        raise NotAllowedError(f"Sign in with your account at {oidc.label}.", code="oidc_only")


async def challenged(
    request: web.Request,
    user: User,
    *,
    cancels_erasure: bool = False,
    began: ProviderSession | None = None,
    more: Mapping[str, Any] | None = None,
) -> web.Response | None:
    """The answer `{second_factor}`; None where what the person proved is enough. `began` and `more` as below.

    Raises NotAllowedError as `check_way_in` does.
    """
    if began is None:
        check_way_in(request, user)
    site = passkey_site(request)
    challenge = await request.app[PARTS].sign_in.challenge(
        user, browser(request), site, cancels_erasure=cancels_erasure, began=began
    )
    if challenge is None:
        return None
    return web.json_response({"second_factor": _shown_challenge(request, challenge), **(more or {})})


async def admitted(
    request: web.Request,
    user: User,
    *,
    remember: bool = False,
    began: ProviderSession | None = None,
    more: Mapping[str, Any] | None = None,
) -> web.Response:
    """`{user}` and a fresh session for who has proved all that is asked; the session the browser had before ends.

    So nobody can plant one. With `remember` the browser is not asked for the second factor for a while.
    `began` is how the OpenID provider signed the person in, where it did; `more` goes into the answer.
    Raises NotAllowedError as `check_way_in` does.
    """
    parts, https, here = request.app[PARTS], _https(request), browser(request)
    if began is None:
        check_way_in(request, user)
    response = web.json_response({"user": await shown_user(request, user), **(more or {})})
    former = session_token(request)
    if former:
        await parts.accounts.close_session(former)
    session = await parts.accounts.open_session(user, device=here.name, began=began)
    lifetime_s = max(0, (session.expires_at_ms - parts.clock.now_ms()) // 1000)
    set_session(response, session.token, lifetime_s, https=https)
    mail = parts.config.mail
    tell = NewDeviceMail(mail.language, f"{public_url(parts.config)}{SECURITY_PAGE}") if mail.host else None
    token = await parts.sign_in.devices.arrived(user, here, remember=remember, mail=tell)
    set_device(response, token, KNOWN_MS // 1000, https=https)
    parts.lifecycle.poke_mail()
    return response


async def end_session(request: web.Request, response: web.StreamResponse, *, for_good: bool = False) -> None:
    """Signs out: the session ends here and in the browser, which `for_good` keeps nothing of the person."""
    token = session_token(request)
    if token:
        await request.app[PARTS].accounts.close_session(token)
    clear_session(response, https=_https(request))
    if for_good:
        clear_device(response, https=_https(request))


def _shown_challenge(request: web.Request, challenge: Challenge) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ticket": challenge.ticket,
        "methods": challenge.methods,
        "remember_days": request.app[PARTS].sign_in.devices.remember_days,
    }
    return shown | ({"passkey": challenge.passkey} if challenge.passkey is not None else {})


def _https(request: web.Request) -> bool:
    return is_https(request, request.app[PARTS].config.http.trusted_proxies)


def _cookie(request: web.Request, name: str) -> str | None:
    token = None if bears_token(request) else request.cookies.get(name)
    return token if token and len(token) <= 100 and token.isascii() else None
