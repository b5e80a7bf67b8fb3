"""Recordings from their beginning to their end: nobody is taken before their consent is on the disk, nor after they took it
back, and what was taken can be watched."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from sqlalchemy import Connection, delete, func, select, update
from tests.support.retention import add_room, add_user, open_lifecycle
from tests.support.taking import SentTrack

from pymeet.clock import SystemClock
from pymeet.config import RecordingConfig
from pymeet.db.schema import (
    audit_events,
    consents,
    films,
    recording_events,
    recording_people,
    recording_tracks,
    recordings,
    rooms,
)
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError
from pymeet.privacy import holds, limits
from pymeet.privacy.notices import Notices
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import guest, member
from pymeet.recording import recovery, store
from pymeet.recording.recovery import measured
from pymeet.recording.removal import finish, take_out
from pymeet.recording.service import RecordingService
from pymeet.recording.timeline import Entry
from pymeet.rooms.events import MarkerSet, MessageAdded, ParticipantChanged, SpeakersChanged
from pymeet.rooms.people import Kind, Participant, Role
from pymeet.rooms.recorder import Begun, RecordingWarning

LOOK_S = 0.05


class Meeting:
    """A room in which is recorded, with people who send."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self.stopped: list[str] = []
        self.warned: list[RecordingWarning | None] = []
        self.left: list[tuple[str, str]] = []
        self.films_poked = 0
        self.service = RecordingService(
            lifecycle,
            leave=lambda person_id, recording_id: self.left.append((person_id, recording_id)),
            poke_films=self._poke,
            look_s=LOOK_S,
        )
        self.tracks: list[SentTrack] = []
        self.begun: Begun

    def _poke(self) -> None:
        self.films_poked += 1

    async def begin(self, *, by: str | None = "ada", with_chat: bool = False) -> str:
        self.begun = await self.service.begin("room", "Tea", by, with_chat, self.stopped.append, self.warned.append)
        return self.begun.recorder.id

    async def agree(self, participant_id: str, user_id: str | None = None, language: str = "en") -> None:
        self.begun.recorder.send(
            ParticipantChanged(Participant(participant_id, participant_id, Role.GUEST, Kind.BROWSER))
        )
        await self.service.agreed(
            self.begun.recorder.id, participant_id, user_id, participant_id.title(), "dialog", language
        )

    def take(self, *tracks: SentTrack) -> None:
        """What the room says is to be recorded now."""
        self.tracks = list(tracks)
        now = self.lifecycle.clock.monotonic()
        self.begun.recorder.set_tracks([track.as_track() for track in tracks], now)

    async def tapped(self, *tracks: SentTrack) -> None:
        await until(lambda: all(track.tap is not None for track in tracks))

    async def send(self, seconds: float, *tracks: SentTrack) -> None:
        """So much of media, as fast as it can be sent."""
        await self.tapped(*tracks)
        now = self.lifecycle.clock.monotonic()
        for track in tracks:
            step = 0.02 if track.codec == "opus" else 1 / 30
            for number in range(round(seconds / step)):
                track.send(now + number * step, number * step)

    async def record(self, participant_id: str, user_id: str | None = None) -> None:
        """Somebody agrees, and half a second of their voice is sent."""
        await self.agree(participant_id, user_id)
        sound = SentTrack(participant_id, "microphone")
        self.take(sound)
        await self.send(0.5, sound)

    async def audited(self) -> list[tuple[str, dict[str, Any]]]:
        """What the audit log tells of recordings: actions with their details."""
        rows = await self.rows(audit_events, audit_events.c.action.startswith("recording."))
        return [(row["action"], json.loads(row["detail"] or "{}")) for row in rows]

    async def end(self, reason: str = "host") -> None:
        self.begun.recorder.close(reason)
        await until(lambda: not self.service.running)

    async def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:
        query = select(table).where(*where).order_by(*table.primary_key.columns)
        return await self.lifecycle.db.study(lambda conn: [dict(row) for row in conn.execute(query).mappings()])

    async def recording(self) -> dict[str, Any]:
        (row,) = await self.rows(recordings)
        return row


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  what happens in threads sets no event
            await asyncio.sleep(0.01)


