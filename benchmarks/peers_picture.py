"""Draws what `peers.py` measured, for the README.

python benchmarks/peers.py --json > peers.json && python benchmarks/peers_picture.py peers.json [docs/images/peers.svg]
"""

import argparse
import json
from pathlib import Path
from typing import Any

WIDTH, LEFT, BETWEEN, TOP = 760, 96, 56, 52
PANEL = (WIDTH - LEFT - BETWEEN - 48) / 2
BAR, ROW = 14, 46
INK, COLOURS = "#3c4043", {"pymeet": "#1a73e8", "Janus": "#9aa0a6"}
PANELS = (
    ("Packets a second that half a core forwards (more is better)", "capacity_pps", "{:,.0f}"),
    ("µs of CPU per packet, calm, in frames (less is better)", "us_bursts", "{:.1f}"),
)


def picture(results: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Bars for each server and size of meeting, as SVG."""
    height = TOP + ROW * len(results) + 8
    shapes = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11" role="img">',
        "<title>pymeet beside Janus on the same machine</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for i, (server, colour) in enumerate(COLOURS.items()):
        shapes.append(f'<rect x="{LEFT + 70 * i}" y="12" width="10" height="10" fill="{colour}"/>')
        shapes.append(_text(LEFT + 14 + 70 * i, 21, server))
    for row, title in enumerate(results):
        shapes.append(_text(LEFT - 8, TOP + ROW * row + BAR + 3, title, "end"))
    for place, (what, key, form) in enumerate(PANELS):
        left = LEFT + place * (PANEL + BETWEEN)
        most = max(sides[server][key] for sides in results.values() for server in COLOURS)
        shapes.append(_text(left, TOP - 12, what))
        for row, sides in enumerate(results.values()):
            for i, (server, colour) in enumerate(COLOURS.items()):
                value, y = sides[server][key], TOP + ROW * row + (BAR + 2) * i
                wide = PANEL * 0.86 * value / most
                shapes.append(f'<rect x="{left:.1f}" y="{y}" width="{wide:.1f}" height="{BAR}" fill="{colour}"/>')
                shapes.append(_text(left + wide + 5, y + BAR - 3, form.format(value)))
    return "\n".join([*shapes, "</svg>", ""])


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}">{text}</text>'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="what peers.py --json printed")
    parser.add_argument("picture", type=Path, nargs="?", default=Path(__file__).parents[1] / "docs/images/peers.svg")
    options = parser.parse_args()
    results = json.loads(options.results.read_text())
    meetings = {
        title: sides for title, sides in results.items() if isinstance(sides, dict) and COLOURS.keys() <= sides.keys()
    }
    meetings.pop("storm", None)
    if not meetings:
        parser.error("there is nothing of two servers in these results")
    options.picture.write_text(picture(meetings))


if __name__ == "__main__":
    main()
