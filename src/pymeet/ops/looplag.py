"""Measures how late the event loop runs what is due, and how much of the time it has work: the first signs of too much to do."""

import asyncio
import itertools
import selectors
import time
from collections import deque
from collections.abc import Callable

from pymeet.clock import together

INTERVAL_S = 0.2
"""To wake up for this is the largest part of what a server without any meeting costs."""
SECOND = 5
"""Measurements in one second."""

_AFTER_S = 0.0001
"""After what others do at the same multiples of a fifth of a second, the rooms first of all: so their work is measured."""

REMEMBERED = 10 * SECOND
"""Measurements, together ten seconds: who waits for ten quiet seconds after each late one keeps the 98th percentile."""

_P95 = -(-REMEMBERED * 95 // 100)


class _Waiting(selectors.DefaultSelector):
    """A selector that adds up how long there was nothing to select."""

    waited_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        begun = time.monotonic()
        ready = super().select(timeout)
        self.waited_s += time.monotonic() - begun
        return ready


class MeasuredLoop(asyncio.SelectorEventLoop):
    """An event loop that knows for how long it had nothing to do, in seconds since it was made.

    A loop that drains a socket in small bites is never late, however much it leaves in the socket: that it does not wait any
    more is the only sign (Node.js calls the measure event loop utilization).
    """

    def __init__(self) -> None:
        self._waiting = _Waiting()
        super().__init__(self._waiting)

    @property
    def idle_s(self) -> float:
        """So long it waited for something to happen."""
        return self._waiting.waited_s


class LoopLag:
    """Runs beside everything else, and tells how late the loop was, at worst, in the last second or the last ten."""

    def __init__(self) -> None:
        self._newest: deque[float] = deque(maxlen=REMEMBERED)
        self._busy: deque[float] = deque(maxlen=REMEMBERED)

    def worst_s(self) -> float:
        """In the last second. Seconds; 0 before the first measurement."""
        return max(itertools.islice(reversed(self._newest), SECOND), default=0.0)

    def worst_of_ten_s(self) -> float:
        """In the last ten seconds. Seconds; 0 before the first measurement."""
        return max(self._newest, default=0.0)

    def lasting_s(self) -> float:
        """How late it was at worst in the best of the last ten seconds: more than a hiccup, however bad, makes this large.

        Seconds; 0 before ten seconds are measured.
        """
        if len(self._newest) < REMEMBERED:
            return 0.0
        newest = iter(self._newest)
        return min(max(itertools.islice(newest, SECOND)) for _ in range(REMEMBERED // SECOND))

    def p95_s(self) -> float:
        """What 95 % of the measurements of the last ten seconds do not exceed. Seconds; 0 before ten seconds are measured."""
        return sorted(self._newest)[_P95 - 1] if len(self._newest) == REMEMBERED else 0.0

    def busy_share(self) -> float:
        """In how much of the last ten seconds the loop had work, 0 to 1; 0 before they are measured, or where nobody knows."""
        return sum(self._busy) / REMEMBERED

    def note(self, lag_s: float, busy: float = 0.0) -> None:
        """Takes one measurement in: how late the loop was, and its share of work since the last one."""
        self._newest.append(lag_s)
        self._busy.append(busy)

    async def watch(self, observe: Callable[[float], None], review: Callable[[], None] = lambda: None) -> None:
        """Measures until cancelled, hands `observe` each lag in seconds, and calls `review` after each."""
        loop = asyncio.get_running_loop()
        measured = loop if isinstance(loop, MeasuredLoop) else None
        while True:
            begun, idle_s = loop.time(), measured.idle_s if measured else 0.0
            due = together(begun + INTERVAL_S, INTERVAL_S) + _AFTER_S
            await asyncio.sleep(due - begun)
            now = loop.time()
            lag_s = max(0.0, now - due)
            self.note(lag_s, 1 - min(1.0, (measured.idle_s - idle_s) / (now - begun)) if measured else 0.0)
            observe(lag_s)
            review()
