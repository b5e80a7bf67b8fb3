"""How threads with long work stand back behind the event loop: media first."""

import os
import sys
import threading
from contextlib import suppress

_SWITCH_S = 0.0005
"""How long a thread may keep the interpreter's lock from one that waits for it. Python's own 5 ms would be added to the delay of a
packet whenever another thread (database, recording, passwords) happens to run Python code."""


_NICE = 10
"""Each step of niceness is a factor of 1.25 in share: ten are about a tenth (sched(7))."""


def share_closely() -> None:
    """Lets the event loop wait for the interpreter's lock for half a millisecond at most. For the whole process."""
    sys.setswitchinterval(_SWITCH_S)


def step_back() -> None:
    """Lets the calling thread never take the processor from one that runs. Only a wish: where it is refused, all goes on.

    It keeps its fair share. A lower priority would be worse: waiting for other programs while it holds the interpreter's
    lock, the thread would keep the event loop waiting, too.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_BATCH, os.sched_param(0))


def step_far_back() -> None:
    """The same with a tenth of a fair share, for a thread whose work is nearly all done without the interpreter's lock.

    Hashing passwords is: where it shares one processor with the event loop, a fair share of it leaves media too little.
    """
    step_back()
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
