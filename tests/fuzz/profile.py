"""How long to search: bounded in the default run, longer by `PYMEET_FUZZ=long`, which `make fuzz` sets."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, settings

LONG = os.environ.get("PYMEET_FUZZ", "0") not in ("", "0")
CORPUS = Path(__file__).parent / "corpus"
SEED = int(os.environ.get("PYMEET_FUZZ_SEED", "20261121"))


def examples(count: int) -> settings:
    """Hypothesis settings: this many examples by default, fifty times as many in the long run."""
    return settings(
        max_examples=count * 50 if LONG else count,
        deadline=None,
        derandomize=not LONG,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


def rounds(count: int) -> int:
    """The same for loops of our own."""
    return count * 10 if LONG else count


def mutated(draw: random.Random, datagram: bytes) -> bytes:
    """A datagram with a few bytes changed, cut, doubled or inserted."""
    data = bytearray(datagram)
    for _ in range(draw.randrange(1, 5)):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << draw.randrange(8)
            case 1 if at < len(data):
                data[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
            case 2:
                del data[at : at + draw.randrange(1, 20)]
            case 3:
                data[at:at] = draw.randbytes(draw.randrange(1, 20))
            case 4:
                data[at:at] = data[at : at + draw.randrange(1, 60)]
            case _:
                data[at : at + 2] = draw.choice((b"\xff\xff", b"\x00\x00", b"\x80\x00"))
    return bytes(data[:1536])


def mutated_text(draw: random.Random, text: str) -> str:
    """A description with lines dropped, doubled, swapped, numbers made huge, characters changed."""
    lines = text.split("\r\n")
    for _ in range(draw.randrange(1, 6)):
        at, other = draw.randrange(len(lines)), draw.randrange(len(lines))
        match draw.randrange(8):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1:
                lines.insert(other, lines[at])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3 if lines[at]:
                where = draw.randrange(len(lines[at]))
                letter = draw.choice(
                    ("\x00", " ", ":", "/", "=", ";", "9", "-", "é", "٣", "²", "\ud800", "\r", "\u2028")
                )
                lines[at] = lines[at][:where] + letter + lines[at][where + 1 :]
            case 4:
                digits = [i for i, c in enumerate(lines[at]) if c.isdigit()]
                if digits:
                    where = draw.choice(digits)
                    huge = draw.choice(("4294967296", "-1", "9" * 40, "9" * 5000, "65536", "0", "1e9", ""))
                    lines[at] = lines[at][:where] + huge + lines[at][where + 1 :]
            case 5:
                lines[at] = lines[at][: draw.randrange(len(lines[at]) + 1)]
            case 6:
                lines[at] += " " + lines[other]
            case _:
                lines += lines[at : at + 20]
    return "\r\n".join(lines)


def corpus(kind: str) -> Iterator[Path]:
    """Inputs that once did harm, by kind: `stun`, `rtp`, `rtcp`, `sdp`, `datagram`."""
    yield from sorted((CORPUS / kind).glob("*"))
