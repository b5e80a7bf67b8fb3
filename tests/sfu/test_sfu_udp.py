"""The rim: one socket and one timer around the machine, on loopback, with the system's batch calls and without."""

import asyncio
import socket
import sys

import pytest

from pymeet.sfu import batch, sending, udp
from pymeet.sfu.events import Closed, Connected, TransportEvent
from pymeet.sfu.producer import Track
from pymeet.sfu.publish import TrackWish
from pymeet.sfu.service import Sfu
from tests.netem import CERTIFICATE
from tests.support.peer import LightPeer, Vp8Source

_UDP_GRO = 104  # linux/udp.h


class _Wire(asyncio.DatagramProtocol):
    """A light peer at a real socket."""

    def __init__(self) -> None:
        self.peer = LightPeer()
        self.transport: asyncio.DatagramTransport | None = None
        self.changed = asyncio.Event()
        self.sizes: list[int] = []

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.sizes.append(len(data))
        self.peer.receive(data)
        self.flush()
        self.changed.set()

    def flush(self) -> None:
        for datagram in self.peer.outgoing:
            self.transport.sendto(datagram, self.peer.remote_address)
        self.peer.outgoing.clear()

    async def until(self, reached: object) -> None:
        async with asyncio.timeout(5):
            while not reached():
                self.changed.clear()
                await self.changed.wait()


async def _wire() -> _Wire:
    _, wire = await asyncio.get_running_loop().create_datagram_endpoint(_Wire, local_addr=("127.0.0.1", 0))
    return wire


async def _meeting() -> tuple[udp.MediaPort, _Wire, _Wire, Track, list[TransportEvent]]:
    """A port, somebody who sends a camera to it, somebody who receives that, the track, and what their transports told."""
    loop = asyncio.get_running_loop()
    sfu = Sfu(CERTIFICATE, [("127.0.0.1", 0)])
    port = await udp.MediaPort.open(sfu, "127.0.0.1", 0)
    sender, viewer, events = await _wire(), await _wire(), []
    publisher = sfu.publisher("alice", events.append, loop.time())
    offer = sender.peer.offer("sendonly", audio_ssrc=1, video_ssrc=2)
    sender.peer.take_description(publisher.answer(offer, {"1": TrackWish("camera")}, loop.time()))
    subscriber = sfu.subscriber("bob", events.append, loop.time())
    subscriber.set_tracks(list(publisher.tracks.values()), loop.time())
    number, text, _ = subscriber.offer(loop.time())
    subscriber.accept(number, viewer.peer.answer(text), loop.time())
    for wire in (sender, viewer):
        assert wire.peer.remote_address == ("127.0.0.1", port.port)
        wire.transport.sendto(wire.peer.check(), wire.peer.remote_address)
        await wire.until(lambda w=wire: w.peer.connected)
    return port, sender, viewer, publisher.tracks["1"], events


@pytest.mark.parametrize("batched", [True, False])
async def test_media_flows_through_the_real_socket(batched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same meeting with recvmmsg and sendmmsg, and on a system that has neither."""
    if not batched:
        monkeypatch.setattr(batch, "_libc", None)
        monkeypatch.setattr(sending, "libc", None)
    port, sender, viewer, _, events = await _meeting()
    source = Vp8Source(sender.peer, 2)
    await sender.until(lambda: any(type(m).__name__ == "KeyframeRequest" for m in sender.peer.rtcp))
    for n in range(20):
        for packet in source.frame():
            sender.transport.sendto(sender.peer.srtp.protect(packet), sender.peer.remote_address)
        await viewer.until(lambda n=n: len(viewer.peer.rtp) >= 5 * (n + 1))
    await port.close()
    await viewer.until(lambda: viewer.peer.closed)

    assert len(viewer.peer.rtp) == 100
    assert events == [Connected(), Connected(), Closed("closed"), Closed("closed")]
    assert port.refused == 0
    for wire in (sender, viewer):
        wire.transport.close()


async def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    """The operator reads why at the start, not in the first meeting."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            await udp.MediaPort.open(Sfu(CERTIFICATE, []), "127.0.0.1", taken.getsockname()[1])


async def test_what_the_kernel_refuses_is_counted_and_nothing_more() -> None:
    """An unreachable receiver must not end the reading of the socket."""
    port = await udp.MediaPort.open(Sfu(CERTIFICATE, []), "127.0.0.1", 0)

    port.send(b"x", ("255.255.255.255", 9))

    assert port.refused == 1
    await port.close()
    await port.close()


class _NextComes:
    """A tap that sees to it that the next packet of a frame is there as soon as the one before was taken in."""

    def __init__(self, sender: _Wire, packets: list[bytes]) -> None:
        self._sender, self._packets = sender, packets

    def packet(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        self.send()

    def send(self) -> None:
        if self._packets:
            packet = self._sender.peer.srtp.protect(self._packets.pop(0))
            self._sender.transport.sendto(packet, self._sender.peer.remote_address)

    def report(self, ntp: int, timestamp: int, now: float) -> None:
        pass

    def restarted(self) -> None:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands packets over as they were sent together")
async def test_a_frame_whose_packets_follow_each_other_leaves_together() -> None:
    """The first packet of a frame wakes the server before the others are there; sent alone it costs as much as all of them together."""
    port, sender, viewer, track, _ = await _meeting()
    viewer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_UDP, _UDP_GRO, 1)
    packets = Vp8Source(sender.peer, 2).frame()
    first = _NextComes(sender, packets)
    track.set_tap(first, asyncio.get_running_loop().time())

    first.send()
    await viewer.until(lambda: sum(viewer.sizes) > 5 * 1100)

    assert packets == []
    assert max(viewer.sizes) > 5 * 1100
    assert port.sent_bytes > 5 * 1100
    await port.close()
    for wire in (sender, viewer):
        wire.transport.close()
