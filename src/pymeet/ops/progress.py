"""How far a long operation is: told often by whoever works, shown as seldom as is good for whoever looks."""

from collections import deque
from collections.abc import Callable

Progress = Callable[[int, int | None, str], None]
"""`progress(done, total, what)`: so many of so many, None where that is not known, and a few words on what is done now,
without personal data. Cheap, and callable from every thread."""


def silent(done: int, total: int | None, what: str) -> None:
    """A `Progress` for when nobody listens."""


class Latest:
    """A `Progress` that keeps the newest report only, until it is taken. Any thread may report."""

    def __init__(self) -> None:
        # append and pop of a deque are atomic, so no report is lost between two threads
        self._reports: deque[tuple[int, int | None, str]] = deque(maxlen=1)

    def __call__(self, done: int, total: int | None, what: str) -> None:
        self._reports.append((done, total, what))

    def take(self) -> tuple[int, int | None, str] | None:
        """The newest report; None when there was none since the last call."""
        return self._reports.pop() if self._reports else None
