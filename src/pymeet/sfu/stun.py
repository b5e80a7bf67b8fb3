"""STUN messages as ICE uses them (RFC 8489, RFC 8445 section 7): parse, verify, build. Nothing else of STUN is needed here."""

import hashlib
import hmac
import socket
import struct
import zlib
from dataclasses import dataclass, field

from pymeet.sfu.errors import DatagramError

MAGIC_COOKIE = 0x2112A442
BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_MAX_BYTES = 1280
_MAX_ATTRIBUTES = 32


@dataclass(slots=True)
class StunMessage:
    """One parsed message. Of attributes that repeat, the first counts (RFC 8489 section 14)."""

    type: int
    transaction_id: bytes
    attributes: dict[int, bytes] = field(default_factory=dict)
    _raw: bytes = b""
    _integrity_at: int = -1

    def is_authentic(self, password: str) -> bool:
        """Whether MESSAGE-INTEGRITY was made with this password (short-term credentials, HMAC-SHA1)."""
        if self._integrity_at < 0:
            return False
        # the length field counts up to and including the integrity attribute while it is computed
        head = self._raw[:2] + struct.pack("!H", self._integrity_at - 20 + 24) + self._raw[4 : self._integrity_at]
        mac = hmac.digest(password.encode(), head, hashlib.sha1)
        return hmac.compare_digest(mac, self.attributes[MESSAGE_INTEGRITY])


def parse(data: bytes) -> StunMessage:
    """Reads one datagram. Raises DatagramError for anything that is not a well-formed STUN message."""
    if not 20 <= len(data) <= _MAX_BYTES:
        raise DatagramError("STUN: wrong size")
    kind, length, cookie, transaction_id = _HEADER.unpack_from(data)
    if kind & 0xC000 or cookie != MAGIC_COOKIE or length & 3 or length != len(data) - 20:
        raise DatagramError("STUN: wrong header")
    message = StunMessage(kind, transaction_id, _raw=data)
    at = 20
    end = len(data)
    for _ in range(_MAX_ATTRIBUTES + 1):
        if at == end:
            return message
        if at + 4 > end:
            raise DatagramError("STUN: attribute cut off")
        attribute, size = _ATTRIBUTE.unpack_from(data, at)
        value = data[at + 4 : at + 4 + size]
        if len(value) != size:
            raise DatagramError("STUN: attribute cut off")
        if attribute == FINGERPRINT:
            if size != 4 or at + 8 != len(data):
                raise DatagramError("STUN: fingerprint is not last")
            if struct.unpack("!I", value)[0] != _fingerprint(data[:at]):
                raise DatagramError("STUN: wrong fingerprint")
        elif message._integrity_at >= 0:
            pass  # whatever follows MESSAGE-INTEGRITY is not covered by it and must be ignored
        elif attribute == MESSAGE_INTEGRITY:
            if size != 20:
                raise DatagramError("STUN: wrong integrity size")
            message._integrity_at = at
            message.attributes[attribute] = value
        else:
            message.attributes.setdefault(attribute, value)
        at += 4 + size + (-size & 3)
    raise DatagramError("STUN: too many attributes")


def build(kind: int, transaction_id: bytes, attributes: list[tuple[int, bytes]], password: str) -> bytes:
    """A message with MESSAGE-INTEGRITY and FINGERPRINT."""
    body = b"".join(struct.pack("!HH", a, len(v)) + v + bytes(-len(v) & 3) for a, v in attributes)
    head = _HEADER.pack(kind, len(body) + 24, MAGIC_COOKIE, transaction_id) + body
    mac = hmac.digest(password.encode(), head, hashlib.sha1)
    head = _HEADER.pack(kind, len(body) + 32, MAGIC_COOKIE, transaction_id) + body
    head += struct.pack("!HH", MESSAGE_INTEGRITY, 20) + mac
    return head + struct.pack("!HHI", FINGERPRINT, 4, _fingerprint(head))


def xor_address(address: tuple[str, int], transaction_id: bytes) -> bytes:
    """The value of XOR-MAPPED-ADDRESS."""
    host, port = address
    if ":" in host:
        raw, family = socket.inet_pton(socket.AF_INET6, host.partition("%")[0]), 2
    else:
        raw, family = socket.inet_aton(host), 1
    mask = (struct.pack("!I", MAGIC_COOKIE) + transaction_id)[: len(raw)]
    xored = (int.from_bytes(raw, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(raw), "big")
    return struct.pack("!BBH", 0, family, port ^ (MAGIC_COOKIE >> 16)) + xored


def error_code(code: int, reason: str) -> bytes:
    """The value of ERROR-CODE."""
    return struct.pack("!HBB", 0, code // 100, code % 100) + reason.encode()


def _fingerprint(data: bytes) -> int:
    return zlib.crc32(data) ^ 0x5354554E
