"""For every test: how long hypothesis searches (`make fuzz` and `make gates` have profiles of their own), and a log that
is as it was, whatever the test before set up. And what makes all of them quicker.
"""

import gc
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.support import statements

# No deadline: how long one example takes says something about the machine, not about the code.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=20_000)
settings.register_profile("gates", deadline=None, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


def _plain_log() -> None:
    """Structlog's defaults, but for errors without the values of variables: drawn, these are gigabytes for some that last."""
    structlog.reset_defaults()
    *others, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*others, plain])


_plain_log()


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Servers and commands set up the log of the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    _plain_log()
    root.handlers = handlers
    root.setLevel(level)


MEMORY = Path("/dev/shm")
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 << 30:
    # Each test has files of its own, and what is to survive a power cut is waited for: on a disk, longer than for all else.
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

statements.share()
gc.set_threshold(10_000, 20, 20)  # tests make much and keep little


def pytest_collection_finish() -> None:
    """What was imported stays: the collector need not look at it again, in each of thousands of tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def unshared() -> Iterator[None]:
    """For tests that look for what the process still knows: it keeps and shows to the collector what a server does."""
    gc.unfreeze()
    with statements.unshared():
        yield
    gc.freeze()
