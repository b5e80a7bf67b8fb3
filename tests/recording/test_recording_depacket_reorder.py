"""Packets back in order: what comes late is waited for, but not for ever and not in any number."""

import random

from pymeet.recording.depacket.reorder import Ordered, Reorder


def fed(reorder: Reorder, numbers: list[int], now: float = 100.0) -> list[tuple[int, bool]]:
    """Numbers, and whether a gap comes before them, in the order that comes out."""
    out: list[Ordered] = []
    for number in numbers:
        out += reorder.push(number.to_bytes(2, "big"), number, 0, now)
    return shown(out)


def shown(ordered: list[Ordered]) -> list[tuple[int, bool]]:
    return [(int.from_bytes(o.packet, "big"), o.gap) for o in ordered]


def test_order_is_restored_across_the_wrap() -> None:
    """Numbers begin anew after 65535, in the middle of a sentence."""
    reorder = Reorder(16, 0.1)

    assert fed(reorder, [65534, 0, 65535, 2, 1]) == [(65534, False), (65535, False), (0, False), (1, False), (2, False)]


def test_packets_twice_or_too_late_are_dropped() -> None:
    """Networks double packets, and repairs cross with what they repair."""
    reorder = Reorder(16, 0.1)

    assert fed(reorder, [5, 5, 7, 7, 6, 6, 4]) == [(5, False), (6, False), (7, False)]
    assert reorder.late == 4


def test_a_missing_packet_is_given_up_after_its_time() -> None:
    """Also when nothing more arrives: a recording does not wait for ever."""
    reorder = Reorder(16, 0.1)
    fed(reorder, [1, 3, 4], 100.0)

    assert shown(list(reorder.expire(100.05))) == []
    assert shown(list(reorder.expire(100.11))) == [(3, True), (4, False)]
    assert fed(reorder, [2, 5], 100.2) == [(5, False)]


def test_no_more_than_the_maximum_is_held() -> None:
    """Memory is bounded whatever a peer numbers its packets."""
    reorder = Reorder(8, 1000.0)
    out = fed(reorder, [0, *range(2, 100)])

    assert out[:2] == [(0, False), (2, True)]
    assert len(out) == 99

    scattered = Reorder(8, 1000.0)
    fed(scattered, [random.Random(3).randrange(65536) for _ in range(2000)])
    assert len(shown(list(scattered.flush()))) <= 8


def test_after_a_long_silence_what_comes_is_next() -> None:
    """A microphone muted for a quarter of an hour goes on at a number that looks as if it were old."""
    reorder = Reorder(16, 0.1)
    fed(reorder, [10, 11], 100.0)

    assert fed(reorder, [11 + 40_000, 11 + 40_001], 1000.0) == [(40_011, True), (40_012, False)]


def test_a_restart_lets_numbers_begin_anywhere() -> None:
    """Another stream: what was held of the old one is let go first, and the break is told."""
    reorder = Reorder(16, 0.1)
    fed(reorder, [10, 12])

    assert shown(list(reorder.restart())) == [(12, True)]
    assert fed(reorder, [3, 4]) == [(3, True), (4, False)]


def test_shuffled_packets_come_out_whole() -> None:
    """Nothing is lost that has come in time, whatever the order."""
    draw = random.Random(11)
    numbers = [(65000 + i) & 0xFFFF for i in range(3000)]
    shuffled = [n for _, n in sorted((i + draw.uniform(0, 12), n) for i, n in enumerate(numbers))]
    first = shuffled.index(numbers[0])
    shuffled[0], shuffled[first] = shuffled[first], shuffled[0]

    assert fed(Reorder(64, 1.0), shuffled) == [(n, False) for n in numbers]
