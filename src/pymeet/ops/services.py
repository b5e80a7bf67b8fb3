"""What operations work on: configuration, database and services, opened once for the server or for one command."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pymeet.accounts import totp
from pymeet.accounts.factors import Factors
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.service import Accounts
from pymeet.clock import Clock, SystemClock
from pymeet.config import Config
from pymeet.db import keys as key_store
from pymeet.db.engine import Database
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.db.server_settings import ServerSettings
from pymeet.keyring import Keyring
from pymeet.meetings import invitations
from pymeet.meetings.planning import Planning
from pymeet.meetings.service import Meetings
from pymeet.ops.addresses import public_url
from pymeet.ops.live_meetings import LiveMeetings
from pymeet.ops.restore_swap import check_no_restore_pending
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.periods import Periods
from pymeet.recording.catalogue import FilmMaker

Operation = Callable[..., Awaitable[Any]]
"""An async function over `Services`, with plain keyword arguments; what it returns JSON can carry.

One that takes long has a second parameter `progress`, a `pymeet.ops.progress.Progress`.
"""


class Live(Protocol):
    """What only a running server knows and can do."""

    def people(self, slug: str) -> int:
        """How many are in the room now."""

    def status(self) -> dict[str, Any]:
        """What `pymeet status` adds for a running server, as JSON-able values."""

    async def room_changed(self, slug: str) -> None:
        """Lets what was decided about a room hold in the meeting that is going on there."""

    async def room_deleted(self, slug: str) -> None:
        """Ends the meeting in a room that was deleted."""

    async def user_disabled(self, user_id: str) -> None:
        """Takes a disabled member out of all meetings."""


@dataclass(frozen=True)
class Services:
    """What the operations work on."""

    config: Config
    db: Database
    accounts: Accounts
    meetings: Meetings
    keyring: Keyring
    clock: Clock
    keys: KeyStore
    files: Files
    """Like `keys` synchronous: to be called in threads."""

    lifecycle: Lifecycle
    """The same things as what retention, exports and erasure work with."""

    factors: Factors
    """Second factors of members."""

    settings: ServerSettings
    """What administrators set at run time."""

    live: Live | None = None
    """None where no server runs."""

    films: FilmMaker | None = None
    """Makes films of recordings; None where no server runs."""

    running: LiveMeetings | None = None
    """The meetings that are going on; None where no server runs."""


@asynccontextmanager
async def open_services(
    config: Config, clock: Clock | None = None, passwords: Passwords | None = None
) -> AsyncIterator[Services]:
    """Opens keys, files and database (making or migrating it), without a server. `passwords` hashes them, by default as
    strongly as is recommended.

    ConfigError, WrongKeyError, or ConflictError while a backup is being restored here.
    """
    check_no_restore_pending(config)
    clock = clock or SystemClock()
    passwords = passwords or Passwords(minimum=config.accounts.minimum_password)
    keyring = Keyring.open(config.data_dir)
    with closing(await asyncio.to_thread(KeyStore.open, config.data_dir / key_store.FILE_NAME, keyring)) as keys:
        db = await Database.open(config.database_path)
        try:
            accounts = Accounts(
                db,
                clock,
                idle_ms=round(config.sessions.idle.total_seconds() * 1000),
                absolute_ms=round(config.sessions.absolute.total_seconds() * 1000),
                passwords=passwords,
            )
            files = Files(config.data_dir, keys)
            periods = await Periods.open(db, config.retention, clock.now_ms())
            settings = await ServerSettings.open(db, config)
            meetings = Meetings(db, clock, periods, passwords=passwords, rules=lambda: settings.config.rooms)
            lifecycle = Lifecycle(config, db, files, keys, periods, clock, settings=settings)
            rsvp_key = await asyncio.to_thread(keys.purpose_key, invitations.PURPOSE)
            planning = Planning.of(lifecycle, meetings, site=public_url(config), key=rsvp_key)
            lifecycle = replace(lifecycle, cancel_meetings=planning.schedule.cancel_of)
            factors = Factors(db, clock, await asyncio.to_thread(keys.purpose_key, totp.KEY_PURPOSE))
            yield Services(config, db, accounts, meetings, keyring, clock, keys, files, lifecycle, factors, settings)
        finally:
            await db.close()
