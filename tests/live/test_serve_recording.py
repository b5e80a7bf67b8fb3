"""Recording through the whole server, without a browser: WebSocket, ICE, DTLS and SRTP in front, sealed files behind."""

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import av
import pytest
from live_server import Visitor, first_admin, make_config, running, visiting
from privacy_people import erased
from sqlalchemy import RowMapping, select
from tests.support.peer import OPUS, LightPeer
from tests.support.taking import OPUS_SILENCE

from pymeet.config import Config
from pymeet.db.schema import consents, recording_people, recording_tracks, recordings
from pymeet.server import Server
from pymeet.sfu import rtp

FRAME_S = 0.02
WAIT_S = 20


class Talker:
    """Somebody in a meeting whose microphone sends silence as Opus, 50 times a second."""

    def __init__(self, socket_: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket_
        self.peer = LightPeer()
        self.id = ""
        self.receipt = ""
        self.recording: dict[str, Any] | None = None
        self.reason: str | None = None
        self.sent = 0
        self._ssrc = secrets.randbelow(2**31) + 1
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._told = asyncio.Event()
        self._tasks = [asyncio.create_task(self._listen())]

    async def ask(self, **message: Any) -> dict[str, Any]:
        """The answer to a message."""
        name = secrets.token_hex(4)
        self._answers[name] = asyncio.get_running_loop().create_future()
        await self.socket.send_str(json.dumps({"id": name, **message}))
        async with asyncio.timeout(WAIT_S):
            return await self._answers[name]

    async def join(self, name: str, **fields: Any) -> None:
        joined = await self.ask(type="join", v=1, name=name, **fields)
        self.id, self.receipt, self.recording = joined["you"], joined.get("receipt", ""), joined["recording"]

    async def talk(self) -> None:
        """Publishes; returns when sound is on its way."""
        offer = self.peer.offer("sendonly", audio_ssrc=self._ssrc)
        tracks = [{"mid": "0", "source": "microphone", "muted": False}]
        answer = await self.ask(type="publish", sdp=offer, tracks=tracks)
        self.peer.take_description(answer["sdp"])
        self._tasks.append(asyncio.create_task(self._send()))
        await self.until(lambda: self.sent > 5)

    async def answer(self, answer: str) -> None:
        """To the recording that runs."""
        await self.until(lambda: self.recording is not None)
        assert self.recording is not None
        said = await self.ask(type="consent", recording=self.recording["id"], answer=answer, language="en")
        assert said["type"] == "ok", said

    async def until(self, holds: Any) -> None:
        """Waits for something to become true by what is told or sent."""
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self._told.clear()
                await self._told.wait()

    async def close(self) -> None:
        """Leaves, where the connection is still there."""
        with contextlib.suppress(aiohttp.ClientError):
            await self.socket.send_str(json.dumps({"type": "leave"}))
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(
                asyncio.CancelledError, ConnectionRefusedError
            ):  # the server may be gone before us
                await task
        await self.socket.close()

    async def _listen(self) -> None:
        async for frame in self.socket:
            message = json.loads(frame.data)
            if message["type"] == "recording":
                self.recording, self.reason = message["recording"], message.get("reason")
            if (waiting := self._answers.pop(message.get("re", ""), None)) is not None:
                waiting.set_result(message)
            self._told.set()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        sequence, timestamp = secrets.randbelow(2**16), secrets.randbelow(2**32)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.setblocking(False)
            udp.connect(self.peer.remote_address)
            due = loop.time()
            while True:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        self.peer.receive(udp.recv(2048))
                if not self.peer.connected:
                    udp.send(self.peer.check())
                    self.peer.handle_timer()
                for datagram in self.peer.outgoing:
                    udp.send(datagram)
                self.peer.outgoing.clear()
                if self.peer.srtp is not None:
                    head = rtp.HEADER.pack(0x80, OPUS, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self._ssrc)
                    udp.send(self.peer.srtp.protect(head + OPUS_SILENCE))
                    sequence, timestamp, self.sent = sequence + 1, timestamp + 960, self.sent + 1
                    self._told.set()
                due += FRAME_S
                await asyncio.sleep(max(0.0, due - loop.time()))


@asynccontextmanager
async def talking(visitor: Visitor, slug: str, name: str, **fields: Any) -> AsyncIterator[Talker]:
    """Somebody who is in and sends."""
    async with visitor.http.ws_connect(f"/ws/{slug}") as socket_:
        talker = Talker(socket_)
        try:
            await talker.join(name, **fields)
            await talker.talk()
            yield talker
        finally:
            await talker.close()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return make_config(tmp_path / "data", recording={"film": "off", "min_free_gigabytes": 1})


async def rows(server: Server, table: Any) -> list[RowMapping]:
    async with server.database.read() as conn:
        return list((await conn.execute(select(table))).mappings())


async def complete(server: Server) -> None:
    """Waits until what was recorded is stored."""
    async with asyncio.timeout(WAIT_S):
        while server.recordings.running:  # noqa: ASYNC110  the service tells nobody when the last file is closed
            await asyncio.sleep(0.05)


def heard_ms(server: Server, file_id: str) -> float:
    """How much sound there is in a sealed file, decoded."""
    with server.lifecycle.files.open(file_id) as sealed, av.open(sealed) as container:
        return sum(frame.samples / frame.sample_rate * 1000 for frame in container.decode(audio=0))


async def test_who_agrees_is_in_the_files_and_nobody_else(config: Config) -> None:
    """From the packet to the row: yes, no and no answer."""
    async with running(config) as server, first_admin(server) as ada, visiting(server) as other:
        slug = await ada.make_room()
        async with (
            talking(ada, slug, "Ada") as host,
            talking(other, slug, "Bob") as bob,
            talking(other, slug, "Carl") as carl,
        ):
            assert (await host.ask(type="record", on=True))["type"] == "ok"
            assert (await other.json("GET", f"/api/v1/rooms/{slug}"))[1]["recording"]["id"] == host.recording["id"]
            await bob.answer("yes")
            await carl.answer("no")
            begun = bob.sent
            await bob.until(lambda: bob.sent > begun + 100)
            assert (await host.ask(type="record", on=False))["type"] == "ok"
            await carl.until(lambda: carl.reason == "host")
        await complete(server)

        (recording,) = await rows(server, recordings)
        (person,) = await rows(server, recording_people)
        (track,) = await rows(server, recording_tracks)
        said = {row["participant_id"]: row["decision"] for row in await rows(server, consents) if row["object_id"]}
        length_ms = await asyncio.to_thread(heard_ms, server, track["file_id"])

    assert (recording["end_reason"], recording["name"]) == ("host", "Tea")
    assert (person["participant_id"], person["name"]) == (bob.id, "Bob")
    assert (track["person_id"], track["source"], track["state"]) == (person["id"], "microphone", "whole")
    assert said == {bob.id: "given", carl.id: "refused"}
    assert 1_500 < length_ms < 10_000
    assert abs(length_ms - track["duration_ms"]) < 100


async def test_a_guest_who_takes_it_back_by_the_receipt_is_out_at_once(config: Config) -> None:
    """In another window: the room takes nothing more and tells them, and what it had of them is gone."""
    async with running(config) as server, first_admin(server) as ada, visiting(server) as other:
        slug = await ada.make_room()
        async with talking(ada, slug, "Ada") as host, talking(other, slug, "Bob") as bob:
            await host.ask(type="record", on=True)
            await bob.answer("yes")
            begun = bob.sent
            await bob.until(lambda: bob.sent > begun + 50)
            _, seen = await other.json("POST", "/api/v1/guest-data", {"receipt": bob.receipt})
            (given,) = [each for each in seen["consents"] if each["purpose"] == "recording"]
            body = {"receipt": bob.receipt}

            status, _ = await other.json("POST", f"/api/v1/guest-data/consents/{given['id']}/withdraw", body)

            assert status == 204
            assert await rows(server, recording_tracks) == []
            await bob.until(lambda: bob.recording["you"] == "no")
            assert bob.recording["recorded"] == []
        await complete(server)
        decisions = [row["decision"] for row in await rows(server, consents) if row["object_id"]]

    assert decisions == ["given", "withdrawn"]


async def test_a_server_that_stops_finishes_what_it_records(config: Config) -> None:
    """The next start finds a recording that is whole."""
    async with running(config) as server, first_admin(server) as ada:
        slug = await ada.make_room()
        async with talking(ada, slug, "Ada") as host:
            await host.ask(type="record", on=True)
            await host.answer("yes")
            begun = host.sent
            await host.until(lambda: host.sent > begun + 50)
            await server.stop()
            await host.until(lambda: host.reason == "server")

    async with running(config) as again:
        (recording,) = await rows(again, recordings)
        (track,) = await rows(again, recording_tracks)
        assert recording["end_reason"] == "server"
        assert track["state"] == "whole"
        assert await asyncio.to_thread(heard_ms, again, track["file_id"]) > 700


async def test_who_was_asked_on_the_preview_page_is_recorded_from_their_first_packet(config: Config) -> None:
    """And who says nothing there is in without being recorded."""
    async with running(config) as server, first_admin(server) as ada, visiting(server) as other:
        slug = await ada.make_room()
        async with talking(ada, slug, "Ada") as host:
            await host.ask(type="record", on=True)
            _, preview = await other.json("GET", f"/api/v1/rooms/{slug}")
            wish = {"id": preview["recording"]["id"], "answer": "yes", "language": "en"}
            async with talking(other, slug, "Bob", recording=wish) as bob, talking(other, slug, "Carl"):
                assert bob.recording["you"] == "yes"
                begun = bob.sent
                await bob.until(lambda: bob.sent > begun + 50)
        await complete(server)
        (person,) = await rows(server, recording_people)
        (recording,) = await rows(server, recordings)

    assert person["name"] == "Bob"
    assert recording["end_reason"] == "empty"


async def test_who_is_erased_while_they_are_recorded_leaves_nothing_behind(config: Config) -> None:
    """Their files are closed before they are destroyed, and the recording of the others goes on."""
    async with running(config) as server, first_admin(server) as ada, visiting(server) as other:
        slug = await ada.make_room()
        async with talking(ada, slug, "Ada") as host, talking(other, slug, "Bob") as bob:
            await host.ask(type="record", on=True)
            for talker in (host, bob):
                await talker.answer("yes")
            begun = bob.sent
            await bob.until(lambda: bob.sent > begun + 75)

            _, asked = await other.json("POST", "/api/v1/guest-data/erasure", {"receipt": bob.receipt})

            assert (await erased(other, asked["status"]))["state"] == "done"
            (person,) = await rows(server, recording_people)
            assert person["participant_id"] == host.id
            assert host.recording is not None
            begun = host.sent
            await host.until(lambda: host.sent > begun + 25)
            await host.ask(type="record", on=False)
        await complete(server)
        (track,) = await rows(server, recording_tracks)
        (recording,) = await rows(server, recordings)
        kept = {path.name.split(".")[0] for path in (server.config.data_dir / "files").rglob("*.sealed*")}

    assert (track["person_id"], track["state"]) == (person["id"], "whole")
    assert recording["end_reason"] == "host"
    assert kept == {track["file_id"]}
