"""Taking tracks down, from the tap to the sealed file: nothing is lost that need not be, and times are right."""

import asyncio
import itertools
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest
from tests.fuzz.profile import LONG
from tests.support.packetising import CLOCK_RATES, Sent, film, packets, sound

from pymeet.clock import SystemClock
from pymeet.db.files import Files, SealedLogSink
from pymeet.db.keys import KeyStore
from pymeet.ids import new_id
from pymeet.keyring import Keyring
from pymeet.recording.capture import Capture, CaptureTrack, TrackBegun, TrackEnd, TrackMeta
from pymeet.recording.matroska import begins_at
from pymeet.sfu.producer import Source

NTP = 3_900_000_000


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    with closing(KeyStore.open(tmp_path / "keys.db", Keyring.open(tmp_path))) as store:
        yield store


@pytest.fixture
def files(tmp_path: Path, keys: KeyStore) -> Files:
    return Files(tmp_path, keys)


@dataclass
class Desk:
    """A capture with everything it tells its owner."""

    files: Files
    max_packets: int = 40_000
    zero_s: float = field(default_factory=lambda: time.monotonic() - 100.0)
    """A hundred seconds ago: what was said then is fed in at once."""
    begun: list[TrackBegun] = field(default_factory=list)
    ended: dict[str, TrackEnd] = field(default_factory=dict)
    disk_errors: list[str] = field(default_factory=list)
    keyframes_wanted: int = 0
    threads: set[threading.Thread] = field(default_factory=set)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.capture = Capture(
            self.files, SystemClock(), sync_s=1.0, on_disk_error=self.disk_errors.append, max_packets=self.max_packets
        )

    def open(self, codec: str, publisher: str = "alice", source: Source = "camera") -> CaptureTrack:
        meta = TrackMeta(new_id(), new_id(), source, codec, publisher, self.zero_s)
        return self.capture.open(meta, want_keyframe=self._want, on_begun=self._begin, on_end=self._end)

    def _want(self) -> None:
        self.keyframes_wanted += 1
        self.threads.add(threading.current_thread())
        self.told.set()

    def _begin(self, begun: TrackBegun) -> None:
        self.begun.append(begun)
        self.told.set()

    def _end(self, end: TrackEnd) -> None:
        assert end.track_id not in self.ended
        self.ended[end.track_id] = end
        self.told.set()

    def feed(self, track: CaptureTrack, sent: list[Sent]) -> None:
        for s in sent:
            track.packet(s.packet, s.sequence, s.timestamp, self.zero_s + s.at_s)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await self.told.wait()
                self.told.clear()

    async def finish(self, track: CaptureTrack) -> TrackEnd:
        track.close()
        await self.until(lambda: track.meta.track_id in self.ended)
        return self.ended[track.meta.track_id]


def played(files: Files, track: CaptureTrack) -> tuple[int | None, list[int]]:
    """When the file says that it begins, and the times of what can be decoded of it, in milliseconds."""
    with files.open(track.meta.file_id) as file, av.open(file) as container:
        times = [round(1000 * f.pts * f.time_base) for f in container.decode(container.streams[0])]
        return begins_at(container.metadata), times


async def test_what_was_sent_can_be_watched(files: Files) -> None:
    """From packets to a sealed file that a player opens, for every codec at once."""
    desk = Desk(files)
    expected = {}
    tracks = {}
    for codec in CLOCK_RATES:
        samples = sound(3.0) if codec == "opus" else film(codec, 40, keyframe_every=20)
        expected[codec] = [round(1000 * (s.at_s - samples[0].at_s)) for s in samples]
        tracks[codec] = desk.open(codec)
        desk.feed(tracks[codec], packets(codec, samples, starts_s=5.0))
    await desk.capture.close()

    assert len(desk.ended) == len(desk.begun) == 5
    for codec, track in tracks.items():
        end = desk.ended[track.meta.track_id]
        told, times = played(files, track)
        assert end.error is None
        assert end.begins_at == told == 5000
        assert end.lost_frames == 0
        assert end.size_bytes == files.size(track.meta.file_id)
        assert all(abs(a - b) <= 1 for a, b in zip(times, expected[codec], strict=True))
        assert abs(end.duration_ms - times[-1] - (20 if codec == "opus" else 33)) <= 1
    assert TrackBegun(tracks["vp8"].meta.track_id, 5000) in desk.begun
    assert desk.disk_errors == []


