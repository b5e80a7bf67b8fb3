"""Waiting room, password, lock, bans, private chat and settings in a live room, over a real database."""

import asyncio
from typing import Any

import pytest

from pymeet.accounts.model import User
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.service import Accounts
from pymeet.clock import ManualClock
from pymeet.db.engine import Database
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError, NotSignedInError, TooManyError
from pymeet.meetings.service import EDITING_MS, Meetings
from pymeet.rooms.commands import GiveRole, HandOver, Lock, StopSource
from pymeet.rooms.events import (
    Ended,
    LobbyChanged,
    MessageAdded,
    MessageChanged,
    SourceStopped,
    StateChanged,
    Waits,
    Welcome,
)
from pymeet.rooms.joining import JoinRequest, RecordingAnswer, Resume
from pymeet.rooms.lobby import REFUSALS, REFUSALS_S
from pymeet.rooms.member import CloseReason
from pymeet.rooms.people import Departure, Kind, Role, Source
from pymeet.rooms.recording import Answer
from pymeet.rooms.registry import IDLE_S
from pymeet.rooms.seat import Seat
from tests.rooms.conftest import Ear, Stage, turn
from tests.rooms.fake_recorder import FakeRecordings

PASSWORD = "only for the tea circle"


@pytest.fixture
def meetings(db: Database, clock: ManualClock) -> Meetings:
    return Meetings(db, clock, passwords=Passwords(time_cost=1, memory_kib=8))


class Caller:
    """Somebody who asks to come in, and may have to wait."""

    def __init__(self, stage: Stage, name: str, **fields: Any) -> None:
        self.ear = Ear()
        request = JoinRequest(name, fields.pop("user", None), Kind.BROWSER, self.ear, **fields)
        self.joining = asyncio.create_task(stage.live.join(request))

    async def until(self, kind: type) -> Any:
        """Waits for an event of this kind, or the end of joining."""
        async with asyncio.timeout(10):
            while not self.ear.of(kind) and not self.joining.done():
                await turn()
        await turn()
        return self.ear.of(kind)[-1]

    @property
    def id(self) -> str:
        return self.ear.of(Waits)[-1].id


async def settle(stage: Stage, **changes: Any) -> None:
    """The owner changes the room's settings, as the API does it."""
    await stage.meetings.change_settings(stage.room.slug, changes)
    await stage.registry.refresh(stage.room.slug)


async def test_who_waits_learns_nothing_and_hosts_see_them(stage: Stage, ann: User, bob: User) -> None:
    """docs/protocol.md 1.4: no participants, no chat, no media; other members are not told either."""
    await settle(stage, waiting_room="guests")
    _, host = await stage.join("Ann", user=ann)
    member, other = await stage.join("Bob", user=bob)
    guest = Caller(stage, "Guest")
    waits = await guest.until(Waits)

    await stage.live.chat(member.id, "Secret plan")

    assert guest.ear.heard == [Waits(guest.id, "standup", "Standup")]
    assert [(p.id, p.name, p.is_member) for p in host.of(LobbyChanged)[-1].people] == [(waits.id, "Guest", False)]
    assert not other.of(LobbyChanged)
    assert len(stage.live.participants) == 2
    stage.live.admit(stage.live.participants[0].id, guest.id)
    seat = await guest.joining
    assert seat.id == waits.id
    assert (await guest.until(Welcome)).participants == stage.live.participants
    assert host.of(LobbyChanged)[-1].people == ()


async def test_everybody_but_hosts_waits_where_the_room_says_so(stage: Stage, ann: User, bob: User) -> None:
    """Members too; `admit` without a name lets all of them in."""
    await settle(stage, waiting_room="everybody")
    bobs, guest = Caller(stage, "Bob", user=bob), Caller(stage, "Guest")
    await bobs.until(Waits)
    await guest.until(Waits)
    host, ear = await stage.join("Ann", user=ann)

    assert [p.name for p in ear.of(LobbyChanged)[-1].people] == ["Bob", "Guest"]
    stage.live.admit(host.id, None)
    await asyncio.gather(bobs.joining, guest.joining)
    assert len(stage.live.participants) == 3


