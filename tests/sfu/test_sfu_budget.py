"""What one receiver's path carries, spent: the parts that `bandwidth/` cannot see."""

import pytest

from pymeet.sfu.bandwidth.estimate import MOST_BPS, START_BPS
from pymeet.sfu.bandwidth.share import Wish
from pymeet.sfu.budget import Budget
from pymeet.sfu.history import SendHistory
from pymeet.sfu.rtcp import TransportFeedback
from pymeet.sfu.view import Importance


def test_a_probe_ends_though_nothing_is_noted_of_its_padding() -> None:
    """All media wait for this loop: padding that leaves without a number must not keep it going."""
    budget = Budget(SendHistory(), 0.0)
    budget.expect_feedback()
    sent: list[int] = []

    def pad() -> int:
        sent.append(275)
        assert len(sent) < 1000
        return 275

    budget.share([Wish("camera", ((0, 150_000.0), (1, 2_000_000.0)), Importance.OTHER)], 0.0)
    assert budget.is_pacing(0.0)
    budget.pace(lambda repair: 0, pad, 0.0)

    assert 0 < len(sent) < 20


def _heard_all_but_the_last(budget: Budget, history: SendHistory, count: int) -> None:
    """So many packets leave within half a second, and feedback tells of each but the last."""
    base = history.next
    for i in range(count):
        history.record(1000, i * 0.5 / count)
    told = range(count - 1)
    budget.hear(TransportFeedback(1, base, count - 1, [*told], [i * 0.5 / count for i in told]), 0.55)


def test_in_a_pause_the_last_packet_of_which_is_lost_nothing_falls() -> None:
    """Of a packet that was the last before a pause there is never a report, and the path is no worse for that."""
    history = SendHistory()
    budget = Budget(history, 0.0)
    budget.expect_feedback()
    budget.share([Wish("camera", ((0, 150_000.0), (1, 800_000.0)), Importance.OTHER)], 0.0)
    _heard_all_but_the_last(budget, history, 50)
    before = budget.target_bps

    for second in range(1, 60):
        budget.look(float(second))

    assert budget.target_bps >= before / 4


def test_there_is_nothing_to_look_at_until_something_is_sent_again() -> None:
    """Two hundred people who wait for a speaker would be looked at once a second each, for nothing."""
    history = SendHistory()
    budget = Budget(history, 0.0)
    budget.expect_feedback()
    budget.share([Wish("camera", ((0, 150_000.0),), Importance.OTHER)], 0.0)
    assert not budget.is_at_rest  # nobody knows yet whether there will be feedback
    _heard_all_but_the_last(budget, history, 50)
    budget.look(1.0)
    assert not budget.is_at_rest  # a report may still come

    budget.look(10.0)
    rested = budget.is_at_rest
    history.record(1000, 20.0)

    assert rested
    assert not budget.is_at_rest


class _Path:
    """A path that carries all that is sent, and whose receiver reports on it every 50 ms."""

    def __init__(self, wish: Wish) -> None:
        self.padded = 0
        """Bytes of padding that left."""
        self._wish = wish
        self._history = SendHistory()
        self.budget = Budget(self._history, 0.0)
        self.budget.expect_feedback()
        self.budget.share([wish], 0.0)
        self._tick = 0
        self._first_told = 0
        self._sent: list[float] = []
        self._owed = 0.0

    def run(self, ticks: int) -> None:
        """Media and padding leave every 5 ms."""
        for _ in range(ticks):
            self._tick += 1
            now = self._tick * 0.005
            self._owed += dict(self._wish.layers)[self.budget.ranks[self._wish.key]] * 0.005 / 8
            while self._owed >= 1000:
                self._owed -= self._send(now) + 28
            self.budget.pace(lambda repair: 0, lambda now=now: self._pad(now), now)  # type: ignore[misc]
            if self._tick % 10 == 0 and self._sent:
                times = [at + 0.01 for at in self._sent]
                report = TransportFeedback(1, self._first_told, len(times), [*range(len(times))], times)
                self._first_told, self._sent = (self._first_told + len(times)) & 0xFFFF, []
                if self.budget.hear(report, now + 0.02):
                    self.budget.share([self._wish], now + 0.02)

    def _send(self, now: float) -> int:
        self._history.record(972, now)
        self._sent.append(now)
        return 972

    def _pad(self, now: float) -> int:
        self.padded += 972
        return self._send(now)


@pytest.mark.parametrize("share_of_start", [0.5, 0.94, 0.96, 0.98, 1.0, 1.01, 1.03, 1.1, 2.0])
def test_whatever_the_best_picture_costs_it_comes_where_the_path_carries_it(share_of_start: float) -> None:
    """Before it comes there must be a little more room than it costs: what is thought to fit just so is tried as well."""
    costs = (100_000.0, 400_000.0, share_of_start * START_BPS)
    path = _Path(Wish("camera", tuple(enumerate(costs)), Importance.OTHER))

    path.run(2400)

    assert path.budget.ranks == {"camera": 2}


def test_beyond_what_is_ever_sent_to_anybody_nothing_is_tried() -> None:
    """Whoever could be sent more than that would be probed for it every five seconds, for good."""
    path = _Path(Wish("wall", ((0, 100_000.0), (1, 2 * MOST_BPS)), Importance.OTHER))
    path.run(2400)
    tried = path.padded

    path.run(4000)

    assert path.budget.target_bps == MOST_BPS
    assert tried > 0
    assert path.padded == tried
