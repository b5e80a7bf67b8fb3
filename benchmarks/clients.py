"""Light clients with real sockets for benchmarks: each process serves many from one selector and measures what arrives.

Publishers send VP8 (a frame's packets evenly spaced) and Opus; every packet carries the monotonic time at which it was sent.
Subscribers decrypt one packet in `SAMPLE_EVERY` to measure its delay, and count the rest.
"""

import multiprocessing
import os
import selectors
import signal
import socket
import struct
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from tests.support.peer import LEVEL_ID, OPUS, VP8, LightPeer

from pymeet.sfu import rtp
from pymeet.sfu.srtp import PROFILES

SAMPLE_EVERY = 8
LAZY_S = 0.02
"""A lazy client empties its sockets this often and is not woken by packets: the wake-up of a sleeping receiver is paid
by the sender, exists on loopback only, and would be counted as the server's."""
_STAMP = struct.Struct("!d")


class Client:
    """A light peer with a socket."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.peer = LightPeer(PROFILES[0])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.received = 0
        self.delays: list[float] = []
        self.stamps = 0
        selector.register(self.socket, selectors.EVENT_READ, self.readable)

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
                if self.received % SAMPLE_EVERY == 0 and len(self.delays) < 200_000 and peer.srtp is not None:
                    clear = peer.srtp.unprotect(datagram)
                    start = 20 if clear[0] & 0x10 else 22
                    self.delays.append(now - _STAMP.unpack_from(clear, start)[0])
            else:
                peer.receive(datagram)
                if peer.outgoing:
                    self.flush()
                peer.rtcp.clear()
                peer.rtcp_raw.clear()


@dataclass
class Stream:
    """What one publisher sends."""

    client: Client
    ssrc: int
    interval_s: float
    size: int
    payload_type: int
    per_frame: int = 1
    sequence: int = 0
    timestamp: int = 0
    sent: int = 0
    next_at: float = 0.0
    level: bytes = field(default=b"")

    def send(self, now: float) -> None:
        if self.client.peer.srtp is None:
            return
        last = (self.sequence + 1) % self.per_frame == 0
        first = 0x90 if self.payload_type == OPUS else 0x80
        head = rtp.HEADER.pack(
            first, (0x80 if last else 0) | self.payload_type, self.sequence, self.timestamp, self.ssrc
        )
        if self.payload_type == OPUS:
            body = b"\xbe\xde\x00\x01" + bytes((LEVEL_ID << 4, 40, 0, 0)) + _STAMP.pack(time.monotonic())
        else:
            begins = self.sequence % self.per_frame == 0
            body = (
                (b"\x10" if begins else b"\x00")
                + (b"\x10\x02\x00\x9d\x01\x2a\x80\x02\x68" if begins else bytes(9))  # what a key frame begins with
                + _STAMP.pack(time.monotonic())
            )
        packet = head + body + bytes(self.size - len(body))
        self.client.socket.sendto(self.client.peer.srtp.protect(packet), self.client.peer.remote_address)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.sent += 1
        if last:
            self.timestamp = (self.timestamp + 3000) & 0xFFFFFFFF


class _Process:
    """The body of a client process: clients, what they send, and the commands that come over the pipe."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.selector = selectors.DefaultSelector()
        self.selector.register(pipe, selectors.EVENT_READ, None)
        self.clients: list[Client] = []
        self.streams: list[Stream] = []
        self.sending = self.lazy = self.done = False
        self.next_tick = self.next_drain = 0.0

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
            if self.sending:
                for stream in self.streams:
                    while stream.next_at <= now:
                        stream.send(now)
                        stream.next_at += stream.interval_s
                wait = min(wait, min((s.next_at for s in self.streams), default=now + 1) - time.monotonic())
            for key, _ in self.selector.select(max(0.0, wait)):
                if key.data is not None:
                    key.data()
                else:
                    command, *arguments = self.pipe.recv()
                    self.pipe.send(getattr(self, command)(*arguments))

    # -- commands ---------------------------------------------------------------------------------------------------

    def new(self) -> int:
        """A client that is not connected yet; its number."""
        self.clients.append(Client(self.selector))
        if self.lazy:
            self.selector.unregister(self.clients[-1].socket)
        return len(self.clients) - 1

    def offer(self, number: int, video_pps: float, size: int, with_audio: bool) -> str:
        """What the client would publish."""
        client, ssrc = self.clients[number], 10_000 + 10 * number
        self.streams.append(Stream(client, ssrc + 2, 1 / video_pps, size, VP8, per_frame=5))
        if with_audio:
            self.streams.append(Stream(client, ssrc, 0.02, 100, OPUS))
        return client.peer.offer("sendonly", audio_ssrc=ssrc, video_ssrc=ssrc + 2)

    def connect(self, number: int, answer: str) -> None:
        self.clients[number].connect(answer)
        self.next_tick = 0.0

    def answer(self, number: int, offer: str) -> str:
        client = self.clients[number]
        is_new = not client.peer.remote.ufrag
        text = client.peer.answer(offer)
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

    def pace(self, video_pps: float) -> None:
        """Another rate for the pictures."""
        for stream in self.streams:
            if stream.payload_type == VP8:
                stream.interval_s = 1 / video_pps

    def send(self, sending: bool) -> None:
        self.sending = sending
        for i, stream in enumerate(self.streams):
            stream.next_at = time.monotonic() + 0.001 * i

    def counts(self) -> tuple[int, int, list[float]]:
        """Packets sent, packets received, delays in seconds since the last call."""
        for client in self.clients:
            client.readable()
        delays = [d for c in self.clients for d in c.delays]
        for client in self.clients:
            client.delays = []
        return sum(s.sent for s in self.streams), sum(c.received for c in self.clients), delays

    def stop(self) -> None:
        self.done = True


def _body(pipe: Connection, cpu: int | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    _Process(pipe).run()


class Clients:
    """A client process seen from the benchmark: `ask("command", …)` runs a command of `_Process` there."""

    def __init__(self, cpu: int | None) -> None:
        self._pipe, other = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(target=_body, args=(other, cpu), daemon=True)
        self._process.start()

    def ask(self, *command: Any) -> Any:
        self._pipe.send(command)
        return self._pipe.recv()

    def stop(self) -> None:
        self.ask("stop")
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
