"""The rim's clock. Nothing below the rim reads the time: it is handed `now`, so that tests can turn it."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What the rim asks for the time."""

    def monotonic(self) -> float:
        """Seconds since some start, never backwards."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 in UTC: what is stored and shown."""


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


def together(due: float, every_s: float) -> float:
    """The multiple of `every_s` nearest to `due`: what several do regularly then wakes a quiet server once for all of them."""
    return round(due / every_s) * every_s


@dataclass
class ManualClock:
    """A clock that a test turns by hand."""

    monotonic_s: float = 1000.0
    utc_ms: int = 1_700_000_000_000

    def monotonic(self) -> float:
        return self.monotonic_s

    def now_ms(self) -> int:
        return self.utc_ms

    def advance(self, seconds: float) -> None:
        """Moves both readings forward."""
        self.monotonic_s += seconds
        self.utc_ms += round(seconds * 1000)
