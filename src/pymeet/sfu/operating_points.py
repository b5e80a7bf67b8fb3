"""Operating points of one scalable stream: VP9 and AV1 with spatial and temporal layers, VP8 with temporal ones.

A reader looks at each packet once and says to which points it belongs and where receivers may change between them. The
points are in order, lowest first, and numbered; the masks of a `Part` have a bit for each. The highest is everything.
"""

from typing import NamedTuple

from pymeet.sfu import dependency, rtp, vp8, vp9
from pymeet.sfu.errors import DatagramError


class Point(NamedTuple):
    """The highest spatial and temporal layer of an operating point."""

    spatial: int
    temporal: int


EVERYTHING = (Point(0, 0),)


class Part(NamedTuple):
    """What the packet at hand is a part of."""

    present: int
    """The points that it belongs to."""
    ends: int
    """The points of whose picture it is the last packet."""
    begins_picture: bool
    is_key: bool
    """Whether a receiver may begin here with any point, wherever it comes from. Said of a picture's first packet."""
    switches: int
    """The points with which a receiver of any lower one may begin here, as far as `may_switch` says no more."""
    picture_at: int = 0
    picture: int = -1
    picture_mask: int = 0
    """VP8's picture id (see `vp8.Descriptor`), which has to go on without a gap when pictures are dropped."""


class Reader:
    """One stream's reader. `points` grows when the stream turns out to have more layers."""

    def __init__(self) -> None:
        self.points: tuple[Point, ...] = EVERYTHING
        self.sizes: dict[int, tuple[int, int]] = {}
        """Width and height in pixels by spatial layer, as far as the stream tells."""
        self.octets: dict[int, int] = {}
        """Bytes that came, by the points they belong to (`Part.present`)."""
        self._timestamp = -1

    def read(self, packet: bytes, timestamp: int, *, is_newer: bool = True) -> Part:
        """What a packet, an RTP packet as the ring has it, is part of; `is_newer` than all before it, or late.

        Raises DatagramError when it does not say so, or refers to what has not come yet.
        """
        raise NotImplementedError

    def has_layers(self, packet: bytes) -> bool:
        """Whether it is worth while to read a packet of a stream that has shown no layers yet."""
        return True

    def may_switch(self, part: Part, at: int, to: int) -> bool:
        """Whether a receiver of point `at`, who has got all of it so far, may go over to point `to` with the picture that
        begins here."""
        raise NotImplementedError

    def needs_no_keyframe(self, at: int, to: int) -> bool:
        """Whether pictures with which `may_switch` allows this are to be expected soon, without a key frame."""
        raise NotImplementedError

    def take_rates(self, elapsed_s: float) -> list[int]:
        """Bits per second of each point since the last call."""
        octets, self.octets = self.octets, {}
        return [
            round(sum(count for present, count in octets.items() if present >> i & 1) * 8 / elapsed_s)
            for i in range(len(self.points))
        ]

    def restart(self) -> None:
        """What follows comes from another stream of the same sender: its points stay, all else is to be learned anew."""
        self._timestamp = -1

    def _count(self, part: Part, packet: bytes) -> Part:
        self.octets[part.present] = self.octets.get(part.present, 0) + len(packet)
        return part

    def _begins_picture(self, begins_frame: bool, timestamp: int, is_newer: bool) -> bool:
        """Whether this is the first packet of a picture: all its spatial layers have one timestamp."""
        if not is_newer or timestamp == self._timestamp:
            return False
        self._timestamp = timestamp
        return begins_frame


def _in_order(spatial: int, temporal: int) -> tuple[Point, ...]:
    """The points worth having of so many layers above the lowest: fewer pictures of the smallest, then larger ones."""
    return (*(Point(0, t) for t in range(temporal + 1)), *(Point(s, temporal) for s in range(1, spatial + 1)))


class Vp8Reader(Reader):
    """Temporal layers of VP8 (RFC 7741)."""

    def read(self, packet: bytes, timestamp: int, *, is_newer: bool = True) -> Part:
        """See `Reader`."""
        d = vp8.parse(packet, rtp.payload_at(packet))
        temporal = max(d.temporal, 0)
        if temporal >= len(self.points):
            self.points = _in_order(0, temporal)
        everything = (1 << len(self.points)) - 1
        present = everything & -1 << temporal
        begins = self._begins_picture(d.begins_frame, timestamp, is_newer)
        is_key = begins and d.end < len(packet) and not packet[d.end] & 1
        # with it the others of its layer begin anew; those between come the same way, right after
        switches = 1 << temporal if begins and d.is_synchronised else 0
        ends = present if packet[1] & 0x80 else 0
        part = Part(present, ends, begins, is_key, switches, d.picture_at, d.picture, d.picture_mask)
        return self._count(part, packet)

    def has_layers(self, packet: bytes) -> bool:
        """See `Reader`. Most senders have none, and then say nothing of them."""
        at = rtp.payload_at(packet)
        return len(packet) > at + 1 and bool(packet[at] & 0x80 and packet[at + 1] & 0x20)

    def may_switch(self, part: Part, at: int, to: int) -> bool:
        """See `Reader`."""
        return part.begins_picture and (part.is_key or to <= at or bool(part.switches >> to & 1))

    def needs_no_keyframe(self, at: int, to: int) -> bool:
        """See `Reader`."""
        return True


