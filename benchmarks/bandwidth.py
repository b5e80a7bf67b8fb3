"""Draws docs/bandwidth.md and its pictures: how the send-side estimate follows paths that change, on a virtual clock.

    python benchmarks/bandwidth.py

The runs are those of tests/support/curves.py, the same on every machine: no network and no real time is in them.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from tests.support.bottleneck import Call, Sample  # noqa: E402 - found through the path set above
from tests.support.curves import CURVES, Curve, Played  # noqa: E402

SEED = 1
WIDTH, LEFT, RIGHT = 760, 52, 12
RATES, QUEUE = (34, 200), (262, 70)  # top and height of the two parts of a picture
MOST_MBPS, MOST_QUEUE_MS = 4.0, 400.0
INK, GRID = "#3c4043", "#dadce0"
CAPACITY, TARGET, RECEIVED, BESIDE, WAITING = "#9aa0a6", "#1a73e8", "#188038", "#b06000", "#c5221f"

HEAD = """# Bandwidth

For people who want to know what happens to a call on a bad network, and for those who change `sfu/bandwidth/`.

The server estimates for each receiver what the path to it carries, from the receiver's reports of when each packet arrived
(transport-wide feedback, as browsers send it): a delay that grows means that a queue builds up. It then shares that among the
streams: sound first; then the smallest picture of everybody, the more important ones first (shared screen, speaker, pinned,
others); then larger ones, the shared screen before any camera. A receiver without such reports is judged by its own estimate
(REMB) or by the losses that it reports.

- A picture that no longer fits is replaced by a smaller one with its next key frame; when a queue stands on the path it stops at
  once.
- Sound is not asked for again. Of a path that loses a hundredth of its packets or more, and for ten seconds after, browsers that
  take redundancy (RFC 2198) get each packet with a copy of the one before: a lost one can be had from the next. With a queue on
  the path they do not. Of sound to Chromium at lines that lose a tenth, 0.6 to 0.8 % had to be made up with it, and 9 to 11 %
  without (`tests/browser/test_redundant_sound.py`).
- What is sent comes in steps, so the estimate is raised by probes: padding on the retransmission stream, for a twentieth of a
  second or, where there is jitter, up to 0.4 s.
- After a fall less is sent than the path carries, for two seconds at most, until the queue that had built up is gone.
- Losses that do not become fewer when less is sent are taken for the path's own, and no reason to send less.
- Repairs leave at half of what the path carries at most, and none that is more than 0.4 s late. Live sound and pictures are not
  held back.

The curves below are drawn by `python benchmarks/bandwidth.py` from a simulation on a virtual clock: a sender that would like to
send 3 Mb/s, 50 ms of round trip, a router that can queue 75 kB, feedback every 100 ms. A test asserts what they show, and that
this page is what the code does.

"""


def main() -> None:
    """Writes the page and its pictures."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


def pages() -> dict[Path, str]:
    """Every file with its content."""
    files, page = {}, HEAD
    for curve in CURVES:
        played = curve.play(SEED)
        files[ROOT / f"docs/images/bandwidth-{curve.name}.svg"] = picture(curve, played)
        page += f"## {curve.title}\n\n{curve.what}\n\n![{curve.title}](images/bandwidth-{curve.name}.svg)\n\n{table(curve, played)}\n"
    files[ROOT / "docs/bandwidth.md"] = page
    return files


def table(curve: Curve, played: Played) -> str:
    """Figures of the spans of a run."""
    beside = played.beside is not None
    text = "| seconds | path, Mb/s | estimate, Mb/s | received, Mb/s |" + (" the other one, Mb/s |" if beside else "")
    text += " longest queue |\n| --- | --- | --- | --- |" + (" --- |" if beside else "") + " --- |\n"
    for since, until in curve.spans:
        call = played.call
        means = [call.mean(name, since, until) / 1e6 for name in ("capacity_bps", "target_bps", "received_bps")]
        if beside:
            means.append(_mean([(at, bps / 1e6) for at, bps in _beside(played)], since, until))
        queue_ms = 1000 * call.most("queue_s", since, until)
        text += f"| {since} to {until} | " + " | ".join(f"{m:.2f}" for m in means) + f" | {queue_ms:.0f} ms |\n"
    return text


