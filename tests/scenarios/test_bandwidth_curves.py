"""The send-side estimate over a virtual bottleneck: the curves of docs/bandwidth.md keep their promises."""

import random
from functools import cache

import pytest
from benchmarks.bandwidth import pages

from tests.support.bottleneck import Bottleneck, Call, run
from tests.support.curves import CURVES, MBIT, WANTED_BPS, Played

SEEDS = pytest.mark.parametrize("seed", [1, 2])


@cache
def play(name: str, seed: int) -> Played:
    """A run of the page, made once."""
    return next(c for c in CURVES if c.name == name).play(seed)


@SEEDS
def test_the_estimate_follows_the_path_down_at_once_and_up_within_seconds(seed: int) -> None:
    """A neighbour begins a download and ends it: 3 → 0.5 → 2 Mb/s."""
    call = play("steps", seed).call

    assert call.mean("received_bps", 5, 10) > 0.7 * 3 * MBIT
    assert call.most("target_bps", 12, 13.1) < 0.5 * MBIT
    assert call.most("queue_s", 13, 24.9) < 0.3
    assert call.mean("received_bps", 14, 25) > 0.8 * 0.5 * MBIT
    assert call.mean("received_bps", 34, 35) > 0.7 * 2 * MBIT
    assert call.most("queue_s", 26, 40) < 0.3


@SEEDS
@pytest.mark.parametrize("name", ["loss-5", "loss-10"])
def test_loss_that_does_not_depend_on_the_rate_does_not_lower_it(name: str, seed: int) -> None:
    """Radio loses packets whatever is sent; sending less would only make the picture worse."""
    call = play(name, seed).call

    assert min(s.target_bps for s in call.curve if s.at > 12) > 0.5 * 2 * MBIT
    assert call.mean("target_bps", 12, 40) > 0.7 * 2 * MBIT
    assert call.most("queue_s", 5, 40) < 0.3


@SEEDS
def test_jitter_is_not_taken_for_a_queue(seed: int) -> None:
    """100 ms of jitter, so that packets overtake each other, is not the sender's doing."""
    call = play("jitter", seed).call

    assert call.mean("target_bps", 12, 40) > 0.6 * 2 * MBIT
    assert min(s.target_bps for s in call.curve if s.at > 12) > 0.3 * 2 * MBIT


@SEEDS
@pytest.mark.parametrize("name", ["download", "two-calls"])
def test_beside_others_it_keeps_its_share_and_leaves_them_theirs(name: str, seed: int) -> None:
    """A download that fills the queue must not starve the call, nor one call another."""
    played = play(name, seed)
    ours = played.call.mean("received_bps", 20, 60)
    assert played.beside is not None

    assert ours > 0.3 * 2 * MBIT
    assert 8 * played.beside.received_bytes / 50 > 0.3 * 2 * MBIT


@pytest.mark.parametrize("queue_bytes", [6_000, 200_000])
def test_the_size_of_the_routers_queue_does_not_matter(queue_bytes: int) -> None:
    """A short queue shows as loss at once, a long one as delay only."""
    call = Call(Bottleneck(random.Random(1), 2 * MBIT, queue_bytes=queue_bytes), WANTED_BPS)

    run([call], 22, at={5: lambda now: call.path.set_rate(0.5 * MBIT, now)})

    assert call.mean("received_bps", 12, 22) > 0.8 * 0.5 * MBIT
    assert call.mean("target_bps", 12, 22) < 1.1 * 0.5 * MBIT
    assert call.most("queue_s", 12, 22) < 0.3


def test_a_bad_path_is_found_out_from_the_beginning() -> None:
    """300 kb/s as well as 10 Mb/s, with 10 % loss or 600 ms of round trip."""
    for capacity_bps, faults in (
        (0.3 * MBIT, {}),
        (10 * MBIT, {}),
        (2 * MBIT, {"loss": 0.1}),
        (2 * MBIT, {"delay": 0.3}),
    ):
        call = Call(Bottleneck(random.Random(3), capacity_bps, **faults), WANTED_BPS)

        run([call], 12)

        assert 0.7 * min(capacity_bps, WANTED_BPS) < call.mean("target_bps", 6, 12)
        assert call.mean("target_bps", 6, 12) < 1.25 * capacity_bps


def test_lost_feedback_and_an_outage_do_not_ruin_it() -> None:
    """A fifth of the feedback lost all the time, and nothing at all for five seconds: back within three."""
    call = Call(Bottleneck(random.Random(2), 2 * MBIT), WANTED_BPS, back_loss=0.2)

    def cut(loss: float) -> None:
        call.path.loss = loss

    run([call], 20, at={8: lambda _: cut(1.0), 13: lambda _: cut(0.0)})

    assert call.mean("received_bps", 5, 8) > 0.7 * 2 * MBIT
    assert call.mean("received_bps", 16, 20) > 0.7 * 2 * MBIT


def test_the_page_shows_what_the_code_does() -> None:
    """`python benchmarks/bandwidth.py` draws docs/bandwidth.md anew."""
    stale = [path.name for path, text in pages().items() if path.read_text(encoding="utf-8") != text]

    assert not stale
