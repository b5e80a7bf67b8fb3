"""Light people for soak.py: they come, take part, meet with every kind of bad luck, go in every way, and come again."""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from soak_media import TICK_S, Connection, HalfOpen, Publishing, Receiving, junk

ANSWER_S = 15.0
SDP = {"Content-Type": "application/sdp"}

Tracks = list[dict[str, Any]]


class Gone(Exception):  # noqa: N818 - no error, but the end of a visit
    """The connection ended, or the server refused; the person comes again later."""


@dataclass
class World:
    """What all people share."""

    url: str
    http: aiohttp.ClientSession
    """Of people who are not signed in."""
    hosts_http: aiohttp.ClientSession
    """Of the administrator, who is host everywhere."""
    rooms: list[str]
    media_address: tuple[str, int]
    done: Counter[str] = field(default_factory=Counter)
    """How often what was done, and with which codes the server said no."""
    connections: set[Connection] = field(default_factory=set)
    half_open: set[HalfOpen] = field(default_factory=set)
    is_open: bool = True
    """Whether people still come."""
    received: int = 0
    late_s: float = 0.0
    """The longest that this program itself was late: then it could not keep the pace."""

    async def turn(self) -> None:
        """Lets the media of everybody happen, until cancelled."""
        while True:
            now = time.monotonic()
            for connection in list(self.connections):
                before = connection.received
                with contextlib.suppress(OSError):  # ICMP of a server that does not want it any more
                    connection.tick(now)
                self.received += connection.received - before
            for each in [each for each in self.half_open if each.until < now or not self.is_open]:
                self.half_open.discard(each)
                each.close()
            spent_s = time.monotonic() - now
            self.late_s = max(self.late_s, spent_s)
            await asyncio.sleep(max(0.0, TICK_S - spent_s))

    def drop(self, connection: Connection | None, *, politely: bool) -> None:
        """Closes a peer connection."""
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close(politely=politely)
            self.connections.discard(connection)


