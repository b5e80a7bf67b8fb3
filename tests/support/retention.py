"""What tests of retention need: a lifecycle over real files with a clock turned by hand, and rows made by the hundred."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select

from pymeet.clock import ManualClock
from pymeet.config import Config, RetentionConfig
from pymeet.db.engine import Database
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.db.schema import attendance, messages, metadata, rooms, user_credentials, users
from pymeet.keyring import Keyring
from pymeet.privacy.clockguard import Reading
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.periods import Periods
from tests.support.migrated import prepare

NOW_MS = 1_800_000_000_000
"""2027-01-15, a Friday."""

DAY_MS = 86_400_000


@asynccontextmanager
async def open_lifecycle(
    data_dir: Path, *, retention: dict[str, str] | None = None, now_ms: int = NOW_MS, **more: Any
) -> AsyncIterator[Lifecycle]:
    """A lifecycle in `data_dir`; `more` are fields of `Lifecycle`, `config` those of `Config`."""
    config = Config(data_dir=data_dir, retention=RetentionConfig(**(retention or {})), **more.pop("config", {}))
    clock = ManualClock(utc_ms=now_ms)
    with closing(KeyStore.open(config.keys_path, Keyring.open(data_dir))) as keys:
        db = await Database.open(prepare(config.database_path))
        try:
            periods = await Periods.open(db, config.retention, clock.now_ms())
            yield Lifecycle(config, db, Files(data_dir, keys), keys, periods, clock, **more)
        finally:
            await db.close()


class Clocks:
    """The readings of a machine: its wall clock, and the time since it was started."""

    def __init__(self, boot_ms: int = DAY_MS, boot_id: str = "first-boot") -> None:
        self.boot_ms, self.boot_id = boot_ms, boot_id

    def __call__(self, wall_ms: int) -> Reading:
        return Reading(wall_ms, self.boot_id, self.boot_ms)

    def pass_time(self, lifecycle: Lifecycle, milliseconds: int) -> None:
        """Time goes by on both."""
        assert isinstance(lifecycle.clock, ManualClock)
        lifecycle.clock.advance(milliseconds / 1000)
        self.boot_ms += milliseconds


def add_user(conn: Connection, user_id: str, *, seen_ms: int = NOW_MS, admin: bool = False, **more: Any) -> None:
    """Somebody with an account who can sign in."""
    values = {"name": user_id, "email": f"{user_id}@example.org", "is_admin": admin, "created_at_ms": 1} | more
    conn.execute(insert(users).values(id=user_id, last_seen_at_ms=seen_ms, **values))
    conn.execute(insert(user_credentials).values(user_id=user_id, password_hash="x", changed_at_ms=1))


def add_room(conn: Connection, room_id: str, **more: Any) -> None:
    """A room."""
    conn.execute(insert(rooms).values({"id": room_id, "slug": room_id, "name": room_id, "created_at_ms": 1} | more))


def add_messages(conn: Connection, room_id: str, *at_ms: int, user_id: str | None = None, seat: str = "seat") -> None:
    """Messages, one for each time."""
    start = conn.execute(select(func.count()).select_from(messages)).scalar_one()
    rows = [
        {
            "id": f"{room_id}-{start + number}",
            "room_id": room_id,
            "participant_id": seat,
            "user_id": user_id,
            "name": seat,
            "text": "Hello",
            "at_ms": each,
        }
        for number, each in enumerate(at_ms)
    ]
    if rows:
        conn.execute(insert(messages), rows)


def add_seat(conn: Connection, room_id: str, seat: str, left_ms: int | None, user_id: str | None = None) -> None:
    """Somebody who took part; None while they are there."""
    joined_ms = (left_ms or NOW_MS) - 1000
    values = {"participant_id": seat, "room_id": room_id, "name": seat, "user_id": user_id, "kind": "browser"}
    conn.execute(insert(attendance).values(joined_at_ms=joined_ms, left_at_ms=left_ms, **values))


async def count(db: Database, table: str = "messages", where: Callable[[Any], Any] = lambda _: True) -> int:
    """How many rows a table has."""

    def ask(conn: Connection) -> int:
        made = metadata.tables[table]
        condition = where(made.c)
        query = select(func.count()).select_from(made)
        return int(conn.execute(query if condition is True else query.where(condition)).scalar_one())

    return await db.study(ask)
