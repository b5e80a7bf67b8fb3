"""One stream of many layers (VP9, AV1): every receiver gets the part that suits it, and can decode all of what it gets."""

import itertools

import pytest

from pymeet.sfu import dependency, rtp, vp8
from pymeet.sfu.view import View
from tests.fuzz.profile import mutated
from tests.netem import World, lossy
from tests.support.scalable import (
    ScalablePublisher,
    ScalableReporter,
    ScalableStream,
    ScalableSubscriber,
    scalable,
    viewer,
)

CODECS = ("vp9", "av1")
LARGE, MIDDLE, SMALL, HIDDEN = View(720), View(360), View(180), View(0)


def _look(someone: ScalableSubscriber, publisher: ScalablePublisher, view: View) -> None:
    someone.transport.set_view({publisher.video.id: view}, someone.world.now)


def _stream(someone: ScalableSubscriber, publisher: ScalablePublisher) -> ScalableStream:
    stream = someone.video_of(publisher)
    assert isinstance(stream, ScalableStream)
    return stream


def _is_flawless(stream: ScalableStream) -> None:
    """No number missing, no timestamp going back, nothing that could not be decoded, and every picture shown once."""
    by_number = sorted((number, timestamp) for _, number, timestamp in stream.arrived)
    numbers = [number for number, _ in by_number]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all((b - a) & 0xFFFFFFFF < 90000 for (_, a), (_, b) in itertools.pairwise(by_number))
    assert not stream.decoder.broken
    assert not stream.decoder.incomplete
    pictures = [frame.picture for frame in stream.decoder.frames]
    assert pictures == sorted(pictures)
    assert all(stream.decoder.pictures)


@pytest.mark.parametrize("codec", CODECS)
def test_each_receiver_gets_the_size_at_which_it_is_shown(codec: str) -> None:
    """A tile the size of a stamp costs a part of the stream, not all of it."""
    world = World(seed=70)
    alice = scalable(world, codec, 3, 3)
    alice.film()
    viewers = {view.height: viewer(world, f"viewer{view.height}", alice) for view in (LARGE, MIDDLE, SMALL, HIDDEN)}
    world.run(1.0)
    for height, someone in viewers.items():
        _look(someone, alice, View(height))
    world.run(1.5)
    before = {height: world.bytes_out[someone.address] for height, someone in viewers.items()}
    world.run(2.0)

    for height, spatial in ((720, 2), (360, 1), (180, 0)):
        stream = _stream(viewers[height], alice)
        assert stream.layers(world.now - 2, world.now) == {spatial}
        assert stream.rate(world.now - 2, world.now) == pytest.approx(30, abs=2)
        _is_flawless(stream)
    sent = {height: world.bytes_out[someone.address] - before[height] for height, someone in viewers.items()}
    assert sent[180] < 0.45 * sent[720]
    assert sent[360] < 0.75 * sent[720]
    assert sent[0] < 2000
    world.assert_no_keystream_reuse()


@pytest.mark.parametrize("codec", CODECS)
def test_a_smaller_picture_comes_at_once_and_a_larger_one_with_one_key_frame(codec: str) -> None:
    """Who gets the larger one has the smaller one already; the other way round the decoder needs a beginning."""
    world = World(seed=71)
    alice = scalable(world, codec, 3, 1)
    alice.film()
    bob = viewer(world, "bob", alice)
    world.run(2.0)
    stream, source = _stream(bob, alice), alice.source.source
    before = source.key_pictures

    _look(bob, alice, SMALL)
    world.run(0.3)
    assert stream.layers(world.now - 0.2, world.now) == {0}
    assert source.key_pictures == before

    _look(bob, alice, LARGE)
    world.run(0.5)
    assert stream.layers(world.now - 0.2, world.now) == {2}
    assert source.key_pictures == before + 1
    _is_flawless(stream)
    assert stream.longest_gap(world.now - 2, world.now) < 0.15
    world.assert_no_keystream_reuse()


