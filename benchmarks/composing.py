"""How fast a film is made of four people at 720p, beside FFmpeg's own filters doing the same grid from the same tracks.

    python benchmarks/composing.py [--seconds 60] [--height 720] [--format mp4|webm] [--rounds 2] [--json]

Four cameras (VP8, 1280x720, 30 pictures a second, moving and noisy) and four microphones (Opus) are put together to a grid
with names, levelled sound, H.264 and AAC, sealed, in the child process that the server starts. What it is measured against
has no program `ffmpeg` behind it, but the same libraries driven in the plainest way: one process that decodes, and one
graph of FFmpeg's filters (scale, xstack, dynaudnorm, amix) with the same encoders and settings, from plain files to a plain
file, without names, without gaps to fill, and without a layout that changes. Both run as they are in turns; what counts is
the processor's time, because a machine that does other things besides changes the other clock.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1])]

import av  # noqa: E402 - found through the path set above
from av import AudioFrame  # noqa: E402
from av.filter import Graph  # noqa: E402

from pymeet.db.files import Files  # noqa: E402
from pymeet.recording.compose.film import FPS, PICTURE, encode, encoder_of_picture, encoder_of_sound  # noqa: E402
from pymeet.recording.compose.job import GivenKeys, Happening, Job, Person, Track, text_of_key  # noqa: E402
from pymeet.recording.compose.sound import LEVEL, RATE  # noqa: E402
from pymeet.recording.layout import size_of  # noqa: E402

PEOPLE = ("Ada", "Bob", "Cem", "Dörte")
WIDTH, HEIGHT, BITS = 1280, 720, 1_500_000
_NOT_YET = (av.error.BlockingIOError, av.error.EOFError)


def camera(path: Path, seconds: int) -> None:
    """What a browser sends of a camera: VP8, never still."""
    graph = Graph()
    source = graph.add("testsrc2", f"size={WIDTH}x{HEIGHT}:rate={FPS}")
    noise, shape = graph.add("noise", "alls=6:allf=t"), graph.add("format", "yuv420p")
    sink = graph.add("buffersink")
    graph.link_nodes(source, noise, shape, sink).configure()
    with av.open(str(path), "w", format="matroska") as output:
        options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        stream: Any = output.add_stream("libvpx", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", BITS
        for number in range(seconds * FPS):
            frame: Any = sink.pull()
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, FPS), 0
            encode(output, stream, [frame])
        encode(output, stream, [None])


def microphone(path: Path, seconds: int, hertz: int) -> None:
    """A tone that comes and goes."""
    waves = [
        array("h", (round(loud * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE // 50))).tobytes()
        for loud in (6000, 300)
    ]
    with av.open(str(path), "w", format="matroska") as output:
        stream: Any = output.add_stream("libopus", rate=RATE, layout="mono")
        for number in range(seconds * 50):
            frame = AudioFrame("s16", "mono", RATE // 50)
            frame.planes[0].update(waves[number // 100 % 2])
            frame.sample_rate, frame.pts, frame.time_base = RATE, number * (RATE // 50), Fraction(1, RATE)
            encode(output, stream, [frame])
        encode(output, stream, [None])


def job_of(folder: Path, seconds: int, height: int, format_: str) -> Job:
    """The tracks sealed as the recorder leaves them, and what is to be made of them."""
    keys = {"film-0000": os.urandom(32)}
    files, tracks = Files(folder, GivenKeys(keys)), []
    for name in PEOPLE:
        for source in ("camera", "microphone"):
            file_id = f"track-{name.encode().hex()}-{source}"
            keys[file_id] = os.urandom(32)
            with files.create_log(file_id, 0) as sink:
                content = plain(folder, name, source).read_bytes()
                for start in range(0, len(content), 200_000):
                    sink.append(content[start : start + 200_000])
                sink.finish()
            tracks.append(Track(file_id, name, source, file_id, 0, seconds * 1000))
    return Job(
        data_dir=str(folder),
        keys={file_id: text_of_key(key) for file_id, key in keys.items()},
        file_id="film-0000",
        style="grid",
        format="webm" if format_ == "webm" else "mp4",
        height=height,
        with_names=True,
        people=tuple(Person(name, name) for name in PEOPLE),
        tracks=tuple(tracks),
        happenings=tuple(Happening("present", name, 0, seconds * 1000) for name in PEOPLE),
        ends_at=seconds * 1000,
        now_ms=0,
    )


def plain(folder: Path, name: str, source: str) -> Path:
    """Where a track is for the one who needs no keys; all people send the same picture."""
    return folder / ("camera.mkv" if source == "camera" else f"{name}.mkv")


def reference(folder: Path, seconds: int, height: int, format_: Any) -> None:
    """The same film by filters alone, standing back from others as much."""
    os.nice(19)
    width, _ = size_of(height)
    inputs = [av.open(str(plain(folder, name, "camera"))) for name in PEOPLE]
    sounds = [av.open(str(plain(folder, name, "microphone"))) for name in PEOPLE]
    pictures, mixed = Graph(), Graph()
    stack = pictures.add("xstack", "inputs=4:layout=0_0|w0_0|0_h0|w0_h0")
    mix = mixed.add("amix", "inputs=4:normalize=0")
    doors, ears = [], []
    for index, (picture, sound) in enumerate(zip(inputs, sounds, strict=True)):
        doors.append(pictures.add_buffer(template=picture.streams.video[0], time_base=Fraction(1, 1000)))
        scale = pictures.add("scale", f"{width // 2}:{height // 2}:flags=bilinear")
        doors[-1].link_to(scale)
        scale.link_to(stack, 0, index)
        ears.append(mixed.add_abuffer(template=sound.streams.audio[0], time_base=Fraction(1, 1000)))
        level = mixed.add("dynaudnorm", LEVEL)
        ears[-1].link_to(level)
        level.link_to(mix, 0, index)
    screen, heard = pictures.add("buffersink"), mixed.add("abuffersink")
    pictures.link_nodes(stack, pictures.add("fps", str(FPS)), pictures.add("format", "yuv420p"), screen).configure()
    limit = mixed.add("alimiter", "limit=0.9:level=0")
    shape = mixed.add("aformat", f"sample_fmts=fltp:sample_rates={RATE}:channel_layouts=stereo")
    mixed.link_nodes(mix, limit, shape, heard).configure()
    with av.open(str(folder / "reference"), "w", format=format_) as output:
        video, audio = encoder_of_picture(output, format_, height), encoder_of_sound(output, format_)
        frames = [each.decode(video=0) for each in inputs]
        samples = [each.decode(audio=0) for each in sounds]
        for number in range(seconds * FPS):
            for door, source in zip(doors, frames, strict=True):
                door.push(next(source, None))
            for ear, talk in zip(ears, samples, strict=True):
                for _ in range(2 if number * 50 % FPS * 2 >= FPS else 1):
                    ear.push(next(talk, None))
            encode(output, video, pulled(screen))
            encode(output, audio, pulled(heard))
        for end in (*doors, *ears):
            try:
                end.push(None)
            except av.error.EOFError:
                continue  # it was at its end before
        encode(output, video, [*pulled(screen), None])
        encode(output, audio, [*pulled(heard), None])
    for each in (*inputs, *sounds):
        each.close()


def pulled(sink: Any) -> Iterator[Any]:
    """What a graph has ready."""
    try:
        while True:
            yield sink.pull()
    except _NOT_YET:
        return


def measured(command: list[str], line: bytes = b"") -> dict[str, float]:
    """Runs a process: seconds, seconds of the processor, megabytes at most."""
    begin = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        assert child.stdin is not None
        child.stdin.write(line)
        child.stdin.flush()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"a process failed ({child.returncode}): {command}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return {"wall_s": time.monotonic() - begin, "cpu_s": cpu_s, "mb": usage.ru_maxrss / 1024}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="length of the film")
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--format", default="mp4", choices=("mp4", "webm"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--reference", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reference:
        reference(options.reference, options.seconds, options.height, options.format)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        camera(folder / "camera.mkv", options.seconds)
        for number, person in enumerate(PEOPLE):
            microphone(plain(folder, person, "microphone"), options.seconds, 300 + 100 * number)
        job = job_of(folder, options.seconds, options.height, options.format)
        same = ["--seconds", str(options.seconds), "--height", str(options.height), "--format", options.format]
        ours, theirs = [], []
        for _ in range(options.rounds):
            theirs.append(measured([sys.executable, __file__, "--reference", name, *same]))
            ours.append(measured([sys.executable, "-m", "pymeet.recording.compose"], job.to_json()))
            with job.files().open("film-0000") as film:
                size = film.size
            job.files().path("film-0000").unlink()
        filters_mb = (folder / "reference").stat().st_size / 1e6
    codec, settings = PICTURE[job.format]
    encoder = " ".join([codec, *(f"{name}={value}" for name, value in settings.items())])
    result: dict[str, Any] = {
        "seconds": options.seconds,
        "cores": os.cpu_count(),
        "encoder": encoder,
        "ours": {key: median(each[key] for each in ours) for key in ours[0]} | {"film_mb": size / 1e6},
        "filters": {key: median(each[key] for each in theirs) for key in theirs[0]} | {"film_mb": filters_mb},
    }
    for each in ("ours", "filters"):
        result[each]["times_real_time"] = options.seconds / result[each]["wall_s"]
        result[each]["cpu_s_per_s"] = result[each]["cpu_s"] / options.seconds
    result["cpu_ratio"] = result["ours"]["cpu_s"] / result["filters"]["cpu_s"]
    result["wall_ratio"] = result["ours"]["wall_s"] / result["filters"]["wall_s"]
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{'both with':>14}: {encoder}")
    for title, each in (("pymeet", result["ours"]), ("filters alone", result["filters"])):
        print(
            f"{title:>14}: {each['times_real_time']:4.2f} times real time, {each['cpu_s_per_s']:.2f} s of processor "
            f"for a second of film, at most {each['mb']:.0f} MB, film {each['film_mb']:.1f} MB"
        )
    print(f"{'ratio':>14}: {result['cpu_ratio']:.2f} of the processor's time, {result['wall_ratio']:.2f} of the time")


if __name__ == "__main__":
    main()