async def test_a_refused_person_is_told_the_reason(stage: Stage, ann: User) -> None:
    """And has never been in the room."""
    await settle(stage, waiting_room="guests")
    host, _ = await stage.join("Ann", user=ann)
    guest = Caller(stage, "Guest")
    await guest.until(Waits)

    stage.live.refuse(host.id, guest.id, "This is a private meeting.")

    with pytest.raises(NotAllowedError, match="private meeting") as refused:
        await guest.joining
    assert refused.value.code == "refused"
    assert [each.name for each in await stage.meetings.attendance(stage.room.id)] == ["Ann"]
    with pytest.raises(NotFoundError):
        stage.live.admit(host.id, guest.id)


async def test_who_hangs_up_waits_no_more(stage: Stage, ann: User) -> None:
    """Nobody is admitted who is not there."""
    await settle(stage, waiting_room="guests")
    _, host = await stage.join("Ann", user=ann)
    guest = Caller(stage, "Guest")
    await guest.until(Waits)

    stage.live.stop_waiting(guest.ear)

    with pytest.raises(ConflictError):
        await guest.joining
    assert host.of(LobbyChanged)[-1].people == ()


async def test_a_room_on_which_somebody_waits_is_not_forgotten(stage: Stage, clock: ManualClock) -> None:
    """The first guest is often earlier than the host."""
    await settle(stage, waiting_room="guests")
    guest = Caller(stage, "Guest")
    await guest.until(Waits)
    live = stage.live

    clock.advance(IDLE_S + 1)
    stage.registry.tick()

    assert stage.live is live
    stage.live.stop_waiting(guest.ear)
    await asyncio.wait([guest.joining])
    stage.registry.tick()
    assert stage.live is not live
    assert guest.joining.exception()


async def test_the_end_of_the_meeting_reaches_who_waits(stage: Stage, ann: User) -> None:
    """They must not wait for ever."""
    await settle(stage, waiting_room="guests")
    host, _ = await stage.join("Ann", user=ann)
    guest = Caller(stage, "Guest")
    await guest.until(Waits)

    stage.live.end(host.id, "Done.")

    assert guest.ear.of(Ended)
    assert guest.ear.closed is CloseReason.ENDED
    with pytest.raises(ConflictError):
        await guest.joining


async def test_an_account_that_is_disabled_waits_no_more(stage: Stage, ann: User, bob: User) -> None:
    """Whoever is locked out must not be let in by a host who does not know."""
    await settle(stage, waiting_room="everybody")
    await stage.join("Ann", user=ann)
    bobs = Caller(stage, "Bob", user=bob)
    await bobs.until(Waits)

    await stage.registry.remove_person(bob.id, "Your account was disabled.")

    with pytest.raises(NotAllowedError):
        await bobs.joining


async def test_switching_the_waiting_room_off_lets_in_who_waits(stage: Stage) -> None:
    """They would wait for ever otherwise, for nobody looks there any more."""
    await settle(stage, waiting_room="guests")
    guest = Caller(stage, "Guest")
    await guest.until(Waits)

    await settle(stage, waiting_room="off")

    assert (await guest.joining).id == guest.id


async def test_a_new_cohost_sees_who_waits(stage: Stage, ann: User, bob: User) -> None:
    """From the moment they may admit."""
    await settle(stage, waiting_room="guests")
    host, _ = await stage.join("Ann", user=ann)
    member, ear = await stage.join("Bob", user=bob)
    guest = Caller(stage, "Guest")
    await guest.until(Waits)

    stage.live.ask(host.id, GiveRole(member.id, True))

    assert [p.name for p in ear.of(LobbyChanged)[-1].people] == ["Guest"]
    stage.live.admit(member.id, guest.id)
    await guest.joining


@pytest.mark.parametrize("kind", [Kind.PUBLISHER, Kind.PLAYER])
@pytest.mark.parametrize("closed_by", ["waiting_room", "password", "guests"])
async def test_encoders_and_players_need_a_token_where_people_need_more_than_the_link(
    stage: Stage, kind: Kind, closed_by: str
) -> None:
    """WHIP and WHEP must not be a side door; the operator's token opens it, and no more than one seat."""
    await settle(stage, **{closed_by: {"waiting_room": "guests", "password": PASSWORD, "guests": False}[closed_by]})

    with pytest.raises((NotSignedInError, NotAllowedError)):
        await stage.live.join(JoinRequest("Side door", None, kind))

    assert stage.live.participants == ()
    await stage.live.join(JoinRequest("Encoder", None, kind, admitted=True, token_id="t"))


