"""Keeps processors awake while something is measured.

A processor with nothing to do sleeps, and wakes late: a virtual one is given back to the host, and on a shared host that
can take tens of milliseconds. Programs that measure a delay of a millisecond then measure the host. Linux keeps processors
from sleeping for as long as somebody holds `/dev/cpu_dma_latency` open and has written 0 there (PM QoS); that takes root.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_LATENCY = "/dev/cpu_dma_latency"


@contextmanager
def awake() -> Iterator[None]:
    """For as long as it is entered. Where it is not allowed, says so: what is measured then includes the host's delays."""
    try:
        held = os.open(_LATENCY, os.O_WRONLY)
        os.write(held, bytes(4))
    except OSError:
        print(
            f"{_LATENCY} cannot be written: processors may sleep, and delays include how late they wake",
            file=sys.stderr,
        )
        yield
        return
    try:
        yield
    finally:
        os.close(held)
