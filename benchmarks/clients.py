"""Light clients with real sockets for benchmarks: each process serves many from one selector and measures what arrives.

Publishers send VP8 (a frame's packets evenly spaced, or back to back) and Opus; every packet carries the monotonic time at
which it was sent.
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

from pymeet.sfu import rtp, stun
from pymeet.sfu.srtp import PROFILES

SAMPLE_EVERY = 8
LAZY_S = 0.02
"""A lazy client empties its sockets this often and is not woken by packets: the wake-up of a sleeping receiver is paid
by the sender, exists on loopback only, and would be counted as the server's."""
_STAMP = struct.Struct("!d")


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

    def __init__(self, selector: selectors.BaseSelector, host: str, is_full: bool) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((host, 0))
        self.peer = FullPeer(self.socket.getsockname()) if is_full else LightPeer(PROFILES[0])
        self.first_at = 0.0
        """When the first packet came."""
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
                self.first_at = self.first_at or now
                if self.received % SAMPLE_EVERY == 0 and len(self.delays) < 200_000 and peer.srtp is not None:
                    clear = peer.srtp.unprotect(datagram)
                    start = rtp.payload_at(clear) + (10 if len(clear) > 200 else 0)  # only pictures are so long
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
    burst: bool = False
    """Whether a frame's packets leave back to back, as browsers' do, and not evenly spaced."""
    level: bytes = field(default=b"")

    def send_due(self, now: float) -> None:
        """Sends what is due by now."""
        count = self.per_frame if self.burst else 1
        while self.next_at <= now:
            for _ in range(count):
                self.send(now)
            self.next_at += count * self.interval_s

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

    def __init__(self, pipe: Connection, host: str, is_full: bool) -> None:
        self.pipe, self.host, self.is_full = pipe, host, is_full
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
                    stream.send_due(now)
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
        self.clients.append(Client(self.selector, self.host, self.is_full))
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

    def pace(self, video_pps: float, burst: bool = False) -> None:
        """Another rate for the pictures, and whether a frame's packets leave together."""
        for stream in self.streams:
            if stream.payload_type == VP8:
                stream.interval_s, stream.burst = 1 / video_pps, burst

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

    def firsts(self) -> list[float]:
        """When each client got its first packet; 0 for not yet."""
        return [client.first_at for client in self.clients]

    def stop(self) -> None:
        self.done = True


def _body(pipe: Connection, cpu: int | None, host: str, is_full: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    _Process(pipe, host, is_full).run()


class Clients:
    """A client process seen from the benchmark: `ask("command", …)` runs a command of `_Process` there."""

    def __init__(self, cpu: int | None, host: str = "127.0.0.1", *, is_full: bool = False) -> None:
        """`is_full`: for a server that is a full ICE agent."""
        self._pipe, other = multiprocessing.Pipe()
        fork = multiprocessing.get_context("fork")
        self._process = fork.Process(target=_body, args=(other, cpu, host, is_full), daemon=True)
        self._process.start()

    def ask(self, *command: Any) -> Any:
        self._pipe.send(command)
        return self._pipe.recv()

    def stop(self) -> None:
        self.ask("stop")
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
