"""The whole server under hostile datagrams, from strangers and from participants with the right keys: others do not notice."""

import random
import resource
import struct
import tracemalloc

from pymeet.sfu import rtcp, rtp, stun
from pymeet.sfu.errors import DatagramError
from tests.fuzz.profile import SEED, corpus, mutated, rounds
from tests.netem import Publisher, Subscriber, World
from tests.support.peer import OPUS, VP8, VP8_RTX, LightPeer


def _recorded(world: World, alice: Publisher) -> list[bytes]:
    """True datagrams of every kind, to be bent."""
    user = f"{alice.peer.remote.ufrag}:{alice.peer.local.ufrag}".encode()
    check = stun.build(stun.BINDING_REQUEST, b"x" * 12, [(stun.USERNAME, user), (stun.USE_CANDIDATE, b"")], "a guess")
    stranger = LightPeer()
    stranger.take_description(alice.transport.answer(_offer(alice), alice.wishes, world.now))
    stranger._dtls.start()
    hello = stranger._dtls.outgoing()
    media = [b"\x80" + bytes([96]) + bytes(range(200)), b"\x90\xe0" + bytes(range(100))]
    control = [b"\x81\xc9\x00\x07" + bytes(range(40)), b"\x80\xc8\x00\x06" + bytes(range(60))]
    unknown = stun.build(stun.BINDING_REQUEST, b"x" * 12, [(stun.USERNAME, b"nobody:here")], "password")
    return [
        check,
        unknown,
        *hello,
        *media,
        *control,
        b"\x16\xfe\xfd" + bytes(8) + b"\xff\xff",
        b"\x40\x00",
        b"\xff" * 1500,
    ]


def _offer(publisher: Publisher) -> str:
    return publisher.peer.offer("sendonly", audio_ssrc=publisher.audio_ssrc, video_ssrc=publisher.video_ssrc)


def _hostile(draw: random.Random, seeds: list[bytes]) -> bytes:
    kind = draw.random()
    if kind < 0.3:
        return draw.randbytes(draw.randrange(0, 200))
    if kind < 0.4:
        return bytes([draw.choice((0, 1, 20, 22, 63, 128, 143, 191))]) + draw.randbytes(draw.randrange(1500))
    return mutated(draw, draw.choice(seeds))


def test_hostile_datagrams_do_not_keep_anybody_from_joining_or_talking() -> None:
    """A hundred thousand (a million in the long run) from everywhere, also in the name of a participant, beside twenty joins."""
    world = World(seed=SEED)
    alice = world.publisher("alice")
    carol = world.subscriber("carol", [alice.video])
    alice.film()
    world.run(0.5)
    draw = random.Random(SEED)
    seeds = _recorded(world, alice)
    ghosts = [(f"203.0.113.{n}", 1024 + n) for n in range(1, 255)]
    pool = [_hostile(draw, seeds) for _ in range(5000)]
    since = world.now
    joined: list[Subscriber] = []

    for _ in range(20):
        bob = Subscriber(world, f"bob{len(joined)}")
        bob.receive_tracks([alice.video])
        for _ in range(10):
            for _ in range(rounds(500)):
                source = draw.choice(ghosts) if draw.random() < 0.8 else carol.address
                datagram = draw.choice(pool)
                try:
                    world.sfu.receive(datagram, source, world.now)
                except Exception as error:
                    raise AssertionError(f"seed {SEED}: {datagram.hex()} from {source}") from error
            world.run(0.03)
        joined.append(bob)

    world.run(1.5)

    assert all(bob.is_connected for bob in joined)
    assert all(bob.video_of(alice).frames for bob in joined)
    assert carol.video_of(alice).longest_gap(since, world.now) < 0.3
    assert not world.strays, "answered somebody unknown"
    assert len(world.sfu._by_address) <= 30
    world.assert_no_keystream_reuse()


def test_strangers_cannot_make_the_server_remember() -> None:
    """Whatever is dropped leaves nothing behind."""
    world = World(seed=SEED)
    alice = world.publisher("alice")
    draw = random.Random(SEED)
    seeds = _recorded(world, alice)
    pool = [_hostile(draw, seeds) for _ in range(2000)]
    sfu = world.sfu

    def flood() -> None:
        for i in range(rounds(10_000)):
            sfu.receive(pool[i % len(pool)], (f"203.0.{i % 256}.{i // 256 % 256}", 9), world.now)

    flood()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    flood()
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    flood()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert after - before < 200_000
    assert grown_kb < 10_000
    assert sfu.dropped > 0
    assert world.bytes_out.keys() == {alice.address}


