"""The life of a WHIP or WHEP session: how it ends, how it moves to another address, who may begin one."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from live_server import Visitor, first_admin, make_config, running, visiting
from playwright.async_api import Browser
from whip_client import FRAGMENT, SDP
from whip_client import player as aiortc_player
from whip_client import publisher as aiortc_publisher

from pymeet.ops import room_tokens
from pymeet.server import Server
from pymeet.sfu.dtls import Dtls
from tests.stacks.chromium import evaluator
from tests.stacks.firefox import Firefox
from tests.stacks.peers import P256, InBrowser, Where, ffmpeg, gstreamer, in_browser
from tests.stacks.processes import client
from tests.stacks.waiting import until
from tests.stacks.wire import WirePeer, wire_peer
from tests.support.peer import context


class Session:
    """A wire peer with its WHIP or WHEP session."""

    def __init__(self, visitor: Visitor, peer: WirePeer) -> None:
        self.peer = peer
        self.location = self.etag = ""
        self._http = visitor.http

    async def begin(self, url: str, offer: str) -> str:
        """Offers and takes the answer; the answer."""
        async with self._http.post(url, data=offer, headers=SDP) as response:
            answer = await response.text()
            assert response.status == 201, answer
            self.location, self.etag = response.headers["Location"], response.headers["ETag"]
        self.peer.light.take_description(answer)
        return answer

    async def patch(self, body: str, etag: str | None = None) -> tuple[int, str, str]:
        """Sends a fragment; status, ETag and body of the answer."""
        headers = {**FRAGMENT, **({"If-Match": etag} if etag else {})}
        async with self._http.patch(self.location, data=body.encode(), headers=headers) as response:
            return response.status, response.headers.get("ETag", ""), await response.text()

    async def restart(self) -> None:
        """Another address and other credentials, as when a laptop changes from cable to wireless."""
        self.peer.light.restart_ice()
        status, etag, fragment = await self.patch(self.own_credentials, self.etag)
        assert status == 200, fragment
        assert etag not in ("", self.etag)
        self.etag = etag
        assert self.peer.light.remote.ufrag not in fragment
        fingerprint = f"a=fingerprint:sha-256 {self.peer.light._fingerprint}\r\n"
        self.peer.light.take_description(fragment + fingerprint)
        await self.peer.open()

    @property
    def own_credentials(self) -> str:
        """The fragment that names them."""
        local = self.peer.light.local
        return (
            f"a=ice-ufrag:{local.ufrag}\r\na=ice-pwd:{local.password}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        )

    async def end(self) -> float:
        """DELETE; when the answer was there."""
        async with self._http.delete(self.location) as response:
            assert response.status == 200
        return time.monotonic()


@asynccontextmanager
async def publishing(visitor: Visitor, room: Where, name: str = "Wire") -> AsyncIterator[Session]:
    """Somebody who sends picture and sound."""
    async with wire_peer() as peer:
        session = Session(visitor, peer)
        audio, video = peer.ssrcs
        await session.begin(room.whip(name), peer.light.offer("sendonly", audio_ssrc=audio, video_ssrc=video))
        peer.publishes = True
        await is_connected(peer)
        yield session


@asynccontextmanager
async def playing(visitor: Visitor, room: Where) -> AsyncIterator[Session]:
    """Somebody who receives it."""
    async with wire_peer() as peer:
        session = Session(visitor, peer)
        await session.begin(room.whep(), peer.light.offer("recvonly"))
        await is_connected(peer)
        await media_flows(peer)
        yield session


async def is_connected(peer: WirePeer) -> None:
    """Until the handshake is done."""

    async def connected() -> bool:
        return peer.light.connected

    await until(connected, bool, 5, "the handshake is done")


async def media_flows(peer: WirePeer, packets: int = 60, within_s: float = 5) -> None:
    """Until that many packets more have come."""
    before = peer.received

    async def more() -> int:
        return peer.received - before

    await until(more, lambda count: count >= packets, within_s, f"{packets} media packets")


async def silent_since(peer: WirePeer) -> float:
    """When the last packet came, once none has come for half a second."""

    async def last() -> float:
        return peer.arrived_at

    return await until(last, lambda at: time.monotonic() - at > 0.5, 3, "silence")


async def people(visitor: Visitor, room: Where) -> int:
    """How many are in the room."""
    return int((await visitor.json("GET", f"/api/v1/rooms/{room.slug}"))[1]["people"])


async def test_a_publishers_delete_ends_its_media_within_a_second(admin: Visitor, room: Where):
    """The publisher goes on sending, yet the player gets nothing more."""
    async with publishing(admin, room) as source, playing(admin, room) as sink:
        assert await people(admin, room) >= 1

        ended = await source.end()

        assert await silent_since(sink.peer) - ended < 1
        assert source.peer.publishes
        assert await people(admin, room) == 1
        async with admin.http.delete(source.location) as response:
            assert response.status == 404


async def test_a_players_delete_ends_its_media_within_a_second(admin: Visitor, room: Where):
    """The other player notices nothing."""
    async with publishing(admin, room), playing(admin, room) as one, playing(admin, room) as two:
        ended = await one.end()

        assert await silent_since(one.peer) - ended < 1
        await media_flows(two.peer)


async def test_a_deleted_session_cannot_be_brought_back(admin: Visitor, room: Where):
    """Neither a PATCH nor checks with the old credentials open it again."""
    async with publishing(admin, room) as source:
        await source.end()
        assert (await source.patch(source.own_credentials, "*"))[0] == 404
        passed = source.peer.light.checks_passed
        await asyncio.sleep(0.5)  # two checks
        assert source.peer.light.checks_passed == passed


@pytest.mark.parametrize("kind", ["whip", "whep"])
async def test_candidates_that_trickle_in_are_taken(admin: Visitor, room: Where, kind: str):
    """204; the server needs none of them, and sends nothing to where they point."""
    async with publishing(admin, room) as source, playing(admin, room) as sink:
        session = source if kind == "whip" else sink
        candidate = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n"
        status, _, body = await session.patch(session.own_credentials + candidate, session.etag)
        assert (status, body) == (204, "")
        await media_flows(sink.peer)


@pytest.mark.parametrize("kind", ["whip", "whep"])
async def test_media_goes_on_after_an_ice_restart_from_another_address(admin: Visitor, room: Where, kind: str):
    """Twice, for the second one is where a forgotten name would show."""
    async with publishing(admin, room) as source, playing(admin, room) as sink:
        session = source if kind == "whip" else sink
        for _ in range(2):
            stale = session.etag
            await session.restart()
            await media_flows(sink.peer)
            assert session.peer.checks_on_path > 0
            assert sink.peer.light.rejected == 0
            assert (await session.patch(session.own_credentials, stale))[0] == 412
        session.peer.light.restart_ice()
        assert (await session.patch(session.own_credentials))[0] == 428


async def test_a_player_that_waits_for_the_handshake_is_greeted(admin: Visitor, room: Where):
    """`a=setup:passive` in an offer makes the server the DTLS client."""
    async with publishing(admin, room), wire_peer() as peer:
        session = Session(admin, peer)
        offer = peer.light.offer("recvonly").replace("a=setup:actpass", "a=setup:passive")
        answer = await session.begin(room.whep(), offer)
        assert set(re.findall(r"a=setup:(\w+)", answer)) == {"active"}
        wait_for_the_handshake(peer)
        await is_connected(peer)
        await media_flows(peer)


async def test_a_participant_that_answers_passive_is_greeted(admin: Visitor, room: Where):
    """The server's own offers leave the choice, also when checks arrive before the answer."""
    async with (
        publishing(admin, room),
        wire_peer() as peer,
        admin.http.ws_connect(f"/ws/{room.slug}") as socket,
        asyncio.timeout(15),
    ):
        await socket.send_json({"type": "join", "v": 1, "name": "Passive"})
        while (offer := await socket.receive_json())["type"] != "offer":
            assert offer["type"] != "error", offer
        answer = peer.light.answer(offer["sdp"]).replace("a=setup:active", "a=setup:passive")
        wait_for_the_handshake(peer)

        async def checked() -> int:
            return peer.light.checks_passed

        await until(checked, bool, 5, "a check has passed")
        await socket.send_json({"type": "subscribed", "offer": offer["offer"], "sdp": answer})
        await is_connected(peer)
        await media_flows(peer)


