"""A management socket with real services behind it, without the rest of a server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.ops.management import KEEP_ALIVE_S, ManagementServer, hold_data_dir
from pymeet.ops.operations import OPERATIONS
from pymeet.ops.services import Operation, Services, open_services
from tests.support.migrated import prepare


class FakeLive:
    """A running server as far as operations know it."""

    def __init__(self) -> None:
        self.happened: list[str] = []

    def people(self, slug: str) -> int:
        return 3

    def status(self) -> dict[str, Any]:
        return {"participants": 3}

    async def room_changed(self, slug: str) -> None:
        self.happened.append(f"changed {slug}")

    async def room_deleted(self, slug: str) -> None:
        self.happened.append(f"deleted {slug}")

    async def user_disabled(self, user_id: str) -> None:
        self.happened.append(f"disabled {user_id}")


@asynccontextmanager
async def serving(
    config: Config,
    live: FakeLive | None = None,
    *,
    operations: Mapping[str, Operation] = OPERATIONS,
    keep_alive_s: float = KEEP_ALIVE_S,
) -> AsyncIterator[Services]:
    """Offers `operations` on the socket of `config` until the block ends."""
    prepare(config.database_path)
    with hold_data_dir(config):
        async with open_services(config, ManualClock()) as services:
            served = replace(services, live=live or FakeLive())
            server = ManagementServer(
                served, lambda: b"pymeet_rooms 1\n", operations=operations, keep_alive_s=keep_alive_s
            )
            await server.start()
            try:
                yield served
            finally:
                await server.stop()
