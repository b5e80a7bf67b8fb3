"""VP9 in RTP (RFC 9628): which spatial and temporal layer a packet belongs to, and where a receiver may change layers."""

from typing import NamedTuple

from pymeet.sfu.errors import DatagramError


class Descriptor(NamedTuple):
    """The payload descriptor (RFC 9628 section 4.2). A stream without layer indices is all spatial and temporal layer 0."""

    picture: int
    """Picture id, or -1."""
    is_predicted: bool
    """P: from earlier pictures. Without it a receiver of the layers below may begin with this one."""
    begins_frame: bool
    ends_frame: bool
    is_unreferenced: bool
    """Z: the spatial layers above do not need this frame."""
    spatial: int
    temporal: int
    is_switch_point: bool
    """U: later pictures of higher temporal layers depend on no such picture before this one."""
    depends_on_below: bool
    """D: predicted from the next lower spatial layer of the same picture."""
    sizes: tuple[tuple[int, int], ...]
    """Width and height in pixels by spatial layer, where this packet carries the scalability structure; else empty."""
    end: int
    """Where the VP9 data begin."""


def parse(data: bytes | memoryview, start: int) -> Descriptor:
    """The descriptor at `start`; `end` counts from the beginning of `data`. Raises DatagramError when it is cut off."""
    try:
        descriptor = _parse(data, start)
    except IndexError:
        descriptor = None
    if descriptor is None or descriptor.end > len(data):
        raise DatagramError("VP9: payload descriptor cut off")
    return descriptor


def _parse(data: bytes | memoryview, start: int) -> Descriptor:
    first, at = data[start], start + 1
    is_predicted, is_flexible = first & 0x40, first & 0x10
    picture, spatial, temporal, layers = -1, 0, 0, 0
    if first & 0x80:
        picture, at = data[at], at + 1
        if picture & 0x80:
            picture, at = (picture & 0x7F) << 8 | data[at], at + 1
    if first & 0x20:
        layers, at = data[at], at + 1
        temporal, spatial = layers >> 5, layers >> 1 & 7
        at += not is_flexible  # TL0PICIDX
    if is_flexible and is_predicted:
        for _ in range(3):
            difference, at = data[at], at + 1
            if not difference & 1:
                break
    sizes: tuple[tuple[int, int], ...] = ()
    if first & 0x02:
        sizes, at = _structure(data, at)
    return Descriptor(
        picture,
        bool(is_predicted),
        bool(first & 0x08),
        bool(first & 0x04),
        bool(first & 0x01),
        spatial,
        temporal,
        bool(layers & 0x10),
        bool(layers & 0x01),
        sizes,
        at,
    )


def _structure(data: bytes | memoryview, at: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """The scalability structure (RFC 9628 section 4.2.1): sizes of the spatial layers, and where it ends."""
    head, at = data[at], at + 1
    sizes = []
    if head & 0x10:
        for _ in range((head >> 5) + 1):
            sizes.append((data[at] << 8 | data[at + 1], data[at + 2] << 8 | data[at + 3]))
            at += 4
    if head & 0x08:
        pictures, at = data[at], at + 1
        for _ in range(pictures):
            at += 1 + (data[at] >> 2 & 3)
    return tuple(sizes), at
