"""The pure room: who hosts, and what hosts decide (docs/protocol.md section 1.4)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pymeet.errors import NotAllowedError, NotFoundError, TooManyError
from pymeet.rooms.commands import (
    Command,
    Configure,
    GiveRole,
    HandOver,
    Join,
    Leave,
    Lock,
    LowerHand,
    MuteAll,
    RaiseHand,
    React,
    Remove,
    Send,
    Spotlight,
    StopSource,
)
from pymeet.rooms.events import (
    ParticipantChanged,
    Reacted,
    Removed,
    RoomEvent,
    SourceStopped,
    StateChanged,
    TrackMuted,
    TracksEnded,
)
from pymeet.rooms.people import Kind, Reaction, Role, Source, TrackKind, TrackRecord
from pymeet.rooms.room import Room

MICROPHONE = TrackRecord("t1", Source.MICROPHONE, TrackKind.AUDIO, False)
SCREEN = TrackRecord("t2", Source.SCREEN, TrackKind.VIDEO, False)
SCREEN_AUDIO = TrackRecord("t3", Source.SCREEN_AUDIO, TrackKind.AUDIO, False)


@pytest.fixture
def room() -> Room:
    """Ann owns it, Bob is a member, Cy and Dee are guests, Enc is an encoder."""
    made = Room(max_participants=6)
    for name, role in (("ann", Role.HOST), ("bob", Role.MEMBER), ("cy", Role.GUEST), ("dee", Role.GUEST)):
        made.apply(Join(name.title(), role, Kind.BROWSER), name, 0.0)
    made.apply(Join("Enc", Role.GUEST, Kind.PUBLISHER), "enc", 0.0)
    return made


def roles(room: Room) -> dict[str, Role]:
    return {each.id: each.role for each in room.participants}


def do(room: Room, command: Command, by: str) -> list[RoomEvent]:
    return room.apply(command, by, 1.0)


def test_a_host_makes_cohosts_and_takes_it_back(room: Room) -> None:
    """Guests become guests again, members members."""
    for name in ("bob", "cy"):
        do(room, GiveRole(name, True), "ann")
    assert (roles(room)["bob"], roles(room)["cy"]) == (Role.COHOST, Role.COHOST)

    for name in ("bob", "cy"):
        do(room, GiveRole(name, False), "ann")
    assert (roles(room)["bob"], roles(room)["cy"]) == (Role.MEMBER, Role.GUEST)
    assert do(room, GiveRole("cy", False), "ann") == []


@pytest.mark.parametrize("command", [GiveRole("enc", True), HandOver("enc"), GiveRole("ann", False), HandOver("ann")])
def test_only_people_with_a_browser_who_do_not_host_can_be_promoted(room: Room, command: Command) -> None:
    """An encoder cannot admit anybody, and a host is not demoted."""
    with pytest.raises(NotAllowedError):
        do(room, command, "ann")

    assert list(roles(room).values()) == [Role.HOST, Role.MEMBER, Role.GUEST, Role.GUEST, Role.GUEST]


def test_a_host_hands_over_and_stays_as_cohost(room: Room) -> None:
    """There is always exactly one who took it over."""
    do(room, HandOver("cy"), "ann")

    assert (roles(room)["ann"], roles(room)["cy"]) == (Role.COHOST, Role.HOST)
    do(room, GiveRole("ann", False), "cy")
    assert roles(room)["ann"] is Role.MEMBER


def test_the_first_cohost_inherits_from_the_last_host(room: Room) -> None:
    """A meeting whose host is gone must not be left to itself while somebody may take over."""
    do(room, GiveRole("dee", True), "ann")
    do(room, GiveRole("bob", True), "ann")

    events = do(room, Leave(), "ann")

    assert roles(room)["bob"] is Role.HOST
    assert roles(room)["dee"] is Role.COHOST
    assert [each.participant.id for each in events if isinstance(each, ParticipantChanged)] == ["bob"]


def test_nobody_inherits_while_another_host_is_here(room: Room) -> None:
    """The owner came back and hosts again; who hosted meanwhile leaves."""
    do(room, HandOver("bob"), "ann")
    do(room, Leave(), "ann")
    do(room, Join("Ann", Role.HOST, Kind.BROWSER), "ann again")
    do(room, GiveRole("cy", True), "bob")

    do(room, Leave(), "bob")

    assert roles(room)["ann again"] is Role.HOST
    assert roles(room)["cy"] is Role.COHOST


def test_without_a_cohost_nobody_inherits(room: Room) -> None:
    """Nobody gets power that a host did not give."""
    do(room, Leave(), "ann")

    assert Role.HOST not in roles(room).values()


@pytest.mark.parametrize(
    ("by", "spared", "muted"),
    [("ann", None, {"bob", "cy", "dee"}), ("ann", "cy", {"bob", "dee"}), ("bob", None, {"cy", "dee"})],
)
def test_all_microphones_but_one_are_switched_off(room: Room, by: str, spared: str | None, muted: set[str]) -> None:
    """Not that of who asks, of a host by a cohost, or of an encoder, where nobody could switch it on again."""
    do(room, GiveRole("bob", True), "ann")
    for name in roles(room):
        do(room, Send((replace(MICROPHONE, id=name), replace(SCREEN_AUDIO, id=f"{name}-screen"))), name)

    events = do(room, MuteAll(spared), by)

    assert {each.track_id for each in events if isinstance(each, TrackMuted)} == muted
    assert {each.participant_id for each in events if isinstance(each, SourceStopped) and each.by == by} == muted
    assert {each.id for each in room.participants if each.tracks[0].muted} == muted
    assert do(room, MuteAll(spared), by) == []


@pytest.mark.parametrize(
    "command",
    [
        StopSource("ann", Source.MICROPHONE),
        Remove("ann"),
        Remove("ann", ban=True),
        LowerHand("ann"),
        GiveRole("cy", True),
        HandOver("bob"),
        HandOver("cy"),
    ],
)
def test_a_cohost_acts_on_no_host_and_gives_no_roles(room: Room, command: Command) -> None:
    """Or whoever was given a part of the power could take the rest."""
    do(room, Send((MICROPHONE,)), "ann")
    do(room, GiveRole("bob", True), "ann")

    with pytest.raises(NotAllowedError):
        do(room, command, "bob")

    assert roles(room)["ann"] is Role.HOST


def test_the_owner_is_removed_by_a_host_but_never_banned(room: Room) -> None:
    """Whoever was handed the meeting must not be able to lock the owner out of their own room."""
    do(room, HandOver("cy"), "ann")

    with pytest.raises(NotAllowedError):
        do(room, Remove("ann", ban=True), "cy")
    assert [each for each in do(room, Remove("ann"), "cy") if isinstance(each, Removed)]


def test_a_stopped_microphone_is_muted_and_can_be_switched_on_again(room: Room) -> None:
    """docs/protocol.md: `stop` switches off; nobody can be switched on."""
    do(room, Send((MICROPHONE,)), "cy")

    events = do(room, StopSource("cy", Source.MICROPHONE), "ann")

    assert events[0] == TrackMuted("cy", "t1", True)
    assert events[-1] == SourceStopped("cy", Source.MICROPHONE, "ann")
    assert room.participant("cy").tracks[0].muted
    assert do(room, StopSource("cy", Source.MICROPHONE), "ann") == []
    do(room, Send((MICROPHONE,)), "cy")
    assert not room.participant("cy").tracks[0].muted


def test_a_stopped_share_ends_with_its_sound(room: Room) -> None:
    """A picture that stands still on everybody's screen would not be stopped."""
    do(room, Send((MICROPHONE, SCREEN, SCREEN_AUDIO)), "cy")

    events = do(room, StopSource("cy", Source.SCREEN), "ann")

    assert events[0] == TracksEnded("cy", ("t2", "t3"))
    assert room.participant("cy").tracks == (MICROPHONE,)


