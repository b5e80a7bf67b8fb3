"""The pure room: who is in it and who may do what, on a clock that the tests turn."""

from dataclasses import replace

import pytest

from pymeet.errors import NotAllowedError, NotFoundError, NotSignedInError, PymeetError, TooManyError
from pymeet.rooms.commands import SEAT_S, Command, End, Join, Leave, Lose, Mute, Remove, Return, Say, Send, Speak
from pymeet.rooms.events import (
    Ended,
    MessageAdded,
    ParticipantChanged,
    ParticipantLeft,
    Removed,
    SpeakersChanged,
    TrackMuted,
)
from pymeet.rooms.people import Connection, Departure, Kind, Participant, Role, Source, TrackKind, TrackRecord
from pymeet.rooms.permissions import PERMISSIONS, Verb, role_for
from pymeet.rooms.room import Room

MICROPHONE = TrackRecord("t1", Source.MICROPHONE, TrackKind.AUDIO, False)
CAMERA = TrackRecord("t2", Source.CAMERA, TrackKind.VIDEO, False)


def room_with(**roles: Role) -> Room:
    """A room for five with somebody of each name in it."""
    room = Room(max_participants=5)
    for name, role in roles.items():
        room.apply(Join(name.title(), role, Kind.BROWSER), name, 0.0)
    return room


def test_who_joins_is_told_to_the_others() -> None:
    """The record that everybody gets is the whole one."""
    room = room_with(ann=Role.HOST)

    events = room.apply(Join("Bob", Role.GUEST, Kind.BROWSER), "bob", 1.0)

    bob = Participant("bob", "Bob", Role.GUEST, Kind.BROWSER, Connection.CONNECTED, ())
    assert events == [ParticipantChanged(bob)]
    assert [p.id for p in room.participants] == ["ann", "bob"]


def test_a_full_room_takes_nobody_more_not_even_for_a_seat_that_is_held() -> None:
    """Somebody whose connection broke must find their seat again."""
    room = room_with(a=Role.GUEST, b=Role.GUEST, c=Role.GUEST, d=Role.GUEST, e=Role.GUEST)
    room.apply(Lose(), "a", 1.0)

    with pytest.raises(TooManyError) as refused:
        room.apply(Join("F", Role.HOST, Kind.BROWSER), "f", 2.0)

    assert refused.value.code == "room_full"
    room.apply(Leave(), "b", 3.0)
    assert room.apply(Join("F", Role.HOST, Kind.BROWSER), "f", 4.0)


def test_a_lost_seat_is_held_for_sixty_seconds() -> None:
    """docs/protocol.md: the participant is shown as reconnecting for `seat_s` seconds, then as lost."""
    room = room_with(ann=Role.HOST, bob=Role.GUEST)

    events = room.apply(Lose(), "bob", 100.0)

    assert [e.participant.connection for e in events if isinstance(e, ParticipantChanged)] == [Connection.RECONNECTING]
    assert room.next_deadline() == 100.0 + SEAT_S
    assert room.handle_timer(100.0 + SEAT_S - 0.001) == []
    assert room.handle_timer(100.0 + SEAT_S) == [ParticipantLeft("bob", Departure.LOST)]
    assert room.next_deadline() is None
    assert "bob" not in room


def test_who_comes_back_in_time_keeps_seat_and_tracks() -> None:
    """The media connections may have lived on; the others must not see the tracks go and come."""
    room = room_with(ann=Role.HOST, bob=Role.GUEST)
    room.apply(Send((MICROPHONE,)), "bob", 1.0)
    room.apply(Lose(), "bob", 2.0)

    events = room.apply(Return(), "bob", 61.0)

    assert isinstance(events[0], ParticipantChanged)
    assert events[0].participant.tracks == (MICROPHONE,)
    assert events[0].participant.connection is Connection.CONNECTED
    assert room.handle_timer(1e9) == []


def test_losing_a_connection_twice_does_not_prolong_the_seat() -> None:
    """Only the first loss starts the sixty seconds."""
    room = room_with(bob=Role.GUEST)
    room.apply(Lose(), "bob", 0.0)

    assert room.apply(Lose(), "bob", 59.0) == []
    assert room.handle_timer(60.0) == [ParticipantLeft("bob", Departure.LOST)]


def test_muting_tells_the_media_server_before_it_tells_people() -> None:
    """What was said after the click must not be heard."""
    room = room_with(ann=Role.GUEST)
    room.apply(Send((MICROPHONE, CAMERA)), "ann", 1.0)

    events = room.apply(Mute(Source.MICROPHONE, True), "ann", 2.0)

    assert events[0] == TrackMuted("ann", "t1", True)
    assert isinstance(events[1], ParticipantChanged)
    assert events[1].participant.tracks == (replace(MICROPHONE, muted=True), CAMERA)
    assert room.apply(Mute(Source.MICROPHONE, True), "ann", 3.0) == []


def test_what_is_not_sent_cannot_be_muted() -> None:
    """A client with a wrong idea of its tracks is told so."""
    room = room_with(ann=Role.GUEST)

    with pytest.raises(NotFoundError):
        room.apply(Mute(Source.SCREEN, True), "ann", 1.0)


def test_sending_the_same_tracks_again_is_no_news() -> None:
    """An ICE restart publishes again, and nobody needs to be told."""
    room = room_with(ann=Role.GUEST)

    assert room.apply(Send((CAMERA,)), "ann", 1.0)
    assert room.apply(Send((CAMERA,)), "ann", 2.0) == []


