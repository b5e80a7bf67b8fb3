"""SRTP through libsrtp: the published vectors, and what is refused."""

import struct

import pytest

from pymeet.sfu.errors import DatagramError
from pymeet.sfu.srtp import PROFILES, SrtpKeys, SrtpPair, SrtpProfile

GCM, GCM_256, CM = PROFILES
RTP = bytes.fromhex("800f1234decafbadcafebabeabababababababababababababababab")


def _pairs(profile: SrtpProfile) -> tuple[SrtpPair, SrtpPair]:
    a, b = bytes(range(profile.key_and_salt)), bytes(range(100, 100 + profile.key_and_salt))
    return SrtpPair(SrtpKeys(profile, a, b)), SrtpPair(SrtpKeys(profile, b, a))


def test_the_reference_packet_of_libsrtp_for_rfc_3711_is_produced() -> None:
    """AES-CM-128 and HMAC-SHA1-80 with the master key and salt of RFC 3711 appendix B.3, packet 0x1234."""
    key = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de4139" + "0ec675ad498afeebb6960b3aabe6")
    pair = SrtpPair(SrtpKeys(CM, key, key))
    expected = bytes.fromhex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb")

    assert pair.protect(RTP) == expected
    assert pair.unprotect(expected) == RTP


def test_the_packet_of_libsrtp_for_rfc_7714_is_produced() -> None:
    """AES-128-GCM; RFC 7714 section 16.1.1 gives session keys, libsrtp's own vector a master key over the same construction."""
    key = bytes.fromhex("000102030405060708090a0b0c0d0e0f" + "a0a1a2a3a4a5a6a7a8a9aaab")
    pair = SrtpPair(SrtpKeys(GCM, key, key))
    expected = bytes.fromhex("800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392")

    assert pair.protect(RTP) == expected
    assert pair.unprotect(expected) == RTP


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.openssl_name.decode())
def test_packets_and_reports_come_back_as_they_were(profile: SrtpProfile) -> None:
    """Every profile that is offered works, for every size that the socket takes."""
    a, b = _pairs(profile)

    for i, size in enumerate((12, 13, 200, 1200, 1360, 1500)):
        packet = struct.pack("!BBHII", 0x80, 96, i, 0, 1).ljust(size, b"x")
        assert b.unprotect(a.protect(packet)) == packet
    report = struct.pack("!BBHI", 0x80, 201, 1, 7)
    assert b.unprotect_rtcp(a.protect_rtcp(report)) == report


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.openssl_name.decode())
def test_replayed_forged_and_foreign_packets_are_refused(profile: SrtpProfile) -> None:
    """Nothing that is not authentic and new is forwarded."""
    a, b = _pairs(profile)
    sealed, report = a.protect(RTP), a.protect_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 7))

    for bad in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:20], RTP, b"\x80" * 12):
        with pytest.raises(DatagramError):
            b.unprotect(bad)
    assert b.unprotect(sealed) == RTP
    with pytest.raises(DatagramError):
        b.unprotect(sealed)
    assert b.unprotect_rtcp(report)
    with pytest.raises(DatagramError):
        b.unprotect_rtcp(report)
    with pytest.raises(DatagramError):
        a.unprotect(a.protect(RTP[:3] + b"\x55" + RTP[4:]))


@pytest.mark.parametrize("size", [0, 1, 7, 8, 11, 12, 13, 20])
def test_short_packets_are_refused_without_harm(size: int) -> None:
    """A short RTCP packet was the death of more than one server."""
    _, b = _pairs(GCM)

    for function in (b.unprotect, b.unprotect_rtcp):
        with pytest.raises(DatagramError):
            function(b"\x80\xc8" + bytes(size) if size > 1 else bytes(size))


def test_a_repeated_packet_is_the_same_bit_for_bit() -> None:
    """A retransmission without RTX: the same text under the same number, never another."""
    a, _ = _pairs(GCM)

    assert a.protect(RTP) == a.protect(RTP)


def test_a_packet_far_behind_is_refused() -> None:
    """Behind the window libsrtp cannot know whether a number was used before."""
    a, _ = _pairs(GCM)
    a.protect(struct.pack("!BBHII", 0x80, 96, 3000, 0, 1) + b"x")

    with pytest.raises(DatagramError):
        a.protect(struct.pack("!BBHII", 0x80, 96, 100, 0, 1) + b"x")


def test_a_packet_too_long_is_refused() -> None:
    """The scratch memory is bounded."""
    a, b = _pairs(GCM)

    for function in (a.protect, a.protect_rtcp, b.unprotect, b.unprotect_rtcp):
        with pytest.raises(DatagramError, match="long"):
            function(RTP + bytes(2000))


def test_both_ends_cut_the_keys_alike() -> None:
    """RFC 5764 section 4.2: client key, server key, client salt, server salt."""
    material = bytes(range(56))

    server, client = GCM.split(material, is_server=True), GCM.split(material, is_server=False)

    assert server.receive == client.send == material[:16] + material[32:44]
    assert server.send == client.receive == material[16:32] + material[44:56]
