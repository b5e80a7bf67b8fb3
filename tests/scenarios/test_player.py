"""A player (WHEP) negotiates once and then follows the speaker: the track behind its sections changes, the stream does not."""

import itertools

from tests.netem import World


def test_a_player_follows_the_speaker_in_one_stream() -> None:
    """One SSRC, numbers without a gap, timestamps that only grow, a key frame first: any player takes it for one camera."""
    world = World(seed=61)
    alice, albert = world.publisher("alice"), world.publisher("albert")
    albert.source.frames = 10_000
    for publisher in (alice, albert):
        publisher.film()
        publisher.talk()
    player = world.player("tv", [alice.audio, alice.video])
    world.run(2.0)
    marks = []

    for publisher in (albert, alice, albert):
        marks.append(len(player.by_track["video"].frames))
        player.transport.set_tracks([publisher.audio, publisher.video], world.now)
        world.run(2.0)

    video, audio = player.by_track["video"], player.by_track["audio"]
    for stream, most in ((video, 90_000), (audio, 48_000)):
        sequences = [n for _, n, _ in stream.arrived]
        assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
        stamps = [t for _, _, t in stream.arrived]
        assert all((b - a) & 0xFFFFFFFF < most for a, b in itertools.pairwise(stamps))
    for mark in marks:
        after = next(i for i in range(mark, mark + 8) if abs(video.frames[i][1] - video.frames[i - 1][1]) > 1)
        assert video.frames[after][2], "another camera began without a key frame"
    assert any(n >= 10_000 for n in video.numbers)
    assert len({ssrc for name, ssrc in world.wires if name == "tv"}) == 2
    assert video.longest_gap(world.now - 5, world.now) < 0.3
    world.assert_no_keystream_reuse()


def test_a_player_waits_for_somebody_to_appear() -> None:
    """A screen in the hall is switched on before the meeting begins."""
    world = World(seed=62)
    player = world.player("tv", [])
    world.run(2.0)
    alice = world.publisher("alice")
    alice.film()

    player.transport.set_tracks([alice.audio, alice.video], world.now)
    world.run(1.0)
    alice.transport.close(world.now)
    player.transport.set_tracks([], world.now)
    world.run(1.0)
    albert = world.publisher("albert")
    albert.film()
    player.transport.set_tracks([albert.video], world.now)
    world.run(1.0)

    video = player.by_track["video"]
    assert sum(is_key for _, _, is_key in video.frames) >= 2
    assert len(video.frames) > 40
    stamps = [t for _, _, t in video.arrived]
    assert all((b - a) & 0xFFFFFFFF < 0x80000000 for a, b in itertools.pairwise(stamps))
    world.assert_no_keystream_reuse()
