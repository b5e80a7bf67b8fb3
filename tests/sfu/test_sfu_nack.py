"""What is known of an incoming stream: gaps to ask for, and the numbers of reception reports."""

from pymeet.sfu.nack import Reception


def _video() -> Reception:
    return Reception(90000, wants_repair=True)


def test_a_gap_is_asked_for_once_and_again_until_it_is_filled() -> None:
    """Requests get lost too, so they are repeated; not faster than an answer can come."""
    r = _video()
    for n in (10, 11, 14):
        r.arrived(n, 0, 1.0)

    assert r.due(1.0) == [12, 13]
    assert r.due(1.03) == []
    r.arrived(13, 0, 1.05)
    assert r.due(1.07) == [12]
    assert r.repaired(12)
    assert not r.repaired(12)
    assert not r.is_missing_any


def test_a_gap_across_the_wrap_is_asked_for_in_order() -> None:
    """65535 is followed by 0."""
    r = _video()
    r.arrived(65533, 0, 1.0)
    assert r.arrived(2, 0, 1.0)

    assert r.due(1.0) == [65534, 65535, 0, 1]


def test_late_packets_are_late_also_across_the_wrap() -> None:
    """A packet of before the wrap that comes after it is old, not 65,000 ahead."""
    r = _video()
    r.arrived(65534, 0, 1.0)
    r.arrived(1, 0, 1.0)

    assert not r.arrived(65535, 0, 1.0)
    assert not r.arrived(0, 0, 1.0)
    assert r.arrived(2, 0, 1.0)
    assert not r.is_missing_any
    assert r.highest == 65536 + 2


def test_what_stays_missing_is_given_up() -> None:
    """After a second the picture has gone on by a key frame."""
    r = _video()
    r.arrived(1, 0, 1.0)
    r.arrived(3, 0, 1.0)
    asked = 0
    for step in range(40):
        asked += len(r.due(1.0 + step * 0.05))

    assert 1 <= asked <= 8
    assert not r.is_missing_any


def test_a_far_jump_is_a_new_beginning_not_a_loss() -> None:
    """Nobody asks for ten thousand packets."""
    r = _video()
    r.arrived(1, 0, 1.0)

    assert r.arrived(10_000, 0, 1.1)
    assert not r.is_missing_any


def test_a_large_gap_asks_for_the_newest_only() -> None:
    """What is remembered is bounded."""
    r = _video()
    r.arrived(1, 0, 1.0)
    r.arrived(2001, 0, 1.0)

    due = r.due(1.0)

    assert len(due) <= 256
    assert due[-1] == 2000
    for n in range(2001, 60_000, 300):
        r.arrived(n & 0xFFFF, 0, 1.0)
        assert len(r.due(1.0)) <= 256


def test_sound_is_not_asked_for_again() -> None:
    """Opus conceals; a repair would come too late."""
    r = Reception(48000, wants_repair=False)
    r.arrived(1, 0, 1.0)
    r.arrived(5, 0, 1.0)

    assert r.due(1.0) == []


def test_reports_follow_rfc_3550_appendix_a3() -> None:
    """The sender adapts its rate by these numbers."""
    r = _video()
    assert r.report(7, 0.0) is None
    for n in range(100):
        if n % 4:
            r.arrived(n, n * 3000, n / 30)

    block = r.report(7, 4.0)
    assert block is not None
    assert (block.ssrc, block.highest_sequence) == (7, 99)
    assert block.packets_lost == 24  # of 1 to 99
    assert block.fraction_lost == 256 * 24 // 99
    assert block.jitter < 90
    for n in range(100, 200):
        r.arrived(n, n * 3000, n / 30)
    again = r.report(7, 7.0)
    assert again is not None
    assert (again.packets_lost, again.fraction_lost) == (24, 0)


def test_the_highest_number_counts_the_wraps() -> None:
    """The upper half of the extended number is the count of wraps."""
    r = _video()
    for n in range(65_000, 65_536 + 200):
        r.arrived(n & 0xFFFF, 0, 1.0)

    block = r.report(7, 4.0)
    assert block is not None
    assert block.highest_sequence == 65_536 + 199
    assert block.packets_lost == 0


def test_repaired_packets_do_not_count_as_lost() -> None:
    """What RTX brought is there."""
    r = _video()
    r.arrived(1, 0, 1.0)
    r.arrived(3, 0, 1.0)
    r.repaired(2)

    block = r.report(7, 2.0)
    assert block is not None
    assert block.packets_lost == 0


def test_the_last_sender_report_is_named_with_its_delay() -> None:
    """From these two the sender computes the round trip."""
    r = _video()
    r.arrived(1, 0, 1.0)
    r.sender_reported(0x1122334455667788, 10.0)

    block = r.report(7, 10.5)

    assert block is not None
    assert block.last_sr == 0x33445566
    assert block.delay_since_last_sr == 32768


def test_jitter_is_what_timestamps_and_arrivals_disagree_on() -> None:
    """Alternating 10 ms early and late is a mean deviation of 20 ms, in units of the timestamp."""
    r = _video()
    for n in range(400):
        r.arrived(n, n * 3000, n / 30 + (0.01 if n % 2 else -0.01))

    block = r.report(7, 20.0)
    assert block is not None
    assert 0.018 * 90000 < block.jitter < 0.022 * 90000
