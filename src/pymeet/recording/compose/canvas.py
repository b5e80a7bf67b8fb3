"""The picture that is put together, as planes of YUV 4:2:0 (BT.601, limited range): rows are copied, nothing is computed.

A row copied between memoryviews costs less than calling into a filter for each tile, and needs no library for arrays.
"""

from dataclasses import dataclass
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
    """A rectangle ready to be copied: for each plane its rows."""

    width: int
    height: int
    planes: tuple[memoryview, memoryview, memoryview]
    strides: tuple[int, int, int]


class Canvas:
    """One picture that tiles are put on, again and again."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        layout = VideoFrame(width, height, "yuv420p")
        self._strides = tuple(plane.line_size for plane in layout.planes)
        self._planes = [bytearray(plane.buffer_size) for plane in layout.planes]
        self.clear()

    def clear(self) -> None:
        """Nothing is on it."""
        for plane, value in zip(self._planes, BACKGROUND, strict=True):
            plane[:] = bytes((value,)) * len(plane)

    def put(self, patch: Patch, x: int, y: int) -> None:
        """Copies a patch to an even place; it must fit."""
        for index, (plane, stride) in enumerate(zip(self._planes, self._strides, strict=True)):
            half = min(1, index)
            width, rows = patch.width >> half, patch.height >> half
            target = (y >> half) * stride + (x >> half)
            source, step = patch.planes[index], patch.strides[index]
            for start in range(0, rows * step, step):
                plane[target : target + width] = source[start : start + width]
                target += stride

    def frame(self) -> VideoFrame:
        """A copy, for an encoder that may keep it."""
        frame = VideoFrame(self.width, self.height, "yuv420p")
        for plane, content in zip(frame.planes, self._planes, strict=True):
            plane.update(bytes(content))
        return frame


class Scaler:
    """Makes decoded pictures as large as fits into a tile without cutting anything off. Belongs to one tile: what the
    library prepares for a size costs more than scaling one picture."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._reformatter = VideoReformatter()

    def patch_of(self, frame: VideoFrame) -> Patch:
        """A picture as large as the tile, with the background where it is not as wide or as high."""
        scale = min(self._width / frame.width, self._height / frame.height)
        width = min(self._width, max(2, round(frame.width * scale / 2) * 2))
        height = min(self._height, max(2, round(frame.height * scale / 2) * 2))
        # One thread: tiles are many, and each is small.
        scaled = self._reformatter.reformat(frame, width, height, "yuv420p", interpolation="BILINEAR", threads=1)
        patch = _patch(scaled)
        if (width, height) == (self._width, self._height):
            return patch
        around = Canvas(self._width, self._height)
        around.put(patch, (self._width - width) // 4 * 2, (self._height - height) // 4 * 2)
        return _patch(around.frame())


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


def _patch(frame: VideoFrame) -> Patch:
    """The planes stay valid while the patch lives: a plane keeps its frame."""
    y, u, v = frame.planes
    return Patch(
        frame.width,
        frame.height,
        (memoryview(y), memoryview(u), memoryview(v)),
        (y.line_size, u.line_size, v.line_size),
    )
