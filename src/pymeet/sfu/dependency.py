"""The dependency descriptor (AV1 RTP specification, appendix A): what a header extension says of frames and their layers.

A stream describes its layers once, in the structure that comes with a key frame; every later packet names one of the
structure's templates, in three bytes as a rule. So a reader keeps the structure, and one reader serves one stream.
"""

from dataclasses import dataclass
from typing import NamedTuple

from pymeet.sfu.errors import DatagramError

URI = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

_SWITCH = 2
_MAX_SPATIAL, _MAX_TEMPORAL = 3, 7


class Template(NamedTuple):
    """What many frames have in common. The masks have a bit for each decode target."""

    spatial: int
    temporal: int
    present: int
    """Targets that the frame belongs to."""
    switches: int
    """Targets that may be begun with this frame by who can decode it."""


class Frame(NamedTuple):
    """What one packet's descriptor says."""

    begins: bool
    ends: bool
    number: int
    is_key: bool
    """Whether the structure is attached: the first packet of a new coded video sequence."""
    template: Template


@dataclass(frozen=True, slots=True)
class Structure:
    """The layers of a stream from one key frame to the next."""

    offset: int
    templates: tuple[Template, ...]
    targets: tuple[tuple[int, int], ...]
    """Spatial and temporal id of each decode target, in the order of the masks' bits."""
    sizes: tuple[tuple[int, int], ...]
    """Width and height in pixels by spatial id; empty when not told."""


class _Bits:
    """Reads from the most significant bit on."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise DatagramError("Dependency descriptor cut off")
        return self._value >> self._left & (1 << count) - 1

    def take_below(self, limit: int) -> int:
        """A number below `limit`, non-symmetrically coded (section A.4.1, `ns(n)`)."""
        width = limit.bit_length()
        short = (1 << width) - limit
        value = self.take(width - 1)
        return value if value < short else (value << 1) - short + self.take(1)


class Reader:
    """Reads the descriptors of one stream, in the order in which packets arrive."""

    __slots__ = ("_before", "_newest", "_since", "active", "structure")

    def __init__(self) -> None:
        self.structure: Structure | None = None
        self.active = 0
        """Decode targets that the sender produces at present, as a mask."""
        self._before: Structure | None = None
        self._since = 0  # the frame from which the structure holds
        self._newest = 0

    def read(self, data: bytes) -> Frame:
        """One packet's descriptor. Raises DatagramError also when the structure that it refers to is not known yet."""
        if len(data) < 3:
            raise DatagramError("Dependency descriptor cut off")
        first, number = data[0], data[1] << 8 | data[2]
        if len(data) == 3:
            template = self._template(first & 63, self.structure)
            is_key = False
        else:
            bits = _Bits(data[3:])
            template, is_key = self._extended(bits, first & 63, number)
        if self.structure is not None and (number - self._newest) & 0xFFFF < 0x8000:
            self._newest = number
            if (number - self._since) & 0xFFFF > 0x4000:  # numbers compare only within half their space
                self._since = (number - 0x2000) & 0xFFFF
        return Frame(bool(first & 0x80), bool(first & 0x40), number, is_key, template)

    def _extended(self, bits: _Bits, template_id: int, number: int) -> tuple[Template, bool]:
        flags = bits.take(5)
        has_structure, has_active, has_custom_indications = flags & 16, flags & 8, flags & 4
        structure = self.structure
        if has_structure:
            structure = _structure(bits)
        if structure is None:
            raise DatagramError("Dependency descriptor without its structure")
        count = len(structure.targets)
        active = (1 << count) - 1 if has_structure else self.active
        if has_active:
            active = bits.take(count)
        template = self._template(template_id, structure)
        if has_custom_indications:
            template = Template(template.spatial, template.temporal, *_indications(bits, count))
        # a repaired key frame of the past must not take the place of what came after it
        if self.structure is None or (number - self._since) & 0xFFFF < 0x8000:
            if has_structure:
                if self.structure is None:
                    self._newest = number
                elif self.structure.offset != structure.offset:
                    self._before = self.structure
                self.structure, self._since = structure, number
            self.active = active
        return template, bool(has_structure)

    def _template(self, template_id: int, structure: Structure | None) -> Template:
        for known in (structure, self._before):
            if known is not None:
                index = (template_id - known.offset) & 63
                if index < len(known.templates):
                    return known.templates[index]
        raise DatagramError("Dependency descriptor with an unknown template")


def _indications(bits: _Bits, count: int) -> tuple[int, int]:
    present = switches = 0
    for target in range(count):
        indication = bits.take(2)
        if indication:
            present |= 1 << target
        if indication == _SWITCH:
            switches |= 1 << target
    return present, switches


def _structure(bits: _Bits) -> Structure:
    offset, count = bits.take(6), bits.take(5) + 1
    layers = _layers(bits)
    templates = tuple(Template(s, t, *_indications(bits, count)) for s, t in layers)
    for _ in templates:  # frame differences: whom a frame refers to, which its indications sum up
        while bits.take(1):
            bits.take(4)
    chains = bits.take_below(count + 1)
    if chains:
        for _ in range(count):
            bits.take_below(chains)
        bits.take(4 * chains * len(templates))
    sizes: tuple[tuple[int, int], ...] = ()
    if bits.take(1):
        sizes = tuple((bits.take(16) + 1, bits.take(16) + 1) for _ in range(layers[-1][0] + 1))
    targets = []
    for target in range(count):
        members = [t for t in templates if t.present >> target & 1]
        targets.append((max((t.spatial for t in members), default=0), max((t.temporal for t in members), default=0)))
    return Structure(offset, templates, tuple(targets), sizes)


def _layers(bits: _Bits) -> list[tuple[int, int]]:
    layers = [(0, 0)]
    while (step := bits.take(2)) != 3:
        spatial, temporal = layers[-1]
        if step == 1:
            temporal += 1
        elif step == 2:
            spatial, temporal = spatial + 1, 0
        if spatial > _MAX_SPATIAL or temporal > _MAX_TEMPORAL or len(layers) == 64:
            raise DatagramError("Dependency descriptor with too many layers")
        layers.append((spatial, temporal))
    return layers
