"""A recorder at its limits: it says so before, stops in good order, and keeps what it has when the disk does not."""

import asyncio
import errno
import json
from collections import Counter, namedtuple
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, text
from tests.support.retention import add_room, add_user, open_lifecycle
from tests.support.taking import SentTrack

from pymeet.clock import SystemClock
from pymeet.config import RecordingConfig
from pymeet.db.files import Files, SealedLogSink
from pymeet.db.schema import audit_events, recording_events, recording_people, recording_tracks, recordings
from pymeet.privacy.notices import Notices
from pymeet.privacy.parts import Lifecycle
from pymeet.recording import limits, recorder
from pymeet.recording.service import RecordingService
from pymeet.rooms.events import ParticipantChanged
from pymeet.rooms.people import Kind, Participant, Role
from pymeet.rooms.recorder import Begun, RecordingWarning
from pymeet.rooms.recording import Limit

Usage = namedtuple("Usage", "total used free")
"""What `shutil.disk_usage` returns."""


class TurnedClock(SystemClock):
    """The machine's clock, which a test can put forward."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


class FullFiles(Files):
    """Sealed files on a disk that takes only so many more pieces."""

    pieces = 1_000

    def create_log(self, file_id: str, now_ms: int) -> SealedLogSink:
        sink = super().create_log(file_id, now_ms)
        append = sink.append

        def full(data: Any) -> None:
            self.pieces -= 1
            if self.pieces < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            append(data)

        sink.append = full  # type: ignore[method-assign]
        return sink


class Recording:
    """One that runs."""

    def __init__(self, lifecycle: Lifecycle, clock: TurnedClock) -> None:
        self.lifecycle = lifecycle
        self.clock = clock
        self.stopped: list[str] = []
        self.warned: list[RecordingWarning | None] = []
        self.service = RecordingService(lifecycle, leave=lambda *_: None, look_s=0.02)
        self.begun: Begun

    async def begin(self) -> None:
        self.begun = await self.service.begin("room", "Tea", "ada", False, self.stopped.append, self.warned.append)

    async def agree(self) -> SentTrack:
        """Somebody agrees and sends."""
        self.begun.recorder.send(ParticipantChanged(Participant("seat", "Ada", Role.HOST, Kind.BROWSER)))
        await self.service.agreed(self.begun.recorder.id, "seat", "ada", "Ada", "dialog", "en")
        track = SentTrack("seat", "microphone")
        self.begun.recorder.set_tracks([track.as_track()], self.clock.monotonic())
        await until(lambda: track.tap is not None)
        return track

    def send(self, track: SentTrack, seconds: float, *, from_s: float = 0) -> None:
        now = self.clock.monotonic()
        for number in range(round(seconds * 50)):
            track.send(now + number / 50, from_s + number / 50)

    async def over(self) -> str:
        """Why it ended, as the audit log has it: an empty one is gone then."""
        await until(lambda: not self.service.running)
        ends = select(audit_events.c.detail).where(audit_events.c.action == "recording.ended")

        def read(conn: Connection) -> str:
            return str(
                json.loads(conn.execute(ends.order_by(audit_events.c.sequence.desc())).scalars().first())["reason"]
            )

        return await self.lifecycle.db.study(read)

    async def row(self, table: Any) -> dict[str, Any]:
        def read(conn: Connection) -> dict[str, Any]:
            return dict(conn.execute(select(table)).mappings().one())

        return await self.lifecycle.db.study(read)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  what happens in threads sets no event
            await asyncio.sleep(0.01)


@pytest.fixture
async def recording(tmp_path: Path) -> AsyncIterator[Recording]:
    config = {"recording": RecordingConfig(min_free_gigabytes=1, max_gigabytes=1)}
    clock = TurnedClock()
    async with open_lifecycle(tmp_path, config=config) as opened:
        lifecycle = replace(opened, clock=clock, files=FullFiles(tmp_path, opened.keys))
        await lifecycle.db.work(add_user, "ada")
        await lifecycle.db.work(add_room, "room")
        await Notices(lifecycle).current(clock.now_ms())
        made = Recording(lifecycle, clock)
        await made.begin()
        yield made
        await made.service.finish_all()


async def test_the_end_of_the_time_is_told_and_then_it_stops(recording: Recording) -> None:
    """Eight hours are more likely a forgotten recording than a meeting."""
    await recording.agree()
    recording.clock.ahead_s = 8 * 3600 - 60
    await until(lambda: bool(recording.warned))
    assert recording.warned == [RecordingWarning(Limit.TIME, recording.begun.started_at_ms + 8 * 3_600_000)]
    assert recording.stopped == []
    recording.clock.ahead_s = 8 * 3600

    assert await recording.over() == "time"
    assert recording.stopped == ["time"]


async def test_a_recording_that_nobody_agrees_to_is_stopped(recording: Recording) -> None:
    """No light may say that it records when nobody is recorded."""
    recording.clock.ahead_s = 61

    assert await recording.over() == "nobody"
    assert recording.stopped == ["nobody"]


async def test_one_that_somebody_agreed_to_goes_on_when_they_are_gone(recording: Recording) -> None:
    """They may come back; the host sees that nobody is being recorded."""
    await recording.agree()
    recording.begun.recorder.set_tracks((), recording.clock.monotonic())
    await recording.service.refused(recording.begun.recorder.id, "seat", "ada", "dialog", "en", withdrawn=True)
    recording.clock.ahead_s = 3600
    await asyncio.sleep(0.1)  # several looks

    assert recording.stopped == []
    assert recording.service.running == {recording.begun.recorder.id}


async def test_a_disk_that_fills_up_is_told_and_then_it_stops(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the server needs the room that is left."""
    free = 10**9 + limits.WARN_FREE_BYTES - 1
    monkeypatch.setattr(recorder.shutil, "disk_usage", lambda _path: Usage(10**12, 0, free))
    await recording.agree()
    await until(lambda: recording.warned == [RecordingWarning(Limit.DISK)])
    free = 10**12
    await until(lambda: recording.warned == [RecordingWarning(Limit.DISK), None])
    free = 10**9 - 1

    assert await recording.over() == "disk"


