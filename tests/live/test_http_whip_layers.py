"""What WHEP players choose and are told over HTTP (docs/protocol.md, section 3.1). The sizes themselves: tests/scenarios, tests/stacks."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from live_server import Visitor, first_admin, make_config, running
from whip_client import Peer, player, publisher

LAYER = "urn:ietf:params:whep:ext:core:layer"
EVENTS = "urn:ietf:params:whep:ext:core:server-sent-events"


class Stream:
    """The events of an answer that goes on."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._rest = b""

    async def next(self) -> tuple[str, Any] | None:
        """The next event and its data; None at the end."""
        async with asyncio.timeout(5):
            while True:
                event, found, rest = self._rest.partition(b"\n\n")
                if found:
                    self._rest = rest
                    if event != b":":
                        name, data = event.decode().split("\n")
                        return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))
                elif chunk := await self._response.content.readany():
                    self._rest += chunk
                else:
                    return None

    async def until(self, wanted: str) -> Any:
        """The data of the next event of this name."""
        while (event := await self.next()) is not None:
            if event[0] == wanted:
                return event[1]
        raise AssertionError(f"the stream ended without {wanted}")


def addresses(peer: Peer) -> dict[str, str]:
    """What the Link headers name, by relation."""
    found = {}
    for link in peer.headers.getall("Link"):  # type: ignore[attr-defined]
        address, _, rest = link.partition(">;")
        found[rest.split('"')[1]] = address[1:]
    return found


@pytest.fixture
async def watching(visitor: Visitor, room: str) -> AsyncIterator[tuple[Peer, Peer]]:
    """Somebody who publishes, and a player that shows it."""
    async with publisher() as source, player() as sink:
        await source.negotiate(visitor.http, f"/whip/{room}?name=Encoder")
        await source.connected()
        await sink.negotiate(visitor.http, f"/whep/{room}")
        await sink.connected()
        await sink.frames("video", 5)
        yield source, sink


async def test_a_player_is_told_of_layers_and_chooses_one(visitor: Visitor, watching: tuple[Peer, Peer]) -> None:
    """Both addresses stand in Link headers; the choice lasts, and an empty one gives it back to the server."""
    _, sink = watching
    named = addresses(sink)
    assert named[LAYER] == f"{sink.location}/layer"
    async with visitor.http.post(named[EVENTS], json=["layers", "no such event"]) as response:
        assert response.status == 201
        stream = response.headers["Location"]

    async with visitor.http.get(stream) as response:
        assert response.content_type == "text/event-stream"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        layers = await Stream(response).until("layers")
    (index,) = layers
    assert sink.answer.split("\nm=")[1:][int(index)].startswith("video")
    assert {"spatialLayerId", "temporalLayerId", "bitrate"} <= set(layers[index][0])

    for choice in ({"mediaId": index, "maxHeight": 480}, {"spatialLayerId": 0, "temporalLayerId": 0, "more": 1}, {}):
        async with visitor.http.post(named[LAYER], json=choice) as response:
            assert response.status == 200, await response.text()
    await sink.frames("video", 10)


async def test_a_layer_that_there_is_not_is_refused(visitor: Visitor, watching: tuple[Peer, Peer]) -> None:
    """And a body that is none, and whoever is no player."""
    source, sink = watching
    path = addresses(sink)[LAYER]
    for body, status in (
        ({"encodingId": "h"}, 422),
        ({"rid": "h"}, 422),
        ({"mediaId": "0"}, 422),  # that is the sound
        ({"mediaId": "9"}, 422),
        ({"spatialLayerId": -1}, 400),
        ({"maxWidth": "wide"}, 400),
        ([], 400),
    ):
        async with visitor.http.post(path, json=body) as response:
            assert response.status == status, body
    async with visitor.http.post(path, data="{}", headers={"Content-Type": "text/plain"}) as response:
        assert response.status == 415
    for stranger in (source.location.replace("/whip/", "/whep/"), source.location, f"{sink.location[:-4]}AAAA"):
        for method, part in (("POST", "layer"), ("POST", "events"), ("GET", "events"), ("DELETE", "events")):
            async with visitor.http.request(method, f"{stranger}/{part}", json={}) as response:
                assert response.status == 404
    await sink.frames("video", 5)


async def test_a_player_hears_when_the_picture_ends_and_comes_back(
    visitor: Visitor, room: str, watching: tuple[Peer, Peer]
) -> None:
    """By default all is told, without a question before; the stream ends with the session."""
    source, sink = watching
    async with visitor.http.get(addresses(sink)[EVENTS]) as response, publisher() as second:
        stream = Stream(response)
        assert await stream.next() == ("active", {})
        async with visitor.http.delete(source.location) as gone:
            assert gone.status == 200
        assert await stream.until("inactive") == {}
        await second.negotiate(visitor.http, f"/whip/{room}?name=Second")
        await second.connected()
        assert await stream.until("active") == {}
        async with visitor.http.delete(sink.location) as gone:
            assert gone.status == 200
        while await stream.next() is not None:
            pass


async def test_a_session_has_one_stream_of_events_until_it_wants_none(
    visitor: Visitor, watching: tuple[Peer, Peer]
) -> None:
    """A second one ends the first; after DELETE there is none any more until it is asked for again."""
    _, sink = watching
    path = addresses(sink)[EVENTS]
    async with visitor.http.get(path) as one, visitor.http.get(path) as two:
        first, second = Stream(one), Stream(two)
        while await first.next() is not None:
            pass
        assert await second.until("layers")
        async with visitor.http.delete(path) as response:
            assert response.status == 200
        while await second.next() is not None:
            pass
    async with visitor.http.get(path) as response:
        assert response.status == 404
    async with visitor.http.post(path) as response:
        assert response.status == 201
    async with visitor.http.get(path) as response:
        assert response.status == 200


async def test_a_stream_of_events_does_not_keep_a_server_from_stopping(tmp_path: Path) -> None:
    """Who stops it waits for what answers go on; this one would for ever."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as admin:
        room = await admin.make_room()
        async with publisher(["audio"]) as source, player(["audio"]) as sink:
            await source.negotiate(admin.http, f"/whip/{room}?name=Encoder")
            await source.connected()
            await sink.negotiate(admin.http, f"/whep/{room}")
            async with admin.http.get(addresses(sink)[EVENTS]) as response:
                stream = Stream(response)
                assert await stream.next() == ("active", {})
                async with asyncio.timeout(4):
                    await server.stop()
