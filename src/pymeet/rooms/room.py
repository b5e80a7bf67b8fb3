"""The state of one live meeting, pure: commands and `now` (seconds) go in, events and the next deadline come out.

It knows nobody's connection, no clock, no database and no media. The rules of docs/protocol.md sections 1.1, 1.2 and 1.4.
"""

from dataclasses import replace

from pymeet.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError, TooManyError
from pymeet.rooms.commands import (
    AnswerRecording,
    Command,
    Configure,
    End,
    GiveRole,
    HandOver,
    Join,
    Leave,
    Lock,
    Lose,
    LowerHand,
    MarkRecording,
    Mute,
    MuteAll,
    RaiseHand,
    React,
    Remove,
    Return,
    Say,
    Send,
    Speak,
    Spotlight,
    StartRecording,
    StopRecording,
    StopSource,
    WarnRecording,
)
from pymeet.rooms.events import (
    Ended,
    MarkerSet,
    MessageAdded,
    ParticipantChanged,
    ParticipantLeft,
    Reacted,
    RecordingChanged,
    Removed,
    RoomEvent,
    SpeakersChanged,
    TrackMuted,
)
from pymeet.rooms.hosting import Hosting
from pymeet.rooms.people import Connection, Departure, Kind, Participant, Role, RoomState
from pymeet.rooms.permissions import PERMISSIONS, Verb
from pymeet.rooms.recording import EndReason, RecordingState, running