def wait_for_the_handshake(peer: WirePeer) -> None:
    """Turns the light peer, which begins the handshake as browsers do, into one that waits for it."""
    peer.light._dtls = Dtls(context(), [("sha-256", peer.light._fingerprint)])


async def survives_a_restart(server: Server, publisher: InBrowser, viewer: InBrowser, room: Where) -> None:
    """A browser publishes, another one watches, the publisher restarts ICE: the picture goes on over the new path."""
    await publisher.publish(room.whip("Publisher"))
    await viewer.play(room.whep())
    before = await until(viewer.stats, lambda seen: seen["frames"] > 10, 15, "the picture")

    changed = await publisher.restart()
    assert changed["before"] != changed["after"]

    async def unconfirmed() -> int:
        return sum(transport.ice.previous is not None for transport in server.sfu.transports)

    await until(unconfirmed, lambda count: count == 0, 5, "a check with the new names has passed")
    now = await viewer.stats()
    await until(viewer.stats, lambda seen: seen["frames"] - now["frames"] >= 30, 5, "30 frames more")
    assert now["frames"] >= before["frames"]
    assert (await publisher.stats())["state"] == "connected"
    assert await publisher.stop() == 200


@pytest.mark.browser
async def test_chromium_restarts_ice_while_it_publishes(server: Server, room: Where, viewer_browser: Browser):
    """createOffer with iceRestart, a PATCH with the new names, and the answer's names in the remote description."""
    async with (
        evaluator(viewer_browser, room.url) as one,
        evaluator(viewer_browser, room.url) as two,
        in_browser(one) as publisher,
        in_browser(two) as viewer,
    ):
        await survives_a_restart(server, publisher, viewer, room)


