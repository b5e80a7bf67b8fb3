"""Names in pictures. The libraries that decode and encode can draw no text, so the letters come as pictures with pymeet.

They are those of Latin, Greek and Cyrillic alphabets (`scripts/draw_glyphs.py`). What is written in others is left out: a
tile then stands without name.
"""

import struct
import unicodedata
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from av import VideoFrame

_HEAD: Final = struct.Struct(">HB")
_LONGEST = 40


@dataclass(frozen=True)
class Drawing:
    """A picture of how much each pixel is covered, 0 to 255, row after row."""

    width: int
    height: int
    rows: bytes


def draw(text: str, height: int) -> Drawing | None:
    """One line of text, `height` pixels from accents to descenders. None when there is no letter for any of it."""
    glyphs, full = _glyphs()
    cells = [glyphs[letter] for letter in readable(text)]
    if not cells:
        return None
    width = sum(cell.width for cell in cells)
    rows = b"".join(
        b"".join(cell.rows[row * cell.width : (row + 1) * cell.width] for cell in cells) for row in range(full)
    )
    return _scaled(Drawing(width, full, rows), max(2, round(width * height / full)), height)


def readable(text: str) -> str:
    """What of a text can be drawn: known letters, others without their accents, and nothing of other scripts."""
    glyphs, _ = _glyphs()
    found = []
    for letter in unicodedata.normalize("NFC", " ".join(text.split())):
        parts = [letter] if letter in glyphs else unicodedata.normalize("NFKD", letter)
        found += [part for part in parts if part in glyphs]
    line = " ".join("".join(found).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def initials(name: str) -> str:
    """The first letters of the first and the last word of a name, as far as they can be drawn."""
    words = [word for word in readable(name).split() if word[0].isalnum()]
    return "".join(word[0].upper() for word in dict.fromkeys((*words[:1], *words[-1:])))


def _scaled(drawing: Drawing, width: int, height: int) -> Drawing:
    frame = VideoFrame(drawing.width, drawing.height, "gray")
    stride = frame.planes[0].line_size
    frame.planes[0].update(
        b"".join(
            drawing.rows[start : start + drawing.width].ljust(stride, b"\0")
            for start in range(0, len(drawing.rows), drawing.width)
        )
    )
    small = frame.reformat(width, height, "gray", interpolation="AREA").planes[0]
    taken, stride = bytes(small), small.line_size
    return Drawing(width, height, b"".join(taken[row * stride : row * stride + width] for row in range(height)))


@cache
def _glyphs() -> tuple[dict[str, Drawing], int]:
    """Every letter's picture, and the height they all have."""
    packed = zlib.decompress(files(__package__).joinpath("glyphs.bin").read_bytes())
    count, height = _HEAD.unpack_from(packed)
    start = _HEAD.size * (1 + count)
    found = {}
    for index in range(count):
        code, width = _HEAD.unpack_from(packed, _HEAD.size * (1 + index))
        found[chr(code)] = Drawing(width, height, packed[start : start + width * height])
        start += width * height
    return found, height