class Vp9Reader(Reader):
    """Spatial and temporal layers of VP9 (RFC 9628)."""

    def __init__(self) -> None:
        super().__init__()
        self._has_gaps = False  # frames were left out that only the receivers of their own layer need

    def read(self, packet: bytes, timestamp: int, *, is_newer: bool = True) -> Part:
        """See `Reader`."""
        d = vp9.parse(packet, rtp.payload_at(packet))
        highest = self.points[-1]
        if d.spatial > highest.spatial or d.temporal > highest.temporal:
            highest = Point(max(d.spatial, highest.spatial), max(d.temporal, highest.temporal))
            self.points = _in_order(*highest)
        if d.sizes:
            self.sizes = dict(enumerate(d.sizes))
        begins = self._begins_picture(d.begins_frame, timestamp, is_newer)
        is_key = begins and not d.is_predicted and not d.depends_on_below
        present = ends = switches = 0
        for i, (spatial, temporal) in enumerate(self.points):
            if d.temporal <= temporal and (d.spatial == spatial or (d.spatial < spatial and not d.is_unreferenced)):
                present |= 1 << i
                if d.ends_frame and d.spatial == spatial:
                    ends |= 1 << i
            if d.is_switch_point and begins:
                switches |= 1 << i
        top = 1 << len(self.points) - 1
        present |= top
        if packet[1] & 0x80:
            ends |= present
        if is_key:
            self._has_gaps = False
        elif d.is_unreferenced and d.spatial < highest.spatial:
            self._has_gaps = True
        return self._count(Part(present, ends, begins, is_key, switches), packet)

    def may_switch(self, part: Part, at: int, to: int) -> bool:
        """See `Reader`. To a higher spatial layer only with a key picture: no other says of all its layers that they begin."""
        if not part.begins_picture or part.is_key:
            return part.begins_picture
        if not self.needs_no_keyframe(at, to):
            return False
        is_slower = self.points[to].temporal <= self.points[at].temporal
        return is_slower or bool(part.present >> at & part.switches >> to & 1)

    def needs_no_keyframe(self, at: int, to: int) -> bool:
        """See `Reader`."""
        here, there = self.points[at].spatial, self.points[to].spatial
        has_all = at == len(self.points) - 1 or not self._has_gaps
        return there == here or (there < here and has_all)


class Av1Reader(Reader):
    """Decode targets of a stream with the dependency descriptor (AV1 RTP specification, appendix A)."""

    def __init__(self) -> None:
        super().__init__()
        self._descriptors = dependency.Reader()
        self._structure: dependency.Structure | None = None
        self._targets: tuple[int, ...] = (0,)
        self._covered: tuple[int, ...] = (1,)

    def restart(self) -> None:
        """See `Reader`."""
        super().restart()
        self._descriptors = dependency.Reader()
        self._structure = None

    def read(self, packet: bytes, timestamp: int, *, is_newer: bool = True) -> Part:
        """See `Reader`."""
        data = descriptor_of(packet)
        if data is None:
            raise DatagramError("AV1: packet without dependency descriptor")
        frame = self._descriptors.read(data)
        if self._descriptors.structure is not self._structure:
            self._take_structure()
        template, present, ends, switches = frame.template, 0, 0, 0
        has_marker = packet[1] & 0x80
        for i, target in enumerate(self._targets):
            if template.present >> target & 1:
                present |= 1 << i
                if has_marker or (frame.ends and template.spatial == self.points[i].spatial):
                    ends |= 1 << i
                if template.switches >> target & 1:
                    switches |= 1 << i
        present |= 1 << len(self.points) - 1
        begins = self._begins_picture(frame.begins, timestamp, is_newer)
        return self._count(Part(present, ends, begins, begins and frame.is_key, switches if begins else 0), packet)

    def may_switch(self, part: Part, at: int, to: int) -> bool:
        """See `Reader`. Who can decode a frame that says so of a target may begin with that."""
        if not part.begins_picture or part.is_key:
            return part.begins_picture
        return bool(self._covered[at] >> to & 1 or part.present >> at & part.switches >> to & 1)

    def needs_no_keyframe(self, at: int, to: int) -> bool:
        """See `Reader`."""
        return bool(self._covered[at] >> to & 1) or self.points[at].spatial == self.points[to].spatial

    def _take_structure(self) -> None:
        """Chooses the points among the decode targets of a new structure."""
        structure = self._structure = self._descriptors.structure
        if structure is None:
            return
        by_layers = {layers: i for i, layers in enumerate(structure.targets)}
        spatial, temporal = max(s for s, _ in by_layers), max(t for _, t in by_layers)
        points = tuple(p for p in _in_order(spatial, temporal) if p in by_layers) or EVERYTHING
        if set(points) >= set(self.points):
            self.points = points
        self.sizes = dict(enumerate(structure.sizes))
        # points once given stay; those that a poorer structure lacks are everything that there is
        self._targets = tuple(by_layers.get(p, by_layers[max(by_layers)]) for p in self.points)
        self._covered = tuple(
            sum(
                1 << to
                for to, wanted in enumerate(self._targets)
                if all(t.present >> got & 1 or not t.present >> wanted & 1 for t in structure.templates)
            )
            for got in self._targets
        )


def descriptor_of(packet: bytes) -> bytes | None:
    """The dependency descriptor in the header of a packet inside the server, where it stands after the number."""
    if not packet[0] & 0x10:
        return None
    elements, _ = rtp.parse_extensions(packet, rtp.HEADER_BYTES, len(packet))
    return elements.get(rtp.DEPENDENCY_ID)


def reader_for(codec: str) -> Reader | None:
    """The reader for a stream of this codec (lower case); None for one that has no layers to speak of."""
    kinds: dict[str, type[Reader]] = {"vp8": Vp8Reader, "vp9": Vp9Reader, "av1": Av1Reader}
    return kinds[codec]() if codec in kinds else None
