"""Publishes by FFmpeg's own WHIP muxer, which PyAV carries, until its standard input closes; then ends the session.

    ffmpeg_whip.py URL CERT_FILE KEY_FILE [TOKEN [FLAGS]]

The picture is H.264 Constrained Baseline and the sound Opus, because the muxer takes nothing else. It prints one line when it sends.
"""

import array
import math
import sys
import threading
import time
from fractions import Fraction

import av

FPS = 30
WIDTH, HEIGHT = 640, 360
RATE = 48_000
CHUNK = RATE // 50


def picture(number: int) -> av.VideoFrame:
    """A grey ramp that moves."""
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    bright, blue, red = frame.planes
    row = bytes((column + 4 * number) % 256 for column in range(bright.line_size))
    bright.update(row * bright.height)
    for plane in (blue, red):
        plane.update(bytes([128]) * plane.buffer_size)
    frame.pts, frame.time_base = number, Fraction(1, FPS)
    return frame


def sound(number: int) -> av.AudioFrame:
    """20 ms of a tone of 400 Hz, which begins anew in every piece without a crack."""
    tone = [int(8000 * math.sin(2 * math.pi * 400 * i / RATE)) for i in range(CHUNK)]
    frame = av.AudioFrame("s16", "stereo", CHUNK)
    frame.planes[0].update(array.array("h", [value for value in tone for _ in range(2)]).tobytes())
    frame.sample_rate, frame.pts, frame.time_base = RATE, number * CHUNK, Fraction(1, RATE)
    return frame


def main(url: str, cert_file: str, key_file: str, token: str = "", flags: str = "") -> None:
    """Encodes and sends in real time."""
    if "whip" not in av.formats_available or not {"libx264", "libopus"} <= av.codecs_available:
        sys.exit("FFmpeg's WHIP muxer is missing: install the Python package av from its wheel, 16 or later")
    options = {"cert_file": cert_file, "key_file": key_file}
    if token:
        options["authorization"] = token
    if flags:
        options["whip_flags"] = flags
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    with av.open(url, "w", format="whip", options=options) as output:
        video = output.add_stream(
            "libx264",
            rate=FPS,
            options={"profile": "baseline", "tune": "zerolatency", "preset": "ultrafast", "g": str(FPS), "bf": "0"},
        )
        video.width, video.height, video.pix_fmt, video.bit_rate = WIDTH, HEIGHT, "yuv420p", 600_000
        audio = output.add_stream("libopus", rate=RATE, layout="stereo")
        frames = chunks = 0
        began = time.monotonic()
        while not ended.is_set():
            due = time.monotonic() - began
            if frames / FPS <= due:
                output.mux(video.encode(picture(frames)))
                frames += 1
                if frames == 1:
                    print('{"state": "sending"}', flush=True)
            elif chunks * CHUNK / RATE <= due:
                output.mux(audio.encode(sound(chunks)))
                chunks += 1
            else:
                time.sleep(0.002)


if __name__ == "__main__":
    main(*sys.argv[1:])
