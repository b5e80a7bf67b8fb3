"""What the lifecycle works with: built once, by `server.py` for the server or by `ops/services.py` for one command."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from pymeet.clock import Clock
from pymeet.config import Config
from pymeet.db.engine import Database
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.db.server_settings import ServerSettings
from pymeet.privacy.people import DataSubject
from pymeet.privacy.periods import Periods


async def _nobody_is_here(_person: DataSubject) -> None:
    """Where no server runs, nobody is in a meeting."""


async def _nothing_runs(_person: DataSubject, _object_id: str) -> None:
    """Where no server runs, nothing goes on that a consent allowed."""


async def _no_films(_person_ids: Collection[str]) -> None:
    """Where no server runs, no film is being made."""


@dataclass(frozen=True)
class Lifecycle:
    """The database, the sealed files with their keys, the periods in force, and what only a running server knows."""

    config: Config
    db: Database
    files: Files
    keys: KeyStore
    periods: Periods
    clock: Clock
    running_rooms: Callable[[], frozenset[str]] = frozenset
    """The ids of rooms in which people are now: what belongs to a running meeting is not purged by hand."""
    remove_from_meetings: Callable[[DataSubject], Awaitable[None]] = _nobody_is_here
    """Takes a person out of all meetings."""
    lag_s: Callable[[], float] = lambda: 0.0
    """How late the event loop was, at worst, in the last second: long work waits while meetings suffer."""
    worst_lag_s: Callable[[], float] = lambda: 0.0
    """The same in the last ten seconds, for work that wants to stay unnoticed."""
    poke_mail: Callable[[], None] = lambda: None
    """Tells the mailer that there is something to send."""
    consent_withdrawn: Callable[[DataSubject, str], Awaitable[None]] = _nothing_runs
    """Stops what a consent to this object allowed; called when the withdrawal is in the database."""
    withdraw_from_films: Callable[[Collection[str]], Awaitable[None]] = _no_films
    """Lets no film be made of these people (ids of `recording_people`) any more; called before their rows go."""
    cancel_meetings: Callable[[DataSubject], Awaitable[None]] = _nobody_is_here
    """Cancels what a person planned for later, and tells those invited; called when they are being erased."""
    poke_films: Callable[[], None] = lambda: None
    """Tells who makes films that some wait; called when the rows of people whom they showed are gone."""
    settings: ServerSettings | None = None
    """What administrators set at run time; None where only the configuration counts."""

    @property
    def in_force(self) -> Config:
        """The configuration with what administrators set over it, as it is now."""
        return self.config if self.settings is None else self.settings.config
