"""Packets in groups of 50 ms by their sending, the unit in which delay and throughput are looked at."""

from collections import deque
from typing import NamedTuple

_GROUP_S = 0.05
_LONGEST_S = 0.2
_SLOW_S = 0.1
_PACKETS = 4
_KEPT = 12
_RATE_S = 1.0


class Group(NamedTuple):
    """`delay_s` is the least of its packets: what jitter adds to single packets is not in it, a queue is."""

    sent_at: float
    delay_s: float
    arrived_at: float
    size_bytes: int


class Groups:
    """Makes groups of packets handed in by order of sending, and remembers the last ones."""

    def __init__(self) -> None:
        self.jitter_s = 0.0
        """How far apart the delays within one group are, smoothed."""
        self._closed: deque[Group] = deque(maxlen=_KEPT)
        self._sent_at = self._least = self._most = self._arrived_at = self._first_arrived_at = 0.0
        self._size = self._count = 0

    def add(self, sent_at: float, arrived_at: float, size_bytes: int) -> Group | None:
        """Takes a packet; returns the group that this one closes by beginning another."""
        delay = arrived_at - sent_at
        age = sent_at - self._sent_at
        closed = None
        is_long = age > _GROUP_S or self._arrived_at - self._first_arrived_at > _SLOW_S
        if self._count and ((is_long and self._count >= _PACKETS) or age > _LONGEST_S):
            closed = Group(self._sent_at, self._least, self._arrived_at, self._size)
            self._closed.append(closed)
            self.jitter_s += 0.1 * (self._most - self._least - self.jitter_s)
            self._count = self._size = 0
        if not self._count:
            self._sent_at, self._least, self._most = sent_at, delay, delay
            self._arrived_at = self._first_arrived_at = arrived_at
        self._size += size_bytes
        if age < 0 and not closed:
            return None  # late: its delay belongs to a group that is gone
        self._count += 1
        if delay < self._least:
            self._least = delay
        elif delay > self._most:
            self._most = delay
        if arrived_at > self._arrived_at:
            self._arrived_at = arrived_at
        return closed

    def received_bps(self, groups: int = _KEPT) -> float:
        """At which rate the last groups arrived, 0 when that is not known."""
        closed = list(self._closed)[-groups - 1 :]
        newest = max((g.arrived_at for g in closed), default=0.0)
        closed = [g for g in closed if newest - g.arrived_at <= _RATE_S]
        if len(closed) < 2:
            return 0.0
        # the first one's bytes came before the span that its arrival begins
        return 8 * sum(g.size_bytes for g in closed[1:]) / max(newest - closed[0].arrived_at, 0.01)
