"""Accounts over a real database, with hashing made cheap and a clock turned by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.migrated import prepare

from pymeet.accounts.passwords import Passwords
from pymeet.accounts.service import Accounts
from pymeet.clock import ManualClock
from pymeet.db.engine import Database


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(prepare(tmp_path / "pymeet.db"))
    yield database
    await database.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def accounts(db: Database, clock: ManualClock) -> Accounts:
    return Accounts(db, clock, passwords=Passwords(time_cost=1, memory_kib=8))
