"""What a page of another site may not do in a visitor's name."""

import aiohttp
import pytest
from live_server import Visitor

from pymeet.server import Server

FOREIGN = ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1", ""]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_page_cannot_change_anything(admin: Visitor, origin: str):
    """The browser sends the cookie with the foreign page's request; the origin gives it away."""
    async with admin.http.post("/api/v1/rooms", json={"name": "Trap"}, headers={"Origin": origin}) as response:
        assert response.status == 403
        assert (await response.json(content_type=None))["code"] == "foreign_origin"
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_page_gets_no_websocket(admin: Visitor, room: str, origin: str):
    """WebSockets know no same-origin rule of their own."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await admin.http.ws_connect(f"/ws/{room}", headers={"Origin": origin})

    assert caught.value.status == 403


async def test_our_own_page_gets_a_websocket(admin: Visitor, room: str):
    """The check lets through what it is there for."""
    async with admin.http.ws_connect(f"/ws/{room}") as socket:
        assert not socket.closed


async def test_no_origin_is_allowed_only_without_a_session(server: Server, admin: Visitor):
    """A script without cookies cannot be ridden on; a request with one comes from a browser and must say from where."""
    cookies = {cookie.key: cookie.value for cookie in admin.http.cookie_jar}
    async with aiohttp.ClientSession(server.url) as bare:
        async with bare.post("/api/v1/sign-out") as response:
            assert response.status == 204
        async with bare.post("/api/v1/sign-out", cookies=cookies) as response:
            assert response.status == 403
        async with bare.post("/api/v1/sign-out", headers={"Sec-Fetch-Site": "cross-site"}) as response:
            assert response.status == 403


async def test_a_room_that_is_not_there_is_told_by_close_code(visitor: Visitor):
    """A page sees no status of a handshake that fails, but it sees why a socket was closed."""
    async with visitor.http.ws_connect("/ws/no-such-room") as socket:
        async for _ in socket:
            pass
        assert socket.close_code == 4404
