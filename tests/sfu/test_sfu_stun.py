"""STUN against the published test vectors (RFC 5769) and against what the internet sends."""

import struct

import pytest

from pymeet.sfu import stun
from pymeet.sfu.errors import DatagramError

PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
RESPONSE_V4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
RESPONSE_V6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")


def test_the_sample_request_of_rfc_5769_is_read_and_verified() -> None:
    """Section 2.1: the request of an ICE agent, padded by spaces."""
    message = stun.parse(REQUEST)

    assert message.type == stun.BINDING_REQUEST
    assert message.transaction_id == TRANSACTION
    assert message.attributes[stun.USERNAME] == b"evtj:h6vY"
    assert message.attributes[stun.PRIORITY] == b"\x6e\x00\x01\xff"
    assert message.is_authentic(PASSWORD)
    assert not message.is_authentic(PASSWORD + "x")


@pytest.mark.parametrize(
    ("data", "address"),
    [(RESPONSE_V4, ("192.0.2.1", 32853)), (RESPONSE_V6, ("2001:db8:1234:5678:11:2233:4455:6677", 32853))],
)
def test_the_sample_responses_of_rfc_5769_are_read_and_verified(data: bytes, address: tuple[str, int]) -> None:
    """Sections 2.2 and 2.3: our own mapped address reads the same, for both families."""
    message = stun.parse(data)

    assert message.type == stun.BINDING_SUCCESS
    assert message.is_authentic(PASSWORD)
    assert message.attributes[stun.XOR_MAPPED_ADDRESS] == stun.xor_address(address, TRANSACTION)


def test_what_is_built_is_read_back_and_authentic() -> None:
    """Both directions of the same format agree, padding and all."""
    data = stun.build(stun.BINDING_REQUEST, TRANSACTION, [(stun.USERNAME, b"abcde"), (stun.USE_CANDIDATE, b"")], "pw")

    message = stun.parse(data)

    assert message.is_authentic("pw")
    assert message.attributes[stun.USERNAME] == b"abcde"
    assert message.attributes[stun.USE_CANDIDATE] == b""


def test_every_flipped_bit_is_noticed() -> None:
    """The fingerprint or the integrity covers every byte before the fingerprint attribute itself."""
    for bit in range((len(REQUEST) - 8) * 8):
        data = bytearray(REQUEST)
        data[bit // 8] ^= 1 << bit % 8
        try:
            authentic = stun.parse(bytes(data)).is_authentic(PASSWORD)
        except DatagramError:
            continue
        assert not authentic, bit


@pytest.mark.parametrize("length", range(len(REQUEST)))
def test_every_cut_is_refused(length: int) -> None:
    """A cut datagram is dropped, not half understood."""
    with pytest.raises(DatagramError):
        stun.parse(REQUEST[:length])


def test_what_follows_the_integrity_is_ignored() -> None:
    """RFC 8489 section 14.5: an attacker on the path could append USE-CANDIDATE to a check."""
    body = stun.build(stun.BINDING_REQUEST, TRANSACTION, [(stun.USERNAME, b"a:b")], "pw")[20:-8]
    data = struct.pack("!HHI12s", 1, len(body) + 4, stun.MAGIC_COOKIE, TRANSACTION) + body
    data += struct.pack("!HH", stun.USE_CANDIDATE, 0)

    message = stun.parse(data)

    assert stun.USE_CANDIDATE not in message.attributes


def test_the_first_of_repeated_attributes_counts() -> None:
    """RFC 8489 section 14: two usernames must not be one to the router and another to the check."""
    data = stun.build(stun.BINDING_REQUEST, TRANSACTION, [(stun.USERNAME, b"a:b"), (stun.USERNAME, b"c:d")], "pw")

    assert stun.parse(data).attributes[stun.USERNAME] == b"a:b"


def test_a_message_of_many_attributes_is_refused_and_of_some_taken() -> None:
    """Attributes are bounded, and the bound is the one that is written down."""
    few = stun.build(stun.BINDING_REQUEST, TRANSACTION, [(0x7F00 + i, b"") for i in range(30)], "pw")
    many = stun.build(stun.BINDING_REQUEST, TRANSACTION, [(0x7F00 + i, b"") for i in range(31)], "pw")

    assert len(stun.parse(few).attributes) == 31
    with pytest.raises(DatagramError, match="too many"):
        stun.parse(many)
