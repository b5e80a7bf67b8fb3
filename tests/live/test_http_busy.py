"""A server that has too much to do refuses politely on every way in, and keeps who is inside."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live_server import Visitor, first_admin, make_config, running
from whip_client import SDP, publisher

from pymeet.ops.looplag import REMEMBERED
from pymeet.server import Server

JOIN = {"type": "join", "v": 1, "name": "Ada"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(
        make_config(tmp_path / "data", http={"metrics_token": "a long random text"}, rooms={"max_lag_ms": 100})
    ) as started:
        yield started


def be_late(server: Server, lag_s: float) -> None:
    """Ten seconds in which the loop was as late as that."""
    for _ in range(REMEMBERED):
        server.lag.note(lag_s)
    server.admission.review()


async def test_nobody_new_comes_in_while_the_server_is_late_and_who_was_inside_comes_back(server: Server):
    """WebSocket, WHIP and WHEP say that it is busy and when to ask again; a held seat is taken back; then all is well."""
    async with first_admin(server) as ada, publisher() as encoder:
        room = await ada.make_room()
        async with ada.http.ws_connect(f"/ws/{room}") as inside:
            await inside.send_json(JOIN)
            token = (await inside.receive_json())["resume"]
        be_late(server, 1.0)

        async with ada.http.ws_connect(f"/ws/{room}") as late:
            await late.send_json(JOIN)
            refusal = await late.receive_json()
            assert (refusal["type"], refusal["code"]) == ("error", "busy")
            await late.receive()
            assert late.close_code == 1013
        async with ada.http.ws_connect(f"/ws/{room}") as back:
            await back.send_json({**JOIN, "resume": {"token": token, "media": "new"}})
            assert (await back.receive_json())["resumed"]
        for path in (f"/whip/{room}", f"/whep/{room}"):
            async with ada.http.post(path, data=encoder.offer, headers=SDP) as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "30")
                assert (await response.json(content_type=None))["code"] == "busy"
        assert await counted(ada) == {"pymeet_busy": 1, "pymeet_turned_away_total": 3}

        be_late(server, 0.0)

        async with ada.http.post(f"/whip/{room}", data=encoder.offer, headers=SDP) as response:
            assert response.status == 201
        assert await counted(ada) == {"pymeet_busy": 0, "pymeet_turned_away_total": 3}


async def counted(visitor: Visitor) -> dict[str, float]:
    """What the metrics say about the door."""
    async with visitor.http.get("/metrics", headers={"Authorization": "Bearer a long random text"}) as response:
        lines = [line.split(" ") for line in (await response.text()).splitlines()]
    return {line[0]: float(line[1]) for line in lines if line[0] in ("pymeet_busy", "pymeet_turned_away_total")}
