"""Answers to people who look whether this server can be reached, before they join anything (`pymeet doctor`, the page's check).

Stateless: the password follows from the name and the minute, so asking for many costs no memory. It proves nothing but
reachability: no transport stands behind it, and what is answered is smaller than what was asked.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from pymeet.sfu import stun
from pymeet.sfu.address import Address, peer_of
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.ice import Credentials, local_ufrag

_PREFIX = "check"  # no transport's name begins so: those are hexadecimal
_WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Ways:
    """Where media is to be sent, and with which credentials that can be tried."""

    credentials: Credentials
    udp: tuple[tuple[str, int], ...]
    tcp: tuple[tuple[str, int], ...]


class Probe:
    """Makes credentials for such a check, and answers it. They are good for one to two minutes."""

    __slots__ = ("_key",)

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, now: float) -> Credentials:
        """New credentials."""
        ufrag = _PREFIX + secrets.token_hex(8)
        return Credentials(ufrag, self._password(ufrag, int(now) // _WINDOW_S))

    def answer(self, request: stun.StunMessage, address: Address, now: float) -> bytes:
        """The answer to a binding request with such credentials. Raises DatagramError for everybody else's."""
        ufrag = local_ufrag(request)
        window = int(now) // _WINDOW_S
        if not ufrag.startswith(_PREFIX):
            raise DatagramError("ICE: nobody's check")
        for password in (self._password(ufrag, window), self._password(ufrag, window - 1)):
            if request.is_authentic(password):
                mapped = [(stun.XOR_MAPPED_ADDRESS, stun.xor_address(peer_of(address), request.transaction_id))]
                return stun.build(stun.BINDING_SUCCESS, request.transaction_id, mapped, password)
        raise DatagramError("ICE: wrong integrity")

    def _password(self, ufrag: str, window: int) -> str:
        return hmac.digest(self._key, f"{window}:{ufrag}".encode(), hashlib.sha256).hex()[:32]
