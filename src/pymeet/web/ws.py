"""The door to signaling: who asks, for which room; the rest is `signaling/`. The origin was checked on the way in."""

from aiohttp import web

from pymeet.web.parts import PARTS
from pymeet.web.sessions import visitor


async def connect(request: web.Request) -> web.StreamResponse:
    """Becomes a WebSocket (docs/protocol.md, section 1); 404 when there is no such room."""
    from pymeet.signaling import session

    parts = request.app[PARTS]
    room = await parts.meetings.room(request.match_info["slug"])
    user = await visitor(request)
    return await session.handle(request, registry=parts.registry, user=user, room=room, clock=parts.clock)
