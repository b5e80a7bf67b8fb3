"""Recording in the pure room: who may start it, who may answer, when it ends, and what is told."""

import pytest

from pymeet.errors import ConflictError, NotAllowedError, NotFoundError
from pymeet.rooms.commands import (
    AnswerRecording,
    End,
    Join,
    Leave,
    Lose,
    MarkRecording,
    Remove,
    Return,
    StartRecording,
    StopRecording,
    WarnRecording,
)
from pymeet.rooms.events import Ended, MarkerSet, ParticipantLeft, RecordingChanged
from pymeet.rooms.people import Departure, Kind, Role
from pymeet.rooms.permissions import Verb
from pymeet.rooms.recording import Answer, EndReason, Limit, RecordingState, RecordingWarning
from pymeet.rooms.room import Room

STATE = RecordingState("r1", 1_700, "ann", False, None)


def recorded_room(*guests: str) -> Room:
    """Ann, who is the host, and these; a recording has begun and nobody answered."""
    room = Room(max_participants=10)
    room.apply(Join("Ann", Role.HOST, Kind.BROWSER), "ann", 0.0)
    for guest in guests:
        room.apply(Join(guest.title(), Role.GUEST, Kind.BROWSER), guest, 0.0)
    room.apply(StartRecording(STATE), None, 1.0)
    return room


def says(room: Room, participant: str, answer: Answer, recording: str = "r1") -> list[object]:
    """Somebody answers."""
    return list(room.apply(AnswerRecording(recording, participant, answer), None, 2.0))


def test_nobody_is_recorded_by_the_start() -> None:
    """No answer means no, for the host as well."""
    room = recorded_room("bob")

    assert room.recording == STATE
    assert room.recording.recorded == ()


def test_only_hosts_start_stop_and_mark() -> None:
    """The table of permissions says so for all roles; here it is asked."""
    room = recorded_room("bob")
    says(room, "bob", Answer.YES)

    room.check("ann", Verb.RECORD)
    for refused in (StopRecording(EndReason.HOST), MarkRecording("mine")):
        with pytest.raises(NotAllowedError):
            room.apply(refused, "bob", 2.0)
    with pytest.raises(NotAllowedError):
        room.check("bob", Verb.RECORD)
    assert room.recording is not None


def test_one_recording_runs_at_a_time() -> None:
    """A second one would record people who agreed to the first."""
    room = recorded_room()

    with pytest.raises(ConflictError):
        room.apply(StartRecording(RecordingState("r2", 1, "ann", True, None)), None, 2.0)
    assert room.recording == STATE


def test_answers_may_change_as_often_as_wanted() -> None:
    """Taking a consent back is as easy as giving it (Article 7(3))."""
    room = recorded_room("bob")

    for answer in (Answer.NO, Answer.YES, Answer.NO):
        (event,) = says(room, "bob", answer)
        assert isinstance(event, RecordingChanged)
        assert (event.answered, event.recording) == ("bob", room.recording)
        assert room.recording is not None
        assert room.recording.recorded == (("bob",) if answer is Answer.YES else ())
    assert says(room, "bob", Answer.NO) == []


def test_an_answer_to_another_recording_counts_for_none() -> None:
    """Consent is for one recording; a page that was slow must not agree to the next one."""
    room = recorded_room("bob")

    with pytest.raises(ConflictError):
        says(room, "bob", Answer.YES, "r0")
    room.apply(StopRecording(EndReason.HOST), "ann", 3.0)
    with pytest.raises(NotFoundError):
        says(room, "bob", Answer.YES)


@pytest.mark.parametrize("kind", [Kind.PUBLISHER, Kind.PLAYER])
def test_who_cannot_be_asked_cannot_agree(kind: Kind) -> None:
    """Nobody reads a question on an encoder (WHIP) or a player (WHEP)."""
    room = recorded_room()
    room.apply(Join("Camera", Role.HOST, kind), "camera", 1.0)

    with pytest.raises(NotAllowedError):
        says(room, "camera", Answer.YES)
    assert room.recording is not None
    assert room.recording.answers == {}


