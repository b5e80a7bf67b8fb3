"""How many bits per second one receiver's path carries, seen from the sender.

After draft-ietf-rmcat-gcc-02 (delay gradient, then additive increase and multiplicative decrease) with three changes, each for what a
forwarder meets: what is sent comes in steps of layers, so that probes do the raising; after a fall the queue is let run empty
first; and loss that does not depend on the rate is told from loss that does (loss.py). Receivers without such feedback: reported.py.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter

from pymeet.sfu.bandwidth.acknowledging import Arrived, Fate
from pymeet.sfu.bandwidth.groups import Group, Groups
from pymeet.sfu.bandwidth.loss import SLOTS_PER_S, LossModel
from pymeet.sfu.bandwidth.probing import Probe, Prober
from pymeet.sfu.bandwidth.share import MARGIN
from pymeet.sfu.bandwidth.trend import DelayTrend

START_BPS = 1_000_000.0
LEAST_BPS = 30_000.0
MOST_BPS = 200_000_000.0
"""Enough for a wall of cameras, each at its best; beyond it nothing is tried."""
_BACK_OFF = 0.85
_BACKLOG_S = 0.1
_LARGEST_FALL_IDLE = 0.5
_SEEN_S, _MUCH_LESS = 0.3, 0.7  # a fall is given time to show, unless it was far too little
_GROWTH_PER_S = 1.08
_STEP_PER_S = 40_000.0  # the same for all, so that those who share a path become equal
_ENOUGH = 1.2
_UNUSED = 1.5
_DRAIN_S = 2.0
_DRAIN_LEAST = 0.25
_DRAINED_S = 0.06
_DRAIN_WITHIN_S = 0.6
_PROBE_EVERY_S = 5.0
_PROBE_AGAIN_S = 0.1
_FIRST_PROBE, _PROBE = 3.0, 2.0
_TOGETHER_S, _OFTEN_S = 0.13, 0.1
"""For how long reports may wait for the next ones, and how soon these must follow: browsers send one every 50 ms, and the fourth
brings three others."""
_SILENT_S = 1.0
_LARGEST_FALL_SILENT = 0.25


class SendEstimate:
    """One per receiver. All times in monotonic seconds, handed in; all rates with the 28 bytes of IP and UDP per packet."""

    def __init__(self, now: float) -> None:
        self.demand_bps = 0.0
        """The most that could be used; the owner says so. Nothing is probed for beyond it."""
        self.trend = DelayTrend()
        self.loss = LossModel()
        self.response_s = 0.2
        """How long it takes until feedback tells what became of a packet, smoothed."""
        self._bps = START_BPS
        self._groups = Groups()
        self._prober = Prober()
        self._ceiling: float | None = None
        """What arrived when it was last too much: near it, it goes up in small steps."""
        self._updated_at = now
        self._fell_at = self._drain_until = float("-inf")
        self._probe_at = now
        self._raised = False
        self._before_silence: float | None = None
        self._newest_sent_at = 0.0
        self._waiting: list[Arrived] = []
        self._waiting_since = self._reported_at = now

    @property
    def received_bps(self) -> float:
        """At which rate packets arrive."""
        return self._groups.received_bps()

    @property
    def target_bps(self) -> float:
        """What may be sent altogether: while a queue that we made drains, less than the path carries."""
        if self._drain_until == float("-inf"):
            return self._bps
        return self._bps * max(_DRAIN_LEAST, 1 - self.trend.queue_s / _DRAIN_WITHIN_S)

    def feedback(self, fates: Sequence[Fate] | Arrived, now: float) -> bool:
        """Takes what became of packets, by order of sending. While all is well they are looked at together, a few times a second;
        whether they were now.
        """
        if isinstance(fates, Arrived) and self._may_wait(fates, now):
            self._waiting.append(fates)
            return False
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            fates = Arrived.of([*waiting, fates]) if isinstance(fates, Arrived) else [*chain(*waiting), *fates]
        if isinstance(fates, Arrived) and not self._prober.is_running:
            newest, closed = self._count_columns(fates)
        else:
            newest, closed = self._count(fates)
        for group in closed:
            self.trend.add(group, self._groups.jitter_s)
            self._steer(now)
        self._newest_sent_at = newest
        if self._before_silence is not None:
            self._before_silence = None
            self._probe_at = now
        self.response_s += 0.1 * (now - newest - self.response_s)
        factor = self.loss.factor(newest, now)
        if factor != 1:
            self._set(self._bps * factor)
        if self._prober.is_running:
            self._judge_probe(newest, now)
        return True

    def _may_wait(self, arrived: Arrived, now: float) -> bool:
        """Whether this report is like the last ones, with nothing to decide: all fits, all came, and soon."""
        if not self._waiting:
            self._waiting_since = now
        before, self._reported_at = self._reported_at, now
        return (
            now - self._waiting_since < _TOGETHER_S
            and now - before < _OFTEN_S
            and self.is_enough
            and not self._prober.is_running
            and self._before_silence is None
            and self._drain_until == float("-inf")
            and not self.loss.is_suspicious
            and self.trend.is_calm(arrived.arrivals[-1] - arrived.sent[-1][0])
        )

    def _count(self, fates: Iterable[Fate]) -> tuple[float, Iterator[Group]]:
        """When the newest was sent, and the groups that are closed now."""
        prober, loss = self._prober, self.loss
        newest = self._newest_sent_at
        slot = count = 0
        for sent_at, size, arrived_at in fates:
            place = int(sent_at * SLOTS_PER_S)
            if arrived_at is None:
                loss.add(place, 0, 1)
                continue
            if place != slot:
                if count:
                    loss.add(slot, count, 0)
                slot, count = place, 0
            count += 1
            if sent_at > newest:
                newest = sent_at
            if prober.is_running:
                prober.add(sent_at, arrived_at, size)
        if count:
            loss.add(slot, count, 0)
        return newest, self._groups.add_all(fates)

    def _count_columns(self, arrived: Arrived) -> tuple[float, Iterator[Group]]:
        """The same where all have arrived."""
        times = [*map(itemgetter(0), arrived.sent)]
        begin, end = 0, len(times)
        while begin < end:
            place = int(times[begin] * SLOTS_PER_S)
            following = bisect_left(times, (place + 1) / SLOTS_PER_S, begin + 1)
            self.loss.add(place, following - begin, 0)
            begin = following
        return max(self._newest_sent_at, times[-1]), self._groups.add_columns(times, arrived)

    def _steer(self, now: float) -> None:
        elapsed, self._updated_at = min(now - self._updated_at, 1.0), now
        trend = self.trend
        if self._drain_until <= now or trend.queue_s < _DRAINED_S:
            self._drain_until = float("-inf")
        if trend.state == "over":
            self._fall(now)
        elif trend.state == "normal" and self._drain_until == float("-inf") and not self.loss.is_suspicious:
            self._rise(elapsed)

    def _fall(self, now: float) -> None:
        received = self._groups.received_bps()
        if (
            self.trend.queue_s > _BACKLOG_S
        ):  # the newest rate is the path's; else it may be a moment in which little was sent
            received = min(received, self._groups.received_bps(3))
        if received <= 0:
            return
        new = _BACK_OFF * received
        if self._bps > _UNUSED * received and self.trend.queue_s < _DRAIN_WITHIN_S / 2:
            # little was sent: that it was too much says little of the rest
            new = max(new, self._bps * _LARGEST_FALL_IDLE)
        if new >= self._bps or (now - self._fell_at < self.response_s + _SEEN_S and new > _MUCH_LESS * self._bps):
            return
        self._ceiling = received
        self._fell_at, self._drain_until = now, now + _DRAIN_S
        self._probe_at = now + _PROBE_EVERY_S
        self._prober.is_running = False
        self.loss.restart(now)
        self._set(new)

    def _rise(self, elapsed: float) -> None:
        if self._bps > _ENOUGH * self.demand_bps:
            return
        received = self._groups.received_bps()
        if self._bps > _UNUSED * received:
            return
        if self._ceiling is not None and received > 1.2 * self._ceiling:
            self._ceiling = None
        if self._ceiling is not None and self._bps > 0.7 * self._ceiling:
            self._set(self._bps + elapsed * _STEP_PER_S)
        else:
            self._set(self._bps * _GROWTH_PER_S**elapsed)

    def _set(self, bps: float) -> None:
        self._bps = min(MOST_BPS, max(LEAST_BPS, bps))

    def silent(self, for_s: float, now: float) -> None:
        """To be told every second or so for how long feedback has been overdue: nothing arrives, or very late."""
        if for_s > _SILENT_S and self._before_silence is None:
            self._before_silence = self._bps
        if self._before_silence is not None and now - self._fell_at > _SILENT_S:
            self._fell_at = now
            self._set(max(self._bps / 2, self._before_silence * _LARGEST_FALL_SILENT))

    def rest(self) -> None:
        """To be told when nothing of ours is on the path any more: no queue of it stands there, and no packet will say so."""
        self._drain_until = float("-inf")
        self._before_silence = None
        self._waiting = []
        self.trend.forget()

    @property
    def is_enough(self) -> bool:
        """Whether all that could be used is thought to fit, so that it is given and there is nothing to try."""
        return min(self.demand_bps * MARGIN, MOST_BPS) <= self._bps

    # -- probes ---------------------------------------------------------------------------------------------------

    def probe(self, now: float) -> Probe | None:
        """The probe that is to be sent now, if any. To be asked every 0.1 s or so."""
        if self._prober.is_running:
            self._judge_probe(
                self._newest_sent_at, now
            )  # of one that was the last to be sent no feedback brings the end
        if self._prober.is_running or now < self._probe_at or self.is_enough:
            return None
        if self._drain_until != float("-inf") or self.trend.state != "normal" or self.trend.queue_s > _DRAINED_S * 2:
            return None
        if self.loss.is_suspicious:
            return None
        self._probe_at = now + _PROBE_EVERY_S
        factor = _PROBE if self._raised else _FIRST_PROBE
        return self._prober.begin(min(factor * self._bps, _ENOUGH * self.demand_bps), self._groups.jitter_s, now)

    def _judge_probe(self, newest_sent_at: float, now: float) -> None:
        found = self._prober.result(newest_sent_at, now)
        if found is None:
            return
        if found > self._bps:
            if found > 1.2 * self._bps:
                self._probe_at = now + _PROBE_AGAIN_S
            self._raised = True
            self._ceiling = None
            self._set(found)
