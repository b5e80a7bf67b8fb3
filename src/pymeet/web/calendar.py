"""The API around a member's own calendar: the feed that shows it elsewhere (docs/protocol.md)."""

from aiohttp import web

from pymeet.meetings.feeds import Feeds
from pymeet.web.origins import public_base
from pymeet.web.parts import PARTS
from pymeet.web.sessions import member


async def feed_state(request: web.Request) -> web.Response:
    user = await member(request)
    made_at_ms = await _feeds(request).made_at_ms(user)
    return web.json_response({"enabled": made_at_ms is not None, "made_at": made_at_ms})


async def make_feed(request: web.Request) -> web.Response:
    """A new secret address, shown this once; the one before leads nowhere from now on."""
    user = await member(request)
    secret = await _feeds(request).make(user)
    return web.json_response({"url": f"{public_base(request)}/calendar/{secret}.ics"}, status=201)


async def end_feed(request: web.Request) -> web.Response:
    user = await member(request)
    await _feeds(request).end(user)
    return web.Response(status=204)


async def feed(request: web.Request) -> web.Response:
    """What calendars fetch. They cannot sign in: who knows the address may read it."""
    text = await _feeds(request).read(request.match_info["secret"])
    return web.Response(
        text=text,
        content_type="text/calendar",
        charset="utf-8",
        headers={"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"},
    )


def _feeds(request: web.Request) -> Feeds:
    return request.app[PARTS].planning.feeds
