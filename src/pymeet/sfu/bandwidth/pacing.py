"""What is not live media leaves evenly: repairs at a share of what the path carries, probes at the rate that they try.

Live media is not held back: it was chosen to fit.
"""

from collections import deque
from typing import NamedTuple

TICK_S = 0.005
"""How often something leaves while there is something to send."""
_REPAIR_SHARE = 0.5
_BURST_S = 0.02
_LEAST_BURST_BYTES = 3000.0
_OLDEST_S = 0.4
_MOST_WAITING = 512


class Repair(NamedTuple):
    """A packet that the receiver asked for: the sequence number that it had in the stream with this SSRC."""

    ssrc: int
    number: int


class RepairPacer:
    """Repairs wait here for their turn, at most 0.4 s: then they would come too late, and are asked for again where they matter."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Repair, float]] = deque()
        self._asked: set[Repair] = set()
        self._allowance_bytes = _LEAST_BURST_BYTES
        self._at = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def ask(self, repair: Repair, now: float) -> None:
        """One more; what already waits is not repeated, what does not fit is dropped."""
        if repair not in self._asked and len(self._waiting) < _MOST_WAITING:
            self._asked.add(repair)
            self._waiting.append((repair, now))

    def next(self, target_bps: float, now: float) -> Repair | None:
        """The repair that may leave now; `spent` is to be told its size."""
        bytes_per_s = target_bps * _REPAIR_SHARE / 8
        burst = max(_LEAST_BURST_BYTES, bytes_per_s * _BURST_S)
        self._allowance_bytes = min(burst, self._allowance_bytes + bytes_per_s * (now - self._at))
        self._at = now
        while self._waiting and self._allowance_bytes > 0:
            repair, asked_at = self._waiting.popleft()
            self._asked.discard(repair)
            if now - asked_at <= _OLDEST_S:
                return repair
        return None

    def spent(self, size_bytes: int) -> None:
        """So much has left."""
        self._allowance_bytes -= size_bytes


class ProbePacer:
    """How much padding is missing at each moment of a probe."""

    def __init__(self) -> None:
        self._bps = 0.0
        self._from = self._until = 0.0

    def begin(self, bps: float, duration_s: float, now: float) -> None:
        """A probe begins."""
        self._bps, self._from, self._until = bps, now, now + duration_s

    def is_running(self, now: float) -> bool:
        """Whether a probe is being sent."""
        return now <= self._until

    def missing_bytes(self, sent_bytes: int, now: float) -> int:
        """What is to be added now, `sent_bytes` having left since the probe began."""
        if not self.is_running(now):
            return 0
        return max(0, round(self._bps / 8 * (now - self._from + TICK_S)) - sent_bytes)
