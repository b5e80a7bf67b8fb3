"""How often somebody may try: a bucket per key that fills up again with time. Not for media or signaling."""

from collections import OrderedDict


class Attempts:
    """Allows `burst` attempts per key at once and then one every `refill_s` seconds. At most `keys` are remembered."""

    def __init__(self, *, burst: int, refill_s: float, keys: int = 10_000) -> None:
        self._burst = burst
        self._refill_s = refill_s
        self._keys = keys
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str, now: float) -> float:
        """Seconds until `key` may try again; 0 when it may now."""
        return max(0.0, (self._load(key, now) - (self._burst - 1)) * self._refill_s)

    def add(self, key: str, now: float) -> None:
        """Counts an attempt. When there are too many keys the one that was quiet for longest is forgotten."""
        self._used[key] = (self._load(key, now) + 1, now)
        self._used.move_to_end(key)
        if len(self._used) > self._keys:
            self._used.popitem(last=False)

    def take_back(self, key: str, now: float) -> None:
        """Uncounts an attempt that turned out to be a good one."""
        if key in self._used:
            self._used[key] = (max(0.0, self._load(key, now) - 1), now)

    def _load(self, key: str, now: float) -> float:
        load, at = self._used.get(key, (0.0, now))
        return max(0.0, load - (now - at) / self._refill_s)
