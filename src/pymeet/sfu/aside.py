"""A second socket on the media port: the kernel puts reports of arrivals there, which may wait to be read together.

Each receiver reports twenty times a second when its packets came (transport-wide feedback). To wake for one costs more than to read
it, and media would wait behind them. Their kind stands in the clear in the first bytes (RFC 3711 section 3.4), where a filter of
the kernel's can see it; requests for repair or a key frame, and everything else, stay on the first socket.
"""

import contextlib
import socket
import struct
from typing import Final

from pymeet.sfu.libc import ffi

_SO_REUSEPORT, _SO_ATTACH_REUSEPORT_CBPF = 15, 51
"""As Linux numbers them where `socket.SO_REUSEPORT` is 15; elsewhere there is no second socket."""

_LOAD_BYTE, _AND, _IF_EQUAL, _RETURN = 0x30, 0x54, 0x15, 0x06
_FILTER: Final = (
    # operation, how many to pass over if so, and if not, operand: the number of the socket is returned
    (_LOAD_BYTE, 0, 0, 0),
    (_AND, 0, 0, 0b1101_1111),  # with padding or without
    (_IF_EQUAL, 0, 3, 0b1000_1111),  # version 2, transport-wide feedback
    (_LOAD_BYTE, 0, 0, 1),
    (_IF_EQUAL, 0, 1, 205),  # RTPFB
    (_RETURN, 0, 0, 1),
    (_RETURN, 0, 0, 0),
)


def open_aside(sock: socket.socket) -> socket.socket | None:
    """A socket that gets the reports of those who send to `sock`, which is bound; None where the system cannot sort them.

    `sock` was bound without sharing, so other users, and whoever does not ask to share, are refused the port as before.
    """
    if getattr(socket, "SO_REUSEPORT", None) != _SO_REUSEPORT:
        return None
    with contextlib.ExitStack() as undo:
        try:
            aside = undo.enter_context(socket.socket(sock.family, sock.type))
            aside.setblocking(False)
            # what is read is twice what was asked for (socket(7))
            buffer_bytes = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
            aside.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
            if sock.family == socket.AF_INET6:
                only = sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
                aside.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
            sock.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)
            undo.callback(sock.setsockopt, socket.SOL_SOCKET, _SO_REUSEPORT, 0)
            aside.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)
            aside.bind(sock.getsockname())
            code = ffi.from_buffer(b"".join(struct.pack("HBBI", *step) for step in _FILTER))
            program = struct.pack("@HP", len(_FILTER), int(ffi.cast("uintptr_t", code)))
            sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)
        except OSError:
            return None
        undo.pop_all()
        return aside
