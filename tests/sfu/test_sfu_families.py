"""One port for everybody: a sender by IPv4, receivers by IPv4, IPv6 and TCP, and each of them gets every packet."""

import asyncio

import pytest

from pymeet.sfu import tcp, udp
from pymeet.sfu.publish import PublishTransport, TrackWish
from pymeet.sfu.service import Sfu
from tests.netem import CERTIFICATE
from tests.support.peer import LightPeer, Vp8Source


class _Wire(asyncio.DatagramProtocol):
    """A light peer on a UDP socket of either family."""

    def __init__(self, to: tuple[str, int]) -> None:
        self.peer, self.to = LightPeer(), to
        self.changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.send = transport.send if hasattr(transport, "send") else lambda data: transport.sendto(data, self.to)
        self.close = transport.close

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.peer.receive(data)
        for packet in self.peer.outgoing:
            self.send(packet)
        self.peer.outgoing.clear()
        self.changed.set()

    async def until(self, reached: object) -> None:
        async with asyncio.timeout(5):
            while not reached():
                self.changed.clear()
                await self.changed.wait()


class _Connection(_Wire, asyncio.Protocol):
    """The same on a TCP connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.send = lambda data: transport.write(len(data).to_bytes(2, "big") + data)
        self.close = transport.close
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while len(self.waiting) > 2 and len(self.waiting) >= 2 + (size := int.from_bytes(self.waiting[:2], "big")):
            packet, self.waiting = self.waiting[2 : 2 + size], self.waiting[2 + size :]
            self.datagram_received(packet, None)


async def _wire(way: str, port: int) -> _Wire:
    loop = asyncio.get_running_loop()
    host = "::1" if way == "IPv6" else "127.0.0.1"
    if way == "TCP":
        return (await loop.create_connection(lambda: _Connection((host, port)), host, port))[1]
    return (await loop.create_datagram_endpoint(lambda: _Wire((host, port)), local_addr=(host, 0)))[1]


async def _views(sfu: Sfu, publisher: PublishTransport, wire: _Wire, now: float) -> None:
    subscriber = sfu.subscriber("bob", lambda _event: None, now)
    subscriber.set_tracks(list(publisher.tracks.values()), now)
    number, text, _ = subscriber.offer(now)
    subscriber.accept(number, wire.peer.answer(text), now)
    wire.send(wire.peer.check())
    await wire.until(lambda: wire.peer.connected)


@pytest.mark.skipif(not udp.has_ipv6(), reason="this kernel has no IPv6")
async def test_every_receiver_gets_every_packet_whatever_the_way() -> None:
    """A frame leaves in one go for all of them; who is reached otherwise must neither be left out nor disturb the rest."""
    now = asyncio.get_running_loop().time()
    sfu = Sfu(CERTIFICATE, [("127.0.0.1", 0), ("::1", 0)])
    for_udp, for_tcp = tcp.bind_both("::", 0)
    media, streams = udp.MediaPort.on(sfu, for_udp), await tcp.StreamPort.on(sfu, for_tcp)
    sender = await _wire("IPv4", media.port)
    publisher = sfu.publisher("alice", lambda _event: None, now)
    offer = sender.peer.offer("sendonly", audio_ssrc=1, video_ssrc=2)
    sender.peer.take_description(publisher.answer(offer, {"1": TrackWish("camera")}, now))
    sender.send(sender.peer.check())
    await sender.until(lambda: sender.peer.connected)
    viewers = [await _wire(way, media.port) for way in ("IPv4", "TCP", "IPv6", "TCP", "IPv4")]
    for wire in viewers:
        await _views(sfu, publisher, wire, now)
    source = Vp8Source(sender.peer, 2)
    await sender.until(lambda: any(type(m).__name__ == "KeyframeRequest" for m in sender.peer.rtcp))

    for n in range(20):
        for packet in source.frame():
            sender.send(sender.peer.srtp.protect(packet))
        for wire in viewers:
            await wire.until(lambda n=n, wire=wire: len(wire.peer.rtp) >= 5 * (n + 1))
    await media.close()
    await streams.close()
    for wire in viewers:
        await wire.until(lambda wire=wire: wire.peer.closed)

    assert [len(wire.peer.rtp) for wire in viewers] == [100] * 5
    assert [wire.peer.rejected for wire in viewers] == [0] * 5
    assert media.refused == streams.dropped == 0
    for wire in (sender, *viewers):
        wire.close()
