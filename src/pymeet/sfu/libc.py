"""The C library's calls for many datagrams at once, through cffi. None where the system has no such calls."""

import struct
from typing import Any, Literal

import cffi

ffi = cffi.FFI()
ffi.cdef("""
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned msg_len; };
    struct segmentation { size_t cmsg_len; int cmsg_level; int cmsg_type; uint16_t bytes; };
    int sendmmsg(int, struct mmsghdr *, unsigned, int);
    int recvmmsg(int, struct mmsghdr *, unsigned, int, void *);
""")

SIZE_T: Literal["L", "Q"] = "L" if struct.calcsize("L") == ffi.sizeof("size_t") else "Q"
"""The format by which a memoryview reads and writes a `size_t`."""


def _find_batch_calls() -> Any:
    try:
        library = ffi.dlopen(None)
        library.sendmmsg, library.recvmmsg  # noqa: B018 - the look-up is what raises where they are missing
    except (OSError, AttributeError):
        return None
    return library


libc = _find_batch_calls()
