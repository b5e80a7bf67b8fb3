"""How well somebody's connection works: what the server measured of it becomes a verdict that does not flicker. Pure.

The bounds of loss and delay are those by which pages judge what they receive (`js/models/quality.js`).
"""

from dataclasses import dataclass
from enum import StrEnum

_LOST = (0.05, 0.15)
_ROUND_TRIP_MS = (500, 1000)
_NARROW = 0.5
_WORSE_AFTER, _BETTER_AFTER = 2, 3
_NARROW_AFTER = 4  # every connection begins carefully: what it carries is found out in some seconds


class Grade(StrEnum):
    """Of a connection that is not good."""

    WEAK = "weak"
    POOR = "poor"


class Cause(StrEnum):
    """What is wrong with it."""

    SENDING = "sending"
    """What they send is lost on the way to the server."""
    RECEIVING = "receiving"
    """What others send is lost on the way to them."""
    DELAY = "delay"
    """Everything takes long."""
    NARROW = "narrow"
    """It carries less than half of what they want to see."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured of one person's connections in about two seconds; None for what nobody knows."""

    sent_loss: float | None = None
    """Share of the packets they sent that never came, 0 to 1: of the track of which it is most. Many of a picture, which are
    repaired, would hide those of the sound, which are not."""
    received_loss: float | None = None
    """Share of the packets sent to them that was lost, 0 to 1."""
    round_trip_ms: int | None = None
    queue_ms: int | None = None
    """For how long packets to them stand in a queue on the way."""
    target_bps: int | None = None
    """What may be sent to them; None where nothing limits it."""
    demand_bps: int | None = None
    """What everything would need that they want to see and hear."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How bad a connection is, and why first of all."""

    grade: Grade
    cause: Cause


def judge(reading: Reading) -> Verdict | None:
    """What one reading says; None for a good connection."""
    steps = {
        Cause.SENDING: _step(reading.sent_loss, _LOST),
        Cause.RECEIVING: _step(reading.received_loss, _LOST),
        Cause.DELAY: _step(reading.round_trip_ms, _ROUND_TRIP_MS),
        Cause.NARROW: int((reading.target_bps or 0) < _NARROW * (reading.demand_bps or 0) and bool(reading.target_bps)),
    }
    cause = max(steps, key=lambda each: steps[each])  # of equals the first
    return Verdict(list(Grade)[steps[cause] - 1], cause) if steps[cause] else None


def _step(value: float | None, bounds: tuple[float, float]) -> int:
    return 0 if value is None else sum(value >= bound for bound in bounds)


class Quality:
    """Of one person's connections. One bad moment is no bad connection, and one good moment none that is well again."""

    def __init__(self) -> None:
        self.reading = Reading()
        self.verdict: Verdict | None = None
        """None for a good connection."""
        self._is_worse = False
        self._times = 0

    def take(self, reading: Reading) -> None:
        """A new reading, about two seconds after the one before."""
        self.reading = reading
        found = judge(reading)
        if found == self.verdict:
            self._times = 0
            return
        is_worse = _badness(found) > _badness(self.verdict)
        self._times = self._times + 1 if is_worse is self._is_worse else 1
        self._is_worse = is_worse
        is_narrow = found is not None and found.cause is Cause.NARROW
        if self._times >= (_BETTER_AFTER if not is_worse else _NARROW_AFTER if is_narrow else _WORSE_AFTER):
            self.verdict = found
            self._times = 0


def _badness(verdict: Verdict | None) -> int:
    return 0 if verdict is None else 1 + list(Grade).index(verdict.grade)
