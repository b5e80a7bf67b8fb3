"""When something was said or shown, in milliseconds of the recording, from RTP timestamps (RFC 3550 section 6.4.1). Pure.

Three clocks meet: that of a sound card or camera (RTP timestamps), that of the publisher's computer (NTP, in sender reports)
and ours. A line through the newest reports leads from the first to the second; it takes in a sound card that is off. The
smallest recent delay leads from the second to the third, and is the same for everything one publisher sends: so lips match.
"""

from collections import deque

_RISE = 500e-6
"""How fast the smallest delay may grow again, in seconds per second: as far as two clocks of computers may drift apart."""
_STEP_S = 1.0
_STEP_AFTER_S = 5.0
"""Delays this much larger for this long: a clock was set, or the stream began anew."""
_MAX_REPORTS = 64
_REPORTS_APART_S = 0.5
_SLOPE_NEEDS_S = 30.0
_MAX_SKEW = 1000e-6
_OUTLIER_S = 0.06
_SLEW = 0.02
"""How fast what was told is corrected, in seconds per second; nobody sees or hears it."""
_JUMP_S = 0.25
"""A difference that is not slewed away but made good at once."""
_EARLIEST_S, _LATEST_S = 10.0, 0.5
"""How long before its arrival something may have happened, and how long after it: beyond that, reports are not believed."""


class LeastDelay:
    """The smallest recent difference between our clock and another: what is left without the delays on the way."""

    def __init__(self) -> None:
        self.value: float | None = None
        self._updated_at = 0.0
        self._above_since: float | None = None
        self._above_least = 0.0

    def update(self, sample: float, now: float) -> float:
        """Takes our time less theirs, in seconds, for something that arrived at `now`; returns the new value."""
        if self.value is None:
            self.value, self._updated_at = sample, now
            return sample
        risen = self.value + _RISE * max(0.0, now - self._updated_at)
        self._updated_at = now
        self.value = min(sample, risen)
        if sample - risen < _STEP_S:
            self._above_since = None
        elif self._above_since is None:
            self._above_since, self._above_least = now, sample
        else:
            self._above_least = min(self._above_least, sample)
            if now - self._above_since > _STEP_AFTER_S:
                self.value, self._above_since = self._above_least, None
        return self.value


class MediaClock:
    """The clock of one stream. `publisher` is shared by all streams of the same publisher, `rate` is that of RTP timestamps in Hz.

    `zero_s` is the beginning of the recording, in the monotonic seconds in which arrivals are given.
    """

    def __init__(self, publisher: LeastDelay, rate: int, zero_s: float) -> None:
        self._publisher = publisher
        self.rate = rate
        self._zero_s = zero_s
        self._last_ms = -1
        self._arrived_at = zero_s
        self.restart()

    def restart(self) -> None:
        """The timestamps that follow are unrelated to those before; the milliseconds go on rising."""
        self._extended: int | None = None
        self._arrivals = LeastDelay()
        self._reports: deque[tuple[float, float]] = deque(maxlen=_MAX_REPORTS)  # both in seconds: media time, NTP
        self._suspect: tuple[float, float] | None = None
        self._line: tuple[float, float, float] | None = None  # media time, our time, our seconds per second of media
        self._shift: float | None = None
        self._told_at = 0.0

    def arrived(self, timestamp: int, now: float) -> None:
        """A packet with this timestamp came at `now`. Serves as long as there are no reports."""
        media = self._unwrap(timestamp)
        self._arrived_at = now
        if self._line is None:
            self._arrivals.update(now - media, now)

    def reported(self, ntp: int, timestamp: int, now: float) -> None:
        """The publisher says that its clock (64-bit NTP) and the timestamp name the same moment; it came at `now`."""
        if not ntp:
            return  # a sender without a clock (RFC 3550 section 6.4.1)
        media, theirs = self._unwrap(timestamp), ntp / 2**32
        delay = self._publisher.update(now - theirs, now)
        if self._reports and abs(theirs - self._reports[-1][1]) < _REPORTS_APART_S:
            return
        if self._reports and not self._agrees(media, theirs):
            return
        self._reports.append((media, theirs))
        at, ntp_there, slope = self._fit()
        self._line = at, ntp_there + delay, slope

    def at(self, timestamp: int) -> int:
        """Milliseconds of the recording at which this was taken up. Every call gives more than the one before."""
        media = self._unwrap(timestamp)
        target = self._target(media)
        elapsed, self._told_at = max(0.0, media - self._told_at), media
        if self._shift is None or abs(target - self._shift) > _JUMP_S:
            self._shift = target
        else:
            limit = _SLEW * elapsed
            self._shift += max(-limit, min(limit, target - self._shift))
        self._last_ms = max(self._last_ms + 1, round((media + self._shift - self._zero_s) * 1000))
        return self._last_ms

    def _target(self, media: float) -> float:
        """Our time less media time, as far as is known now."""
        if self._line is not None:
            at, ours, slope = self._line
            there = ours + (media - at) * slope
            if self._arrived_at - _EARLIEST_S < there < self._arrived_at + _LATEST_S:
                return there - media
        elif self._arrivals.value is not None and media + self._arrivals.value < self._arrived_at + _LATEST_S:
            return self._arrivals.value
        return self._arrived_at - media

    def _agrees(self, media: float, theirs: float) -> bool:
        """Whether a report lies near the line of those before. Two that lie elsewhere, together, begin a new line."""
        if abs(self._theirs_at(media) - theirs) < _OUTLIER_S:
            self._suspect = None
            return True
        suspect, self._suspect = self._suspect, (media, theirs)
        if suspect is None or abs((media - suspect[0]) - (theirs - suspect[1])) > _OUTLIER_S:
            return False
        self._reports.clear()
        self._reports.append(suspect)
        self._suspect = None
        return True

    def _theirs_at(self, media: float) -> float:
        at, there, slope = self._fit()
        return there + (media - at) * slope

    def _fit(self) -> tuple[float, float, float]:
        """The line through the reports by least squares: a point of it (media time, NTP seconds) and its slope."""
        count = len(self._reports)
        media_0, theirs_0 = self._reports[0]
        x = [m - media_0 for m, _ in self._reports]
        y = [t - theirs_0 for _, t in self._reports]
        mean_x, mean_y = sum(x) / count, sum(y) / count
        slope = 1.0
        if x[-1] > _SLOPE_NEEDS_S:
            square = sum((a - mean_x) ** 2 for a in x)
            slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / square
            if abs(slope - 1) > _MAX_SKEW:
                slope = 1.0
        return media_0 + mean_x, theirs_0 + mean_y, slope

    def _unwrap(self, timestamp: int) -> float:
        """Seconds of media time: the timestamp counted on past its 32 bits."""
        if self._extended is None:
            self._extended = timestamp + (1 << 32)  # a moment earlier may come second
        step = (timestamp - self._extended) & 0xFFFFFFFF
        self._extended += step - (1 << 32) if step & 0x80000000 else step
        return self._extended / self.rate
