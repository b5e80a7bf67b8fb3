"""What a player does beyond playing: it chooses a layer, and is told of layers (draft-ietf-wish-whep, "Protocol extensions").

docs/protocol.md, section 3.1. As with the session itself, whoever knows the address may.
"""

import asyncio
import json
from contextlib import suppress
from typing import Any, Final

from aiohttp import web
from pydantic import ConfigDict, Field, RootModel

from pymeet.errors import NotFoundError
from pymeet.sfu.view import Choice
from pymeet.web.bodies import Body, read_json
from pymeet.web.errors import StatusError
from pymeet.web.parts import PARTS
from pymeet.web.whip_sessions import Session, session_of

EVENTS: Final = ("active", "inactive", "layers")
_LOOK_S: Final = 1.0
"""How often a stream of events looks for news. The server measures layers as often."""


class _Layer(Body):
    """What to send; a limit that is not there does not limit."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    media: str | None = Field(None, alias="mediaId")
    rid: str | None = None
    encoding: str | None = Field(None, alias="encodingId")
    """`rid` as earlier drafts and the clients of their time call it."""
    spatial: int | None = Field(None, alias="spatialLayerId", ge=0)
    temporal: int | None = Field(None, alias="temporalLayerId", ge=0)
    most_spatial: int | None = Field(None, alias="maxSpatialLayerId", ge=0)
    most_temporal: int | None = Field(None, alias="maxTemporalLayerId", ge=0)
    width: int | None = Field(None, alias="maxWidth", ge=1)
    height: int | None = Field(None, alias="maxHeight", ge=1)

    @property
    def choice(self) -> Choice | None:
        """None leaves it to the server."""
        choice = Choice(
            rid=self.rid or self.encoding,
            spatial=_least(self.spatial, self.most_spatial),
            temporal=_least(self.temporal, self.most_temporal),
            width=self.width,
            height=self.height,
        )
        return None if choice == Choice() else choice


class _Names(RootModel[list[str]]):
    """The events that a player wants to be told."""

    model_config = ConfigDict(strict=True, frozen=True)


def links(session: str) -> list[str]:
    """The Link headers that name what follows, for the session at this address."""
    extension = "urn:ietf:params:whep:ext:core"
    return [
        f'<{session}/layer>; rel="{extension}:layer"',
        f'<{session}/events>; rel="{extension}:server-sent-events"; events="{",".join(EVENTS)}"',
    ]


async def choose_layer(request: web.Request) -> web.Response:
    """Says how much of the picture is sent at most. 422 for a section or a stream that there is not."""
    session = session_of(request)
    layer = await read_json(request, _Layer)
    if layer.media is not None and layer.media not in session.pictures:
        raise StatusError(422, "mediaId names no section that carries a picture.")
    choice = layer.choice
    known = {each.rid for each in session.renditions(request.app[PARTS].clock.monotonic())}
    if choice is not None and choice.rid is not None and known and choice.rid not in known:
        raise StatusError(422, "The picture that is shown now has no stream of this name.")
    session.choose(choice)
    return web.Response()


async def choose_events(request: web.Request) -> web.Response:
    """Says of what a player wants to be told, all of it where the body is empty; the stream is at the same address."""
    session = session_of(request)
    session.told = (await read_json(request, _Names)).root if request.can_read_body else ()
    session.tell_no_more()
    return web.Response(status=201, headers={"Location": request.path})


async def end_events(request: web.Request) -> web.Response:
    """Tells nothing more."""
    session = session_of(request)
    session.told = None
    session.tell_no_more()
    return web.Response()


async def stream_events(request: web.Request) -> web.StreamResponse:
    """Server-sent events, until the session ends or another stream of it begins."""
    session = session_of(request)
    if session.told is None:
        raise NotFoundError("There is no such stream of events.")
    told = session.told or EVENTS
    clock = request.app[PARTS].clock
    ended = session.tell_anew()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    was_active, said = False, ""
    while not ended.is_set() and not session.is_over:
        is_active, layers = session.is_active, _layers(session, clock.monotonic())
        news = [("active" if is_active else "inactive", "{}")] if is_active != was_active else []
        if layers != said:
            news.append(("layers", layers))
        was_active, said = is_active, layers
        lines = [f"event: {name}\ndata: {data}\n\n" for name, data in news if name in told]
        await response.write("".join(lines).encode() or b":\n\n")  # or it would not be noticed that the player is gone
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await ended.wait()
    return response


def _layers(session: Session, now: float) -> str:
    """The data of a `layers` event: what the picture can be had in, by the index of its section."""
    layers: list[dict[str, Any]] = []
    for each in session.renditions(now):
        named: dict[str, Any] = {"rid": each.rid} if each.rid else {}
        named |= {"spatialLayerId": each.spatial, "temporalLayerId": each.temporal, "bitrate": each.rate_bps}
        layers.append(named | ({"width": each.width, "height": each.height} if each.height else {}))
    return json.dumps(dict.fromkeys(session.pictures[:1], layers))


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