async def test_the_password_opens_the_room(stage: Stage, ann: User, bob: User) -> None:
    """Members and guests need it, the owner does not; a seat that is held is taken back without."""
    await settle(stage, password=PASSWORD)
    await stage.join("Ann", user=ann)

    for fields in ({}, {"password": ""}, {"password": "something else entirely"}, {"user": bob}):
        with pytest.raises(NotAllowedError) as refused:
            await Caller(stage, "Bob", **fields).joining
        assert refused.value.code == "wrong_password"

    seat = await Caller(stage, "Bob", user=bob, password=PASSWORD).joining
    again = await Caller(stage, "Bob", user=bob, resume=Resume(seat.token, keep_media=True)).joining
    assert again is seat
    await settle(stage, password=None)
    await stage.join("Guest")


async def test_a_password_cannot_be_tried_through(stage: Stage, clock: ManualClock) -> None:
    """Ten wrong ones from one network; others, and later ones, may try again."""
    await settle(stage, password=PASSWORD)
    for number in range(10):
        with pytest.raises(NotAllowedError):
            await Caller(stage, "Eve", password=f"wrong password {number}", network="192.0.2.1").joining

    with pytest.raises(TooManyError):
        await Caller(stage, "Eve", password=PASSWORD, network="192.0.2.1").joining
    await Caller(stage, "Guest", password=PASSWORD, network="192.0.2.2").joining
    clock.advance(301)
    await Caller(stage, "Eve", password=PASSWORD, network="192.0.2.1").joining


async def test_a_locked_room_lets_back_in_who_had_a_seat(stage: Stage, ann: User) -> None:
    """A broken connection must not become an exclusion."""
    host, _ = await stage.join("Ann", user=ann)
    guest, ear = await stage.join("Guest")
    stage.live.ask(host.id, Lock(True))
    stage.live.lose(guest.id, ear)

    back, _ = await stage.join("Guest", resume=Resume(guest.token, keep_media=True))

    assert back is guest
    for request in (
        JoinRequest("New", None, Kind.BROWSER, Ear()),
        JoinRequest("Enc", None, Kind.PUBLISHER, admitted=True),
    ):
        with pytest.raises(NotAllowedError) as refused:
            await stage.live.join(request)
        assert refused.value.code == "locked"


async def test_whom_a_host_admits_comes_into_a_locked_room(stage: Stage, ann: User) -> None:
    """They waited before it was locked."""
    await settle(stage, waiting_room="guests")
    host, _ = await stage.join("Ann", user=ann)
    guest = Caller(stage, "Guest")
    await guest.until(Waits)
    stage.live.ask(host.id, Lock(True))

    stage.live.admit(host.id, guest.id)

    assert await guest.joining


async def test_a_ban_holds_for_all_seats_of_the_account(stage: Stage, ann: User, bob: User) -> None:
    """Another browser, another seat, the old token: none of them leads back."""
    host, _ = await stage.join("Ann", user=ann)
    first, ear = await stage.join("Bob", user=bob)
    second, other = await stage.join("Bob again", user=bob)

    stage.live.remove(host.id, first.id, ban=True)

    assert (ear.closed, other.closed) == (CloseReason.REMOVED, CloseReason.REMOVED)
    for fields in ({"user": bob}, {"user": bob, "resume": Resume(second.token, keep_media=True)}):
        with pytest.raises(NotAllowedError):
            await Caller(stage, "Bob", **fields).joining
    guest = Caller(stage, "Not Bob at all")
    assert await guest.until(Waits)  # a guest may be anybody, so a host decides
    stage.live.refuse(host.id, guest.id, None)
    await asyncio.wait([guest.joining])
    assert guest.joining.exception()
    with pytest.raises(NotSignedInError):
        await stage.live.join(JoinRequest("Not Bob", None, Kind.PLAYER))


async def test_a_ban_takes_along_neither_a_host_nor_who_asks_for_it(stage: Stage, ann: User, bob: User) -> None:
    """A second seat of the same person must not be a way around the rules."""
    host, _ = await stage.join("Ann", user=ann)
    bobs, _ = await stage.join("Bob", user=bob)
    second, _ = await stage.join("Bob's phone", user=bob)
    cohost, _ = await stage.join("Guest")
    for seat in (bobs, cohost):
        stage.live.ask(host.id, GiveRole(seat.id, True))

    with pytest.raises(NotAllowedError):
        stage.live.remove(bobs.id, second.id, ban=True)
    stage.live.ask(host.id, HandOver(bobs.id))
    with pytest.raises(NotAllowedError):
        stage.live.remove(cohost.id, second.id, ban=True)

    assert len(stage.live.participants) == 4