def _beside(played: Played) -> list[tuple[float, float]]:
    """Time, by the clock of the call, and bits per second of whoever is beside it."""
    if isinstance(played.beside, Call):
        late = played.beside.start - played.call.start
        return [(s.at + late, s.received_bps) for s in played.beside.curve]
    return played.beside.curve if played.beside is not None else []


def _mean(points: list[tuple[float, float]], since: float, until: float) -> float:
    values = [value for at, value in points if since <= at < until]
    return sum(values) / len(values) if values else 0.0


def picture(curve: Curve, played: Played) -> str:
    """One run as SVG: rates above, the queue below."""
    samples = played.call.curve
    seconds = samples[-1].at
    height = QUEUE[0] + QUEUE[1] + 28

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at / seconds

    def line(
        points: list[tuple[float, float]], part: tuple[int, int], most: float, colour: str, extra: str = ""
    ) -> str:
        top, tall = part
        path = " ".join(f"{x(at):.1f},{top + tall * (1 - min(value / most, 1)):.1f}" for at, value in points)
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6" {extra}/>'

    def column(name: str, scale: float) -> list[tuple[float, float]]:
        return [(s.at, getattr(s, name) / scale) for s in _thinned(samples)]

    shapes = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11" role="img">',
        f"<title>{curve.title}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for mbps in range(5):
        shapes.append(_grid(RATES[0] + RATES[1] * (1 - mbps / MOST_MBPS), f"{mbps} Mb/s"))
    for ms in (0, 200, 400):
        shapes.append(_grid(QUEUE[0] + QUEUE[1] * (1 - ms / MOST_QUEUE_MS), f"{ms} ms"))
    for second in range(0, int(seconds) + 1, 5):
        shapes.append(f'<text x="{x(second):.1f}" y="{height - 8}" fill="{INK}" text-anchor="middle">{second} s</text>')
    shapes.append(line(column("capacity_bps", 1e6), RATES, MOST_MBPS, CAPACITY, 'stroke-dasharray="6 4"'))
    named = [("what the path carries", CAPACITY), ("estimate", TARGET), ("received", RECEIVED)]
    if played.beside is not None:
        beside = [(at, bps / 1e6) for at, bps in _smooth(_beside(played))]
        shapes.append(line(beside, RATES, MOST_MBPS, BESIDE))
        named.append(("received by the other one", BESIDE))
    received = _smooth([(s.at, s.received_bps / 1e6) for s in samples])
    shapes.append(line(received, RATES, MOST_MBPS, RECEIVED))
    shapes.append(line(column("target_bps", 1e6), RATES, MOST_MBPS, TARGET))
    shapes.append(line([(s.at, s.queue_s * 1000) for s in samples], QUEUE, MOST_QUEUE_MS, WAITING))
    at = float(LEFT)
    for name, colour in [*named, ("queue", WAITING)]:
        shapes.append(f'<rect x="{at:.0f}" y="12" width="10" height="4" fill="{colour}"/>')
        shapes.append(f'<text x="{at + 14:.0f}" y="18" fill="{INK}">{name}</text>')
        at += 34 + 6 * len(name)
    return "\n".join([*shapes, "</svg>", ""])


def _grid(y: float, label: str) -> str:
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" fill="{INK}" text-anchor="end">{label}</text>'
    )


def _thinned(samples: list[Sample]) -> list[Sample]:
    """Every second one: a fifth of a second is as fine as a picture shows."""
    return samples[::2]


def _smooth(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Means over half a second: single packets are large beside 100 ms of a slow path."""
    return [(points[i][0], sum(v for _, v in points[i - 4 : i + 1]) / 5) for i in range(4, len(points), 2)]


if __name__ == "__main__":
    main()
