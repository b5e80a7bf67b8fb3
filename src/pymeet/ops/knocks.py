"""Tells owners of rooms that somebody waits there while they are away."""

import asyncio
from functools import partial
from typing import Final

import structlog

from pymeet.accounts.throttle import AttemptLimiter
from pymeet.clock import Clock
from pymeet.db import notifications
from pymeet.db.engine import Database
from pymeet.retention import minutes

log = structlog.get_logger(__name__)

QUIET_MIN: Final = 10
"""For so long nobody is told of the same room again."""

_MOST = 1000
"""Rooms of which somebody is about to be told; of further ones nobody is."""


class Knocks:
    """`noted` is called by the rooms; `run()` stores what was noted, until it is cancelled."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        # so that knocking costs no transaction each time; what was told before a restart, only the database knows
        self._told = AttemptLimiter(limit=1, window_s=QUIET_MIN * 60)
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_MOST)

    def noted(self, room_id: str, owner_id: str) -> None:
        """Somebody waits in this room, and its owner is not there. Does not wait."""
        now = self._clock.monotonic()
        self._told.forget(now)
        if not self._waiting.full() and self._told.attempt(room_id, now):
            self._waiting.put_nowait((room_id, owner_id))

    async def run(self) -> None:
        """Goes on until cancelled."""
        while True:
            room_id, owner_id = await self._waiting.get()
            tell = partial(
                notifications.tell,
                now_ms=self._clock.now_ms(),
                user_id=owner_id,
                kind="somebody_waits",
                object_id=room_id,
                quiet_ms=minutes(QUIET_MIN),
            )
            try:
                async with self._db.write() as conn:
                    await conn.run_sync(tell)
            except Exception:  # whatever it is, those who wait are seen in the room, too
                log.exception("an owner could not be told that somebody waits", room=room_id)