@pytest.mark.browser
async def test_firefox_restarts_ice_while_it_publishes(
    server: Server, room: Where, viewer_browser: Browser, firefox: Firefox
):
    """The same in another engine."""
    await firefox.goto(room.url)
    async with (
        evaluator(viewer_browser, room.url) as two,
        in_browser(firefox.evaluate) as publisher,
        in_browser(two) as viewer,
    ):
        await survives_a_restart(server, publisher, viewer, room)


@asynccontextmanager
async def closed_room(directory: Path) -> AsyncIterator[tuple[Where, Visitor, str]]:
    """A room without guests, somebody who is not signed in, and a token."""
    config = make_config(directory / "closed", rooms={"guests_allowed": False})
    async with running(config) as server, first_admin(server) as admin, visiting(server) as stranger:
        slug = await admin.make_room("Closed")
        room = await server.meetings.room(slug)
        token = room_tokens.issue(server.room_token_key, room.id, "Studio", server.clock.now_ms() + 600_000)
        yield Where(server.url, slug), stranger, token


async def test_a_token_admits_ffmpeg_and_players_to_a_closed_room(tmp_path: Path, p256: P256):
    """FFmpeg by its `authorization` option; its name is the token's, whatever it says itself."""
    async with (
        closed_room(tmp_path) as (room, stranger, token),
        ffmpeg(room.whip("Somebody"), p256, token, "dtls_active"),
        aiortc_player() as player,
    ):
        async with stranger.http.post(room.whep(), data=player.offer, headers=SDP) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
        await player.negotiate(stranger.http, room.whep("Studio"), Authorization=f"Bearer {token}")
        await player.connected()
        await player.frames("video", 20)
        await player.frames("audio", 20)


async def test_a_token_admits_gstreamer_to_a_closed_room(tmp_path: Path):
    """And nobody who has none."""
    async with closed_room(tmp_path) as (room, stranger, token), aiortc_publisher() as publisher:
        await publisher.negotiate(stranger.http, room.whip("Other"), Authorization=f"Bearer {token}")
        await publisher.connected()
        async with client("/usr/bin/python3", "gstreamer.py", "play", room.whep(), "vp8") as refused:

            async def told() -> str:
                return refused.output

            await until(told, lambda text: "401" in text, 15, "it hears 401")
        async with gstreamer("play", room.whep(), "vp8", token) as player:
            await until(player.look, lambda said: said["frames"] >= 20, 10, "20 frames decoded")


@pytest.mark.browser
async def test_a_token_admits_a_page_to_a_closed_room(tmp_path: Path, viewer_browser: Browser):
    """Publishing and playing with fetch and an Authorization header."""
    async with (
        closed_room(tmp_path) as (room, _, token),
        evaluator(viewer_browser, room.url) as one,
        evaluator(viewer_browser, room.url) as two,
        in_browser(one) as publisher,
        in_browser(two) as player,
    ):
        await publisher.publish(room.whip("Page"), token)
        await player.play(room.whep(), token)
        await until(player.stats, lambda seen: seen["frames"] >= 20 and seen["audio"] >= 20, 15, "frames and sound")
        assert await publisher.stop() == 200
