"""Checks by people who only look whether the port can be reached: answered with good credentials, and nothing more."""

import os

import pytest

from pymeet.sfu import stun
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.ice import Credentials
from pymeet.sfu.probe import Probe
from tests.netem import START, World

HERE = ("198.51.100.9", 40000)


def _request(credentials: Credentials, password: str | None = None) -> bytes:
    name = f"{credentials.ufrag}:me".encode()
    return stun.build(
        stun.BINDING_REQUEST,
        os.urandom(12),
        [(stun.USERNAME, name)],
        credentials.password if password is None else password,
    )


def test_a_check_with_credentials_is_answered_and_opens_nothing() -> None:
    """It says that the port is reached; no transport stands behind it, so nothing else is taken from there."""
    world = World()
    ways = world.sfu.ways(START)
    request = _request(ways.credentials)

    world.sfu.receive(request, HERE, START)
    world.sfu.receive(b"\x16" + bytes(60), HERE, START)

    ((answer, to),) = world.strays
    message = stun.parse(answer)
    assert to == HERE
    assert message.type == stun.BINDING_SUCCESS
    assert message.is_authentic(ways.credentials.password)
    assert message.attributes[stun.XOR_MAPPED_ADDRESS] == stun.xor_address(HERE, message.transaction_id)
    assert len(answer) <= len(request), "an answer larger than the question serves floods"
    assert not world.sfu.is_known(HERE)
    assert not world.sfu.transports
    assert world.sfu.dropped == 1


def test_the_addresses_are_those_of_descriptions() -> None:
    """Who looks must look where browsers will."""
    world = World()
    world.sfu.stream_addresses = [("192.0.2.1", 5004), ("2001:db8::1", 5004)]

    ways = world.sfu.ways(START)

    assert ways.udp == (("192.0.2.1", 5004),)
    assert ways.tcp == (("192.0.2.1", 5004), ("2001:db8::1", 5004))


@pytest.mark.parametrize("after_s", [0, 59, 60.5])
def test_credentials_are_good_for_a_minute_at_least(after_s: float) -> None:
    """A check on a slow line takes some seconds, and the minute may just have begun."""
    probe = Probe()
    credentials = probe.issue(START)

    assert probe.answer(stun.parse(_request(credentials)), HERE, START + after_s)


@pytest.mark.parametrize("wrong", ["old", "another server's", "forged password", "forged name", "no integrity"])
def test_other_checks_are_not_answered(wrong: str) -> None:
    """Anybody else who could have them answered could have the server send to whom they like."""
    probe = Probe()
    credentials = probe.issue(START)
    message = stun.parse(_request(credentials))
    now = START
    if wrong == "old":
        now += 121
    elif wrong == "another server's":
        message = stun.parse(_request(Probe().issue(START)))
    elif wrong == "forged password":
        message = stun.parse(_request(credentials, "0" * 32))
    elif wrong == "forged name":
        message = stun.parse(_request(Credentials("check" + "0" * 16, credentials.password)))
    else:
        message = stun.StunMessage(
            message.type, message.transaction_id, {stun.USERNAME: message.attributes[stun.USERNAME]}
        )

    with pytest.raises(DatagramError):
        probe.answer(message, HERE, now)
