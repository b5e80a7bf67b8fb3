"""Gives memory back to the system when people have left. The C library would keep it: for long, and on a server that was
full once nearly all of it, because pieces that are still in use lie between those that are free.
"""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import cffi

EVERY_S = 60.0
"""How often it is looked whether somebody has left."""

_ffi = cffi.FFI()
_ffi.cdef("int malloc_trim(size_t);")


def _find_trim() -> Any:
    try:
        return _ffi.dlopen(None).malloc_trim
    except (OSError, AttributeError):
        return None


_trim = _find_trim()


def give_back() -> None:
    """Hands whole free pages to the system, of all threads (malloc_trim(3)). Nothing where the C library has no such call."""
    if _trim is not None:
        _trim(0)


class Leftovers:
    """Whether there is something to give back: there is when peer connections have ended."""

    def __init__(self) -> None:
        self._had = 0

    def tidy(self, transports: int) -> bool:
        """To be called now and then with the number of peer connections; whether it gave memory back."""
        has_left, self._had = transports < self._had, transports
        if has_left:
            if not transports:
                gc.collect()  # nobody is there to notice the pause, and rings of objects hold much of what meetings needed
            give_back()
        return has_left


async def watch(transports: Callable[[], int]) -> None:
    """Gives memory back until cancelled, whenever there are fewer peer connections than the last time."""
    leftovers = Leftovers()
    while True:
        await asyncio.sleep(EVERY_S)
        leftovers.tidy(transports())
