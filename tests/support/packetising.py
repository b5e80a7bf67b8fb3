"""Real media as RTP: encoded by av, cut into payloads by small packetisers of our own, numbered as a sender does."""

import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

import av

from pymeet.recording.depacket.bits import leb128, read_leb128
from pymeet.sfu import rtp

os.environ["SVT_LOG"] = "-1"  # the AV1 encoder talks on standard error
MTU = 1150
CLOCK_RATES = {"opus": 48000, "vp8": 90000, "vp9": 90000, "h264": 90000, "av1": 90000}
_ENCODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9", "h264": "libx264", "av1": "libsvtav1"}
_OPTIONS = {
    "vp8": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
    "vp9": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
    "h264": {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"},
    "av1": {"preset": "10", "svtav1-params": "pred-struct=1:lookahead=0:rc=2"},
}


@dataclass(frozen=True)
class Sample:
    """An encoded picture or 20 ms of sound, and when it was taken."""

    data: bytes
    at_s: float
    keyframe: bool


@dataclass(frozen=True)
class Sent:
    """A packet as the fan-out has it, and when it comes."""

    packet: bytes
    sequence: int
    timestamp: int
    at_s: float


def _open_modestly(context: av.CodecContext) -> None:
    """SVT-AV1 gives the thread that opens it, where it may, a realtime priority, which all that it starts would inherit."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    context.open()
    os.sched_setscheduler(0, policy, priority)


@cache
def film(
    codec: str,
    count: int,
    *,
    fps: int = 30,
    width: int = 320,
    height: int = 240,
    keyframe_every: int = 30,
    seed: int = 1,
) -> tuple[Sample, ...]:
    """Pictures with a moving, noisy pattern, so that every frame says something and most need several packets."""
    context = av.CodecContext.create(_ENCODERS[codec], "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, fps), Fraction(fps)
    context.bit_rate = 800_000
    context.gop_size = keyframe_every
    context.options = _OPTIONS[codec]
    if codec == "av1":
        _open_modestly(context)
    draw = random.Random(seed)
    noise = bytes(b >> 2 for b in draw.randbytes(width * height * 2))
    samples = []
    for i in [*range(count), None]:
        frame = None
        if i is not None:
            frame = av.VideoFrame(width, height, "yuv420p")
            for number, plane in enumerate(frame.planes):
                size = plane.buffer_size
                start = i * 997 % (len(noise) - size)
                plane.update(noise[start : start + size] if number == 0 else bytes([128]) * size)
            frame.pts, frame.time_base = i, Fraction(1, fps)
        samples += [Sample(bytes(p), (p.pts or 0) / fps, p.is_keyframe) for p in context.encode(frame)]
    return tuple(samples)


@cache
def sound(seconds: float) -> tuple[Sample, ...]:
    """A tone as Opus packets of 20 ms."""
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "stereo", "s16"
    context.options = {"frame_duration": "20", "application": "voip"}
    samples = []
    for i in [*range(int(seconds * 50)), None]:
        frame = None
        if i is not None:
            wave = b"".join(
                (((n * 37) % 2000 - 1000) & 0xFFFF).to_bytes(2, "little") * 2 for n in range(i * 960, i * 960 + 960)
            )
            frame = av.AudioFrame("s16", "stereo", 960)
            frame.planes[0].update(wave)
            frame.sample_rate, frame.pts, frame.time_base = 48000, i * 960, Fraction(1, 48000)
        samples += [Sample(bytes(p), 0.0, True) for p in context.encode(frame)]
    return tuple(replace(sample, at_s=i * 0.02) for i, sample in enumerate(samples))


def packets(
    codec: str,
    samples: Iterable[Sample],
    *,
    sequence: int = 65000,
    timestamp: int = 0xFFFF0000,
    starts_s: float = 0.0,
) -> list[Sent]:
    """The samples as RTP packets that come at once when they were taken."""
    sent = []
    for sample in samples:
        stamp = (timestamp + round(sample.at_s * CLOCK_RATES[codec])) & 0xFFFFFFFF
        cut = payloads(codec, sample)
        for i, payload in enumerate(cut):
            marker = 0x80 if i == len(cut) - 1 and codec != "opus" else 0
            head = rtp.HEADER.pack(0x80, marker, sequence & 0xFFFF, stamp, 0)
            sent.append(Sent(head + payload, sequence & 0xFFFF, stamp, starts_s + sample.at_s))
            sequence += 1
    return sent


def payloads(codec: str, sample: Sample) -> list[bytes]:
    """One sample cut for RTP."""
    match codec:
        case "opus":
            return [sample.data]
        case "vp8":
            return [(b"\x10" if at == 0 else b"\x00") + part for at, part in _cut(sample.data)]
        case "vp9":
            return list(_vp9(sample))
        case "h264":
            return list(_h264(sample.data))
        case _:
            return list(_av1(sample.data))


def _cut(data: bytes) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(data), MTU):
        yield at, data[at : at + MTU]


def _vp9(sample: Sample) -> Iterator[bytes]:
    for at, part in _cut(sample.data):
        head = (
            0x80
            | (0 if sample.keyframe else 0x40)
            | (0x08 if at == 0 else 0)
            | (0x04 if at + MTU >= len(sample.data) else 0)
        )
        structure = b""
        if at == 0 and sample.keyframe:
            head |= 0x02
            structure = bytes([0x18, 1, 64, 0, 240, 1, 0x04, 1])  # one layer with its size, one picture in its group
        yield bytes([head, 0x80 | 5, 17]) + structure + part


def _h264(data: bytes) -> Iterator[bytes]:
    units = [unit.rstrip(b"\0") for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit.rstrip(b"\0")]
    small = [unit for unit in units if unit[0] & 31 in (6, 7, 8)]
    if small:
        yield b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in small)
    for unit in units:
        if unit in small:
            continue
        if len(unit) <= MTU:
            yield unit
            continue
        for at, part in _cut(unit[1:]):
            position = (0x80 if at == 0 else 0) | (0x40 if at + MTU >= len(unit) - 1 else 0)
            yield bytes([unit[0] & 0xE0 | 28, position | unit[0] & 31]) + part


def _av1(data: bytes) -> Iterator[bytes]:
    """Small OBUs stand before the beginning of the next large one, with their lengths; the last element has none."""
    before: list[bytes] = []
    for obu in _obus(data):
        if len(obu) < 64 and obu[0] >> 3 & 15 == 1:
            before.append(obu)
            continue
        for at, part in _cut(obu):
            head = (
                (0x80 if at else 0)
                | (0x40 if at + MTU < len(obu) else 0)
                | (len(before) + 1) << 4
                | (0x08 if before else 0)
            )
            yield bytes([head]) + b"".join(leb128(len(b)) + b for b in before) + part
            before = []


def _obus(data: bytes) -> Iterator[bytes]:
    """The OBUs of a temporal unit without their sizes, and without the delimiter."""
    at = 0
    while at < len(data):
        head = data[at : at + (2 if data[at] & 4 else 1)]
        size, start = read_leb128(data, at + len(head))
        at = start + size
        if head[0] >> 3 & 15 != 2:
            yield bytes([head[0] & ~2]) + head[1:] + data[start:at]