async def test_sound_and_picture_of_one_person_belong_together(files: Files) -> None:
    """The picture's packets come 300 ms late, as over a line that it fills: its reports say when it was taken."""
    desk = Desk(files)
    voice, face = desk.open("opus", source="microphone"), desk.open("vp9")
    for track, codec, samples, late in (
        (voice, "opus", sound(3.0), 0.0),
        (face, "vp9", film("vp9", 90, keyframe_every=30), 0.3),
    ):
        offset = 0xFFFF0000
        for second in range(3):
            stamp = (offset + second * CLOCK_RATES[codec]) & 0xFFFFFFFF
            track.report((NTP + second) << 32, stamp, desk.zero_s + 5.0 + second + 0.02)
        desk.feed(track, packets(codec, samples, starts_s=5.0 + late, timestamp=offset))
    await desk.capture.close()

    starts = {end.track_id: end.begins_at for end in desk.ended.values()}
    assert abs((starts[voice.meta.track_id] or 0) - (starts[face.meta.track_id] or 0)) < 10


async def test_losses_disorder_and_doubles_cost_no_more_than_they_must(files: Files) -> None:
    """One lost packet costs the rest of its group of pictures; a key frame is asked for, on the loop."""
    desk = Desk(files)
    track = desk.open("vp8")
    samples = film("vp8", 40, keyframe_every=20)
    sent = packets("vp8", samples, starts_s=1.0)
    stamps = list(dict.fromkeys(s.timestamp for s in sent))
    gone = next(s for s in sent if s.timestamp == stamps[10])
    mixed = [s for pair in zip(sent[1::2], sent[2::2], strict=False) for s in (pair[1], pair[0], pair[0])]
    before = [sent[0], *(s for s in mixed if s is not gone and stamps.index(s.timestamp) < 19)]
    desk.feed(track, before)
    await desk.until(lambda: desk.keyframes_wanted > 0)
    desk.feed(track, [s for s in mixed if s not in before and s is not gone])
    end = await desk.finish(track)
    _, times = played(files, track)

    assert 9 <= end.lost_frames <= 11
    assert len(times) >= 28
    assert any(500 > b - a > 300 for a, b in itertools.pairwise(times))
    assert desk.threads == {threading.main_thread()}
    await desk.capture.close()


async def test_a_silence_leaves_the_times_after_it_right(files: Files) -> None:
    """With DTX, or muted, nothing is sent: who speaks after it speaks when they did."""
    desk = Desk(files)
    track = desk.open("opus", source="microphone")
    samples = sound(3.0)
    sent = packets("opus", samples, starts_s=1.0)
    later = [
        Sent(s.packet, (s.sequence + 200) & 0xFFFF, (s.timestamp + 40 * 48000) & 0xFFFFFFFF, s.at_s + 40) for s in sent
    ]
    desk.feed(track, [*sent[:50], *later[50:]])
    end = await desk.finish(track)
    _, times = played(files, track)

    assert times[:50] == [20 * i for i in range(50)]
    assert times[50] == 41_000
    assert end.duration_ms == 43_000 + 20 * (len(samples) - 150)
    await desk.capture.close()


