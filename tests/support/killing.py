"""Kills a child process at the n-th thing that it does to the file system: a crash wherever one can happen."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHANGES = frozenset({"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "open"})
"""Audit events (PEP 578) of what changes a directory or opens a file."""

_FAILED = 70


def changes_of(directory: Path, run: Callable[[], Any]) -> int:
    """Runs in a child to the end, and counts what it does below `directory`."""
    reading, writing = os.pipe()
    count = 0

    def note() -> None:
        nonlocal count
        count += 1

    def run_and_tell() -> None:
        run()
        os.write(writing, str(count).encode())

    assert _child(directory, note, run_and_tell) == 0
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return int(pipe.read())


def killed_at(number: int, directory: Path, run: Callable[[], Any]) -> bool:
    """Runs in a child that is killed right before the n-th change; False when it came to its end before."""
    count = 0

    def count_and_die() -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    status = _child(directory, count_and_die, run)
    assert status in (0, -signal.SIGKILL)
    return status != 0


def _child(directory: Path, on_change: Callable[[], None], run: Callable[[], Any]) -> int:
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = _FAILED
    try:
        prefix = str(directory)

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in CHANGES and _changes(event, arguments) and str(arguments[0]).startswith(prefix):
                on_change()

        sys.addaudithook(hook)
        run()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _changes(event: str, arguments: tuple[Any, ...]) -> bool:
    """A file that is only read changes nothing."""
    return event != "open" or bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
