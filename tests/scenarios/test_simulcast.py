"""A camera in three sizes: each receiver gets the one that suits, and does not notice when that changes."""

import itertools

from pymeet.sfu import rtcp, vp8
from pymeet.sfu.events import Wanted
from pymeet.sfu.publish import TrackWish
from pymeet.sfu.view import View
from tests.netem import Stream, Subscriber, World, lossy
from tests.recording.test_recording_tap import Listening
from tests.support.simulcast import SimulcastPublisher, places, simulcaster, size_at

LARGE, MIDDLE, SMALL, HIDDEN = View(720), View(360), View(180), View(0)


def _view(viewer: Subscriber, publisher: SimulcastPublisher, view: View) -> None:
    viewer.transport.set_view({publisher.video.id: view}, viewer.world.now)


def _is_continuous(stream: Stream, pause_s: float = 1.0) -> None:
    """One stream to whoever decodes it: no number missing, and none, nor a timestamp, going back."""
    by_number = sorted((number, timestamp) for _, number, timestamp in stream.arrived)
    numbers = [number for number, _ in by_number]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    steps = [(b - a) & 0xFFFFFFFF for (_, a), (_, b) in itertools.pairwise(by_number)]
    assert all(step < 90000 * pause_s for step in steps)
    assert stream.numbers == sorted(stream.numbers)


def _pictures(stream: Stream) -> list[tuple[int, int]]:
    """Picture id and TL0PICIDX of every frame that is still there, in order."""
    found = []
    for number in sorted(stream.packets):
        where = vp8.parse(stream.packets[number], 12)
        if where.begins_frame:
            found.append((where.picture, where.tl0))
    return found


def test_the_answer_takes_the_layers_as_they_were_offered() -> None:
    """A sender that finds no simulcast in the answer sends one size only."""
    world = World(seed=50)
    alice = simulcaster(world)

    assert [line for line in alice.answer.split("\r\n") if line.startswith(("a=rid:", "a=simulcast:"))] == [
        "a=rid:l recv",
        "a=rid:m recv",
        "a=rid:h recv",
        "a=simulcast:recv l;m;h",
    ]
    assert "rtp-stream-id" in alice.answer
    assert "repaired-rtp-stream-id" in alice.answer
    assert [layer.rid for layer in alice.video.layers] == ["l", "m", "h"]


def test_each_receiver_gets_the_size_at_which_it_is_shown() -> None:
    """A tile the size of a stamp does not need 1.7 Mbit/s."""
    world = World(seed=51)
    alice = simulcaster(world)
    alice.film()
    viewers = {view: world.subscriber(f"viewer{view.height}", [alice.video]) for view in (LARGE, MIDDLE, SMALL)}
    for view, viewer in viewers.items():
        _view(viewer, alice, view)
    world.run(3.0)

    for place, view in enumerate((SMALL, MIDDLE, LARGE)):
        stream = viewers[view].video_of(alice)
        assert set(places(stream)[-30:]) == {place}
        assert stream.longest_gap(world.now - 2, world.now) < 0.1
        _is_continuous(stream)
    assert [layer.height for layer in alice.video.layers] == [180, 360, 720]
    assert alice.video.layers[2].rate_bps > 1_000_000


def test_switching_up_and_down_is_not_noticed() -> None:
    """Sequence numbers, timestamps and picture numbers go on; a change begins with a key frame and nothing is missing before it."""
    world = World(seed=52)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    world.run(1.5)
    for view in (SMALL, LARGE, MIDDLE, SMALL, MIDDLE, LARGE):
        _view(bob, alice, view)
        world.run(1.5)

    stream = bob.video_of(alice)
    _is_continuous(stream)
    changes = [
        key
        for (_, a), (_, b), (_, _, key) in zip(stream.seen, stream.seen[1:], stream.frames[1:], strict=False)
        if a != b
    ]
    assert len(changes) >= 6
    assert all(changes)
    assert stream.longest_gap(world.now - 9, world.now) < 0.1
    assert stream.plis == stream.nacks == 0
    pictures = _pictures(stream)
    assert len(pictures) > 100
    for (a, a_tl0), (b, b_tl0) in itertools.pairwise(pictures):
        assert ((b - a) & 0x7FFF, (b_tl0 - a_tl0) & 0xFF) == (1, 1)
    world.assert_no_keystream_reuse()


