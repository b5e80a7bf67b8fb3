"""People one can tell apart in a film: a camera that shows one colour, a microphone that hears one tone, and how much of
each is found in what was recorded."""

import math
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av

WIDTH, HEIGHT, FPS = 640, 360, 10
RATE = 48_000
PULSE_S = 0.25
"""The tone comes and goes: browsers take a sound that never changes for noise and remove it."""
HEARD_RATE = 8_000
WINDOW = HEARD_RATE // 10

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Mark:
    """What one person looks and sounds like."""

    colour: Colour
    tone_hz: int


RED = Mark((215, 30, 30), 440)
GREEN = Mark((30, 180, 50), 690)
BLUE = Mark((30, 50, 215), 1130)
MARKS = (RED, GREEN, BLUE)


def device_flags(mark: Mark, folder: Path) -> tuple[str, str]:
    """Chromium's flags for such a camera and microphone; the files are made in the folder."""
    camera, microphone = folder / f"{mark.tone_hz}.y4m", folder / f"{mark.tone_hz}.wav"
    red, green, blue = mark.colour
    planes = (
        (round(16 + 0.257 * red + 0.504 * green + 0.098 * blue), WIDTH * HEIGHT),
        (round(128 - 0.148 * red - 0.291 * green + 0.439 * blue), WIDTH * HEIGHT // 4),
        (round(128 + 0.439 * red - 0.368 * green - 0.071 * blue), WIDTH * HEIGHT // 4),
    )
    frame = b"FRAME\n" + b"".join(bytes([value]) * count for value, count in planes)
    camera.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420mpeg2\n".encode() + frame * FPS)
    samples = array(
        "h",
        (
            round(9000 * math.sin(2 * math.pi * mark.tone_hz * i / RATE)) if i / RATE % (2 * PULSE_S) < PULSE_S else 0
            for i in range(RATE)
        ),
    )
    with wave.open(str(microphone), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return f"--use-file-for-fake-video-capture={camera}", f"--use-file-for-fake-audio-capture={microphone}"


@dataclass(frozen=True)
class Found:
    """What a recorded file shows and sounds like."""

    frames: int
    shares: dict[Mark, list[float]]
    """Of the picture, how much has somebody's colour, frame by frame."""
    loudness: dict[Mark, float]
    """Of somebody's tone, the mean amplitude; full scale is 1."""

    def seen(self, *, at_least: float = 0.1) -> set[Mark]:
        """Whose colour fills so much of at least one picture."""
        return {mark for mark, shares in self.shares.items() if max(shares, default=0.0) >= at_least}

    def heard(self, *, at_least: float = 0.01) -> set[Mark]:
        """Whose tone is there."""
        return {mark for mark, amplitude in self.loudness.items() if amplitude >= at_least}

    def at_most(self, mark: Mark) -> tuple[float, float]:
        """The largest share of any picture, and the mean amplitude of the tone, that could be this person's."""
        return max(self.shares[mark], default=0.0), self.loudness[mark]


def search(source: BinaryIO) -> Found:
    """Decodes a film or track to its end. Raises av.FFmpegError when it cannot be played."""
    shares: dict[Mark, list[float]] = {mark: [] for mark in MARKS}
    samples = array("h")
    frames = 0
    resampler = av.AudioResampler(format="s16", layout="mono", rate=HEARD_RATE)
    with av.open(source) as container:
        for frame in container.decode(*container.streams.video, *container.streams.audio):
            if isinstance(frame, av.AudioFrame):
                for part in resampler.resample(frame):
                    samples.frombytes(bytes(part.planes[0])[: 2 * part.samples])
            elif isinstance(frame, av.VideoFrame):
                frames += 1
                for mark, share in _shares(frame).items():
                    shares[mark].append(share)
    return Found(frames, shares, {mark: _amplitude(samples, mark.tone_hz) for mark in MARKS})


def _shares(frame: av.VideoFrame) -> dict[Mark, float]:
    small = frame.reformat(width=32, height=18, format="rgb24", interpolation="AREA")
    plane = small.planes[0]
    data, line = bytes(plane), plane.line_size
    counts = dict.fromkeys(MARKS, 0)
    for y in range(18):
        for x in range(32):
            at = y * line + 3 * x
            mark = _mark_of(data[at], data[at + 1], data[at + 2])
            if mark:
                counts[mark] += 1
    return {mark: count / (32 * 18) for mark, count in counts.items()}


def _mark_of(*pixel: int) -> Mark | None:
    """Whose colour it is; None for what is grey, dark or mixed, as names and the muted colours of empty tiles are."""
    strongest = max(range(3), key=pixel.__getitem__)
    others = [value for part, value in enumerate(pixel) if part != strongest]
    return MARKS[strongest] if pixel[strongest] > 145 and pixel[strongest] > 1.8 * max(others) else None


def _amplitude(samples: Sequence[int], tone_hz: int) -> float:
    """Goertzel over windows of a tenth of a second, with a Hann window so that no tone reaches into another."""
    coefficient = 2 * math.cos(2 * math.pi * tone_hz / HEARD_RATE)
    hann = [0.5 - 0.5 * math.cos(2 * math.pi * i / WINDOW) for i in range(WINDOW)]
    amplitudes = []
    for begin in range(0, len(samples) - WINDOW, WINDOW):
        one = two = 0.0
        for weight, sample in zip(hann, samples[begin : begin + WINDOW], strict=True):
            one, two = weight * sample + coefficient * one - two, one
        power = one * one + two * two - coefficient * one * two
        amplitudes.append(4 * math.sqrt(max(0.0, power)) / WINDOW / 32768)
    return sum(amplitudes) / len(amplitudes) if amplitudes else 0.0
