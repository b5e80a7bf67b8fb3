"""How well connections work: from what the server measures to what the room is told, without flicker."""

import pytest

from pymeet.rooms.events import QualityChanged
from pymeet.rooms.joining import Resume
from pymeet.rooms.people import Kind
from pymeet.rooms.quality import Cause, Grade, Quality, Reading, Verdict, judge
from pymeet.sfu.budget import Figures
from tests.rooms.conftest import Ear, Stage

GOOD = Reading(0.01, 0.02, 60, 10, 1_000_000, 1_500_000)
LOSSY = Reading(sent_loss=0.08)
BROKEN = Reading(sent_loss=0.3)
NARROW = Reading(target_bps=400_000, demand_bps=1_000_000)


@pytest.mark.parametrize(
    ("reading", "verdict"),
    [
        (Reading(), None),
        (GOOD, None),
        (LOSSY, Verdict(Grade.WEAK, Cause.SENDING)),
        (BROKEN, Verdict(Grade.POOR, Cause.SENDING)),
        (Reading(0.0, 0.06), Verdict(Grade.WEAK, Cause.RECEIVING)),
        (Reading(0.06, 0.2), Verdict(Grade.POOR, Cause.RECEIVING)),
        (Reading(round_trip_ms=600), Verdict(Grade.WEAK, Cause.DELAY)),
        (Reading(round_trip_ms=1200), Verdict(Grade.POOR, Cause.DELAY)),
        (NARROW, Verdict(Grade.WEAK, Cause.NARROW)),
        (Reading(target_bps=None, demand_bps=1_000_000), None),
    ],
)
def test_a_connection_is_as_bad_as_what_is_worst_of_it(reading: Reading, verdict: Verdict | None) -> None:
    """The cause is what people read."""
    assert judge(reading) == verdict


def after(*readings: Reading) -> list[Grade | None]:
    """The grades after each of these readings."""
    quality = Quality()
    grades = []
    for reading in readings:
        quality.take(reading)
        grades.append(None if quality.verdict is None else quality.verdict.grade)
    return grades


def test_one_bad_moment_is_no_bad_connection_and_one_good_one_no_recovery() -> None:
    """A mark that comes and goes says nothing."""
    assert after(BROKEN, GOOD, BROKEN, GOOD) == [None] * 4
    assert after(BROKEN, BROKEN, GOOD, GOOD, GOOD) == [None, Grade.POOR, Grade.POOR, Grade.POOR, None]
    assert after(LOSSY, BROKEN, LOSSY, BROKEN, LOSSY) == [None] + [Grade.POOR] * 4


def test_a_connection_that_is_still_being_explored_is_not_called_narrow() -> None:
    """What a path carries is found out in some seconds; every call would begin with a mark."""
    assert after(NARROW, NARROW, NARROW, GOOD) == [None] * 4
    assert after(NARROW, NARROW, NARROW, NARROW)[-1] is Grade.WEAK


def pass_rounds(stage: Stage, count: int = 1) -> None:
    """Lets everybody's connection be read so many times, and told; the room may be in the midst of a round."""
    for _ in range(10 * count + 10):
        stage.clock.advance(0.2)
        stage.live.tick()


def told(ear: Ear) -> list[dict[str, tuple[str, str]]]:
    """What somebody was told of everybody's connections, oldest first."""
    heard = (event for event in ear.heard if isinstance(event, QualityChanged))
    return [{who: (verdict.grade.value, verdict.cause.value) for who, verdict in event.verdicts} for event in heard]


async def test_everybody_is_told_of_a_bad_connection_once_and_of_its_end(stage: Stage) -> None:
    """Also the one whose it is; nobody is told the same again."""
    ann, ann_ear = await stage.join("Ann")
    _, bob_ear = await stage.join("Bob")
    await stage.publish(ann, "microphone")
    stage.media.publisher_of(ann.id).losses = [(100, 20)]

    pass_rounds(stage, 5)
    assert told(ann_ear) == told(bob_ear) == [{ann.id: ("poor", "sending")}]
    assert stage.registry.graded(Grade.POOR) == 1

    stage.media.publisher_of(ann.id).losses = [(100, 0)]
    pass_rounds(stage, 5)
    assert told(bob_ear) == [{ann.id: ("poor", "sending")}, {}]
    assert not any(stage.registry.graded(grade) for grade in Grade)


