"""Times of a recording from RTP timestamps: lips match for hours, whatever sound cards, networks and clocks do."""

import itertools
import random
from dataclasses import dataclass, field

import pytest

from pymeet.recording.media_clock import LeastDelay, MediaClock

ZERO = 5000.0
NTP = 3_900_000_000.0


@dataclass
class Sender:
    """A microphone and a camera of one computer, whose clock is off by `ppm` and whose sound card by `card_ppm` more."""

    card_ppm: float = 0.0
    ppm: float = 0.0
    jitter_s: float = 0.0
    report_noise_s: float = 0.0
    reports: bool = True
    delay_s: float = 0.03
    draw: random.Random = field(default_factory=lambda: random.Random(7))

    def run(self, seconds: float, *, starts: float = 0.0) -> list[tuple[float, str, float]]:
        """Records; returns (true time since zero, kind, told time since zero), in seconds. `starts` is when recording begins."""
        publisher = LeastDelay()
        clocks = {"audio": MediaClock(publisher, 48000, ZERO), "video": MediaClock(publisher, 90000, ZERO)}
        rates = {"audio": 48000 * (1 + self.card_ppm * 1e-6), "video": 90000.0}
        offsets = {"audio": 0xFFFF_0000, "video": 123_456}
        told = []
        t, reported = starts, {"audio": starts - 4.0, "video": starts - 0.5}
        frame = 0
        while t < starts + seconds:
            for kind, each in (("audio", 5), ("video", 8)):
                if frame % each:
                    continue
                own = t * (1 + self.ppm * 1e-6)
                stamp = round(offsets[kind] + own * rates[kind]) & 0xFFFFFFFF
                now = ZERO + t + self.delay_s + self.draw.random() * self.jitter_s
                clocks[kind].arrived(stamp, now)
                if self.reports and t - reported[kind] >= (5.0 if kind == "audio" else 1.0):
                    reported[kind] = t
                    noise = self.draw.uniform(-1, 1) * self.report_noise_s
                    clocks[kind].reported(int((NTP + own + noise) * 2**32), stamp, now)
                told.append((t, kind, clocks[kind].at(stamp) / 1000))
            frame += 1
            t += 0.02 / 5
        return told


def lips(told: list[tuple[float, str, float]]) -> list[float]:
    """How far the picture stands apart from the sound of the same moment, in milliseconds, sorted."""
    sound = {round(t, 3): at for t, kind, at in told if kind == "audio"}
    apart = [
        abs((at - t) - (sound[round(t, 3)] - t)) for t, kind, at in told if kind == "video" and round(t, 3) in sound
    ]
    return sorted(1000 * a for a in apart)


@pytest.mark.parametrize("card_ppm", [-200.0, 0.0, 200.0])
def test_lips_match_after_an_hour_with_a_sound_card_that_is_off(card_ppm: float) -> None:
    """200 ppm are 0.7 s an hour: without the reports nobody could watch the end."""
    told = Sender(card_ppm=card_ppm, ppm=30.0, jitter_s=0.04, report_noise_s=0.01).run(3600.0)

    assert lips([x for x in told if x[0] > 10.0])[-1] < 40
    late = lips([x for x in told if x[0] > 3000.0])
    assert late[int(len(late) * 0.95)] < 15


def test_what_is_told_does_not_drift_from_our_own_clock() -> None:
    """Two people whose computers' clocks differ must not talk past each other at the end of the film."""
    told = Sender(card_ppm=200.0, ppm=-80.0, jitter_s=0.02).run(1800.0)

    def error_at(moment: float) -> float:
        errors = [at - t for t, kind, at in told if kind == "audio" and moment < t < moment + 20]
        return sum(errors) / len(errors)

    assert abs(error_at(600) - error_at(30)) < 0.010
    assert abs(error_at(1700) - error_at(1100)) < 0.010


def test_without_reports_arrivals_serve() -> None:
    """Some senders never report; their sound card may be off as well."""
    told = Sender(card_ppm=150.0, jitter_s=0.05, reports=False).run(1800.0)

    errors = [abs(at - t - 0.03) for t, _, at in told if t > 30]
    assert max(errors) < 0.04


