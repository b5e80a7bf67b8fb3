"""Recording a live room: whose tracks reach the recorder, when, and what is written down before and after."""

import asyncio

import pytest

from pymeet.accounts.model import User
from pymeet.config import Config
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError, PymeetError, TooManyError
from pymeet.rooms.commands import HandOver
from pymeet.rooms.events import MarkerSet, MessageAdded, ParticipantChanged, RecordingChanged, Welcome
from pymeet.rooms.joining import JoinRequest, RecordingAnswer, Resume
from pymeet.rooms.people import Kind, Source
from pymeet.rooms.recording import Answer, Limit, RecordingState, RecordingWarning
from pymeet.rooms.registry import Registry
from pymeet.rooms.seat import Seat
from pymeet.sfu.events import Disconnected
from tests.rooms.conftest import Ear, Stage, turn
from tests.rooms.fake_recorder import KEEP_UNTIL_MS, STARTED_MS, Answered, FakeRecordings


def says(answer: str, recording: str = "recording-1", *, method: str = "dialog") -> RecordingAnswer:
    """Somebody's answer."""
    return RecordingAnswer(recording, Answer(answer), "joining" if method == "joining" else "dialog", "de")


async def answer(stage: Stage, seat: Seat, said: str) -> None:
    """They answer to the recording that runs."""
    assert stage.live.recording is not None
    await stage.live.answer_recording(seat.id, says(said, stage.live.recording.id))


async def begin(stage: Stage, ann: User, *, with_chat: bool = False) -> tuple[Seat, Ear]:
    """Ann, the host, comes, sends sound and picture, and starts recording."""
    seat, ear = await stage.join("Ann", user=ann)
    await stage.publish(seat, "microphone", "camera")
    await stage.live.start_recording(seat.id, with_chat)
    return seat, ear


def told(ear: Ear) -> RecordingChanged:
    """What they were told last of the recording."""
    event = ear.of(RecordingChanged)[-1]
    assert isinstance(event, RecordingChanged)
    return event


# -- starting ---------------------------------------------------------------------------------------------------


