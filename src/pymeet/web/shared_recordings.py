"""Recordings shared by a link: whoever has it, and its password where it has one, may play the film for a while.

The token comes in the body, never in an address. What the browser keeps afterwards is a signed text that names the link;
whether the link is still good is asked at every request.
"""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from pymeet import signed
from pymeet.errors import NotAllowedError, NotFoundError, NotSignedInError
from pymeet.recording.access import Asker
from pymeet.recording.catalogue import Entry
from pymeet.recording.shares import Opened
from pymeet.retention import hours
from pymeet.web.attempts import attempt
from pymeet.web.bearer import bears_token
from pymeet.web.bodies import Body, read_json
from pymeet.web.origins import is_https
from pymeet.web.parts import PARTS
from pymeet.web.recording_parts import RECORDINGS
from pymeet.web.sessions import visitor

SECURE_COOKIE: Final = "__Host-pymeet-film"
PLAIN_COOKIE: Final = "pymeet-film"
"""Over plain HTTP, which is served on loopback only, browsers refuse the `__Host-` prefix."""

GOOD_FOR_MS: Final = hours(12)

_PREFIX: Final = "pmf1."
_PURPOSE: Final = b"film-links"
_CHAPTERS: Final = frozenset({"spoke", "shared", "marker"})


class Link(Body):
    token: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
    password: Annotated[str, Field(max_length=1024)] | None = None


async def open_link(request: web.Request) -> web.Response:
    """What the link leads to, and the cookie with which its film can be played. Passwords cannot be tried through."""
    body = await read_json(request, Link)
    recordings = request.app[RECORDINGS]
    try:
        with attempt(request):
            opened = await recordings.shares.open(body.token, body.password)
    except NotSignedInError as error:
        raise NotAllowedError(error.message, code=error.code) from None
    contents = await recordings.catalogue.contents(opened.entry)
    names = {each.id: each.name for each in opened.entry.people}
    chapters = [
        {
            "kind": each["kind"],
            "person": names[each["person_id"]],
            "begins_at": each["begins_at"],
            "ends_at": each["ends_at"],
            "text": each["text"],
        }
        for each in contents.events
        if each["kind"] in _CHAPTERS
    ]
    response = web.json_response({"recording": {**_shown(opened), "events": chapters}})
    await _set_cookie(request, response, opened)
    return response


async def viewer(request: web.Request) -> Asker:
    """Who wants to watch: a member by their session, or whoever opened a link that is still good. NotSignedInError."""
    user = await visitor(request)
    asker = Asker() if user is None else Asker(user_id=user.id, is_admin=user.is_admin)
    link = await _opened_before(request)
    if link is not None:
        return replace(asker, share_id=link.share_id, link_to=link.link_to)
    if user is None:
        raise NotSignedInError("Sign in first, or open the link again.")
    return asker


def _shown(opened: Opened) -> dict[str, Any]:
    recording = opened.entry.rows.recording
    return {
        "id": opened.entry.id,
        "name": recording["name"],
        "started_at": recording["started_at_ms"],
        "duration_ms": opened.entry.duration_ms,
        "people": [{"name": name} for name in sorted({each.name for each in opened.entry.people})],
        "film": _film(opened.entry),
        "may_until": opened.expires_at_ms,
    }


def _film(entry: Entry) -> dict[str, Any] | None:
    film = entry.film
    if film is None or film["hidden"]:
        return None
    return {name: film[name] for name in ("id", "state", "format", "height", "duration_ms")}


async def _opened_before(request: web.Request) -> Asker | None:
    """The link that the cookie names; None without one, and for one that has ended."""
    parts = request.app[PARTS]
    text = None if bears_token(request) else request.cookies.get(_name(request))
    content = signed.read(await _key(request), _PREFIX, text) if text else None
    if content is None or len(content) != 2 or int(content[1]) <= parts.clock.now_ms():
        return None
    try:
        return (await request.app[RECORDINGS].shares.still_open(str(content[0]))).asker
    except NotFoundError:
        return None


async def _set_cookie(request: web.Request, response: web.Response, opened: Opened) -> None:
    now_ms = request.app[PARTS].clock.now_ms()
    until_ms = min(now_ms + GOOD_FOR_MS, opened.expires_at_ms)
    https = _is_https(request)
    response.set_cookie(
        _name(request),
        signed.sign(await _key(request), _PREFIX, [opened.asker.share_id, until_ms]),
        max_age=max(0, (until_ms - now_ms) // 1000),
        path="/",
        secure=https,
        httponly=True,
        samesite="Strict",
    )


def _name(request: web.Request) -> str:
    return SECURE_COOKIE if _is_https(request) else PLAIN_COOKIE


def _is_https(request: web.Request) -> bool:
    return is_https(request, request.app[PARTS].config.http.trusted_proxies)


async def _key(request: web.Request) -> bytes:
    return await asyncio.to_thread(request.app[PARTS].lifecycle.keys.purpose_key, _PURPOSE)