def test_a_host_removes_somebody() -> None:
    """The one removed learns why, everybody else that they left."""
    room = room_with(ann=Role.HOST, bob=Role.MEMBER)

    events = room.apply(Remove("bob"), "ann", 1.0)

    assert isinstance(events[0], Removed)
    assert events[0].participant_id == "bob"
    assert events[1] == ParticipantLeft("bob", Departure.REMOVED)
    with pytest.raises(NotAllowedError):
        room.check("bob", Verb.CHAT)


def test_a_host_cannot_remove_themselves() -> None:
    """A room must not lose its host by a slip."""
    with pytest.raises(NotAllowedError):
        room_with(ann=Role.HOST).apply(Remove("ann"), "ann", 1.0)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.GUEST])
@pytest.mark.parametrize("command", [Remove("ann"), Remove("nobody"), End("over")])
def test_only_hosts_remove_and_end(role: Role, command: Command) -> None:
    """And others do not even learn whether an id exists."""
    room = room_with(ann=Role.HOST, bob=role)

    with pytest.raises(NotAllowedError) as refused:
        room.apply(command, "bob", 1.0)

    assert refused.value.message == "Only a host may do this."
    assert "ann" in room
    assert not room.ended


@pytest.mark.parametrize("command", [Send((CAMERA,)), Mute(Source.CAMERA, True), Remove("ann"), End("over"), Return()])
def test_a_stranger_can_do_nothing(command: Command) -> None:
    """Nobody without a seat in this very room changes it."""
    room = room_with(ann=Role.HOST)
    before = room.participants

    with pytest.raises(PymeetError):
        room.apply(command, "stranger", 1.0)

    assert room.participants == before


def test_an_ended_meeting_stays_ended() -> None:
    """Nobody slips in while everybody is sent out."""
    room = room_with(ann=Role.HOST)

    assert room.apply(End("over"), "ann", 1.0) == [Ended("over")]
    assert room.participants == ()
    assert room.apply(End("over"), None, 2.0) == []
    with pytest.raises(NotFoundError):
        room.apply(Join("Bob", Role.GUEST, Kind.BROWSER), "bob", 3.0)


def test_speakers_are_told_only_when_they_change_and_only_those_present() -> None:
    """The frame round a tile must not stay on somebody who left."""
    room = room_with(ann=Role.HOST, bob=Role.GUEST)

    assert room.apply(Speak(("bob", "gone", "ann")), None, 1.0) == [SpeakersChanged(("bob", "ann"))]
    assert room.apply(Speak(("bob", "ann")), None, 2.0) == []
    assert room.apply(Leave(), "bob", 3.0) == [ParticipantLeft("bob", Departure.LEFT), SpeakersChanged(("ann",))]


def test_who_leads_is_told_too_and_leads_no_more_after_leaving() -> None:
    """Also where that is all that changed: who pauses still leads."""
    room = room_with(ann=Role.HOST, bob=Role.GUEST)

    assert room.apply(Speak(("bob",), "bob"), None, 1.0) == [SpeakersChanged(("bob",), "bob")]
    assert room.apply(Speak((), "bob"), None, 2.0) == [SpeakersChanged((), "bob")]
    assert room.dominant == "bob"
    assert room.apply(Leave(), "bob", 3.0) == [ParticipantLeft("bob", Departure.LEFT), SpeakersChanged(())]
    assert room.dominant is None


def test_a_stored_message_is_told_even_when_its_writer_has_left() -> None:
    """It was acknowledged; it must not be missing on some screens until they reload."""
    room = room_with(ann=Role.HOST)

    assert room.apply(Say("m1", "bob", "Bob", "hi", 5), None, 1.0) == [MessageAdded("m1", "bob", "Bob", "hi", 5)]


def test_leaving_twice_is_no_error() -> None:
    """A leave may cross a removal."""
    room = room_with(ann=Role.HOST)
    room.apply(Leave(), "ann", 1.0)

    assert room.apply(Leave(), "ann", 1.0) == []


def test_the_table_names_every_role_and_gives_hosts_the_most() -> None:
    """A role that was forgotten could do nothing, or worse."""
    assert set(PERMISSIONS) == set(Role)
    assert PERMISSIONS[Role.HOST] == set(Verb)
    assert PERMISSIONS[Role.HOST] - PERMISSIONS[Role.COHOST] == {Verb.END, Verb.RECORD, Verb.GIVE_ROLES}
    assert PERMISSIONS[Role.COHOST] > PERMISSIONS[Role.MEMBER] == PERMISSIONS[Role.GUEST]
    assert not PERMISSIONS[Role.GUEST] & {Verb.REMOVE, Verb.STOP, Verb.ADMIT, Verb.LOCK, Verb.SPOTLIGHT}


class _Person:
    def __init__(self, id: str, *, is_admin: bool = False) -> None:  # noqa: A002
        self.id = id
        self.is_admin = is_admin


@pytest.mark.parametrize(
    ("user", "role"),
    [
        (_Person("owner"), Role.HOST),
        (_Person("other"), Role.MEMBER),
        (_Person("root", is_admin=True), Role.HOST),
        (None, Role.GUEST),
    ],
)
def test_the_role_follows_from_who_is_signed_in(user: _Person | None, role: Role) -> None:
    """Owners and administrators are hosts, other accounts members, everybody else guests."""
    assert role_for(user, owner_id="owner", guests_allowed=True) is role


def test_guests_are_refused_where_they_are_not_allowed_unless_they_show_a_token() -> None:
    """The setting `rooms.guests_allowed`; a room token is what admits a WHIP encoder."""
    with pytest.raises(NotSignedInError):
        role_for(None, owner_id="owner", guests_allowed=False)

    assert role_for(None, owner_id=None, guests_allowed=False, admitted=True) is Role.GUEST