def test_who_is_not_here_cannot_agree() -> None:
    """Whatever comes late, or from elsewhere."""
    room = recorded_room("bob")
    room.apply(Leave(), "bob", 1.0)

    for nobody in ("bob", "zoe"):
        with pytest.raises(NotAllowedError):
            says(room, nobody, Answer.YES)


def test_a_seat_that_is_held_keeps_its_answer_and_one_that_is_left_does_not() -> None:
    """A reload asks nobody again; who comes anew is asked anew."""
    room = recorded_room("bob")
    says(room, "bob", Answer.YES)

    room.apply(Lose(), "bob", 3.0)
    room.apply(Return(), "bob", 4.0)
    assert room.recording is not None
    assert room.recording.recorded == ("bob",)

    events = room.apply(Leave(), "bob", 5.0)
    assert [type(event) for event in events] == [ParticipantLeft, RecordingChanged]
    room.apply(Join("Bob", Role.GUEST, Kind.BROWSER), "bob", 6.0)
    assert room.recording.answers == {}


def test_it_goes_on_without_the_host_and_ends_with_the_last_one() -> None:
    """People who meet may finish; an empty room is not recorded."""
    room = recorded_room("bob")

    room.apply(Leave(), "ann", 3.0)
    assert room.recording is not None
    room.apply(Lose(), "bob", 4.0)
    assert room.recording is not None

    assert room.handle_timer(1_000.0) == [
        ParticipantLeft("bob", Departure.LOST),
        RecordingChanged(None, EndReason.EMPTY),
    ]


def test_a_camera_alone_does_not_keep_it_going() -> None:
    """Nobody is left who could be recorded, or stop it."""
    room = recorded_room()
    room.apply(Join("Camera", Role.GUEST, Kind.PUBLISHER), "camera", 1.0)

    room.apply(Leave(), "ann", 3.0)

    assert room.recording is None
    with pytest.raises(NotFoundError):
        room.apply(StartRecording(STATE), None, 4.0)


def test_it_ends_before_the_meeting_does() -> None:
    """The recorder hears of its own end first, and members of both."""
    room = recorded_room("bob")

    assert room.apply(End("Over."), "ann", 3.0) == [RecordingChanged(None, EndReason.ENDED), Ended("Over.")]
    with pytest.raises(NotFoundError):
        room.apply(StartRecording(STATE), None, 4.0)


def test_stopping_what_does_not_run_changes_nothing() -> None:
    """Two hosts may press at the same moment."""
    room = recorded_room()

    assert room.apply(StopRecording(EndReason.HOST), "ann", 3.0) == [RecordingChanged(None, EndReason.HOST)]
    assert room.apply(StopRecording(EndReason.HOST), "ann", 3.0) == []


def test_a_warning_stands_until_it_is_taken_back() -> None:
    """Who comes in meanwhile sees it too."""
    room = recorded_room()
    warning = RecordingWarning(Limit.DISK, None)

    room.apply(WarnRecording(warning), None, 3.0)
    assert room.recording is not None
    assert room.recording.warning == warning
    room.apply(WarnRecording(None), None, 4.0)
    assert room.recording == STATE


def test_a_marker_is_of_somebody_who_is_recorded() -> None:
    """It is theirs, and would be in the recording of somebody who is not."""
    room = recorded_room()

    with pytest.raises(NotAllowedError):
        room.apply(MarkRecording("decided"), "ann", 3.0)
    says(room, "ann", Answer.YES)
    assert room.apply(MarkRecording("decided"), "ann", 3.0) == [MarkerSet("ann", "decided")]


def test_who_is_sent_out_is_recorded_no_more() -> None:
    """As who leaves."""
    room = recorded_room("bob")
    says(room, "bob", Answer.YES)

    room.apply(Remove("bob"), "ann", 3.0)

    assert room.recording is not None
    assert room.recording.recorded == ()
