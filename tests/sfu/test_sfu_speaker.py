"""Who speaks, who leads, and whose sound is forwarded, from the loudness of packets."""

import itertools
import random
from collections.abc import Mapping, Sequence

from pymeet.sfu.speaker import SpeakerDetector, Speaking

STEP_S = 0.2
Levels = int | Sequence[int]


class Talk:
    """A room whose time goes by in steps of 200 ms: each is heard at a level, or at these one after the other."""

    def __init__(self) -> None:
        self.detector = SpeakerDetector()
        self.now = 0.0
        self.changes: list[tuple[float, Speaking]] = []

    def go_on(self, seconds: float, levels: Mapping[str, Levels]) -> list[Speaking]:
        """What changed meanwhile."""
        before = len(self.changes)
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            heard = {who: (level,) * 10 if isinstance(level, int) else tuple(level) for who, level in levels.items()}
            change = self.detector.update(heard, self.now)
            if change is not None:
                self.changes.append((self.now, change))
        return [change for _, change in self.changes[before:]]

    @property
    def dominant(self) -> str | None:
        return self.changes[-1][1].dominant if self.changes else None


def test_who_talks_becomes_the_speaker_and_stays_for_a_breath() -> None:
    """A frame that flickers with every syllable is worse than none. Who pauses leads on, but not for ever."""
    talk = Talk()

    assert talk.go_on(1.0, {"a": 92, "b": 0}) == [Speaking(("a",), "a")]
    assert talk.go_on(0.6, {"a": 0, "b": 0}) == []
    assert talk.go_on(2.0, {"a": 0, "b": 0}) == [Speaking((), "a")]
    assert talk.go_on(3.0, {"a": 0, "b": 0}) == [Speaking((), None)]


def test_a_cough_does_not_take_the_lead() -> None:
    """Who already leads stays in front of somebody about as loud."""
    talk = Talk()
    talk.go_on(2.0, {"a": 92, "b": 0})

    assert talk.go_on(2.0, {"a": 92, "b": 95})[-1] == Speaking(("a", "b"), "a")
    assert talk.go_on(2.0, {"a": 70, "b": 105})[-1].participants[0] == "b"


def test_a_word_in_a_pause_does_not_take_the_lead() -> None:
    """Volfin and Cohen: what counts is the last second, not the last syllable. The word is marked all the same."""
    talk = Talk()
    talk.go_on(2.0, {"a": 92, "b": 0})

    talk.go_on(0.4, {"a": 0, "b": 100})
    assert "b" in talk.changes[-1][1].participants
    talk.go_on(1.0, {"a": 92, "b": 0})

    assert {change.dominant for _, change in talk.changes} == {"a"}


def test_the_lead_passes_within_a_second_to_who_goes_on() -> None:
    """A question and its answer: later than that the pictures would limp behind."""
    talk = Talk()
    talk.go_on(3.0, {"a": 92, "b": 0})
    talk.go_on(0.4, {"a": 0, "b": 0})
    asked_at = talk.now

    talk.go_on(2.0, {"a": 0, "b": 90})

    passed_at = next(at for at, change in talk.changes if change.dominant == "b")
    assert 0.2 <= passed_at - asked_at <= 1.0


def test_two_who_talk_at_once_do_not_make_the_lead_go_to_and_fro() -> None:
    """Speech as it is: words of some 300 ms, gaps, levels that vary. Each time would be another picture for everybody."""
    chance = random.Random(5)
    talk = Talk()
    for _ in range(50):
        talk.go_on(STEP_S, {who: [chance.choice((60, 84, 88, 92, 96)) for _ in range(10)] for who in ("a", "b")})

    leaders = [change.dominant for _, change in talk.changes]
    assert sum(one != other for one, other in itertools.pairwise(leaders)) <= 2


def test_whoever_is_clearly_louder_for_a_second_takes_the_lead() -> None:
    """A television in the background speaks without a pause."""
    talk = Talk()
    talk.go_on(3.0, {"tv": 82, "b": 0})

    assert talk.go_on(0.4, {"tv": 82, "b": 100})[-1].dominant == "tv"
    assert talk.go_on(1.0, {"tv": 82, "b": 100})[-1].dominant == "b"


def test_noise_is_not_speech() -> None:
    """A fan, or a keyboard next door, is not a speaker. One as loud as speech leads nobody for long."""
    assert Talk().go_on(3.0, {"a": 64}) == []
    talk = Talk()
    talk.go_on(40.0, {"fan": 85, "b": 0})
    talk.go_on(1.0, {"fan": 85, "b": [90, 90, 70, 90, 90] * 2})
    assert talk.dominant == "b"


def test_short_packets_long_packets_and_no_packets_count_alike() -> None:
    """60 ms each make three in a step, 10 ms make twenty; with DTX one comes now and then and says that it is quiet."""
    for levels in ([92] * 3, [92] * 20):
        assert Talk().go_on(1.0, {"a": levels}) == [Speaking(("a",), "a")]
    talk = Talk()
    talk.go_on(1.0, {"a": 92, "b": []})
    talk.go_on(1.4, {"a": [30], "b": 92})
    assert talk.dominant == "b"


def test_who_left_is_forgotten() -> None:
    """Ids of people who are gone neither lead nor use memory."""
    talk = Talk()
    talk.go_on(1.0, {"a": 92})

    assert talk.go_on(STEP_S, {}) == [Speaking((), None)]
    assert not talk.detector._people
