"""How often something may be tried. Pure: the time is handed in."""

from collections import OrderedDict, deque

MAX_KEYS = 10_000
"""Beyond that many keys the one that was quiet for longest is forgotten, so that memory stays bounded."""


class AttemptLimiter:
    """Allows `limit` attempts per key in any `window_s` seconds.

    An attempt counts when it begins, so that many at once do not slip through; one that turned out to be legitimate is
    taken back.
    """

    def __init__(self, *, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()

    def attempt(self, key: str, now: float) -> bool:
        """Counts an attempt at `now` (seconds); False, and not counted, where the limit is reached."""
        times = self._attempts.setdefault(key, deque())
        self._drop_old(times, now)
        if len(times) >= self._limit:
            return False
        times.append(now)
        self._attempts.move_to_end(key)
        if len(self._attempts) > MAX_KEYS:
            self._attempts.popitem(last=False)
        return True

    def take_back(self, key: str) -> None:
        """Uncounts the newest attempt of `key`."""
        times = self._attempts.get(key)
        if times:
            times.pop()
            if not times:
                del self._attempts[key]

    def wait_s(self, key: str, now: float) -> float:
        """Seconds until `key` may try again; 0.0 when it may now."""
        times = self._attempts.get(key, deque())
        if len(times) < self._limit:
            return 0.0
        return max(0.0, times[0] + self._window_s - now)

    @property
    def key_count(self) -> int:
        """How many keys are remembered."""
        return len(self._attempts)

    def forget(self, now: float) -> None:
        """Forgets what is older than the window. To be called from time to time, for keys are addresses of people."""
        for key, times in list(self._attempts.items()):
            self._drop_old(times, now)
            if not times:
                del self._attempts[key]

    def _drop_old(self, times: deque[float], now: float) -> None:
        while times and times[0] <= now - self._window_s:
            times.popleft()
