"""Meetings over a real database, with a clock turned by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.migrated import prepare

from pymeet.accounts.passwords import Passwords
from pymeet.accounts.service import Accounts, User
from pymeet.clock import ManualClock
from pymeet.db.engine import Database
from pymeet.meetings.service import Meetings, Room


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(prepare(tmp_path / "pymeet.db"))
    yield database
    await database.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def meetings(db: Database, clock: ManualClock) -> Meetings:
    return Meetings(db, clock)


@pytest.fixture
async def ann(db: Database, clock: ManualClock) -> User:
    """Somebody with an account."""
    accounts = Accounts(db, clock, passwords=Passwords(time_cost=1, memory_kib=8))
    user, _ = await accounts.add_user("Ann", "ann@example.org", False)
    return user


@pytest.fixture
async def room(meetings: Meetings, ann: User) -> Room:
    """Ann's room."""
    return await meetings.create_room("Standup", ann.id, "standup")
