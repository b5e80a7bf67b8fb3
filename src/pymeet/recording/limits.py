"""When a recording must stop, and when that is said before: its age, its size, the room on the disk. Pure.

Warnings come five minutes before the time is over, at nine tenths of the size, and when the disk has only a little more
room than must stay free: as much as five minutes of this recording need, but at least 256 MB.
"""

from dataclasses import dataclass

from pymeet.config import RecordingConfig
from pymeet.rooms.recording import EndReason, Limit, RecordingWarning

WARN_BEFORE_MS = 5 * 60_000
WARN_SIZE = 0.9
WARN_FREE_BYTES = 256 * 1024 * 1024

NOBODY_MS = 60_000
"""A recording that nobody has agreed to after this time is stopped. Once anybody has agreed it runs on, also when they leave
or change their mind: others may still come, and the host sees that nobody is being recorded."""

_GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class Limits:
    """What a recording may take."""

    duration_ms: int
    size_bytes: int
    free_bytes: int
    """What must stay free on the disk."""

    @classmethod
    def of(cls, config: RecordingConfig) -> "Limits":
        """As the configuration says."""
        return cls(
            duration_ms=round(config.max_duration.total_seconds() * 1000),
            size_bytes=config.max_gigabytes * _GIGABYTE,
            free_bytes=config.min_free_gigabytes * _GIGABYTE,
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """How far a recording is."""

    started_at_ms: int
    """UTC milliseconds; the other times are milliseconds of the recording."""
    elapsed_ms: int
    size_bytes: int
    free_bytes: int
    anybody_agreed: bool


def must_stop(limits: Limits, measured: Measured) -> EndReason | None:
    """Why the recording must stop now; None where it may go on."""
    if measured.elapsed_ms >= limits.duration_ms:
        return EndReason.TIME
    if measured.size_bytes >= limits.size_bytes:
        return EndReason.SIZE
    if measured.free_bytes < limits.free_bytes:
        return EndReason.DISK
    if measured.elapsed_ms >= NOBODY_MS and not measured.anybody_agreed:
        return EndReason.NOBODY
    return None


def warning(limits: Limits, measured: Measured) -> RecordingWarning | None:
    """What the recording comes close to: the disk before the size before the time."""
    rate = measured.size_bytes / max(measured.elapsed_ms, 1)  # bytes a millisecond, so far
    spare_bytes = measured.free_bytes - limits.free_bytes
    if spare_bytes < max(WARN_FREE_BYTES, rate * WARN_BEFORE_MS):
        return RecordingWarning(Limit.DISK)
    if measured.size_bytes >= WARN_SIZE * limits.size_bytes:
        left_ms = round((limits.size_bytes - measured.size_bytes) / rate)
        # to the minute, so that not every measurement is another warning
        stops_at_ms = (measured.started_at_ms + measured.elapsed_ms + left_ms) // 60_000 * 60_000
        return RecordingWarning(Limit.SIZE, stops_at_ms)
    if measured.elapsed_ms >= limits.duration_ms - WARN_BEFORE_MS:
        return RecordingWarning(Limit.TIME, measured.started_at_ms + limits.duration_ms)
    return None