async def test_everybody_is_told_and_nobody_is_recorded_yet(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """Not even the host, who pressed the button."""
    bob, ear = await stage.join("Bob")
    await stage.publish(bob, "microphone")
    seat, _ = await begin(stage, ann, with_chat=True)

    assert recordings.begun_by == [(stage.room.id, "Standup", ann.id, True)]
    assert told(ear).recording == RecordingState("recording-1", STARTED_MS, seat.id, True, KEEP_UNTIL_MS)
    assert recordings.now.ever == set()
    assert {p.participant.id for p in recordings.now.of(ParticipantChanged)} == {bob.id, seat.id}


async def test_only_a_host_starts(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """Guests and members do not reach the recorder at all."""
    await stage.join("Ann", user=ann)
    bob, _ = await stage.join("Bob")

    with pytest.raises(NotAllowedError):
        await stage.live.start_recording(bob.id, False)
    assert recordings.begun_by == []


async def test_two_hosts_who_press_at_once_start_one(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """Both are content: what they wanted is so."""
    first, _ = await stage.join("Ann", user=ann)
    second, _ = await stage.join("Ann", user=ann)

    await asyncio.gather(*(stage.live.start_recording(seat.id, False) for seat in (first, second)))

    assert len(recordings.begun_by) == 1
    assert stage.live.recording is not None


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (PymeetError("The disk is full.", code="disk_full"), "disk_full", "The disk is full."),
        (TooManyError("Too many recordings."), "recording_failed", "Too many recordings."),
        (OSError("/home/secret"), "recording_failed", "The recording could not start."),
    ],
)
async def test_a_start_that_fails_is_told_to_the_host_alone(
    stage: Stage, ann: User, recordings: FakeRecordings, error: Exception, code: str, sentence: str
) -> None:
    """In a sentence that says why; the others never see a recording that did not begin."""
    _, ear = await stage.join("Bob")
    host, _ = await stage.join("Ann", user=ann)
    recordings.cannot_begin = error

    with pytest.raises(PymeetError) as failed:
        await stage.live.start_recording(host.id, False)

    assert failed.value.code == code
    assert sentence in failed.value.message
    assert "/home" not in failed.value.message
    assert ear.of(RecordingChanged) == []
    recordings.cannot_begin = None
    await stage.live.start_recording(host.id, False)
    assert stage.live.recording is not None


async def test_a_meeting_that_is_over_before_it_began_is_not_recorded(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """Beginning takes time; what began in vain is closed."""
    host, _ = await stage.join("Ann", user=ann)
    live = stage.live
    recordings.gate.clear()
    starting = asyncio.create_task(live.start_recording(host.id, False))
    await turn()
    live.end(host.id, "Over.")
    recordings.gate.set()

    with pytest.raises(NotFoundError):
        await starting

    assert recordings.now.closed == "ended"
    assert live.recording is None


async def test_a_server_that_does_not_record_says_so(stage: Stage, ann: User, config: Config) -> None:
    """Where no recorder is handed in."""
    registry = Registry(meetings=stage.meetings, sfu=stage.media, clock=stage.clock, config=config)
    live = registry.open(stage.room)
    host = await live.join(JoinRequest("Ann", ann, Kind.BROWSER, Ear()))

    with pytest.raises(NotAllowedError) as refused:
        await live.start_recording(host.id, False)

    assert refused.value.code == "recording_off"
    await registry.close("The test is over.", 1)


# -- answers ----------------------------------------------------------------------------------------------------


async def test_a_yes_is_on_the_disk_before_anything_is_taken(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """Otherwise a crash in between would leave a recording of somebody without their consent."""
    seat, _ = await begin(stage, ann)
    recordings.gate.clear()
    answering = asyncio.create_task(answer(stage, seat, "yes"))
    await turn()
    assert recordings.now.tracks == []

    recordings.gate.set()
    await answering

    assert recordings.log == [
        Answered(seat.id, ann.id, "given", "dialog", "de"),
        ("tracks", [(seat.id, "camera"), (seat.id, "microphone")]),
    ]
    assert stage.live.recording is not None
    assert stage.live.recording.recorded == (seat.id,)


async def test_a_yes_that_cannot_be_written_records_nobody(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """They are told, and may answer again."""
    seat, ear = await begin(stage, ann)
    recordings.cannot_write = OSError("no room")

    with pytest.raises(PymeetError) as failed:
        await answer(stage, seat, "yes")

    assert failed.value.code == "recording_failed"
    assert "not recorded" in failed.value.message
    assert recordings.now.ever == set()
    assert told(ear).recording is not None
    assert told(ear).recording.answers == {}
    recordings.cannot_write = None
    await answer(stage, seat, "yes")
    assert recordings.now.ever == {seat.id}


async def test_a_yes_that_comes_too_late_is_told_why_it_does_not_count(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """The recording ended while it was on its way: that is nobody's fault, and nothing to try again."""
    seat, _ = await begin(stage, ann)
    recordings.cannot_write = ConflictError("That recording is over.")

    with pytest.raises(ConflictError, match="over"):
        await answer(stage, seat, "yes")

    assert recordings.now.ever == set()


async def test_a_no_stops_the_packets_first_and_is_written_then(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """The disk may be slow, or gone: nobody is recorded for longer because of it."""
    seat, _ = await begin(stage, ann)
    await answer(stage, seat, "yes")
    recordings.gate.clear()

    answering = asyncio.create_task(answer(stage, seat, "no"))
    await asyncio.sleep(0)
    assert recordings.now.tracks == []
    assert recordings.written[-1].decision == "given"

    recordings.gate.set()
    await answering
    assert recordings.log[-2:] == [("tracks", []), Answered(seat.id, ann.id, "withdrawn", "dialog", "de")]


async def test_a_no_that_cannot_be_written_stops_the_packets_all_the_same(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """And is written when they say it again."""
    seat, _ = await begin(stage, ann)
    await answer(stage, seat, "yes")
    recordings.cannot_write = OSError("no room")

    with pytest.raises(PymeetError):
        await answer(stage, seat, "no")
    assert recordings.now.tracks == []

    recordings.cannot_write = None
    await answer(stage, seat, "no")
    assert recordings.written[-1].decision == "withdrawn"


async def test_who_does_not_agree_never_reaches_the_recorder(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """Neither who says no nor who says nothing: no sound, no picture, no screen."""
    host, _ = await begin(stage, ann)
    bob, _ = await stage.join("Bob")
    carl, _ = await stage.join("Carl")
    for seat in (bob, carl):
        await stage.publish(seat, "microphone", "camera", "screen")
    await answer(stage, host, "yes")
    await answer(stage, bob, "no")

    stage.live.mute(carl.id, Source.CAMERA, True)
    await stage.publish(bob, "screen")
    stage.registry.tick()

    assert recordings.now.ever == {host.id}
    assert [(a.participant_id, a.decision) for a in recordings.written] == [(host.id, "given"), (bob.id, "refused")]


async def test_what_is_sent_later_is_recorded_and_what_ends_is_not(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """Somebody who agreed shares their screen, and stops."""
    seat, _ = await begin(stage, ann)
    await answer(stage, seat, "yes")

    await stage.publish(seat, "microphone", "camera", "screen")
    assert [source for _, source in recordings.now.sources()] == ["camera", "microphone", "screen"]

    await stage.publish(seat, "microphone")
    assert [source for _, source in recordings.now.sources()] == ["microphone"]


async def test_a_muted_microphone_stays_a_track(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """Nothing comes from it, and nothing is cut into pieces."""
    seat, _ = await begin(stage, ann)
    await answer(stage, seat, "yes")
    before = len(recordings.log)

    stage.live.mute(seat.id, Source.MICROPHONE, True)

    assert len(recordings.log) == before
    assert recordings.now.of(ParticipantChanged)[-1].participant.tracks[0].muted


async def test_who_leaves_is_recorded_no_more(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """Their tracks end when they go, not when a connection times out."""
    await begin(stage, ann)
    bob, _ = await stage.join("Bob")
    await stage.publish(bob, "microphone")
    await answer(stage, bob, "yes")
    assert recordings.now.sources() == [(bob.id, "microphone")]

    stage.live.leave(bob.id)

    assert recordings.now.sources() == []


async def test_media_that_fail_leave_the_recording(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """A connection that is given up has no tracks, and the next one has others."""
    seat, _ = await begin(stage, ann)
    await answer(stage, seat, "yes")

    stage.media.publisher_of(seat.id).close(0.0, "timeout")
    assert recordings.now.sources() == []

    await stage.publish(seat, "camera", sdp="a=fingerprint:2")
    assert recordings.now.sources() == [(seat.id, "camera")]


async def test_another_recording_is_not_agreed_to_by_a_late_answer(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """The page still shows the question of the one before."""
    seat, _ = await begin(stage, ann)
    stage.live.stop_recording(seat.id)
    with pytest.raises(NotFoundError):
        await stage.live.answer_recording(seat.id, says("yes", "recording-1"))

    await stage.live.start_recording(seat.id, False)
    with pytest.raises(ConflictError):
        await stage.live.answer_recording(seat.id, says("yes", "recording-1"))

    assert recordings.written == []
    assert recordings.now.id == "recording-2"
    assert recordings.now.ever == set()


async def test_a_yes_that_is_overtaken_by_the_end_of_its_recording_starts_nothing(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """While it was written the host stopped, and started another one."""
    seat, _ = await begin(stage, ann)
    recordings.gate.clear()
    answering = asyncio.create_task(answer(stage, seat, "yes"))
    await turn()
    stage.live.stop_recording(seat.id)
    starting = asyncio.create_task(stage.live.start_recording(seat.id, False))
    await turn()
    recordings.gate.set()
    await asyncio.gather(answering, starting)

    assert [made.ever for made in recordings.made] == [set(), set()]
    assert stage.live.recording is not None
    assert stage.live.recording.answers == {}


async def test_publishers_and_players_are_never_recorded(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """Nobody can be asked there, also not by somebody who says yes for them, also not when it is the same member."""
    host, _ = await begin(stage, ann)
    camera, _ = await stage.join("Camera", user=ann, kind=Kind.PUBLISHER)
    await stage.publish(camera, "camera")
    with pytest.raises(NotAllowedError):
        await stage.live.answer_recording(camera.id, says("yes"))

    await answer(stage, host, "yes")

    assert recordings.now.ever == {host.id}


# -- several seats ----------------------------------------------------------------------------------------------


async def test_a_member_answers_for_all_their_seats(
    stage: Stage, ann: User, bob: User, recordings: FakeRecordings
) -> None:
    """It is a person who agrees, and a person who takes it back, on whichever device."""
    await begin(stage, ann)
    laptop, _ = await stage.join("Bob", user=bob)
    phone, _ = await stage.join("Bob", user=bob)
    for seat in (laptop, phone):
        await stage.publish(seat, "camera")

    await answer(stage, laptop, "yes")
    assert recordings.now.sources() == sorted([(laptop.id, "camera"), (phone.id, "camera")])

    await answer(stage, phone, "no")
    assert recordings.now.sources() == []
    assert [(a.participant_id, a.decision) for a in recordings.written] == [
        (laptop.id, "given"),
        (phone.id, "given"),
        (phone.id, "withdrawn"),
    ]


async def test_a_seat_that_comes_later_is_asked_itself(
    stage: Stage, ann: User, bob: User, recordings: FakeRecordings
) -> None:
    """Another camera in another place is another thing to agree to."""
    await begin(stage, ann)
    laptop, _ = await stage.join("Bob", user=bob)
    await answer(stage, laptop, "yes")

    phone, ear = await stage.join("Bob", user=bob)
    await stage.publish(phone, "camera")

    welcome = ear.heard[0]
    assert isinstance(welcome, Welcome)
    assert welcome.recording is not None
    assert phone.id not in welcome.recording.answers
    assert recordings.now.sources() == []


async def test_a_no_overtakes_a_yes_that_is_still_being_written(
    stage: Stage, ann: User, bob: User, recordings: FakeRecordings
) -> None:
    """Said on two devices at once: the last word counts, in the room and in the records."""
    await begin(stage, ann)
    laptop, _ = await stage.join("Bob", user=bob)
    phone, _ = await stage.join("Bob", user=bob)
    await stage.publish(laptop, "camera")
    recordings.gate.clear()
    saying = [asyncio.create_task(answer(stage, laptop, "yes"))]
    await turn()
    saying.append(asyncio.create_task(answer(stage, phone, "no")))
    await turn()
    recordings.gate.set()
    await asyncio.gather(*saying)

    assert recordings.now.ever == set()
    assert [a.decision for a in recordings.written] == ["given", "withdrawn"]


# -- taken back elsewhere ---------------------------------------------------------------------------------------


async def test_a_consent_taken_back_elsewhere_stops_all_seats_at_once(
    stage: Stage, ann: User, bob: User, recordings: FakeRecordings
) -> None:
    """On the privacy page; it is written there, so here it is not."""
    await begin(stage, ann)
    seats = [(await stage.join("Bob", user=bob))[0] for _ in range(2)]
    for seat in seats:
        await stage.publish(seat, "camera")
    await answer(stage, seats[0], "yes")
    before = len(recordings.written)

    stage.registry.withdraw_recording(bob.id, "another-recording")
    assert len(recordings.now.tracks) == 2
    stage.registry.withdraw_recording(bob.id, "recording-1")

    assert recordings.now.tracks == []
    assert stage.live.recording is not None
    assert {stage.live.recording.answers[seat.id] for seat in seats} == {Answer.NO}
    assert len(recordings.written) == before


async def test_a_guest_takes_it_back_by_their_receipt(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """By the id of their seat; nobody else is touched."""
    host, _ = await begin(stage, ann)
    guest, _ = await stage.join("Bob")
    await stage.publish(guest, "camera")
    for seat in (host, guest):
        await answer(stage, seat, "yes")

    stage.registry.withdraw_recording(guest.id, "recording-1")

    assert {owner for owner, _ in recordings.now.sources()} == {host.id}


async def test_a_consent_taken_back_elsewhere_overtakes_a_yes_that_is_being_written(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """What was written too late is followed by its withdrawal, so that the records end with what is so."""
    seat, _ = await begin(stage, ann)
    recordings.gate.clear()
    answering = asyncio.create_task(answer(stage, seat, "yes"))
    await turn()
    stage.registry.withdraw_recording(ann.id, "recording-1")
    recordings.gate.set()
    await answering

    assert recordings.now.ever == set()
    assert [a.decision for a in recordings.written] == ["given", "withdrawn"]


async def test_who_is_erased_is_recorded_no_more(
    stage: Stage, ann: User, bob: User, recordings: FakeRecordings
) -> None:
    """Erasing sends people out of every meeting."""
    await begin(stage, ann)
    seat, _ = await stage.join("Bob", user=bob)
    await stage.publish(seat, "camera")
    await answer(stage, seat, "yes")

    await stage.registry.remove_person(bob.id, "Your data here is being erased.")

    assert recordings.now.tracks == []


# -- coming late, and coming back -------------------------------------------------------------------------------


async def test_who_was_asked_before_joining_is_recorded_from_the_start(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """And their page need not ask again: the Welcome has their answer."""
    await begin(stage, ann)

    bob, ear = await stage.join("Bob", recording=says("yes", method="joining"))
    await stage.publish(bob, "microphone")

    welcome = ear.heard[0]
    assert isinstance(welcome, Welcome)
    assert welcome.recording is not None
    assert welcome.recording.answers[bob.id] is Answer.YES
    assert recordings.now.sources() == [(bob.id, "microphone")]
    assert recordings.written == [Answered(bob.id, None, "given", "joining", "de")]


async def test_an_answer_before_joining_to_a_recording_that_is_over_counts_for_none(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """They come in and are asked anew."""
    host, _ = await begin(stage, ann)
    stage.live.stop_recording(host.id)
    _, early = await stage.join("Early", recording=says("yes", "recording-1", method="joining"))
    await stage.live.start_recording(host.id, False)
    bob, ear = await stage.join("Bob", recording=says("yes", "recording-1", method="joining"))
    await stage.publish(bob, "microphone")

    assert early.heard[0].recording is None
    assert ear.heard[0].recording.answers == {}
    assert recordings.written == []
    assert recordings.now.ever == set()


async def test_who_cannot_be_written_down_at_joining_is_in_and_asked_again(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """A full disk keeps nobody out of a meeting."""
    await begin(stage, ann)
    recordings.cannot_write = OSError("no room")

    _, ear = await stage.join("Bob", recording=says("yes", method="joining"))

    assert ear.heard[0].recording.answers == {}


async def test_a_reload_keeps_the_answer_and_takes_nothing_back(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """The page repeats its `join` with the answer from before; what was said since then counts."""
    await begin(stage, ann)
    before = says("yes", method="joining")
    bob, ear = await stage.join("Bob", recording=before)
    await stage.publish(bob, "camera")

    stage.live.lose(bob.id, ear, page_closed=True)
    again = Resume(bob.token, keep_media=False)
    await stage.join("Bob", resume=again, recording=before)
    assert recordings.now.sources() == []
    await stage.publish(bob, "camera", sdp="a=fingerprint:2")
    assert recordings.now.sources() == [(bob.id, "camera")]

    await answer(stage, bob, "no")
    await stage.join("Bob", resume=again, recording=before)

    assert recordings.now.tracks == []
    assert [a.decision for a in recordings.written] == ["given", "withdrawn"]


async def test_a_held_seat_may_be_asked_on_its_way_back(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """Recording began while they were away; the preview page asked."""
    bob, ear = await stage.join("Bob")
    stage.live.lose(bob.id, ear)
    await begin(stage, ann)

    await stage.join("Bob", resume=Resume(bob.token, keep_media=False), recording=says("yes", method="joining"))

    assert stage.live.recording is not None
    assert stage.live.recording.recorded == (bob.id,)


# -- the end ----------------------------------------------------------------------------------------------------


async def test_a_host_stops_and_everybody_is_told_why(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """With one of the words of the protocol."""
    seat, _ = await begin(stage, ann)
    _, ear = await stage.join("Bob")
    await answer(stage, seat, "yes")

    stage.live.stop_recording(seat.id)

    assert told(ear) == RecordingChanged(None, "host")
    assert recordings.now.closed == "host"
    assert [track.tap for track in stage.live._seats[seat.id].sends.values()] == [None, None]


async def test_it_goes_on_without_the_host_until_nobody_is_left(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """Then it ends at once, not when the room is forgotten."""
    host, _ = await begin(stage, ann)
    bob, _ = await stage.join("Bob")
    await stage.publish(bob, "microphone")
    await answer(stage, bob, "yes")

    stage.live.leave(host.id)
    assert recordings.now.sources() == [(bob.id, "microphone")]
    stage.live.leave(bob.id)

    assert recordings.now.closed == "empty"


@pytest.mark.parametrize(
    ("how", "reason"), [("end", "ended"), ("server", "server"), ("room deleted", "ended"), ("limit", "disk")]
)
async def test_every_end_closes_the_recorder_once(
    stage: Stage, ann: User, recordings: FakeRecordings, how: str, reason: str
) -> None:
    """With the reason that is kept with the recording; the double refuses anything after its end."""
    host, ear = await begin(stage, ann)
    await answer(stage, host, "yes")

    if how == "end":
        stage.live.end(host.id, "Over.")
    elif how == "server":
        await stage.registry.close("The server restarts.", 3)
    elif how == "room deleted":
        await stage.registry.end("standup", "The room was deleted.")
    else:
        recordings.now.stop("disk")
    recordings.now.stop("time")
    recordings.now.warn(None)

    assert recordings.now.closed == reason
    assert told(ear) == RecordingChanged(None, reason)


async def test_a_limit_is_announced(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """And taken back when the disk has room again."""
    _, ear = await begin(stage, ann)
    warning = RecordingWarning(Limit.DISK, None)

    recordings.now.warn(warning)
    assert told(ear).recording.warning == warning
    recordings.now.warn(None)
    assert told(ear).recording.warning is None


async def test_an_old_recorder_stops_nothing_new(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """Its limit was reached while the host stopped it and started another one."""
    seat, _ = await begin(stage, ann)
    stage.live.stop_recording(seat.id)
    await stage.live.start_recording(seat.id, False)

    recordings.made[0].stop("size")
    recordings.made[0].warn(RecordingWarning(Limit.SIZE))

    assert stage.live.recording is not None
    assert stage.live.recording.warning is None


# -- a recorder that breaks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [{"send"}, {"set_tracks"}, {"send", "set_tracks", "close"}])
async def test_a_recorder_that_breaks_ends_the_recording_and_not_the_meeting(
    stage: Stage, ann: User, recordings: FakeRecordings, broken: set[str]
) -> None:
    """Everybody is told, and no track is tapped any more, whatever the recorder still does."""
    host, _ = await begin(stage, ann)
    bob, ear = await stage.join("Bob")
    await stage.publish(bob, "camera")
    for seat in (host, bob):
        await answer(stage, seat, "yes")
    tapped = list(recordings.now.tracks)
    recordings.now.breaks = broken

    await stage.live.chat(bob.id, "hello")
    if stage.live.recording is not None:
        await answer(stage, host, "no")
    await stage.publish(bob, "camera", "screen")

    assert told(ear) == RecordingChanged(None, "server")
    assert [event.text for event in ear.of(MessageAdded)] == ["hello"]
    assert [track.tap for track in tapped] == [None] * len(tapped)
    assert len(stage.live.participants) == 2
    recordings.now.breaks = set()
    await stage.live.start_recording(host.id, False)
    assert recordings.now.id == "recording-2"


async def test_a_recorder_that_breaks_at_its_start_is_no_recording(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """Nobody is shown a sign for something that is not there."""
    host, ear = await stage.join("Ann", user=ann)
    recordings.breaks = {"send"}

    await stage.live.start_recording(host.id, False)

    assert told(ear) == RecordingChanged(None, "server")
    assert stage.live.recording is None
    assert recordings.now.closed == "server"


# -- beside the tracks ------------------------------------------------------------------------------------------


async def test_chat_reaches_the_recorder_where_it_is_recorded_of_those_who_agreed(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """Words are personal data as well."""
    host, _ = await begin(stage, ann, with_chat=True)
    bob, _ = await stage.join("Bob")
    await answer(stage, host, "yes")

    for seat in (host, bob):
        await stage.live.chat(seat.id, f"I am {seat.name}")
    await answer(stage, host, "no")
    await stage.live.chat(host.id, "not this")

    assert [event.text for event in recordings.now.of(MessageAdded)] == ["I am Ann"]


async def test_chat_is_not_recorded_unless_that_was_chosen(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """Who agreed agreed to sound and picture."""
    host, _ = await begin(stage, ann)
    await answer(stage, host, "yes")

    await stage.live.chat(host.id, "hello")

    assert recordings.now.of(MessageAdded) == []


async def test_a_marker_reaches_the_recorder_alone(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """Cleaned as names are."""
    host, ear = await begin(stage, ann)
    await answer(stage, host, "yes")
    heard = len(ear.heard)

    stage.live.mark_recording(host.id, "  decided\n\u202e ")
    stage.live.mark_recording(host.id, None)

    assert recordings.now.of(MarkerSet) == [MarkerSet(host.id, "decided"), MarkerSet(host.id, None)]
    assert len(ear.heard) == heard


async def test_answers_are_told_at_once_to_who_gave_them_and_together_to_the_others(
    stage: Stage, ann: User, recordings: FakeRecordings
) -> None:
    """A hundred people who answer at the same moment must not be told ten thousand times."""
    await begin(stage, ann)
    seats = [await stage.join(f"Guest {number}") for number in range(3)]
    _, watcher = seats[0]
    stage.registry.tick()
    before = len(watcher.of(RecordingChanged))

    for seat, ear in seats[1:]:
        await answer(stage, seat, "yes")
        assert told(ear).recording.answers[seat.id] is Answer.YES
    assert len(watcher.of(RecordingChanged)) == before
    stage.registry.tick()
    stage.registry.tick()

    assert len(watcher.of(RecordingChanged)) == before + 1
    assert set(told(watcher).recording.recorded) == {seat.id for seat, _ in seats[1:]}


async def test_a_seat_that_times_out_is_recorded_no_more(stage: Stage, ann: User, recordings: FakeRecordings) -> None:
    """While it is held its media may live on; then they end."""
    await begin(stage, ann)
    bob, ear = await stage.join("Bob")
    await stage.publish(bob, "camera")
    await answer(stage, bob, "yes")
    stage.media.publisher_of(bob.id).on_event(Disconnected())
    stage.live.lose(bob.id, ear)
    assert recordings.now.sources() == [(bob.id, "camera")]

    stage.clock.advance(61)
    stage.registry.tick()

    assert recordings.now.sources() == []
    assert recordings.now.closed is None


@pytest.mark.parametrize("meanwhile", ["no host any more", "not recorded any more"])
async def test_who_may_not_record_any_more_when_it_begins_records_nothing(
    stage: Stage, ann: User, recordings: FakeRecordings, meanwhile: str
) -> None:
    """Beginning takes time, in which a host may hand over or the owner change the room."""
    host, ear = await stage.join("Ann", user=ann)
    guest, _ = await stage.join("Guest")
    recordings.gate.clear()
    starting = asyncio.create_task(stage.live.start_recording(host.id, False))
    await turn()
    if meanwhile == "no host any more":
        stage.live.ask(host.id, HandOver(guest.id))
    else:
        await stage.meetings.change_settings(stage.room.slug, {"may_record": "nobody"})
        await stage.registry.refresh(stage.room.slug)
    recordings.gate.set()

    with pytest.raises(NotAllowedError):
        await starting

    assert recordings.now.closed is not None
    assert stage.live.recording is None
    assert ear.of(RecordingChanged) == []
