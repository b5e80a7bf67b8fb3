"""Everybody answers, changes their mind, comes, goes and sends at once while recordings begin and end: nobody is taken who did
not agree, at any moment."""

import asyncio
import random

import pytest

from pymeet.accounts.model import User
from pymeet.errors import PymeetError
from pymeet.rooms.joining import RecordingAnswer, Resume
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.recording import Answer
from pymeet.rooms.seat import Seat
from tests.rooms.conftest import Ear, Stage, turn
from tests.rooms.fake_recorder import FakeRecordings

SOURCES = ("microphone", "camera", "screen")


class Storm:
    """Three people of a room for five: a member twice, who is its host, and two guests."""

    def __init__(self, stage: Stage, owner: User, recordings: FakeRecordings, seed: int) -> None:
        self.stage = stage
        self.live: LiveRoom = stage.live
        self.owner = owner
        self.recordings = recordings
        self.draw = random.Random(seed)
        self.cast: list[tuple[Seat, Ear]] = []

    async def come(self, place: int) -> None:
        """Somebody takes this place of the cast, back or for the first time."""
        user = self.owner if place < 2 else None
        resume = None
        if place < len(self.cast) and self.draw.random() < 0.5:
            seat, ear = self.cast[place]
            self.live.lose(seat.id, ear)
            resume = Resume(seat.token, keep_media=self.draw.random() < 0.5)
        came = await self.stage.join("Somebody", user=user, resume=resume, recording=self.says())
        self.cast[place:] = [came, *self.cast[place + 1 :]]

    def says(self) -> RecordingAnswer:
        running = self.live.recording
        return RecordingAnswer(running.id if running else "none", self.draw.choice(list(Answer)), "dialog")

    async def do(self) -> None:
        place = self.draw.randrange(len(self.cast))
        seat, _ = self.cast[place]
        what = self.draw.choice(
            ("start", "stop", "answer", "answer", "answer", "send", "send", "away", "elsewhere", "slow")
        )
        match what:
            case "start":
                await self.live.start_recording(seat.id, with_chat=True)
            case "stop" if self.draw.random() < 0.4:
                self.live.stop_recording(seat.id)
            case "answer":
                await self.live.answer_recording(seat.id, self.says())
            case "send":
                sources = self.draw.sample(SOURCES, self.draw.randrange(4))
                await self.stage.publish(seat, *sources, sdp=f"a=fingerprint:{self.draw.randrange(2)}")
            case "away":
                if self.draw.random() < 0.5:
                    self.live.leave(seat.id)
                await self.come(place)
            case "elsewhere":
                self.live.withdraw_recording(seat.user_id or seat.id)
            case _:
                # what is written or begun waits until this is drawn again
                if self.recordings.gate.is_set():
                    self.recordings.gate.clear()
                else:
                    self.recordings.gate.set()

    def look(self) -> None:
        """What holds at every moment."""
        running = [made for made in self.recordings.made if made.closed is None]
        assert [made.id for made in running] == ([self.live.recording.id] if self.live.recording else [])
        if not running or self.live.recording is None:
            return
        agreed = [self.live.seat(participant) for participant in self.live.recording.recorded]
        assert {track.id for track in running[0].tracks} == {track for seat in agreed for track in seat.sends}
        for seat in agreed:
            person = [a for a in self.recordings.written if a.participant_id == seat.id]
            assert person[-1].decision == "given", "recorded before it was written down"


@pytest.mark.parametrize("seed", range(20))
async def test_a_storm_of_answers_records_nobody_who_did_not_agree(
    stage: Stage, ann: User, recordings: FakeRecordings, seed: int
) -> None:
    """And what is written down at the end is what people said last."""
    storm = Storm(stage, ann, recordings, seed)
    for place in range(4):
        await storm.come(place)
    # first of all once in peace: what is drawn hangs on when the database answers, so there might be nothing to look at
    await storm.live.start_recording(storm.cast[0][0].id, with_chat=True)
    await storm.live.answer_recording(storm.cast[1][0].id, RecordingAnswer(recordings.now.id, Answer.YES, "dialog"))
    under_way: set[asyncio.Task[None]] = set()

    for step in range(120):
        under_way.add(asyncio.create_task(storm.do()))
        await turn()
        storm.look()
        if step % 9 == 0:
            stage.registry.tick()
            recordings.gate.set()
            await asyncio.wait(under_way)
        for task in {task for task in under_way if task.done()}:
            under_way.discard(task)
            error = task.exception()
            assert error is None or isinstance(error, PymeetError), error
    recordings.gate.set()
    if under_way:
        await asyncio.wait(under_way)
    storm.look()

    assert recordings.made
    assert recordings.written
    stage.live.end(None, "Over.")
    assert all(made.closed for made in recordings.made)
