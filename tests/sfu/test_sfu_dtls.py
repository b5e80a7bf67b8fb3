"""DTLS over memory: who is let in, what a liar is told, and what happens when flights are lost."""

import datetime
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto

from pymeet.sfu.dtls import Certificate, Dtls, make_context
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.srtp import PROFILES, SrtpProfile

SERVER, CLIENT = Certificate.generate(), Certificate.generate()


def _ends(
    client_context: SSL.Context | None = None, *, announced: str = CLIENT.fingerprint, algorithm: str = "sha-256"
) -> tuple[Dtls, Dtls]:
    server = Dtls(make_context(SERVER), [(algorithm, announced)])
    client = Dtls(client_context or make_context(CLIENT), [("sha-256", SERVER.fingerprint)], is_server=False)
    return server, client


def _shake(server: Dtls, client: Dtls, rounds: int = 12) -> None:
    client.start()
    for _ in range(rounds):
        for datagram in client.outgoing():
            server.receive(datagram)
        for datagram in server.outgoing():
            client.receive(datagram)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.openssl_name.decode())
def test_both_ends_get_the_same_keys_crosswise(profile: SrtpProfile) -> None:
    """Whatever profile the peer has, its way in is our way out."""
    server, client = _ends(make_context(CLIENT, (profile,)))

    _shake(server, client)

    assert server.keys is not None
    assert client.keys is not None
    assert server.keys.profile == client.keys.profile == profile
    assert server.keys.send == client.keys.receive
    assert server.keys.receive == client.keys.send


def test_the_cheaper_cipher_is_preferred() -> None:
    """AES-GCM costs half of AES-CM with SHA-1."""
    server, client = _ends()

    _shake(server, client)

    assert server.keys is not None
    assert server.keys.profile is PROFILES[0]


def test_a_liar_is_told_so_and_gets_no_keys() -> None:
    """The peer must not believe itself connected: the refusal is an alert inside the handshake."""
    server, client = _ends(announced=SERVER.fingerprint)

    _shake(server, client)

    assert server.failed == "wrong certificate"
    assert server.keys is None
    assert client.keys is None or client.closed or client.failed


@pytest.mark.parametrize(
    "announced",
    ["", "00:11", ":".join(["AA"] * 32), CLIENT.fingerprint[:-3], "ü"],
    ids=["none", "short", "other", "cut", "no hex"],
)
def test_only_the_whole_fingerprint_lets_in(announced: str) -> None:
    """Half a match is none."""
    server, client = _ends(announced=announced)

    _shake(server, client)

    assert server.failed == "wrong certificate"


def test_a_fingerprint_of_an_unknown_or_broken_hash_lets_nobody_in() -> None:
    """SHA-1 is not accepted (RFC 8122 section 5)."""
    for algorithm in ("sha-1", "md5", "none"):
        server, client = _ends(algorithm=algorithm)
        _shake(server, client)
        assert server.failed == "wrong certificate"


def test_longer_hashes_are_accepted() -> None:
    """A peer may announce SHA-512 only."""
    value = CLIENT.certificate.fingerprint(hashes.SHA512())
    server, client = _ends(algorithm="SHA-512", announced=":".join(f"{b:02X}" for b in value))

    _shake(server, client)

    assert server.keys is not None


def test_a_peer_without_a_certificate_is_refused() -> None:
    """Its fingerprint could not be checked."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_tlsext_use_srtp(PROFILES[0].openssl_name)
    server, client = _ends(context)

    _shake(server, client)

    assert server.failed
    assert server.keys is None


def test_a_peer_that_does_not_speak_srtp_is_refused() -> None:
    """Without a common profile there are no keys to export."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.use_certificate(CLIENT.certificate)
    context.use_privatekey(CLIENT.key)
    server, client = _ends(context)

    _shake(server, client)

    assert server.failed == "handshake failed"
    assert server.keys is None


def test_an_odd_certificate_is_judged_by_its_fingerprint_only() -> None:
    """Peers make their certificates themselves; nothing in one may raise more than a refusal."""
    good = CLIENT.certificate.public_bytes(serialization.Encoding.DER)
    broken = good.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09", 1)  # X.509 version 10
    assert broken != good
    context = make_context(CLIENT)
    with pytest.warns(
        DeprecationWarning, match="pyOpenSSL X509"
    ):  # the only way to put a certificate there that `cryptography` does not load
        context.use_certificate(crypto.load_certificate(crypto.FILETYPE_ASN1, broken))
    server, client = _ends(context)

    _shake(server, client)

    assert server.failed == "wrong certificate"


def test_a_large_certificate_goes_in_several_datagrams() -> None:
    """Every datagram stays below the path's limit, whatever the handshake carries."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x" * 60)])
    now = datetime.datetime.now(tz=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName(f"{i:03}.example.org") for i in range(150)])
    large = Certificate(key, builder.add_extension(names, critical=False).sign(key, hashes.SHA256()))
    server, client = _ends(make_context(large), announced=large.fingerprint)
    client.start()
    sizes = []

    for _ in range(12):
        for datagram in client.outgoing():
            sizes.append(len(datagram))
            server.receive(datagram)
        for datagram in server.outgoing():
            sizes.append(len(datagram))
            client.receive(datagram)

    assert server.keys is not None
    assert client.keys is not None
    assert max(sizes) <= 1200


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_lost_flight_is_sent_again(lost: int) -> None:
    """Each of the handshake's flights lost once: OpenSSL's timer, read by `next_deadline_s`, repeats it."""
    server, client = _ends()
    client.start()
    flight = 0
    until = time.monotonic() + 10
    while not (server.keys and client.keys):
        assert time.monotonic() < until
        for sender, receiver in ((client, server), (server, client)):
            out = sender.outgoing()
            if out:
                flight += 1
                if flight != lost:
                    for datagram in out:
                        receiver.receive(datagram)
            deadline = sender.next_deadline_s()
            if deadline is not None and deadline <= 0:
                sender.handle_timer()

    assert server.keys.send == client.keys.receive


def test_good_bye_is_heard() -> None:
    """close_notify ends the call at once instead of after thirty seconds of silence."""
    server, client = _ends()
    _shake(server, client)

    client.shutdown()
    for datagram in client.outgoing():
        server.receive(datagram)

    assert server.closed


def test_garbage_ends_nothing_that_runs() -> None:
    """After the handshake a record that cannot be read is dropped (RFC 6347 section 4.1.2.7)."""
    server, client = _ends()
    _shake(server, client)

    for kind in range(20, 64):
        server.receive(bytes([kind]) + b"\xfe\xfd" + bytes(8) + b"\0\x20" + b"x" * 32)

    assert not server.closed
    assert not server.failed
    client.shutdown()
    for datagram in client.outgoing():
        server.receive(datagram)
    assert server.closed


def test_a_handshake_that_never_ends_is_given_up() -> None:
    """Zero-length fragments kept other servers busy and growing for ever."""
    server, _ = _ends()
    fragment = b"\x16\xfe\xfd" + bytes(8) + b"\0\x0c" + b"\x01" + bytes(11)

    for _ in range(200):
        server.receive(fragment)

    assert server.failed


@pytest.mark.parametrize("size", [0, 12, 2049])
def test_datagrams_of_impossible_size_are_refused(size: int) -> None:
    """Not even OpenSSL sees them."""
    server, _ = _ends()
    with pytest.raises(DatagramError):
        server.receive(b"\x16" * size)