class Person:
    """Somebody at a browser, over and over again."""

    def __init__(self, world: World, name: str, *, is_host: bool = False) -> None:
        self.world, self.name, self.is_host = world, name, is_host
        self._over_tcp = False
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0
        self._token: str | None = None
        self._me = ""
        self._others: set[str] = set()
        self._tracks: list[str] = []
        self._sending: Publishing | None = None
        self._receiving: Receiving | None = None
        self._slug = ""

    async def live(self) -> None:
        """Until nobody comes any more."""
        await asyncio.sleep(random.uniform(0, 5))
        while self.world.is_open:
            try:
                await self._visit()
            except (Gone, aiohttp.ClientError, TimeoutError, ConnectionError) as error:
                self.world.done[f"ended: {error if isinstance(error, Gone) else type(error).__name__}"] += 1
            await self._hang_up(politely=random.random() < 0.7)
            self._token = None
            await asyncio.sleep(random.uniform(0.5, 4))

    async def _visit(self) -> None:
        self._slug = random.choice(self.world.rooms)
        self._over_tcp = random.random() < 0.2
        await self._enter()
        if random.random() < 0.85:
            await self._publish()
        until = time.monotonic() + random.uniform(5, 60)
        while self.world.is_open and time.monotonic() < until:
            await asyncio.sleep(random.uniform(0.5, 4))
            if self._listening is None or self._listening.done():
                raise Gone("the connection was closed")
            deed = random.choices(*(self._of_hosts if self.is_host and random.random() < 0.3 else self._of_all))[0]
            self.world.done[deed.__name__.strip("_")] += 1
            await deed(self)
        await self._go()

    # -- coming and going -------------------------------------------------------------------------------------------

    async def _enter(self, resume: str | None = None) -> None:
        """Comes in; `resume` says what of the media still exists, `keep` or `new`."""
        http = self.world.hosts_http if self.is_host else self.world.http
        self._socket = await http.ws_connect(f"{self.world.url}/ws/{self._slug}")
        join: dict[str, Any] = {"type": "join", "v": 1, "name": self.name}
        if resume and self._token:
            join["resume"] = {"token": self._token, "media": resume}
        await self._socket.send_json(join)
        async with asyncio.timeout(ANSWER_S):
            while (message := await self._next(self._socket))["type"] != "joined":
                if message["type"] == "error":
                    raise Gone(message["code"])
        self.world.done["came back" if message["resumed"] else "came"] += 1
        self._token, self._me = message["resume"], message["you"]
        self._others = {each["id"] for each in message["participants"]} - {self._me}
        self._listening = asyncio.create_task(self._listen(self._socket))
        if not message["resumed"]:
            self._drop_media(politely=False)

    async def _go(self) -> None:
        way = random.choice(("leaves", "leaves", "closes the page", "vanishes", "loses everything"))
        self.world.done[way] += 1
        assert self._socket is not None
        if way == "leaves":
            await self._socket.send_json({"type": "leave"})
        elif way == "vanishes":
            for connection in (self._sending, self._receiving):
                if connection is not None:
                    connection.is_silent = True
            self._cut()
        elif way == "loses everything":
            self._cut()
            self._drop_media(politely=False)

    def _cut(self) -> None:
        """The WebSocket breaks without a word."""
        if self._socket is not None and self._socket._response.connection is not None:
            transport = self._socket._response.connection.transport
            if transport is not None:
                transport.abort()

    async def _hang_up(self, *, politely: bool) -> None:
        self._drop_media(politely=politely)
        if self._socket is not None:
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                await self._socket.close(code=random.choice((1000, 1001)))
            self._socket = None
        if self._listening is not None:
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None

    def _drop_media(self, *, politely: bool) -> None:
        self.world.drop(self._sending, politely=politely)
        self.world.drop(self._receiving, politely=politely)
        self._sending = self._receiving = None

    # -- signaling --------------------------------------------------------------------------------------------------

    async def _next(self, socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
        frame = await socket.receive()
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise Gone(f"closed by {socket.close_code}")
        return dict(json.loads(frame.data))

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            while True:
                await self._heard(await self._next(socket))
        except (Gone, aiohttp.ClientError, ConnectionError):
            return
        finally:
            for answer in self._answers.values():
                answer.cancel()
            self._answers.clear()

    async def _heard(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if (waiting := self._answers.pop(message.get("re") or "", None)) is not None and not waiting.done():
            waiting.set_result(message)
        if kind == "error":
            self.world.done[f"refused: {message['code']}"] += 1
        elif kind == "offer":
            await self._receive(message)
        elif kind == "participant" and message["participant"]["id"] != self._me:
            self._others.add(message["participant"]["id"])
        elif kind == "participant_left":
            self._others.discard(message["participant"])
        elif kind == "recording" and message["recording"] and message["recording"]["you"] is None:
            answer = {"type": "consent", "recording": message["recording"]["id"], "answer": "yes"}
            await self._say(**answer)

    async def _receive(self, offer: dict[str, Any]) -> None:
        if offer["fresh"]:
            self.world.drop(self._receiving, politely=False)
            self._receiving = None
        if self._receiving is None:
            self._receiving = Receiving(over_tcp=self._over_tcp)
            self.world.connections.add(self._receiving)
        self._tracks = [track["track"] for track in offer["tracks"]]
        answer = self._receiving.peer.answer(offer["sdp"])
        await self._say(type="subscribed", offer=offer["offer"], sdp=answer)
        self._receiving.check_now()

    async def _say(self, **message: Any) -> None:
        if self._socket is None or self._socket.closed:
            raise Gone("the connection was closed")
        await self._socket.send_json(message)

    async def _ask(self, **message: Any) -> dict[str, Any]:
        """Says it and waits for the answer. Raises Gone when the connection ends instead."""
        self._asked += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[str(self._asked)] = answer
        await self._say(id=str(self._asked), **message)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise Gone("the connection was closed") from None

    async def _publish(self) -> None:
        """Offers what is sent now, on the connection that is there or a new one."""
        if self._sending is None:
            self._sending = Publishing(over_tcp=self._over_tcp)
        sending = self._sending
        tracks = [{"mid": "0", "source": "microphone", "muted": False}]
        if sending.has_camera:
            tracks.append({"mid": "1", "source": "camera", "muted": False})
        answer = await self._ask(type="publish", sdp=sending.offer(), tracks=tracks)
        if answer["type"] == "published" and sending is self._sending:
            sending.peer.take_description(answer["sdp"])
            sending.check_now()
            self.world.connections.add(sending)

    # -- what people do ---------------------------------------------------------------------------------------------

    async def _writes(self) -> None:
        to = {"to": random.choice(sorted(self._others))} if self._others and random.random() < 0.2 else {}
        await self._ask(type="chat", text="Something to say. " * random.randrange(1, 20), **to)

    async def _reacts(self) -> None:
        await self._ask(type="react", reaction="clap")
        await self._ask(type="hand", up=random.random() < 0.5)

    async def _talks(self) -> None:
        if self._sending is not None:
            self._sending.talks = not self._sending.talks

    async def _looks_elsewhere(self) -> None:
        tiles = [{"track": track, "height": random.choice((0, 180, 360, 720))} for track in self._tracks]
        await self._ask(type="view", tiles=tiles, audio_only=random.random() < 0.1)

    async def _mutes(self) -> None:
        if self._sending is not None:
            await self._ask(type="mute", source="microphone", muted=random.random() < 0.5)

    async def _switches_the_camera(self) -> None:
        if self._sending is not None:
            self._sending.has_camera = not self._sending.has_camera
            await self._publish()

    # -- what happens to them ---------------------------------------------------------------------------------------

    async def _loses_packets(self) -> None:
        share, until = random.choice((0.02, 0.1, 0.3)), time.monotonic() + random.uniform(1, 8)
        while time.monotonic() < until and self.world.is_open:
            for connection in (self._sending, self._receiving):
                if connection is not None:
                    connection.loss = share
            await asyncio.sleep(0.5)
        for connection in (self._sending, self._receiving):
            if connection is not None:
                connection.loss = 0.0

    async def _moves(self) -> None:
        """To another network: new addresses, and half the time an ICE restart as browsers do."""
        for connection in (self._sending, self._receiving):
            if connection is not None:
                connection.move()
        if random.random() < 0.5:
            if self._sending is not None:
                self._sending.peer.restart_ice()
                await self._publish()
            if self._receiving is not None:
                self._receiving.peer.restart_ice()
                await self._ask(type="restart")

    async def _loses_the_connection(self) -> None:
        """The WebSocket breaks; the media go on. The seat is taken back, or it is too late for that."""
        self._cut()
        if self._listening is not None:
            await asyncio.gather(self._listening, return_exceptions=True)
        await asyncio.sleep(random.choice((0.0, 0.5, 5.0)))
        await self._enter("keep")
        if self._sending is None:
            await self._publish()

    async def _reloads(self) -> None:
        """The page is read anew: everything of it is gone but the seat."""
        await self._hang_up(politely=random.random() < 0.5)
        await self._enter("new")
        await self._publish()

    async def _starts_media_anew(self) -> None:
        self.world.drop(self._receiving, politely=False)
        self._receiving = None
        await self._ask(type="restart", media="new")

    async def _reads_nothing(self) -> None:
        """A page that hangs: what the server says piles up."""
        connection = self._socket._response.connection if self._socket is not None else None
        transport = connection.transport if connection is not None else None
        if isinstance(transport, asyncio.Transport):
            transport.pause_reading()
            await asyncio.sleep(random.uniform(1, 20))
            if not transport.is_closing():
                transport.resume_reading()

    async def _says_nonsense(self) -> None:
        """A broken client: it is cut off, and its seat is gone."""
        assert self._socket is not None
        await self._socket.send_str(random.choice(("{", "[]", '{"type": "nonsense"}', '{"type": "publish", "id": 5}')))

    async def _offers_nonsense(self) -> None:
        await self._ask(type="publish", sdp="v=0\r\nno description", tracks=[])

    async def _sends_junk(self) -> None:
        with contextlib.suppress(OSError):
            junk(self.world.media_address, 20)
            self.world.half_open.add(HalfOpen(self.world.media_address))

    # -- what hosts do ----------------------------------------------------------------------------------------------

    async def _records(self) -> None:
        await self._ask(type="record", on=True, chat=True)
        await asyncio.sleep(random.uniform(1, 15))
        await self._ask(type="record", on=False)

    async def _locks(self) -> None:
        await self._ask(type="lock", on=True)
        await asyncio.sleep(random.uniform(0.5, 3))
        await self._ask(type="lock", on=False)

    async def _mutes_all(self) -> None:
        await self._ask(type="mute_all")

    async def _removes_somebody(self) -> None:
        if self._others:
            await self._ask(type="remove", participant=random.choice(sorted(self._others)))

    async def _ends_the_meeting(self) -> None:
        await self._ask(type="end")

    _Deed = Callable[["Person"], Coroutine[Any, Any, None]]
    _of_all: tuple[list[_Deed], list[int]] = (
        [
            _writes, _reacts, _talks, _looks_elsewhere, _mutes, _switches_the_camera, _loses_packets, _moves,
            _loses_the_connection, _reloads, _starts_media_anew, _reads_nothing, _says_nonsense, _offers_nonsense, _sends_junk,
        ],
        [4, 2, 4, 4, 2, 3, 4, 3, 3, 2, 1, 1, 1, 1, 1],
    )  # fmt: skip
    _of_hosts: tuple[list[_Deed], list[int]] = (
        [_records, _locks, _mutes_all, _removes_somebody, _ends_the_meeting],
        [4, 1, 2, 2, 1],
    )


async def encode(world: World) -> None:
    """An encoder (WHIP) or a player (WHEP), over and over again until nobody comes any more."""
    while world.is_open:
        connection: Connection = Publishing() if random.random() < 0.6 else Receiving()
        offer = connection.offer() if isinstance(connection, Publishing) else connection.peer.offer("recvonly")
        kind = "whip" if isinstance(connection, Publishing) else "whep"
        address = f"{world.url}/{kind}/{random.choice(world.rooms)}"
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            async with world.http.post(address, data=offer, headers=SDP) as response:
                world.done[f"{kind}: {response.status}"] += 1
                text = await response.text()
                location = response.headers.get("Location")
            if location is not None:
                if random.random() < 0.9:  # some never come after their offer
                    connection.peer.take_description(text)
                    connection.check_now()
                    world.connections.add(connection)
                await asyncio.sleep(random.uniform(0.5, 15))
                if random.random() < 0.6:
                    async with world.http.delete(f"{world.url}{urlsplit(location).path}") as response:
                        world.done[f"{kind} deleted: {response.status}"] += 1
        world.drop(connection, politely=random.random() < 0.5)
        await asyncio.sleep(random.uniform(0.5, 3))
