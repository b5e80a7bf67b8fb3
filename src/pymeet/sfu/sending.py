"""Memory for datagrams on their way out: copies are encrypted in its slots, and many leave by one `sendmmsg`.

Packets of one size that go to one receiver leave as one message, which the kernel cuts up after it has found its way (UDP
segmentation offload): most of a datagram's cost is that way, not the bytes. Everything is allocated once and reused.
"""

import errno
import socket
import sys
from array import array
from collections.abc import Iterator
from typing import Any

from pymeet.sfu.address import NAME_BYTES, Stream, for_socket
from pymeet.sfu.batch import SLOT_BYTES, SocketName
from pymeet.sfu.libc import SIZE_T, ffi, libc
from pymeet.sfu.srtp import ffi as srtp_ffi

SLOTS = 128
LONGEST_RUN = 16
"""Packets in one message: more gains nothing, and the kernel takes 64 at most, and 65,507 bytes."""

_MSG_DONTWAIT = getattr(socket, "MSG_DONTWAIT", 0)
_UDP_SEGMENT = 103  # linux/udp.h; Python's socket module does not name it
_SEGMENTATION = ffi.sizeof("struct segmentation")
_WORDS_PER_MESSAGE = ffi.sizeof("struct mmsghdr") // ffi.sizeof("size_t")
_HALVES_PER_CONTROL = _SEGMENTATION // 2
_SEGMENT_AT = ffi.offsetof("struct segmentation", "bytes") // 2
_IS_BIG_ENDIAN = sys.byteorder == "big"

Cell = tuple[int, Any, Any, int]
"""A slot: its offset in `buffer`, where libsrtp finds it, where libsrtp finds its length, and the index of that in `lengths`."""


def can_segment(sock: socket.socket) -> bool:
    """Whether the kernel cuts up messages for this socket (Linux 4.18). An older one would send them whole."""
    try:
        sock.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
    except OSError:
        return False
    return libc is not None


class Layout:
    """Prepared message headers over the slots of a table: message m is the run of the slots `cells[m]`, `run` of them.

    To say where message m goes write the address of a socket name to `words[m * stride]`; and, in a run of several, the size
    in bytes of its segments to `segments[m * segment_stride + segment_at]`.
    """

    __slots__ = ("_controls", "capacity", "cells", "messages", "run", "segments", "words")
    stride = _WORDS_PER_MESSAGE
    segment_stride = _HALVES_PER_CONTROL
    segment_at = _SEGMENT_AT

    def __init__(self, run: int, cells: list[Cell], iov: Any) -> None:
        self.run = run
        self.capacity = len(cells) // run
        self.cells = [tuple(cells[m * run : (m + 1) * run]) for m in range(self.capacity)]
        self.messages: Any = ffi.new("struct mmsghdr[]", self.capacity)
        self._controls = ffi.new("struct segmentation[]", self.capacity)
        for m in range(self.capacity):
            header, control = self.messages[m].msg_hdr, self._controls[m]
            header.msg_namelen = NAME_BYTES
            header.msg_iov, header.msg_iovlen = iov + m * run, run
            if run > 1:
                control.cmsg_len = ffi.offsetof("struct segmentation", "bytes") + 2
                control.cmsg_level, control.cmsg_type = socket.IPPROTO_UDP, _UDP_SEGMENT
                header.msg_control, header.msg_controllen = ffi.addressof(control), _SEGMENTATION
        self.words: memoryview[int] = memoryview(ffi.buffer(self.messages)).cast("B").cast(SIZE_T)
        self.segments: memoryview[int] = memoryview(ffi.buffer(self._controls)).cast("B").cast("H")


