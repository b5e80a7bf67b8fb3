"""Networks for tests, where the machine can have them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.lab.network import Lab, LabUnavailableError


@pytest.fixture
def make_lab() -> Iterator[Callable[[int], Lab]]:
    """Makes a network with so many clients; the test is skipped where there can be none."""
    with ExitStack() as closing:

        def make(clients: int) -> Lab:
            try:
                return closing.enter_context(Lab(clients))
            except LabUnavailableError as error:
                pytest.skip(str(error))

        yield make
