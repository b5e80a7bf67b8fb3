"""The ICE-lite agent: whom it answers, where it sends, and for how long."""

import pytest

from pymeet.sfu import stun
from pymeet.sfu.errors import DatagramError
from pymeet.sfu.ice import CONSENT_S, IceLite, candidate_lines

HERE, THERE = ("198.51.100.1", 1000), ("198.51.100.2", 2000)


def _agent() -> IceLite:
    agent = IceLite(0.0)
    agent.remote_ufrag = "them"
    return agent


def _check(
    agent: IceLite, *extra: tuple[int, bytes], user: str | None = None, password: str | None = None
) -> stun.StunMessage:
    name = f"{agent.local.ufrag}:them" if user is None else user
    attributes = [(stun.USERNAME, name.encode()), (stun.PRIORITY, bytes(4)), *extra]
    return stun.parse(
        stun.build(stun.BINDING_REQUEST, b"t" * 12, attributes, agent.local.password if password is None else password)
    )


NOMINATE = (stun.USE_CANDIDATE, b"")


def test_a_good_check_is_answered_with_the_address_it_came_from() -> None:
    """The answer is what makes the path valid for the peer: right number, right address, authentic."""
    agent = _agent()

    answer = agent.receive(_check(agent, NOMINATE), HERE, 1.0)

    assert answer is not None
    message = stun.parse(answer)
    assert message.type == stun.BINDING_SUCCESS
    assert message.transaction_id == b"t" * 12
    assert message.is_authentic(agent.local.password)
    assert message.attributes[stun.XOR_MAPPED_ADDRESS] == stun.xor_address(HERE, b"t" * 12)
    assert agent.address == HERE


def test_an_agent_that_claims_to_be_controlled_is_told_of_the_conflict() -> None:
    """RFC 8445 section 7.3.1.1: a lite agent is controlled, so the other must switch; the path is not yet valid."""
    agent = _agent()

    answer = agent.receive(_check(agent, (stun.ICE_CONTROLLED, bytes(8))), HERE, 1.0)

    assert answer is not None
    message = stun.parse(answer)
    assert message.type == stun.BINDING_ERROR
    assert message.attributes[stun.ERROR_CODE].startswith(b"\x00\x00\x04\x57Role Conflict")
    assert message.is_authentic(agent.local.password)
    assert not agent.valid
    assert agent.address is None


@pytest.mark.parametrize("user", ["nobody:them", "", "them", ":them", "\udcff"])
def test_an_unknown_user_gets_no_answer(user: str) -> None:
    """No answer at all: an error response would tell scanners that somebody is here."""
    agent = _agent()
    name = user.encode("utf-8", "surrogateescape")
    data = stun.build(stun.BINDING_REQUEST, b"t" * 12, [(stun.USERNAME, name)], agent.local.password)

    with pytest.raises(DatagramError):
        agent.receive(stun.parse(data), HERE, 1.0)


def test_a_wrong_password_gets_no_answer() -> None:
    """The name travels in clear text; only the password proves."""
    agent = _agent()

    with pytest.raises(DatagramError, match="integrity"):
        agent.receive(_check(agent, password="x" * 32), HERE, 1.0)
    assert not agent.valid


def test_a_check_without_integrity_gets_no_answer() -> None:
    """Leaving the proof out is not better than a wrong one."""
    agent = _agent()
    message = _check(agent)
    bare = stun.StunMessage(message.type, message.transaction_id, {stun.USERNAME: message.attributes[stun.USERNAME]})

    with pytest.raises(DatagramError, match="integrity"):
        agent.receive(bare, HERE, 1.0)


def test_a_check_of_another_remote_name_gets_no_answer() -> None:
    """Both halves of the name are agreed upon in the descriptions."""
    agent = _agent()

    with pytest.raises(DatagramError, match="remote"):
        agent.receive(_check(agent, user=f"{agent.local.ufrag}:other"), HERE, 1.0)


