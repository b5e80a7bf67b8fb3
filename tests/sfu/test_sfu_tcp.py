"""ICE over TCP on real sockets: people whose network lets no UDP out, and whoever else connects to that port."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from pymeet.sfu import tcp, udp
from pymeet.sfu.events import Closed, Connected
from pymeet.sfu.publish import PublishTransport, TrackWish
from pymeet.sfu.service import Sfu
from tests.netem import CERTIFICATE
from tests.support.peer import LightPeer, Vp8Source

HOSTS = ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not udp.has_ipv6(), reason="no IPv6 here"))]


class House:
    """A server with both ports."""

    def __init__(self, sfu: Sfu, media: udp.MediaPort, streams: tcp.StreamPort) -> None:
        self.sfu, self.media, self.streams = sfu, media, streams
        self.events: list[object] = []

    @classmethod
    async def open(cls, host: str = "127.0.0.1") -> "House":
        sfu = Sfu(CERTIFICATE, [(host, 0)])
        for_udp, for_tcp = tcp.bind_both(host, 0)
        return cls(sfu, udp.MediaPort.on(sfu, for_udp), await tcp.StreamPort.on(sfu, for_tcp))

    async def close(self) -> None:
        await self.media.close()
        await self.streams.close()


class Wire:
    """A light peer on a TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer = LightPeer()
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, house: House, *, takes_bytes: int = 0) -> "Wire":
        host, port = house.sfu.stream_addresses[0]
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if takes_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes_bytes)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
        return cls(*await asyncio.open_connection(sock=sock))

    def send(self, packet: bytes) -> None:
        self.writer.write(len(packet).to_bytes(2, "big") + packet)

    async def read(self) -> None:
        size = int.from_bytes(await self.reader.readexactly(2), "big")
        self.peer.receive(await self.reader.readexactly(size))
        for packet in self.peer.outgoing:
            self.send(packet)
        self.peer.outgoing.clear()

    async def until(self, reached: object) -> None:
        async with asyncio.timeout(5):
            while not reached():
                await self.read()

    async def is_closed(self) -> bool:
        async with asyncio.timeout(5):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


@pytest.fixture
async def house() -> AsyncIterator[House]:
    opened = await House.open()
    yield opened
    await opened.close()


async def _sender(house: House) -> tuple[Wire, PublishTransport, Vp8Source]:
    wire, now = await Wire.to(house), asyncio.get_running_loop().time()
    publisher = house.sfu.publisher("alice", house.events.append, now)
    offer = wire.peer.offer("sendonly", audio_ssrc=1, video_ssrc=2)
    wire.peer.take_description(publisher.answer(offer, {"1": TrackWish("camera")}, now))
    wire.send(wire.peer.check())
    await wire.until(lambda: wire.peer.connected)
    return wire, publisher, Vp8Source(wire.peer, 2)


async def _viewer(house: House, publisher: PublishTransport, *, takes_bytes: int = 0) -> Wire:
    wire, now = await Wire.to(house, takes_bytes=takes_bytes), asyncio.get_running_loop().time()
    subscriber = house.sfu.subscriber("bob", house.events.append, now)
    subscriber.set_tracks(list(publisher.tracks.values()), now)
    number, text, _ = subscriber.offer(now)
    subscriber.accept(number, wire.peer.answer(text), now)
    wire.send(wire.peer.check())
    await wire.until(lambda: wire.peer.connected)
    return wire


@pytest.mark.parametrize("host", HOSTS)
async def test_a_meeting_over_tcp(host: str) -> None:
    """Both ends: checks, handshake, media there and back, and the good-bye at the end."""
    house = await House.open(host)
    sender, publisher, source = await _sender(house)
    viewer = await _viewer(house, publisher)
    await sender.until(lambda: any(type(m).__name__ == "KeyframeRequest" for m in sender.peer.rtcp))

    for n in range(20):
        for packet in source.frame():
            sender.send(sender.peer.srtp.protect(packet))
        await viewer.until(lambda n=n: len(viewer.peer.rtp) >= 5 * (n + 1))
    await house.close()
    await viewer.until(lambda: viewer.peer.closed)

    assert len(viewer.peer.rtp) == 100
    assert viewer.peer.rejected == 0
    assert house.events == [Connected(), Connected(), Closed("closed"), Closed("closed")]
    assert house.streams.dropped == 0
    assert not house.streams.connections
    for wire in (sender, viewer):
        wire.writer.close()


async def test_packets_may_come_in_any_pieces(house: House) -> None:
    """TCP keeps no bounds: two packets in one piece, one in two."""
    wire, now = await Wire.to(house), asyncio.get_running_loop().time()
    publisher = house.sfu.publisher("alice", house.events.append, now)
    wire.peer.take_description(
        publisher.answer(wire.peer.offer("sendonly", video_ssrc=2), {"1": TrackWish("camera")}, now)
    )
    one, two = wire.peer.check(), wire.peer.check()
    framed = len(one).to_bytes(2, "big") + one + len(two).to_bytes(2, "big") + two

    for piece in (framed[:1], framed[1:30], framed[30:-3], framed[-3:]):
        wire.writer.write(piece)
        await wire.writer.drain()
        await asyncio.sleep(0)
    await wire.until(lambda: wire.peer.checks_passed == 2)

    wire.writer.close()


