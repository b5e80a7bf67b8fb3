"""How much a client may send: token buckets. Pure; `now` in seconds. The figures stand in docs/protocol.md section 1."""


class Bucket:
    """Holds `burst` at most and fills up by `per_s`."""

    def __init__(self, *, per_s: float, burst: float, now: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._level = burst
        self._at = now

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Takes `amount` out; False, taking nothing, when less is there."""
        self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._per_s)
        self._at = now
        if amount > self._level:
            return False
        self._level -= amount
        return True


class Allowance:
    """What one connection may send. Whoever goes past it is told so, and cut off when that does not help."""

    def __init__(self, now: float) -> None:
        self._messages = Bucket(per_s=20, burst=60, now=now)
        self._bytes = Bucket(per_s=128 * 1024, burst=1024 * 1024, now=now)
        self._chat = Bucket(per_s=3, burst=10, now=now)
        # a few bytes that make the server write a description to everybody in the room
        self._descriptions = Bucket(per_s=1, burst=10, now=now)
        # each is written down and told to everybody
        self._recording = Bucket(per_s=1, burst=10, now=now)
        self._reactions = Bucket(per_s=2, burst=6, now=now)
        self._hands = Bucket(per_s=1, burst=6, now=now)
        self._views = Bucket(per_s=2, burst=6, now=now)
        self._patience = Bucket(per_s=1, burst=30, now=now)

    def take(
        self,
        now: float,
        *,
        size: int,
        is_chat: bool = False,
        makes_descriptions: bool = False,
        about_recording: bool = False,
        is_reaction: bool = False,
        is_hand: bool = False,
        is_view: bool = False,
    ) -> bool:
        """Whether a message of `size` bytes may be acted on now."""
        # each is asked, so that a flood of one kind does not hide behind another limit
        taken = [
            self._messages.take(now),
            self._bytes.take(now, size),
            not is_chat or self._chat.take(now),
            not makes_descriptions or self._descriptions.take(now),
            not about_recording or self._recording.take(now),
            not is_reaction or self._reactions.take(now),
            not is_hand or self._hands.take(now),
            not is_view or self._views.take(now),
        ]
        return all(taken)

    def is_persistent(self, now: float) -> bool:
        """To be called for each message that was too many: whether it is time to close the connection."""
        return not self._patience.take(now)
