"""The small machines beside the estimate: acknowledgements, pacing, and estimates of receivers without feedback."""

import itertools
import random

import pytest

from pymeet.sfu import rtcp
from pymeet.sfu.bandwidth.acknowledging import OVERHEAD_BYTES, Acknowledgements
from pymeet.sfu.bandwidth.estimate import LEAST_BPS, SendEstimate
from pymeet.sfu.bandwidth.pacing import ProbePacer, Repair, RepairPacer
from pymeet.sfu.bandwidth.reported import ReportedEstimate
from pymeet.sfu.budget import Budget
from pymeet.sfu.history import SendHistory


def feedback(base: int, arrivals: list[float | None], number: int = 0) -> rtcp.TransportFeedback:
    (message,) = rtcp.parse(rtcp.transport_feedback(1, 2, base & 0xFFFF, arrivals, number))
    assert isinstance(message, rtcp.TransportFeedback)
    return message


def sent(count: int, *, first: int = 65_530) -> SendHistory:
    """Packets of 1000 bytes, one each 10 ms, numbered across the wrap."""
    history = SendHistory()
    history.next = first
    for i in range(count):
        history.record(1000, i * 0.01)
    return history


def test_every_packet_is_told_of_once_whatever_the_order_of_its_coming() -> None:
    """What overtakes is not lost, what is repeated does not count twice, and what never comes is lost in the end."""
    history, acknowledgements = sent(60), Acknowledgements()

    first = acknowledgements.fates(feedback(65_530, [0.1, None, 0.12, None, 0.14], 0), history, 0.2)
    again = acknowledgements.fates(feedback(65_530, [0.1, 0.15, 0.12, None, 0.14], 1), history, 0.3)
    later = acknowledgements.fates(feedback(65_535, [0.15 + i * 0.01 for i in range(50)], 2), history, 1.0)

    assert [f.sent_at for f in first] == [0.0, 0.02, 0.04]
    assert [(f.sent_at, f.arrived_at) for f in again] == [(0.01, pytest.approx(0.15))]
    assert [f.sent_at for f in later if f.arrived_at is None] == [0.03]
    assert len([f for f in later if f.arrived_at is not None]) == 50
    assert {f.size_bytes for f in first + again + later} == {1000 + OVERHEAD_BYTES}


def test_arrival_times_go_on_where_the_receivers_clock_begins_again() -> None:
    """Its 24 bits of 64 ms last twelve days."""
    history, acknowledgements = sent(20), Acknowledgements()
    end = rtcp.FEEDBACK_CLOCK_S

    before = acknowledgements.fates(feedback(65_530, [end - 0.02, end - 0.01]), history, 0.1)
    after = acknowledgements.fates(feedback(65_532, [0.0, 0.01], 1), history, 0.2)

    times = [f.arrived_at for f in [*before, *after]]
    assert [round(b - a, 3) for a, b in itertools.pairwise(times)] == [0.01, 0.01, 0.01]


def test_lost_feedback_is_not_lost_media() -> None:
    """The way back has losses of its own; what is not known of counts as arrived."""
    history, acknowledgements = sent(60), Acknowledgements()
    acknowledgements.fates(feedback(65_530, [0.1] * 10, 0), history, 0.2)

    fates = acknowledgements.fates(feedback(65_550, [0.4] * 40, 2), history, 1.0)

    assert all(f.arrived_at is not None for f in fates)
    assert sum(f.size_bytes for f in fates) == 50 * (1000 + OVERHEAD_BYTES)


def test_feedback_about_what_was_never_sent_says_nothing() -> None:
    """A receiver may only speak of its own packets."""
    history, acknowledgements = sent(10), Acknowledgements()

    assert acknowledgements.fates(feedback(65_530, [0.1] * 30), history, 1.0) == []
    assert acknowledgements.fates(feedback(3000, [0.1] * 30), history, 1.0) == []


def test_no_feedback_brings_an_estimate_out_of_its_bounds() -> None:
    """Times that jump, numbers that repeat, everything lost: a receiver harms nobody but itself."""
    draw = random.Random(8)
    for _ in range(5):
        history, budget, now = SendHistory(), None, 0.0
        budget = Budget(history, now)
        for number in range(200):
            now += 0.05
            for _ in range(draw.randrange(30)):
                history.record(draw.randrange(50, 1200), now)
            base = (history.next - draw.randrange(200)) & 0xFFFF
            times = [draw.choice([None, draw.uniform(0, 1e6), now]) for _ in range(draw.randrange(1, 200))]
            times[0] = now
            budget.hear(feedback(base, times, draw.choice([number & 0xFF, 7])), now)
            budget.share([], now)
            assert LEAST_BPS / 4 <= budget.target_bps <= 50e6
            assert all(abs(f) < 1e15 for f in budget.figures())


def test_silence_lowers_the_estimate_but_an_outage_does_not_ruin_it() -> None:
    """After five seconds without a network the picture must be back soon."""
    estimate = SendEstimate(0.0)
    before = estimate.target_bps
    for tenth in range(60):
        estimate.silent(tenth / 10, tenth / 10)

    assert before / 4 <= estimate.target_bps <= before / 2


def test_repairs_leave_at_a_share_of_what_the_path_carries() -> None:
    """A burst of repairs must not become the next queue; what cannot go within 0.4 s would come too late."""
    pacer, now, left = RepairPacer(), 0.0, []
    for number in range(200):
        pacer.ask(Repair(1, number), now)
        pacer.ask(Repair(1, number), now)
    while pacer:
        while (repair := pacer.next(1_000_000, now)) is not None:
            left.append((now, repair.number))
            pacer.spent(1250)
        now += 0.005

    assert [n for _, n in left] == list(range(len(left)))
    assert 20 <= len(left) <= 26  # half of 1 Mb/s for 0.4 s, and three at once
    assert max(at for at, _ in left) <= 0.41


def test_a_probe_fills_up_to_its_rate_and_ends() -> None:
    """Media counts; only what is missing is padding."""
    probe = ProbePacer()
    probe.begin(800_000, 0.1, 5.0)

    assert probe.missing_bytes(0, 5.0) == 500
    assert probe.missing_bytes(5000, 5.05) == 500
    assert probe.missing_bytes(9000, 5.05) == 0
    assert probe.missing_bytes(0, 5.2) == 0
    assert not probe.is_running(5.2)


def test_without_feedback_reports_of_loss_and_remb_limit() -> None:
    """What is not known is no limit; many losses are one, and it is taken back slowly."""
    reported = ReportedEstimate()
    assert reported.target_bps == float("inf")

    reported.reported(0.2, 2_000_000, 1.0)
    assert reported.target_bps == pytest.approx(1_800_000)
    reported.reported(0.05, 1_700_000, 3.0)
    assert reported.target_bps == pytest.approx(1_800_000)
    reported.reported(0.0, 1_700_000, 4.0)
    assert 1_800_000 < reported.target_bps < 2_000_000
    reported.remb(700_000)
    assert reported.target_bps == 700_000
    for second in range(5, 100):
        reported.reported(0.0, 700_000, second)
    reported.remb(9e9)
    assert reported.target_bps > 1e9


def test_a_receiver_that_promised_feedback_and_gives_none_is_served_without() -> None:
    """Little is thought to fit until feedback comes; but not for ever."""
    history = SendHistory()
    budget = Budget(history, 0.0)
    budget.expect_feedback()
    assert budget.target_bps == 1_000_000
    for tenth in range(100):
        history.record(500, tenth / 10)
        budget.share([], tenth / 10)

    assert budget.target_bps == float("inf")
