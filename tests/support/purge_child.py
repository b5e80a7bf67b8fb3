"""Runs one purge and kills itself at a fail point: `python -m tests.support.purge_child DATA_DIR POINT NUMBER`.

A point is `before:WHAT` or `after:WHAT`, WHAT being a function that touches the disk; it dies at the NUMBERth call.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymeet.db.engine import Database
from pymeet.db.keys import KeyStore
from pymeet.privacy.plan import plan
from pymeet.privacy.purge import execute
from tests.support.retention import open_lifecycle

PLACES: dict[str, tuple[Any, str]] = {
    "commit": (Database, "_write_there"),  # a whole transaction in the thread for long work
    "checkpoint": (Database, "checkpoint"),
    "shred": (KeyStore, "shred"),
    "unlink": (os, "unlink"),
    "fsync": (os, "fsync"),
}


def arm(point: str, number: int) -> None:
    """From now on the NUMBERth call kills the process, as the kernel or a power cut would."""
    when, _, what = point.partition(":")
    owner, name = PLACES[what]
    real: Callable[..., Any] = getattr(owner, name)
    left = [number]

    def call(*arguments: Any, **more: Any) -> Any:
        left[0] -= 1
        if when == "before" and left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return real(*arguments, **more)
        finally:
            if when == "after" and left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, call)


async def main(data_dir: Path, point: str, number: int) -> None:
    async with open_lifecycle(data_dir) as lifecycle:
        now_ms = lifecycle.clock.now_ms()
        made = await lifecycle.db.study(lambda conn: plan(conn, lifecycle.periods, now_ms))
        arm(point, number)
        await execute(lifecycle, made, actor="operator", pace="full")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