def test_timestamps_go_on_by_the_senders_clock() -> None:
    """Each size counts from its own beginning. A jump at a switch would show as a stutter, or as sound beside the picture."""
    world = World(seed=53)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    world.run(2.5)
    for view in (SMALL, LARGE, SMALL, MIDDLE):
        _view(bob, alice, view)
        world.run(1.0)

    stream = bob.video_of(alice)
    stamps = sorted({number: stamp for _, number, stamp in stream.arrived}.items())
    shown = list(dict.fromkeys(stamp for _, stamp in stamps))
    exact = [(b - a) & 0xFFFFFFFF for a, b in itertools.pairwise(shown)][-110:]
    # a picture may come once in each size: then the second is one tick later
    assert all(step <= 1 + 9 or abs(step - 3000) <= 9 for step in exact)
    assert abs(sum(exact) - 3000 * (stream.numbers[-1] - stream.numbers[-111])) <= 3000 * 6
    newest = [r for _, r in bob.reports if r.ssrc == stream.ssrc][-1]
    at = newest.ntp / (1 << 32) - alice.ntp() / (1 << 32) + world.now
    frame_at, _, stamp = stream.arrived[-1]
    said = (stamp - newest.rtp_timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
    assert abs(at + said / 90000 - (frame_at - 0.04)) < 0.02


def test_before_any_report_timestamps_go_on_by_arrival() -> None:
    """The first switch comes sooner than the first sender report."""
    world = World(seed=54)
    alice = simulcaster(world)
    alice.reports = False
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    for view in (SMALL, LARGE, MIDDLE):
        _view(bob, alice, view)
        world.run(1.0)

    stream = bob.video_of(alice)
    _is_continuous(stream)
    shown = list(dict.fromkeys(stamp for _, _, stamp in stream.arrived))
    assert all(0 < (b - a) & 0xFFFFFFFF < 90000 * 0.2 for a, b in itertools.pairwise(shown))


def test_a_key_frame_is_asked_of_the_one_layer_that_is_wanted() -> None:
    """A key frame of the large size is large: those who look at the small one must not cost it."""
    world = World(seed=55)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    world.run(2.0)
    asked = {rid: alice.key_frames_asked_of(rid) for rid in "lmh"}

    _view(bob, alice, SMALL)
    world.run(1.0)
    bob.send_control(rtcp.receiver_report(1, ()) + rtcp.pli(1, bob.video_of(alice).ssrc))
    world.run(1.0)

    assert alice.key_frames_asked_of("l") == asked["l"] + 2
    assert (alice.key_frames_asked_of("m"), alice.key_frames_asked_of("h")) == (asked["m"], asked["h"])


def test_a_layer_that_dies_is_replaced_by_the_next_lower_one() -> None:
    """An encoder that has no bandwidth for the large size stops it; half a second later everybody sees the next one."""
    world = World(seed=56)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    carol = world.subscriber("carol", [alice.video])
    _view(carol, alice, MIDDLE)
    world.run(3.0)
    died = world.now
    alice.broken = {"h"}
    world.run(3.0)

    stream = bob.video_of(alice)
    assert size_at(stream, died + 0.6) == 1
    assert stream.longest_gap(died, world.now) < 0.55
    assert stream.numbers[-1] >= alice.number - 4
    assert carol.video_of(alice).longest_gap(died - 1, world.now) < 0.1
    assert alice.wanted == ("l", "m", "h")
    alice.broken = set()
    world.run(1.0)
    assert places(stream)[-1] == 2
    _is_continuous(stream)


def test_layers_that_nobody_wants_are_paused_and_come_back_at_once() -> None:
    """Encoding and sending what nobody looks at costs every sender's processor and upstream."""
    world = World(seed=57)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    carol = world.subscriber("carol", [alice.video])
    world.run(4.0)
    assert alice.wanted == ("l", "h")  # the smallest stays as long as anybody looks

    _view(bob, alice, SMALL)
    _view(carol, alice, SMALL)
    world.run(1.0)
    assert alice.wanted == ("l", "h")
    world.run(2.0)
    assert alice.wanted == ("l",)
    asked, keys = world.now, alice.sizes["m"].key_frames
    _view(bob, alice, MIDDLE)
    world.run(0.5)
    assert alice.wanted == ("l", "m")
    assert alice.sizes["m"].key_frames == keys + 1  # the one with which an encoder begins is enough
    assert size_at(bob.video_of(alice), asked + 0.5) == 1
    for viewer in (bob, carol):
        _view(viewer, alice, HIDDEN)
    world.run(3.0)
    assert alice.wanted == ()
    hidden = len(bob.video_of(alice).frames)
    world.run(1.0)
    assert len(bob.video_of(alice).frames) == hidden

    _view(bob, alice, LARGE)
    world.run(1.0)
    assert places(bob.video_of(alice))[-1] == 2
    _is_continuous(bob.video_of(alice), pause_s=5.0)
    said = [event.rids for event in alice.events if isinstance(event, Wanted)]
    assert said == [
        ("l", "m", "h"),
        ("l", "h"),
        ("l",),
        ("l", "m"),
        (),
        ("l", "h"),
    ]  # each change makes encoders begin anew: no detours


def test_a_muted_camera_is_muted_in_every_size() -> None:
    """Whatever the client goes on sending, and whatever size was on its way."""
    world = World(seed=58)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    world.run(2.0)
    _view(bob, alice, SMALL)
    alice.video.set_muted(True, world.now)
    world.run(0.1)
    stream = bob.video_of(alice)
    seen, arrived = len(stream.frames), len(stream.arrived)
    world.run(3.0)
    assert (len(stream.frames), len(stream.arrived)) == (seen, arrived)

    alice.video.set_muted(False, world.now)
    world.run(1.0)
    assert places(stream)[-1] == 0
    assert stream.frames[seen][2]
    _is_continuous(stream, pause_s=4.0)
    world.assert_no_keystream_reuse()


def test_a_recorder_gets_the_highest_layer_that_lives() -> None:
    """A file must not be a mixture: the recorder is told when another stream begins, and that begins with a key frame."""
    world = World(seed=59)
    alice = simulcaster(world)
    alice.film()
    tap = Listening()
    alice.video.set_tap(tap, world.now)
    world.run(3.0)
    assert alice.wanted[-1] == "h"
    restarts = tap.restarts
    before = len(tap.packets)
    alice.broken = {"h"}
    world.run(2.0)

    assert tap.restarts == restarts + 1
    sent = [alice.sizes["m"].sent.get(sequence) for sequence in tap.sequences[-20:]]
    assert all(sent)
    after = tap.contents[before:]
    first = next(p for p in after if vp8.keyframe_size(p[vp8.payload_at(p) :]))
    assert vp8.keyframe_size(first[vp8.payload_at(first) :]) == (640, 360)
    assert len(tap.reports) >= 2


def test_what_a_layer_lost_is_asked_for_and_repaired_by_its_name() -> None:
    """The retransmissions of three layers look alike but for the name of what they repair (RFC 8852)."""
    world = World(seed=60)
    alice = simulcaster(world)
    lossy(alice.up, 0.05)
    alice.film()
    viewers = [world.subscriber(f"viewer{view.height}", [alice.video]) for view in (LARGE, MIDDLE, SMALL)]
    for viewer, view in zip(viewers, (LARGE, MIDDLE, SMALL), strict=True):
        _view(viewer, alice, view)
    world.run(5.0)

    assert all(size.nacked for size in alice.sizes.values())
    for viewer in viewers:
        stream = viewer.video_of(alice)
        assert len(stream.frames) > 4.5 * 30
        _is_continuous(stream)
    world.assert_no_keystream_reuse()


def test_a_layer_that_begins_anew_under_another_ssrc_is_followed() -> None:
    """After a collision one layer changes its SSRC, and says so by its name; the others go on."""
    world = World(seed=61)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    carol = world.subscriber("carol", [alice.video])
    _view(carol, alice, SMALL)
    world.run(2.0)

    alice.sizes["h"].restart()
    restarted = world.now
    world.run(4.0)

    stream = bob.video_of(alice)
    assert places(stream)[-1] == 2
    assert stream.longest_gap(restarted, world.now) < 0.7  # meanwhile the next lower one
    assert carol.video_of(alice).longest_gap(restarted, world.now) < 0.1
    _is_continuous(stream)
    world.assert_no_keystream_reuse()


def test_switching_on_a_network_that_loses_a_tenth() -> None:
    """Key frames, requests for them, and names in headers get lost as anything else."""
    for seed in (62, 63):
        world = World(seed=seed)
        alice = simulcaster(world)
        bob = world.subscriber("bob", [alice.video])
        alice.make_bad(0.1)
        bob.make_bad(0.1)
        alice.film()
        world.run(2.0)
        for view in (SMALL, LARGE, MIDDLE, LARGE, SMALL):
            _view(bob, alice, view)
            world.run(2.5)
            assert places(bob.video_of(alice))[-1] == {LARGE: 2, MIDDLE: 1, SMALL: 0}[view], seed

        stream = bob.video_of(alice)
        assert len(stream.frames) > 14.5 * 30 * 0.8
        assert stream.numbers == sorted(stream.numbers)
        stamps = [stamp for _, stamp in sorted((number, stamp) for _, number, stamp in stream.arrived)]
        assert all((b - a) & 0xFFFFFFFF < 90000 * 2 for a, b in itertools.pairwise(stamps))
        world.assert_no_keystream_reuse()


def test_who_comes_late_gets_a_picture_at_once() -> None:
    """The smallest layer is there already; the one that is wanted had been paused."""
    world = World(seed=64)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    _view(bob, alice, SMALL)
    world.run(4.0)
    assert alice.wanted == ("l",)

    carol = world.subscriber("carol", [alice.video])
    joined = world.now
    world.run(1.5)

    stream = carol.video_of(alice)
    assert stream.frames[0][2]
    assert stream.frames[0][0] - joined < 0.3
    assert places(stream)[-1] == 2
    _is_continuous(stream)
    assert bob.video_of(alice).longest_gap(joined, world.now) < 0.1


def test_layers_listed_from_the_largest_are_put_in_order() -> None:
    """Senders list their sizes as they like: what a picture measures decides."""
    world = World(seed=65)
    alice = simulcaster(world, order=("h", "m", "l"))
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    world.run(1.0)
    _view(bob, alice, SMALL)
    world.run(1.0)

    assert [layer.rid for layer in alice.video.layers] == ["l", "m", "h"]
    assert "a=simulcast:recv h;m;l" in alice.answer
    assert places(bob.video_of(alice))[-1] == 0


def test_layers_listed_from_the_largest_are_put_in_order_before_the_largest_is_sent() -> None:
    """It may never be: an encoder with a slow line sends what it can, and small tiles need no more than the smallest."""
    world = World(seed=72)
    alice = simulcaster(world, order=("h", "m", "l"))
    alice.broken = {"h"}
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    _view(bob, alice, LARGE)
    world.run(2.0)
    assert places(bob.video_of(alice))[-1] == 1

    _view(bob, alice, SMALL)
    world.run(1.0)
    assert places(bob.video_of(alice))[-1] == 0

    alice.broken = set()
    _view(bob, alice, LARGE)
    world.run(3.0)
    assert places(bob.video_of(alice))[-1] == 2
    _is_continuous(bob.video_of(alice))


def test_layers_whose_pictures_do_not_tell_their_size_are_ordered_by_what_they_weigh() -> None:
    """As where parameter sets come by the way of descriptions, and not with the pictures."""
    world = World(seed=69)
    alice = simulcaster(world, order=("h", "l", "m"), codec="H264")
    alice.obeys = False
    alice.film()
    world.run(2.5)

    assert [layer.rid for layer in alice.video.layers] == ["l", "m", "h"]
    assert [alice.video.rank_for(lines) for lines in (0, 180, 360, 720, 2000)] == [-1, 0, 1, 2, 2]


def test_layers_that_were_announced_by_a_group_of_ssrcs_are_taken_too() -> None:
    """Older senders have no names for them; nothing can be paused there."""
    world = World(seed=66)
    alice = simulcaster(world, announce=True)
    alice.film()
    lossy(alice.up, 0.03)
    bob = world.subscriber("bob", [alice.video])
    _view(bob, alice, MIDDLE)
    world.run(4.0)

    assert places(bob.video_of(alice))[-1] == 1
    assert alice.wanted == ("l", "m", "h")
    assert sum(size.nacked for size in alice.sizes.values()) > 0
    _is_continuous(bob.video_of(alice))


def test_a_new_offer_does_not_forget_which_stream_is_which() -> None:
    """Names stand in the first packets only: after the next negotiation they do not come again."""
    world = World(seed=67)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    world.run(3.0)
    assert not any(size.is_named for rid, size in alice.sizes.items() if rid in alice.wanted)
    track = alice.video

    alice.negotiate()
    negotiated = world.now
    world.run(2.0)

    assert alice.video is track
    assert bob.video_of(alice).longest_gap(negotiated, world.now) < 0.1


def test_a_camera_that_is_switched_on_again_is_told_anew_what_is_wanted() -> None:
    """It is another track in the same section; its sender may still leave out what nobody wanted of the one before."""
    world = World(seed=70)
    alice = simulcaster(world)
    alice.film()
    bob = world.subscriber("bob", [alice.video])
    _view(bob, alice, SMALL)
    world.run(4.0)
    assert alice.wanted == ("l",)

    alice.wishes = {"0": alice.wishes["0"]}
    alice.negotiate()
    alice.wishes = {"0": alice.wishes["0"], "1": TrackWish("camera")}
    alice.negotiate()
    bob.receive_tracks([alice.video])
    world.run(1.0)

    assert alice.wanted == ("l", "m", "h")
    assert places(bob.by_track[alice.video.id])[-1] == 2


def test_a_player_gets_the_largest() -> None:
    """Who says nothing of tiles shows one picture, and that as large as it comes."""
    world = World(seed=68)
    alice = simulcaster(world)
    alice.film()
    player = world.player("tv", [alice.video])
    world.run(2.0)

    assert places(player.by_track["video"])[-1] == 2
