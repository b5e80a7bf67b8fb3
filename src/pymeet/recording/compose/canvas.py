"""The picture that is put together, as planes of YUV 4:2:0 (BT.601, limited range): rows are copied, nothing is computed.

A row copied between memoryviews costs less than calling into a filter for each tile, and needs no library for arrays.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from av import VideoFrame
from av.video.reformatter import VideoReformatter

from pymeet.recording.compose.text import Drawing, draw, initials

Colour = tuple[int, int, int]

BACKGROUND: Colour = (28, 128, 128)
_LABEL: Colour = (20, 128, 128)
_WHITE = 235

_TILES: tuple[Colour, ...] = (
    (74, 156, 112),
    (82, 118, 98),
    (78, 112, 158),
    (88, 100, 142),
    (70, 148, 140),
    (84, 132, 102),
    (72, 140, 156),
    (90, 108, 112),
)
"""Muted blue, teal, red, brown, violet, sea, plum, green: white letters can be read on each."""


@dataclass(frozen=True)
class Patch:
    """A rectangle ready to be copied: for each plane its rows. `left` and `top` are its even place in its tile."""

    width: int
    height: int
    planes: tuple[memoryview, memoryview, memoryview]
    strides: tuple[int, int, int]
    left: int = 0
    top: int = 0


class Canvas:
    """One picture that tiles are put on, again and again."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        layout = VideoFrame(width, height, "yuv420p")
        self._strides = tuple(plane.line_size for plane in layout.planes)
        # Views: what is copied into a part of a bytearray is copied twice.
        self._planes = [memoryview(bytearray(plane.buffer_size)) for plane in layout.planes]
        self.clear()

    def clear(self) -> None:
        """Nothing is on it."""
        for plane, value in zip(self._planes, BACKGROUND, strict=True):
            plane[:] = bytes((value,)) * len(plane)

    def put(self, patch: Patch, x: int, y: int) -> None:
        """Copies a patch into a tile at an even place; it must fit."""
        x, y = x + patch.left, y + patch.top
        for index, (plane, stride) in enumerate(zip(self._planes, self._strides, strict=True)):
            half = min(1, index)
            source, step = patch.planes[index], patch.strides[index]
            first = (y >> half) * stride + (x >> half)
            for there, here in _rows(patch.width >> half, patch.height >> half, first, stride, step):
                plane[there] = source[here]

    def frame(self) -> VideoFrame:
        """A copy, for an encoder that may keep it."""
        frame = VideoFrame(self.width, self.height, "yuv420p")
        for plane, content in zip(frame.planes, self._planes, strict=True):
            plane.update(bytes(content))
        return frame


@lru_cache(maxsize=128)
def _rows(width: int, height: int, first: int, stride: int, step: int) -> tuple[tuple[slice, slice], ...]:
    """(where it goes, where it is) for each row. They are the same picture after picture, and as dear as the copying; two
    shapes of plane for each of twenty-five tiles and their names are kept."""
    return tuple(
        (slice(first + row * stride, first + row * stride + width), slice(row * step, row * step + width))
        for row in range(height)
    )


class Scaler:
    """Makes decoded pictures as large as fits into a tile without cutting anything off. Belongs to one tile: what the
    library prepares for a size costs more than scaling one picture."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._reformatter = VideoReformatter()

    def patch_of(self, frame: VideoFrame) -> Patch:
        """A picture for the middle of the tile; it may be less wide, or less high."""
        scale = min(self._width / frame.width, self._height / frame.height)
        width = min(self._width, max(2, round(frame.width * scale / 2) * 2))
        height = min(self._height, max(2, round(frame.height * scale / 2) * 2))
        # One thread: tiles are many, and each is small.
        scaled = self._reformatter.reformat(frame, width, height, "yuv420p", interpolation="BILINEAR", threads=1)
        y, u, v = scaled.planes  # these keep the picture as long as they are looked at
        planes, strides = (memoryview(y), memoryview(u), memoryview(v)), (y.line_size, u.line_size, v.line_size)
        return Patch(width, height, planes, strides, (self._width - width) // 4 * 2, (self._height - height) // 4 * 2)


def blank(width: int, height: int) -> Patch:
    """A tile with nothing on it."""
    luma, u, v = BACKGROUND
    return _flat(bytearray(bytes((luma,)) * (width * height)), width, height, u, v)


def avatar(person_id: str, name: str | None, width: int, height: int) -> Patch:
    """A tile of somebody who sends no picture: a colour that is always theirs, with their initials."""
    luma, u, v = _TILES[sha256(person_id.encode()).digest()[0] % len(_TILES)]
    letters = draw(initials(name), max(8, height * 2 // 5)) if name else None
    plane = bytearray(bytes((luma,)) * (width * height))
    if letters is not None and letters.width <= width:
        _ink(plane, width, letters, (width - letters.width) // 2, (height - letters.height) // 2, luma)
    return _flat(plane, width, height, u, v)


def label(name: str, tile_width: int, film_height: int) -> Patch | None:
    """A name for the corner of a tile, at most as wide as the tile. None when none of it can be written."""
    height = max(12, film_height // 30 // 2 * 2)
    written = draw(name, height)
    if written is None:
        return None
    pad = height // 4
    width = min(tile_width, written.width + 2 * pad) // 2 * 2
    plane = bytearray(bytes((_LABEL[0],)) * (width * height))
    _ink(plane, width, written, pad, 0, _LABEL[0])
    return _flat(plane, width, height, _LABEL[1], _LABEL[2])


def _ink(plane: bytearray, stride: int, drawing: Drawing, x: int, y: int, paper: int) -> None:
    """Writes white on paper; what does not fit is cut off."""
    tones = bytes(paper + (_WHITE - paper) * covered // 255 for covered in range(256))
    width = min(drawing.width, stride - x)
    for row in range(drawing.height):
        start = (y + row) * stride + x
        covered = drawing.rows[row * drawing.width : row * drawing.width + width]
        plane[start : start + width] = covered.translate(tones)


def _flat(luma: bytearray, width: int, height: int, u: int, v: int) -> Patch:
    size = (width // 2) * (height // 2)
    planes = memoryview(luma), memoryview(bytes((u,)) * size), memoryview(bytes((v,)) * size)
    return Patch(width, height, planes, (width, width // 2, width // 2))
