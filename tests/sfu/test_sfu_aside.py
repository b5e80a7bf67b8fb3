"""The second socket of the media port: what the kernel puts there, that it stays ours alone, and that nothing is lost by it."""

import asyncio
import contextlib
import errno
import socket
import sys

import pytest

from pymeet.sfu import aside, rtcp, udp
from pymeet.sfu.batch import ReceiveRing
from pymeet.sfu.service import Sfu
from tests.netem import CERTIFICATE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux sorts datagrams for us")

_REPORT = rtcp.transport_feedback(1, 2, 0, [0.0] * 8, 0)
_PADDED = bytes((_REPORT[0] | 0x20,)) + _REPORT[1:]
_OTHERS = {
    "nothing": b"",
    "one byte": _REPORT[:1],
    "a check": b"\x00\x01\x00\x00" + bytes(16),
    "DTLS": b"\x16\xfe\xfd" + bytes(30),
    "media": b"\x90\x60" + bytes(1000),
    "media with fifteen sources": b"\x8f\x60" + bytes(100),
    "a sender's report": b"\x80\xc8\x00\x06" + bytes(24),
    "a receiver's report": rtcp.receiver_report(1, ()),
    "a receiver's report before others": rtcp.receiver_report(1, ()) + _REPORT,
    "a request for repair": rtcp.nack(1, 2, [3]),
    "a request for a key frame": rtcp.pli(1, 2),
    "an estimate": b"\x8f\xce\x00\x05" + bytes(20),
}
"""Each alone in a datagram."""


@pytest.mark.parametrize(
    ("bound_to", "sent_to"), [("127.0.0.1", "127.0.0.1"), ("::", "127.0.0.1"), ("::", "::1"), ("::1", "::1")]
)
def test_only_reports_of_arrivals_come_to_the_second_socket(bound_to: str, sent_to: str) -> None:
    """With padding or without; whatever waits for an answer stays where it is read at once."""
    if ":" in bound_to and not udp.has_ipv6():
        pytest.skip("this machine has no IPv6")
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(udp.bind(socket.SOCK_DGRAM, bound_to, 0))
        second = stack.enter_context(aside.open_aside(first))
        family = socket.AF_INET6 if ":" in sent_to else socket.AF_INET
        for _ in range(5):  # else the kernel sorts by sender
            peer = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            for datagram in (_REPORT, *_OTHERS.values(), _PADDED):
                peer.sendto(datagram, (sent_to, first.getsockname()[1]))

        assert _taken(second, 10) == [_REPORT, _PADDED] * 5
        assert _taken(first, 5 * len(_OTHERS)) == [*_OTHERS.values()] * 5


def _taken(sock: socket.socket, count: int) -> list[bytes]:
    """So many datagrams, and any that are there beyond them."""
    sock.settimeout(5)
    taken = [sock.recv(2000) for _ in range(count)]
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            taken.append(sock.recv(2000))
    return taken


async def test_nobody_else_comes_to_the_port() -> None:
    """Two servers on one port would each get half of what is sent to both."""
    port = await udp.MediaPort.open(Sfu(CERTIFICATE, []), "127.0.0.1", 0)

    with pytest.raises(OSError, match="in use") as refused:
        await udp.MediaPort.open(Sfu(CERTIFICATE, []), "127.0.0.1", port.port)

    assert refused.value.errno == errno.EADDRINUSE
    await port.close()


class _Noticing(Sfu):
    """Says when something came."""

    def __init__(self) -> None:
        super().__init__(CERTIFICATE, [])
        self.changed = asyncio.Event()

    def take_in(self, ring: ReceiveRing, count: int, now: float) -> None:
        super().take_in(ring, count, now)
        self.changed.set()


@pytest.mark.parametrize("is_sorted", [True, False])
async def test_all_reports_are_read_however_many_come_at_once(is_sorted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than are taken in one go, more after a while, and the same where the system does not sort."""
    monkeypatch.setattr(udp, "_LATEST_S", 0.02)
    if not is_sorted:
        monkeypatch.setattr(udp, "open_aside", lambda sock: None)
    sfu, errors = _Noticing(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: errors.append(about))
    port = await udp.MediaPort.open(sfu, "127.0.0.1", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for sent in (150, 151, 152):
            for _ in range(sent - sfu.dropped):
                stranger.sendto(_REPORT, ("127.0.0.1", port.port))
            async with asyncio.timeout(5):
                while sfu.dropped < sent:
                    sfu.changed.clear()
                    await sfu.changed.wait()
        await port.close()
        stranger.sendto(_REPORT, ("127.0.0.1", port.port))
        await asyncio.sleep(0.05)  # longer than reports wait: a timer that came would find a closed socket

    assert (sfu.datagrams, errors) == (152, [])


@pytest.mark.parametrize("is_sorted", [True, False])
async def test_reports_wait_for_media_and_are_read_with_it(is_sorted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """To wake up for them costs more than to read them. Where the system does not sort there is nothing to wait for."""
    monkeypatch.setattr(udp, "_APART_S", 0.0)
    monkeypatch.setattr(udp, "_LATEST_S", 3600.0)
    if not is_sorted:
        monkeypatch.setattr(udp, "open_aside", lambda sock: None)
    sfu = _Noticing()
    port = await udp.MediaPort.open(sfu, "127.0.0.1", 0)

    async def until_taken_in(count: int) -> None:
        async with asyncio.timeout(5):
            while sfu.datagrams < count:
                sfu.changed.clear()
                await sfu.changed.wait()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(_REPORT, ("127.0.0.1", port.port))
        await until_taken_in(1)  # the first after a time without is read at once
        stranger.sendto(_REPORT, ("127.0.0.1", port.port))
        for _ in range(100):
            await asyncio.sleep(0)  # the loop looks at its sockets each time
        taken_in_alone = sfu.datagrams
        stranger.sendto(_OTHERS["media"], ("127.0.0.1", port.port))
        await until_taken_in(3)
    await port.close()

    assert taken_in_alone == (1 if is_sorted else 2)
