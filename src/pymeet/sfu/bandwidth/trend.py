"""Whether a queue builds up on the path: the gradient of the one-way delay by a trend line.

After G. Carlucci et al., "Analysis and design of the Google congestion control for WebRTC" (MMSys 2016), sections 4.2 and 4.3, and
draft-ietf-rmcat-gcc-02 section 5. Where those filter the noise of single packets, this looks at the least delay of each group.
"""

from operator import mul
from typing import Literal

from pymeet.sfu.bandwidth.groups import Group

_WINDOW = 10
_LEAST_POINTS = 4
_THRESHOLD, _LEAST_THRESHOLD, _MOST_THRESHOLD = 0.05, 0.02, 0.4
_SPIKE = 0.3
_PERSISTS = 2
_NO_QUEUE_S = 0.015
_BASE_S = 15.0

State = Literal["normal", "over", "under"]


class DelayTrend:
    """Fed with groups, says how the queue on the path develops."""

    def __init__(self) -> None:
        self.state: State = "normal"
        self.queue_s = 0.0
        """How much longer packets are under way than the fastest of the last 15 to 30 s."""
        self.gradient = 0.0
        """Seconds of delay that are added per second."""
        self.threshold = _THRESHOLD
        self._times: list[float] = []
        self._delays: list[float] = []
        self._rising = 0
        self._least = self._least_before = float("inf")
        self._least_since = 0.0

    def add(self, group: Group, jitter_s: float) -> None:
        """Takes the next group and judges anew. `jitter_s` is how far apart the delays within a group are."""
        delay = group.delay_s
        self._measure_queue(group.sent_at, delay)
        is_rising = bool(self._delays) and delay > self._delays[-1]
        self._times.append(group.sent_at)
        self._delays.append(delay)
        if len(self._times) < _LEAST_POINTS:
            return
        if len(self._times) > _WINDOW:
            del self._times[0], self._delays[0]
        self.gradient = _slope(self._times, self._delays)
        threshold = max(self.threshold, _LEAST_THRESHOLD + jitter_s / 2)
        if self.gradient > threshold and is_rising and self.queue_s > max(_NO_QUEUE_S, jitter_s / 2):
            self._rising += 1
            self.state = "over" if self._rising >= _PERSISTS else "normal"
        else:
            self._rising = 0
            self.state = "under" if self.gradient < -self.threshold else "normal"
        self._adapt()

    def is_calm(self, delay_s: float) -> bool:
        """Whether no queue is known of, and a packet that was under way for so long speaks of none."""
        return (
            self.state == "normal"
            and len(self._times) >= _LEAST_POINTS
            and self.queue_s < _NO_QUEUE_S
            and delay_s - min(self._least, self._least_before) < _NO_QUEUE_S
        )

    def forget(self) -> None:
        """Nothing was sent for a while: what was seen of a queue is over."""
        self.state, self.queue_s, self._rising = "normal", 0.0, 0
        self._times.clear()
        self._delays.clear()

    def _measure_queue(self, at: float, delay: float) -> None:
        if at - self._least_since > _BASE_S:
            self._least_before, self._least, self._least_since = self._least, delay, at
        self._least = min(self._least, delay)
        self.queue_s = delay - min(self._least, self._least_before)

    def _adapt(self) -> None:
        """The threshold follows what is usual on this path, else a neighbour that fills the queue would starve us."""
        magnitude = abs(self.gradient)
        if magnitude - self.threshold < _SPIKE:
            self.threshold += (0.06 if magnitude > self.threshold else 0.02) * (magnitude - self.threshold)
            self.threshold = min(_MOST_THRESHOLD, max(_LEAST_THRESHOLD, self.threshold))


def _slope(times: list[float], values: list[float]) -> float:
    """Of the line that fits best by least squares."""
    count = len(times)
    begin = times[0]
    x = [t - begin for t in times]
    first = values[0]
    y = [v - first for v in values]
    sum_x, sum_y = sum(x), sum(y)
    spread = count * sum(map(mul, x, x)) - sum_x * sum_x
    return (count * sum(map(mul, x, y)) - sum_x * sum_y) / spread if spread > 0 else 0.0
