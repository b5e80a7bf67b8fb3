"""One peer connection seen from the server: ICE, then DTLS, then SRTP, composed. What it carries is in publish.py and subscribe.py."""

import contextlib
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pymeet.sfu import rtcp, stun
from pymeet.sfu.address import Address
from pymeet.sfu.batch import ReceiveRing, SocketName
from pymeet.sfu.dtls import Dtls
from pymeet.sfu.errors import DatagramError, DescriptionError
from pymeet.sfu.events import Closed, Connected, Disconnected, TransportEvent
from pymeet.sfu.ice import IceLite, candidate_lines
from pymeet.sfu.sdp import Description, IceAndDtls, Section
from pymeet.sfu.srtp import SrtpPair, ffi

if TYPE_CHECKING:
    from pymeet.sfu.service import Sfu

MAX_SSRCS = 512
"""How many streams one peer may begin on a connection, announced ones and others each."""
CONNECT_S = 30.0
"""How long a transport may take to connect before it is given up."""


class Transport:
    """Base of the two kinds of transport. All times are monotonic seconds, handed in."""

    def __init__(self, sfu: "Sfu", owner: str, on_event: Callable[[TransportEvent], None], now: float) -> None:
        self.sfu = sfu
        self.owner = owner
        self._on_event = on_event
        self.ice = IceLite(now)
        self.name = SocketName()
        self.control_ssrc = secrets.randbits(32)
        self.deadline: float | None = None
        """When `handle_timer` is due; owned by `Sfu.schedule`."""
        self.connected = False
        self.closed = False
        self.send_handle: Any = ffi.NULL
        self.receive_handle: Any = ffi.NULL
        self._met: set[int] = set()
        self._srtp: SrtpPair | None = None
        self._dtls: Dtls | None = None
        self._is_dtls_client = False
        self._fingerprints: tuple[tuple[str, str], ...] = ()
        self._opened_at = now
        sfu.adopt(self)
        sfu.schedule(self, now + CONNECT_S)

    # -- descriptions ---------------------------------------------------------------------------------------------

    @property
    def _setup(self) -> str:
        """Our side of DTLS in an answer: who leaves us the choice, and who wants to begin, finds us waiting."""
        return "active" if self._is_dtls_client else "passive"

    def _local_transport(self, setup: str) -> IceAndDtls:
        own = self.ice.local
        return IceAndDtls(own.ufrag, own.password, [("sha-256", self.sfu.certificate.fingerprint)], setup)

    def _candidate_lines(self) -> list[str]:
        return [*candidate_lines(self.sfu.addresses, self.sfu.stream_addresses), "end-of-candidates"]

    def _take_remote(self, description: Description, section: Section, *, is_answer: bool = False) -> None:
        """Learns the peer's ICE name and certificate from its description. Raises DescriptionError.

        A new ICE name in an offer asks for a restart; in an answer it belongs to the restart that our offer began.
        """
        remote = description.transport_of(section)
        if not remote.ufrag or not remote.password:
            raise DescriptionError("The description has no ICE credentials.")
        if not remote.fingerprints:
            raise DescriptionError("The description has no certificate fingerprint.")
        fingerprints = tuple(remote.fingerprints)
        if self._dtls is None:
            self._is_dtls_client = remote.setup == "passive"
        elif fingerprints != self._fingerprints:
            raise DescriptionError("The certificate changed: open a new connection instead.")
        if not is_answer and self.ice.remote_ufrag and remote.ufrag != self.ice.remote_ufrag:
            self.restart_ice()
        self.ice.remote_ufrag = remote.ufrag
        self._fingerprints = fingerprints

    def restart_ice(self) -> None:
        """New ICE credentials on our side; media flows on over the old path until a check confirms another."""
        self.sfu.forget_ufrags(self)
        self.ice.restart()
        self.sfu.learn_ufrags(self)

    def restart(self, ufrag: str) -> tuple[str, str]:
        """ICE restart without a description (WHIP's PATCH): the peer's new name in, our new name and password out."""
        self.restart_ice()
        self.ice.remote_ufrag = ufrag
        return self.ice.local.ufrag, self.ice.local.password

    # -- datagrams --------------------------------------------------------------------------------------------------

    def receive_stun(self, message: stun.StunMessage, address: Address, now: float) -> None:
        """A check. Raises DatagramError when it is not authentic."""
        had_previous = self.ice.previous is not None
        before = self.ice.address
        answer = self.ice.receive(message, address, now)
        if answer is None:
            return
        self.sfu.port.send(answer, address)
        if address not in self.ice.valid:
            return  # a role conflict: answered, not counted
        self.sfu.learn_address(self, address)
        if had_previous and self.ice.previous is None:
            self.sfu.forget_ufrags(self)
            self.sfu.learn_ufrags(self)
        if self.ice.address is not None and self.ice.address != before:
            self.name.set(self.ice.address)
            self._moved(now)
        if self._srtp is not None and not self.connected:
            self._set_connected(now)
        self._begin_dtls(now)

    def lose(self, address: Address) -> None:
        """A connection of the peer's has ended. Without another way the transport is disconnected until a check comes by one."""
        self.ice.forget(address)
        self.wake(self.sfu.now)
        if self.ice.address is not None and self.ice.address != self.name.address:
            self.name.set(self.ice.address)

    def _moved(self, now: float) -> None:
        """Hook: the peer is to be reached elsewhere from now on."""

    def _begin_dtls(self, now: float) -> None:
        """Says hello where the peer waits for it, as soon as there is an address that has passed a check."""
        if self._is_dtls_client and self._dtls is None and self.ice.address is not None:
            self._dtls = Dtls(self.sfu.dtls_context, self._fingerprints, is_server=False)
            self._dtls.start()
            self._after_dtls(now)

    def receive_dtls(self, datagram: bytes, now: float) -> None:
        """A DTLS record from an address that has passed a check. Raises DatagramError."""
        if self._dtls is None:
            if not self._fingerprints or self._is_dtls_client:
                raise DatagramError("DTLS: too early")
            self._dtls = Dtls(self.sfu.dtls_context, self._fingerprints)
        self._dtls.receive(datagram)
        self._after_dtls(now)

    def _after_dtls(self, now: float) -> None:
        dtls = self._dtls
        if dtls is None:
            return
        for out in dtls.outgoing():
            self.sfu.port.send(out, self.name.address)
        if dtls.failed:
            self.close(now, dtls.failed)
        elif dtls.closed:
            self.close(now, "peer closed")
        elif self._srtp is None:
            if dtls.keys is not None:
                self._srtp = SrtpPair(dtls.keys)
                self.send_handle, self.receive_handle = self._srtp.send_handle, self._srtp.receive_handle
                self._set_connected(now)
            elif (wait := dtls.next_deadline_s()) is not None:
                self.sfu.schedule(self, now + max(0.01, wait))

    def _set_connected(self, now: float) -> None:
        self.connected = True
        self.sfu.schedule(self, now + 1.0)
        self._ready(now)
        self._on_event(Connected())

    def _ready(self, now: float) -> None:
        """Hook: media may flow (again)."""

    def receive_rtp(self, ring: ReceiveRing, at: int, size: int, now: float) -> None:
        """A media packet in slot memory; a transport that only sends has no use for it."""
        raise DatagramError("RTP: not expected here")

    def receive_rtcp(self, datagram: bytes, now: float) -> None:
        """A compound RTCP packet, encrypted. Raises DatagramError."""
        if self._srtp is None:
            raise DatagramError("RTCP: too early")
        ssrc = int.from_bytes(datagram[4:8], "big")
        self._may_meet(ssrc)
        clear = self._srtp.unprotect_rtcp(datagram)
        self._met.add(ssrc)
        for message in rtcp.parse(clear):
            self._handle_rtcp(message, now)

    @property
    def ssrcs_met(self) -> int:
        """How many SSRCs beyond the announced ones have sent something authentic."""
        return len(self._met)

    def _may_meet(self, ssrc: int) -> None:
        """To be asked before libsrtp sees an unknown SSRC: it keeps state for every authentic one, and searches them all per packet."""
        if len(self._met) >= MAX_SSRCS and ssrc not in self._met:
            raise DatagramError("SRTP: too many SSRCs")

    def _handle_rtcp(self, message: rtcp.Message, now: float) -> None:
        """Hook: acts on one control message of the peer."""

    def send_rtcp(self, packet: bytes) -> None:
        """Sends one compound packet, if the transport is connected."""
        if self._srtp is not None and self.connected:
            with contextlib.suppress(DatagramError):
                self.sfu.port.send(self._srtp.protect_rtcp(packet), self.name.address)

    def send_rtp(self, packet: bytes) -> None:
        """Sends one packet outside the fan-out: a repair, or one that came late. One too old for SRTP's window is not sent."""
        if self._srtp is not None and self.connected:
            with contextlib.suppress(DatagramError):
                self.sfu.port.send(self._srtp.protect(packet), self.name.address)

    # -- time -------------------------------------------------------------------------------------------------------

    def wake(self, now: float) -> None:
        """Something is to be done at the next timer, which is now."""
        if not self.closed and (self.deadline is None or self.deadline > now):
            self.sfu.schedule(self, now)

    def handle_timer(self, now: float) -> None:
        """Does what is due and schedules what comes next."""
        if self.closed:
            return
        if self._srtp is None:
            if now - self._opened_at >= CONNECT_S:
                self.close(now, "no connection")
                return
            wait = 1.0
            self._begin_dtls(now)
            if self._dtls is not None:
                self._dtls.handle_timer()
                self._after_dtls(now)
                if self.closed or self._srtp is not None:
                    return
                left = self._dtls.next_deadline_s()
                wait = 1.0 if left is None else max(0.01, left)
            self.sfu.schedule(self, min(now + wait, self._opened_at + CONNECT_S))
            return
        if self.connected and not self.ice.has_consent(now):
            self.connected = False
            self._suspend(now)
            self._on_event(Disconnected())
        self.sfu.schedule(self, now + self._work(now))

    def _suspend(self, now: float) -> None:
        """Hook: the peer's consent is gone, nothing may be sent."""

    def _work(self, now: float) -> float:
        """Hook: periodic work; returns in how many seconds it wants to be called again."""
        return 2.0

    def close(self, now: float, reason: str = "closed") -> None:
        """Ends the transport for good; the peer is told. Safe to call again."""
        if self.closed:
            return
        self.closed = True
        self._end(now)
        if self._dtls is not None:
            self._dtls.shutdown()
            if self.ice.address is not None:
                for out in self._dtls.outgoing():
                    self.sfu.port.send(out, self.name.address)
        self._dtls = None  # OpenSSL's memory is large, and whoever holds the transport a while longer has no use for it
        self.connected = False
        self.sfu.abandon(self)
        self._on_event(Closed(reason))

    def _end(self, now: float) -> None:
        """Hook: lets go of tracks or consumers."""
