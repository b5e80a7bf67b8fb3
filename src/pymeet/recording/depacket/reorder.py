"""Brings the packets of one stream into the order of their numbers, and says where some are missing for good."""

from collections.abc import Iterator
from dataclasses import dataclass

_QUIET_S = 10.0
"""After so long a silence (a mute) numbers may have gone round half their space: what comes is simply the next."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A packet in its place; `gap` when packets before it are missing."""

    packet: bytes
    timestamp: int
    gap: bool


class Reorder:
    """Holds packets back for those before them, at most `max_packets` of them and none longer than `max_wait_s`."""

    def __init__(self, max_packets: int, max_wait_s: float) -> None:
        self.late = 0
        """Packets that came after they had been given up, or twice."""
        self._max_packets = max_packets
        self._max_wait_s = max_wait_s
        self._next: int | None = None
        self._held: dict[int, tuple[bytes, int, float]] = {}  # by number, in order of arrival
        self._arrived_at = 0.0
        self._gap = False

    def push(self, packet: bytes, sequence: int, timestamp: int, now: float) -> Iterator[Ordered]:
        """Takes a packet; yields those that are in their place now, to be consumed at once."""
        quiet, self._arrived_at = now - self._arrived_at > _QUIET_S, now
        if self._next is None or quiet:
            yield from self.flush()
            self._gap = self._gap or (self._next is not None and self._next != sequence)
            self._next = sequence
        ahead = (sequence - self._next) & 0xFFFF
        if ahead >= 0x8000 or sequence in self._held:
            self.late += 1
            return
        if ahead == 0 and not self._held:
            yield self._pass(packet, timestamp)
            return
        self._held[sequence] = packet, timestamp, now
        yield from self._in_order()
        yield from self.expire(now)

    def expire(self, now: float) -> Iterator[Ordered]:
        """Gives up missing packets that others have waited for long enough; to be called also when nothing arrives."""
        while self._held:
            _, _, since = next(iter(self._held.values()))
            if len(self._held) <= self._max_packets and now - since < self._max_wait_s:
                return
            yield from self._skip()

    def flush(self) -> Iterator[Ordered]:
        """Everything still held, at the end of the stream."""
        while self._held:
            yield from self._skip()

    def restart(self) -> Iterator[Ordered]:
        """Everything still held; what comes next is unrelated to it."""
        yield from self.flush()
        self._next, self._gap = None, True

    def _skip(self) -> Iterator[Ordered]:
        start = self._next or 0
        self._next = min(self._held, key=lambda sequence: (sequence - start) & 0xFFFF)
        self._gap = True
        yield from self._in_order()

    def _in_order(self) -> Iterator[Ordered]:
        while self._next is not None and (held := self._held.pop(self._next, None)) is not None:
            yield self._pass(held[0], held[1])

    def _pass(self, packet: bytes, timestamp: int) -> Ordered:
        ordered = Ordered(packet, timestamp, self._gap)
        self._gap = False
        self._next = ((self._next or 0) + 1) & 0xFFFF
        return ordered
