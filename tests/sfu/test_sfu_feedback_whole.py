"""Feedback in which nothing is missing is read the short way: it must say the same as the long one."""

import itertools
import random
import struct

import pytest

from pymeet.sfu import rtcp
from pymeet.sfu.bandwidth.acknowledging import OVERHEAD_BYTES, Acknowledgements, Arrived, Fate
from pymeet.sfu.bandwidth.estimate import SendEstimate
from pymeet.sfu.history import SIZE, SendHistory


def _feedback(base: int, arrivals: list[float | None], number: int) -> rtcp.TransportFeedback:
    (message,) = rtcp.parse(rtcp.transport_feedback(1, 2, base & 0xFFFF, arrivals, number))
    assert isinstance(message, rtcp.TransportFeedback)
    return message


def test_feedback_in_one_run_says_what_the_same_feedback_in_many_pieces_says() -> None:
    """Which form a receiver chooses for the statuses is its own affair."""
    arrivals = [7.0 + 0.005 * n for n in range(20)]
    whole = rtcp.transport_feedback(1, 2, 65_530, arrivals, 3)
    run = struct.pack("!H", 0x2000 + 20)
    vectors = struct.pack("!HHH", 0xC000 | 0x1555, 0xC000 | 0x1555, 0xC000 | 0x1554)
    assert whole.count(run) == 1
    pieces = whole.replace(run, vectors)
    pieces = pieces[:2] + struct.pack("!H", len(pieces) // 4 - 1) + pieces[4:]

    (short,) = rtcp.parse(whole)
    (long,) = rtcp.parse(pieces)

    assert isinstance(short, rtcp.TransportFeedback)
    assert isinstance(long, rtcp.TransportFeedback)
    assert list(short.received) == list(long.received) == list(range(20))
    assert list(short.arrivals) == list(long.arrivals)


def test_fates_are_told_over_the_end_of_the_history_and_of_the_numbers() -> None:
    """Both begin again at 0; nothing is told twice or under another packet's size."""
    history = SendHistory()
    history.next = 0x10000 - 10
    sent = [(100.0 + 0.01 * n, 500 + n) for n in range(30)]
    for at, size in sent:
        history.record(size, at)
    assert (0x10000 - 10) % SIZE == SIZE - 10
    acknowledgements = Acknowledgements()
    fates: list[Fate] = []
    for number, begin in enumerate((0, 15)):
        arrivals: list[float | None] = [at + 5000.03 for at, _ in sent[begin : begin + 15]]
        fates += acknowledgements.fates(_feedback(0x10000 - 10 + begin, arrivals, number), history, 101.0)

    assert [(f.sent_at, f.size_bytes) for f in fates] == [(at, size + OVERHEAD_BYTES) for at, size in sent]
    delays = [(f.arrived_at or 0.0) - f.sent_at for f in fates]
    assert max(delays) - min(delays) < 0.001


def test_whole_feedback_makes_the_estimate_that_its_packets_one_by_one_make() -> None:
    """Steady traffic, bursts, gaps and a queue that builds up, with reports of any length."""
    dice = random.Random(7)
    by_columns, by_packets = SendEstimate(0.0), SendEstimate(0.0)
    by_columns.demand_bps = by_packets.demand_bps = 20e6  # never enough, so that nothing waits
    at, queue, clock = 50.0, 0.0, 5.0
    for turn in range(600):
        sent, arrivals = [], []
        for _ in range(dice.choice((1, 2, 3, 8, 40))):
            at += dice.choice((0.0, 0.0, 0.0, 0.004, 0.02, 0.02 if turn % 50 else 0.3))
            queue = max(0.0, queue + (0.003 if turn % 100 < 30 else -0.002))
            clock = max(clock - dice.choice((0.0, 0.0, 0.0, 0.002, 0.05)), at + 5000.0 + queue + dice.random() * 0.004)
            sent.append((at, dice.choice((100, 1200))))
            arrivals.append(clock)
        arrived = Arrived(sent, arrivals)
        now = at + 0.05
        by_columns.feedback(arrived, now)
        by_packets.feedback([*arrived], now)
        assert _state(by_columns) == pytest.approx(_state(by_packets)), turn
    assert by_columns.trend.gradient != 0


def test_reports_wait_for_each_other_only_while_there_is_nothing_to_decide() -> None:
    """What they say is the same in the end, and the first that speaks of a queue is heard with all that waited."""
    patient, eager = SendEstimate(0.0), SendEstimate(0.0)
    patient.demand_bps, eager.demand_bps = 500_000, 20e6  # the one fits, the other never
    seen: list[tuple[float, float]] = []
    for turn in range(120):
        at = 50.0 + 0.05 * turn
        queue = 0.03 * max(0, turn - 100)
        sent = [(at + 0.01 * n, 600) for n in range(5)]
        arrived = Arrived(sent, [sent_at + 5000.0 + queue + 0.001 * n for n, (sent_at, _) in enumerate(sent)])
        for estimate in (patient, eager):
            estimate.feedback(arrived, at + 0.06)
        seen.append((patient.received_bps, eager.received_bps))
        if turn > 102:
            assert patient.trend.queue_s == pytest.approx(eager.trend.queue_s), turn

    slow, fast = (sum(a != b for a, b in itertools.pairwise(each[20:100])) for each in zip(*seen, strict=True))
    assert 0 < 3 * slow <= fast, "three of four reports wait"
    assert patient.trend.state == eager.trend.state == "over"
    assert patient.received_bps == pytest.approx(eager.received_bps, rel=0.05)


def _state(estimate: SendEstimate) -> list[float]:
    trend = estimate.trend
    figures = [estimate.target_bps, estimate.received_bps, estimate.response_s, estimate.loss.share]
    return [*figures, trend.queue_s, trend.gradient, trend.threshold]
