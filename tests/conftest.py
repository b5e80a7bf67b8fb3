"""For every test: how long hypothesis searches (`make fuzz` and `make gates` have profiles of their own), and a log that
is as it was, whatever the test before set up.
"""

import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# No deadline: how long one example takes says something about the machine, not about the code.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=20_000)
settings.register_profile("gates", deadline=None, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Servers and commands set up the log of the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)