async def test_what_somebody_receives_counts_as_theirs(stage: Stage) -> None:
    """Who does not hear the others well is marked, not those whom they do not hear."""
    ann, ann_ear = await stage.join("Ann")
    bob, _ = await stage.join("Bob")
    await stage.publish(ann, "camera")
    stage.media.subscriber_of(bob.id).measured = Figures(900_000, 900_000, 0.1, 20, 1_000_000, 80)

    pass_rounds(stage, 2)

    assert told(ann_ear) == [{bob.id: ("weak", "receiving")}]
    assert bob.quality.reading == Reading(None, 0.1, 80, 20, 900_000, 1_000_000)


async def test_when_the_others_fall_silent_nobody_stays_marked(stage: Stage) -> None:
    """What nothing is sent over is as good as any, and what it was like before is forgotten."""
    ann, ann_ear = await stage.join("Ann")
    bob, _ = await stage.join("Bob")
    await stage.publish(ann, "camera")
    receiver = stage.media.subscriber_of(bob.id)
    receiver.measured = Figures(900_000, 900_000, 0.1, 20, 1_000_000, 80)
    pass_rounds(stage, 2)

    receiver.is_at_rest, receiver.measured = True, Figures(900_000, 0, 0.0, 0, 1_000_000, None)
    pass_rounds(stage, 5)

    assert told(ann_ear) == [{bob.id: ("weak", "receiving")}, {}]
    assert bob.quality.reading == Reading(None, 0.0, None, 0, 900_000, 1_000_000)


async def test_of_who_stopped_sending_after_one_bad_moment_nothing_is_kept(stage: Stage) -> None:
    """The loss was no verdict yet, and is none of what they send next."""
    ann, ear = await stage.join("Ann")
    await stage.publish(ann, "camera")
    stage.media.publisher_of(ann.id).losses = [(100, 20)]
    while ann.quality.reading.sent_loss is None:
        stage.live.tick()
    assert ann.quality.verdict is None

    stage.live.lose(ann.id, ear)
    await stage.join("Ann", resume=Resume(ann.token, False, None))
    pass_rounds(stage)

    assert ann.quality.reading.sent_loss is None


async def test_a_picture_that_is_repaired_does_not_hide_what_the_sound_loses(stage: Stage) -> None:
    """There are many more packets of a picture, and of the sound nothing comes a second time."""
    ann, ear = await stage.join("Ann")
    await stage.publish(ann, "microphone")
    stage.media.publisher_of(ann.id).losses = [(100, 25), (600, 3)]

    pass_rounds(stage, 3)

    assert ann.quality.reading.sent_loss == 0.25
    assert told(ear) == [{ann.id: ("poor", "sending")}]


async def test_a_lost_packet_of_ten_says_nothing(stage: Stage) -> None:
    """Who is silent sends next to nothing, and one lost packet would be a bad connection."""
    ann, ear = await stage.join("Ann")
    await stage.publish(ann, "microphone")
    stage.media.publisher_of(ann.id).losses = [(10, 5)]

    pass_rounds(stage, 3)

    assert told(ear) == []


async def test_who_comes_or_comes_back_is_told_what_the_others_know(stage: Stage) -> None:
    """A new `joined` stands for an empty list."""
    ann, _ = await stage.join("Ann")
    await stage.publish(ann, "microphone")
    stage.media.publisher_of(ann.id).losses = [(100, 20)]
    pass_rounds(stage, 2)

    bob, bob_ear = await stage.join("Bob")
    pass_rounds(stage)
    stage.live.lose(bob.id, bob_ear)
    _, again = await stage.join("Bob", resume=Resume(bob.token, True, None))
    pass_rounds(stage)

    assert told(bob_ear) == told(again) == [{ann.id: ("poor", "sending")}]


async def test_streams_and_players_are_measured_like_everybody(stage: Stage) -> None:
    """They have no page that could look for itself."""
    encoder, _ = await stage.join("Encoder", kind=Kind.PUBLISHER)
    _, ear = await stage.join("Ann")
    await stage.publish(encoder, "camera")
    stage.media.publisher_of(encoder.id).losses = [(500, 40)]

    pass_rounds(stage, 2)

    assert told(ear) == [{encoder.id: ("weak", "sending")}]
