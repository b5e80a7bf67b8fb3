"""The paths on which the send-side estimate is tried: what docs/bandwidth.md shows, and what its test asserts, are these runs."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.bottleneck import Bottleneck, Call, Competitor, run

MBIT = 1_000_000.0
WANTED_BPS = 3 * MBIT


@dataclass(frozen=True)
class Played:
    """A run that is over."""

    call: Call
    beside: Competitor | Call | None = None


@dataclass(frozen=True)
class Curve:
    """One picture of the page. `spans` are what is tabulated: from and until which second."""

    name: str
    title: str
    what: str
    spans: tuple[tuple[int, int], ...]
    play: Callable[[int], Played]


def _call(seed: int, capacity_bps: float = 2 * MBIT) -> Call:
    return Call(Bottleneck(random.Random(seed), capacity_bps, jitter=0.003), WANTED_BPS)


def _steps(seed: int) -> Played:
    call = _call(seed, 3 * MBIT)
    changes = {10.0: 0.5 * MBIT, 25.0: 2 * MBIT}
    run([call], 40, at={when: lambda now, bps=bps: call.path.set_rate(bps, now) for when, bps in changes.items()})
    return Played(call)


def _from_ten(**faults: float) -> Callable[[int], Played]:
    """A path that is good for 10 s, and then has these faults."""

    def play(seed: int) -> Played:
        call = _call(seed)
        run([call], 40, at={10.0: lambda _: vars(call.path).update(faults)})
        return Played(call)

    return play


def _beside_download(seed: int) -> Played:
    call = _call(seed)
    download = Competitor(call.path)
    run([call], 10)
    run([call], 50, beside=download)
    return Played(call, download)


def _beside_call(seed: int) -> Played:
    call = _call(seed)
    run([call], 10)
    other = Call(call.path, WANTED_BPS, start=call.now)
    run([call, other], 50)
    return Played(call, other)


CURVES = (
    Curve(
        "steps",
        "The path changes from 3 to 0.5 to 2 Mb/s",
        "Somebody else in the house begins a download and ends it.",
        ((5, 10), (13, 25), (35, 40)),
        _steps,
    ),
    Curve(
        "loss-5",
        "5 % of packets lost at random from the tenth second on",
        "Radio loses packets whatever is sent.",
        ((5, 10), (12, 40)),
        _from_ten(loss=0.05),
    ),
    Curve(
        "loss-10",
        "10 % of packets lost at random from the tenth second on",
        "As above, at the edge of what a call can bear.",
        ((5, 10), (12, 40)),
        _from_ten(loss=0.1),
    ),
    Curve(
        "jitter",
        "100 ms of jitter from the tenth second on",
        "Each packet takes up to 100 ms longer, so that they overtake each other.",
        ((5, 10), (12, 40)),
        _from_ten(jitter=0.1),
    ),
    Curve(
        "download",
        "A download (TCP, Reno) beside, from the tenth second on",
        "It fills the queue of the path whatever anybody else does.",
        ((5, 10), (20, 60)),
        _beside_download,
    ),
    Curve(
        "two-calls",
        "A second call on the same path from the tenth second on",
        "Both are ours and estimate alike.",
        ((5, 10), (20, 60)),
        _beside_call,
    ),
)
