"""What one receiver's path carries, spent: the parts that `bandwidth/` cannot see."""

import pytest

from pymeet.sfu.bandwidth.estimate import START_BPS
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


@pytest.mark.parametrize("share_of_start", [0.5, 0.94, 0.96, 0.98, 1.0, 1.01, 1.03, 1.1, 2.0])
def test_whatever_the_best_picture_costs_it_comes_where_the_path_carries_it(share_of_start: float) -> None:
    """Before it comes there must be a little more room than it costs: what is thought to fit just so is tried as well."""
    history = SendHistory()
    budget = Budget(history, 0.0)
    budget.expect_feedback()
    costs = (100_000.0, 400_000.0, share_of_start * START_BPS)
    wishes = [Wish("camera", tuple(enumerate(costs)), Importance.OTHER)]
    first_told, sent = 0, []  # when each packet left

    def send(now: float) -> int:
        history.record(972, now)
        sent.append(now)
        return 972

    budget.share(wishes, 0.0)
    owed = 0.0
    for tick in range(1, 2400):
        now = tick * 0.005
        owed += costs[budget.ranks["camera"]] * 0.005 / 8
        while owed >= 1000:
            owed -= send(now) + 28
        budget.pace(lambda repair: 0, lambda now=now: send(now), now)  # type: ignore[misc]
        if tick % 10 == 0 and sent:
            times = [at + 0.01 for at in sent]
            report = TransportFeedback(1, first_told, len(times), [*range(len(times))], times)
            first_told, sent = (first_told + len(times)) & 0xFFFF, []
            if budget.hear(report, now + 0.02):
                budget.share(wishes, now + 0.02)

    assert budget.ranks == {"camera": 2}