async def test_another_stream_under_the_same_track_goes_on_in_the_same_file(files: Files) -> None:
    """A browser that begins anew, with numbers of its own."""
    desk = Desk(files)
    track = desk.open("vp9")
    samples = film("vp9", 40, keyframe_every=20)
    desk.feed(track, packets("vp9", samples, starts_s=1.0))
    track.restarted()
    desk.feed(track, packets("vp9", samples, sequence=7, timestamp=99, starts_s=11.0))
    await desk.finish(track)
    _, times = played(files, track)

    assert len(times) == 80
    assert abs(times[40] - 10_000) < 50
    await desk.capture.close()


async def test_a_track_of_which_nothing_came_leaves_no_file(files: Files) -> None:
    """A camera that was muted all the time."""
    desk = Desk(files)
    track = desk.open("vp8")
    end = await desk.finish(track)

    assert end == TrackEnd(track.meta.track_id, None, 0, 0, 0, None)
    assert desk.begun == []
    assert list(files.ids()) == []


async def test_tracks_can_be_opened_after_all_others_ended(files: Files) -> None:
    """The thread ends with the last track and begins with the next."""
    desk = Desk(files)
    for _ in range(3):
        track = desk.open("opus")
        desk.feed(track, packets("opus", sound(1.0), starts_s=1.0))
        end = await desk.finish(track)
        assert end.duration_ms > 900
        assert desk.capture.size_bytes(track.meta.track_id) == 0
    await desk.capture.close()
    assert desk.capture.stats()["tracks"] == desk.capture.stats()["packets_waiting"] == 0


async def test_after_its_end_a_track_takes_nothing_more(files: Files) -> None:
    """A withdrawal stops the packets first: what comes between that and the file's end is not in it."""
    desk = Desk(files)
    track = desk.open("opus")
    sent = packets("opus", sound(3.0), starts_s=1.0)
    desk.feed(track, sent[:50])
    track.close()
    desk.feed(track, sent[50:])
    await desk.capture.close()

    assert len(played(files, track)[1]) == 50


class StuckFiles(Files):
    """A disk that takes its time: no file is made before it is let go."""

    def __init__(self, data_dir: Path, keys: KeyStore) -> None:
        super().__init__(data_dir, keys)
        self.asked, self.released = threading.Event(), threading.Event()

    def create_log(self, file_id: str, now_ms: int) -> SealedLogSink:
        self.asked.set()
        assert self.released.wait(30)
        return super().create_log(file_id, now_ms)


async def test_when_the_disk_is_too_slow_video_is_given_up_and_sound_is_not(tmp_path: Path, keys: KeyStore) -> None:
    """Memory is bounded; what is given up is the oldest video up to a key frame, and it is counted."""
    files = StuckFiles(tmp_path, keys)
    desk = Desk(files, max_packets=260)
    voice, face = desk.open("opus", source="microphone"), desk.open("vp9")
    words, pictures = (
        packets("opus", sound(3.0), starts_s=1.0),
        packets("vp9", film("vp9", 90, keyframe_every=30), starts_s=1.0),
    )
    desk.feed(voice, words[:1])
    desk.feed(face, pictures[:1])
    assert await asyncio.to_thread(files.asked.wait, 10)
    for s in sorted([*words[1:], *pictures[1:]], key=lambda s: s.at_s):
        desk.feed(voice if s in words else face, [s])
        stats = desk.capture.stats()
        assert stats["packets_waiting"] <= 260
    assert stats["packets_given_up"] > 50
    files.released.set()
    await desk.capture.close()

    assert len(played(files, voice)[1]) == len(words)
    shown = played(files, face)[1]
    assert 20 < len(shown) < 90
    assert desk.ended[face.meta.track_id].lost_frames >= 80 - len(shown)
    assert desk.ended[voice.meta.track_id].lost_frames == 0