def test_what_is_not_sent_cannot_be_stopped(room: Room) -> None:
    """The host is told, and nobody else."""
    with pytest.raises(NotFoundError):
        do(room, StopSource("cy", Source.CAMERA), "ann")


def test_hands_stand_in_the_order_in_which_they_were_raised(room: Room) -> None:
    """Whoever waited longest is first; a host lowers, and who leaves has none."""
    for name in ("cy", "bob", "dee", "cy"):
        do(room, RaiseHand(True), name)
    assert room.state.hands == ("cy", "bob", "dee")

    do(room, LowerHand("bob"), "ann")
    do(room, Leave(), "cy")
    assert room.state.hands == ("dee",)
    assert do(room, RaiseHand(False), "bob") == []


def test_the_spotlight_goes_out_with_who_stands_in_it(room: Room) -> None:
    """Nobody's page shows somebody who is gone."""
    assert do(room, Spotlight("cy"), "ann")[0] == StateChanged(room.state)
    assert room.state.spotlight == "cy"

    do(room, Leave(), "cy")
    assert room.state.spotlight is None
    with pytest.raises(NotFoundError):
        do(room, Spotlight("cy"), "ann")


def test_a_locked_room_takes_only_who_may_pass(room: Room) -> None:
    """Its own host, and whom a host admitted."""
    do(room, Lock(True), "ann")

    with pytest.raises(NotAllowedError) as refused:
        do(room, Join("Eve", Role.GUEST, Kind.BROWSER), "eve")
    assert refused.value.code == "locked"
    assert do(room, Join("Eve", Role.GUEST, Kind.BROWSER, passes_lock=True), "eve")


def test_a_smaller_capacity_holds_for_who_comes(room: Room) -> None:
    """Nobody who is here is sent away by it."""
    do(room, Configure(3, "everybody", "hosts"), "ann")

    assert len(room) == 5
    with pytest.raises(TooManyError):
        do(room, Join("Eve", Role.HOST, Kind.BROWSER, passes_lock=True), "eve")


def test_a_reaction_changes_nothing(room: Room) -> None:
    """It is shown, and gone."""
    before = (room.participants, room.state)

    assert do(room, React(Reaction.CLAP), "dee") == [Reacted("dee", Reaction.CLAP)]
    assert (room.participants, room.state) == before


ORDERS: dict[str, Callable[[str], Command]] = {
    "stop": lambda whom: StopSource(whom, Source.MICROPHONE),
    "lower_hand": LowerHand,
    "spotlight": Spotlight,
    "lock": lambda _: Lock(True),
    "role": lambda whom: GiveRole(whom, True),
    "hand_over": HandOver,
    "remove": Remove,
    "ban": lambda whom: Remove(whom, ban=True),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("by", ["bob", "cy", "nobody"])
def test_who_does_not_host_decides_nothing(room: Room, order: str, by: str) -> None:
    """The rule holds in the pure room itself, whatever the rim forgets."""
    do(room, Send((MICROPHONE,)), "dee")
    before = (room.participants, room.state)

    with pytest.raises(NotAllowedError):
        do(room, ORDERS[order]("dee"), by)

    assert (room.participants, room.state) == before
