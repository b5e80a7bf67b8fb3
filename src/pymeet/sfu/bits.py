"""Reading bits, and the variable-length numbers of H.264 and AV1."""


class MalformedError(ValueError):
    """What is read does not follow its format. It stays with whoever reads, where it is counted or passed over."""


class Bits:
    """A reader of big-endian bits. Every method raises MalformedError at the end of the data."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next `count` bits as a number."""
        self._left -= count
        if self._left < 0:
            raise MalformedError("cut off")
        return self._value >> self._left & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.take(1) == 1

    def ue(self) -> int:
        """An unsigned Exp-Golomb number (H.264 section 9.1); `uvlc` of AV1 is the same."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise MalformedError("number too large")
        return (1 << zeros) - 1 + self.take(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb number (H.264 section 9.1.1)."""
        number = self.ue()
        return (number + 1) // 2 if number & 1 else -(number // 2)
