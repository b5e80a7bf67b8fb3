"""Limits of a recording: it is said before, and then it stops."""

from dataclasses import replace

import pytest

from pymeet.config import RecordingConfig
from pymeet.recording.limits import NOBODY_MS, WARN_FREE_BYTES, Limits, Measured, must_stop, warning
from pymeet.rooms.recording import EndReason, Limit, RecordingWarning

MINUTE = 60_000
STARTED_MS = 1_800_000_000_000
LIMITS = Limits(duration_ms=60 * MINUTE, size_bytes=10**9, free_bytes=2 * 10**9)
FINE = Measured(STARTED_MS, elapsed_ms=10 * MINUTE, size_bytes=10**8, free_bytes=50 * 10**9, anybody_agreed=True)


def test_the_limits_are_those_of_the_configuration() -> None:
    """Gigabytes are those that disks are sold by."""
    assert Limits.of(RecordingConfig()) == Limits(8 * 60 * MINUTE, 50 * 10**9, 2 * 10**9)


def test_far_from_every_limit_nothing_is_said() -> None:
    """A warning that is always there is none."""
    assert must_stop(LIMITS, FINE) is None
    assert warning(LIMITS, FINE) is None


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        (replace(FINE, elapsed_ms=60 * MINUTE), EndReason.TIME),
        (replace(FINE, size_bytes=10**9), EndReason.SIZE),
        (replace(FINE, free_bytes=2 * 10**9 - 1), EndReason.DISK),
        (replace(FINE, anybody_agreed=False), EndReason.NOBODY),
        (replace(FINE, elapsed_ms=NOBODY_MS - 1, anybody_agreed=False), None),
    ],
)
def test_at_a_limit_it_stops(measured: Measured, reason: EndReason | None) -> None:
    """The disk must not fill up, and no light must say that it records when nobody agreed to it."""
    assert must_stop(LIMITS, measured) is reason


def test_the_end_of_the_time_is_told_five_minutes_before() -> None:
    """Whoever needs more starts another recording."""
    near = replace(FINE, elapsed_ms=55 * MINUTE)

    assert warning(LIMITS, replace(near, elapsed_ms=55 * MINUTE - 1)) is None
    assert warning(LIMITS, near) == RecordingWarning(Limit.TIME, STARTED_MS + 60 * MINUTE)


def test_the_size_is_told_at_nine_tenths_with_the_time_that_is_left() -> None:
    """By the rate so far: here 90 MB a minute, so that 100 MB last for a good minute."""
    near = replace(FINE, size_bytes=9 * 10**8)

    assert warning(LIMITS, replace(near, size_bytes=9 * 10**8 - 1)) is None
    said = warning(LIMITS, near)
    assert said is not None
    assert said.reason is Limit.SIZE
    assert said.stops_at_ms == (STARTED_MS + 11 * MINUTE + 6_667) // MINUTE * MINUTE


def test_a_disk_that_fills_up_is_told_before_it_is_full() -> None:
    """A large meeting needs more room for five minutes than a small one."""
    small = replace(FINE, size_bytes=0, free_bytes=LIMITS.free_bytes + WARN_FREE_BYTES)
    large = replace(small, size_bytes=9 * 10**8 - 1)

    assert warning(LIMITS, small) is None
    assert warning(LIMITS, replace(small, free_bytes=small.free_bytes - 1)) == RecordingWarning(Limit.DISK)
    assert warning(LIMITS, large) == RecordingWarning(Limit.DISK)
