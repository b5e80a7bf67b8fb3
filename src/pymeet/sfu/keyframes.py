"""Key frame requests of many receivers become few to the sender: merged, and never closer together than `INTERVAL_S`."""

INTERVAL_S = 0.5


class KeyframeThrottle:
    """One per producer."""

    __slots__ = ("_last", "_wanted")

    def __init__(self) -> None:
        self._last = -INTERVAL_S
        self._wanted = False

    def request(self) -> None:
        """A receiver cannot go on without a key frame."""
        self._wanted = True

    def came(self) -> None:
        """There is one: whoever asked before gets it."""
        self._wanted = False

    @property
    def is_wanted(self) -> bool:
        """Whether a request waits to be sent."""
        return self._wanted

    def take(self, now: float) -> bool:
        """Whether to send one request now; it counts as sent."""
        if not self._wanted or now - self._last < INTERVAL_S:
            return False
        self._wanted, self._last = False, now
        return True
