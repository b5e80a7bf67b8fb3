"""Packets in groups of 50 ms by their sending, the unit in which delay and throughput are looked at."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from operator import itemgetter, sub
from typing import NamedTuple

from pymeet.sfu.bandwidth.acknowledging import OVERHEAD_BYTES, Arrived, Fate

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

    def add_all(self, fates: Iterable[Fate]) -> Iterator[Group]:
        """Takes packets, by order of sending; yields each group that a packet closes by beginning another.

        Every receiver tells of hundreds of packets a second: what is open is kept in local names until the end.
        """
        begun, least, most = self._sent_at, self._least, self._most
        arrived, first_arrived, size, count = self._arrived_at, self._first_arrived_at, self._size, self._count
        for sent_at, size_bytes, arrived_at in fates:
            if arrived_at is None:
                continue
            delay = arrived_at - sent_at
            age = sent_at - begun
            is_long = age > _GROUP_S or arrived - first_arrived > _SLOW_S
            closes = count and ((is_long and count >= _PACKETS) or age > _LONGEST_S)
            if closes:
                closed = Group(begun, least, arrived, size)
                self._closed.append(closed)
                self.jitter_s += 0.1 * (most - least - self.jitter_s)
                count = size = 0
                yield closed
            if not count:
                begun, least, most = sent_at, delay, delay
                arrived = first_arrived = arrived_at
            size += size_bytes
            if age < 0 and not closes:
                continue  # late: its delay belongs to a group that is gone
            count += 1
            if delay < least:
                least = delay
            elif delay > most:
                most = delay
            if arrived_at > arrived:
                arrived = arrived_at
        self._sent_at, self._least, self._most = begun, least, most
        self._arrived_at, self._first_arrived_at, self._size, self._count = arrived, first_arrived, size, count

    def add_columns(self, times: list[float], arrived: Arrived) -> Iterator[Group]:
        """The same for packets of which all arrived; `times` is when each was sent. No step is made for the single packet."""
        arrivals, sent, end = arrived.arrivals, arrived.sent, len(times)
        delays = [*map(sub, arrivals, times)]
        i = 0
        while i < end:
            count = self._count
            if not count:
                self._sent_at, self._first_arrived_at, self._arrived_at = times[i], arrivals[i], arrivals[i]
                self._least = self._most = delays[i]
                self._size = 0
            begun = self._sent_at
            # where the first packet is that closes the group
            after = i if count else i + 1
            age = begun.__rsub__
            j = min(
                max(bisect_right(times, _GROUP_S, after, key=age), i + _PACKETS - count),
                bisect_right(times, _LONGEST_S, after, key=age),
                end,
            )
            newest = max([self._arrived_at, *arrivals[i:j]])
            if newest - self._first_arrived_at > _SLOW_S:
                if not count:
                    self._sent_at = 0.0
                yield from self.add_all([*arrived][i:])
                return
            if j > i:
                part = delays[i:j]
                self._least = min(self._least, min(part))
                self._most = max(self._most, max(part))
                self._arrived_at = newest
                self._size += sum(map(itemgetter(1), sent[i:j])) + OVERHEAD_BYTES * (j - i)
                self._count = count + j - i
            if j < end:
                closed = Group(begun, self._least, self._arrived_at, self._size)
                self._closed.append(closed)
                self.jitter_s += 0.1 * (self._most - self._least - self.jitter_s)
                self._count = 0
                yield closed
            i = j

    def received_bps(self, groups: int = _KEPT) -> float:
        """At which rate the last groups arrived, 0 when that is not known."""
        closed = list(self._closed)[-groups - 1 :]
        newest = max((g.arrived_at for g in closed), default=0.0)
        closed = [g for g in closed if newest - g.arrived_at <= _RATE_S]
        if len(closed) < 2:
            return 0.0
        # the first one's bytes came before the span that its arrival begins
        return 8 * sum(g.size_bytes for g in closed[1:]) / max(newest - closed[0].arrived_at, 0.01)