@pytest.fixture
def config() -> dict[str, Any]:
    return {}


@pytest.fixture
async def meeting(tmp_path: Path, config: dict[str, Any]) -> AsyncIterator[Meeting]:
    more = {"recording": RecordingConfig(min_free_gigabytes=1, **config)}
    async with open_lifecycle(tmp_path, config=more) as opened:
        lifecycle = replace(opened, clock=SystemClock())
        await lifecycle.db.work(add_user, "ada")
        await lifecycle.db.work(add_user, "bob")
        await lifecycle.db.work(add_room, "room")
        await Notices(lifecycle).current(lifecycle.clock.now_ms())
        made = Meeting(lifecycle)
        yield made
        await made.service.finish_all()


async def test_what_was_sent_by_those_who_agreed_can_be_watched(meeting: Meeting) -> None:
    """That is what it is for: sound and picture, each in a sealed file of its own, found by what the rows say."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound, picture = SentTrack("seat-a", "microphone"), SentTrack("seat-a", "camera")
    meeting.take(sound, picture)
    await meeting.send(3.0, sound, picture)
    await meeting.end()

    tracks = {row["source"]: row for row in await meeting.rows(recording_tracks)}
    assert tracks.keys() == {"microphone", "camera"}
    for source, row in tracks.items():
        assert row["state"] == "whole"
        assert row["lost_frames"] == 0
        with meeting.lifecycle.files.open(row["file_id"]) as reader:
            assert row["size_bytes"] == reader.size
            begins_at, duration_ms = measured(reader)
            assert begins_at == row["begins_at"]
            assert abs(duration_ms - 3_000) < 100
            assert abs(row["duration_ms"] - 3_000) < 100
            reader.seek(0)
            with av.open(reader) as container:
                assert sum(1 for _ in container.decode()) == (150 if source == "microphone" else 90)


async def test_the_row_tells_how_it_began_and_ended(meeting: Meeting) -> None:
    """Its time of retention begins with its end; the audit log has both."""
    recording_id = await meeting.begin(with_chat=True)
    row = await meeting.recording()
    assert (row["id"], row["room_id"], row["name"], row["owner_id"]) == (recording_id, "room", "Tea", "ada")
    assert (row["with_chat"], row["started_at_ms"]) == (True, meeting.begun.started_at_ms)
    assert (row["ended_at_ms"], row["keep_from_ms"]) == (None, None)
    assert meeting.begun.keep_until_ms == row["started_at_ms"] + 90 * 86_400_000
    await meeting.record("seat-a", "ada")
    await meeting.end("host")

    row = await meeting.recording()
    assert row["end_reason"] == "host"
    assert row["started_at_ms"] <= row["ended_at_ms"] == row["keep_from_ms"]
    actions = [each["action"] for each in await meeting.rows(audit_events)]
    assert [each for each in actions if each.startswith("recording.")] == ["recording.started", "recording.ended"]


async def test_a_film_is_asked_for_when_there_is_something_to_show(meeting: Meeting) -> None:
    """The next morning nobody should have to wait for it."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    await meeting.send(0.5, sound)
    await meeting.end()

    (film,) = await meeting.rows(films)
    assert (film["state"], film["layout"], film["format"], film["height"]) == ("queued", "grid", "mp4", 720)
    assert meeting.films_poked == 1


async def test_of_a_recording_without_anything_no_film_is_made(meeting: Meeting) -> None:
    """A film of nothing would only fail."""
    await meeting.begin()
    await meeting.end()

    assert await meeting.rows(films) == []


async def test_a_recording_in_which_nothing_is_is_gone_when_it_ends(meeting: Meeting) -> None:
    """Started and stopped again, or nobody was heard or seen: nobody should find it among theirs and play nothing."""
    recording_id = await meeting.begin()
    await meeting.agree("seat-a", "ada")
    meeting.take(silent := SentTrack("seat-a", "microphone"))
    await meeting.tapped(silent)
    await meeting.end()

    assert await meeting.rows(recordings) == []
    assert await meeting.rows(recording_people) == []
    assert [action for action, _ in await meeting.audited()] == [
        "recording.started",
        "recording.ended",
        "recording.deleted",
    ]
    assert (await meeting.audited())[-1][1] == {"cause": "empty"}
    (consent,) = await meeting.rows(consents)
    assert (consent["object_id"], consent["decision"]) == (recording_id, "given")


