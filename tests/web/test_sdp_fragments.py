"""What WHIP and WHEP clients send and get in a PATCH."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymeet.errors import ProtocolError
from pymeet.web.sdpfrag import Credentials, credentials_of, parse_fragment, restart_fragment

PWD = "0b66f472495ef0ccac7bda653ab6be49"
TRICKLE = (
    "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
    f"a=ice-ufrag:EsAw\r\na=ice-pwd:{PWD}\r\n"
    "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n"
    "a=candidate:3471623853 1 udp 2122194687 9a1b2c3d.local 61765 typ host generation 0\r\na=end-of-candidates\r\n"
)


def test_a_browsers_fragment_is_understood():
    """The example of RFC 9725, with an mDNS candidate as browsers send it."""
    fragment = parse_fragment(TRICKLE.encode())

    assert fragment.credentials == Credentials("EsAw", PWD)
    assert fragment.candidates == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"hello",
        b"v=0\r\n",
        b"a=candidate:nonsense\r\n",
        b"a=ice-ufrag:abcd\r\n",
        b"a=ice-ufrag:abcd\r\na=ice-pwd:short\r\n",
        b"a=ice-ufrag:abcd\r\na=ice-ufrag:efgh\r\na=ice-pwd:" + PWD.encode() + b"\r\n",
        b"a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 200,
        b"a=x\x00y\r\n",
    ],
)
def test_a_broken_fragment_is_refused(raw: bytes):
    """A publisher that sends nonsense hears so instead of waiting."""
    with pytest.raises(ProtocolError):
        parse_fragment(raw)


@given(st.binary(max_size=500))
def test_no_bytes_do_worse_than_a_protocol_error(raw: bytes):
    """The fragment comes from the network."""
    with contextlib.suppress(ProtocolError):
        parse_fragment(raw)


def test_the_answer_to_a_restart_repeats_the_servers_candidates():
    """The client forgets the old ones together with the old credentials."""
    answer = (
        "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:old1\r\na=ice-pwd:x\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 2130706431 192.0.2.9 8443 typ host\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=candidate:1 1 udp 2130706431 192.0.2.9 8443 typ host\r\n"
    )

    fragment = restart_fragment(answer, Credentials("new1", PWD))

    assert fragment == (
        "a=ice-lite\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
        f"a=ice-ufrag:new1\r\na=ice-pwd:{PWD}\r\na=candidate:1 1 udp 2130706431 192.0.2.9 8443 typ host\r\n"
        "a=end-of-candidates\r\n"
    )
    assert credentials_of(fragment) == Credentials("new1", PWD)
    assert parse_fragment(fragment.encode()).candidates == 1
