"""Records two people in a data directory until it is killed. `python -m tests.support.recording_child <directory>`

It says on its output what it does: `sent <track> <ms>` for every frame, when it arrived in the recording, and
`synced <file> <bytes>` when so much of a file is safe against a power cut.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pymeet.clock import SystemClock
from pymeet.db.files import Files, SealedLogSink
from pymeet.privacy.notices import Notices
from pymeet.recording.service import RecordingService
from pymeet.rooms.events import ParticipantChanged, SpeakersChanged
from pymeet.rooms.people import Kind, Participant, Role
from tests.support.retention import add_room, add_user, open_lifecycle
from tests.support.taking import SentTrack


class TellingFiles(Files):
    """Says how much of each log was synced."""

    def create_log(self, file_id: str, now_ms: int) -> SealedLogSink:
        sink = super().create_log(file_id, now_ms)
        path = self.path(file_id).with_suffix(".sealed.part")
        sync = sink.sync

        def telling() -> None:
            size = path.stat().st_size
            sync()
            say(f"synced {file_id} {size}")

        sink.sync = telling  # type: ignore[method-assign]
        return sink


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def record(data_dir: Path) -> None:
    clock = SystemClock()
    async with open_lifecycle(data_dir) as opened:
        lifecycle = replace(opened, clock=clock, files=TellingFiles(data_dir, opened.keys))
        await lifecycle.db.work(add_user, "ada")
        await lifecycle.db.work(add_room, "room")
        await Notices(lifecycle).current(clock.now_ms())
        service = RecordingService(lifecycle, leave=lambda *_: None)
        begun = await service.begin("room", "Tea", "ada", True, lambda _: None, lambda _: None)
        zero_s = clock.monotonic() - (clock.now_ms() - begun.started_at_ms) / 1000
        tracks = []
        for seat, user_id in (("seat-a", "ada"), ("seat-g", None)):
            begun.recorder.send(ParticipantChanged(Participant(seat, seat, Role.GUEST, Kind.BROWSER)))
            await service.agreed(begun.recorder.id, seat, user_id, seat, "dialog", "en")
            tracks += [SentTrack(seat, "microphone"), SentTrack(seat, "camera")]
        begun.recorder.send(SpeakersChanged(("seat-a",)))
        begun.recorder.set_tracks([track.as_track() for track in tracks], clock.monotonic())
        async with asyncio.TaskGroup() as group:
            for track in tracks:
                group.create_task(send(track, clock.monotonic, zero_s))


async def send(track: SentTrack, monotonic: Callable[[], float], zero_s: float) -> None:
    """In real time, for ever."""
    step_s = 0.02 if track.codec == "opus" else 1 / 30
    number, begin_s = 0, monotonic()
    while True:
        now = monotonic()
        while begin_s + number * step_s <= now:
            if track.tap is not None:
                track.send(now, number * step_s)
                say(f"sent {track.owner}-{track.source} {round((now - zero_s) * 1000)}")
            number += 1
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))