class Room:
    """Who is in the meeting and what may happen next. Every change goes through `apply` or `handle_timer`."""

    def __init__(self, *, max_participants: int) -> None:
        self._max_participants = max_participants
        self._participants: dict[str, Participant] = {}
        self._held_until: dict[str, float] = {}
        self._speakers: tuple[str, ...] = ()
        self._dominant: str | None = None
        self._ended = False
        self._recording: RecordingState | None = None
        self._hosting = Hosting(self._participants)

    # -- what is ------------------------------------------------------------------------------------------------

    @property
    def participants(self) -> tuple[Participant, ...]:
        """Everybody with a seat, in the order in which they came."""
        return tuple(self._participants.values())

    @property
    def free(self) -> int:
        """How many more may come; none or less when it is full."""
        return self._max_participants - len(self._participants)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Ids of who speaks, loudest first."""
        return self._speakers

    @property
    def dominant(self) -> str | None:
        """The id of who leads the conversation."""
        return self._dominant

    @property
    def ended(self) -> bool:
        """Whether the meeting is over for good."""
        return self._ended

    @property
    def state(self) -> RoomState:
        """What everybody knows of the meeting as a whole."""
        return self._hosting.state

    @property
    def recording(self) -> RecordingState | None:
        """The recording that is under way."""
        return self._recording

    def __contains__(self, participant_id: str) -> bool:
        return participant_id in self._participants

    def __len__(self) -> int:
        return len(self._participants)

    def participant(self, participant_id: str) -> Participant:
        """The record of somebody here; `NotFoundError` when they are not."""
        found = self._participants.get(participant_id)
        if found is None:
            raise NotFoundError("Nobody like that is in this meeting.")
        return found

    def check(self, by: str, verb: Verb) -> Participant:
        """The record of `by` when they are here and may do this; `NotAllowedError` otherwise."""
        asker = self._participants.get(by)
        if asker is None or self._ended:
            raise NotAllowedError("You are not in this meeting.")
        if verb not in PERMISSIONS[asker.role]:
            raise NotAllowedError("Only a host may do this.")
        return asker

    def check_over(self, by: str, verb: Verb, participant_id: str) -> tuple[Participant, Participant]:
        """The records of who asks and whom it is done to, as `check`; NotFoundError when those are not here.

        A cohost does nothing to a host.
        """
        asker = self.check(by, verb)
        other = self.participant(participant_id)
        if asker.role is Role.COHOST and other.role is Role.HOST:
            raise NotAllowedError("A cohost cannot do this to a host.")
        return asker, other

    def check_entry(self, *, passes_lock: bool) -> None:
        """Raises NotFoundError when the meeting is over, TooManyError when it is full, NotAllowedError when it is locked."""
        if self._ended:
            raise NotFoundError("This meeting is over.")
        if self.free <= 0:
            raise TooManyError("This meeting is full.", code="room_full")
        if self.state.locked and not passes_lock:
            raise NotAllowedError("This meeting is locked: nobody new comes in.", code="locked")

    def check_asked(self, participant_id: str, recording_id: str) -> RecordingState:
        """The recording, when this is the one that runs and somebody here can be asked about it.

        Raises NotFoundError when none runs, ConflictError when another one does, NotAllowedError for who cannot answer.
        """
        recording = running(self._recording)
        recording.check(recording_id)
        if self.check(participant_id, Verb.ANSWER).kind is not Kind.BROWSER:
            raise NotAllowedError("Publishers and players cannot be asked, so they are not recorded.")
        return recording

    # -- what happens -------------------------------------------------------------------------------------------

    def apply(self, command: Command, by: str | None, now: float) -> list[RoomEvent]:
        """Does what `by` asks (None: the server itself) and tells what changed; raises, changing nothing, when refused."""
        match command:
            case Join():
                return self._join(command, _known(by))
            case Lose(hold_s):
                return self._lose(_known(by), now + hold_s)
            case Return():
                return self._return(_known(by))
            case Leave(reason):
                return self._leave(_known(by), reason)
            case Send():
                return self._send(command, _known(by))
            case Mute():
                return self._mute(command, _known(by))
            case Say(message_id, participant_id, name, text, at_ms):
                return [MessageAdded(message_id, participant_id, name, text, at_ms)]
            case RaiseHand(up):
                return self._hosting.hand(self.check(_known(by), Verb.HAND).id, up)
            case React(reaction):
                return [Reacted(self.check(_known(by), Verb.REACT).id, reaction)]
            case StopSource(whom, source):
                asker, other = self.check_over(_known(by), Verb.STOP, whom)
                return self._hosting.stop(asker.id, other, source)
            case MuteAll(spared):
                asker = self.check(_known(by), Verb.STOP)
                return self._hosting.mute_all(asker, None if spared is None else self.participant(spared))
            case LowerHand(whom):
                return self._hosting.hand(self.check_over(_known(by), Verb.LOWER_HAND, whom)[1].id, up=False)
            case Spotlight(whom):
                self.check(_known(by), Verb.SPOTLIGHT)
                return self._hosting.spotlight(None if whom is None else self.participant(whom))
            case Lock(on):
                self.check(_known(by), Verb.LOCK)
                return self._hosting.lock(on)
            case GiveRole(whom, is_cohost):
                return self._hosting.give_role(self.check_over(_known(by), Verb.GIVE_ROLES, whom)[1], is_cohost)
            case HandOver(whom):
                return self._hosting.hand_over(*self.check_over(_known(by), Verb.GIVE_ROLES, whom))
            case Configure():
                self._max_participants = command.max_participants
                return self._hosting.configure(command)
            case Remove():
                return self._remove(command, by)
            case End(reason):
                return self._end(reason, by)
            case Speak(participants, dominant):
                return self._speak(participants, dominant)
            case StartRecording(recording):
                return self._start_recording(recording)
            case AnswerRecording():
                return self._answer_recording(command)
            case WarnRecording(warning):
                return self._record(replace(running(self._recording), warning=warning))
            case MarkRecording(text):
                return self._mark_recording(text, _known(by))
            case StopRecording(reason):
                return self._stop_recording(reason, by)

    def next_deadline(self) -> float | None:
        """When `handle_timer` has something to do, in the seconds of `now`."""
        return min(self._held_until.values(), default=None)

    def handle_timer(self, now: float) -> list[RoomEvent]:
        """Gives up the seats that were held long enough."""
        due = [participant_id for participant_id, until in self._held_until.items() if now >= until]
        return [event for participant_id in due for event in self._leave(participant_id, Departure.LOST)]

    # -- one method per command ---------------------------------------------------------------------------------

    def _join(self, command: Join, by: str) -> list[RoomEvent]:
        if by in self._participants:
            raise InvalidInputError("You are in this meeting already.")
        self.check_entry(passes_lock=command.passes_lock)
        participant = Participant(by, command.name, command.role, command.kind, picture=command.picture)
        self._hosting.came(participant)
        return self._set(participant)

    def _lose(self, by: str, until: float) -> list[RoomEvent]:
        participant = self._participants.get(by)
        if participant is None or participant.connection is Connection.RECONNECTING:
            return []
        self._held_until[by] = until
        return self._set(replace(participant, connection=Connection.RECONNECTING))

    def _return(self, by: str) -> list[RoomEvent]:
        participant = self.participant(by)
        self._held_until.pop(by, None)
        if participant.connection is Connection.CONNECTED:
            return []
        return self._set(replace(participant, connection=Connection.CONNECTED))

    def _leave(self, by: str, reason: Departure) -> list[RoomEvent]:
        gone = self._participants.pop(by, None)
        if gone is None:
            return []
        self._held_until.pop(by, None)
        quiet = self._speak(self._speakers, self._dominant)
        return [ParticipantLeft(by, reason), *self._hosting.left(gone), *quiet, *self._leave_recording(by)]

    def _send(self, command: Send, by: str) -> list[RoomEvent]:
        participant = self.check(by, Verb.PUBLISH)
        if participant.tracks == command.tracks:
            return []
        return self._set(replace(participant, tracks=command.tracks))

    def _mute(self, command: Mute, by: str) -> list[RoomEvent]:
        participant = self.check(by, Verb.MUTE_SELF)
        meant = [track for track in participant.tracks if track.source is command.source]
        if not meant:
            raise NotFoundError("You are not sending that.")
        changed = [track for track in meant if track.muted is not command.muted]
        if not changed:
            return []
        tracks = tuple(replace(t, muted=command.muted) if t in changed else t for t in participant.tracks)
        muted = [TrackMuted(by, track.id, command.muted) for track in changed]
        return [*muted, *self._set(replace(participant, tracks=tracks))]

    def _remove(self, command: Remove, by: str | None) -> list[RoomEvent]:
        removed = self.participant(command.participant_id) if by is None else self._checked_removal(command, by)
        return [Removed(removed.id, command.reason, command.ban), *self._leave(removed.id, Departure.REMOVED)]

    def _checked_removal(self, command: Remove, by: str) -> Participant:
        _, removed = self.check_over(by, Verb.REMOVE, command.participant_id)
        if removed.id == by:
            raise NotAllowedError("You cannot remove yourself; leave instead.")
        if command.ban:
            self._hosting.check_ban(removed)
        return removed

    def _end(self, reason: str, by: str | None) -> list[RoomEvent]:
        if by is not None:
            self.check(by, Verb.END)
        if self._ended:
            return []
        self._ended = True
        stopped = self._stop_recording(EndReason.ENDED, None)
        self._participants.clear()
        self._held_until.clear()
        self._speakers, self._dominant = (), None
        return [*stopped, Ended(reason)]

    def _speak(self, participants: tuple[str, ...], dominant: str | None) -> list[RoomEvent]:
        here = tuple(p for p in participants if p in self._participants)
        leads = dominant if dominant in self._participants else None
        if (here, leads) == (self._speakers, self._dominant):
            return []
        self._speakers, self._dominant = here, leads
        return [SpeakersChanged(here, leads)]

    # -- recording ----------------------------------------------------------------------------------------------

    def _start_recording(self, recording: RecordingState) -> list[RoomEvent]:
        if self._recording is not None:
            raise ConflictError("This meeting is being recorded already.")
        if self._ended or not self._has_people():
            raise NotFoundError("Nobody is left in this meeting.")
        return self._record(recording)

    def _answer_recording(self, command: AnswerRecording) -> list[RoomEvent]:
        asked = command.participant_id
        recording = self.check_asked(asked, command.recording_id)
        if recording.answers.get(asked) is command.answer:
            return []
        return self._record(recording.answered(asked, command.answer), answered=asked)

    def _mark_recording(self, text: str | None, by: str) -> list[RoomEvent]:
        self.check(by, Verb.RECORD)
        if by not in running(self._recording).recorded:
            raise NotAllowedError("A marker is part of the recording, and you did not agree to be in it.")
        return [MarkerSet(by, text)]

    def _stop_recording(self, reason: EndReason, by: str | None) -> list[RoomEvent]:
        if by is not None:
            self.check(by, Verb.RECORD)
        if self._recording is None:
            return []
        self._recording = None
        return [RecordingChanged(None, reason)]

    def _leave_recording(self, participant_id: str) -> list[RoomEvent]:
        """Whoever comes on another seat is asked anew; with the last one who could be asked, the recording ends."""
        if self._recording is None:
            return []
        if not self._has_people():
            return self._stop_recording(EndReason.EMPTY, None)
        if participant_id not in self._recording.answers:
            return []
        return self._record(self._recording.without(participant_id), answered=participant_id)

    def _has_people(self) -> bool:
        return any(participant.kind is Kind.BROWSER for participant in self._participants.values())

    def _record(self, recording: RecordingState, *, answered: str | None = None) -> list[RoomEvent]:
        self._recording = recording
        return [RecordingChanged(recording, answered=answered)]

    def _set(self, participant: Participant) -> list[RoomEvent]:
        self._participants[participant.id] = participant
        return [ParticipantChanged(participant)]


def _known(by: str | None) -> str:
    if by is None:
        raise AssertionError("this command is somebody's")
    return by
