"""Waiting for what must become true, with an end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
POLL_S = 0.05


async def until(look: Callable[[], Awaitable[T]], good: Callable[[T], object], within_s: float, what: str) -> T:
    """Looks again and again until what it sees is good; AssertionError with what it saw last when that takes too long."""
    deadline = time.monotonic() + within_s
    while True:
        seen = await look()
        if good(seen):
            return seen
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}; seen last: {seen!r}"
        await asyncio.sleep(POLL_S)
