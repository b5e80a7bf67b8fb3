"""Light clients with real sockets for benchmarks: each process serves many from one selector and measures what arrives.

Publishers send VP8 (a frame's packets evenly spaced, or back to back) and Opus; every packet carries the time at which it was sent.
Subscribers decrypt one packet in `SAMPLE_EVERY` and ask the kernel when it came to their socket: that is the delay, whenever a busy
client gets round to reading. The others are counted.
Those that are `like_browsers` send a camera in three sizes, number their packets over all streams, and report arrivals.
"""

import contextlib
import fcntl
import multiprocessing
import os
import re
import selectors
import signal
import socket
import struct
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from tests.support.peer import LEVEL_ID, MID_ID, OPUS, RID_ID, TRANSPORT_ID, VP8, LightPeer

from pymeet.sfu import rtp, stun
from pymeet.sfu.feedback import ArrivalLog
from pymeet.sfu.srtp import PROFILES

SAMPLE_EVERY = 8
LAZY_S = 0.02
"""A lazy client empties its sockets this often and is not woken by packets: the wake-up of a sleeping receiver is paid
by the sender, exists on loopback only, and would be counted as the server's."""
REPORT_S = 0.05
"""How often arrivals are reported: as often as browsers do at rates above half a megabit."""
_REPORT_TURN_S = 0.002
FRAMES_PER_S = 30
"""Whatever a camera sends: more bits are larger frames."""
SIZES = (("l", 0.2, 500, (320, 180)), ("m", 0.4, 900, (640, 360)), ("h", 1.0, 0, (1280, 720)))
"""Of a camera: the layer's name, its share of the largest one's packets, their bytes (0: as asked for), and its pixels."""
_STAMP = struct.Struct("!d")
_SIOCGSTAMPNS, _TIMESPEC = 0x8907, struct.Struct("ll")  # asm-generic/sockios.h
_WIDE = re.compile(r"a=extmap:(\d+)\S* \S*transport-wide-cc")