async def test_who_reads_slowly_loses_packets_and_nobody_else_does(house: House) -> None:
    """What waits for them is bounded, the oldest whole packets go, and everybody else gets everything."""
    sender, publisher, source = await _sender(house)
    slow = await _viewer(house, publisher, takes_bytes=8192)
    quick = await _viewer(house, publisher)
    await sender.until(lambda: any(type(m).__name__ == "KeyframeRequest" for m in sender.peer.rtcp))
    slow.reader._transport.pause_reading()  # asyncio's own reader would go on taking what comes

    for n in range(150):
        for packet in source.frame():
            sender.send(sender.peer.srtp.protect(packet))
        await quick.until(lambda n=n: len(quick.peer.rtp) >= 5 * (n + 1))

    assert len(quick.peer.rtp) == 750
    assert house.streams.dropped > 20
    waiting = max(connection._waiting_bytes for connection in house.streams.connections)
    assert 0 < waiting <= tcp.QUEUE_BYTES
    slow.reader._transport.resume_reading()
    before = len(slow.peer.rtp)
    await slow.until(lambda: len(slow.peer.rtp) > before + 50)
    assert slow.peer.rejected == 0, "a packet was cut"
    for wire in (sender, slow, quick):
        wire.writer.close()


@pytest.mark.parametrize(
    "hello",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes.fromhex("16030100c0"),
        b"\xff\xff" + bytes(100),
        b"\x00\x00",
        b"\x00\x14" + b"\x80" * 20,
    ],
    ids=["a browser", "TLS", "long", "empty", "media of nobody"],
)
async def test_what_is_no_check_is_hung_up_on(hello: bytes, house: House) -> None:
    """Scanners and browsers find that port, too; they get nothing and keep nothing busy."""
    wire = await Wire.to(house)

    wire.writer.write(hello)

    assert await wire.is_closed()
    assert not house.streams.connections
    wire.writer.close()


async def test_who_proves_nothing_is_hung_up_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection costs memory and a file; both go back after ten seconds. Here it is a tenth of one."""
    monkeypatch.setattr(tcp, "PROVE_S", 0.1)
    silent = await Wire.to(house)
    asking = await Wire.to(house)
    asking.peer.remote = house.sfu.ways(asyncio.get_running_loop().time()).credentials
    asking.send(asking.peer.check())
    await asking.until(lambda: asking.peer.checks_passed == 1)

    assert await silent.is_closed()
    assert await asking.is_closed(), "who only looks whether the port is open must not stay"

    for wire in (silent, asking):
        wire.writer.close()


async def test_who_asks_and_asks_without_right_is_hung_up_on(house: House) -> None:
    """Guessing at names costs a connection each few guesses."""
    wire = await Wire.to(house)
    wire.peer.remote = LightPeer().local

    for _ in range(20):
        wire.send(wire.peer.check())

    assert await wire.is_closed()
    wire.writer.close()


async def test_one_network_cannot_take_all_connections(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that have proven nothing count: a company behind one address meets undisturbed."""
    monkeypatch.setattr(tcp, "MAX_UNPROVEN_PER_NETWORK", 3)
    sender, publisher, _ = await _sender(house)
    viewer = await _viewer(house, publisher)
    held = [await Wire.to(house) for _ in range(3)]

    late = await Wire.to(house)

    assert await late.is_closed()
    assert house.streams.refused == 1
    assert len(house.streams.unproven) == 3
    assert len(house.streams.connections) == 5
    for wire in (sender, viewer, late, *held):
        wire.writer.close()


async def test_a_flood_of_connections_drives_out_its_own_oldest(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An honest peer proves itself within a moment and does not wait in that line."""
    monkeypatch.setattr(tcp, "MAX_UNPROVEN", 2)
    first, second, third = [await Wire.to(house) for _ in range(3)]

    assert await first.is_closed()
    sender, _, _ = await _sender(house)

    assert await second.is_closed()
    assert sender.peer.connected
    for wire in (first, second, third, sender):
        wire.writer.close()


async def test_both_protocols_have_one_number() -> None:
    """One line in the firewall's table; and the operator reads which of the two is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="TCP") as caught:
            tcp.bind_both("127.0.0.1", taken.getsockname()[1])
    for_udp, for_tcp = tcp.bind_both("127.0.0.1", 0)

    assert caught.value.filename == "TCP"
    assert for_udp.getsockname() == for_tcp.getsockname()
    for_udp.close()
    for_tcp.close()