@pytest.mark.parametrize(("codec", "mode"), [("vp8", "full"), ("vp9", "key"), ("av1", "key"), ("av1", "full")])
def test_fewer_pictures_per_second_and_back_costs_no_key_frame(codec: str, mode: str) -> None:
    """On a very bad network a few whole pictures are better than none; the way back must not cost the others anything."""
    world = World(seed=72)
    alice = scalable(world, codec, 1 if codec == "vp8" else 2, 3, mode)
    alice.film()
    bob = viewer(world, "bob", alice)
    world.run(2.0)
    bob.transport.set_view({alice.video.id: SMALL}, world.now)
    world.run(2.0)
    stream, before = _stream(bob, alice), alice.source.source.key_pictures
    consumer = next(iter(alice.video.receivers))
    bob.transport._prefer = lambda now: None  # type: ignore[method-assign] # here the test is what shares bandwidth

    rates = []
    for rank in (0, 1, 2, 0, 2):
        alice.video.prefer(consumer, rank, world.now)
        world.run(0.8)
        rates.append(stream.rate(world.now - 0.5, world.now))

    assert rates == pytest.approx([7.5, 15, 30, 7.5, 30], abs=2.1)
    assert alice.source.source.key_pictures == before
    _is_flawless(stream)
    if codec == "vp8":
        pictures = [vp8.parse(stream.packets[number], 12).picture for number in sorted(stream.packets)]
        assert {(b - a) & vp8.LONG for a, b in itertools.pairwise(pictures)} == {0, 1}
    world.assert_no_keystream_reuse()


@pytest.mark.parametrize(("codec", "spatial", "mode"), [("vp8", 1, "full"), ("vp9", 3, "key"), ("av1", 3, "full")])
def test_a_narrow_path_carries_the_part_that_fits(codec: str, spatial: int, mode: str) -> None:
    """Fewer or smaller pictures instead of one that stands; somebody else is not concerned."""
    world = World(seed=76)
    alice = scalable(world, codec, spatial, 3, mode, size=700)
    alice.film()
    alice.talk()
    wide = viewer(world, "wide", alice)
    narrow = ScalableReporter(world, "narrow")
    narrow.receive_tracks([alice.video, alice.audio])
    world.run_until(lambda: narrow.is_connected)
    carries_bps = 300_000 if codec == "vp8" else 600_000
    narrow.limit(carries_bps)
    world.run(10.0)

    stream = _stream(narrow, alice)
    assert alice.video.layers[-1].rate_bps > 1.1 * carries_bps
    assert narrow.longest_queue_s(world.now - 6, world.now) < 0.3
    assert stream.rate(world.now - 6, world.now) > 7
    assert stream.longest_gap(world.now - 6, world.now) < 0.6
    assert not stream.decoder.broken
    assert _stream(wide, alice).layers(world.now - 6, world.now) == {spatial - 1}
    assert _stream(wide, alice).rate(world.now - 6, world.now) == pytest.approx(30, abs=2)
    _is_flawless(_stream(wide, alice))
    world.assert_no_keystream_reuse()


@pytest.mark.parametrize("codec", CODECS)
def test_on_a_lossy_network_every_part_is_repaired_and_changes_lose_nothing(codec: str) -> None:
    """What was lost just before a change is asked for after it; what comes late has its place in every part."""
    world = World(seed=73)
    alice = scalable(world, codec, 3, 2)
    alice.film()
    viewers = [viewer(world, f"viewer{i}", alice) for i in range(3)]
    world.run(2.0)
    for client in (alice, *viewers):
        lossy(client.up, 0.03)
        lossy(client.down, 0.03)
    views = itertools.cycle((SMALL, LARGE, MIDDLE, SMALL, MIDDLE))
    for _ in range(8):
        for someone in viewers:
            _look(someone, alice, next(views))
        world.run(0.7)
    for client in (alice, *viewers):
        lossy(client.up, 0.0)
        lossy(client.down, 0.0)
    world.run(3.0)

    for someone in viewers:
        stream = _stream(someone, alice)
        assert len(stream.decoder.broken) <= 0.01 * len(stream.decoder.frames)
        assert stream.longest_gap(world.now - 8, world.now) < 0.8
        assert stream.rate(world.now - 1, world.now) == pytest.approx(30, abs=2)
    world.assert_no_keystream_reuse()