async def test_a_ban_holds_for_the_room_token(stage: Stage, ann: User) -> None:
    """An encoder that was sent out does not come back by itself; one with another token does."""
    host, _ = await stage.join("Ann", user=ann)
    encoder = await stage.live.join(JoinRequest("Enc", None, Kind.PUBLISHER, admitted=True, token_id="one"))

    stage.live.remove(host.id, encoder.id, ban=True)

    with pytest.raises(NotAllowedError):
        await stage.live.join(JoinRequest("Enc", None, Kind.PUBLISHER, admitted=True, token_id="one"))
    await stage.live.join(JoinRequest("Other", None, Kind.PUBLISHER, admitted=True, token_id="two"))


async def test_who_was_removed_without_a_ban_may_ask_again(stage: Stage, ann: User, bob: User) -> None:
    """On a new seat; the old one is gone."""
    host, _ = await stage.join("Ann", user=ann)
    seat, _ = await stage.join("Bob", user=bob)

    stage.live.remove(host.id, seat.id)

    with pytest.raises(NotAllowedError):
        await Caller(stage, "Bob", user=bob, resume=Resume(seat.token, keep_media=True)).joining
    assert await Caller(stage, "Bob", user=bob).joining


async def test_settings_hold_at_once(stage: Stage, ann: User) -> None:
    """For who shares or comes from then on; everybody is told."""
    host, ear = await stage.join("Ann", user=ann)
    guest, _ = await stage.join("Guest")

    await settle(stage, may_share="hosts", may_record="nobody", capacity=2, guests=False)

    assert ear.of(StateChanged)[-1].state.may_share == "hosts"
    with pytest.raises(NotAllowedError):
        await stage.publish(guest, "microphone", "screen")
    assert stage.live.participants[1].tracks == ()
    await stage.publish(host, "screen")
    with pytest.raises(NotAllowedError):
        await stage.live.start_recording(host.id, False)
    with pytest.raises(TooManyError):
        await stage.join("Ann again", user=ann)
    with pytest.raises(NotSignedInError):
        await stage.join("New")


async def test_a_share_that_began_goes_on_when_sharing_is_restricted(stage: Stage, ann: User) -> None:
    """Publishing lists everything each time: unmuting the microphone must not fail for the share beside it."""
    await stage.join("Ann", user=ann)
    guest, _ = await stage.join("Guest")
    await stage.publish(guest, "screen")

    await settle(stage, may_share="hosts")
    await stage.publish(guest, "screen", "microphone")

    assert len(stage.live.participants[1].tracks) == 2


async def test_a_stopped_share_is_forwarded_to_nobody(stage: Stage, ann: User) -> None:
    """At once, whatever the client goes on sending; sharing anew works."""
    host, _ = await stage.join("Ann", user=ann)
    guest, ear = await stage.join("Guest")
    await stage.publish(guest, "camera", "screen")
    track = stage.media.publisher_of(guest.id).tracks["1"]

    stage.live.ask(host.id, StopSource(guest.id, Source.SCREEN))
    await turn()

    assert track.muted
    assert track.id not in guest.sends
    assert ear.of(SourceStopped) == [SourceStopped(guest.id, Source.SCREEN, host.id)]
    await stage.publish(guest, "camera")
    await stage.publish(guest, "camera", "screen")
    assert len(stage.live.participants[1].tracks) == 2


async def test_a_seat_that_is_taken_back_keeps_its_role(stage: Stage, ann: User) -> None:
    """A reload must not cost a cohost their part, nor give the host's back to who handed it over."""
    host, ear = await stage.join("Ann", user=ann)
    guest, _ = await stage.join("Guest")
    stage.live.ask(host.id, HandOver(guest.id))
    stage.live.lose(host.id, ear, page_closed=True)

    back, again = await stage.join("Ann", user=ann, resume=Resume(host.token, keep_media=False))

    assert again.of(Welcome)[0].role is Role.COHOST
    assert (back.role, guest.role) == (Role.COHOST, Role.HOST)


