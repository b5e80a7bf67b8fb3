"""A process of its own (PyAV holds the interpreter while its muxer connects): `ffmpeg_publisher.py URL CERTIFICATE`.

Ends when standard input does.
"""

import select
import sys
import time
from fractions import Fraction

import av

FPS = 15


def send(url: str, certificate: str) -> None:
    """Publishes grey pictures and silence in real time until standard input ends."""
    # By itself FFmpeg offers only the passive side of DTLS, which is ours.
    options = {"cert_file": certificate, "key_file": certificate, "whip_flags": "dtls_active"}
    with av.open(url, "w", format="whip", options=options) as out:
        video = out.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency", "bf": "0"})
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        video.profile = "Constrained Baseline"
        video.gop_size = FPS
        audio = out.add_stream("libopus", rate=48000, layout="stereo")
        began, number, samples = time.monotonic(), 0, 0
        while True:
            picture = av.VideoFrame(320, 240, "yuv420p")
            for plane in picture.planes:
                plane.update(bytes([number % 256]) * plane.buffer_size)
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            out.mux(video.encode(picture))
            while samples < (number + 1) * 48000 // FPS:
                sound = av.AudioFrame(format="s16", layout="stereo", samples=960)
                for plane in sound.planes:
                    plane.update(bytes(plane.buffer_size))
                sound.sample_rate, sound.pts, sound.time_base = 48000, samples, Fraction(1, 48000)
                out.mux(audio.encode(sound))
                samples += 960
            number += 1
            pause = max(0.0, began + number / FPS - time.monotonic())
            if select.select([sys.stdin], [], [], pause)[0]:
                return


if __name__ == "__main__":
    send(*sys.argv[1:])
