"""Synthetic scalable video: VP8 with temporal, VP9 and AV1 with spatial and temporal layers, and a strict decoder for it.

Every frame carries its number and those of the frames it is predicted from, so the decoder knows what a real one would see as a
broken picture. References are those of libwebrtc's structures: T1 from T0; T2 from the newest lower one; each spatial layer from
the one below it, in every picture ("full") or in key pictures only ("key").
"""

import struct
from dataclasses import dataclass, field

from pymeet.sfu import rtp

_PATTERNS = {1: (0,), 2: (0, 1), 3: (0, 2, 1, 2)}
_MAGIC = b"FRAM"
_BODY = struct.Struct("!4sIHBBB")


@dataclass(frozen=True)
class Frame:
    """What a frame says of itself. Numbers are 8 × the picture's number plus the spatial layer."""

    number: int
    spatial: int
    temporal: int
    references: tuple[int, ...]
    is_key: bool

    @property
    def picture(self) -> int:
        return self.number // 8


class LayeredSource:
    """Makes pictures of `spatial` × `temporal` layers; `codec` is "vp8", "vp9" or "av1"."""

    def __init__(
        self,
        codec: str,
        spatial: int = 1,
        temporal: int = 1,
        *,
        mode: str = "full",
        per_frame: int = 2,
        size: int = 60,
        sequence: int = 65000,
        timestamp: int = 4_294_000_000,
        picture_id: int = 32700,
    ) -> None:
        self.codec, self.spatial, self.temporal, self.mode = codec, spatial, temporal, mode
        self.per_frame, self.size = per_frame, size
        self.sequence, self.timestamp, self.picture_id = sequence, timestamp, picture_id
        self.tl0 = 250
        self.picture = 0
        self.frame_number = 65000
        self.key_wanted = True
        self.key_pictures = 0
        self.structure_offset = 0
        self._since_key = 0
        self._last: dict[tuple[int, int], int] = {}

    @property
    def pattern(self) -> tuple[int, ...]:
        return _PATTERNS[self.temporal]

    def next_picture(self) -> list[bytes]:
        """The packets of the next picture, as the server's ring has them."""
        is_key, self.key_wanted = self.key_wanted, False
        if is_key:
            self.key_pictures += 1
            self._since_key = 0
            self._last = {}
            self.structure_offset = (self.structure_offset + 16) & 63
        temporal = self.pattern[self._since_key % len(self.pattern)]
        if temporal == 0:
            self.tl0 = (self.tl0 + 1) & 0xFF
        packets = []
        for spatial in range(self.spatial):
            frame = self._frame(spatial, temporal, is_key)
            for i in range(self.per_frame):
                packets.append(self._packet(frame, i))
            self.frame_number = (self.frame_number + 1) & 0xFFFF
        for spatial in range(self.spatial):
            self._last[spatial, temporal] = self.picture * 8 + spatial
        self.picture += 1
        self._since_key += 1
        self.picture_id = (self.picture_id + 1) & 0x7FFF
        self.timestamp = (self.timestamp + 3000) & 0xFFFFFFFF
        return packets

    def _frame(self, spatial: int, temporal: int, is_key: bool) -> Frame:
        number = self.picture * 8 + spatial
        references = []
        if spatial and (is_key or self.mode == "full"):
            references.append(number - 1)
        if not is_key:
            lower = [n for (s, t), n in self._last.items() if s == spatial and (t < temporal or t == 0)]
            references.append(max(lower))
        return Frame(number, spatial, temporal, tuple(references), is_key)

    def _packet(self, frame: Frame, i: int) -> bytes:
        begins, ends = i == 0, i == self.per_frame - 1
        marker = 0x80 if ends and frame.spatial == self.spatial - 1 else 0
        payload, elements = getattr(self, f"_{self.codec}")(frame, begins, ends)
        head = rtp.normal_header(0x80, marker, self.sequence, self.timestamp, descriptor=elements)
        self.sequence = (self.sequence + 1) & 0xFFFF
        references = b"".join(struct.pack("!I", n) for n in frame.references)
        body = _BODY.pack(_MAGIC, frame.number, i, self.per_frame, frame.temporal << 1 | frame.is_key, len(references))
        return head + payload + body + references + bytes(self.size)

    def _vp8(self, frame: Frame, begins: bool, ends: bool) -> tuple[bytes, bytes]:
        # T1 and the first T2 after T0 depend on T0 alone
        is_synchronised = frame.temporal and all(n == self._last.get((0, 0)) for n in frame.references)
        descriptor = struct.pack(
            "!BBHBB",
            0x80 | 0x10 * begins,
            0xE0,
            0x8000 | self.picture_id,
            self.tl0,
            frame.temporal << 6 | 0x20 * bool(is_synchronised),
        )
        tag = (b"\x10\x02\x00\x9d\x01\x2a\x80\x02\x68\x01" if frame.is_key else b"\x11" + bytes(9)) if begins else b""
        return descriptor + tag, b""

    def _vp9(self, frame: Frame, begins: bool, ends: bool) -> tuple[bytes, bytes]:
        is_predicted = not frame.is_key
        has_structure = frame.is_key and begins and frame.spatial == 0
        is_unreferenced = frame.spatial == self.spatial - 1 or (self.mode == "key" and not frame.is_key)
        depends_on_below = frame.number - 1 in frame.references
        first = 0xA0 | 0x40 * is_predicted | 0x08 * begins | 0x04 * ends | 0x02 * has_structure | is_unreferenced
        descriptor = struct.pack(
            "!BHBB",
            first,
            0x8000 | self.picture_id,
            frame.temporal << 5 | 0x10 | frame.spatial << 1 | depends_on_below,
            self.tl0,
        )
        if has_structure:
            descriptor += bytes(((self.spatial - 1) << 5 | 0x18,))
            for s in range(self.spatial):
                descriptor += struct.pack("!HH", 1280 >> (self.spatial - 1 - s), 720 >> (self.spatial - 1 - s))
            descriptor += bytes((len(self.pattern),))
            for i, temporal in enumerate(self.pattern):
                descriptor += bytes((temporal << 5 | 0x10 | 1 << 2, i or len(self.pattern)))
        return descriptor, b""

    def _av1(self, frame: Frame, begins: bool, ends: bool) -> tuple[bytes, bytes]:
        templates = self._templates()
        index = templates.index((frame.spatial, frame.temporal, frame.is_key))
        template_id = (self.structure_offset + index) & 63
        data = struct.pack("!BH", 0x80 * begins | 0x40 * ends | template_id, self.frame_number)
        if frame.is_key and begins and frame.spatial == 0:
            data += self._structure(templates)
        return bytes((0x08 * (frame.is_key and begins and frame.spatial == 0),)), data

    def _templates(self) -> list[tuple[int, int, bool]]:
        return [
            (s, t, is_key)
            for s in range(self.spatial)
            for t in range(self.temporal)
            for is_key in ((True, False) if t == 0 else (False,))
        ]

    def _structure(self, templates: list[tuple[int, int, bool]]) -> bytes:
        bits = Bits()
        targets = [(s, t) for s in range(self.spatial) for t in range(self.temporal)]
        bits.put(0b10000, 5)
        bits.put(self.structure_offset, 6)
        bits.put(len(targets) - 1, 5)
        for before, after in zip(templates, [*templates[1:], None], strict=True):
            step = 3 if after is None else 2 if after[0] > before[0] else 1 if after[1] > before[1] else 0
            bits.put(step, 2)
        for s, t, is_key in templates:
            for target in targets:
                bits.put(self._indication(s, t, is_key, *target), 2)
        for s, _, is_key in templates:
            differences = [1] * (s > 0 and (is_key or self.mode == "full")) + [self.spatial] * (not is_key)
            for difference in differences:
                bits.put(1, 1)
                bits.put(difference - 1, 4)
            bits.put(0, 1)
        bits.put_below(self.spatial, len(targets) + 1)
        for s, _ in targets:
            bits.put_below(s, self.spatial)
        bits.put(0, 4 * self.spatial * len(templates))
        bits.put(1, 1)
        for s in range(self.spatial):
            bits.put((1280 >> (self.spatial - 1 - s)) - 1, 16)
            bits.put((720 >> (self.spatial - 1 - s)) - 1, 16)
        return bits.bytes()

    def _indication(self, s: int, t: int, is_key: bool, target_s: int, target_t: int) -> int:
        """0 not present, 1 discardable, 2 switch, 3 required."""
        if t > target_t or s > target_s or (s < target_s and self.mode == "key" and not is_key):
            return 0
        if is_key:
            return 2
        if s < target_s:
            return 3
        return 1 if t and t == target_t else 2


