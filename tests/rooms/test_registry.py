"""Which meetings are going on: opened on demand, forgotten when empty, ended with their room, closed with the server."""

import asyncio

import pytest
from sqlalchemy import text

from pymeet.accounts.model import User
from pymeet.accounts.service import Accounts
from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.engine import Database
from pymeet.errors import NotFoundError, NotSignedInError
from pymeet.meetings.service import Meetings, Room
from pymeet.rooms.events import Closing, Ended, Removed
from pymeet.rooms.joining import JoinRequest
from pymeet.rooms.member import CloseReason
from pymeet.rooms.people import Kind
from pymeet.rooms.registry import IDLE_S, Registry
from tests.rooms.conftest import Ear, Stage, turn
from tests.rooms.fake_media import FakeMedia


async def attendance(db: Database) -> list[tuple[str, bool]]:
    """Who was there, and whether they have left."""
    async with db.read() as conn:
        rows = await conn.execute(
            text("SELECT name, left_at_ms IS NOT NULL FROM attendance ORDER BY joined_at_ms, name")
        )
        return [(name, bool(left)) for name, left in rows]


async def test_attendance_is_stored_when_people_come_and_go(stage: Stage, db: Database) -> None:
    """Who was in a meeting outlives it."""
    bob, _ = await stage.join("Bob")
    await stage.join("Carl")
    assert await attendance(db) == [("Bob", False), ("Carl", False)]

    stage.live.leave(bob.id)
    await stage.registry.close("Bye.", 1)

    assert await attendance(db) == [("Bob", True), ("Carl", True)]


async def test_an_empty_meeting_is_forgotten_after_a_while(stage: Stage) -> None:
    """Rooms that nobody uses cost nothing; a short absence does not forget who was removed."""
    bob, _ = await stage.join("Bob")
    live = stage.live
    stage.live.leave(bob.id)

    stage.clock.advance(IDLE_S - 1)
    stage.registry.tick()
    assert stage.registry.live("standup") is live
    stage.clock.advance(1)
    stage.registry.tick()
    assert stage.registry.live("standup") is None


async def test_a_meeting_with_a_held_seat_is_not_empty(stage: Stage) -> None:
    """The last one in the room may be reconnecting."""
    bob, ear = await stage.join("Bob")
    stage.live.lose(bob.id, ear)

    stage.clock.advance(59)
    stage.registry.tick()

    assert stage.registry.people("standup") == 1


async def test_deleting_a_room_ends_its_meeting(stage: Stage) -> None:
    """Nobody goes on talking in a room that does not exist, or comes into it."""
    _, ear = await stage.join("Bob")

    await stage.meetings.delete_room("standup")
    await stage.registry.end("standup", "The room was deleted.")

    assert isinstance(ear.heard[-1], Ended)
    assert ear.closed is CloseReason.ENDED
    with pytest.raises(NotFoundError):
        await stage.join("Late")
    assert stage.registry.people("standup") == 0


async def test_a_disabled_account_is_out_of_every_meeting(stage: Stage, bob: User) -> None:
    """A person whose account is disabled does not stay in the call that is going on."""
    _, ear = await stage.join("Bob", user=bob)
    _, other = await stage.join("Guest")

    await stage.registry.remove_person(bob.id, "Your account was disabled.")

    assert isinstance(ear.heard[-1], Removed)
    assert ear.closed is CloseReason.REMOVED
    assert other.closed is None


async def test_a_connection_opened_before_the_account_was_disabled_lets_nobody_in(
    stage: Stage, accounts: Accounts, bob: User
) -> None:
    """Between the look at the cookie and `join` lie up to ten seconds: time enough to keep a door open."""
    await accounts.disable_user(bob.id)
    await stage.registry.remove_person(bob.id, "Your account was disabled.")

    with pytest.raises(NotSignedInError):
        await stage.join("Bob", user=bob)

    assert stage.live.participants == ()


async def test_an_account_disabled_in_the_middle_of_joining_is_out(stage: Stage, accounts: Accounts, bob: User) -> None:
    """Whichever comes first: nobody is left behind in the room."""
    joining = asyncio.create_task(stage.join("Bob", user=bob))
    while not stage.live.participants:
        await turn()

    await accounts.disable_user(bob.id)
    await stage.registry.remove_person(bob.id, "Your account was disabled.")
    await asyncio.wait([joining])

    if joining.exception() is None:  # the join came first, and then the removal
        assert joining.result()[1].closed is CloseReason.REMOVED
    else:
        assert isinstance(joining.exception(), NotFoundError | NotSignedInError)
    assert stage.live.participants == ()


async def test_a_closing_server_tells_everybody_and_takes_nobody_in(stage: Stage) -> None:
    """Also connections that have not joined yet, and those that come in the last moment."""
    _, ear = await stage.join("Bob")
    visitor, late = Ear(), Ear()
    stage.registry.enter(visitor)

    await stage.registry.close("The server restarts.", 3)

    assert ear.heard[-1] == Closing("The server restarts.", 3)
    assert ear.closed is visitor.closed is CloseReason.GOING_AWAY
    stage.registry.enter(late)
    assert late.closed is CloseReason.GOING_AWAY
    with pytest.raises(NotFoundError):
        await stage.join("Late")


async def test_the_clock_of_rooms_goes_by_itself(
    meetings: Meetings, media: FakeMedia, clock: ManualClock, config: Config, room: Room
) -> None:
    """The registry's own task ticks; nothing else has to."""
    ticked = asyncio.Event()

    class ListeningRegistry(Registry):
        def tick(self) -> None:
            super().tick()
            ticked.set()

    registry = ListeningRegistry(meetings=meetings, sfu=media, clock=clock, config=config)
    registry.open(room)

    async with asyncio.timeout(10):
        await ticked.wait()
    await registry.close("Bye.", 1)


async def test_a_room_whose_clock_fails_does_not_stop_the_others(
    stage: Stage, meetings: Meetings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in one meeting stays there."""

    def fail() -> None:
        raise RuntimeError("broken")

    other = await meetings.create_room("Other", None, "other")
    monkeypatch.setattr(stage.registry.open(other), "tick", fail)
    bob, ear = await stage.join("Bob")
    stage.live.lose(bob.id, ear)

    stage.clock.advance(60)
    stage.registry.tick()

    assert bob.is_gone


async def test_guests_come_in_only_where_they_may(
    meetings: Meetings, media: FakeMedia, clock: ManualClock, room: Room, bob: User
) -> None:
    """`rooms.guests_allowed: false` closes rooms to people without account or token."""
    config = Config.model_validate({"rooms": {"guests_allowed": False}})
    registry = Registry(meetings=meetings, sfu=media, clock=clock, config=config)

    with pytest.raises(NotSignedInError):
        await registry.open(room).join(JoinRequest("Guest", None, Kind.BROWSER, Ear()))
    await registry.open(room).join(JoinRequest("Encoder", None, Kind.PUBLISHER, admitted=True))
    await registry.open(room).join(JoinRequest("Bob", bob, Kind.BROWSER, Ear()))

    assert registry.counts() == {"rooms": 1, "participants": 2, "connections": 0}
    await registry.close("Bye.", 1)
