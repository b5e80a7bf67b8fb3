"""DTLS for SRTP (RFC 5764) over OpenSSL's memory BIOs: datagrams in, datagrams out, keys at the end.

One honest exception to "no clock inside": OpenSSL keeps its own retransmission timer; `next_deadline` only reports it.
The peer's certificate is checked against the fingerprint of the description inside the handshake, so that a liar is told so
by an alert and never believes to be connected.
"""

import contextlib
import datetime
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

from pymeet.sfu.errors import DatagramError
from pymeet.sfu.srtp import PROFILES, SrtpKeys, SrtpProfile

_MTU = 1200
_MAX_DATAGRAM = 2048
_MAX_HANDSHAKE_DATAGRAMS = 100
"""A handshake takes fewer than ten from an honest peer; past this the transport is given up."""

Fingerprints = Iterable[tuple[str, str]]
"""Pairs of hash name (`sha-256`) and colon-separated upper-case hex, as in `a=fingerprint`."""

_HASHES = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """The server's own certificate for media, made anew at every start; peers know it by its fingerprint only."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def generate(cls) -> "Certificate":
        """A P-256 key and a certificate without any name in it."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "media")])
        now = datetime.datetime.now(tz=datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=3650))
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @property
    def fingerprint(self) -> str:
        """SHA-256 in the form of `a=fingerprint` (RFC 8122)."""
        return ":".join(f"{b:02X}" for b in self.certificate.fingerprint(hashes.SHA256()))


def make_context(certificate: Certificate, profiles: tuple[SrtpProfile, ...] = PROFILES) -> SSL.Context:
    """The OpenSSL settings that all connections share. AES-GCM stands before AES-CM, since it costs half as much."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verify)
    context.use_certificate(certificate.certificate)
    context.use_privatekey(certificate.key)
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES")
    context.set_tlsext_use_srtp(b":".join(p.openssl_name for p in profiles))
    context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # after the handshake nothing is sent by DTLS: a third of its memory
    return context


def _verify(connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, ok: int) -> bool:
    return depth != 0 or _matches(certificate, connection.get_app_data() or ())


def _matches(certificate: crypto.X509, fingerprints: Fingerprints) -> bool:
    # OpenSSL's own digest: `cryptography` refuses to load certificates that are odd, by errors that would end more than a handshake
    for name, value in fingerprints:
        algorithm = _HASHES.get(name.lower())
        if algorithm and hmac.compare_digest(certificate.digest(algorithm), value.upper().encode()):
            return True
    return False


class Dtls:
    """One association. The server's side as a rule; the client's for peers that wait for a hello (`a=setup:passive`)."""

    __slots__ = ("_connection", "_seen", "closed", "failed", "is_server", "keys")

    def __init__(self, context: SSL.Context, fingerprints: Fingerprints, *, is_server: bool = True) -> None:
        self.is_server = is_server
        self.keys: SrtpKeys | None = None
        """Set once the handshake is complete and the certificate is the one announced."""
        self.failed = ""
        self.closed = False
        self._seen = 0
        self._connection = SSL.Connection(context, None)
        self._connection.set_app_data(tuple(fingerprints))
        self._connection.set_ciphertext_mtu(_MTU)
        if is_server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()

    def start(self) -> None:
        """The client's first flight."""
        self._advance()

    def receive(self, datagram: bytes) -> None:
        """Takes one datagram. Raises DatagramError when it cannot belong to a handshake."""
        if len(datagram) > _MAX_DATAGRAM or len(datagram) < 13:
            raise DatagramError("DTLS: wrong size")
        if self.failed or self.closed:
            return
        if self.keys is None:
            self._seen += 1
            if self._seen > _MAX_HANDSHAKE_DATAGRAMS:
                self.failed = "handshake failed"
                return
        self._connection.bio_write(datagram)
        self._advance()

    def _advance(self) -> None:
        try:
            if self.keys is None:
                self._connection.do_handshake()
                self._finish()
            else:
                while True:
                    self._connection.recv(_MAX_DATAGRAM)  # no data channels: application data is dropped
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.closed = True
        except SSL.Error as error:
            if self.keys is None:
                self.failed = "wrong certificate" if "certificate" in str(error) else "handshake failed"
            # after the handshake a record that cannot be read is dropped, as RFC 6347 section 4.1.2.7 wants

    def _finish(self) -> None:
        name = self._connection.get_selected_srtp_profile()
        profile = next((p for p in PROFILES if p.openssl_name == name), None)
        if profile is None:
            self.failed = "handshake failed"
            return
        material = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * profile.key_and_salt)
        self.keys = profile.split(material, is_server=self.is_server)

    def handle_timer(self) -> None:
        """Retransmits a flight when OpenSSL's own timer has run out."""
        if self.keys is None and not self.failed:
            try:
                self._connection.DTLSv1_handle_timeout()
            except SSL.Error:
                self.failed = "handshake failed"

    def next_deadline_s(self) -> float | None:
        """Seconds until `handle_timer` wants to be called; None when nothing is under way."""
        if self.keys is not None or self.failed:
            return None
        timeout: float | None = self._connection.DTLSv1_get_timeout()
        return timeout

    def shutdown(self) -> None:
        """Says good-bye (close_notify)."""
        if self.keys is not None and not self.closed:
            self.closed = True
            with contextlib.suppress(SSL.Error):
                self._connection.shutdown()

    def outgoing(self) -> list[bytes]:
        """Datagrams to send, each of whole records and no larger than the path takes."""
        chunks = []
        while True:
            try:
                chunks.append(self._connection.bio_read(65536))
            except SSL.WantReadError:
                break
        return _datagrams(b"".join(chunks))


def _datagrams(records: bytes) -> list[bytes]:
    """Cuts a run of records into datagrams: the memory BIO does not keep the bounds of what OpenSSL wrote."""
    datagrams: list[bytes] = []
    start = at = 0
    while at < len(records):
        end = at + _record_size(records, at)
        if end - start > _MTU and at > start:
            datagrams.append(records[start:at])
            start = at
        at = end
    if start < len(records):
        datagrams.append(records[start:])
    return datagrams


def _record_size(records: bytes, at: int) -> int:
    first = records[at]
    if first & 0xE0 != 0x20:  # DTLS 1.2 record, or a DTLS 1.3 plaintext record
        return 13 + int.from_bytes(records[at + 11 : at + 13], "big")
    sequence = 2 if first & 0x08 else 1  # DTLS 1.3 unified header (RFC 9147 section 4)
    if not first & 0x04:
        return len(records) - at  # no length: the record fills its datagram
    return 1 + sequence + 2 + int.from_bytes(records[at + 1 + sequence : at + 3 + sequence], "big")
