"""SRTP (RFC 3711, RFC 7714) by libsrtp: the only file that imports it.

Media is protected in place through libsrtp's C interface (`handle`, `ffi`, `lib`); control packets take the plain way.
"""

import socket
from dataclasses import dataclass
from typing import Any

from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from pymeet.sfu.errors import DatagramError

__all__ = ["PROFILES", "SrtpKeys", "SrtpPair", "SrtpProfile", "ffi", "lib"]

_SCRATCH_BYTES = 2048
_TRAILER_BYTES = 144  # at most what libsrtp appends: SRTP_MAX_TRAILER_LEN + 4
_REPLAY_WINDOW = 1024
"""Packets: more than a second of video, since a retransmission may come late."""


@dataclass(frozen=True, slots=True)
class SrtpProfile:
    """A protection profile as DTLS and libsrtp name it; sizes in bytes."""

    openssl_name: bytes
    libsrtp_profile: int
    key_bytes: int
    salt_bytes: int
    tag_bytes: int

    @property
    def key_and_salt(self) -> int:
        return self.key_bytes + self.salt_bytes

    def split(self, material: bytes, *, is_server: bool) -> "SrtpKeys":
        """Cuts exported keying material in the order of RFC 5764 section 4.2: client key, server key, client salt, server salt."""
        k, s = self.key_bytes, self.salt_bytes
        client = material[:k] + material[2 * k : 2 * k + s]
        server = material[k : 2 * k] + material[2 * k + s :]
        return SrtpKeys(self, send=server, receive=client) if is_server else SrtpKeys(self, send=client, receive=server)


PROFILES = (
    SrtpProfile(b"SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12, 16),
    SrtpProfile(b"SRTP_AEAD_AES_256_GCM", Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12, 16),
    SrtpProfile(b"SRTP_AES128_CM_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14, 10),
)
"""In order of preference."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master keys with their salts, one for each way."""

    profile: SrtpProfile
    send: bytes
    receive: bytes


class SrtpPair:
    """The two SRTP sessions of one transport."""

    __slots__ = ("_length", "_receive", "_scratch", "_send", "receive_handle", "send_handle")

    def __init__(self, keys: SrtpKeys) -> None:
        outbound = Policy(keys.send, Policy.SSRC_ANY_OUTBOUND, srtp_profile=keys.profile.libsrtp_profile)
        outbound.allow_repeat_tx = True  # a retransmission without RTX is the same packet again, bit for bit
        outbound.window_size = _REPLAY_WINDOW
        inbound = Policy(keys.receive, Policy.SSRC_ANY_INBOUND, srtp_profile=keys.profile.libsrtp_profile)
        inbound.window_size = _REPLAY_WINDOW
        self._send, self._receive = Session(outbound), Session(inbound)
        self.send_handle: Any = self._send._srtp[0]
        self.receive_handle: Any = self._receive._srtp[0]
        # not pylibsrtp's own methods: their buffer refuses packets of more than 1,356 bytes
        self._scratch = ffi.new("char[]", _SCRATCH_BYTES)
        self._length = ffi.new("int *")

    def _apply(self, function: Any, handle: Any, packet: bytes) -> bytes:
        size = len(packet)
        if size > _SCRATCH_BYTES - _TRAILER_BYTES:
            raise DatagramError("SRTP: packet too long")
        self._length[0] = size
        ffi.memmove(self._scratch, packet, size)
        if error := function(handle, self._scratch, self._length):
            raise DatagramError(f"SRTP: libsrtp says {error}")
        return bytes(ffi.buffer(self._scratch, self._length[0]))

    def protect(self, packet: bytes) -> bytes:
        """One RTP packet, encrypted. Raises DatagramError for one too long, or too old to be sent safely."""
        return self._apply(lib.srtp_protect, self.send_handle, packet)

    def unprotect(self, packet: bytes) -> bytes:
        """One RTP packet, decrypted. Raises DatagramError for a forged or replayed one."""
        return self._apply(lib.srtp_unprotect, self.receive_handle, packet)

    def forget_sent(self, ssrc: int) -> None:
        """Lets go of what libsrtp keeps for a stream that was sent. Never send under this SSRC again: its count would begin anew."""
        lib.srtp_remove_stream(self.send_handle, socket.htonl(ssrc))

    def protect_rtcp(self, packet: bytes) -> bytes:
        """One compound RTCP packet, encrypted. Raises DatagramError for one too long."""
        return self._apply(lib.srtp_protect_rtcp, self.send_handle, packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """One compound RTCP packet, decrypted. Raises DatagramError for a forged or replayed one."""
        return self._apply(lib.srtp_unprotect_rtcp, self.receive_handle, packet)
