"""A connection's life as its owner is told it: connected, disconnected, closed."""

import struct

from pymeet.sfu import rtcp, rtp, stun
from pymeet.sfu.dtls import Dtls
from pymeet.sfu.events import Closed, Connected
from tests.netem import Publisher, World
from tests.support.peer import CERTIFICATE, TRANSPORT_ID, VP8, LightPeer, context


def _ghost(world: World) -> tuple[Publisher, str]:
    alice = Publisher(world, "alice")
    return alice, alice.peer.offer("sendonly", audio_ssrc=1, video_ssrc=2)


def test_a_wrong_certificate_closes_and_tells_both_ends() -> None:
    """A client that lies about its fingerprint gets an alert; its owner here learns why."""
    world = World(seed=1)
    alice, offer = _ghost(world)
    forged = offer.replace(CERTIFICATE.fingerprint, ":".join(["AB"] * 32))
    alice.peer.take_description(alice.transport.answer(forged, alice.wishes, world.now))

    alice.start()
    world.run(1.0)

    assert alice.events == [Closed("wrong certificate")]
    assert not alice.peer.connected or alice.peer.closed
    assert not world.sfu.transports


def test_no_handshake_begins_before_a_check() -> None:
    """Otherwise anybody who guesses the port can race the handshake (a published flaw of several servers)."""
    world = World(seed=2)
    alice, offer = _ghost(world)
    alice.peer.take_description(alice.transport.answer(offer, alice.wishes, world.now))
    alice.peer._dtls.start()

    for datagram in alice.peer._dtls.outgoing():
        alice.send(datagram)
    world.run(0.2)

    assert world.bytes_out == {}
    assert world.sfu.dropped >= 1
    assert alice.transport._dtls is None


def test_the_handshake_of_an_address_that_was_never_checked_is_dropped() -> None:
    """A valid peer's neighbour is not the peer."""
    world = World(seed=3)
    alice, offer = _ghost(world)
    alice.peer.take_description(alice.transport.answer(offer, alice.wishes, world.now))
    alice.send(alice.peer.check())
    world.run(0.015)
    other = LightPeer()
    other.take_description(alice.transport.answer(offer, alice.wishes, world.now))
    other._dtls.start()

    for datagram in other._dtls.outgoing():
        world.sfu.receive(datagram, ("203.0.113.66", 6), world.now)
    world.run(1.0)

    assert alice.events == [Connected()]
    assert ("203.0.113.66", 6) not in world.bytes_out


def test_a_peer_that_waits_for_the_hello_is_greeted() -> None:
    """FFmpeg's publisher offers `setup:passive`: then this server begins the handshake, after a check as ever."""
    world = World(seed=12)
    alice, offer = _ghost(world)
    answer = alice.transport.answer(offer.replace("a=setup:actpass", "a=setup:passive"), alice.wishes, world.now)
    alice.peer.take_description(answer)
    fingerprint = answer.split("a=fingerprint:sha-256 ")[1].split("\r\n")[0]
    alice.peer._dtls = Dtls(context(), [("sha-256", fingerprint)], is_server=True)
    world.run(0.2)
    assert world.bytes_out == {}

    alice.start()
    world.run(1.0)

    assert "a=setup:active" in answer
    assert alice.is_connected
    assert alice.events == [Connected()]


def test_nothing_unauthenticated_is_answered() -> None:
    """Amplification: a spoofed source must not get one byte, whatever is sent in its name."""
    world = World(seed=4)
    alice, offer = _ghost(world)
    alice.transport.answer(offer, alice.wishes, world.now)
    victim = ("203.0.113.5", 53)
    local = alice.transport.ice.local

    for user in ("nobody:me", f"{local.ufrag}:me", f"{local.ufrag}:{alice.peer.local.ufrag}"):
        request = stun.build(stun.BINDING_REQUEST, b"t" * 12, [(stun.USERNAME, user.encode())], "guess")
        for _ in range(50):
            world.sfu.receive(request, victim, world.now)
    for first in range(256):
        world.sfu.receive(bytes([first]) * 200, victim, world.now)
    world.run(5.0)

    assert world.bytes_out == {}
    assert world.strays == []


def test_no_more_goes_out_than_came_in_before_the_path_is_proven() -> None:
    """Even an authentic check is answered by fewer bytes than it has."""
    world = World(seed=5)
    alice, offer = _ghost(world)
    alice.peer.take_description(alice.transport.answer(offer, alice.wishes, world.now))
    sent = 0
    for controlled in (False, True):
        check = alice.peer.check()
        if controlled:
            attributes = [
                (stun.USERNAME, f"{alice.peer.remote.ufrag}:{alice.peer.local.ufrag}".encode()),
                (stun.ICE_CONTROLLED, bytes(8)),
            ]
            check = stun.build(stun.BINDING_REQUEST, b"t" * 12, attributes, alice.peer.remote.password)
        sent += len(check)
        alice.send(check)
        world.run(0.03)
        assert world.bytes_out[alice.address] <= sent


def test_candidates_in_an_offer_are_never_contacted() -> None:
    """A description must not make the server send to a third party."""
    world = World(seed=6)
    alice, offer = _ghost(world)
    told = "a=candidate:1 1 udp 2130706431 203.0.113.77 3478 typ host\r\n"
    alice.transport.answer(offer.replace("a=mid:0\r\n", "a=mid:0\r\n" + told), alice.wishes, world.now)

    world.run(40.0)

    assert world.bytes_out == {}


