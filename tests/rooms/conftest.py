"""A live room over a real database and a media server that forwards nothing; time is turned by hand."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pymeet.accounts.model import User
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.service import Accounts
from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.engine import Database
from pymeet.meetings.service import Meetings, Room
from pymeet.rooms.events import Event
from pymeet.rooms.joining import JoinRequest, RecordingAnswer, Resume
from pymeet.rooms.live import LiveRoom
from pymeet.rooms.media import TrackWish
from pymeet.rooms.member import CloseReason
from pymeet.rooms.people import Kind
from pymeet.rooms.registry import Registry
from pymeet.rooms.seat import Seat
from tests.rooms.fake_media import FakeMedia
from tests.rooms.fake_recorder import FakeRecordings
from tests.support.migrated import prepare


@dataclass(eq=False)
class Ear:
    """A `Listener` that writes down what it is told."""

    heard: list[Event] = field(default_factory=list)
    closed: CloseReason | None = None

    def send(self, event: Event) -> None:
        if self.closed is None:
            self.heard.append(event)

    def close(self, reason: CloseReason) -> None:
        self.closed = self.closed or reason

    async def wait_closed(self) -> None:
        assert self.closed is not None

    def of(self, kind: type[Event]) -> list[Event]:
        """What it heard of one kind, oldest first."""
        return [event for event in self.heard if isinstance(event, kind)]


class Stage:
    """One room and short words for what happens in it."""

    def __init__(
        self, registry: Registry, room: Room, media: FakeMedia, clock: ManualClock, meetings: Meetings
    ) -> None:
        self.registry = registry
        self.room = room
        self.media = media
        self.clock = clock
        self.meetings = meetings

    @property
    def live(self) -> LiveRoom:
        return self.registry.open(self.room)

    async def join(
        self,
        name: str = "Guest",
        *,
        user: User | None = None,
        kind: Kind = Kind.BROWSER,
        resume: Resume | None = None,
        recording: RecordingAnswer | None = None,
    ) -> tuple[Seat, Ear]:
        """Somebody comes in; a browser listens."""
        ear = Ear()
        listener = ear if kind is Kind.BROWSER else None
        seat = await self.live.join(JoinRequest(name, user, kind, listener, resume, recording=recording))
        await turn()
        return seat, ear

    async def publish(self, seat: Seat, *sources: str, sdp: str = "a=fingerprint:1", muted: bool = False) -> str:
        """They send these, and others are told."""
        wishes = {str(mid): TrackWish(source, muted) for mid, source in enumerate(sources)}
        answer = self.live.publish(seat.id, sdp, wishes)
        await turn()
        return answer


async def turn() -> None:
    """Lets what was called for this turn of the loop happen."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def media() -> FakeMedia:
    return FakeMedia()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(prepare(tmp_path / "pymeet.db"))
    yield database
    await database.close()


@pytest.fixture
def accounts(db: Database, clock: ManualClock) -> Accounts:
    return Accounts(db, clock, passwords=Passwords(time_cost=1, memory_kib=8))


@pytest.fixture
async def ann(accounts: Accounts) -> User:
    """The owner of the room."""
    return (await accounts.add_user("Ann", "ann@example.org", False))[0]


@pytest.fixture
async def bob(accounts: Accounts) -> User:
    """Another member."""
    return (await accounts.add_user("Bob", "bob@example.org", False))[0]


@pytest.fixture
def meetings(db: Database, clock: ManualClock) -> Meetings:
    return Meetings(db, clock)


@pytest.fixture
async def room(meetings: Meetings, ann: User) -> Room:
    return await meetings.create_room("Standup", ann.id, "standup")


@pytest.fixture
def config() -> Config:
    return Config.model_validate({"rooms": {"max_participants": 5, "guests_allowed": True}})


@pytest.fixture
async def recordings() -> FakeRecordings:
    return FakeRecordings()


@pytest.fixture
async def registry(
    meetings: Meetings, media: FakeMedia, clock: ManualClock, config: Config, recordings: FakeRecordings
) -> AsyncIterator[Registry]:
    made = Registry(meetings=meetings, sfu=media, clock=clock, config=config, recordings=recordings)
    yield made
    await made.close("The test is over.", 1)


@pytest.fixture
def stage(registry: Registry, room: Room, media: FakeMedia, clock: ManualClock, meetings: Meetings) -> Stage:
    return Stage(registry, room, media, clock, meetings)
