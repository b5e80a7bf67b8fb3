"""What one receiver's path carries, spent: the parts that `bandwidth/` cannot see."""

from pymeet.sfu.bandwidth.share import Wish
from pymeet.sfu.budget import Budget
from pymeet.sfu.history import SendHistory
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
