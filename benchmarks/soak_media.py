"""The media of the light people of soak.py: real ICE, DTLS and SRTP over UDP or TCP, a few packets a second, and bad networks.

Nothing here waits: `tick` is called every 20 ms and does what is due.
"""

import contextlib
import random
import socket
import struct
import time

from tests.support.peer import LEVEL_ID, OPUS, LightPeer, Vp8Source

from pymeet.sfu import rtcp, rtp
from pymeet.sfu.feedback import ArrivalLog
from pymeet.sfu.srtp import PROFILES

TICK_S = 0.02
CHECK_S = 4.0
REPORT_S = 0.1
FRAME_S, SOUND_S = 0.1, 0.04
"""A frame of two packets ten times a second, and sound 25 times: little, because it is many people for long."""
_LENGTH = struct.Struct("!H")
_MAX_GAP = 50


class Udp:
    """A socket of one peer connection's own."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, self._address)

    def receive(self) -> list[bytes]:
        got = []
        while True:
            try:
                got.append(self._socket.recv(2048))
            except BlockingIOError:
                return got

    def close(self) -> None:
        self._socket.close()


class Tcp:
    """The same over a TCP connection (RFC 4571). What the kernel does not take at once is lost, as on a bad network."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.connect_ex(address)
        self._unread = self._unsent = b""

    def send(self, datagram: bytes) -> None:
        if len(self._unsent) < 1 << 16:
            self._unsent += _LENGTH.pack(len(datagram)) + datagram
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except OSError:  # not connected yet, full, or closed by the server
            return

    def receive(self) -> list[bytes]:
        got = []
        with contextlib.suppress(OSError):
            self._unread += self._socket.recv(1 << 16)
        while len(self._unread) >= 2 and len(self._unread) >= 2 + (size := _LENGTH.unpack_from(self._unread)[0]):
            got.append(self._unread[2 : 2 + size])
            self._unread = self._unread[2 + size :]
        return got

    def close(self) -> None:
        self._socket.close()


class Connection:
    """One peer connection. It checks, shakes hands, tells which packets came, and asks again for those that did not."""

    def __init__(self, *, over_tcp: bool = False) -> None:
        self.peer = LightPeer(PROFILES[0])
        self.peer.reports_arrivals = True
        self.loss = 0.0
        """The share of packets that are lost in either direction."""
        self.received = 0
        self.is_silent = False
        """Whether it is as if it had vanished."""
        self._kind = Tcp if over_tcp else Udp
        self._wire: Udp | Tcp | None = None
        self._next_check = self._next_report = 0.0
        self._log = ArrivalLog()
        self._newest: dict[int, int] = {}

    def check_now(self) -> None:
        """Its descriptions are complete, or new."""
        if self._wire is None:
            self._wire = self._kind(self.peer.remote_address)
        self._next_check = 0.0

    def move(self) -> None:
        """Another network: the same connection comes from another address."""
        if self._wire is not None:
            self._wire.close()
            self._wire = self._kind(self.peer.remote_address)
            self._next_check = 0.0

    def close(self, *, politely: bool) -> None:
        if politely and not self.is_silent:
            self.peer.close()
            self._flush()
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def send(self, packet: bytes) -> None:
        """One clear RTP packet."""
        if self.peer.srtp is not None:
            self._send(self.peer.srtp.protect(packet))

    def tick(self, now: float) -> None:
        """What is due; what came."""
        if self._wire is None or self.is_silent:
            return
        if now >= self._next_check:
            self._next_check = now + (CHECK_S if self.peer.connected else 0.2)
            self._send(self.peer.check())
            self.peer.handle_timer()
        for datagram in self._wire.receive():
            if not self.loss or random.random() >= self.loss:
                self._take(datagram, now)
        self._flush()
        if now >= self._next_report and self.peer.srtp is not None:
            self._next_report = now + REPORT_S
            for feedback in self._log.feedback(1, 2):
                # alone, as browsers send them (RFC 5506), but now and then behind another
                before = rtcp.receiver_report(1, ()) if random.random() < 0.1 else b""
                self._send(self.peer.srtp.protect_rtcp(before + feedback))

    def _take(self, datagram: bytes, now: float) -> None:
        if not 128 <= datagram[0] <= 191 or rtp.is_rtcp(datagram[1]):
            self.peer.receive(datagram)
            return
        self.received += 1
        sequence, ssrc = struct.unpack_from("!H", datagram, 2)[0], struct.unpack_from("!I", datagram, 8)[0]
        if datagram[0] & 0x10:
            elements, _ = rtp.parse_extensions(datagram, 12, len(datagram))
            if rtp.WIDE_ID in elements:
                self._log.arrivals.append((int.from_bytes(elements[rtp.WIDE_ID], "big"), now))
        gap = (sequence - self._newest.get(ssrc, sequence)) & 0xFFFF
        if 1 < gap < _MAX_GAP and self.peer.srtp is not None:
            missed = ((sequence - behind) & 0xFFFF for behind in range(1, gap))
            self._send(self.peer.srtp.protect_rtcp(rtcp.receiver_report(1, ()) + rtcp.nack(1, ssrc, missed)))
        if gap < 0x8000:
            self._newest[ssrc] = sequence

    def _flush(self) -> None:
        for datagram in self.peer.outgoing:
            self._send(datagram)
        self.peer.outgoing.clear()

    def _send(self, datagram: bytes) -> None:
        if self._wire is not None and not (self.loss and random.random() < self.loss):
            self._wire.send(datagram)


