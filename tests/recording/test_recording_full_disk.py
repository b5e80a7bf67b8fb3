"""A disk that is really full: a file system of a few megabytes, so that everything that writes meets the kernel's own answer."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.support.retention import add_room, add_user, open_lifecycle
from tests.support.taking import SentTrack

from pymeet.clock import SystemClock
from pymeet.config import RecordingConfig
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.db.schema import recording_tracks, recordings
from pymeet.ids import new_id
from pymeet.keyring import Keyring
from pymeet.privacy.notices import Notices
from pymeet.privacy.parts import Lifecycle
from pymeet.recording import recovery
from pymeet.recording.capture import Capture, TrackEnd, TrackMeta
from pymeet.recording.recovery import measured
from pymeet.recording.service import RecordingService
from pymeet.rooms.events import ParticipantChanged
from pymeet.rooms.people import Kind, Participant, Role

SIZE_BYTES = 8 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty file system of its own."""
    mounted = tmp_path / "disk"
    mounted.mkdir(mode=0o700)
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES},mode=0700", "tmpfs", str(mounted)]
    try:
        refused = subprocess.run(mounting, capture_output=True, text=True, check=False).stderr
    except FileNotFoundError:
        refused = "there is no mount"
    if refused:
        pytest.skip(f"file systems cannot be mounted here: {refused.strip()}")
    yield mounted
    subprocess.run(["umount", "--lazy", str(mounted)], check=True)


def fill(disk: Path, leave_bytes: int) -> Path:
    """Somebody else fills the disk up to so much; what they filled it with."""
    ballast = disk / "ballast"
    free = SIZE_BYTES - sum(each.stat().st_blocks * 512 for each in disk.rglob("*") if each.is_file())
    ballast.write_bytes(bytes(max(0, free - leave_bytes)))
    return ballast


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  what happens in threads sets no event
            await asyncio.sleep(0.01)


def send(track: SentTrack, seconds: float, *, from_s: float = 0.0) -> None:
    now = time.monotonic()
    for number in range(round(seconds * 30)):
        track.send(now + number / 30, from_s + number / 30)


async def test_a_track_on_a_full_disk_ends_and_can_be_watched_afterwards(disk: Path) -> None:
    """The kernel writes a part of what it is given and says ENOSPC to the rest."""
    errors: list[str] = []
    ended: list[TrackEnd] = []
    with closing(KeyStore.open(disk / "keys.db", Keyring.open(disk))) as keys:
        files = Files(disk, keys)
        capture = Capture(files, SystemClock(), sync_s=1.0, on_disk_error=errors.append)
        meta = TrackMeta(new_id(), new_id(), "camera", "vp8", "alice", time.monotonic())
        sending = SentTrack("alice", "camera")
        track = capture.open(meta, want_keyframe=lambda: None, on_begun=lambda _: None, on_end=ended.append)
        sending.set_tap(track, 0.0)
        send(sending, 5)
        await until(lambda: track.size_bytes > 0)
        ballast = await asyncio.to_thread(fill, disk, 64 * 1024)
        for second in range(5, 200):
            send(sending, 1, from_s=second)
            await asyncio.sleep(0.01)
            if errors:
                break
        await capture.close()
        assert errors == ["disk_full"]
        assert [each.error for each in ended] == ["disk_full"]
        ballast.unlink()

        assert files.recover_log(meta.file_id)
        with files.open(meta.file_id) as reader:
            assert measured(reader)[1] > 3_000


@pytest.fixture
async def lifecycle(disk: Path) -> AsyncIterator[Lifecycle]:
    """A server's data directory with everything in it on that disk."""
    # the limit that keeps a disk from filling up would not let anything begin on one so small
    config = RecordingConfig().model_copy(update={"min_free_gigabytes": 0})
    async with open_lifecycle(disk, config={"recording": config}) as opened:
        lifecycle = replace(opened, clock=SystemClock())
        await lifecycle.db.work(add_user, "ada")
        await lifecycle.db.work(add_room, "room")
        await Notices(lifecycle).current(lifecycle.clock.now_ms())
        yield lifecycle


async def test_a_recording_on_a_full_disk_ends_in_good_order_and_is_there_afterwards(
    disk: Path, lifecycle: Lifecycle
) -> None:
    """Database, keys and tracks meet the same full disk. Everybody is told, nothing hangs, and what was written is found
    again when there is room: at once, or at the next start."""
    stopped: list[str] = []
    service = RecordingService(lifecycle, leave=lambda *_: None, look_s=0.05)
    begun = await service.begin("room", "Tea", "ada", False, stopped.append, lambda _: None)
    begun.recorder.send(ParticipantChanged(Participant("seat", "Ada", Role.HOST, Kind.BROWSER)))
    await service.agreed(begun.recorder.id, "seat", "ada", "Ada", "dialog", "en")
    tracks = [SentTrack("seat", "camera"), SentTrack("seat", "microphone")]
    begun.recorder.set_tracks([each.as_track() for each in tracks], lifecycle.clock.monotonic())
    await until(lambda: all(each.tap is not None for each in tracks))
    for each in tracks:
        send(each, 3)
    await until(lambda: len(list(lifecycle.files.ids())) == 2)
    ballast = await asyncio.to_thread(fill, disk, 128 * 1024)
    for second in range(3, 200):
        send(tracks[0], 1, from_s=second)
        await asyncio.sleep(0.02)
        if stopped:
            break
    await service.finish_all(grace_s=5.0)
    assert stopped == ["disk"]
    assert service.running == frozenset()
    ballast.unlink()

    await recovery.run(lifecycle, await recovery.prepare(lifecycle))

    (recording,) = await lifecycle.db.study(lambda conn: conn.execute(select(recordings)).mappings().all())
    assert recording["end_reason"] in ("disk", "crash")
    rows = await lifecycle.db.study(lambda conn: conn.execute(select(recording_tracks)).mappings().all())
    assert {row["source"]: row["state"] for row in rows}["camera"] == "repaired"
    assert {row["state"] for row in rows} <= {"whole", "repaired"}
    for row in rows:
        with lifecycle.files.open(row["file_id"]) as reader:
            assert measured(reader)[1] > 1_000
