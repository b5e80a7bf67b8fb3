"""Memory for datagrams in batches: a ring to receive into and tables to send from, for recvmmsg and sendmmsg through cffi.

Where the system has no such calls the same classes serve one datagram at a time. Everything is allocated once and reused;
the packet path writes into these buffers and never makes objects per packet beyond the one clear-text copy.
"""

import errno
import socket
import struct
from typing import Any, Literal

import cffi

from pymeet.sfu.srtp import ffi as srtp_ffi

SLOT_BYTES = 1536
MAX_DATAGRAM = 1500
"""Larger datagrams are dropped: nothing on the internet's paths needs them."""
BATCH = 64
_NAME_BYTES = 28

RawAddress = bytes
"""Family, port and IPv4 address as the kernel writes them: the key by which a datagram finds its transport."""

_libc_ffi = cffi.FFI()
_libc_ffi.cdef("""
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned msg_len; };
    int sendmmsg(int, struct mmsghdr *, unsigned, int);
    int recvmmsg(int, struct mmsghdr *, unsigned, int, void *);
""")


def _find_batch_calls() -> Any:
    try:
        library = _libc_ffi.dlopen(None)
        library.sendmmsg, library.recvmmsg  # noqa: B018 - the look-up is what raises where they are missing
    except (OSError, AttributeError):
        return None
    return library


_libc = _find_batch_calls()
HAS_BATCH_CALLS = _libc is not None

_SIZE_T: Literal["L", "Q"] = "L" if struct.calcsize("L") == _libc_ffi.sizeof("size_t") else "Q"
_MSG_DONTWAIT = getattr(socket, "MSG_DONTWAIT", 0)
_MSGHDR_WORDS = _libc_ffi.sizeof("struct mmsghdr") // 4
_MSG_LEN_WORD = _libc_ffi.offsetof("struct mmsghdr", "msg_len") // 4


def pack_address(address: tuple[str, int]) -> RawAddress:
    """An IPv4 address and port in the form that keys transports."""
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", address[1]) + socket.inet_aton(address[0])


def unpack_address(raw: RawAddress) -> tuple[str, int]:
    """The reverse of `pack_address`."""
    return socket.inet_ntoa(raw[4:8]), int.from_bytes(raw[2:4], "big")


class SocketName:
    """The address of one transport in the kernel's form. Send tables point here, so a peer that moves is written once."""

    __slots__ = ("address", "pointer")

    def __init__(self) -> None:
        self.pointer = _libc_ffi.new(f"char[{_NAME_BYTES}]")
        self.address: tuple[str, int] = ("0.0.0.0", 0)  # noqa: S104 - no address yet, nothing is bound

    def set(self, address: tuple[str, int]) -> None:
        """Points every prepared message at another address."""
        self.address = address
        _libc_ffi.memmove(self.pointer, pack_address(address), 8)


class _Slots:
    """`count` slots of SLOT_BYTES with prepared message headers."""

    def __init__(self, count: int) -> None:
        self.buffer = bytearray(count * SLOT_BYTES)
        self.view = memoryview(self.buffer)
        self.srtp_base: Any = srtp_ffi.from_buffer(self.buffer)
        self.messages: Any = _libc_ffi.new("struct mmsghdr[]", count)
        self._iov = _libc_ffi.new("struct iovec[]", count)
        self._base = _libc_ffi.from_buffer(self.buffer)
        for i in range(count):
            self._iov[i].iov_base = self._base + i * SLOT_BYTES
            self._iov[i].iov_len = SLOT_BYTES
            header = self.messages[i].msg_hdr
            header.msg_iov, header.msg_iovlen = self._iov + i, 1
        self.lengths: memoryview[int] = memoryview(_libc_ffi.buffer(self._iov)).cast("B").cast(_SIZE_T)
        """`lengths[2 * i + 1]` is the size in bytes of what slot i sends."""


class ReceiveRing(_Slots):
    """Where datagrams arrive: slot i at `i * SLOT_BYTES` of `buffer`, its size `size(i)`, its sender `sender(i)`."""

    def __init__(self, count: int = BATCH) -> None:
        super().__init__(count)
        self.length: Any = srtp_ffi.new("int *")
        """Scratch for libsrtp's in-and-out length argument."""
        self._count = count
        self._names = _libc_ffi.new(f"char[{count * _NAME_BYTES}]")
        self._name_view = memoryview(_libc_ffi.buffer(self._names))
        for i in range(count):
            header = self.messages[i].msg_hdr
            header.msg_name, header.msg_namelen = self._names + i * _NAME_BYTES, _NAME_BYTES
        self._words: memoryview[int] = memoryview(_libc_ffi.buffer(self.messages)).cast("B").cast("I")

    def size(self, i: int) -> int:
        """Bytes in slot i."""
        size: int = self._words[i * _MSGHDR_WORDS + _MSG_LEN_WORD]
        return size

    def sender(self, i: int) -> RawAddress:
        """Who sent what is in slot i."""
        at = i * _NAME_BYTES
        return bytes(self._name_view[at : at + 8])

    def put(self, i: int, datagram: bytes, sender: RawAddress) -> None:
        """Fills a slot by hand: the way of systems without batch calls, and of tests."""
        at = i * SLOT_BYTES
        self.view[at : at + len(datagram)] = datagram
        self._words[i * _MSGHDR_WORDS + _MSG_LEN_WORD] = len(datagram)
        self._name_view[i * _NAME_BYTES : i * _NAME_BYTES + 8] = sender

    def receive(self, sock: socket.socket) -> int:
        """Takes what is waiting, at most one ring full; how many datagrams."""
        if _libc is not None:
            return max(0, int(_libc.recvmmsg(sock.fileno(), self.messages, self._count, _MSG_DONTWAIT, _libc_ffi.NULL)))
        return self.receive_singly(sock)

    def receive_singly(self, sock: socket.socket) -> int:
        """The same without recvmmsg."""
        for i in range(self._count):
            try:
                datagram, address = sock.recvfrom(SLOT_BYTES)
            except OSError:
                return i
            self.put(i, datagram, pack_address(address[:2]))
        return self._count


class SendTable(_Slots):
    """Copies of one packet, one per receiver, to be sent in one go."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.capacity = capacity
        self.names: list[SocketName] = []

    def address(self, names: list[SocketName]) -> None:
        """Says where each slot goes, in order. The names may change their addresses later."""
        self.names = names
        for i, name in enumerate(names):
            header = self.messages[i].msg_hdr
            header.msg_name, header.msg_namelen = name.pointer, 16

    def send(self, sock: socket.socket, count: int) -> int:
        """Sends slots 0 to count - 1; how many the kernel refused (its buffer full, or no route)."""
        if _libc is None:
            return self.send_singly(sock, count)
        fd, at, refused = sock.fileno(), 0, 0
        while at < count:
            done = _libc.sendmmsg(fd, self.messages + at, count - at, _MSG_DONTWAIT)
            if done < 0:
                if _libc_ffi.errno == errno.EINTR:
                    continue
                if _libc_ffi.errno in (errno.EAGAIN, errno.ENOBUFS):
                    return refused + count - at
                refused += 1  # only the first one's fault: go on behind it
                done = 1
            at += done
        return refused

    def send_singly(self, sock: socket.socket, count: int) -> int:
        """The same without sendmmsg."""
        refused = 0
        for i in range(count):
            at = i * SLOT_BYTES
            try:
                sock.sendto(self.view[at : at + self.lengths[2 * i + 1]], self.names[i].address)
            except OSError:
                refused += 1
        return refused