def _media(draw: random.Random, mallory: Publisher) -> bytes:
    """A packet as a hostile participant may build it: right keys, anything inside."""
    ssrc = draw.choice((mallory.video_ssrc, mallory.video_ssrc + 1, mallory.audio_ssrc, draw.randrange(20)))
    kind = draw.choice((VP8, VP8_RTX, OPUS, 0, 127)) | draw.choice((0, 0x80))
    first = 0x80 | draw.choice((0, 0, 0x10, 0x20, 0x30)) | draw.choice((0, 0, 0, 3, 15))
    near = mallory.source.sequence + draw.choice((1, 1, 1, 2, -1, -5, 40, 300, 5000, -2000, 0x7FFF))
    mallory.source.sequence = near & 0xFFFF
    head = rtp.HEADER.pack(first, kind, near & 0xFFFF, draw.getrandbits(32), ssrc) + draw.randbytes(4 * (first & 15))
    if first & 0x10:
        profile = draw.choice((0xBEDE, 0x1000, 0x100F, 0x1234))
        words = draw.choice((0, 1, 2, 5, 300))
        block = bytes(draw.choice((0, 0x10, 0x2F, 0x30, 0xFF, draw.randrange(256))) for _ in range(words * 4))
        head += struct.pack("!HH", profile, draw.choice((words, words, words, words + 1, 65535))) + block
    return head + draw.randbytes(draw.choice((0, 1, 2, 3, 10, 300, 1100)))


def _control(draw: random.Random, ssrcs: list[int]) -> bytes:
    ssrc = draw.choice(ssrcs)
    compound = draw.choice(
        (
            rtcp.nack(1, ssrc, [draw.randrange(65536) for _ in range(draw.randrange(200))]),
            rtcp.pli(1, ssrc) * 5,
            rtcp.fir(1, ssrc, 1),
            rtcp.sender_report(rtcp.SenderReport(ssrc, draw.getrandbits(64), draw.getrandbits(32), 1, 1)),
            rtcp.bye([ssrc]),
            rtcp.receiver_report(ssrc, [rtcp.ReportBlock(ssrc, 255, -1, 2**32 - 1, 2**32 - 1, 0, 0)] * 5),
        )
    )
    data = compound if draw.random() < 0.3 else mutated(draw, compound)
    return data[:1400] if len(data) >= 8 else data.ljust(8, b"\0")


def test_a_participant_with_the_right_keys_hurts_only_itself() -> None:
    """Authenticated nonsense as media and control: the server goes on, another call is undisturbed, no keystream is used twice."""
    world = World(seed=SEED)
    alice, mallory = world.publisher("alice"), world.publisher("mallory", announce=False)
    bob = world.subscriber("bob", [alice.video])
    carol = world.subscriber("carol", [mallory.audio, mallory.video])
    alice.film()
    world.run(0.5)
    since = world.now
    draw = random.Random(SEED)
    ssrcs = [mallory.video_ssrc, mallory.audio_ssrc, *carol.streams, *bob.streams, 0, 2**32 - 1]
    carol._rtx.clear()
    carol.streams.clear()  # what mallory sends is not for decoding
    traced = 0

    for i in range(rounds(120)):
        for _ in range(20):
            packet = _media(draw, mallory)
            try:
                sealed = mallory.peer.srtp.protect(packet)
            except DatagramError:
                continue  # libsrtp does not even seal it
            for datagram in (sealed, mallory.peer.srtp.protect_rtcp(_control(draw, ssrcs))):
                try:
                    world.sfu.receive(datagram, mallory.address, world.now)
                except Exception as error:
                    raise AssertionError(f"round {i} of seed {SEED}: {packet.hex()}") from error
            world.sfu.receive(carol.peer.srtp.protect_rtcp(_control(draw, ssrcs)), carol.address, world.now)
        world.run(0.02)
        if i == rounds(50):
            tracemalloc.start()
            traced = tracemalloc.get_traced_memory()[0]
        if i == rounds(50) + 50:
            grown = tracemalloc.get_traced_memory()[0] - traced
            tracemalloc.stop()
            assert grown < 6_000_000

    assert bob.video_of(alice).longest_gap(since, world.now) < 0.3
    assert mallory.transport.ssrcs_met <= 512
    assert carol.transport.ssrcs_met <= 512
    world.assert_no_keystream_reuse()


def test_datagrams_that_once_did_harm_do_none() -> None:
    """The corpus grows with every find; `rtp` holds clear text that a participant sealed."""
    world = World(seed=SEED)
    mallory = world.publisher("mallory")
    carol = world.subscriber("carol", [mallory.audio, mallory.video])
    for path in corpus("rtp"):
        for client in (mallory, carol):
            world.sfu.receive(client.peer.srtp.protect(path.read_bytes()), client.address, world.now)
    for path in corpus("datagram"):
        world.sfu.receive(path.read_bytes(), mallory.address, world.now)
    mallory.film()
    world.run(1.0)

    assert len(carol.video_of(mallory).frames) > 20
