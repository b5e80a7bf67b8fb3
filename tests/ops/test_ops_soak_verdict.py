"""What a soak (`make soak`) makes of what it has seen. The soak itself takes half an hour and is not run here."""

import random
from collections import Counter
from typing import Any

from benchmarks.soak_verdict import Run, Sample, compare, judge_memory

MINUTES = 30


def readings(*, mb_per_hour: float, seed: int = 1) -> list[Sample]:
    """One every six seconds: memory goes up and down by some megabytes as people come and go, and grows so fast beside that."""
    chance, swing, samples = random.Random(seed), 0.0, []
    for number in range(10 * MINUTES):
        swing = 0.9 * swing + chance.gauss(0, 2)
        at_s = 6.0 * number
        samples.append(Sample(at_s, 200 + swing + mb_per_hour * at_s / 3600, 30, 20, 11, 24, 10))
    return samples


def empty(**changes: Any) -> dict[str, Any]:
    """A server without anybody in it."""
    return {
        "tasks": Counter({"Mailer.run": 1}),
        "objects": Counter({"pymeet.sfu.sending.Layout": 1}),
        "sockets": 7,
        "files": 20,
        "threads": 11,
        "memory_mb": 190.0,
        **changes,
    }


def problems(after: dict[str, Any], samples: list[Sample] | None = None) -> list[str]:
    run = Run(samples=samples or readings(mb_per_hour=0))
    compare(empty(), after, run)
    judge_memory(empty(), after, MINUTES, run)
    return run.problems


def test_whatever_is_left_behind_is_told() -> None:
    """That is what a soak is for."""
    assert problems(empty()) == []
    for left in (
        {"tasks": Counter({"Mailer.run": 1, "Session._read": 1})},
        {"sockets": 8},
        {"files": 21},
        {"threads": 12},
        {"objects": Counter({"pymeet.rooms.member.Member": 11})},
        {"memory_mb": 200.0},
    ):
        assert len(problems(empty(**left))) == 1, left


def test_tables_of_a_fixed_size_may_fill() -> None:
    """The names of the last receivers stay in the table of messages until others come: never more than it has slots."""
    full = {"pymeet.sfu.sending.Layout": 16, "pymeet.sfu.batch.SocketName": 100}
    assert problems(empty(objects=Counter(full))) == []
    assert problems(empty(objects=Counter(full | {"pymeet.sfu.batch.SocketName": 300})))


def test_memory_that_grows_is_told_from_memory_that_goes_up_and_down() -> None:
    """A verdict that chance makes is none: the same server would pass today and fail tomorrow."""
    for seed in range(20):
        assert problems(empty(), readings(mb_per_hour=0, seed=seed)) == []
        assert problems(empty(), readings(mb_per_hour=240, seed=seed))


def test_a_short_run_says_nothing_of_memory() -> None:
    """It could not tell growth from a server that warms up."""
    run = Run(samples=readings(mb_per_hour=500))
    judge_memory(empty(), empty(memory_mb=300.0), 5, run)
    assert run.problems == []
