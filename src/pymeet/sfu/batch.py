"""Memory for datagrams that arrive in batches, by recvmmsg through cffi; and where peers are, in the kernel's form.

Where the system has no such call the same classes serve one datagram at a time. Everything is allocated once and reused;
the packet path writes into these buffers and never makes objects per packet beyond the one clear-text copy.
"""

import socket
from collections.abc import Callable
from typing import Any, ClassVar

from pymeet.sfu.address import NAME_BYTES, Address, RawAddress, Stream, from_socket, pack_address, raw_sender
from pymeet.sfu.libc import ffi as _ffi
from pymeet.sfu.libc import libc as _libc
from pymeet.sfu.srtp import ffi as srtp_ffi

SLOT_BYTES = 1536
MAX_DATAGRAM = 1500
"""Larger datagrams are dropped: nothing on the internet's paths needs them."""
BATCH = 64

HAS_BATCH_CALLS = _libc is not None

_MSG_DONTWAIT = getattr(socket, "MSG_DONTWAIT", 0)
_MSGHDR_WORDS = _ffi.sizeof("struct mmsghdr") // 4
_MSG_LEN_WORD = _ffi.offsetof("struct mmsghdr", "msg_len") // 4


class SocketName:
    """The address of one transport in the kernel's form. Send tables point here, so a peer that moves is written once."""

    __slots__ = ("address", "is_whole", "pointer", "stream")
    changes: ClassVar[int] = 0
    """How often anybody's `stream` or `is_whole` has changed: then whoever keeps tables sorted by these sorts them anew."""

    def __init__(self) -> None:
        self.pointer = _ffi.new(f"char[{NAME_BYTES}]")
        self.address: Address = ("0.0.0.0", 0)  # noqa: S104 - no address yet, nothing is bound
        self.stream: Callable[[bytes | memoryview], None] | None = None
        """How to send where the peer is reached by TCP; it may come and go while tables stand."""
        self.is_whole = False
        """Whether the way there takes each packet only as a message of its own."""

    def set(self, address: Address) -> None:
        """Points every prepared message at another address."""
        self.address = address
        if isinstance(address, Stream) or self.stream is not None or self.is_whole:
            SocketName.changes += 1
        if isinstance(address, Stream):
            self.stream = address.send
            return
        self.stream, self.is_whole = None, False
        raw = pack_address(address)
        _ffi.memmove(self.pointer, raw, len(raw))

    def take_whole(self) -> None:
        """The way there has turned out to take single packets only."""
        self.is_whole = True
        SocketName.changes += 1


class ReceiveRing:
    """Where datagrams arrive: slot i at `i * SLOT_BYTES` of `buffer`, its size `size(i)`, its sender `sender(i)`."""

    def __init__(self, count: int = BATCH) -> None:
        self.buffer = bytearray(count * SLOT_BYTES)
        self.view = memoryview(self.buffer)
        self.srtp_base: Any = srtp_ffi.from_buffer(self.buffer)
        self.messages: Any = _ffi.new("struct mmsghdr[]", count)
        self._iov = _ffi.new("struct iovec[]", count)
        base = _ffi.from_buffer(self.buffer)
        self.length: Any = srtp_ffi.new("int *")
        """Scratch for libsrtp's in-and-out length argument."""
        self._count = count
        self._names = _ffi.new(f"char[{count * NAME_BYTES}]")
        self._name_view = memoryview(_ffi.buffer(self._names))
        for i in range(count):
            self._iov[i].iov_base, self._iov[i].iov_len = base + i * SLOT_BYTES, SLOT_BYTES
            header = self.messages[i].msg_hdr
            header.msg_iov, header.msg_iovlen = self._iov + i, 1
            header.msg_name, header.msg_namelen = self._names + i * NAME_BYTES, NAME_BYTES
        self._words: memoryview[int] = memoryview(_ffi.buffer(self.messages)).cast("B").cast("I")

    def size(self, i: int) -> int:
        """Bytes in slot i."""
        size: int = self._words[i * _MSGHDR_WORDS + _MSG_LEN_WORD]
        return size

    def sender(self, i: int) -> RawAddress:
        """Who sent what is in slot i."""
        return raw_sender(self._name_view, i * NAME_BYTES)

    def put(self, i: int, datagram: bytes, sender: RawAddress) -> None:
        """Fills a slot by hand: the way of systems without batch calls, and of tests."""
        at = i * SLOT_BYTES
        self.view[at : at + len(datagram)] = datagram
        self._words[i * _MSGHDR_WORDS + _MSG_LEN_WORD] = len(datagram)
        self._name_view[i * NAME_BYTES : i * NAME_BYTES + len(sender)] = sender

    def receive(self, sock: socket.socket) -> int:
        """Takes what is waiting, at most one ring full; how many datagrams."""
        if _libc is not None:
            return max(0, int(_libc.recvmmsg(sock.fileno(), self.messages, self._count, _MSG_DONTWAIT, _ffi.NULL)))
        return self.receive_singly(sock)

    def receive_singly(self, sock: socket.socket) -> int:
        """The same without recvmmsg."""
        for i in range(self._count):
            try:
                datagram, address = sock.recvfrom(SLOT_BYTES)
            except OSError:
                return i
            self.put(i, datagram, pack_address(from_socket(address)))
        return self._count
