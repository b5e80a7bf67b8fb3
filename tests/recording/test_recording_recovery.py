"""What a server that died left of its recordings is put in order: nothing that can be watched is given up, and what is lost
is said to be."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select
from tests.support.retention import NOW_MS, add_room, add_user, open_lifecycle
from tests.support.taking import OPUS_SILENCE

from pymeet.db.files import Files
from pymeet.db.schema import audit_events, films, recording_events, recording_people, recording_tracks, recordings
from pymeet.privacy.gone import queue_unknown
from pymeet.privacy.parts import Lifecycle
from pymeet.recording import recovery
from pymeet.recording.depacket.frame import Frame
from pymeet.recording.matroska import Muxer

STARTED_MS = NOW_MS - 3_600_000


class Left:
    """A data directory as a dead server left it."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self.poked = 0

    def poke(self) -> None:
        self.poked += 1

    def track(self, file_id: str, seconds: float, *, begins_at: int = 2_000, torn: bool = False) -> Path:
        """A file that was being written."""
        muxer = Muxer("opus")
        with self.lifecycle.files.create_log(file_id, NOW_MS) as sink:
            sink.append(muxer.head(None, begins_at))
            for number in range(round(seconds * 50)):
                piece = muxer.add(Frame(OPUS_SILENCE, number * 960, True), number * 20)
                if piece:
                    sink.append(piece)
            if not muxer.is_empty:
                sink.append(muxer.flush())
        path = self.lifecycle.files.path(file_id).with_suffix(".sealed.part")
        if torn:
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size - 5)
        return path

    async def row(self, track_id: str, file_id: str, *, recording_id: str = "rec", state: str = "writing") -> None:
        await self.add(
            recording_tracks,
            id=track_id,
            recording_id=recording_id,
            person_id="person",
            source="microphone",
            codec="opus",
            file_id=file_id,
            state=state,
            begins_at=1_900,
        )

    async def add(self, table: Any, **values: Any) -> None:
        await self.lifecycle.db.work(lambda conn: conn.execute(insert(table).values(**values)))

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        def read(conn: Connection) -> list[dict[str, Any]]:
            query = select(table).order_by(*table.primary_key.columns)
            return [dict(row) for row in conn.execute(query).mappings()]

        return await self.lifecycle.db.study(read)

    async def recover(self) -> None:
        await recovery.run(self.lifecycle, await recovery.prepare(self.lifecycle))


@pytest.fixture
async def left(tmp_path: Path) -> AsyncIterator[Left]:
    async with open_lifecycle(tmp_path) as opened:
        made = Left(opened)
        made.lifecycle = replace(opened, poke_films=made.poke)
        await opened.db.work(add_user, "ada")
        await opened.db.work(add_room, "room")
        await made.add(
            recordings, id="rec", room_id="room", name="Tea", with_chat=False, owner_id="ada", started_at_ms=STARTED_MS
        )
        await made.add(recording_people, id="person", recording_id="rec", participant_id="s", user_id="ada", name="Ada")
        yield made


async def test_what_was_written_can_be_watched(left: Left) -> None:
    """Up to its torn end; when it began is in the file, because the row may not know yet."""
    left.track("file-of-ada", 10, torn=True)
    await left.row("track", "file-of-ada")
    await left.recover()

    (track,) = await left.rows(recording_tracks)
    assert (track["state"], track["begins_at"]) == ("repaired", 2_000)
    assert track["duration_ms"] == 9_000, "the last second was torn"
    with left.lifecycle.files.open("file-of-ada") as reader:
        assert reader.size == track["size_bytes"]
    assert [is_part for _, _, is_part in left.lifecycle.files.ids()] == [False]


async def test_a_recording_without_an_end_gets_one(left: Left) -> None:
    """At the last moment of which anything is known; and then its film is made, and its time of retention runs."""
    path = left.track("file-of-ada", 3)
    os.utime(path, ns=((STARTED_MS + 65_000) * 1_000_000,) * 2)
    await left.row("track", "file-of-ada")
    entry = {"recording_id": "rec", "person_id": "person", "text": None}
    await left.add(recording_events, kind="spoke", begins_at=5_000, ends_at=None, **entry)
    await left.add(recording_events, kind="spoke", begins_at=3_000, ends_at=4_000, **entry)
    await left.add(recording_events, kind="message", begins_at=4_000, ends_at=None, **entry)
    await left.recover()

    (recording,) = await left.rows(recordings)
    assert recording["end_reason"] == "crash"
    assert recording["ended_at_ms"] == recording["keep_from_ms"] == STARTED_MS + 65_000
    assert [row["ends_at"] for row in await left.rows(recording_events)] == [65_000, 4_000, None]
    assert [film["state"] for film in await left.rows(films)] == ["queued"]
    assert left.poked == 1
    assert [row["action"] for row in await left.rows(audit_events)][-1] == "recording.ended"


