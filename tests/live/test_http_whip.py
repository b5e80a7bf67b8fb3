"""WHIP and WHEP (docs/protocol.md, section 3): every status, and media that really flows."""

import asyncio
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from live_server import Visitor, first_admin, make_config, running, visiting
from whip_client import FRAGMENT, SDP, Peer, player, publisher

from pymeet.ops import room_tokens
from pymeet.server import Server

DATACHANNEL_ONLY = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:0
a=ice-ufrag:abcd
a=ice-pwd:0b66f472495ef0ccac7bda653ab6be49
a=sctp-port:5000
""".replace("\n", "\r\n").format(fingerprint=":".join(["AB"] * 32))

NEW_CREDENTIALS = b"a=ice-ufrag:newname\r\na=ice-pwd:0b66f472495ef0ccac7bda653ab6be49\r\n"


async def people(visitor: Visitor, room: str) -> int:
    """How many the preview counts."""
    return int((await visitor.json("GET", f"/api/v1/rooms/{room}"))[1]["people"])


async def test_a_publisher_gets_a_session_and_becomes_a_participant(visitor: Visitor, room: str):
    """201 with an address that cannot be guessed, an ETag and an answer; DELETE ends it all."""
    async with publisher() as peer:
        await peer.negotiate(visitor.http, f"/whip/{room}?name=Encoder")
        assert re.fullmatch(rf"/whip/{room}/[A-Za-z0-9_-]{{22,}}", urlsplit(peer.location).path)
        assert re.fullmatch(r'"[^"]+"', peer.etag)
        assert "a=setup:passive" in peer.answer
        assert "a=ice-lite" in peer.answer
        assert await people(visitor, room) == 1
        await peer.connected()

        async with visitor.http.delete(peer.location) as response:
            assert response.status == 200
        assert await people(visitor, room) == 0
        async with visitor.http.delete(peer.location) as response:
            assert response.status == 404
        async with visitor.http.patch(peer.location, data=b"a=x\r\n", headers=FRAGMENT) as response:
            assert response.status == 404


async def test_what_is_published_can_be_played_until_it_is_deleted(visitor: Visitor, room: str):
    """Frames arrive at a player, and stop within a second of the DELETE."""
    async with publisher() as source, player() as sink:
        await source.negotiate(visitor.http, f"/whip/{room}?name=Encoder")
        await source.connected()
        await sink.negotiate(visitor.http, f"/whep/{room}?participant=Encoder")
        await sink.connected()
        await sink.frames("video", 10)
        await sink.frames("audio", 10)

        async with visitor.http.delete(source.location) as response:
            assert response.status == 200
        await sink.runs_dry("video", timeout_s=5)


async def test_a_player_without_a_wish_follows_who_speaks(visitor: Visitor, room: str):
    """With one publisher there is nobody else to follow."""
    async with publisher() as source, player() as sink:
        await source.negotiate(visitor.http, f"/whip/{room}?name=Encoder")
        await source.connected()
        await sink.negotiate(visitor.http, f"/whep/{room}")
        await sink.connected()
        await sink.frames("video", 5)


async def test_a_publisher_that_goes_away_leaves_the_room(visitor: Visitor, room: str):
    """The seat of an encoder that was switched off is not kept."""
    async with publisher() as peer:
        await peer.negotiate(visitor.http, f"/whip/{room}?name=Encoder")
        await peer.connected()
    async with asyncio.timeout(5):
        while await people(visitor, room):
            pass  # nothing announces to HTTP clients that somebody left


async def test_a_session_that_never_connects_ends_by_itself(server: Server, visitor: Visitor, room: str):
    """Half a minute later the place in the room is free again."""
    async with publisher() as peer:
        async with visitor.http.post(f"/whip/{room}", data=peer.offer, headers=SDP) as response:
            assert response.status == 201
            location = response.headers["Location"]
        assert await people(visitor, room) == 1

        server.sfu.handle_timer(time.monotonic() + 31)

        assert await people(visitor, room) == 0
        async with visitor.http.delete(location) as response:
            assert response.status == 404


async def test_a_host_can_send_a_publisher_out(admin: Visitor, room: str):
    """The session is gone for good: a restart does not bring it back."""
    async with publisher() as peer, admin.http.ws_connect(f"/ws/{room}") as socket:
        await peer.negotiate(admin.http, f"/whip/{room}?name=Encoder")
        await peer.connected()
        await socket.send_json({"type": "join", "v": 1, "name": "Ada"})
        joined = await socket.receive_json()
        (encoder,) = [p for p in joined["participants"] if p["name"] == "Encoder"]
        assert encoder["kind"] == "publisher"
        assert {track["source"] for track in encoder["tracks"]} == {"microphone", "camera"}

        await socket.send_json({"type": "remove", "participant": encoder["id"], "id": "1"})
        async with asyncio.timeout(5):
            while (await socket.receive_json()).get("re") != "1":
                pass

        headers = {**FRAGMENT, "If-Match": "*"}
        async with admin.http.patch(peer.location, data=NEW_CREDENTIALS, headers=headers) as response:
            assert response.status == 404


@pytest.mark.parametrize("kind", ["whip", "whep"])
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("", SDP, 400),
        ("hello", SDP, 400),
        ("v=0\r\n", SDP, 400),
        ("v=0\r\n" + "a=x\r\n" * 100_000, SDP, 413),
        ("v=0\r\n", {"Content-Type": "application/json"}, 415),
        ("v=0\r\n", {"Content-Type": "multipart/form-data"}, 415),
        ("v=0\r\n", {**SDP, "Content-Encoding": "gzip"}, 415),
        ("v=0\r\n", {**SDP, "Accept": "text/html"}, 406),
        (DATACHANNEL_ONLY, SDP, 422),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_bad_offer_is_refused_and_leaves_nobody_behind(
    new_visitor: Visitor, new_room: str, kind: str, body: str, headers: dict[str, str], status: int
):
    """The right status for each, and no ghost in the room."""
    async with publisher(["audio"]) as other:
        await other.negotiate(new_visitor.http, f"/whip/{new_room}?name=Other")
        async with new_visitor.http.post(f"/{kind}/{new_room}", data=body, headers=headers) as response:
            assert response.status == status, await response.text()
            assert response.content_type == "application/problem+json"
            assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert await people(new_visitor, new_room) == 1


@pytest.mark.parametrize("kind", ["whip", "whep"])
async def test_other_methods_and_rooms(visitor: Visitor, room: str, kind: str):
    """405 with what is allowed; 404 for a room or session that is not there."""
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        async with visitor.http.request(method, f"/{kind}/{room}") as response:
            assert response.status == 405
            assert {"OPTIONS", "POST"} <= set(response.headers["Allow"].split(","))
    for method in ("GET", "PUT", "POST"):
        async with visitor.http.request(method, f"/{kind}/{room}/{'a' * 22}") as response:
            assert response.status == 405
            assert {"DELETE", "OPTIONS", "PATCH"} <= set(response.headers["Allow"].split(","))
    async with visitor.http.post(f"/{kind}/no-such-room", data="v=0", headers=SDP) as response:
        assert response.status == 404
    async with visitor.http.delete(f"/{kind}/{room}/{'a' * 22}") as response:
        assert response.status == 404


async def test_a_player_needs_somebody_to_play(visitor: Visitor, room: str):
    """404 for a participant that is not there, 409 for one that sends nothing, 409 in an empty room."""
    async with player() as peer:
        async with visitor.http.post(f"/whep/{room}", data=peer.offer, headers=SDP) as response:
            assert response.status == 409
            assert int(response.headers["Retry-After"]) > 0
        async with visitor.http.post(f"/whep/{room}?participant=Nobody", data=peer.offer, headers=SDP) as response:
            assert response.status == 404
        async with visitor.http.ws_connect(f"/ws/{room}") as socket:
            await socket.send_json({"type": "join", "v": 1, "name": "Silent"})
            await socket.receive_json()
            async with visitor.http.post(f"/whep/{room}?participant=Silent", data=peer.offer, headers=SDP) as response:
                assert response.status == 409
        assert await people(visitor, room) <= 1


async def test_pages_of_other_sites_may_publish_and_play_without_cookies(visitor: Visitor, room: str):
    """A player on a company's own page asks first what it may do (CORS)."""
    foreign = {"Origin": "https://player.example"}
    preflight = {
        **foreign,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    for path in (f"/whip/{room}", f"/whep/{room}", f"/whip/{room}/{'a' * 22}"):
        async with visitor.http.options(path, headers=preflight) as response:
            assert response.status == 200
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in response.headers
            assert {"authorization", "content-type", "if-match"} <= {
                name.strip().lower() for name in response.headers["Access-Control-Allow-Headers"].split(",")
            }
            assert {"POST", "PATCH", "DELETE"} <= {
                name.strip() for name in response.headers["Access-Control-Allow-Methods"].split(",")
            }
    async with visitor.http.options(f"/whip/{room}") as response:
        assert response.headers["Accept-Post"] == "application/sdp"
    async with (
        publisher(["audio"]) as peer,
        visitor.http.post(f"/whip/{room}", data=peer.offer, headers={**SDP, **foreign}) as response,
    ):
        assert response.status == 201
        exposed = {name.strip().lower() for name in response.headers["Access-Control-Expose-Headers"].split(",")}
        assert {"location", "etag"} <= exposed


async def test_candidates_are_taken_and_a_restart_changes_the_etag(visitor: Visitor, room: str):
    """Trickle: 204. Restart: 200 with the server's new credentials. Stale: 412. Without a condition: 428."""
    async with publisher() as peer:
        await peer.negotiate(visitor.http, f"/whip/{room}")
        ufrag, pwd = own_credentials(peer)
        trickle = (
            f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
            "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n"
        ).encode()

        async def patch(body: bytes, **headers: str) -> tuple[int, str, str]:
            async with visitor.http.patch(peer.location, data=body, headers={**FRAGMENT, **headers}) as response:
                return response.status, response.headers.get("ETag", ""), await response.text()

        assert (await patch(trickle, **{"If-Match": peer.etag}))[0] == 204
        assert (await patch(b"nonsense", **{"If-Match": peer.etag}))[0] == 400
        assert (await patch(NEW_CREDENTIALS))[0] == 428
        assert (await patch(NEW_CREDENTIALS, **{"If-Match": '"stale"'}))[0] == 412
        assert (await patch(trickle, **{"If-Match": '"stale"'}))[0] == 412
        assert (await patch(b"x" * 20_000, **{"If-Match": peer.etag}))[0] == 413
        async with visitor.http.patch(peer.location, data=peer.offer, headers=SDP) as response:
            assert response.status == 415
            assert response.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"

        status, etag, fragment = await patch(NEW_CREDENTIALS, **{"If-Match": "*"})
        assert status == 200
        assert etag
        assert etag != peer.etag
        server_ufrag = re.search(r"a=ice-ufrag:(\S+)", fragment)
        assert server_ufrag
        assert server_ufrag[1] not in peer.answer
        assert "a=candidate:" in fragment

        assert (await patch(trickle, **{"If-Match": peer.etag}))[0] == 412
        second = NEW_CREDENTIALS.replace(b"newname", b"newer")
        assert (await patch(second, **{"If-Match": etag}))[0] == 200


async def test_media_survives_a_restart_that_was_asked_for(visitor: Visitor, room: str):
    """Until the client checks with its new credentials the old path goes on."""
    async with publisher() as source, player() as sink:
        await source.negotiate(visitor.http, f"/whip/{room}?name=Encoder")
        await source.connected()
        await sink.negotiate(visitor.http, f"/whep/{room}?participant=Encoder")
        await sink.connected()
        await sink.frames("video", 5)

        headers = {**FRAGMENT, "If-Match": "*"}
        async with visitor.http.patch(source.location, data=NEW_CREDENTIALS, headers=headers) as response:
            assert response.status == 200

        await sink.frames("video", 20)


async def test_rooms_closed_to_guests_want_a_token(tmp_path: Path):
    """401 without or with a wrong one, 403 for one of another room, the token's name when it is right."""
    config = make_config(tmp_path / "data", rooms={"guests_allowed": False})
    async with running(config) as server, first_admin(server) as admin, visiting(server) as encoder:
        room, other = await admin.make_room(), await admin.make_room("Other")
        good, foreign, old = (
            await token(server, room, 1_000_000),
            await token(server, other, 1_000_000),
            await token(server, room, -1),
        )
        async with publisher(["audio"]) as peer:
            for wrong in ("", "Basic YTpi", "Bearer nonsense", f"Bearer {good}x", f"Bearer {old}"):
                headers = {**SDP, **({"Authorization": wrong} if wrong else {})}
                async with encoder.http.post(f"/whip/{room}", data=peer.offer, headers=headers) as response:
                    assert response.status == 401
                    assert response.headers["WWW-Authenticate"].startswith("Bearer")
            headers = {**SDP, "Authorization": f"Bearer {foreign}"}
            async with encoder.http.post(f"/whip/{room}", data=peer.offer, headers=headers) as response:
                assert response.status == 403
            async with admin.http.post(f"/whip/{room}", data=peer.offer, headers=SDP) as response:
                assert response.status == 401, "a cookie must not count where any page may ask"

            await peer.negotiate(encoder.http, f"/whip/{room}?name=Other", Authorization=f"Bearer {good}")
            _, seen = await admin.json("GET", f"/api/v1/rooms/{room}")
            assert seen["people"] == 1
            async with encoder.http.delete(peer.location) as response:
                assert response.status == 200, "the session's address is a secret of its own"


async def test_a_banned_token_does_not_come_back_in_another_spelling(tmp_path: Path):
    """Headers and base64 can be written in several ways; what was signed cannot."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as admin:
        room = await admin.make_room()
        shown = await token(server, room, 1_000_000)
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        spare_bit = shown[:-1] + letters[letters.index(shown[-1]) ^ 1]
        async with publisher(["audio"]) as peer, admin.http.ws_connect(f"/ws/{room}") as socket:
            await peer.negotiate(admin.http, f"/whip/{room}", Authorization=f"Bearer {shown}")
            await socket.send_json({"type": "join", "v": 1, "name": "Ada"})
            joined = await socket.receive_json()
            (encoder,) = [p for p in joined["participants"] if p["kind"] == "publisher"]
            await socket.send_json({"type": "remove", "participant": encoder["id"], "ban": True, "id": "1"})
            async with asyncio.timeout(5):
                while (answer := await socket.receive_json()).get("re") != "1":
                    pass
            assert answer["type"] == "ok"

            for again in (
                f"Bearer {shown}",
                f"bearer {shown}",
                f"Bearer  {shown}",
                f"Bearer {shown}=",
                f"Bearer {spare_bit}",
            ):
                headers = {**SDP, "Authorization": again}
                async with admin.http.post(f"/whip/{room}", data=peer.offer, headers=headers) as response:
                    assert response.status == 403, again.replace(shown, "…")


async def test_a_player_that_may_not_come_in_does_not_learn_who_is_there(tmp_path: Path):
    """The same answer for every name, whether a password, a host or a lock keeps them out."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as admin:
        room = await admin.make_room()
        async with player() as peer, admin.http.ws_connect(f"/ws/{room}") as socket:
            await socket.send_json({"type": "join", "v": 1, "name": "Ada"})
            await socket.receive_json()
            for changes, lock, status in (
                ({"waiting_room": "guests"}, False, 401),
                ({"waiting_room": "off", "password": "only for the tea circle"}, False, 401),
                ({"password": None}, True, 403),
            ):
                await server.meetings.change_settings(room, changes)
                await socket.send_json({"type": "lock", "on": lock, "id": "1"})
                async with asyncio.timeout(5):
                    while (await socket.receive_json()).get("re") != "1":
                        pass
                for name in ("Ada", "Nobody"):
                    async with admin.http.post(
                        f"/whep/{room}?participant={name}", data=peer.offer, headers=SDP
                    ) as response:
                        assert response.status == status, (changes, name)


async def test_a_lock_and_what_hosts_switch_off_hold_for_encoders_too(server: Server, admin: Visitor, room: str):
    """Not even a room token passes a lock; a stream that a host switches off is heard and seen no more, and says nothing to it."""
    bearer = f"Bearer {await token(server, room, 1_000_000)}"
    async with publisher() as source, player() as sink, admin.http.ws_connect(f"/ws/{room}") as socket:

        async def ask(**message: object) -> None:
            await socket.send_json({**message, "id": "1"})
            async with asyncio.timeout(5):
                while (answer := await socket.receive_json()).get("re") != "1":
                    pass
            assert answer["type"] == "ok", answer

        await socket.send_json({"type": "join", "v": 1, "name": "Ada"})
        await socket.receive_json()
        await ask(type="lock", on=True)
        for kind, peer in (("whip", source), ("whep", sink)):
            headers = {**SDP, "Authorization": bearer}
            async with admin.http.post(f"/{kind}/{room}", data=peer.offer, headers=headers) as response:
                assert response.status == 403
                assert (await response.json())["code"] == "locked"
        await ask(type="lock", on=False)

        await source.negotiate(admin.http, f"/whip/{room}?name=Encoder")
        await source.connected()
        await sink.negotiate(admin.http, f"/whep/{room}")
        await sink.connected()
        await sink.frames("video", 5)
        live = server.registry.live(room)
        assert live is not None
        (encoder,) = [each for each in live.participants if each.name == "Encoder"]
        for source_name in ("camera", "microphone"):
            await ask(type="stop", participant=encoder.id, source=source_name)
        await sink.runs_dry("video", timeout_s=5)
        await sink.runs_dry("audio", timeout_s=5)


async def test_a_full_room_is_a_409(tmp_path: Path):
    """A publisher counts like anybody else."""
    config = make_config(tmp_path / "data", rooms={"max_participants": 2})
    async with running(config) as server, first_admin(server) as admin:
        room = await admin.make_room()
        async with publisher(["audio"]) as one, publisher(["audio"]) as two, publisher(["audio"]) as three:
            await one.negotiate(admin.http, f"/whip/{room}")
            await two.negotiate(admin.http, f"/whip/{room}")
            async with admin.http.post(f"/whip/{room}", data=three.offer, headers=SDP) as response:
                assert response.status == 409


@pytest.mark.parametrize("name", ["Evil%0d%0aX: y", "%00", "x" * 200, "<script>", "%ff%fe"])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_strange_name_harms_nobody(new_visitor: Visitor, new_room: str, name: str):
    """It is cleaned or refused, and never reaches a header."""
    async with (
        publisher(["audio"]) as peer,
        new_visitor.http.post(f"/whip/{new_room}?name={name}", data=peer.offer, headers=SDP) as response,
    ):
        assert response.status in (201, 400)
        assert "X" not in response.headers


def own_credentials(peer: Peer) -> tuple[str, str]:
    """The ICE credentials in the peer's offer."""
    ufrag, pwd = re.search(r"a=ice-ufrag:(\S+)", peer.offer), re.search(r"a=ice-pwd:(\S+)", peer.offer)
    assert ufrag
    assert pwd
    return ufrag[1], pwd[1]


async def token(server: Server, slug: str, lifetime_ms: int) -> str:
    """A room token as `pymeet room token` makes it."""
    room = await server.meetings.room(slug)
    return room_tokens.issue(server.room_token_key, room.id, "Studio", server.clock.now_ms() + lifetime_ms)