def test_closing_says_good_bye_and_lets_go_of_everything() -> None:
    """The other end learns it at once; the owner hears it exactly once."""
    world = World(seed=7)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.video])
    alice.film()
    world.run(0.5)

    alice.transport.close(world.now)
    alice.transport.close(world.now)
    world.run(0.2)

    assert alice.events == [Connected(), Closed("closed")]
    assert alice.peer.closed
    assert alice.transport.tracks == {}
    assert bob.events == [Connected()]
    world.sfu.close(world.now)
    assert bob.events == [Connected(), Closed("closed")]


def test_forged_and_replayed_media_are_not_forwarded() -> None:
    """What an attacker on the path injects or repeats is dropped."""
    world = World(seed=8)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.audio])
    sealed = alice.peer.srtp.protect(alice.sound_packet())
    for _ in range(5):
        alice.send(sealed)
    alice.send(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    alice.send(alice.sound_packet())
    world.run(0.3)

    assert len(bob.audio_of(alice).arrived) == 1
    assert alice.transport.rejected == 6


def test_audio_levels_are_heard() -> None:
    """RFC 6464: 0 is as loud as can be, 127 is silence; ours count the other way."""
    world = World(seed=9)
    alice = world.publisher()
    bob = world.subscriber("bob", [alice.audio])
    alice.talk(level=30)
    world.run(1.0)

    heard = world.sfu.levels([alice.audio])[alice.audio.id]
    assert set(heard) == {97}
    assert len(heard) >= 45
    assert world.sfu.levels([alice.audio]) == {alice.audio.id: ()}
    assert all(p[12:24] == bytes.fromhex("bede000200000000101e0000") for p in bob.audio_of(alice).packets.values())


def test_publishers_are_told_ten_times_a_second_when_their_packets_came() -> None:
    """Of every packet once, and of the first after a pause as soon as of any other."""
    world = World(seed=10)
    alice = world.publisher()

    def send(number: int) -> None:
        head = rtp.HEADER.pack(0x90, VP8, number, 1800 * number, alice.video_ssrc)
        alice.send_packet(head + struct.pack("!HHBHB", 0xBEDE, 1, TRANSPORT_ID << 4 | 1, number, 0) + bytes(50))

    def told() -> list[tuple[float, list[int]]]:
        return [
            (at, [m.base + distance for distance in m.received])
            for at, m in alice.asked
            if isinstance(m, rtcp.TransportFeedback)
        ]

    for number in range(100):
        send(number)
        world.run(0.02)
    world.run(3.0)

    assert [number for _, numbers in told() for number in numbers] == [*range(100)]
    assert 18 <= len(told()) <= 22

    send(100)
    sent_at = world.now
    world.run(1.0)

    told_at, numbers = told()[-1]
    assert numbers == [100]
    assert told_at - sent_at < 0.1


def test_publishers_are_told_together() -> None:
    """To wake up for each of them alone costs as much as to tell."""
    world = World(seed=10)
    people = [world.publisher(name) for name in ("alice", "bob", "carol")]

    for number in range(300):
        one = people[number % 3]
        head = rtp.HEADER.pack(0x90, VP8, number // 3, 1800 * number, one.video_ssrc)
        one.send_packet(head + struct.pack("!HHBHB", 0xBEDE, 1, TRANSPORT_ID << 4 | 1, number // 3, 0) + bytes(50))
        world.run(0.007)

    for one in people:
        told_at = [at - one.down.delay for at, m in one.asked if isinstance(m, rtcp.TransportFeedback)]
        assert [round(1000 * at) % 25 for at in told_at[1:]] == [0] * (len(told_at) - 1)
        assert 18 <= len(told_at) <= 22


def test_an_element_of_number_zero_is_padding_not_a_level() -> None:
    """RFC 8285: id 0 is reserved; a sender without the level extension has none."""
    world = World(seed=10)
    alice = Publisher(world, "alice")
    offer = alice.peer.offer("sendonly", audio_ssrc=alice.audio_ssrc, video_ssrc=alice.video_ssrc)
    offer = "\r\n".join(line for line in offer.split("\r\n") if "extmap" not in line)
    alice.peer.take_description(alice.transport.answer(offer, alice.wishes, world.now))
    alice.start()
    world.run_until(lambda: alice.is_connected)
    bob = world.subscriber("bob", [alice.audio, alice.video])
    sound = alice.sound_packet()
    alice.send_packet(sound[:16] + b"\x00\x05\x05\x05" + sound[20:])
    frame = alice.source.frame()[0]
    alice.send_packet(b"\x90" + frame[1:12] + b"\xbe\xde\x00\x01\x01\x05\x05\x05" + frame[12:])
    world.run(0.5)

    assert world.sfu.levels([alice.audio]) == {alice.audio.id: ()}
    assert not [raw for raw in alice.peer.rtcp_raw if b"\x8f\xcd" in raw]
    assert len(bob.video_of(alice).packets) == 1


def test_statistics_name_nobody() -> None:
    """Counters for the metrics."""
    world = World(seed=11)
    alice = world.publisher()
    world.subscriber("bob", [alice.video])

    stats = world.sfu.stats()

    assert (stats["publishers"], stats["subscribers"], stats["tracks"]) == (1, 1, 2)
    assert all(isinstance(v, int) for v in stats.values())
