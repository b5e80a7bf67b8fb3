"""Reading what a browser counted: a fault must not be overlooked, nor a late page be taken for one."""

import math

from tests.lab.noticing import Reading, back_after_s, longest_gap_s


def _readings(*counts: int | None, every_s: float = 0.1) -> list[Reading]:
    return [
        Reading(100 + i * every_s, {} if count is None else {"Ada video": (count, 360)})
        for i, count in enumerate(counts)
    ]


def _gap(*counts: int | None, since: float = 0.0) -> float:
    return round(longest_gap_s(_readings(*counts), "Ada video", since, math.inf), 3)


def test_a_standstill_is_as_long_as_the_count_stays() -> None:
    """Two frames apart in every reading are no standstill; three readings of one count are."""
    assert _gap(1, 3, 5, 7) == 0
    assert _gap(1, 2, 2, 2, 3) == 0.2
    assert _gap(1, 2, 2, 2, 2, 2, 3, since=100.3) == 0.2


def test_a_stream_that_is_not_there_stands_still() -> None:
    """While a connection is built anew nobody sees anything, and its counts begin at nothing."""
    assert _gap(50, 51, None, None, 0, 0, 3, 5) == 0.4
    assert _gap(None, None, None) == 0.2
    assert _gap(50, 51, 7, 9) == 0


def test_readings_that_come_late_are_no_standstill() -> None:
    """A page that waits for a processor goes on decoding."""
    late = [Reading(100, {"Ada video": (1, 360)}), Reading(103, {"Ada video": (90, 360)})]

    assert longest_gap_s(late, "Ada video", 0, math.inf) == 0


def test_what_comes_back_only_for_a_moment_is_not_back() -> None:
    """One frame after a fault helps nobody."""

    def back(*counts: int, since: float = 100.0) -> float:
        return round(back_after_s(_readings(*counts), "Ada video", since, 0.25), 3)

    assert back(1, 2, 3, 4) == 0
    assert back(1, 1, 1, 1, 1, 2, 3) == 0.4
    assert back(1, 1, 1, 1, 1, 2, 2, 2, 2, 3) == 0.8
    assert back(1, 1, 1, 1, 1, 2, 3, since=100.4) == 0
    assert back(1, 2, 2, 2, 2, 2) == math.inf
