"""An ICE-lite agent (RFC 8445 section 2.5): it answers checks, never sends its own, and sends only where a check came from.

Candidates told in descriptions are ignored, so nobody can make the server send to a third party. Consent to send
(RFC 7675) is the peer's checks: when none has passed for 30 seconds, sending stops.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from pymeet.sfu import stun
from pymeet.sfu.address import Address, peer_of
from pymeet.sfu.errors import DatagramError

CONSENT_S = 30.0
_MAX_VALID = 16  # addresses remembered per agent: a peer has a handful of candidates, an attacker may have more
_SILENT_S = 2.0
_PASSIVE = 4  # the direction's share of the local preference of a host candidate for TCP (RFC 6544 section 4.2)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A username fragment and password, of either side."""

    ufrag: str
    password: str

    @classmethod
    def random(cls) -> "Credentials":
        """More than the 24 and 128 bits that RFC 8445 section 5.3 asks for."""
        return cls(secrets.token_hex(8), secrets.token_hex(16))


class IceLite:
    """The server's side of one connection's ICE."""

    __slots__ = ("address", "last_check_at", "local", "previous", "remote_ufrag", "valid")

    def __init__(self, now: float) -> None:
        self.local = Credentials.random()
        self.previous: Credentials | None = None
        """Credentials in use before a restart, or several: they work until the first check with the new ones (RFC 8445 section 9)."""
        self.remote_ufrag = ""
        self.address: Address | None = None
        """Where to send: the address of the newest nominated check."""
        self.valid: dict[Address, float] = {}
        self.last_check_at = now

    def ufrags(self) -> tuple[str, ...]:
        """Every local username fragment under which checks may arrive now."""
        return (self.local.ufrag,) if self.previous is None else (self.local.ufrag, self.previous.ufrag)

    def restart(self) -> None:
        """New credentials; the path in use stays until a check confirms another."""
        self.previous = self.previous or self.local
        self.local = Credentials.random()

    def receive(self, message: stun.StunMessage, address: Address, now: float) -> bytes | None:
        """Answers one binding request; None when it deserves no answer.

        After a call `address` may have changed: the sending address follows the peer's nomination, and follows a
        rebinding NAT when the old address has fallen silent. Raises DatagramError for a request that is not authentic.
        """
        if message.type != stun.BINDING_REQUEST:
            return None
        local, _, remote = _username(message).partition(":")
        if local == self.local.ufrag:
            credentials = self.local
        elif self.previous is not None and local == self.previous.ufrag:
            credentials = self.previous
        else:
            raise DatagramError("ICE: unknown username")
        if not message.is_authentic(credentials.password):
            raise DatagramError("ICE: wrong integrity")
        if self.remote_ufrag and credentials is self.local and remote != self.remote_ufrag:
            raise DatagramError("ICE: unknown remote username")
        if stun.ICE_CONTROLLED in message.attributes:
            # a lite agent is always the controlled one (RFC 8445 section 6.1.1)
            error = [(stun.ERROR_CODE, stun.error_code(487, "Role Conflict"))]
            return stun.build(stun.BINDING_ERROR, message.transaction_id, error, credentials.password)
        is_confirming = credentials is self.local and self.previous is not None
        if is_confirming:
            self.previous = None
        # a restart is asked for where the old path fails, and the peer may take seconds to nominate the new one
        self._passed(address, stun.USE_CANDIDATE in message.attributes or is_confirming, now)
        mapped = [(stun.XOR_MAPPED_ADDRESS, stun.xor_address(peer_of(address), message.transaction_id))]
        return stun.build(stun.BINDING_SUCCESS, message.transaction_id, mapped, credentials.password)

    def _passed(self, address: Address, nominated: bool, now: float) -> None:
        if address not in self.valid and len(self.valid) >= _MAX_VALID:
            oldest = min(self.valid, key=lambda a: self.valid[a])
            del self.valid[oldest]
        self.valid[address] = self.last_check_at = now
        silent = self.address is None or now - self.valid.get(self.address, 0.0) > _SILENT_S
        if nominated or silent:
            self.address = address

    def forget(self, address: Address) -> None:
        """Nothing can be sent there any more: the newest other address that passed a check takes its place, if there is one."""
        self.valid.pop(address, None)
        if self.address == address:
            self.address = max(self.valid, key=lambda a: self.valid[a], default=None)

    def has_consent(self, now: float) -> bool:
        """Whether the peer has shown lately that it wants our packets."""
        return self.address is not None and now - self.last_check_at < CONSENT_S


def candidate_lines(udp: Sequence[tuple[str, int]], tcp: Sequence[tuple[str, int]]) -> list[str]:
    """Host candidates by RFC 8839 section 5.1, and passive ones for TCP (RFC 6544 section 4.5), all of them below those for UDP."""
    lines = [
        f"candidate:{i + 1} 1 udp {_priority(126, 65535 - i)} {host} {port} typ host"
        for i, (host, port) in enumerate(udp)
    ]
    first = len(lines) + 1
    return lines + [
        f"candidate:{first + i} 1 tcp {_priority(90, (_PASSIVE << 13) + 8191 - i)} {host} {port} typ host tcptype passive"
        for i, (host, port) in enumerate(tcp)
    ]


def _priority(kind: int, local: int) -> int:
    """RFC 8445 section 5.1.2.1."""
    return (kind << 24) + (local << 8) + 255


def local_ufrag(message: stun.StunMessage) -> str:
    """The username fragment that says whose check this is. Raises DatagramError when there is none."""
    return _username(message).partition(":")[0]


def _username(message: stun.StunMessage) -> str:
    try:
        return message.attributes[stun.USERNAME].decode()
    except (KeyError, UnicodeDecodeError):
        raise DatagramError("ICE: no username") from None
