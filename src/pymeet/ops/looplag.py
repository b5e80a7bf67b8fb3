"""Measures how late the event loop runs what is due: the first sign that a server has too much to do."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable

INTERVAL_S = 0.1
SECOND = 10
"""Measurements in one second."""

REMEMBERED = 100
"""Measurements, together ten seconds: who waits for ten quiet seconds after each late one keeps the 99th percentile."""


class LoopLag:
    """Runs beside everything else, and tells how late the loop was, at worst, in the last second or the last ten."""

    def __init__(self) -> None:
        self._newest: deque[float] = deque(maxlen=REMEMBERED)

    def worst_s(self) -> float:
        """In the last second. Seconds; 0 before the first measurement."""
        return max(itertools.islice(reversed(self._newest), SECOND), default=0.0)

    def worst_of_ten_s(self) -> float:
        """In the last ten seconds. Seconds; 0 before the first measurement."""
        return max(self._newest, default=0.0)

    async def watch(self, observe: Callable[[float], None]) -> None:
        """Measures until cancelled, and hands `observe` each lag in seconds."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + INTERVAL_S
            await asyncio.sleep(INTERVAL_S)
            lag_s = max(0.0, loop.time() - due)
            self._newest.append(lag_s)
            observe(lag_s)