@pytest.mark.parametrize("what", ["marker", "message"])
async def test_a_recording_in_which_something_was_written_stays(meeting: Meeting, what: str) -> None:
    """What was said in the chat or marked is content too."""
    await meeting.begin(with_chat=True)
    await meeting.agree("seat-a", "ada")
    said = MarkerSet("seat-a", "Here") if what == "marker" else MessageAdded("m", "seat-a", "Ada", "Hello", 1)
    meeting.begun.recorder.send(said)
    await meeting.end()

    assert (await meeting.recording())["end_reason"] == "host"
    assert what in [row["kind"] for row in await meeting.rows(recording_events)]


async def test_a_recording_that_is_held_stays_though_it_is_empty(meeting: Meeting) -> None:
    """A legal hold keeps what there is, also the fact that there was nothing."""
    recording_id, now_ms = await meeting.begin(), meeting.lifecycle.clock.now_ms()
    hold = {"reason": "legal_claim", "review_at_ms": now_ms + 86_400_000, "now_ms": now_ms, "actor": "operator"}
    await meeting.lifecycle.db.work(lambda conn: holds.place(conn, recording_id=recording_id, **hold))
    await meeting.end()

    assert (await meeting.recording())["end_reason"] == "host"


@pytest.mark.parametrize("config", [{"film": "off"}])
async def test_no_film_is_made_where_the_operator_wants_none(meeting: Meeting) -> None:
    """Composing costs processor time, and a second copy of everybody."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    await meeting.send(0.5, sound)
    await meeting.end()

    assert await meeting.rows(films) == []


async def test_nobody_is_taken_who_did_not_agree(meeting: Meeting) -> None:
    """Whatever the room hands over: without consent on the disk there is no tap."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    mine, theirs = SentTrack("seat-a", "microphone"), SentTrack("seat-b", "microphone")
    meeting.take(mine, theirs)
    await meeting.send(0.5, mine)
    await meeting.end()

    assert theirs.tap is None
    assert [row["participant_id"] for row in await meeting.rows(recording_people)] == ["seat-a"]


async def test_a_yes_is_on_the_disk_with_the_notice_it_was_given_by(meeting: Meeting) -> None:
    """Article 7(1): that somebody agreed must be shown, and to what."""
    recording_id = await meeting.begin()
    await meeting.agree("seat-a", "ada", language="de")
    await meeting.agree("seat-g", None, language="xx")

    given = {row["user_id"] or row["participant_id"]: row for row in await meeting.rows(consents)}
    assert given.keys() == {"ada", "seat-g"}
    assert {(row["purpose"], row["object_id"], row["decision"]) for row in given.values()} == {
        ("recording", recording_id, "given")
    }
    assert given["ada"]["language"] == "de"
    assert given["seat-g"]["language"] == "en"
    people = {row["participant_id"]: row for row in await meeting.rows(recording_people)}
    assert people["seat-a"]["user_id"] == "ada"
    assert people["seat-g"]["user_id"] is None
    assert people["seat-g"]["name"] == "Seat-G"


