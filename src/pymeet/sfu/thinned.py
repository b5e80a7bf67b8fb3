"""One operating point of a scalable stream as a stream of its own: what it leaves out leaves no gap in its numbers.

Late packets and repairs get the numbers that were kept for them. Where it turns out that a missing packet is not part of
this point after all, an empty one takes its number, so that nobody goes on asking for it.
"""

from pymeet.sfu import rtp, vp8
from pymeet.sfu.operating_points import Part

WINDOW = 512
"""How far behind the newest packet numbers are remembered: as far as the ring holds packets."""
_MASK = WINDOW - 1
_LEFT_OUT = -1
_PICTURES = 128


class _Numbers:
    """New numbers for the packets that stay, in the order of their old ones."""

    __slots__ = ("_new", "newest", "next")

    def __init__(self) -> None:
        self._new = [_LEFT_OUT] * WINDOW
        self.newest = -1
        self.next = 0

    def count(self, sequence: int, is_kept: bool) -> int:
        """A packet newer than all before it: its number, or _LEFT_OUT. What is missing before it keeps places."""
        self.next = self.upcoming(sequence)
        missing = ((sequence - self.newest) & 0xFFFF) - 1 if self.newest >= 0 else 0
        for i in range(1, min(missing, WINDOW) + 1):
            self._new[(sequence - i) & _MASK] = (self.next - i) & 0xFFFF
        self.newest = sequence
        number = _LEFT_OUT
        if is_kept:
            number, self.next = self.next, (self.next + 1) & 0xFFFF
        self._new[sequence & _MASK] = number
        return number

    def upcoming(self, sequence: int) -> int:
        """The number that a packet newer than all before it would get."""
        return sequence if self.newest < 0 else (self.next + sequence - self.newest - 1) & 0xFFFF

    def of(self, sequence: int) -> int:
        """The number of a late packet; _LEFT_OUT also when it is too old, or from before the first."""
        is_known = self.newest >= 0 and (self.newest - sequence) & 0xFFFF < WINDOW
        return self._new[sequence & _MASK] if is_known else _LEFT_OUT


class _Pictures:
    """By how much VP8's picture ids are moved, per picture."""

    __slots__ = ("_moved", "_newest", "left_out")

    def __init__(self) -> None:
        self._moved: list[int | None] = [0] * _PICTURES
        self._newest = -1
        self.left_out = 0

    def move(self, picture: int, mask: int, is_kept: bool) -> int | None:
        """What to add to a picture's id; None when it has been left out. Pictures of which nothing came count as kept."""
        step = (picture - self._newest) & mask
        if self._newest < 0 or 0 < step <= mask >> 1:
            for missing in range(1, min(step, _PICTURES) if self._newest >= 0 else 0):
                self._moved[(picture - missing) % _PICTURES] = -self.left_out
            self._moved[picture % _PICTURES] = -self.left_out if is_kept else None
            self.left_out += not is_kept
            self._newest = picture
        elif (self._newest - picture) & mask >= _PICTURES // 2:
            return None
        return self._moved[picture % _PICTURES]


class Thinned:
    """Begun with the first packet that it is given."""

    __slots__ = ("_numbers", "_pictures", "point")

    def __init__(self, point: int) -> None:
        self.point = point
        """Its number among `Reader.points`."""
        self._numbers = _Numbers()
        self._pictures = _Pictures()

    @property
    def newest_number(self) -> int:
        """The highest number that has been given, or is kept for what is missing."""
        return (self._numbers.next - 1) & 0xFFFF

    def number_of(self, sequence: int) -> int:
        """Under which number a packet newer than all before it would come."""
        return self._numbers.upcoming(sequence)

    def upcoming(self, packet: bytes, sequence: int, part: Part) -> bytes:
        """A packet newer than all before it, the first of a picture, with the numbers that the next packet which is kept
        will have: this one or a later.
        """
        moved = -self._pictures.left_out if part.picture_mask else 0
        return self._renumbered(packet, self._numbers.upcoming(sequence), part, moved)

    def take(self, packet: bytes, sequence: int, part: Part | None) -> bytes | None:
        """A packet newer than all before it, as this point has it; None when it is left out.

        What tells nothing of itself (None for its part) is kept: a decoder can do with more, but not with less.
        """
        is_kept = part is None or bool(part.present >> self.point & 1)
        moved: int | None = 0
        if part is not None and part.picture_mask:
            moved = self._pictures.move(part.picture, part.picture_mask, is_kept)
        number = self._numbers.count(sequence, is_kept)
        return None if number == _LEFT_OUT else self._renumbered(packet, number, part, moved or 0)

    def take_late(self, packet: bytes, sequence: int, part: Part | None) -> bytes | None:
        """A packet that came late or was repaired, as this point has it; None when there is no place for it."""
        number = self._numbers.of(sequence)
        if number == _LEFT_OUT:
            return None
        moved: int | None = 0
        is_kept = part is None or bool(part.present >> self.point & 1)
        if part is not None and part.picture_mask:
            moved = self._pictures.move(part.picture, part.picture_mask, is_kept)
            # a picture that was waited for has its id: better there than missing, if it is only one layer up
            is_kept = moved is not None and bool(part.present >> self.point + 1 & 1 or is_kept)
        return self._renumbered(packet, number, part, moved or 0) if is_kept else _emptied(packet, number)

    def _renumbered(self, packet: bytes, number: int, part: Part | None, moved: int) -> bytes:
        is_last = part is not None and part.ends >> self.point & 1
        second = packet[1] | 0x80 if is_last else packet[1]
        if not moved and second == packet[1] and packet[2] << 8 | packet[3] == number:
            return packet
        copy = bytearray(packet)
        copy[1], copy[2], copy[3] = second, number >> 8, number & 0xFF
        if moved and part is not None:
            where = (part.picture_at, part.picture, part.picture_mask, 0, 0)
            vp8.renumber(copy, 0, where, moved, 0)
        return bytes(copy)


def _emptied(packet: bytes, number: int) -> bytes:
    """A packet of nothing but padding under this number, with the header of another one (RFC 3550 section 5.1)."""
    head = bytearray(packet[: rtp.payload_at(packet)])
    head[0] |= 0x20
    head[1] &= 0x7F
    head[2], head[3] = number >> 8, number & 0xFF
    return bytes(head) + b"\x01"
