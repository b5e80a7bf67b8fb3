"""What a soak has seen, and whether something was left behind: the judgement of soak.py, without a server."""

import math
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pymeet.sfu.sending import LONGEST_RUN, SLOTS

MAY_KEEP_MB = 8.0
"""More than that, when nobody is there any more, is a leak; less cannot be told from caches that fill."""
MAY_GROW_MB_PER_HOUR = 6.0
"""The same while people come and go, beyond what chance explains: some minutes there are more of them than in others."""
SHORTEST_MIN = 10
"""A shorter run is too short to tell growth from a server that warms up: what it measures is told, and not judged."""
OF_MEETINGS = ("LiveRoom", "Seat", "Session", "PublishTransport", "SubscribeTransport", "Dtls", "Connection")
"""Types of which nothing is left when nobody is there."""
OF_TABLES = {"pymeet.sfu.batch.SocketName": SLOTS, "pymeet.sfu.sending.Layout": LONGEST_RUN}
"""Types that stay in tables of a fixed size until they are replaced, and how many of each at most."""
_FEW = 10
_BLOCKS = 6


@dataclass
class Sample:
    """One reading while people come and go."""

    at_s: float
    memory_mb: float
    sockets: int
    files: int
    threads: int
    people: int
    lag_p95_ms: float


@dataclass
class Run:
    """What was seen."""

    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    worst_late_s: float = 0.0


def is_of_meetings(kind: str) -> bool:
    """Whether nothing of this type may be there without a meeting."""
    return kind.startswith("pymeet.") and kind.rpartition(".")[2] in OF_MEETINGS


def compare(before: dict[str, Any], after: dict[str, Any], run: Run) -> None:
    """Notes what is there now and was not, both times without anybody there."""
    left = Counter(after["tasks"]) - Counter(before["tasks"])
    if left:
        run.problems.append(f"tasks left behind: {dict(left)}")
    for kind in ("sockets", "files", "threads"):
        if after[kind] > before[kind]:
            run.problems.append(f"{kind} left behind: {after[kind]} now, {before[kind]} before")
    grown = Counter(after["objects"]) - Counter(before["objects"])
    ours = {
        kind: n
        for kind, n in grown.items()
        if kind.startswith("pymeet.") and n > _FEW and after["objects"][kind] > OF_TABLES.get(kind, 0)
    }
    if ours:
        run.problems.append(f"objects left behind: {ours}")


def judge_memory(before: dict[str, Any], after: dict[str, Any], minutes: float, run: Run) -> None:
    """Notes memory that stays when everybody has left, or grows while they come and go."""
    if minutes < SHORTEST_MIN:
        return
    kept = after["memory_mb"] - before["memory_mb"]
    if kept > MAY_KEEP_MB:
        run.problems.append(f"{kept:.1f} MB of memory left behind")
    slope, by_chance = mb_per_hour(run.samples)
    if slope - by_chance > MAY_GROW_MB_PER_HOUR:
        run.problems.append(f"memory grew by {slope:.1f} MB an hour, {by_chance:.1f} of them perhaps by chance")


def mb_per_hour(samples: list[Sample]) -> tuple[float, float]:
    """How fast memory grew in the second half, and how much of that may be chance.

    Readings that follow each other are alike, so blocks of them are compared, by their medians. What may be chance are four
    standard errors of the slope: a steady server exceeds them in one run of a hundred.
    """
    later = samples[len(samples) // 2 :]
    size = max(1, math.ceil(len(later) / _BLOCKS))
    blocks = [later[at : at + size] for at in range(0, len(later), size)]
    if len(blocks) < 3:
        return 0.0, 0.0
    times = [statistics.mean(s.at_s for s in block) for block in blocks]
    medians = [statistics.median(s.memory_mb for s in block) for block in blocks]
    slope, start = statistics.linear_regression(times, medians)
    off = sum((mb - start - slope * at_s) ** 2 for at_s, mb in zip(times, medians, strict=True)) / (len(blocks) - 2)
    middle = statistics.mean(times)
    return 3600 * slope, 3600 * 4 * math.sqrt(off / sum((at_s - middle) ** 2 for at_s in times))
