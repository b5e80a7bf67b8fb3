"""Starts `pymeet` for soak.py, with a window: at SIGUSR2 the process writes down what it holds, as JSON.

Asyncio's tasks, the threads of its pool, living objects by type, and, where Python was started with PYTHONTRACEMALLOC, the
places of the program that hold more memory than when it was asked first.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import threading
import tracemalloc
from collections import Counter
from types import FrameType
from typing import Any

FILE = os.environ.pop("SOAK_FILE")
_TOP = 25
_first: list[tracemalloc.Snapshot] = []


def look(_signal: int, _frame: FrameType | None) -> None:
    """Runs in the main thread, between two steps of whatever it does."""
    gc.collect()
    report: dict[str, Any] = {"tasks": Counter(_name(task) for task in asyncio.all_tasks(asyncio.get_running_loop()))}
    report["pool"] = sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())
    report["objects"] = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    report["blocks"] = sys.getallocatedblocks()
    if tracemalloc.is_tracing():
        snapshot = tracemalloc.take_snapshot()
        _first.append(snapshot)
        del _first[1:]
        grown = snapshot.compare_to(_first[0], "traceback")[:_TOP]
        report["grown"] = [[each.size_diff, each.count_diff, each.traceback.format()] for each in grown]
    with open(f"{FILE}.new", "w") as file:
        json.dump(report, file)
    os.replace(f"{FILE}.new", FILE)


def _name(task: "asyncio.Task[Any]") -> str:
    return getattr(task.get_coro(), "__qualname__", "?")


if __name__ == "__main__":
    signal.signal(signal.SIGUSR2, look)
    from pymeet.cli import main

    main()
