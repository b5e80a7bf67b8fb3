"""The light peer on a real socket: it publishes VP8 and sound to a server, and can change its address.

It decodes nothing, so what it does is exact to the packet: when the last one left and on which path.
"""

import asyncio
import secrets
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from pymeet.sfu import rtp
from tests.support.peer import OPUS, LightPeer, Vp8Source

TICK_S = 0.02
CHECK_EVERY_S = 0.25
FRAME_EVERY_S = 1 / 30


class WirePeer(asyncio.DatagramProtocol):
    """A publisher (once `publishes` is set) or a player. `arrived_at` is when the last media packet came."""

    def __init__(self, light: LightPeer) -> None:
        self.light = light
        self.received = 0
        self.arrived_at = 0.0
        self.checks_on_path = 0
        """Checks that were answered since the path or the credentials changed."""
        self.publishes = False
        self._transport: asyncio.DatagramTransport | None = None
        self._picture = Vp8Source(light, 0x11223344, size=400, per_frame=2, key_every=30)
        self._sound_sequence, self._sound_time = secrets.randbits(16), secrets.randbits(32)

    @property
    def ssrcs(self) -> tuple[int, int]:
        """Of sound and picture."""
        return 0x55667788, self._picture.ssrc

    async def open(self) -> None:
        """Takes a new address; the old one, if there was one, is given up at once."""
        if self._transport is not None:
            self._transport.close()
        self.checks_on_path = 0
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))

    def close(self) -> None:
        """Gives the address back."""
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One datagram of the server."""
        passed = self.light.checks_passed
        self.light.receive(data)
        self.checks_on_path += self.light.checks_passed - passed
        if self.light.rtp:
            self.received += len(self.light.rtp)
            self.arrived_at = time.monotonic()
            self.light.rtp.clear()
        self._flush()

    async def run(self) -> None:
        """Checks the path, finishes the handshake and sends media, until it is cancelled."""
        checked = sent = float("-inf")
        while True:
            now = time.monotonic()
            if now - checked >= (CHECK_EVERY_S if self.checks_on_path else TICK_S):
                checked = now
                self._send(self.light.check())
            self.light.handle_timer()
            self._flush()
            if self.publishes and self.light.connected and now - sent >= FRAME_EVERY_S:
                sent = now
                self._send_media()
            await asyncio.sleep(TICK_S)

    def _send_media(self) -> None:
        assert self.light.srtp
        for packet in [*self._picture.handle_rtcp(), *self._picture.frame(), self._sound()]:
            self._send(self.light.srtp.protect(packet))

    def _sound(self) -> bytes:
        self._sound_sequence = (self._sound_sequence + 1) & 0xFFFF
        self._sound_time = (self._sound_time + 960) & 0xFFFFFFFF
        head = rtp.HEADER.pack(0x80, OPUS, self._sound_sequence, self._sound_time, self.ssrcs[0])
        return head + struct.pack("!B", 0xF8) + secrets.token_bytes(60)

    def _flush(self) -> None:
        for datagram in self.light.outgoing:
            self._send(datagram)
        self.light.outgoing.clear()

    def _send(self, datagram: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, self.light.remote_address)


@asynccontextmanager
async def wire_peer() -> AsyncIterator[WirePeer]:
    """A peer with an address, at work; `light.take_description` tells it where to."""
    peer = WirePeer(LightPeer())
    await peer.open()
    running = asyncio.create_task(peer.run())
    try:
        yield peer
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        peer.close()