class FullPeer(LightPeer):
    """A light peer for a server that is a full ICE agent: it names its address, answers checks, and lets itself be controlled."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(PROFILES[0])
        self._address = address
        self._is_controlled = False

    def _transport_lines(self, setup: str) -> str:
        candidate = f"a=candidate:1 1 udp 2130706431 {self._address[0]} {self._address[1]} typ host\r\n"
        return super()._transport_lines("active") + candidate + "a=end-of-candidates\r\n"

    def answer(self, offer: str) -> str:
        self._is_controlled = True
        return super().answer(offer)

    def check(self, *, nominate: bool = True) -> bytes:
        if not self._is_controlled:
            return super().check(nominate=nominate)
        user = f"{self.remote.ufrag}:{self.local.ufrag}".encode()
        about = [(stun.USERNAME, user), (stun.PRIORITY, struct.pack("!I", 1845501695)), (stun.ICE_CONTROLLED, bytes(8))]
        return stun.build(stun.BINDING_REQUEST, os.urandom(12), about, self.remote.password)

    def receive(self, datagram: bytes) -> None:
        if datagram[0] <= 3:
            message = stun.parse(datagram)
            if message.type == stun.BINDING_REQUEST:
                if not self.remote.ufrag:
                    return  # a check that came before its description comes again
                mapped = stun.xor_address(self.remote_address, message.transaction_id)
                about = [(stun.XOR_MAPPED_ADDRESS, mapped)]
                self.outgoing.append(
                    stun.build(stun.BINDING_SUCCESS, message.transaction_id, about, self.local.password)
                )
                return
        super().receive(datagram)


class Client:
    """A light peer with a socket."""

    def __init__(self, selector: selectors.BaseSelector, host: str, is_full: bool, like_browsers: bool) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((host, 0))
        with contextlib.suppress(FileNotFoundError):  # nothing has come yet, but to have asked turns it on
            self._arrived_at()
        self.peer = FullPeer(self.socket.getsockname()) if is_full else LightPeer(PROFILES[0])
        self.peer.reports_arrivals = like_browsers
        self.wide_id = 0
        """Under which id packets carry the number by which arrivals are reported; 0 while nothing is to be reported."""
        self.sent = 0
        """The same number of what is sent."""
        self._arrivals = ArrivalLog()
        self.first_at = 0.0
        """When the first packet came."""
        self.socket.setblocking(False)
        self.received = self.missing = 0
        """Packets that came, and those that the sequence numbers of others show to be missing; nothing overtakes on one machine."""
        self._next: dict[bytes, int] = {}
        """By stream (its SSRC) the sequence number to come."""
        self.delays: list[float] = []
        self.stamps = 0
        selector.register(self.socket, selectors.EVENT_READ, self.readable)

    def _arrived_at(self) -> float:
        """When the packet that was read last came to the socket, by the clock of `time.time`."""
        seconds, nanoseconds = _TIMESPEC.unpack(fcntl.ioctl(self.socket, _SIOCGSTAMPNS, bytes(_TIMESPEC.size)))
        return float(seconds + nanoseconds / 1e9)

    def answer(self, offer: str) -> str:
        found = _WIDE.search(offer)
        self.wide_id = int(found[1]) if found and self.peer.reports_arrivals else 0
        return self.peer.answer(offer)

    def report(self) -> None:
        """Tells what has arrived since the last time."""
        if self.peer.srtp is not None:
            for packet in self._arrivals.feedback(1, 2):
                # alone, as browsers send them (RFC 5506)
                self.socket.sendto(self.peer.srtp.protect_rtcp(packet), self.peer.remote_address)

    def connect(self, answer: str) -> None:
        self.peer.take_description(answer)
        self.socket.sendto(self.peer.check(), self.peer.remote_address)

    def tick(self) -> None:
        """Consent checks and handshake retransmissions."""
        self.socket.sendto(self.peer.check(), self.peer.remote_address)
        self.peer.handle_timer()
        self.flush()

    def flush(self) -> None:
        for datagram in self.peer.outgoing:
            self.socket.sendto(datagram, self.peer.remote_address)
        self.peer.outgoing.clear()

    def readable(self) -> None:
        now = time.monotonic()
        peer, recv = self.peer, self.socket.recv
        while True:
            try:
                datagram = recv(2048)
            except BlockingIOError:
                return
            if 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223:
                self.received += 1
                self.first_at = self.first_at or now
                stream, sequence = datagram[8:12], datagram[2] << 8 | datagram[3]
                self.missing += (sequence - self._next.get(stream, sequence)) & 0xFFFF
                self._next[stream] = (sequence + 1) & 0xFFFF
                if self.wide_id and (number := _wide_number(datagram, self.wide_id)) >= 0:
                    # not when it was read: a lazy client reads late, and would tell of delays that the path does not have
                    self._arrivals.arrivals.append((number, self._arrived_at()))
                if self.received % SAMPLE_EVERY == 0 and len(self.delays) < 200_000 and peer.srtp is not None:
                    arrived_at = self._arrived_at()
                    clear = peer.srtp.unprotect(datagram)
                    start = rtp.payload_at(clear) + (11 if len(clear) > 200 else 0)  # only pictures are so long
                    sent_at = _STAMP.unpack_from(clear, start)[0]
                    if sent_at:  # padding, by which a server looks for bandwidth, has none
                        self.delays.append(arrived_at - sent_at)
            else:
                peer.receive(datagram)
                if peer.outgoing:
                    self.flush()
                peer.rtcp.clear()
                peer.rtcp_raw.clear()


def _wide_number(datagram: bytes, identifier: int) -> int:
    """The transport-wide number in a packet's header extensions, which are not encrypted; -1 where there is none."""
    if datagram[0] & 0x1F != 0x10 or datagram[12:14] != b"\xbe\xde":
        return -1
    at, end = 16, 16 + 4 * datagram[15]
    while at < end:
        head = datagram[at]
        if head >> 4 == identifier:
            return datagram[at + 1] << 8 | datagram[at + 2]
        at += 2 + (head & 15) if head else 1
    return -1


