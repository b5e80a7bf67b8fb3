"""What one receiver's path carries, and how its connection spends it: composes the machines of `bandwidth/`.

It knows numbers only: what could be sent comes in as wishes, which layer each stream gets goes out as ranks.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pymeet.sfu import rtcp
from pymeet.sfu.bandwidth.acknowledging import OVERHEAD_BYTES, Acknowledgements
from pymeet.sfu.bandwidth.estimate import MOST_BPS, SendEstimate
from pymeet.sfu.bandwidth.pacing import ProbePacer, Repair, RepairPacer
from pymeet.sfu.bandwidth.reported import ReportedEstimate
from pymeet.sfu.bandwidth.share import Wish, demand, share
from pymeet.sfu.history import SendHistory

_SHARE_S, _SHARE_AGAIN_S = 0.1, 1.0
_MOVED = 0.02
_MUTE_S = 0.8
_OVERDUE_S, _STILL_SENT_S = 0.3, 0.5
UNHEARD_S = 0.5
"""How long a path must have looked dead to count as such."""
_REST_S, _LOST_S = 1.0, 5.0  # since the last packet, when all are told of; and when some never will be
_DEEP_QUEUE_S = 0.15
_PADDING_BYTES = 300


class Figures(NamedTuple):
    """How it goes, for statistics. `target_bps` is 0 where nothing limits; the queue is known by feedback only."""

    target_bps: int
    received_bps: int
    loss: float
    queue_ms: int
    demand_bps: int
    """What everything would need that is wanted."""
    round_trip_ms: int | None
    """Until feedback tells of a packet; None without feedback."""


class Budget:
    """One per receiving connection. All times in monotonic seconds, handed in."""

    def __init__(self, history: SendHistory, now: float) -> None:
        self.ranks: dict[str, int] = {}
        """What each stream gets, by the key of its wish."""
        self.repairs = RepairPacer()
        self.looked_at = now
        """When it was shared, or looked at, last."""
        self._history = history
        self._estimate = SendEstimate(now)
        self._acknowledgements = Acknowledgements()
        self._reported = ReportedEstimate()
        self._probe = ProbePacer()
        self._probe_from = self._probe_sent_bytes = 0
        self._spent_bps = self._shared_bps = 0.0
        self._is_promised = self._is_heard = False
        self._reported_loss = 0.0
        self._waiting_since = now
        self._suspicious_since: float | None = None
        self._rests_at: int | None = None
        """The number of the packet until which a look finds what the last one found."""

    @property
    def target_bps(self) -> float:
        """What may be sent altogether; infinite where nothing is known of the path."""
        return self._estimate.target_bps if self._is_heard or self._is_promised else self._reported.target_bps

    @property
    def is_congested(self) -> bool:
        """Whether a queue stands on the path: what is too much must stop at once, not with the next key frame."""
        return self._estimate.trend.queue_s > _DEEP_QUEUE_S

    def overdue_s(self, now: float) -> float:
        """For how long a report on what was sent has been due; 0 where none is."""
        return self._acknowledgements.silence_s(self._history, now) if self._is_heard else 0.0

    @property
    def is_suspicious(self) -> bool:
        """Whether `is_unheard` wants to be asked again soon."""
        return self._suspicious_since is not None

    def is_unheard(self, now: float) -> bool:
        """Whether media goes on being sent and none of it is reported on any more; to be asked now and then."""
        newest = self._history.sent((self._history.next - 1) & 0xFFFF)
        is_sent = newest is not None and now - newest[0] < _STILL_SENT_S
        if not is_sent or self.overdue_s(now) < _OVERDUE_S:
            self._suspicious_since = None  # of the last packet before a silence there may never be a report
            return False
        if self._suspicious_since is None:
            self._suspicious_since = now
        return now - self._suspicious_since >= UNHEARD_S

    @property
    def loss(self) -> float:
        """The share of packets that was lost lately."""
        return self._estimate.loss.share if self._is_heard else self._reported_loss

    def figures(self) -> Figures:
        """For statistics."""
        estimate = self._estimate
        return Figures(
            self._told_bps,
            int(estimate.received_bps),
            round(self.loss, 3),
            round(1000 * estimate.trend.queue_s),
            int(estimate.demand_bps),
            round(1000 * estimate.response_s) if self._is_heard else None,
        )

    def figures_in_silence(self) -> Figures:
        """The same while nothing is sent: losses and delays would be those of the past."""
        return Figures(self._told_bps, 0, 0.0, 0, int(self._estimate.demand_bps), None)

    @property
    def _told_bps(self) -> int:
        target = self.target_bps
        return int(target) if target <= MOST_BPS else 0

    def expect_feedback(self) -> None:
        """The receiver has agreed to report when each packet arrived; until it does, little is thought to fit."""
        self._is_promised = True

    # -- what the receiver says -------------------------------------------------------------------------------------

    def hear(self, message: rtcp.Message, now: float) -> bool:
        """Takes a control message, if it says something of the path; whether that is a reason to share anew."""
        if isinstance(message, rtcp.TransportFeedback):
            self._is_heard, self._rests_at = True, None
            if not self._estimate.feedback(self._acknowledgements.fates(message, self._history, now), now):
                return False  # all is as it was
            self._probe_if_due(now)
        elif isinstance(message, rtcp.Remb):
            self._reported.remb(message.bps)
        elif isinstance(message, rtcp.Reports) and message.blocks:
            lost = sum(b.fraction_lost for b in message.blocks) / 256 / len(message.blocks)
            self._reported_loss = lost
            self._reported.reported(lost, self._spent_bps, now)
        else:
            return False
        self._rests_at = None
        since = now - self.looked_at
        return since >= _SHARE_AGAIN_S or (since >= _SHARE_S and self._has_moved)

    def look(self, now: float) -> bool:
        """To be called every second or so where nothing is heard; whether there is a reason to share anew."""
        self.looked_at = now
        is_quiet = self._watch(now)
        self._probe_if_due(now)
        is_content = not self._is_heard or self._estimate.is_enough
        self._rests_at = self._history.next if is_quiet and is_content else None
        return self._has_moved

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing was sent with a number, and nothing heard, since a look, so that the next one would find the same."""
        return self._rests_at == self._history.next

    @property
    def _has_moved(self) -> bool:
        return abs(self._useful_bps - self._shared_bps) > _MOVED * self._shared_bps

    @property
    def _useful_bps(self) -> float:
        """The target, as far as there is a use for it."""
        return min(self.target_bps, 1.2 * self._estimate.demand_bps)

    # -- who gets what ------------------------------------------------------------------------------------------------

    def share(self, wishes: Sequence[Wish], now: float) -> dict[str, int]:
        """Shares anew what there is."""
        self.looked_at = now
        self._rests_at = None
        self._watch(now)
        self._estimate.demand_bps = demand(wishes)
        self._shared_bps = self._useful_bps
        self.ranks = share(self.target_bps, wishes, self.ranks)
        self._spent_bps = sum(
            bps for w in wishes if not w.is_muted for rank, bps in w.layers if rank == self.ranks[w.key]
        )
        self._probe_if_due(now)
        return self.ranks

    def _probe_if_due(self, now: float) -> None:
        if (self._is_heard or self._is_promised) and (probe := self._estimate.probe(now)):
            self._probe.begin(probe.bps, probe.duration_s, now)
            self._probe_from, self._probe_sent_bytes = self._history.next, 0

    def _watch(self, now: float) -> bool:
        """Whether nothing of ours is on the path, as far as one can know."""
        if self._is_heard:
            overdue_s = self.overdue_s(now)
            newest = self._history.sent((self._history.next - 1) & 0xFFFF)
            quiet_s = now - newest[0] if newest else _LOST_S
            if quiet_s >= _LOST_S or (quiet_s >= _REST_S and not overdue_s):
                self._estimate.rest()  # of the last packets before a pause there may never be a report: that is no silence
                return True
            self._estimate.silent(overdue_s, now)
        elif not self._history.next:
            self._waiting_since = now
        elif now - self._waiting_since > _MUTE_S:
            self._is_promised = False  # who gives no feedback is judged as those who never said they would
        return not self._is_heard and not self._is_promised

    # -- what is not live media ---------------------------------------------------------------------------------------

    def pace(self, resend: Callable[[Repair], int], pad: Callable[[], int], now: float) -> None:
        """Sends what may leave now. `resend` and `pad` return how many bytes they sent, 0 when there was nothing to send."""
        while (repair := self.repairs.next(min(self.target_bps, MOST_BPS), now)) is not None:
            self.repairs.spent(resend(repair))
        missing = self._probe.missing_bytes(self._sent_since_probe(), now)
        while missing > _PADDING_BYTES / 2 and (padded := pad()):
            missing -= padded + OVERHEAD_BYTES  # and not by the history: this has to end whatever is noted there

    def _sent_since_probe(self) -> int:
        """What has left since the probe began; it is counted on from where it was counted last."""
        count = (self._history.next - self._probe_from) & 0xFFFF
        self._probe_sent_bytes += self._history.bytes_since(self._probe_from) + count * OVERHEAD_BYTES
        self._probe_from = self._history.next
        return self._probe_sent_bytes

    def is_pacing(self, now: float) -> bool:
        """Whether something waits to be sent by `pace`, which then wants to be called every `TICK_S`."""
        return bool(self.repairs) or self._probe.is_running(now)
