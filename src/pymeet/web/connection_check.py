"""What the page's connection check and `pymeet doctor --from-outside` ask for: where media goes, and with what to try it.

Everybody who joins is told these addresses. The credentials open nothing: a check with them is answered, and that is all.
"""

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from pymeet.accounts.throttle import AttemptLimiter
from pymeet.errors import NotFoundError
from pymeet.ops import turn
from pymeet.web.bodies import Body, read_json
from pymeet.web.errors import StatusError
from pymeet.web.origins import client_address, neighbourhood
from pymeet.web.parts import PARTS
from pymeet.web.sessions import visitor

CHECKS_PER_NETWORK: Final = 30
CHECKS_WINDOW_S: Final = 60.0

CONNECTION_CHECKS = web.AppKey("connection_checks", AttemptLimiter)


class ConnectionCheck(Body):
    """For which room, if one is to be joined: its guests may try the TURN server, too."""

    room: Annotated[str, Field(max_length=64)] | None = None


async def begin(request: web.Request) -> web.Response:
    """Addresses and credentials; those for the TURN server to members, and to guests whom their room lets in unasked."""
    parts = request.app[PARTS]
    body = await read_json(request, ConnectionCheck)
    network = neighbourhood(client_address(request, parts.config.http.trusted_proxies))
    if not request.app[CONNECTION_CHECKS].attempt(network, parts.clock.monotonic()):
        raise StatusError(429, "Too many checks from your network. Wait a minute.", headers={"Retry-After": "60"})
    server = None
    if await visitor(request) is not None or await _lets_guests_in(request, body.room):
        server = turn.ice_server(parts.config.media.turn, parts.clock.now_ms(), turn.CHECK_S)
    ways = parts.media_ways()
    return web.json_response(
        {
            "ufrag": ways.credentials.ufrag,
            "password": ways.credentials.password,
            "udp": [{"host": host, "port": port} for host, port in ways.udp],
            "tcp": [{"host": host, "port": port} for host, port in ways.tcp],
            "ice_servers": [vars(server)] if server else [],
        }
    )


async def _lets_guests_in(request: web.Request, slug: str | None) -> bool:
    """Whether somebody who is not signed in would be in the room's meeting at once."""
    parts = request.app[PARTS]
    try:
        room = await parts.meetings.room(slug or "")
    except NotFoundError:
        return False
    live = parts.registry.live(room.slug)
    settings = room.settings
    return (
        settings.guests_allowed(parts.lifecycle.in_force.rooms.guests_allowed)
        and settings.waiting_room == "off"
        and room.password_hash is None
        and not (live is not None and live.state.locked)
    )
