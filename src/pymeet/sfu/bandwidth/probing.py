"""Probes: for a moment more is sent than is thought to fit, and from its arrival one sees whether it did."""

from typing import NamedTuple

_SHORTEST_S = 0.05
_LONGEST_S = 0.4
_PATIENCE_S = 1.5
_LEAST_PACKETS = 5
_LEAST_BITS = 8 * 8 * 330  # eight packets of padding: at a low rate a short probe would be one or two, and say nothing
_SATURATED = 0.9


class Probe(NamedTuple):
    """Send at `bps` altogether, media included, for this long."""

    bps: float
    duration_s: float


class Prober:
    """Judges one probe at a time by all packets sent in its time."""

    def __init__(self) -> None:
        self.is_running = False
        self._from = self._until = self._give_up_at = self._jitter_s = 0.0
        self._first_sent = self._last_sent = self._first_arrived = self._last_arrived = 0.0
        self._first_size = self._last_size = self._size = self._count = 0

    def begin(self, bps: float, jitter_s: float, now: float) -> Probe:
        """A probe from now on, longer where jitter would blur a short one, or its packets be few."""
        duration = min(_LONGEST_S, max(_SHORTEST_S, 4 * jitter_s, _LEAST_BITS / bps))
        self.is_running, self._jitter_s = True, jitter_s
        self._from, self._until = now, now + duration
        self._give_up_at = self._until + _PATIENCE_S
        self._count = self._size = 0
        return Probe(bps, duration)

    def add(self, sent_at: float, arrived_at: float, size_bytes: int) -> None:
        """Takes a packet that arrived, by order of sending."""
        if not self._from <= sent_at <= self._until:
            return
        if not self._count:
            self._first_sent, self._first_arrived, self._first_size = sent_at, arrived_at, size_bytes
            self._last_arrived = arrived_at
        self._count += 1
        self._size += size_bytes
        self._last_sent, self._last_size = sent_at, size_bytes
        self._first_arrived = min(self._first_arrived, arrived_at)
        self._last_arrived = max(self._last_arrived, arrived_at)

    def result(self, newest_sent_at: float, now: float) -> float | None:
        """What the path carried in bits per second, once that is known; 0 when nothing was found out."""
        if newest_sent_at <= self._until and now < self._give_up_at:
            return None
        self.is_running = False
        sent_s, arrived_s = self._last_sent - self._first_sent, self._last_arrived - self._first_arrived
        if self._count < _LEAST_PACKETS or sent_s <= 0 or arrived_s <= 0:
            return 0.0
        sent_bps = 8 * (self._size - self._last_size) / sent_s
        # the last ones come late by as much as jitter makes of it, not by a queue
        arrived_bps = 8 * (self._size - self._first_size) / max(arrived_s - self._jitter_s, min(sent_s, arrived_s))
        return sent_bps if arrived_bps >= sent_bps * _SATURATED else 0.95 * arrived_bps
