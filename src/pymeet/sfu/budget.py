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
_REST_S, _LOST_S = 1.0, 5.0  # since the last packet, when all are told of; and when some never will be
_DEEP_QUEUE_S = 0.15
_PADDING_BYTES = 300


class Figures(NamedTuple):
    """How it goes, for statistics. `target_bps` is 0 where nothing limits; loss and queue are known by feedback only."""

    target_bps: int
    received_bps: int
    loss: float
    queue_ms: int


class Budget:
    """One per receiving connection. All times in monotonic seconds, handed in."""

    def __init__(self, history: SendHistory, now: float) -> None:
        self.ranks: dict[str, int] = {}
        """What each stream gets, by the key of its wish."""
        self.repairs = RepairPacer()
        self.shared_at = float("-inf")
        self._history = history
        self._estimate = SendEstimate(now)
        self._acknowledgements = Acknowledgements()
        self._reported = ReportedEstimate()
        self._probe = ProbePacer()
        self._probe_from = 0
        self._spent_bps = self._shared_bps = 0.0
        self._is_promised = self._is_heard = False
        self._waiting_since = now

    @property
    def target_bps(self) -> float:
        """What may be sent altogether; infinite where nothing is known of the path."""
        return self._estimate.target_bps if self._is_heard or self._is_promised else self._reported.target_bps

    @property
    def is_congested(self) -> bool:
        """Whether a queue stands on the path: what is too much must stop at once, not with the next key frame."""
        return self._estimate.trend.queue_s > _DEEP_QUEUE_S

    def figures(self) -> Figures:
        """For statistics."""
        target = self.target_bps
        estimate = self._estimate
        return Figures(
            int(target) if target <= MOST_BPS else 0,
            int(estimate.received_bps),
            round(estimate.loss.share, 3),
            round(1000 * estimate.trend.queue_s),
        )

    def expect_feedback(self) -> None:
        """The receiver has agreed to report when each packet arrived; until it does, little is thought to fit."""
        self._is_promised = True

    # -- what the receiver says -------------------------------------------------------------------------------------

    def hear(self, message: rtcp.Message, now: float) -> bool:
        """Takes a control message, if it says something of the path; whether that is a reason to share anew."""
        if isinstance(message, rtcp.TransportFeedback):
            self._is_heard = True
            self._estimate.feedback(self._acknowledgements.fates(message, self._history, now), now)
            self._probe_if_due(now)
        elif isinstance(message, rtcp.Remb):
            self._reported.remb(message.bps)
        elif isinstance(message, rtcp.Reports) and message.blocks:
            lost = sum(b.fraction_lost for b in message.blocks) / 256 / len(message.blocks)
            self._reported.reported(lost, self._spent_bps, now)
        else:
            return False
        since = now - self.shared_at
        moved = abs(self._useful_bps - self._shared_bps) > _MOVED * self._shared_bps
        return since >= _SHARE_AGAIN_S or (since >= _SHARE_S and moved)

    @property
    def _useful_bps(self) -> float:
        """The target, as far as there is a use for it."""
        return min(self.target_bps, 1.2 * self._estimate.demand_bps)

    # -- who gets what ------------------------------------------------------------------------------------------------

    def share(self, wishes: Sequence[Wish], now: float) -> dict[str, int]:
        """Shares anew what there is; also to be called where nothing was heard, every second or so."""
        self.shared_at = now
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
            self._probe_from = self._history.next

    def _watch(self, now: float) -> None:
        if self._is_heard:
            overdue_s = self._acknowledgements.silence_s(self._history, now)
            self._estimate.silent(overdue_s, now)
            newest = self._history.sent((self._history.next - 1) & 0xFFFF)
            quiet_s = now - newest[0] if newest else _LOST_S
            if quiet_s >= _LOST_S or (quiet_s >= _REST_S and not overdue_s):
                self._estimate.rest()
        elif not self._history.next:
            self._waiting_since = now
        elif now - self._waiting_since > _MUTE_S:
            self._is_promised = False  # who gives no feedback is judged as those who never said they would

    # -- what is not live media ---------------------------------------------------------------------------------------

    def pace(self, resend: Callable[[Repair], int], pad: Callable[[], int], now: float) -> None:
        """Sends what may leave now. `resend` and `pad` return how many bytes they sent, 0 when there was nothing to send."""
        while (repair := self.repairs.next(min(self.target_bps, MOST_BPS), now)) is not None:
            self.repairs.spent(resend(repair))
        missing = self._probe.missing_bytes(self._sent_since_probe(), now)
        while missing > _PADDING_BYTES / 2 and (padded := pad()):
            missing -= padded + OVERHEAD_BYTES  # and not by the history: this has to end whatever is noted there

    def _sent_since_probe(self) -> int:
        count = (self._history.next - self._probe_from) & 0xFFFF
        return self._history.bytes_since(self._probe_from) + count * OVERHEAD_BYTES

    def is_pacing(self, now: float) -> bool:
        """Whether something waits to be sent by `pace`, which then wants to be called every `TICK_S`."""
        return bool(self.repairs) or self._probe.is_running(now)