async def test_a_guest_who_hosts_cannot_record(stage: Stage, ann: User) -> None:
    """Nobody could be asked to answer for that recording."""
    host, _ = await stage.join("Ann", user=ann)
    guest, _ = await stage.join("Guest")
    stage.live.ask(host.id, HandOver(guest.id))

    for by in (guest, host):
        with pytest.raises(NotAllowedError):
            await stage.live.start_recording(by.id, False)
    assert stage.live.recording is None


async def test_a_private_message_reaches_two_accounts_and_nobody_else(stage: Stage, ann: User, bob: User) -> None:
    """Not the host, not who comes later, and not after it was erased for whom it was written."""
    host, hosts_ear = await stage.join("Ann", user=ann)
    member, members_ear = await stage.join("Bob", user=bob)
    guest, guests_ear = await stage.join("Guest")
    _, second = await stage.join("Bob's phone", user=bob)

    await stage.live.chat(guest.id, "Just for you", member.id)

    for ear in (members_ear, guests_ear, second):
        (message,) = ear.of(MessageAdded)
        assert (message.text, message.participant_id, message.to) == ("Just for you", guest.id, member.id)
    assert not hosts_ear.of(MessageAdded)
    later, late = await stage.join("Ann again", user=ann)
    assert late.of(Welcome)[0].messages == ()
    stage.live.leave(later.id)
    _, bobs = await stage.join("Bob's tablet", user=bob)
    assert [m.text for m in bobs.of(Welcome)[0].messages] == ["Just for you"]
    with pytest.raises(NotFoundError):
        await stage.live.delete_message(host.id, message.id)
    for nobody in (guest.id, "not-here"):
        with pytest.raises((NotAllowedError, NotFoundError)):
            await stage.live.chat(guest.id, "Hello me", nobody)


async def test_a_message_is_changed_by_its_author_for_a_quarter_of_an_hour(
    stage: Stage, ann: User, clock: ManualClock
) -> None:
    """And deleted by the author or a host, for good."""
    host, ear = await stage.join("Ann", user=ann)
    guest, _ = await stage.join("Guest")
    await stage.live.chat(guest.id, "Helo")
    await stage.live.chat(guest.id, "Second")
    first, second = (each.id for each in ear.of(MessageAdded))

    await stage.live.edit_message(guest.id, first, "Hello")

    assert ear.of(MessageChanged)[-1] == MessageChanged(first, "Hello", clock.now_ms())
    with pytest.raises(NotAllowedError):
        await stage.live.edit_message(host.id, first, "I did not say that")
    clock.advance(EDITING_MS / 1000)
    with pytest.raises(NotAllowedError):
        await stage.live.edit_message(guest.id, first, "Too late")
    await stage.live.chat(host.id, "From the host")
    with pytest.raises(NotAllowedError):
        await stage.live.delete_message(guest.id, ear.of(MessageAdded)[-1].id)
    await stage.live.delete_message(host.id, first)
    await stage.live.delete_message(guest.id, second)
    assert ear.of(MessageChanged)[-2:] == [MessageChanged(first, None, None), MessageChanged(second, None, None)]
    assert [m.text for m in await stage.meetings.messages(stage.room.id)] == ["From the host"]


async def test_without_history_nobody_reads_what_was_said_before_they_came(
    stage: Stage, ann: User, clock: ManualClock
) -> None:
    """But a reload does not take away what one saw."""
    await settle(stage, chat_history=False)
    host, _ = await stage.join("Ann", user=ann)
    await stage.live.chat(host.id, "Before")
    clock.advance(1)
    guest, ear = await stage.join("Guest")
    await stage.live.chat(host.id, "After")

    assert ear.of(Welcome)[0].messages == ()
    _, again = await stage.join("Guest", resume=Resume(guest.token, keep_media=False))
    assert [m.text for m in again.of(Welcome)[0].messages] == ["After"]


async def test_a_room_with_a_limit_keeps_the_newest_messages(stage: Stage, ann: User) -> None:
    """Older ones are deleted, not hidden."""
    host, _ = await stage.join("Ann", user=ann)
    for number in range(3):
        await stage.live.chat(host.id, f"Message {number}")

    await settle(stage, chat_limit=2)
    assert [m.text for m in await stage.meetings.messages(stage.room.id)] == ["Message 1", "Message 2"]
    await stage.live.chat(host.id, "Message 3")
    assert [m.text for m in await stage.meetings.messages(stage.room.id)] == ["Message 2", "Message 3"]


