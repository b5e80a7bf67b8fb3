"""From the session cookie to the person who asks."""

from aiohttp import web

from pymeet.accounts.model import User
from pymeet.errors import NotSignedInError
from pymeet.web.cookies import clear_session, name_for, set_session
from pymeet.web.origins import is_https
from pymeet.web.parts import PARTS


async def visitor(request: web.Request) -> User | None:
    """The signed-in person, None for anybody else."""
    token = session_token(request)
    return await request.app[PARTS].accounts.user_of_session(token) if token else None


async def member(request: web.Request) -> User:
    """The signed-in person; NotSignedInError for anybody else."""
    user = await visitor(request)
    if user is None:
        raise NotSignedInError("Sign in first.")
    return user


def session_token(request: web.Request) -> str | None:
    """The token in the cookie that belongs to the request's scheme; one of the other name is not looked at."""
    token = request.cookies.get(name_for(is_https(request, request.app[PARTS].config.http.trusted_proxies)))
    return token if token and len(token) <= 100 and token.isascii() else None


async def begin_session(request: web.Request, response: web.StreamResponse, user: User) -> None:
    """Signs `user` in with a fresh session; the one the browser had before ends, so none can be planted."""
    parts = request.app[PARTS]
    former = session_token(request)
    if former:
        await parts.accounts.close_session(former)
    session = await parts.accounts.open_session(user)
    lifetime_s = max(0, (session.expires_at_ms - parts.clock.now_ms()) // 1000)
    set_session(response, session.token, lifetime_s, https=is_https(request, parts.config.http.trusted_proxies))


async def end_session(request: web.Request, response: web.StreamResponse) -> None:
    """Signs out: the session ends here and in the browser."""
    token = session_token(request)
    if token:
        await request.app[PARTS].accounts.close_session(token)
    clear_session(response, https=is_https(request, request.app[PARTS].config.http.trusted_proxies))
