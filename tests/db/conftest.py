"""A real database file for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.migrated import prepare

from pymeet.db.engine import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pymeet.db"


@pytest.fixture
async def db(path: Path) -> AsyncIterator[Database]:
    database = await Database.open(prepare(path))
    yield database
    await database.close()