async def test_a_private_message_is_not_recorded(
    stage: Stage, ann: User, bob: User, recordings: FakeRecordings
) -> None:
    """Also where the chat is recorded and both agreed."""
    host, _ = await stage.join("Ann", user=ann)
    member, _ = await stage.join("Bob", user=bob)
    await stage.live.start_recording(host.id, True)
    recorder = recordings.now
    await agree(stage, host, member)

    await stage.live.chat(host.id, "Between us", member.id)
    await stage.live.chat(host.id, "For all")

    assert [each.text for each in recorder.heard if isinstance(each, MessageAdded)] == ["For all"]


async def agree(stage: Stage, *seats: Seat) -> None:
    recording = stage.live.recording
    assert recording is not None
    for seat in seats:
        await stage.live.answer_recording(seat.id, RecordingAnswer(recording.id, Answer.YES, "dialog"))


async def test_the_owner_who_comes_back_hosts_again(stage: Stage, ann: User, accounts: Accounts) -> None:
    """Whatever was handed over meanwhile."""
    host, _ = await stage.join("Ann", user=ann)
    guest, _ = await stage.join("Guest")
    stage.live.ask(host.id, HandOver(guest.id))
    stage.live.leave(host.id, Departure.LEFT)

    back, _ = await stage.join("Ann", user=ann)

    assert (back.role, guest.role) == (Role.HOST, Role.HOST)


async def test_switching_the_waiting_room_off_lets_nobody_past_the_lock(stage: Stage, ann: User) -> None:
    """Nobody comes into a locked room whom no host admitted; they go on waiting for one."""
    await settle(stage, waiting_room="guests")
    host, _ = await stage.join("Ann", user=ann)
    guest = Caller(stage, "Guest")
    await guest.until(Waits)
    stage.live.ask(host.id, Lock(True))

    await settle(stage, waiting_room="off")
    await turn()

    assert not guest.joining.done()
    assert len(stage.live.participants) == 1
    stage.live.admit(host.id, guest.id)
    assert await guest.joining


async def test_who_is_let_in_by_a_setting_does_not_pass_a_lock_of_the_same_moment(stage: Stage, ann: User) -> None:
    """Between being let in and taking the seat a host may lock the room."""
    await settle(stage, waiting_room="guests")
    host, _ = await stage.join("Ann", user=ann)
    guest = Caller(stage, "Guest")
    await guest.until(Waits)

    await settle(stage, waiting_room="off")
    stage.live.ask(host.id, Lock(True))

    with pytest.raises(NotAllowedError) as refused:
        await guest.joining
    assert refused.value.code == "locked"


async def test_who_is_admitted_into_a_full_room_goes_on_waiting(stage: Stage, ann: User) -> None:
    """The host is told; nobody loses their place because of it."""
    await settle(stage, waiting_room="guests", capacity=2)
    host, _ = await stage.join("Ann", user=ann)
    first, second = Caller(stage, "First"), Caller(stage, "Second")
    await first.until(Waits)
    await second.until(Waits)

    with pytest.raises(TooManyError) as full:
        stage.live.admit(host.id, None)
    assert full.value.code == "room_full"
    seat = await first.joining
    with pytest.raises(TooManyError):
        stage.live.admit(host.id, second.id)
    await turn()
    assert not second.joining.done()

    stage.live.leave(seat.id)
    stage.live.admit(host.id, second.id)
    assert await second.joining


async def test_one_stranger_cannot_fill_the_waiting_room(stage: Stage, ann: User, bob: User) -> None:
    """Ten of one network wait, two of one account, and others still find a place."""
    await settle(stage, waiting_room="everybody")
    mine = [Caller(stage, "Eve", network="192.0.2.1") for _ in range(11)]
    bobs = [Caller(stage, "Bob", user=bob, network="192.0.2.1") for _ in range(3)]
    for each in [*mine[:10], *bobs[:2]]:
        await each.until(Waits)

    for each in (mine[10], bobs[2]):
        with pytest.raises(TooManyError):
            await each.joining
    other = Caller(stage, "Guest", network="192.0.2.2")
    await other.until(Waits)
    for each in [*mine[:10], *bobs[:2], other]:
        stage.live.stop_waiting(each.ear)
    await asyncio.gather(*(each.joining for each in [*mine, *bobs, other]), return_exceptions=True)


