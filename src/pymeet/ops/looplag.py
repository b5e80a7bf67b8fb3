"""Measures how late the event loop runs what is due: the first sign that a server has too much to do."""

import asyncio
from collections import deque
from collections.abc import Callable

INTERVAL_S = 0.1
REMEMBERED = 10
"""Measurements, together one second."""


class LoopLag:
    """Runs beside everything else; `worst_s()` tells how late the loop was, at worst, in the last second."""

    def __init__(self) -> None:
        self._newest: deque[float] = deque(maxlen=REMEMBERED)

    def worst_s(self) -> float:
        """Seconds; 0 before the first measurement."""
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