@dataclass
class Stream:
    """What one publisher sends."""

    client: Client
    ssrc: int
    interval_s: float
    size: int
    payload_type: int
    per_frame: int = 1
    sent_of_frame: int = 0
    sequence: int = 0
    timestamp: int = 0
    sent: int = 0
    next_at: float = 0.0
    burst: bool = False
    """Whether a frame's packets leave back to back, as browsers' do, and not evenly spaced."""
    pixels: tuple[int, int] = (640, 360)
    rid: str = ""
    """The layer's name, where there are several; then packets are numbered over all streams, too."""
    is_counted: bool = True
    """Whether it is what receivers get."""
    share: float = 1.0
    """Of the packets that the whole camera's pace is given in."""
    is_wanted: bool = True
    """Whether the server has a use for it: browsers do not send what nobody wants."""

    def send_due(self, now: float) -> None:
        """Sends what is due by now."""
        count = self.per_frame if self.burst else 1
        while self.next_at <= now:
            for _ in range(count if self.is_wanted else 0):
                self.send(now)
            self.next_at += count * self.interval_s

    def send(self, now: float) -> None:
        if self.client.peer.srtp is None:
            return
        begins, last = not self.sent_of_frame, self.sent_of_frame + 1 >= self.per_frame
        first = 0x90 if self.payload_type == OPUS or self.rid else 0x80
        head = rtp.HEADER.pack(
            first, (0x80 if last else 0) | self.payload_type, self.sequence, self.timestamp, self.ssrc
        )
        if self.payload_type == OPUS:
            body = b"\xbe\xde\x00\x01" + bytes((LEVEL_ID << 4, 40, 0, 0)) + _STAMP.pack(time.time())
        else:
            # every frame begins as a key frame does
            picture = b"\x10\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", *self.pixels) if begins else bytes(11)
            body = self._names() + picture + _STAMP.pack(time.time())
        packet = head + body + bytes(max(0, self.size - len(body)))
        self.client.socket.sendto(self.client.peer.srtp.protect(packet), self.client.peer.remote_address)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.sent_of_frame = 0 if last else self.sent_of_frame + 1
        self.sent += 1
        if last:
            self.timestamp = (self.timestamp + 3000) & 0xFFFFFFFF

    def _names(self) -> bytes:
        """The header extensions of one layer of a camera."""
        if not self.rid:
            return b""
        self.client.sent = (self.client.sent + 1) & 0xFFFF
        wide = struct.pack("!BH", TRANSPORT_ID << 4 | 1, self.client.sent)
        return b"\xbe\xde\x00\x02" + wide + bytes((MID_ID << 4, ord("1"), RID_ID << 4, ord(self.rid), 0))