async def test_a_recording_that_grows_too_large_stops(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted while it grows, not when its files are closed."""
    recording.begun.recorder.close("host")
    await recording.over()
    monkeypatch.setattr(limits, "_GIGABYTE", 4_000)
    await recording.begin()
    track = await recording.agree()
    for second in range(40):
        recording.send(track, 1, from_s=second)
        await asyncio.sleep(0.1)
        if recording.stopped:
            break

    assert recording.stopped == ["size"]
    await until(lambda: not recording.service.running)


async def test_what_was_written_before_the_disk_was_full_is_kept(recording: Recording) -> None:
    """A meeting of two hours is not lost because its last second did not fit."""
    files = recording.lifecycle.files
    assert isinstance(files, FullFiles)
    files.pieces = 3
    track = await recording.agree()
    recording.send(track, 10)

    assert await recording.over() == "disk"
    assert recording.stopped == ["disk"]
    row = await recording.row(recording_tracks)
    assert row["state"] == "repaired"
    with files.open(row["file_id"]) as reader:
        assert reader.size == row["size_bytes"] > 0


async def test_a_database_that_cannot_be_written_stops_it(recording: Recording) -> None:
    """What is not in a row could not be found again; so nothing more is taken."""

    def forbid(conn: Connection) -> None:
        conn.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON recording_tracks BEGIN SELECT RAISE(ABORT, 'full'); END")
        )

    await recording.lifecycle.db.work(forbid)
    recording.begun.recorder.send(ParticipantChanged(Participant("seat", "Ada", Role.HOST, Kind.BROWSER)))
    await recording.service.agreed(recording.begun.recorder.id, "seat", "ada", "Ada", "dialog", "en")
    track = SentTrack("seat", "microphone")
    recording.begun.recorder.set_tracks([track.as_track()], recording.clock.monotonic())

    assert await recording.over() == "disk"
    assert track.tap is None
    assert list(recording.lifecycle.files.ids()) == []


async def test_who_was_taken_out_meanwhile_comes_into_no_timeline(recording: Recording) -> None:
    """Their rows are gone, and the rest is written as before."""
    await recording.agree()
    await recording.lifecycle.db.work(lambda conn: conn.execute(delete(recording_people)))
    recording.begun.recorder.close("host")

    assert await recording.over() == "host"
    count = await recording.lifecycle.db.study(lambda conn: len(conn.execute(select(recording_events)).all()))
    assert count == 0


async def test_a_codec_that_nobody_knows_is_left_out(recording: Recording) -> None:
    """The other tracks of that person are recorded."""
    await recording.agree()
    strange = SentTrack("seat", "camera", codec="theora")
    known = SentTrack("seat", "screen_audio")
    recording.begun.recorder.set_tracks([strange.as_track(), known.as_track()], recording.clock.monotonic())
    await until(lambda: known.tap is not None)

    assert strange.tap is None
    recording.begun.recorder.close("host")
    assert await recording.over() == "host"


async def test_switching_on_and_off_makes_no_tracks_without_end(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a row, a key and a file; others, and what runs, go on."""
    monkeypatch.setattr(recorder, "MOST_TRACKS_OF_ONE", 5)
    monkeypatch.setattr(recorder, "MOST_TRACKS", 7)
    first = await recording.agree()
    tracks = [first]
    for seat, user_id in (("again", "ada"), ("b", None), ("c", None)):
        await recording.service.agreed(recording.begun.recorder.id, seat, user_id, "Somebody", "dialog", "en")
    for seat in ("seat", "again", "b", "c"):
        tracks += [SentTrack(seat, "camera") for _ in range(4)]
        recording.begun.recorder.set_tracks([each.as_track() for each in tracks], recording.clock.monotonic())
    await until(lambda: sum(each.tap is not None for each in tracks) == 7)
    await asyncio.sleep(0.1)  # several looks

    taken = Counter(each.owner for each in tracks if each.tap is not None)
    assert taken == {"seat": 5, "b": 2}
    recording.send(first, 0.5)
    recording.begun.recorder.close("host")
    assert await recording.over() == "host"
    assert (await recording.row(recording_tracks))["source"] == "microphone"


async def test_a_fault_of_ours_ends_it_and_everybody_is_told(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign that says that something is recorded must not stay when nothing is."""
    track = await recording.agree()

    def fail(_path: object) -> Usage:
        raise RuntimeError("a fault")

    monkeypatch.setattr(recorder.shutil, "disk_usage", fail)
    await until(lambda: not recording.service.running)

    assert recording.stopped == ["server"]
    assert track.tap is None
    assert (await recording.row(recordings))["ended_at_ms"] is None, "the next start ends it"


async def test_closing_twice_ends_it_once(recording: Recording) -> None:
    """The room, the limits and the server may all want it at the same moment."""
    recording.begun.recorder.close("host")
    recording.begun.recorder.close("server")

    assert await recording.over() == "host"


async def test_a_recording_whose_events_could_not_be_stored_is_not_taken_for_empty(recording: Recording) -> None:
    """Somebody was there and wrote; that the disk was full does not make it nothing."""

    def forbid(conn: Connection) -> None:
        conn.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON recording_events BEGIN SELECT RAISE(ABORT, 'full'); END")
        )

    await recording.lifecycle.db.work(forbid)
    recording.begun.recorder.send(ParticipantChanged(Participant("seat", "Ada", Role.HOST, Kind.BROWSER)))
    await recording.service.agreed(recording.begun.recorder.id, "seat", "ada", "Ada", "dialog", "en")
    recording.begun.recorder.close("host")

    await recording.over()
    assert (await recording.row(recordings))["ended_at_ms"] is not None