async def test_a_member_with_two_seats_agrees_once_and_is_two_people_in_it(meeting: Meeting) -> None:
    """Their phone and their computer are two pictures, but one will."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    await meeting.agree("seat-b", "ada")
    await meeting.agree("seat-b", "ada")

    assert len(await meeting.rows(consents)) == 1
    assert len(await meeting.rows(recording_people)) == 2


async def test_a_no_is_written_down_and_makes_nobody_a_part_of_it(meeting: Meeting) -> None:
    """It proves that somebody was asked; and no name of theirs comes into the recording."""
    recording_id = await meeting.begin()
    await meeting.service.refused(recording_id, "seat-a", "ada", "dialog", "en", withdrawn=False)

    assert [row["decision"] for row in await meeting.rows(consents)] == ["refused"]
    assert await meeting.rows(recording_people) == []


async def test_who_withdraws_is_not_taken_any_more_from_that_moment(meeting: Meeting) -> None:
    """Article 7(3): of all their seats, at once, and it is written down."""
    recording_id = await meeting.begin()
    await meeting.agree("seat-a", "ada")
    await meeting.agree("seat-b", "ada")
    await meeting.agree("seat-g")
    tracks = [SentTrack(owner, "microphone") for owner in ("seat-a", "seat-b", "seat-g")]
    meeting.take(*tracks)
    await meeting.send(0.5, *tracks)
    await meeting.service.refused(recording_id, "seat-a", "ada", "dialog", "en", withdrawn=True)

    assert [track.tap is None for track in tracks] == [True, True, False]
    later = SentTrack("seat-g", "screen_audio")
    meeting.take(*tracks, later)  # a room that does not know yet
    await meeting.tapped(later)  # tracks are begun in their order, so the others would be by now
    assert [track.tap is None for track in tracks] == [True, True, False]
    theirs = await meeting.rows(consents, consents.c.user_id == "ada")
    assert sorted(row["decision"] for row in theirs) == ["given", "withdrawn"]
    await meeting.end()
    kept = await meeting.rows(recording_tracks)
    assert {row["state"] for row in kept} == {"whole"}
    assert len(kept) == 3, "what was taken before stays until it is taken out"


async def test_who_agrees_again_is_taken_again(meeting: Meeting) -> None:
    """People change their minds, in either direction."""
    recording_id = await meeting.begin()
    await meeting.agree("seat-a", "ada")
    await meeting.service.refused(recording_id, "seat-a", "ada", "dialog", "en", withdrawn=True)
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    await meeting.tapped(sound)

    assert len(await meeting.rows(recording_people)) == 1
    assert sorted(row["decision"] for row in await meeting.rows(consents)) == ["given", "given", "withdrawn"]


async def test_a_withdrawal_elsewhere_stops_it_and_waits_until_the_files_are_closed(meeting: Meeting) -> None:
    """Whoever takes them out of the recording next must not meet a file that is still being written."""
    recording_id = await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    await meeting.send(0.5, sound)
    await meeting.service.person_withdrew(member("ada"), recording_id)

    assert sound.tap is None
    assert meeting.left == [("ada", recording_id)]
    assert [row["state"] for row in await meeting.rows(recording_tracks)] == ["whole"]
    assert recording_id in meeting.service.running, "the others go on"


async def test_the_end_of_somebody_taken_out_is_not_written_into_the_row_of_another(meeting: Meeting) -> None:
    """The database gives the numbers of rows that went to rows that come."""
    recording_id = await meeting.begin()
    await meeting.agree("seat-a", "ada")
    await meeting.agree("seat-g")

    def write(conn: Connection) -> int | None:
        people = recording_people.c
        ada, guest_ = (
            conn.execute(select(people.id).where(people.participant_id == seat)).scalar_one()
            for seat in ("seat-a", "seat-g")
        )
        rows = store.save_entries(conn, recording_id, [Entry(1, guest_, "spoke", 10)], {})
        conn.execute(delete(recording_events).where(recording_events.c.id == rows[1]))
        other = store.save_entries(conn, recording_id, [Entry(2, ada, "spoke", 20)], {})
        assert other[2] == rows[1]
        store.save_entries(conn, recording_id, [Entry(1, guest_, "spoke", 10, 15)], rows)
        return conn.execute(select(recording_events.c.ends_at).where(recording_events.c.id == other[2])).scalar_one()

    assert await meeting.lifecycle.db.work(write) is None
    await meeting.end()


async def test_who_is_erased_while_it_runs_is_stopped_first(meeting: Meeting) -> None:
    """The erasure deletes rows and keys; nothing may come after it."""
    recording_id = await meeting.begin()
    await meeting.agree("seat-g")
    sound = SentTrack("seat-g", "microphone")
    meeting.take(sound)
    await meeting.send(0.5, sound)
    await meeting.service.forget(guest("seat-g"))
    await meeting.lifecycle.db.work(lambda conn: conn.execute(delete(recording_people)))

    assert sound.tap is None
    assert meeting.left == [("seat-g", recording_id)]
    await meeting.end()
    assert await meeting.rows(recording_tracks) == []
    assert await meeting.rows(recording_events) == []
    assert await meeting.rows(recordings) == []


async def test_an_erasure_waits_for_files_that_are_closing_already(meeting: Meeting) -> None:
    """Somebody says no in the meeting, and a moment later has their data erased."""
    recording_id = await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    await meeting.send(1.0, sound)
    await meeting.service.refused(recording_id, "seat-a", "ada", "dialog", "en", withdrawn=True)
    await meeting.service.forget(member("ada"))

    assert [row["state"] for row in await meeting.rows(recording_tracks)] == ["whole"]


async def test_who_is_about_to_be_erased_cannot_agree_any_more(meeting: Meeting) -> None:
    """A yes that was clicked at the last moment would come after the erasure has looked."""
    await meeting.begin()

    def erase_soon(conn: Connection) -> None:
        limits.limit(conn, member("ada"), limits.ERASURE, now_ms=1, actor="ada")

    await meeting.lifecycle.db.work(erase_soon)
    with pytest.raises(ConflictError):
        await meeting.agree("seat-a", "ada")

    assert await meeting.rows(recording_people) == []
    assert await meeting.rows(consents) == []


async def test_who_is_being_taken_out_can_agree_again_when_that_is_done(meeting: Meeting) -> None:
    """What is begun meanwhile would be destroyed with the rest. It is done with all seats, and as soon as no hold forbids it."""
    recording_id = await meeting.begin()
    await meeting.agree("seat-a", "ada")
    await meeting.agree("seat-b", "ada")
    lifecycle = meeting.lifecycle
    now_ms = lifecycle.clock.now_ms()

    def hold(conn: Connection) -> holds.Hold:
        said = {"reason": "legal_claim", "review_at_ms": now_ms + 1, "now_ms": now_ms, "actor": "operator"}
        return holds.place(conn, recording_id=recording_id, **said)

    placed = await lifecycle.db.work(hold)
    with pytest.raises(ConflictError, match="as soon as the hold is released"):
        await take_out(lifecycle, recording_id, member("ada"), "ada")
    with pytest.raises(ConflictError, match="to be destroyed first"):
        await meeting.agree("seat-c", "ada")
    await finish(lifecycle)
    assert len(await meeting.rows(recording_people)) == 2

    await lifecycle.db.work(lambda conn: holds.release(conn, placed.id, now_ms=now_ms, actor="operator"))
    await finish(lifecycle)

    assert await meeting.rows(recording_people) == []
    await meeting.agree("seat-c", "ada")
    await finish(lifecycle)
    assert len(await meeting.rows(recording_people)) == 1
    decided = sorted((row["at_ms"], row["decision"]) for row in await meeting.rows(consents))
    assert [decision for _, decision in decided] == ["given", "withdrawn", "given"]


async def test_a_track_of_which_nothing_came_leaves_nothing(meeting: Meeting) -> None:
    """Somebody muted all the time has nothing in the recording."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    await meeting.tapped(sound)
    assert [row["state"] for row in await meeting.rows(recording_tracks)] == ["writing"]
    await meeting.end()

    assert await meeting.rows(recording_tracks) == []
    assert list(meeting.lifecycle.files.ids()) == []
    assert dict(meeting.lifecycle.keys.ids()) == {}


