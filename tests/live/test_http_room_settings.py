"""Settings of a room over HTTP: who may change them, and that they hold on every way in."""

import json
from typing import Any

import aiohttp
from live_server import Visitor, visiting
from test_http_authorization import member
from whip_client import SDP, publisher

from pymeet.config import Config
from pymeet.ops import room_tokens
from pymeet.server import Server

SECRET = "only for the tea circle"


async def socket_answers(visitor: Visitor, room: str, **fields: Any) -> dict[str, Any]:
    """What somebody is told who joins by the WebSocket, which is closed then."""
    async with visitor.http.ws_connect(f"/ws/{room}") as socket:
        await socket.send_str(json.dumps({"type": "join", "v": 1, "name": "Somebody", **fields}))
        while (frame := await socket.receive(10)).type is not aiohttp.WSMsgType.TEXT:
            assert frame.type is aiohttp.WSMsgType.PING, frame
        return dict(json.loads(frame.data))


async def test_the_owner_decides_and_others_do_not(server: Server, config: Config, admin: Visitor) -> None:
    """Administrators may as well; a member who does not own it, and a visitor, see and change nothing."""
    async with member(server, config, "Eve") as eve, visiting(server) as guest:
        room = await eve.make_room()
        path = f"/api/v1/rooms/{room}/settings"
        status, seen = await eve.json("GET", path)
        assert status == 200
        assert seen == {
            "guests": None,
            "waiting_room": "off",
            "capacity": None,
            "may_share": "everybody",
            "may_record": "hosts",
            "chat_history": True,
            "chat_limit": None,
            "has_password": False,
            "server": {"guests": True, "capacity": 100},
        }

        status, changed = await eve.json("PATCH", path, {"waiting_room": "guests", "password": SECRET, "capacity": 7})
        assert (status, changed["waiting_room"], changed["has_password"], changed["capacity"]) == (
            200,
            "guests",
            True,
            7,
        )
        assert SECRET not in json.dumps(changed)
        assert (await admin.json("PATCH", path, {"chat_limit": 5}))[1]["waiting_room"] == "guests"

        own = await admin.make_room()
        for stranger, expected in ((eve, 403), (guest, 401)):
            for method, body in (("GET", None), ("PATCH", {"password": None})):
                assert (await stranger.json(method, f"/api/v1/rooms/{own}/settings", body))[0] == expected
            assert (await stranger.json("GET", f"/api/v1/rooms/{own}/attendance"))[0] == expected
        for wrong in (
            {"capacity": 1},
            {"waiting_room": "never"},
            {"password": "short"},
            {"owner_id": "x"},
            {"chat_limit": 0},
        ):
            assert (await eve.json("PATCH", path, wrong))[0] == 400, wrong
        assert (await eve.json("GET", path))[1] == {**changed, "chat_limit": 5}


async def test_the_preview_says_what_somebody_needs(server: Server, admin: Visitor, room: str) -> None:
    """Before anybody tries, and only as far as it concerns who asks."""
    await admin.json("PATCH", f"/api/v1/rooms/{room}/settings", {"waiting_room": "guests", "password": SECRET})

    async with visiting(server) as guest:
        _, seen = await guest.json("GET", f"/api/v1/rooms/{room}")
        assert (seen["has_password"], seen["waiting_room"], seen["locked"]) == (True, True, False)
    _, seen = await admin.json("GET", f"/api/v1/rooms/{room}")
    assert (seen["has_password"], seen["waiting_room"]) == (False, False)
    await admin.json("PATCH", f"/api/v1/rooms/{room}/settings", {"guests": False})
    async with visiting(server) as guest:
        assert (await guest.json("GET", f"/api/v1/rooms/{room}"))[1]["may_join"] is False


async def test_password_and_waiting_room_hold_on_every_way_in(server: Server, admin: Visitor, room: str) -> None:
    """WebSocket, WHIP and WHEP; a room token of the operator passes both."""
    settings = f"/api/v1/rooms/{room}/settings"
    await admin.json("PATCH", settings, {"password": SECRET})
    async with visiting(server) as guest, publisher() as peer:
        assert (await socket_answers(guest, room))["code"] == "wrong_password"
        assert (await socket_answers(guest, room, password="another one entirely"))["code"] == "wrong_password"
        assert (await socket_answers(guest, room, password=SECRET))["type"] == "joined"
        offer = peer.offer
        for kind in ("whip", "whep"):
            async with guest.http.post(f"/{kind}/{room}", data=offer, headers=SDP) as response:
                assert response.status in (401, 409), kind  # a player is told first that nobody sends
                assert response.status == 401 or kind == "whep"

        await admin.json("PATCH", settings, {"password": None, "waiting_room": "guests"})
        assert (await socket_answers(guest, room))["type"] == "waiting"
        async with guest.http.post(f"/whip/{room}", data=offer, headers=SDP) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer")

        found = await server.meetings.room(room)
        token = room_tokens.issue(server.room_token_key, found.id, "Encoder", 2**50)
        bearer = {**SDP, "Authorization": f"Bearer {token}"}
        async with guest.http.post(f"/whip/{room}", data=offer, headers=bearer) as response:
            assert response.status == 201


async def test_the_owner_sees_who_was_there(server: Server, admin: Visitor, room: str) -> None:
    """Names, since when and until when; nobody else does."""
    async with visiting(server) as guest:
        assert (await socket_answers(guest, room))["type"] == "joined"
    await socket_answers(admin, room)

    status, answer = await admin.json("GET", f"/api/v1/rooms/{room}/attendance")

    assert status == 200
    assert [(each["name"], each["member"], each["kind"]) for each in answer["people"]] == [
        ("Somebody", True, "browser"),
        ("Somebody", False, "browser"),
    ]
    assert all(each["joined_at"] > 0 for each in answer["people"])
