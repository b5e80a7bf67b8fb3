"""One sender, three receivers, and a network that loses, reorders and duplicates on every leg."""

import itertools

import pytest

from tests.netem import World


@pytest.mark.parametrize("share", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_video_is_repaired_or_skipped_and_never_stuck(share: float) -> None:
    """Loss is everyday: a picture that stands still for long, or never comes back, ends a conversation."""
    world = World(seed=42)
    alice = world.publisher("alice")
    viewers = [world.subscriber(name, [alice.audio, alice.video]) for name in ("bob", "carol", "dave")]
    alice.film()
    alice.talk()
    world.run(1.0)
    for client in (alice, *viewers):
        client.make_bad(share)
    since = world.now

    world.run(12.0)

    sent = alice.source.frames
    for viewer in viewers:
        video = viewer.video_of(alice)
        assert video.numbers == sorted(set(video.numbers)), f"order broken (seed {world.seed})"
        skips = [(a, b) for a, b in itertools.pairwise(video.frames) if b[1] != a[1] + 1]
        assert all(is_key for _, (_, _, is_key) in skips), f"went on without a key frame (seed {world.seed})"
        assert video.longest_gap(since, world.now) < (2.5 if share > 0.1 else 1.0), f"stuck (seed {world.seed})"
        if share <= 0.05:
            assert len(video.frames) >= 0.98 * (sent - 5), f"frames missing though loss is small (seed {world.seed})"
        assert viewer.peer.rejected == 0 or share
    world.assert_no_keystream_reuse()