async def test_who_is_refused_again_and_again_waits_before_asking(stage: Stage, ann: User, clock: ManualClock) -> None:
    """A host must not have to press the same button all evening; others of elsewhere are not concerned."""
    await settle(stage, waiting_room="guests")
    host, _ = await stage.join("Ann", user=ann)
    for _ in range(REFUSALS):
        guest = Caller(stage, "Eve", network="192.0.2.1")
        await guest.until(Waits)
        stage.live.refuse(host.id, guest.id, None)
        await asyncio.wait([guest.joining])
        assert isinstance(guest.joining.exception(), NotAllowedError)

    with pytest.raises(TooManyError):
        await Caller(stage, "Eve", network="192.0.2.1").joining
    other = Caller(stage, "Guest", network="192.0.2.2")
    await other.until(Waits)
    stage.live.admit(host.id, other.id)
    await other.joining
    clock.advance(REFUSALS_S + 1)
    again = Caller(stage, "Eve", network="192.0.2.1")
    await again.until(Waits)
    stage.live.admit(host.id, again.id)
    await again.joining


class DeafEar(Ear):
    """A connection that breaks when it is told this kind of event."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.breaks_at = kind

    def send(self, event: Any) -> None:
        if isinstance(event, self.breaks_at):
            raise ConnectionError("broken")
        super().send(event)


async def test_a_connection_that_breaks_while_waiting_leaves_no_place_behind(stage: Stage, ann: User) -> None:
    """It would stand there for ever, and count."""
    await settle(stage, waiting_room="guests")
    _, host = await stage.join("Ann", user=ann)

    with pytest.raises(ConflictError):
        await stage.live.join(JoinRequest("Guest", None, Kind.BROWSER, DeafEar(Waits)))

    assert host.of(LobbyChanged)[-1].people == ()


async def test_a_faulty_connection_that_waits_does_not_stop_the_end(stage: Stage, ann: User) -> None:
    """Everybody else is told, and has left."""
    await settle(stage, waiting_room="guests")
    host, ear = await stage.join("Ann", user=ann)
    deaf = DeafEar(Ended)
    waiting = asyncio.create_task(stage.live.join(JoinRequest("Deaf", None, Kind.BROWSER, deaf)))
    while not deaf.of(Waits):
        await turn()
    guest = Caller(stage, "Guest")
    await guest.until(Waits)

    stage.live.end(host.id, "Done.")

    assert (deaf.closed, guest.ear.closed, ear.closed) == (CloseReason.BROKEN, CloseReason.ENDED, CloseReason.ENDED)
    for each in (waiting, guest.joining):
        with pytest.raises(ConflictError):
            await each


async def test_a_changed_private_message_reaches_the_accounts_new_seats(stage: Stage, ann: User, bob: User) -> None:
    """Both had their page closed meanwhile; nobody else hears of it."""
    host, _ = await stage.join("Ann", user=ann)
    member, members_ear = await stage.join("Bob", user=bob)
    await stage.live.chat(member.id, "Just for you", host.id)
    message = members_ear.of(MessageAdded)[-1].id
    for seat in (host, member):
        stage.live.leave(seat.id)
    _, new_host = await stage.join("Ann", user=ann)
    new_member, new_ear = await stage.join("Bob", user=bob)
    _, stranger = await stage.join("Guest")

    await stage.live.edit_message(new_member.id, message, "Only for you")
    await stage.live.delete_message(new_member.id, message)

    for ear in (new_host, new_ear):
        assert [each.text for each in ear.of(MessageChanged)] == ["Only for you", None]
    assert not stranger.of(MessageChanged)


async def test_without_history_changes_of_older_messages_are_not_told_to_who_came_later(
    stage: Stage, ann: User, clock: ManualClock
) -> None:
    """The new text would tell what the old one said."""
    await settle(stage, chat_history=False)
    host, ear = await stage.join("Ann", user=ann)
    _, early = await stage.join("Early")
    await stage.live.chat(host.id, "Before")
    message = ear.of(MessageAdded)[-1].id
    clock.advance(1)
    _, late = await stage.join("Late")

    await stage.live.edit_message(host.id, message, "Before, with a secret")
    await stage.live.delete_message(host.id, message)

    assert len(early.of(MessageChanged)) == 2
    assert not late.of(MessageChanged)
