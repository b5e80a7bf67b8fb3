"""Draws the letters that films are written with, from a font of this machine: `src/pymeet/recording/compose/glyphs.bin`.

Run by hand when the set changes: `python scripts/draw_glyphs.py DejaVuSans-Bold.ttf` (needs Pillow, which pymeet does not).
The file is zlib over: number of glyphs (u16), height (u8); for each glyph its character (u16) and width (u8); then the
pictures one after the other, a byte of coverage for each pixel, in sixteen steps because that packs better.
"""

import struct
import sys
import unicodedata
import zlib
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE, HEIGHT, BASELINE = 40, 54, 42
RANGES = (
    (0x20, 0x7E),
    (0xA0, 0x24F),  # Latin with everything that Europe puts on it
    (0x370, 0x3FF),  # Greek
    (0x400, 0x45F),  # Cyrillic
    (0x490, 0x4F9),
    (0x1E00, 0x1EFF),  # Welsh, Vietnamese …
    (0x2010, 0x2026),
)
TARGET = Path(__file__).parents[1] / "src/pymeet/recording/compose/glyphs.bin"


def main() -> None:
    """Writes the file."""
    font = ImageFont.truetype(sys.argv[1], SIZE)
    missing = bytes(font.getmask("\uffff"))
    heads, pictures = [], []
    for first, last in RANGES:
        for code in range(first, last + 1):
            letter = chr(code)
            known = unicodedata.category(letter) not in ("Cn", "Cc", "Cf", "Mn", "Zl", "Zp")
            if not known or (bytes(font.getmask(letter)) == missing):
                continue
            overhang = max(0, -font.getbbox(letter, anchor="ls")[0])
            width = max(1, round(font.getlength(letter)) + overhang)
            cell = Image.new("L", (width, HEIGHT))
            ImageDraw.Draw(cell).text((overhang, BASELINE), letter, fill=255, font=font, anchor="ls")
            heads.append(struct.pack(">HB", code, width))
            pictures.append(bytes(round(value / 17) * 17 for value in cell.tobytes()))
    packed = struct.pack(">HB", len(heads), HEIGHT) + b"".join(heads) + b"".join(pictures)
    TARGET.write_bytes(zlib.compress(packed, 9))
    sys.stdout.write(f"{len(heads)} glyphs, {TARGET.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
