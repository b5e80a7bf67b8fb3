"""A path of limited rate with a queue before it, and somebody else on it, for tests of bandwidth estimation on a virtual clock."""

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pymeet.sfu.bandwidth.acknowledging import OVERHEAD_BYTES, Acknowledgements
from pymeet.sfu.bandwidth.estimate import SendEstimate
from pymeet.sfu.bandwidth.pacing import ProbePacer
from pymeet.sfu.history import SendHistory
from pymeet.sfu.rtcp import TransportFeedback, parse, transport_feedback

STEP_S = 0.005
_PACKET_BYTES = 1172


@dataclass
class Bottleneck:
    """What is sent waits until what came before has gone; when the queue is full it is dropped. Times in seconds."""

    random: random.Random
    rate_bps: float
    delay: float = 0.025
    queue_bytes: int = 75_000
    jitter: float = 0.0
    loss: float = 0.0
    free_at: float = 0.0
    lost: int = 0
    _last_arrival: float = 0.0

    def queue_s(self, now: float) -> float:
        """How long what is sent now has to wait."""
        return max(0.0, self.free_at - now)

    def arrivals(self, now: float, size_bytes: int = _PACKET_BYTES) -> list[float]:
        """When the datagram arrives; nothing when it is lost."""
        if self.random.random() < self.loss or self.queue_s(now) * self.rate_bps / 8 + size_bytes > self.queue_bytes:
            self.lost += 1
            return []
        self.free_at = max(now, self.free_at) + size_bytes * 8 / self.rate_bps
        return [self.free_at + self.delay + self.jitter * self.random.random()]

    def set_rate(self, rate_bps: float, now: float) -> None:
        """Another rate from now on, also for what waits already."""
        self.free_at = now + self.queue_s(now) * self.rate_bps / rate_bps
        self.rate_bps = rate_bps