class Publishing(Connection):
    """Sends a camera and a microphone."""

    def __init__(self, *, over_tcp: bool = False) -> None:
        super().__init__(over_tcp=over_tcp)
        self.audio_ssrc = random.randrange(1, 1 << 31)
        self.video = Vp8Source(self.peer, self.audio_ssrc + 1, size=600, per_frame=2, fps=10)
        self.has_camera = True
        self.talks = False
        self._sound = 0
        self._next_frame = self._next_sound = 0.0

    def offer(self) -> str:
        return self.peer.offer("sendonly", audio_ssrc=self.audio_ssrc, video_ssrc=self.video.ssrc)

    def tick(self, now: float) -> None:
        super().tick(now)
        if self.peer.srtp is None:
            return
        for repair in self.video.handle_rtcp():
            self.send(repair)
        if self.has_camera and now >= self._next_frame:
            self._next_frame = now + FRAME_S
            for packet in self.video.frame():
                self.send(packet)
        if now >= self._next_sound:
            self._next_sound = now + SOUND_S
            self._sound += 1
            head = rtp.HEADER.pack(0x90, OPUS, self._sound & 0xFFFF, 1920 * self._sound & 0xFFFFFFFF, self.audio_ssrc)
            level = 20 if self.talks else 127
            self.send(head + b"\xbe\xde\x00\x01" + bytes((LEVEL_ID << 4, level, 0, 0)) + bytes(60))


class Receiving(Connection):
    """Takes what the server sends."""

    def tick(self, now: float) -> None:
        super().tick(now)
        self.peer.rtcp.clear()
        self.peer.rtcp_raw.clear()


def junk(address: tuple[str, int], count: int) -> None:
    """What scanners and broken programs send to a media port: noise that begins like STUN, DTLS, RTP or RTCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        for first in random.choices((0, 1, 20, 22, 63, 128, 144, 191, 255), k=count):
            noise.sendto(bytes((first,)) + random.randbytes(random.randrange(0, 1400)), address)


class HalfOpen:
    """A TCP connection to the media port that says a piece of a packet and then nothing."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=2)
        self._socket.sendall(_LENGTH.pack(500) + random.randbytes(20))
        self.until = time.monotonic() + random.uniform(1, 15)

    def close(self) -> None:
        self._socket.close()