class _Process:
    """The body of a client process: clients, what they send, and the commands that come over the pipe."""

    def __init__(self, pipe: Connection, host: str, is_full: bool, like_browsers: bool) -> None:
        self.pipe, self.host, self.is_full, self.like_browsers = pipe, host, is_full, like_browsers
        self.selector = selectors.DefaultSelector()
        self.selector.register(pipe, selectors.EVENT_READ, None)
        self.clients: list[Client] = []
        self.streams: list[Stream] = []
        self.sending = self.lazy = self.done = False
        self.next_tick = self.next_drain = 0.0
        self.reported_at = time.monotonic()
        self.reported = 0

    def run(self) -> None:
        while not self.done:
            now = time.monotonic()
            if now >= self.next_tick:
                for client in self.clients:
                    if client.peer.remote.ufrag:
                        client.tick()
                up = all(c.peer.connected for c in self.clients)
                self.next_tick = now + (4.0 if up else 0.1)
            wait = self.next_tick - now
            if self.lazy:
                if now >= self.next_drain:
                    self.next_drain = now + LAZY_S
                    for client in self.clients:
                        client.readable()
                wait = min(wait, self.next_drain - time.monotonic())
            if self.like_browsers and self.clients:
                self.report_in_turn(now)
                wait = min(wait, _REPORT_TURN_S)
            if self.sending:
                for stream in self.streams:
                    stream.send_due(now)
                wait = min(wait, min((s.next_at for s in self.streams), default=now + 1) - time.monotonic())
            for key, _ in self.selector.select(max(0.0, wait)):
                if key.data is not None:
                    key.data()
                else:
                    command, *arguments = self.pipe.recv()
                    self.pipe.send(getattr(self, command)(*arguments))

    def report_in_turn(self, now: float) -> None:
        """Each client reports every `REPORT_S`, and not all at once, as people who do not know each other."""
        count = len(self.clients)
        due = min(count, int((now - self.reported_at) / REPORT_S * count))
        self.reported_at = now if due == count else self.reported_at + due * REPORT_S / count
        for i in range(self.reported, self.reported + due):
            if self.clients[i % count].wide_id:
                self.clients[i % count].report()
        self.reported += due

    # -- commands ---------------------------------------------------------------------------------------------------

    def new(self) -> int:
        """A client that is not connected yet; its number."""
        self.clients.append(Client(self.selector, self.host, self.is_full, self.like_browsers))
        if self.lazy:
            self.selector.unregister(self.clients[-1].socket)
        return len(self.clients) - 1

    def offer(self, number: int, video_pps: float, size: int, with_audio: bool) -> str:
        """What the client would publish."""
        client, ssrc = self.clients[number], 10_000 + 10 * number
        if with_audio:
            self.streams.append(Stream(client, ssrc, 0.02, 100, OPUS))
        if not self.like_browsers:
            self.streams.append(Stream(client, ssrc + 2, 1 / video_pps, size, VP8, round(video_pps / FRAMES_PER_S)))
            return client.peer.offer("sendonly", audio_ssrc=ssrc, video_ssrc=ssrc + 2)
        for place, (rid, share, small, pixels) in enumerate(SIZES):
            stream = Stream(client, ssrc + 2 + place, 1 / video_pps / share, small or size, VP8)
            stream.rid, stream.share, stream.pixels = rid, share, pixels
            stream.per_frame = max(1, round(video_pps * share / FRAMES_PER_S))
            self.streams.append(stream)
        return client.peer.offer("sendonly", audio_ssrc=ssrc, rids=tuple(rid for rid, *_ in SIZES))

    def want(self, number: int, rids: list[str]) -> None:
        """The server has a use for these sizes of the camera alone."""
        for stream in self.streams:
            if stream.client is self.clients[number] and stream.rid:
                stream.is_wanted = stream.rid in rids

    def connect(self, number: int, answer: str) -> None:
        self.clients[number].connect(answer)
        self.next_tick = 0.0

    def answer(self, number: int, offer: str) -> str:
        client = self.clients[number]
        is_new = not client.peer.remote.ufrag
        text = client.answer(offer)
        if is_new:
            client.socket.sendto(client.peer.check(), client.peer.remote_address)
            self.next_tick = 0.0
        return text

    def up(self) -> bool:
        return all(c.peer.connected for c in self.clients if c.peer.remote.ufrag)

    def be_lazy(self, lazy: bool) -> None:
        if lazy != self.lazy:
            self.lazy = lazy
            for client in self.clients:
                if lazy:
                    self.selector.unregister(client.socket)
                else:
                    self.selector.register(client.socket, selectors.EVENT_READ, client.readable)

    def pace(self, video_pps: float, burst: bool = False) -> None:
        """Another rate for the pictures, and whether a frame's packets leave together. It is the frames that grow with the rate."""
        for stream in self.streams:
            if stream.payload_type == VP8:
                stream.interval_s, stream.burst = 1 / video_pps / stream.share, burst
                stream.per_frame = max(1, round(video_pps * stream.share / FRAMES_PER_S))

    def count(self, lines: int) -> None:
        """Of cameras in several sizes it is this one that receivers are to get."""
        for stream in self.streams:
            if stream.rid:
                stream.is_counted = stream.pixels[1] == lines

    def send(self, sending: bool) -> None:
        self.sending = sending
        for i, stream in enumerate(self.streams):
            stream.next_at = time.monotonic() + 0.001 * i

    def counts(self) -> tuple[int, int, list[float]]:
        """Packets sent that receivers are to get, packets received, delays in seconds since the last call."""
        for client in self.clients:
            client.readable()
        delays = [d for c in self.clients for d in c.delays]
        for client in self.clients:
            client.delays = []
        return sum(s.sent for s in self.streams if s.is_counted), sum(c.received for c in self.clients), delays

    def missing(self) -> int:
        """Packets that did not come, by the numbers of those that did."""
        return sum(client.missing for client in self.clients)

    def firsts(self) -> list[float]:
        """When each client got its first packet; 0 for not yet."""
        return [client.first_at for client in self.clients]

    def stop(self) -> None:
        self.done = True


def _body(pipe: Connection, cpu: int | None, host: str, is_full: bool, like_browsers: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    _Process(pipe, host, is_full, like_browsers).run()


class Clients:
    """A client process seen from the benchmark: `ask("command", …)` runs a command of `_Process` there."""

    def __init__(
        self, cpu: int | None, host: str = "127.0.0.1", *, is_full: bool = False, like_browsers: bool = False
    ) -> None:
        """`is_full`: for a server that is a full ICE agent; `like_browsers`: see above."""
        self._pipe, other = multiprocessing.Pipe()
        fork = multiprocessing.get_context("fork")
        self._process = fork.Process(target=_body, args=(other, cpu, host, is_full, like_browsers), daemon=True)
        self._process.start()

    def ask(self, *command: Any) -> Any:
        self._pipe.send(command)
        return self._pipe.recv()

    def stop(self) -> None:
        self.ask("stop")
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