async def test_a_row_is_there_before_the_file(meeting: Meeting) -> None:
    """A file that no row knows could not be found by an erasure."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    assert sound.tap is None
    await meeting.send(1.5, sound)
    await until(lambda: any(True for _ in meeting.lifecycle.files.ids()))

    (row,) = await meeting.rows(recording_tracks)
    assert [each for each, _, _ in meeting.lifecycle.files.ids()] == [row["file_id"]]


async def test_a_track_that_ends_at_once_is_never_opened(meeting: Meeting) -> None:
    """Clicks come faster than the disk."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    meeting.take()
    await meeting.end()

    assert sound.tap is None
    assert await meeting.rows(recording_tracks) == []


async def test_the_timeline_is_written_while_it_runs(meeting: Meeting) -> None:
    """A crash must not take the chapters with it."""
    await meeting.begin(with_chat=True)
    await meeting.agree("seat-a", "ada")
    meeting.begun.recorder.send(SpeakersChanged(("seat-a",)))
    meeting.begun.recorder.send(MessageAdded("m", "seat-a", "Ada", "hello", 1))
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(found) < 3:
            found = await meeting.rows(recording_events)
    assert {(row["kind"], row["text"]) for row in found} == {("present", None), ("spoke", None), ("message", "hello")}
    assert {row["ends_at"] for row in found} == {None}
    await meeting.end()

    ended = {row["kind"]: row["ends_at"] for row in await meeting.rows(recording_events)}
    assert ended["present"] is not None
    assert ended["spoke"] is not None
    assert ended["message"] is None


