"""The rim of a room's recording: hands the recorder what those send who agreed, and nothing of anybody else. Part of a live room.

A recorder that fails ends its recording, never the meeting.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from pymeet.clock import Clock
from pymeet.errors import ConflictError, NotAllowedError, PymeetError
from pymeet.rooms.answers import Answers
from pymeet.rooms.commands import AnswerRecording, Command, StartRecording, StopRecording, WarnRecording
from pymeet.rooms.events import (
    Event,
    MessageAdded,
    ParticipantChanged,
    RecordingChanged,
    SpeakersChanged,
)
from pymeet.rooms.joining import RecordingAnswer
from pymeet.rooms.media import Track
from pymeet.rooms.people import Kind
from pymeet.rooms.permissions import Verb
from pymeet.rooms.recorder import Begun, Recorder, Recordings
from pymeet.rooms.recording import Answer, EndReason, RecordingState, RecordingWarning
from pymeet.rooms.room import Room
from pymeet.rooms.seat import Seat

_log = structlog.get_logger(__name__)

_LANGUAGE = "en"
"""In which a page asks that does not say."""
_TOLD = frozenset({"recording_off", "disk_full", "not_allowed", "not_found"})
"""The codes with which a host is told why a recording cannot start; any other reason is `recording_failed`."""


class RecordingRim:
    """At most one recording at a time. `do` applies a command to the room and tells what came of it."""

    def __init__(
        self,
        *,
        recordings: Recordings | None,
        clock: Clock,
        room: Room,
        seats: Mapping[str, Seat],
        do: Callable[[Command, str | None], None],
        broadcast: Callable[[Event], None],
    ) -> None:
        self._recordings = recordings
        self._clock = clock
        self._room = room
        self._seats = seats
        self._do = do
        self._broadcast = broadcast
        self._starting = asyncio.Lock()
        self._recorder: Recorder | None = None
        self._answers: Answers | None = None
        self._taken: tuple[Track, ...] = ()
        self._is_untold = False
        """Whether somebody's answer was not yet told to the others."""

    # -- what members ask for -----------------------------------------------------------------------------------

    async def start(self, by: str, room_id: str, room_name: str, with_chat: bool) -> None:
        """Starts recording, unless it runs already. Raises PymeetError with a sentence for the host, who alone is told."""
        self._check(by)
        if self._recordings is None:
            raise NotAllowedError("Meetings are not recorded on this server.", code="recording_off")
        async with self._starting:
            self._check(by)
            if self._room.recording is not None:
                return  # another host was quicker
            begun: Begun | None = None

            def is_running() -> bool:
                return begun is not None and self._recorder is begun.recorder

            def stop(reason: str) -> None:
                if is_running():
                    self._do(StopRecording(EndReason(reason)), None)

            def warn(warning: RecordingWarning | None) -> None:
                if is_running():
                    self._do(WarnRecording(warning), None)

            user_id = self._seats[by].user_id
            try:
                begun = await self._recordings.begin(room_id, room_name, user_id, with_chat, stop, warn)
            except PymeetError as error:
                if error.code in _TOLD:
                    raise
                raise _failed(error.message) from error
            except Exception as error:
                _log.exception("a recording could not begin", room=room_id)
                raise _failed("The recording could not start. It is written in the server's log why.") from error
            self._adopt(begun, by, with_chat, self._recordings)

    def _check(self, by: str) -> None:
        self._room.check(by, Verb.RECORD)
        if self._room.state.may_record == "nobody":
            raise NotAllowedError("Meetings in this room are not recorded.")

    def _adopt(self, begun: Begun, by: str, with_chat: bool, recordings: Recordings) -> None:
        recorder = begun.recorder
        self._recorder, self._answers, self._taken = recorder, Answers(recordings, recorder.id), ()
        try:
            if not self._room.ended:
                self._check(by)  # again, for beginning takes time
            self._do(
                StartRecording(RecordingState(recorder.id, begun.started_at_ms, by, with_chat, begun.keep_until_ms)),
                None,
            )
        except PymeetError:
            self._close(EndReason.ENDED if self._room.ended else EndReason.EMPTY)
            raise
        for participant in self._room.participants:
            self.send(ParticipantChanged(participant))
        self.send(SpeakersChanged(self._room.speakers))

    async def answer(self, seat: Seat, given: RecordingAnswer) -> None:
        """Takes an answer, for all seats that this person has now. Raises ConflictError, NotFoundError or NotAllowedError when
        it cannot be asked of them, and PymeetError with code `recording_failed` when it cannot be written down."""
        self._room.check_asked(seat.id, given.recording_id)
        answers, seats = self._answers, self._seats_of(seat)
        if answers is None:
            raise AssertionError("a recording without anybody who writes answers down")
        answers.say(seats, given.answer)
        if given.answer is Answer.NO:
            self._apply(seats, given.recording_id, Answer.NO)
        try:
            await answers.write(seats, given.method, given.language or _LANGUAGE)
        except ConflictError:
            raise  # the recording ended meanwhile, or they are being erased: what they are told says so
        except Exception as error:
            _log.exception("an answer was not written down", recording_id=given.recording_id, participant=seat.id)
            raise _failed(
                "Your answer could not be written down, so you are not recorded."
                if given.answer is Answer.YES
                else "You are not recorded, but that could not be written down. Please answer again."
            ) from error
        if given.answer is Answer.YES and self._answers is answers:
            self._apply([seat for seat in seats if answers.is_agreed(seat.id)], given.recording_id, Answer.YES)

    async def answer_joining(self, seat: Seat, given: RecordingAnswer | None) -> None:
        """Takes what they answered before they came. Where that cannot be, they are in without an answer, and asked again."""
        recording = self._room.recording
        if given is None or recording is None or seat.id in recording.answers:
            return
        try:
            await self.answer(seat, given)
        except PymeetError as error:
            _log.info("an answer before joining does not count", participant=seat.id, reason=error.code)

    def withdraw(self, person_id: str) -> None:
        """Takes nothing more of this person, by account or seat. Whoever calls this has written it down."""
        recording = self._room.recording
        seats = [seat for seat in self._seats.values() if person_id in (seat.user_id, seat.id)]
        asked = [seat for seat in seats if seat.kind is Kind.BROWSER]
        if recording is not None and self._answers is not None:
            self._answers.said_elsewhere(asked)
            self._apply(asked, recording.id, Answer.NO)

    # -- what happens in the room -------------------------------------------------------------------------------

    def send(self, event: Event) -> None:
        """Tells the recorder what everybody is told; of the chat what those say who agreed, where it is recorded."""
        recording = self._room.recording
        if self._recorder is None:
            return
        if isinstance(event, MessageAdded) and (
            recording is None or not recording.with_chat or event.participant_id not in recording.recorded
        ):
            return
        try:
            self._recorder.send(event)
        except Exception:
            self._fail("telling")

    def changed(self, event: RecordingChanged) -> None:
        """Tells it: an answer at once to who gave it, and with the next `tick` to the others, for many answer at once."""
        if event.answered is None:
            self._is_untold = False
            self._broadcast(event)
        else:
            self._is_untold = True
            self.send(event)
            if event.answered in self._seats:
                self._seats[event.answered].send(event)
        if event.recording is None and event.reason is not None:
            self._close(event.reason)

    def sync(self) -> None:
        """Hands the recorder exactly what those send who agreed, when that is something else than before."""
        recording = self._room.recording
        if self._recorder is None or recording is None:
            return
        agreed = [self._seats[participant] for participant in recording.recorded if participant in self._seats]
        tracks = tuple(track for seat in agreed for track in seat.sends.values())
        if [track.id for track in tracks] == [track.id for track in self._taken]:
            return
        try:
            self._recorder.set_tracks(tracks, self._clock.monotonic())
            self._taken = tracks
        except Exception:
            self._taken += tracks
            self._fail("handing tracks over")

    def tick(self) -> None:
        """What time brings."""
        self.sync()
        if self._is_untold:
            self._is_untold = False
            self._broadcast(RecordingChanged(self._room.recording))

    # -- within -------------------------------------------------------------------------------------------------

    def _seats_of(self, seat: Seat) -> Sequence[Seat]:
        """Theirs, first of all this one: a member may be here more than once, a guest is a seat."""
        if seat.user_id is None:
            return [seat]
        others = [s for s in self._seats.values() if s.user_id == seat.user_id and s.kind is Kind.BROWSER]
        return [seat, *(other for other in others if other is not seat)]

    def _apply(self, seats: Sequence[Seat], recording_id: str, answer: Answer) -> None:
        for seat in seats:
            if seat.id in self._room and self._room.recording is not None:
                self._do(AnswerRecording(recording_id, seat.id, answer), None)

    def _fail(self, when: str) -> None:
        """To be called while an exception of the recorder is handled."""
        _log.exception("a recorder failed, its recording ends", part=when)
        self._close(EndReason.SERVER)
        self._do(StopRecording(EndReason.SERVER), None)

    def _close(self, reason: EndReason) -> None:
        recorder, self._recorder = self._recorder, None
        taken, self._taken = self._taken, ()
        self._answers = None
        if recorder is None:
            return
        try:
            recorder.close(reason.value)
        except Exception:
            _log.exception("closing a recorder failed")
        now = self._clock.monotonic()
        for track in taken:  # a recorder that failed must not go on taking either
            track.set_tap(None, now)


def _failed(message: str) -> PymeetError:
    return PymeetError(message, code="recording_failed")
