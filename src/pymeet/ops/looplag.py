"""Measures how late the event loop runs what is due: the first sign that a server has too much to do."""

import asyncio
from collections.abc import Callable

INTERVAL_S = 0.5


async def watch_loop(observe: Callable[[float], None]) -> None:
    """Hands `observe` the lag in seconds twice a second, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        observe(max(0.0, loop.time() - due))