class Bits:
    """Writes from the most significant bit on."""

    def __init__(self) -> None:
        self._value = self._count = 0

    def put(self, value: int, count: int) -> None:
        self._value, self._count = self._value << count | value, self._count + count

    def put_below(self, value: int, limit: int) -> None:
        """The non-symmetric code `ns(limit)`."""
        width = limit.bit_length()
        short = (1 << width) - limit
        if value < short:
            self.put(value, width - 1)
        else:
            self.put(value + short >> 1, width - 1)
            self.put(value + short & 1, 1)

    def bytes(self) -> bytes:
        spare = -self._count % 8
        return (self._value << spare).to_bytes((self._count + spare) // 8, "big")


@dataclass
class Decoder:
    """Takes a stream's packets in the order of their numbers; notes what a real decoder would stumble over."""

    frames: list[Frame] = field(default_factory=list)
    broken: list[Frame] = field(default_factory=list)
    """Frames whose references were not decoded."""
    pictures: list[list[Frame]] = field(default_factory=list)
    """Frames between one marker and the next: what is shown together."""
    incomplete: int = 0
    _known: set[int] = field(default_factory=set)
    _shown: list[Frame] = field(default_factory=list)
    _current: int = -1
    _next: int = 0

    def take(self, packet: bytes) -> None:
        """The packet with the next number."""
        at = packet.find(_MAGIC)
        if at < 0:
            return  # padding
        _, number, i, count, about, size = _BODY.unpack_from(packet, at)
        at += _BODY.size
        references = tuple(n for (n,) in struct.iter_unpack("!I", packet[at : at + size]))
        if i == 0:
            self._current, self._next = number, 0
        if number != self._current or i != self._next:
            self.incomplete += 1
            self._current = -1
            return
        self._next += 1
        if self._next == count:
            frame = Frame(number, number % 8, about >> 1, references, bool(about & 1))
            if all(n in self._known for n in references):
                self._known.add(number)
                self.frames.append(frame)
                self._shown.append(frame)
            else:
                self.broken.append(frame)
        if packet[1] & 0x80:
            self.pictures.append(self._shown)
            self._shown = []