def test_times_only_rise_and_never_jump() -> None:
    """A muxer refuses times that go back; a jump would be heard."""
    for kind in ("audio", "video"):
        told = [at for _, k, at in Sender(card_ppm=200.0, jitter_s=0.1, report_noise_s=0.02).run(120.0) if k == kind]
        steps = [b - a for a, b in itertools.pairwise(told)]
        usual = 0.02 if kind == "audio" else 0.032
        assert min(steps) >= 0.001
        assert all(abs(step - usual) < 0.004 for step in steps)


def test_timestamps_wrap() -> None:
    """They do so every 24 hours of sound and every 13 of picture, and begin anywhere."""
    clock = MediaClock(LeastDelay(), 48000, ZERO)
    stamps = [(0xFFFFFF00 + 960 * i) & 0xFFFFFFFF for i in range(100)]
    told = []
    for i, stamp in enumerate(stamps):
        clock.arrived(stamp, ZERO + 1 + i * 0.02)
        told.append(clock.at(stamp))

    assert told == [1000 + 20 * i for i in range(100)]


def test_a_long_silence_leaves_a_hole_of_its_length() -> None:
    """Muted for twenty minutes, or quiet by DTX: who speaks then speaks then."""
    clock = MediaClock(LeastDelay(), 48000, ZERO)
    clock.arrived(0, ZERO + 1)
    clock.reported(int(NTP * 2**32), 0, ZERO + 1)
    assert clock.at(0) == 1000

    clock.arrived(1200 * 48000, ZERO + 1201)

    assert clock.at(1200 * 48000) == 1201_000


def test_a_jump_of_timestamps_is_taken_at_once() -> None:
    """A device was changed and the sender's timestamps leap: the recording goes on where it is."""
    clock = MediaClock(LeastDelay(), 90000, ZERO)
    for i in range(10):
        clock.arrived(3000 * i, ZERO + 1 + i / 30)
        clock.reported(int((NTP + i / 30) * 2**32), 3000 * i, ZERO + 1 + i / 30)
        clock.at(3000 * i)

    leaped = 3_000_000_000
    clock.arrived(leaped, ZERO + 2)

    assert abs(clock.at(leaped) - 2000) < 100


def test_a_restarted_stream_goes_on_in_time() -> None:
    """Another SSRC has timestamps of its own; times go on rising from where they were."""
    clock = MediaClock(LeastDelay(), 48000, ZERO)
    clock.arrived(960, ZERO + 1)
    before = clock.at(960)
    clock.restart()
    clock.arrived(77, ZERO + 3)

    assert before == 1000
    assert clock.at(77) == 3000


def test_a_single_false_report_is_passed_over_and_a_new_clock_believed() -> None:
    """One report may be nonsense; when a computer's clock was set, all that follow say so."""
    publisher = LeastDelay()
    clock = MediaClock(publisher, 90000, ZERO)
    told = []
    for i in range(600):
        now = ZERO + i
        clock.arrived(90000 * i, now)
        wrong = 30.0 if i == 100 or i > 300 else 0.0
        clock.reported(int((NTP + i + wrong) * 2**32), 90000 * i, now)
        told.append(clock.at(90000 * i) - 1000 * i)

    assert max(abs(error) for error in told) < 60


@pytest.mark.parametrize("ntp", [0, 1, 2**64 - 1])
def test_reports_that_cannot_be_are_survived(ntp: int) -> None:
    """A peer may write anything into a report: it can spoil only its own times, and not beyond its arrivals."""
    clock = MediaClock(LeastDelay(), 90000, ZERO)
    told = []
    for i in range(100):
        now = ZERO + i / 10
        clock.arrived(9000 * i, now)
        clock.reported(ntp, random.Random(i).randrange(1 << 32), now)
        told.append(clock.at(9000 * i))

    assert all(0 <= at <= 100 * i + 600 for i, at in enumerate(told))
    assert told == sorted(set(told))


def test_no_timestamps_lead_into_the_future() -> None:
    """A packet is held back while others arrive half a turn of the timestamps ahead, which nobody does who means well: a
    track of a minute must not seem to last for days, or a film of it would be made for as long."""
    clock = MediaClock(LeastDelay(), 90_000, 1000.0)
    for timestamp in (0, 0x7FFFFFFF, 0xFFFFFFFE):
        clock.arrived(timestamp, 1010.0)

    assert max(clock.at(timestamp) for timestamp in (0, 0x7FFFFFFF, 0xFFFFFFFE)) < 12_000
