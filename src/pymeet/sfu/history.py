"""What was sent to one receiver lately, by transport-wide number: what its feedback is compared with."""

SIZE = 4096
"""Numbers remembered: about a second of the largest meetings, ten of small ones. A power of two."""
MASK = SIZE - 1
TAG_BYTES = 16
"""What encryption adds to a packet, counted into sizes (10 with the older cipher, which is near enough)."""

Sent = tuple[float, int]
"""When (monotonic seconds), and how many bytes the datagram had."""

_NEVER: Sent = (0.0, 0)


class SendHistory:
    """Numbers packets and remembers the newest `SIZE` of them. The fan-out writes `log` and `next` itself, one store per copy."""

    __slots__ = ("log", "next")

    def __init__(self) -> None:
        self.log: list[Sent] = [_NEVER] * SIZE
        """What was sent under number n stands at n & MASK; copies of one packet share one entry."""
        self.next = 0

    def record(self, size_bytes: int, now: float) -> int:
        """The number for a datagram of this size that is sent now."""
        number = self.next
        self.log[number & MASK] = (now, size_bytes)
        self.next = (number + 1) & 0xFFFF
        return number

    def sent(self, number: int) -> Sent | None:
        """When the packet with this number was sent, and its size; None when it never was, or too long ago."""
        if not 0 < (self.next - number) & 0xFFFF <= SIZE:
            return None
        entry = self.log[number & MASK]
        return None if entry is _NEVER else entry

    def bytes_since(self, number: int) -> int:
        """The sizes together of what was sent under `number` and later, as far as it is remembered."""
        count = min((self.next - number) & 0xFFFF, SIZE)
        return sum(self.log[(self.next - back) & MASK][1] for back in range(1, count + 1))
