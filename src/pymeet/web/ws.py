"""The door to signaling: who asks, for which room; the rest is `signaling/`. The origin was checked on the way in."""

from aiohttp import web

from pymeet.errors import NotFoundError
from pymeet.web.origins import client_address, neighbourhood
from pymeet.web.parts import PARTS
from pymeet.web.sessions import session_key, visitor


async def connect(request: web.Request) -> web.StreamResponse:
    """Becomes a WebSocket (docs/protocol.md, section 1), also where there is no such room: pages see no HTTP status."""
    parts = request.app[PARTS]
    try:
        room = await parts.meetings.room(request.match_info["slug"])
    except NotFoundError:
        room = None
    user = await visitor(request)
    network = neighbourhood(client_address(request, parts.config.http.trusted_proxies))
    return await parts.signaling(
        request, user=user, room=room, network=network, signed_in_by=session_key(request) if user else None
    )