async def test_a_clock_that_was_ahead_does_not_make_it_end_in_the_future(left: Left) -> None:
    """It would be kept for longer than promised."""
    path = left.track("file-of-ada", 3)
    os.utime(path, ns=((NOW_MS + 10**9) * 1_000_000,) * 2)
    await left.row("track", "file-of-ada")
    await left.recover()

    (recording,) = await left.rows(recordings)
    assert recording["ended_at_ms"] == NOW_MS


async def test_it_can_be_done_again(left: Left) -> None:
    """A machine that dies once may die twice."""
    left.track("file-of-ada", 3)
    await left.row("track", "file-of-ada")
    first = await recovery.prepare(left.lifecycle)
    assert left.lifecycle.files.recover_log("file-of-ada")  # … and killed before the row was written
    second = await recovery.prepare(left.lifecycle)
    assert second == first
    await recovery.run(left.lifecycle, first)
    await recovery.run(left.lifecycle, second)
    once = await left.rows(recording_tracks)
    await left.recover()

    assert [track["state"] for track in once] == ["repaired"]
    assert await left.rows(recording_tracks) == once
    assert len(await left.rows(films)) == 1


async def test_what_is_lost_is_said_to_be(left: Left) -> None:
    """The person was there; nobody should think that they said nothing."""
    left.track("file-damaged", 3).write_bytes(b"PMSEALOG" + bytes(4096))
    left.track("file-no-part", 3).unlink()
    left.track("file-only-head", 0)
    for track_id, file_id in (("t1", "file-damaged"), ("t2", "file-no-part"), ("t3", "file-only-head")):
        await left.row(track_id, file_id)
    await left.recover()

    assert {row["id"]: (row["state"], row["duration_ms"]) for row in await left.rows(recording_tracks)} == {
        "t1": ("lost", 0),
        "t2": ("lost", 0),
        "t3": ("lost", 0),
    }
    assert await left.rows(films) == [], "there is nothing to show"


async def test_a_track_of_which_nothing_was_written_is_forgotten(left: Left) -> None:
    """Somebody who was muted all the time has lost nothing."""
    await left.row("track", "file-never-made")
    await left.recover()

    assert await left.rows(recording_tracks) == []


async def test_a_disk_that_is_still_full_is_tried_again_at_the_next_start(left: Left) -> None:
    """Nothing is called lost that is only waiting, and no film is made without it."""

    class Full(Files):
        def recover_log(self, file_id: str) -> int | None:
            raise OSError(28, "No space left on device")

    left.track("file-of-ada", 3)
    await left.row("track", "file-of-ada")
    working, full = left.lifecycle, Full(left.lifecycle.config.data_dir, left.lifecycle.keys)
    left.lifecycle = replace(working, files=full)
    await left.recover()
    assert [track["state"] for track in await left.rows(recording_tracks)] == ["writing"]
    assert await left.rows(films) == []
    left.lifecycle = working
    await left.recover()

    assert [track["state"] for track in await left.rows(recording_tracks)] == ["repaired"]
    assert len(await left.rows(films)) == 1


async def test_the_part_of_a_track_is_not_taken_for_an_orphan(left: Left) -> None:
    """What no row knows is removed after a day; a recording may wait longer for its repair."""
    path = left.track("file-of-ada", 3)
    stray = left.track("file-of-nobody", 3)
    for each in (path, stray):
        os.utime(each, ns=((NOW_MS - 3 * 86_400_000) * 1_000_000,) * 2)
    await left.row("track", "file-of-ada")
    left.lifecycle.clock.advance(2 * 86_400)  # type: ignore[attr-defined]

    assert await queue_unknown(left.lifecycle) == 1
    await left.recover()
    assert [track["state"] for track in await left.rows(recording_tracks)] == ["repaired"]


async def test_what_a_crash_left_empty_is_gone(left: Left) -> None:
    """Of one nothing was ever taken, of the other only a row was written before the crash."""
    await left.add(recordings, id="other", room_id="room", name="Tea", with_chat=False, started_at_ms=STARTED_MS)
    await left.row("track", "file-without-key")
    await left.recover()

    assert await left.rows(recordings) == []
    assert await left.rows(recording_tracks) == []


async def test_what_begins_after_the_start_is_left_alone(left: Left) -> None:
    """Repair goes on beside the server, and people record meanwhile."""
    here = {"recording_id": "rec", "person_id": "person", "kind": "marker", "begins_at": 1}
    await left.add(recording_events, **here)  # an empty one would be gone, and the person with it
    found = await recovery.prepare(left.lifecycle)
    await left.add(recordings, id="new", room_id="room", name="Tea", with_chat=False, started_at_ms=NOW_MS)
    await left.row("track", "file-of-ada", recording_id="new")
    await recovery.run(left.lifecycle, found)

    assert [track["state"] for track in await left.rows(recording_tracks)] == ["writing"]
    ended = {row["id"]: row["ended_at_ms"] for row in await left.rows(recordings)}
    assert ended["new"] is None