class SendTable:
    """Messages for receivers, each of one packet or of a run of packets, to be sent in one go."""

    def __init__(self, slots: int = SLOTS) -> None:
        self.buffer = bytearray(slots * SLOT_BYTES)
        self.view = memoryview(self.buffer)
        self._iov = ffi.new("struct iovec[]", slots)
        base = ffi.from_buffer(self.buffer)
        srtp_base = srtp_ffi.from_buffer(self.buffer)
        self._cells: list[Cell] = []
        for i in range(slots):
            self._iov[i].iov_base = base + i * SLOT_BYTES
            # libsrtp wants an int where the kernel wants a size_t: the int is its lower half
            length = ffi.cast("char *", ffi.addressof(self._iov[i], "iov_len"))
            if _IS_BIG_ENDIAN:
                length += ffi.sizeof("size_t") - ffi.sizeof("int")
            pointer = srtp_ffi.cast("int *", int(ffi.cast("uintptr_t", length)))
            self._cells.append((i * SLOT_BYTES, srtp_base + i * SLOT_BYTES, pointer, 2 * i + 1))
        self.lengths: memoryview[int] = memoryview(ffi.buffer(self._iov)).cast("B").cast(SIZE_T)
        """By the last element of a cell: how many bytes its slot sends."""
        self.names: list[SocketName] = [SocketName()] * slots
        """Where each message goes, as its header says it."""
        self.count = 0
        """How many messages are prepared."""
        self.longest_run = LONGEST_RUN
        """1 where the kernel does not cut up messages."""
        self.bytes = 0
        """What whoever fills the table says that it has put in since the last time somebody asked."""
        self._layouts: dict[int, Layout] = {}
        self.layout = self._laid(1)

    def _laid(self, run: int) -> Layout:
        if run not in self._layouts:
            self._layouts[run] = Layout(run, self._cells, self._iov)
        return self._layouts[run]

    def lay(self, run: int) -> Layout:
        """The headers for runs of this many packets. The table must be empty when that is another number than before."""
        if run != self.layout.run:
            self.layout = self._laid(run)
        return self.layout

    def datagrams(self) -> Iterator[tuple[memoryview, SocketName]]:
        """What is prepared, one by one."""
        for m in range(self.count):
            for at, _, _, length in self.layout.cells[m]:
                yield self.view[at : at + self.lengths[length]], self.names[m]

    def send(self, sock: socket.socket) -> int:
        """Sends what is prepared; how many datagrams the kernel refused (its buffer full, or no route)."""
        if libc is None:
            return self.send_singly(sock)
        count, self.count = self.count, 0
        layout, fd, at, refused = self.layout, sock.fileno(), 0, 0
        while at < count:
            done = libc.sendmmsg(fd, layout.messages + at, count - at, _MSG_DONTWAIT)
            if done < 0:
                error = ffi.errno
                if error == errno.EINTR:
                    continue
                if error in (errno.EAGAIN, errno.ENOBUFS):
                    return refused + (count - at) * layout.run
                # only the first one's fault: go on behind it
                if layout.run > 1 and error in (errno.EINVAL, errno.EMSGSIZE, errno.EIO):
                    refused += self._send_apart(fd, at, error)
                else:
                    refused += layout.run
                done = 1
            at += done
        return refused

    def _send_apart(self, fd: int, message: int, error: int) -> int:
        """Sends one run packet by packet, as its path (a narrow one: EINVAL) or its device (EIO) wants it from now on."""
        layout, single, name = self.layout, self._laid(1), self.names[message]
        name.take_whole()
        if error == errno.EIO:
            self.longest_run = 1
        first, refused = message * layout.run, 0
        for i in range(first, first + layout.run):
            single.words[i * Layout.stride] = layout.words[message * Layout.stride]
            refused += libc.sendmmsg(fd, single.messages + i, 1, _MSG_DONTWAIT) != 1
        return refused

    def send_singly(self, sock: socket.socket) -> int:
        """The same without sendmmsg."""
        refused = 0
        for datagram, name in self.datagrams():
            if isinstance(name.address, Stream):
                continue
            try:
                sock.sendto(datagram, for_socket(name.address, sock.family))
            except OSError:
                refused += 1
        self.count = 0
        return refused


def pointers_of(names: list[SocketName]) -> memoryview:
    """The addresses in memory of socket names, as `Layout.words` has them."""
    return memoryview(array(SIZE_T, (int(ffi.cast("uintptr_t", name.pointer)) for name in names)))