async def test_sound_is_given_up_only_when_there_is_nothing_else(tmp_path: Path, keys: KeyStore) -> None:
    """Then the oldest goes first."""
    files = StuckFiles(tmp_path, keys)
    desk = Desk(files, max_packets=100)
    voice = desk.open("opus", source="microphone")
    words = packets("opus", sound(3.0), starts_s=1.0)
    desk.feed(voice, words[:1])
    assert await asyncio.to_thread(files.asked.wait, 10)
    desk.feed(voice, words[1:])
    files.released.set()
    await desk.capture.close()

    times = played(files, voice)[1]
    assert len(times) == 101
    assert times[-1] == 20 * (len(words) - 1)


async def test_a_slow_disk_does_not_stop_the_meeting_while_somebody_shows_nothing(
    tmp_path: Path, keys: KeyStore
) -> None:
    """A muted camera goes on sending reports: there is nothing in its queue that could be given up."""
    files = StuckFiles(tmp_path, keys)
    desk = Desk(files, max_packets=100)
    voice, face = desk.open("opus", source="microphone"), desk.open("vp9")
    words = packets("opus", sound(3.0), starts_s=1.0)
    desk.feed(voice, words[:1])
    assert await asyncio.to_thread(files.asked.wait, 10)
    face.report(NTP << 32, 0, desk.zero_s + 0.5)
    desk.feed(voice, words[1:])
    waiting = desk.capture.stats()["packets_waiting"]
    files.released.set()
    await desk.capture.close()

    assert waiting == 100


async def test_what_waits_for_a_slow_disk_is_not_written_after_a_withdrawal(tmp_path: Path, keys: KeyStore) -> None:
    """However long the disk takes: what somebody sent is not laid down after they were told that nothing is."""
    files = StuckFiles(tmp_path, keys)
    desk = Desk(files)
    voice = desk.open("opus", source="microphone")
    words = packets("opus", sound(3.0), starts_s=1.0)
    desk.feed(voice, words[:1])
    assert await asyncio.to_thread(files.asked.wait, 10)
    desk.feed(voice, words[1:])
    voice.close_by(time.monotonic())
    files.released.set()
    await desk.capture.close()

    assert len(played(files, voice)[1]) == 1


async def test_a_flood_of_reports_does_not_fill_the_memory_while_the_disk_is_stuck(
    tmp_path: Path, keys: KeyStore
) -> None:
    """They are no packets, so nothing gives them up; a publisher may send as many as they like."""
    files = StuckFiles(tmp_path, keys)
    desk = Desk(files)
    voice = desk.open("opus", source="microphone")
    words = packets("opus", sound(1.0), starts_s=1.0)
    desk.feed(voice, words[:1])
    assert await asyncio.to_thread(files.asked.wait, 10)
    for number in range(5000):
        voice.report((NTP << 32) + number, number, desk.zero_s + 1.0 + number / 5000)
    waiting = len(voice.waiting)
    files.released.set()
    await desk.capture.close()

    assert waiting <= 11