def test_answers_and_indications_are_not_answered() -> None:
    """Two servers must not be made to answer each other for ever."""
    agent = _agent()
    data = stun.build(stun.BINDING_SUCCESS, b"t" * 12, [], agent.local.password)

    assert agent.receive(stun.parse(data), HERE, 1.0) is None
    assert not agent.valid


def test_the_sending_address_follows_the_nomination() -> None:
    """The peer decides on the path."""
    agent = _agent()
    agent.receive(_check(agent, NOMINATE), HERE, 1.0)
    agent.receive(_check(agent), THERE, 1.5)
    assert agent.address == HERE

    agent.receive(_check(agent, NOMINATE), THERE, 1.6)

    assert agent.address == THERE


def test_the_sending_address_follows_a_rebinding_nat_without_nomination() -> None:
    """The peer does not know that its NAT moved it, so it nominates nothing; the old address has fallen silent."""
    agent = _agent()
    agent.receive(_check(agent, NOMINATE), HERE, 1.0)

    agent.receive(_check(agent), THERE, 4.0)

    assert agent.address == THERE


def test_old_names_serve_until_the_new_ones_are_used() -> None:
    """RFC 8445 section 9: media flows on over the old path during a restart."""
    agent = _agent()
    old = _check(agent, NOMINATE)
    agent.receive(old, HERE, 1.0)
    agent.restart()
    agent.restart()

    assert agent.receive(old, HERE, 2.0) is not None
    assert agent.receive(_check(agent, NOMINATE), THERE, 3.0) is not None
    with pytest.raises(DatagramError):
        agent.receive(old, HERE, 4.0)
    assert agent.address == THERE


def test_consent_ends_thirty_seconds_after_the_last_check() -> None:
    """RFC 7675 section 5.1."""
    agent = _agent()
    assert not agent.has_consent(0.0)
    agent.receive(_check(agent, NOMINATE), HERE, 1.0)

    assert agent.has_consent(1.0 + CONSENT_S - 0.01)
    assert not agent.has_consent(1.0 + CONSENT_S)


def test_only_so_many_addresses_are_remembered() -> None:
    """Checks from everywhere must not fill the memory."""
    agent = _agent()

    for i in range(200):
        agent.receive(_check(agent), (f"203.0.113.{i}", 9), float(i))

    assert len(agent.valid) <= 16


def test_names_and_passwords_are_unguessable() -> None:
    """RFC 8445 section 5.3 asks for 24 and 128 bits of randomness."""
    made = {IceLite(0.0).local for _ in range(100)}

    assert len({c.ufrag for c in made}) == len({c.password for c in made}) == 100
    assert all(len(c.ufrag) >= 6 and len(c.password) >= 22 for c in made)


def test_candidates_for_tcp_stand_below_those_for_udp() -> None:
    """RFC 6544: passive ones, for the server never connects; every way by UDP is better."""
    lines = candidate_lines([("192.0.2.1", 8444), ("2001:db8::1", 8444)], [("192.0.2.1", 8444), ("2001:db8::1", 8444)])

    assert lines[0] == "candidate:1 1 udp 2130706431 192.0.2.1 8444 typ host"
    assert lines[2].endswith("192.0.2.1 8444 typ host tcptype passive")
    assert [line.split()[2] for line in lines] == ["udp", "udp", "tcp", "tcp"]
    priorities = [int(line.split()[3]) for line in lines]
    assert priorities == sorted(priorities, reverse=True)
    assert len({line.split()[0] for line in lines}) == 4


def test_an_address_that_is_lost_gives_way_to_the_newest_other() -> None:
    """The end of a TCP connection is told at once; what passed a check last is most likely to work."""
    agent = _agent()
    for at, host in enumerate(("192.0.2.1", "192.0.2.2", "192.0.2.3")):
        agent.receive(_check(agent, (stun.USE_CANDIDATE, b"")), (host, 1), float(at))

    agent.forget(("192.0.2.3", 1))
    assert agent.address == ("192.0.2.2", 1)
    agent.forget(("192.0.2.1", 1))
    assert agent.address == ("192.0.2.2", 1)
    agent.forget(("192.0.2.2", 1))

    assert agent.address is None
    assert not agent.has_consent(2.0)
