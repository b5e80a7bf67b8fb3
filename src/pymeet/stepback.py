"""How a thread with long work stands back behind the event loop: media first."""

import os
import sys
import threading
from contextlib import suppress


def step_back() -> None:
    """Lets the calling thread never take the processor from one that runs. Only a wish: where it is refused, all goes on.

    It keeps its fair share. A lower priority would be worse: waiting for other programs while it holds the interpreter's
    lock, the thread would keep the event loop waiting, too.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_BATCH, os.sched_param(0))
