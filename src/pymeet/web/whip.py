"""WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): publish and play with any standard client; docs/protocol.md, section 3.

Cookies never count here, so pages of any origin may ask. What admits to a closed room is a bearer token; what admits
to a session is its address, which cannot be guessed.
"""

from typing import Final

from aiohttp import web

from pymeet.errors import ConflictError, NotAllowedError, NotSignedInError, TooManyError
from pymeet.meetings.model import Room
from pymeet.ops import room_tokens, turn
from pymeet.ops.room_tokens import RoomToken
from pymeet.rooms.people import Kind
from pymeet.sfu.errors import DescriptionError, UnusableOfferError
from pymeet.web import sdpfrag, whep
from pymeet.web.bearer import bearer_token
from pymeet.web.bodies import read_body
from pymeet.web.errors import StatusError
from pymeet.web.origins import client_address, neighbourhood
from pymeet.web.parts import PARTS
from pymeet.web.whip_sessions import SESSIONS, open_session, session_of

OFFER_TYPE: Final = "application/sdp"
OFFER_LIMIT: Final = 128 * 1024
RETRY_AFTER_S: Final = 2
PATHS: Final = ("/whip/", "/whep/")

CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Patch, Accept-Post, Allow, ETag, Link, Location, Retry-After",
}
"""On every answer of these addresses. No credentials are allowed with it, so the star is harmless."""

_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "OPTIONS, GET, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}


async def publish(request: web.Request) -> web.Response:
    """WHIP: the publisher becomes a participant."""
    return await _create(request, Kind.PUBLISHER)


async def play(request: web.Request) -> web.Response:
    """WHEP: the player becomes a participant as well, for nobody watches unseen."""
    return await _create(request, Kind.PLAYER)


async def patch(request: web.Request) -> web.Response:
    """Trickle ICE (204), or an ICE restart (200 and a new ETag)."""
    session = session_of(request)
    try:
        body = await read_body(request, sdpfrag.CONTENT_TYPE, sdpfrag.LIMIT)
    except StatusError as error:
        error.headers.pop("Accept-Post", None)
        error.headers["Accept-Patch"] = sdpfrag.CONTENT_TYPE
        raise
    fragment = sdpfrag.parse_fragment(body)
    condition = request.headers.get("If-Match")
    is_restart = fragment.credentials is not None and fragment.credentials != session.remote
    if is_restart and condition is None:
        raise StatusError(428, 'An ICE restart needs an If-Match header: the newest ETag, or "*".')
    if condition is not None and not _names(condition, session.etag):
        raise StatusError(412, "If-Match does not name the newest ETag of this session.")
    if not is_restart or fragment.credentials is None:
        return web.Response(status=204)
    return web.Response(
        body=session.restart(fragment.credentials).encode(),
        headers={"Content-Type": sdpfrag.CONTENT_TYPE, "ETag": session.etag},
    )


async def delete(request: web.Request) -> web.Response:
    """Ends the session and its media at once."""
    session = session_of(request)
    request.app[SESSIONS].end(session.id)
    return web.Response()


async def endpoint_options(_request: web.Request) -> web.Response:
    """What a page of another site may do here."""
    return web.Response(headers={**_PREFLIGHT, "Accept-Post": OFFER_TYPE})


async def session_options(_request: web.Request) -> web.Response:
    """The same for a session; whether there is one is not told."""
    return web.Response(headers={**_PREFLIGHT, "Accept-Patch": sdpfrag.CONTENT_TYPE})


async def extension_options(_request: web.Request) -> web.Response:
    """The same for what belongs to a player's session (`whep.py`)."""
    return web.Response(headers={**_PREFLIGHT, "Accept-Post": "application/json"})


async def _create(request: web.Request, kind: Kind) -> web.Response:
    parts = request.app[PARTS]
    room = await parts.meetings.room(request.match_info["slug"])
    token = _token(request, room)
    offer = await _read_offer(request)
    name = (token and token.name) or request.query.get("name") or kind.value.capitalize()
    live = parts.registry.open(room)
    try:
        session = await open_session(
            live,
            kind,
            name,
            offer,
            target=request.query.get("participant"),
            token_id=None if token is None else token.id,
            network=neighbourhood(client_address(request, parts.config.http.trusted_proxies)),
        )
    except UnusableOfferError as error:
        raise StatusError(422, error.message, code=error.code) from None
    except DescriptionError as error:
        raise StatusError(400, error.message, code=error.code) from None
    except NotSignedInError:
        raise _unauthorized("This room wants a token.") from None
    except NotAllowedError as error:
        if error.code == "wrong_password":
            raise _unauthorized("This room wants a token.") from None
        raise
    except TooManyError as error:
        raise StatusError(409, error.message, code=error.code) from None
    except ConflictError as error:
        retry = {"Retry-After": str(RETRY_AFTER_S)}
        raise StatusError(409, error.message, code=error.code, headers=retry) from None
    request.app[SESSIONS].add(session)
    path = "whip" if kind is Kind.PUBLISHER else "whep"
    headers = {
        "Location": f"/{path}/{room.slug}/{session.id}",
        "ETag": session.etag,
        "Accept-Patch": sdpfrag.CONTENT_TYPE,
        "Content-Type": OFFER_TYPE,
    }
    response = web.Response(status=201, body=session.answer.encode(), headers=headers)
    server = turn.ice_server(parts.config.media.turn, parts.clock.now_ms())
    links = [] if server is None else [*turn.links(server)]
    if kind is Kind.PLAYER:
        links += whep.links(headers["Location"])
    for link in links:
        response.headers.add("Link", link)
    return response


def _token(request: web.Request, room: Room) -> RoomToken | None:
    """The token that was shown, None without one. 401 when it is not good, NotAllowedError when for another room."""
    parts = request.app[PARTS]
    if "Authorization" not in request.headers:
        return None
    shown = bearer_token(request)
    if shown is None:
        raise _unauthorized("Show a room token as bearer token.")
    try:
        token = room_tokens.verify(parts.room_token_key, shown, parts.clock.now_ms())
    except NotSignedInError as error:
        raise _unauthorized(error.message, "invalid_token") from None
    if token.room_id != room.id:
        raise NotAllowedError("This token is for another room.")
    return token


async def _read_offer(request: web.Request) -> str:
    accept = request.headers.get("Accept", "*/*")
    if not any(kind in accept for kind in (OFFER_TYPE, "application/*", "*/*")):
        raise StatusError(406, f"The answer is {OFFER_TYPE}.", code="not_acceptable")
    raw = await read_body(request, OFFER_TYPE, OFFER_LIMIT)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise StatusError(400, "The offer is not UTF-8 text.", code="bad_description") from None


def _names(condition: str, etag: str) -> bool:
    """Whether an If-Match header holds for `etag` (RFC 9110, section 13.1.1)."""
    return etag in {part.strip() for part in condition.split(",")} or condition.strip() == "*"


def _unauthorized(message: str, error: str = "") -> StatusError:
    challenge = 'Bearer realm="pymeet"' + (f', error="{error}"' if error else "")
    return StatusError(401, message, headers={"WWW-Authenticate": challenge})