async def test_a_disk_that_hangs_does_not_hold_up_the_end_of_a_server(
    tmp_path: Path, keys: KeyStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said, and what is on the disk is put in order at the next start. The thread goes with the process."""
    files = StuckFiles(tmp_path, keys)
    desk = Desk(files)
    voice = desk.open("opus", source="microphone")
    desk.feed(voice, packets("opus", sound(1.0), starts_s=1.0))
    assert await asyncio.to_thread(files.asked.wait, 10)
    async with asyncio.timeout(5):
        await desk.capture.close(patience_s=0.1)
    assert "the disk does not answer" in capsys.readouterr().out
    assert desk.ended == {}
    files.released.set()  # it was only slow
    await desk.capture.close()

    assert len(played(files, voice)[1]) == 51


@contextmanager
def files_no_larger_than(limit_bytes: int) -> Iterator[None]:
    """The nearest thing to a full disk that needs no rights: the kernel refuses to let a file grow beyond this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


async def test_a_disk_that_refuses_is_told_once_and_leaves_what_was_written(files: Files) -> None:
    """The track ends, its beginning can be watched; tracks that still fit are closed as ever."""
    desk = Desk(files)
    voice, face, other = desk.open("opus"), desk.open("vp9"), desk.open("vp9", "bob")
    pictures = packets("vp9", film("vp9", 90, keyframe_every=30), starts_s=1.0)
    with files_no_larger_than(200_000):
        desk.feed(voice, packets("opus", sound(3.0), starts_s=1.0))
        desk.feed(face, pictures)
        desk.feed(other, pictures)
        await desk.until(lambda: len(desk.ended) == 2)
        desk.feed(face, pictures)  # nobody has taken the tap away yet
        end = await desk.finish(voice)
    await desk.capture.close()

    assert desk.disk_errors == ["disk_error"]
    assert end.error is None
    assert len(played(files, voice)[1]) == 151
    for track in (face, other):
        lost = desk.ended[track.meta.track_id]
        times = played(files, track)[1]
        assert lost.error == "disk_error"
        assert len(times) >= 29
        assert abs(lost.duration_ms - times[-1] - 33) <= 1
    assert desk.capture.stats()["packets_waiting"] == 0


async def test_a_file_destroyed_meanwhile_is_no_fault_of_the_disk(files: Files) -> None:
    """Somebody is erased while being recorded: the others' recording goes on."""
    desk = Desk(files)
    track = desk.open("opus")
    desk.feed(track, packets("opus", sound(3.0), starts_s=1.0))
    await desk.until(lambda: bool(desk.begun))
    files.destroy(track.meta.file_id)
    end = await desk.finish(track)

    assert end.error == "gone"
    assert desk.disk_errors == []
    assert list(files.ids()) == []


_CHILD = """
import asyncio, sys, time
from pathlib import Path
from pymeet.clock import SystemClock
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.keyring import Keyring
from pymeet.recording.capture import Capture, TrackMeta
from tests.support.packetising import film, packets, sound

async def main(directory, voice, face):
    files = Files(directory, KeyStore.open(directory / "keys.db", Keyring.open(directory)))
    capture = Capture(files, SystemClock(), sync_s=1.0, on_disk_error=print)
    zero = time.monotonic()
    def open_(file_id, codec):
        meta = TrackMeta(file_id, file_id, "camera", codec, "alice", zero)
        return capture.open(meta, want_keyframe=lambda: None, on_begun=lambda b: None, on_end=print)
    tracks = open_(voice, "opus"), open_(face, "vp9")
    sent = [(s, tracks[0]) for s in packets("opus", sound(6.0))]
    sent += [(s, tracks[1]) for s in packets("vp9", film("vp9", 180, width=160, height=120))]
    print("ready", flush=True)
    zero_now = time.monotonic()
    for s, track in sorted(sent, key=lambda x: x[0].at_s):
        wait = zero_now + s.at_s - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        track.packet(s.packet, s.sequence, s.timestamp, time.monotonic())
        print(round(1000 * s.at_s), flush=True)

asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
"""


@pytest.mark.parametrize("run", range(50 if LONG else 2))
def test_after_a_kill_all_but_two_seconds_can_be_watched(tmp_path: Path, run: int) -> None:
    """The server may die at any moment; what was said before is not said again."""
    seconds = random.Random(run + 8).uniform(0.2, 5.0)
    voice, face = new_id(), new_id()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path), voice, face], stdout=subprocess.PIPE, text=True, env=environment
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        said = 0
        while said < 1000 * seconds:
            said = int(child.stdout.readline())
        child.kill()
        said = int([str(said), *child.stdout.read().split()][-1])
    with closing(KeyStore.open(tmp_path / "keys.db", Keyring.open(tmp_path))) as keys:
        files = Files(tmp_path, keys)
        for file_id in (voice, face):
            if not files.recover_log(file_id):
                assert said < 2000
                continue
            with files.open(file_id) as file, av.open(file) as container:
                times = [round(1000 * f.pts * f.time_base) for f in container.decode(container.streams[0])]
            assert said - times[-1] <= 2000