async def test_nothing_comes_in_after_its_end(meeting: Meeting) -> None:
    """A yes that was clicked too late changes nothing."""
    recording_id = await meeting.begin()
    meeting.begun.recorder.close("host")
    assert meeting.service.running, "it is not complete yet"
    with pytest.raises(ConflictError):
        await meeting.service.agreed(recording_id, "seat-a", "ada", "Ada", "dialog", "en")
    await meeting.end()

    with pytest.raises(ConflictError):
        await meeting.service.agreed(recording_id, "seat-a", "ada", "Ada", "dialog", "en")
    assert await meeting.rows(recording_people) == []
    assert await meeting.rows(consents) == []


@pytest.mark.parametrize("config", [{"enabled": False}])
async def test_where_recording_is_off_none_begins(meeting: Meeting) -> None:
    """Some operators want none."""
    with pytest.raises(NotAllowedError) as refused:
        await meeting.begin()
    assert refused.value.code == "recording_off"
    assert await meeting.rows(recordings) == []


async def test_in_a_room_that_was_deleted_none_begins(meeting: Meeting) -> None:
    """It would be in no list."""
    await meeting.lifecycle.db.work(lambda conn: conn.execute(update(rooms).values(deleted_at_ms=1)))

    with pytest.raises(NotFoundError):
        await meeting.begin()
    assert meeting.service.running == frozenset()


async def test_on_a_disk_with_too_little_room_none_begins(tmp_path: Path) -> None:
    """The rest of the server needs the room that is left."""
    more = {"recording": RecordingConfig(min_free_gigabytes=10_000)}
    async with open_lifecycle(tmp_path, config=more) as lifecycle:
        await lifecycle.db.work(add_room, "room")
        meeting = Meeting(lifecycle)
        with pytest.raises(ConflictError) as refused:
            await meeting.begin(by=None)
        await meeting.service.finish_all()
    assert refused.value.code == "disk_full"


async def test_a_server_that_stops_completes_what_runs(meeting: Meeting) -> None:
    """An update in the middle of a meeting must not cost what was recorded."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    await meeting.send(1.0, sound)
    await meeting.service.finish_all(grace_s=30)  # on a busy machine two seconds may not be enough

    row = await meeting.recording()
    assert row["end_reason"] == "server"
    assert [each["state"] for each in await meeting.rows(recording_tracks)] == ["whole"]
    count = await meeting.lifecycle.db.study(
        lambda conn: conn.execute(select(func.count()).select_from(films)).scalar()
    )
    assert count == 1


async def test_what_cannot_be_completed_in_time_is_put_in_order_at_the_next_start(meeting: Meeting) -> None:
    """A server that is stopped does not wait for ever, and loses nothing by it."""
    await meeting.begin()
    await meeting.agree("seat-a", "ada")
    sound = SentTrack("seat-a", "microphone")
    meeting.take(sound)
    await meeting.send(1.0, sound)
    async with meeting.lifecycle.db.write():  # somebody else has the database
        await meeting.service.finish_all(grace_s=0.1)
    assert (await meeting.recording())["ended_at_ms"] is None

    await recovery.run(meeting.lifecycle, await recovery.prepare(meeting.lifecycle))

    (track,) = await meeting.rows(recording_tracks)
    assert track["state"] == "repaired"
    assert abs(track["duration_ms"] - 1_000) < 100
    assert (await meeting.recording())["end_reason"] == "crash"