@pytest.mark.parametrize("codec", CODECS)
def test_mute_and_another_stream_work_in_every_part(codec: str) -> None:
    """Nothing goes out while the camera is off, and everybody goes on afterwards, also when the sender began anew."""
    world = World(seed=74)
    alice = scalable(world, codec, 3, 2)
    alice.film()
    small, large = viewer(world, "small", alice), viewer(world, "large", alice)
    world.run(1.5)
    _look(small, alice, SMALL)
    world.run(1.0)

    alice.video.set_muted(True, world.now)
    world.run(0.1)
    counts = [len(_stream(someone, alice).arrived) for someone in (small, large)]
    world.run(1.0)
    assert [len(_stream(someone, alice).arrived) for someone in (small, large)] == counts
    alice.video.set_muted(False, world.now)
    world.run(1.0)
    assert _stream(small, alice).layers(world.now - 0.5, world.now) == {0}
    assert _stream(large, alice).layers(world.now - 0.5, world.now) == {2}

    alice.restart()
    world.run(2.0)

    for someone, spatial in ((small, 0), (large, 2)):
        stream = _stream(someone, alice)
        assert stream.layers(world.now - 1, world.now) == {spatial}
        assert not stream.decoder.broken
        numbers = sorted(number for _, number, _ in stream.arrived)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    world.assert_no_keystream_reuse()


@pytest.mark.parametrize("is_wanted", [True, False])
def test_receivers_get_the_dependency_descriptor_if_they_want_it(is_wanted: bool) -> None:
    """Without it a browser cannot tell the layers of AV1 apart; who did not agree to its id must not find it there."""
    world = World(seed=75)
    alice = scalable(world, "av1", 2, 2)
    assert dependency.URI in alice.answer
    assert "a=extmap-allow-mixed" in alice.answer  # the descriptor of a key frame needs the longer form
    bob = ScalableSubscriber(world, "bob", takes_descriptors=is_wanted)
    offer = bob.receive_tracks([alice.video])
    world.run_until(lambda: bob.is_connected)
    alice.film()
    world.run(1.0)

    assert f"a=extmap:{rtp.DEPENDENCY_ID} {dependency.URI}" in offer
    assert len(bob.descriptors) > 100
    if is_wanted:
        reader = dependency.Reader()
        frames = [reader.read(data) for data in bob.descriptors]
        assert frames[0].is_key
        assert [f.number for f in frames[::2]] == [(frames[0].number + i) & 0xFFFF for i in range(len(frames[::2]))]
    else:
        assert not any(bob.descriptors)


@pytest.mark.parametrize("codec", ["vp8", *CODECS])
def test_garbage_from_a_sender_harms_nobody_for_long(codec: str) -> None:
    """Whoever publishes may send anything; the next key frame mends what it did, and no number is used twice."""
    world = World(seed=77)
    alice = scalable(world, codec, 1 if codec == "vp8" else 3, 3)
    alice.film()
    viewers = [viewer(world, f"viewer{i}", alice) for i in range(2)]
    world.run(1.5)
    wire = alice.source.frame

    def garbled() -> list[bytes]:
        # the length of the header extensions stays: with a wrong one the sender itself could not encrypt
        draw = world.random
        return [p[:16] + mutated(draw, p[16:]).ljust(len(p) - 16) if draw.random() < 0.3 else p for p in wire()]

    alice.source.frame = garbled  # type: ignore[method-assign]
    for view in (SMALL, LARGE, MIDDLE, SMALL):
        _look(viewers[0], alice, view)
        world.run(0.6)
    alice.source.frame = wire  # type: ignore[method-assign]
    world.run(1.0)
    alice.source.source.key_wanted = True
    world.run(2.5)

    for someone in viewers:
        stream = _stream(someone, alice)
        assert stream.rate(world.now - 1, world.now) == pytest.approx(30, abs=2)
    world.assert_no_keystream_reuse()
