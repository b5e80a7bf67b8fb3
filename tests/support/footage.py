"""Tracks with known colours and tones, and what can be seen and heard in a film made of them."""

import io
import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av import AudioFrame, VideoFrame

Colour = tuple[int, int, int]

RED: Colour = (81, 90, 240)
GREEN: Colour = (145, 54, 34)
BLUE: Colour = (41, 240, 110)
YELLOW: Colour = (210, 16, 146)
BLACK: Colour = (16, 128, 128)
WHITE: Colour = (235, 128, 128)

FRAME_MS = 20
RATE = 48_000


def steady(begin_ms: int, end_ms: int, fps: int = 15) -> list[int]:
    """The times of pictures."""
    return [begin_ms + number * 1000 // fps for number in range((end_ms - begin_ms) * fps // 1000)]


def video(
    times_ms: Iterable[int],
    colour: Colour | Callable[[int], Colour],
    *,
    codec: str = "libvpx",
    size: tuple[int, int] = (160, 90),
) -> bytes:
    """Matroska with one stream of plain pictures."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"} if "vpx" in codec else {"bf": "0"}
        stream: Any = output.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for at_ms in times_ms:
            frame = VideoFrame(*size, "yuv420p")
            for plane, value in zip(frame.planes, colour(at_ms) if callable(colour) else colour, strict=True):
                plane.update(bytes((value,)) * plane.buffer_size)
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def tone(times_ms: Iterable[int], hertz: int | Callable[[int], int], *, loud: float = 0.2) -> bytes:
    """Matroska with one stream of Opus; each time is one of 20 ms of sound. `hertz` is a multiple of 50, 0 is silence."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream: Any = output.add_stream("libopus", rate=RATE, layout="mono", options={"application": "lowdelay"})
        for at_ms in times_ms:
            frequency = hertz(at_ms) if callable(hertz) else hertz
            wave = (round(32767 * loud * math.sin(2 * math.pi * frequency * n / RATE)) for n in range(RATE // 50))
            frame = AudioFrame("s16", "mono", RATE // 50)
            frame.planes[0].update(array("h", wave).tobytes())
            frame.sample_rate, frame.pts, frame.time_base = RATE, at_ms * RATE // 1000, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


@dataclass
class Seen:
    """A film, decoded."""

    format: str
    codecs: list[str]
    size: tuple[int, int]
    duration_ms: int
    pictures: list[tuple[int, Any]]
    samples: Sequence[float]
    """The left channel at 48 kHz, from the film's beginning."""

    def at(self, at_ms: int, x: int, y: int) -> Colour:
        """The colour to be seen there at that time."""
        frame = [frame for begin, frame in self.pictures if begin <= at_ms][-1]
        luma, u, v = (memoryview(plane) for plane in frame.planes)
        strides = [plane.line_size for plane in frame.planes]
        half = y // 2 * strides[1] + x // 2
        return luma[y * strides[0] + x], u[half], v[half]

    def loudness(self, hertz: int, begin_ms: int, end_ms: int) -> float:
        """The amplitude of one frequency (Goertzel's algorithm), 1 being full scale."""
        samples = self.samples[begin_ms * 48 : end_ms * 48]
        factor = 2 * math.cos(2 * math.pi * hertz / RATE)
        before = last = 0.0
        for sample in samples:
            before, last = last, sample + factor * last - before
        power = before * before + last * last - factor * before * last
        return 2 * math.sqrt(max(0.0, power)) / max(1, len(samples))


def look(file: Any) -> Seen:
    """Decodes all of a film."""
    pictures, samples = [], array("f")
    with av.open(file, "r") as film:
        codecs = [stream.codec_context.codec.canonical_name for stream in film.streams]
        size, duration_ms = (0, 0), (film.duration or 0) // 1000
        resampler = av.AudioResampler("fltp", "stereo", RATE)
        for frame in film.decode(*film.streams):
            if isinstance(frame, VideoFrame):
                size = frame.width, frame.height
                pictures.append((round(frame.time * 1000), frame))
            elif isinstance(frame, AudioFrame):
                at = round((frame.time or 0) * RATE)
                for part in resampler.resample(frame):
                    samples.extend([0.0] * (at - len(samples)))
                    samples.frombytes(bytes(part.planes[0])[: part.samples * 4])
        return Seen(film.format.name, codecs, size, duration_ms, pictures, samples)


def is_like(seen: Colour, wanted: Colour) -> bool:
    """Whether a colour is that one, but for what an encoder makes of it."""
    return all(abs(one - other) <= 14 for one, other in zip(seen, wanted, strict=True))
