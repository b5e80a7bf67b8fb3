"""Films made of real tracks, decoded again: who is to be seen where, what is to be heard when, and what a reader finds."""

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from tests.support.footage import BLACK, BLUE, RED, WHITE, YELLOW, Seen, is_like, look, steady, tone, video

from pymeet.db.files import Files
from pymeet.recording.compose.__main__ import run
from pymeet.recording.compose.canvas import avatar, label
from pymeet.recording.compose.job import GivenKeys, Happening, Job, Person, Track, text_of_key
from pymeet.recording.compose.text import initials, readable

HEIGHT = 180
"""Lines: what is tested does not depend on how many they are."""
LEFT, RIGHT, MIDDLE = (80, 90), (240, 90), (160, 90)


class Studio:
    """Sealed tracks in a directory, and films of them."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._keys: dict[str, bytes] = {}
        self.files = Files(data_dir, GivenKeys(self._keys))  # type: ignore[arg-type]
        self.tracks: list[Track] = []
        self.happenings: list[Happening] = []

    def add(self, person: str, source: str, content: bytes, begins_at: int, duration_ms: int) -> Track:
        """One track; `person` is their name and id."""
        file_id = f"track-{len(self.tracks):04}"
        self._seal(file_id, content)
        self.tracks.append(Track(f"id-{file_id}", person, source, file_id, begins_at, duration_ms))
        return self.tracks[-1]

    def damage(self, track: Track, at: int) -> None:
        """Changes a byte in the sealed file, as a bad disk does."""
        path = self.files.path(track.file_id)
        sealed = bytearray(path.read_bytes())
        sealed[at] ^= 1
        path.write_bytes(sealed)

    def job(self, **options: Any) -> Job:
        """A film of everything there is."""
        self._keys["film-0000"] = os.urandom(32)
        people = dict.fromkeys(each.person_id for each in (*self.tracks, *self.happenings))
        job = Job(
            data_dir=str(self._data_dir),
            keys={file_id: text_of_key(key) for file_id, key in self._keys.items()},
            file_id="film-0000",
            style="grid",
            format="mp4",
            height=HEIGHT,
            with_names=False,
            people=tuple(Person(name, name) for name in people),
            tracks=tuple(self.tracks),
            happenings=tuple(self.happenings),
            ends_at=max(track.ends_at for track in self.tracks),
            now_ms=0,
        )
        return replace(job, **options)

    def film(self, **options: Any) -> tuple[Seen, Mapping[str, Any]]:
        """Makes it, and decodes it out of its sealed file; what was told about it besides."""
        told = run(self.job(**options))
        with self.files.open("film-0000") as reader:
            return look(reader), told

    def _seal(self, file_id: str, content: bytes) -> None:
        self._keys[file_id] = os.urandom(32)
        with self.files.create(file_id, 0) as sink:
            sink.write(content)
            sink.finish()


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def both(studio: Studio, seconds: int = 3) -> None:
    """Ada in red with 400 Hz, Bob in blue with 1000 Hz."""
    lasts = seconds * 1000
    for person, colour, hertz in (("ada", RED, 400), ("bob", BLUE, 1000)):
        studio.add(person, "camera", video(steady(0, lasts), colour), 0, lasts)
        studio.add(person, "microphone", tone(range(0, lasts, 20), hertz), 0, lasts)


@pytest.mark.parametrize(("format_", "codecs"), [("mp4", ["h264", "aac"]), ("webm", ["vp9", "opus"])])
def test_two_people_are_seen_and_heard_and_nobody_else(studio: Studio, format_: str, codecs: list[str]) -> None:
    """The whole way from sealed tracks to a film, in both formats."""
    both(studio)

    seen, told = studio.film(format=format_)

    assert seen.codecs == codecs
    assert seen.size == (320, 180)
    assert abs(seen.duration_ms - 3000) <= 50
    assert is_like(seen.at(1500, *LEFT), RED)
    assert is_like(seen.at(1500, *RIGHT), BLUE)
    assert seen.loudness(400, 1000, 2000) > 0.05
    assert seen.loudness(1000, 1000, 2000) > 0.05
    assert seen.loudness(2300, 1000, 2000) < 0.005
    assert told["copied"] is False


def test_a_job_without_somebody_makes_a_film_without_them(studio: Studio) -> None:
    """Taking a person out is making the film again of what is left."""
    both(studio)
    left = tuple(track for track in studio.tracks if track.person_id == "ada")

    seen, _ = studio.film(tracks=left, people=(Person("ada", "ada"),))

    assert {is_like(seen.at(at, *MIDDLE), RED) for at in (0, 1000, 2900)} == {True}
    assert seen.loudness(400, 1000, 2000) > 0.05
    assert seen.loudness(1000, 1000, 2000) < 0.005


def test_sound_and_picture_are_equally_long(studio: Studio) -> None:
    """Sound is mixed in blocks; the film ends where the recording ended, not where the last block does."""
    studio.add("ada", "camera", video(steady(0, 2100), RED), 0, 2100)
    studio.add("ada", "microphone", tone(range(0, 2100, 20), 400), 0, 2100)

    seen, _ = studio.film()

    assert abs(seen.duration_ms - 2100) <= 40


def test_while_a_camera_is_off_a_tile_in_their_colour_stands_in(studio: Studio) -> None:
    """A frozen picture would look as if somebody were still there; also where the pause is inside of one track."""
    studio.add("ada", "camera", video([*steady(0, 1000), *steady(4000, 5000)], RED), 0, 5000)
    studio.add("bob", "camera", video(steady(0, 1000), BLUE), 2000, 1000)
    studio.happenings.append(Happening("present", "bob", 1000, 4000))
    mine, theirs = ((*(plane[0] for plane in avatar(who, None, 32, 18).planes),) for who in ("ada", "bob"))

    seen, _ = studio.film()

    assert is_like(seen.at(500, *MIDDLE), RED)
    assert is_like(seen.at(1900, *LEFT), mine)
    assert is_like(seen.at(1900, *RIGHT), theirs)
    assert is_like(seen.at(2500, *RIGHT), BLUE)
    assert is_like(seen.at(3500, *RIGHT), theirs)
    assert is_like(seen.at(4500, *MIDDLE), RED)


def test_a_shared_screen_is_large_and_its_last_picture_stays(studio: Studio) -> None:
    """On a screen on which nothing moves nothing is sent; it is no gap."""
    studio.add("ada", "camera", video(steady(0, 4000), RED), 0, 4000)
    studio.add("ada", "screen", video([0, 100], YELLOW), 1000, 2500)
    studio.happenings.append(Happening("shared", "ada", 1000, 3500))

    seen, _ = studio.film()

    assert is_like(seen.at(500, *MIDDLE), RED)
    assert is_like(seen.at(3300, 128, 90), YELLOW)
    assert is_like(seen.at(3300, 288, 90), RED)
    assert is_like(seen.at(3900, *MIDDLE), RED)


def test_before_anybody_agreed_the_film_is_dark_and_silent(studio: Studio) -> None:
    """The film's time is the recording's, so that markers and chapters fit."""
    studio.add("ada", "camera", video(steady(0, 1000), RED), 2000, 1000)
    studio.add("ada", "microphone", tone(range(0, 1000, 20), 400), 2000, 1000)

    seen, _ = studio.film()

    assert is_like(seen.at(1000, *MIDDLE), (28, 128, 128))
    assert seen.loudness(400, 500, 1800) < 0.001
    assert is_like(seen.at(2500, *MIDDLE), RED)
    assert seen.loudness(400, 2200, 2900) > 0.05


def test_quiet_and_loud_people_come_out_alike(studio: Studio) -> None:
    """Microphones differ by twenty decibels; nobody wants to turn the volume with every speaker."""
    spoke = [*range(0, 4000, 20)]
    studio.add("ada", "microphone", tone(spoke, lambda at: 400, loud=0.4), 0, 4000)
    studio.add("bob", "microphone", tone(spoke, lambda at: 1000, loud=0.06), 0, 4000)

    seen, _ = studio.film()

    loud, quiet = seen.loudness(400, 2000, 3500), seen.loudness(1000, 2000, 3500)
    assert 0.5 < quiet / loud < 2
    assert max(seen.samples) <= 1


def test_pauses_in_sound_are_silence_and_what_follows_is_in_time(studio: Studio) -> None:
    """Muting sends nothing; without filling in, everything after it would come too early."""
    studio.add("ada", "microphone", tone([*range(0, 1000, 20), *range(3000, 4000, 20)], 400), 0, 4000)
    studio.add("ada", "microphone", tone(range(0, 1000, 20), 1000), 5000, 1000)

    seen, _ = studio.film()

    assert seen.loudness(400, 300, 800) > 0.05
    assert seen.loudness(400, 1300, 2800) < 0.002
    assert seen.loudness(400, 3200, 3800) > 0.05
    assert seen.loudness(1000, 4200, 4900) < 0.002
    assert seen.loudness(1000, 5200, 5800) > 0.05


def test_a_flash_and_its_beep_stay_together(studio: Studio) -> None:
    """Lips: whoever began late, and had pauses, is as much in time as everybody else; 95 of 100 within 40 ms."""
    flashes = range(500, 12_500, 500)

    def lit(at_ms: int) -> bool:
        return any(begin <= at_ms < begin + 100 for begin in flashes)

    sound = [at for at in range(0, 13_000, 20) if not 6200 <= at < 6400]
    studio.add("ada", "camera", video(steady(0, 13_000, fps=30), lambda at: WHITE if lit(at) else BLACK), 1234, 13_000)
    studio.add("ada", "microphone", tone(sound, lambda at: 1000 if lit(at) else 0), 1234, 13_000)

    seen, _ = studio.film()

    bright = [(at, seen.at(at, *MIDDLE)[0] > 120) for at, _ in seen.pictures]
    shown = [at for (_, before), (at, now) in pairwise(bright) if now and not before]
    assert len(shown) == len(flashes)
    offsets = sorted(abs(_onset(seen, at) - at) for at in shown)
    assert offsets[int(len(offsets) * 0.95)] < 40


def _onset(seen: Seen, about_ms: int) -> int:
    """When the beep near a flash begins."""
    window = range(about_ms - 150, about_ms + 150, 2)
    return next(at for at in window if max(map(abs, seen.samples[at * 48 : at * 48 + 96])) > 0.03)


def test_a_telephone_that_is_turned_leaves_no_edges_behind(studio: Studio) -> None:
    """Its picture changes its shape within one track; beside the narrow one there is nothing to be seen."""
    wide, narrow = (160, 90), (90, 160)
    shapes = [(0, wide, RED), (1000, narrow, BLUE), (2000, wide, YELLOW), (3000, narrow, RED)]
    turned = [video(steady(begin, begin + 1000), colour, size=size) for begin, size, colour in shapes]
    studio.add("ada", "camera", _joined(turned), 0, 4000)

    seen, _ = studio.film()

    nothing, edge = (28, 128, 128), (60, 90)
    assert [is_like(seen.at(at, *MIDDLE), colour) for at, _, colour in shapes] == [True] * 4
    assert is_like(seen.at(500, *edge), RED)
    assert is_like(seen.at(1500, *edge), nothing)
    assert is_like(seen.at(2500, *edge), YELLOW)
    assert is_like(seen.at(3500, *edge), nothing)


def _joined(parts: list[bytes]) -> bytes:
    """One track of the packets of several."""
    file = io.BytesIO()
    sources = [av.open(io.BytesIO(part)) for part in parts]
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream_from_template(sources[0].streams.video[0])
        for source in sources:
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
            source.close()
    return file.getvalue()


def test_a_torn_or_damaged_track_gives_what_is_there(studio: Studio) -> None:
    """A crash tears ends off, a disk changes bytes; the rest of the film must not suffer."""
    torn, whole = video(steady(0, 4000), RED), video(steady(0, 4000), BLUE)
    studio.add("ada", "camera", torn[: len(torn) // 2], 0, 4000)
    studio.add("bob", "camera", whole, 0, 4000)
    studio.add("bob", "microphone", b"not a track at all", 0, 4000)
    late = tone(range(0, 30_000, 20), lambda at: 50 * (1 + at // 20 % 60))
    assert len(late) > 3 * 65_536
    studio.damage(studio.add("ada", "microphone", late, 0, 4000), 2 * 65_600)

    seen, _ = studio.film(ends_at=4000)

    assert is_like(seen.at(500, *LEFT), RED)
    assert not is_like(seen.at(3800, *LEFT), RED)
    assert is_like(seen.at(3800, *RIGHT), BLUE)
    assert max(map(abs, seen.samples[: 48 * 2000])) > 0.02


@pytest.mark.parametrize(("format_", "codec", "named"), [("mp4", "libx264", "h264"), ("webm", "libvpx", "vp8")])
def test_the_picture_of_one_person_alone_is_copied(studio: Studio, format_: str, codec: str, named: str) -> None:
    """Nothing must be mixed, so nothing gets worse, and it takes no time."""
    sent = video(steady(0, 3000), RED, codec=codec, size=(192, 108))
    studio.add("ada", "camera", sent, 200, 3000)
    studio.add("ada", "microphone", tone(range(0, 3000, 20), 400), 100, 3000)

    seen, told = studio.film(format=format_)

    assert told["copied"] is True
    assert seen.codecs[0] == named
    assert seen.size == (192, 108)
    assert seen.pictures[0][0] == 200
    assert is_like(seen.at(1500, 90, 50), RED)
    assert seen.loudness(400, 1000, 2000) > 0.05


def test_a_camera_that_was_off_for_a_while_is_not_copied(studio: Studio) -> None:
    """Players would show the last picture all the time."""
    studio.add("ada", "camera", video([*steady(0, 1000), *steady(4000, 5000)], RED), 0, 5000)

    _, told = studio.film(format="webm")

    assert told["copied"] is False


def test_names_stand_in_the_corner_of_tiles(studio: Studio) -> None:
    """White on black, and only where it was asked for."""
    studio.add("Jörg Łoś", "camera", video(steady(0, 1000), RED), 0, 1000)

    named, _ = studio.film(with_names=True)
    nameless, _ = studio.film(with_names=False)

    corner = [(x, y) for x in range(4, 60) for y in range(168, 178)]
    assert any(named.at(500, x, y)[0] > 180 for x, y in corner)
    assert all(is_like(nameless.at(500, x, y), RED) for x, y in corner)


@pytest.mark.parametrize("name", ["山田太郎", "محمد", "🙂", "", "\u202e\x00", "Ā" * 500, "e\u0301"])
def test_no_name_is_too_strange(name: str) -> None:
    """What cannot be written is left out; it must not end the film."""
    assert avatar("id", name, 64, 36).width == 64
    assert label(name, 64, 180) is None or label(name, 64, 180).width <= 64  # type: ignore[union-attr]


def test_european_names_can_be_written_with_all_their_signs() -> None:
    """Accents are part of a name."""
    names = ["Jörg Müßig", "Łukasz Żółć", "Ðórunn Þórsdóttir", "Íñigo Ñuñez", "Şükrü Iğdır", "Đorđe Čačić", "Ångström"]
    names += ["Ωμέγα Άννα", "Жуков Ёлка", "Őrült Űr", "Ģirts Ķēniņš", "Siân Ŵyn"]

    assert [readable(name) for name in names] == names
    assert [initials(name) for name in names[:2]] == ["JM", "ŁŻ"]


def test_a_film_can_be_read_from_anywhere_and_is_patched_only_at_its_beginning(studio: Studio) -> None:
    """Players ask for ranges; the sealed format lets only the first 64 KiB be written twice."""
    both(studio)
    run(studio.job())

    with studio.files.open("film-0000") as reader:
        whole = reader.read()
        head, boxes = 0, []
        while head < len(whole):
            boxes.append(whole[head + 4 : head + 8])
            head += int.from_bytes(whole[head : head + 4], "big")
        assert head == len(whole)
        assert boxes in ([b"ftyp", b"free", b"mdat", b"moov"], [b"ftyp", b"mdat", b"moov"])
        for offset in (0, 1, 5000, len(whole) - 10):
            assert reader.read_at(offset, 1000) == whole[offset : offset + 1000]
        reader.seek(0)
        with av.open(reader) as film:
            film.seek(2_000_000)
            assert next(film.decode(video=0)).time <= 2


@pytest.mark.parametrize("format_", ["mp4", "webm"])
def test_a_long_film_has_an_index_larger_than_what_can_be_written_again(studio: Studio, format_: str) -> None:
    """Muxers go back within the index they write, far behind the beginning of the file."""
    studio.add("ada", "camera", video([0, 100], RED, size=(64, 36)), 0, 1000)
    studio.add("ada", "microphone", tone(range(0, 1000, 20), 400), 0, 1000)
    lasts = 90_000
    studio.happenings.append(Happening("present", "ada", 0, lasts))

    run(studio.job(ends_at=lasts, height=36, format=format_))

    with studio.files.open("film-0000") as reader:
        assert reader.size > 65_536 + 32_768
        reader.seek(0)
        with av.open(reader) as film:
            assert abs((film.duration or 0) - lasts * 1000) < 100_000
            film.seek((lasts - 1000) * 1000)
            assert next(film.decode(video=0)).time > 80
            assert len(list(film.demux(audio=0))) > 10


def test_a_webm_film_tells_its_length_and_can_be_searched(studio: Studio) -> None:
    """Without length and cues a player has no bar to click on."""
    both(studio, 6)
    run(studio.job(format="webm"))

    with studio.files.open("film-0000") as reader:
        whole = reader.read()
    assert b"\x1c\x53\xbb\x6b" in whole  # Cues (RFC 9559 section 5.1.5)
    with av.open(io.BytesIO(whole)) as film:
        assert abs((film.duration or 0) - 6_000_000) < 100_000
        film.seek(5_000_000)
        assert next(film.decode(video=0)).time > 3


def test_the_child_takes_its_job_from_a_pipe_and_tells_how_far_it_is(studio: Studio) -> None:
    """Keys never stand in arguments or environment; what is left of a job that went wrong is a word."""

    async def child(line: bytes) -> tuple[int | None, list[dict[str, Any]]]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pymeet.recording.compose",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line)
        await process.stdin.drain()
        said = [json.loads(each) async for each in process.stdout]
        process.stdin.close()
        return await process.wait(), said

    both(studio, 1)
    code, said = asyncio.run(child(studio.job().to_json()))

    assert code == 0
    assert said[-1]["done"]["duration_ms"] == 1000
    steps = [each["permille"] for each in said[:-1]]
    assert steps == sorted(steps)
    assert steps[-1] > 900

    code, said = asyncio.run(child(replace(studio.job(), file_id="film-9999").to_json()))
    assert (code, said[-1]["error"]) == (1, "failed")


def test_a_full_disk_is_told_by_its_name(studio: Studio) -> None:
    """It is no fault of the tracks, and the half film does not stay there."""
    both(studio, 2)
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); import runpy; "
    limited += "runpy.run_module('pymeet.recording.compose', run_name='__main__')"

    with subprocess.Popen(
        [sys.executable, "-c", limited], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(studio.job().to_json())
        child.stdin.flush()
        said = child.stdout.readlines()

    assert json.loads(said[-1])["error"] == "disk_full"
    assert not list(studio.files.path("film-0000").parent.glob("film-0000*"))


def test_the_child_ends_with_the_server(studio: Studio) -> None:
    """A server that was killed must not leave a process behind that holds keys."""

    async def orphan() -> int | None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pymeet.recording.compose",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(studio.job(ends_at=3_600_000).to_json())
        await process.stdin.drain()
        await process.stdout.readline()
        process.stdin.close()
        return await process.wait()

    both(studio, 1)

    assert asyncio.run(orphan()) == 2


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="only Linux chooses by a score")
def test_where_memory_runs_out_the_child_dies_and_not_the_server(studio: Studio) -> None:
    """What people sent decides how much a decoder takes; the meeting must not pay for it."""

    async def score() -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pymeet.recording.compose",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(studio.job(ends_at=3_600_000).to_json())
        await process.stdin.drain()
        await process.stdout.readline()
        found = await asyncio.to_thread(Path(f"/proc/{process.pid}/oom_score_adj").read_text)
        process.stdin.close()
        await process.wait()
        return found

    both(studio, 1)

    assert asyncio.run(score()).strip() == "1000"


def test_a_system_that_refuses_lower_priorities_is_no_error() -> None:
    """A sandbox such as the shipped systemd unit answers them with EPERM; films are made all the same."""
    refused = (
        "import os, resource, sys\n"
        "def refuse(*_): raise PermissionError(1, 'Operation not permitted')\n"
        "os.nice = os.sched_setscheduler = resource.setrlimit = refuse\n"
        "from pymeet.recording.compose.__main__ import main\n"
        "from pymeet.stepback import step_back\n"
        "step_back()\n"
        "sys.exit(main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", refused], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    assert (ended.returncode, ended.stderr) == (2, b""), "2: no job came, which is not what was refused"


def test_the_shipped_unit_allows_the_priorities_that_are_asked_for() -> None:
    """systemd.exec(5): what a later line names is allowed again after a denial."""
    unit = (Path(__file__).parents[2] / "packaging" / "pymeet.service").read_text()
    filters = [line.partition("=")[2] for line in unit.splitlines() if line.startswith("SystemCallFilter=")]

    assert "@resources" in filters[1]
    assert {"sched_setscheduler", "setpriority", "setrlimit"} <= set(filters[2].split()), "after the denial"