@dataclass
class Competitor:
    """A download beside: sends a window of packets per round trip, one more each round, half of them after a loss (Reno)."""

    path: Bottleneck
    window: float = 4.0
    in_flight: int = 0
    received_bytes: int = 0
    curve: list[tuple[float, float]] = field(default_factory=list)
    """When, and at which rate it received in the 100 ms before."""
    _received_before: int = 0
    _fell_at: float = 0.0
    _events: list[tuple[float, int, int]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    def step(self, now: float) -> None:
        """Sends what the window allows."""
        while self._events and self._events[0][0] <= now:
            _, _, size = heapq.heappop(self._events)
            self.in_flight -= 1
            if size:
                self.received_bytes += size
                self.window += 1 / self.window
            elif now - self._fell_at > 2 * self.path.delay + self.path.queue_s(now):
                self._fell_at = now
                self.window = max(2.0, self.window / 2)
        while self.in_flight < int(self.window):
            arrivals = self.path.arrivals(now, 1500)
            back = (arrivals[0] if arrivals else now + self.path.queue_s(now) + self.path.delay) + self.path.delay
            heapq.heappush(self._events, (back, next(self._order), 1500 if arrivals else 0))
            self.in_flight += 1

    def sample(self, at: float) -> None:
        """Notes how much has come since the last time, 100 ms ago."""
        self.curve.append((at, (self.received_bytes - self._received_before) * 80))
        self._received_before = self.received_bytes


@dataclass
class Sample:
    """One moment of a curve."""

    at: float
    capacity_bps: float
    target_bps: float
    received_bps: float
    queue_s: float


class Call:
    """A sender that sends as much as its estimate says, up to `wants_bps`, over a path; the receiver reports every 100 ms."""

    def __init__(self, path: Bottleneck, wants_bps: float, *, back_loss: float = 0.0, start: float = 0.0) -> None:
        self.path, self.wants_bps, self.back_loss = path, wants_bps, back_loss
        self.now = start
        self.start = start
        self.estimate = SendEstimate(start)
        self.estimate.demand_bps = wants_bps
        self.history = SendHistory()
        self.acknowledgements = Acknowledgements()
        self.curve: list[Sample] = []
        self.probes = 0
        self.received_bytes = 0
        self._probe = ProbePacer()
        self._probe_bytes = 0
        self._owed_bytes = 0.0
        self._arrived: list[tuple[float, int, int]] = []
        self._back: deque[tuple[float, bytes]] = deque()
        self._reported_at = start
        self._told: dict[int, float] = {}
        self._number = 0
        self._next_number = 0
        self._last_sample_bytes = 0

    def step(self) -> None:
        """5 ms of virtual time."""
        self.now = now = self.now + STEP_S
        self._receive(now)
        estimate = self.estimate
        self._owed_bytes += min(estimate.target_bps, self.wants_bps) / 8 * STEP_S
        while self._owed_bytes >= _PACKET_BYTES + OVERHEAD_BYTES:
            self._owed_bytes -= self._send(_PACKET_BYTES)
        while (missing := self._probe.missing_bytes(self._probe_bytes, now)) > 140:
            assert missing > 0
            self._send(255 + 41)
        if round((now - self.start) / STEP_S) % 20 == 0:
            estimate.silent(self.acknowledgements.silence_s(self.history, now), now)
            if probe := estimate.probe(now):
                self.probes += 1
                self._probe_bytes = 0
                self._probe.begin(probe.bps, probe.duration_s, now)
            received, self._last_sample_bytes = self.received_bytes - self._last_sample_bytes, self.received_bytes
            self.curve.append(
                Sample(
                    now - self.start,
                    self.path.rate_bps,
                    estimate.target_bps,
                    received * 8 / (20 * STEP_S),
                    self.path.queue_s(now),
                )
            )

    def _send(self, size_bytes: int) -> int:
        number = self.history.record(size_bytes, self.now)
        size_bytes += OVERHEAD_BYTES
        self._probe_bytes += size_bytes
        for at in self.path.arrivals(self.now, size_bytes):
            heapq.heappush(self._arrived, (at, number, size_bytes))
        return size_bytes

    def _receive(self, now: float) -> None:
        while self._arrived and self._arrived[0][0] <= now:
            at, number, size = heapq.heappop(self._arrived)
            self.received_bytes += size
            extended = self._next_number + ((number - self._next_number + 0x8000) & 0xFFFF) - 0x8000
            self._told[extended] = at
        if now - self._reported_at >= 0.1:
            self._reported_at = now
            self._report(now)
        while self._back and self._back[0][0] <= now:
            for message in parse(self._back.popleft()[1]):
                if isinstance(message, TransportFeedback):
                    self.estimate.feedback(self.acknowledgements.fates(message, self.history, now), now)

    def _report(self, now: float) -> None:
        """As browsers do: what came late moves the beginning back, so that it is told of once more with its neighbours."""
        if not self._told:
            return
        first, last = min(self._next_number, *self._told), max(self._told)
        arrivals = [self._told.get(n) for n in range(first, last + 1)]
        packet = transport_feedback(
            1, 2, first & 0xFFFF, [None if a is None else a + 77.0 for a in arrivals], self._number
        )
        self._number += 1
        self._next_number = max(self._next_number, last + 1)
        self._told = {}
        if self.path.random.random() >= self.back_loss:
            self._back.append((now + self.path.delay, packet))

    def mean(self, name: str, since: float, until: float) -> float:
        """Of a column of the curve, between two moments."""
        values = [getattr(s, name) for s in self.curve if since <= s.at < until]
        return sum(values) / len(values)

    def most(self, name: str, since: float, until: float) -> float:
        """The highest value of a column of the curve, between two moments."""
        return max(getattr(s, name) for s in self.curve if since <= s.at < until)


def run(
    calls: Sequence[Call],
    seconds: float,
    *,
    beside: Competitor | None = None,
    at: dict[float, Callable[[float], None]] | None = None,
) -> None:
    """Lets all of them go on for so long; `at` says what happens at which second."""
    events = sorted((at or {}).items())
    begin = calls[0].now
    while calls[0].now - begin < seconds:
        while events and calls[0].now - begin >= events[0][0]:
            events.pop(0)[1](calls[0].now)
        for call in calls:
            call.step()
        if beside is not None:
            beside.step(calls[0].now)
            if len(calls[0].curve) > len(beside.curve):
                beside.sample(calls[0].curve[-1].at)
