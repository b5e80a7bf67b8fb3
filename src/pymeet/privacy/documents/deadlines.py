"""When things are gone at the latest: the period of a class, plus everything that may come after it.

A row is hidden when its period is over. It leaves the database with the next sweep, the write-ahead log with the
truncating checkpoint after that, and the last backup that holds it when that backup's own time is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pymeet.config import Config
from pymeet.db.inventory import Keep, Purge, entries
from pymeet.db.schema import metadata
from pymeet.retention import CLASSES, Pace, RetentionClass, days, hours, minutes

Effective = Mapping[str, int | None]
"""For every retention class the period in force, in milliseconds; None without end."""

SWEEP_MS = {Pace.OFTEN: minutes(5), Pace.DAILY: hours(24)}
"""How long a row that is over waits for the next sweep."""

CHECKPOINT_MS = minutes(5)
"""How long the write-ahead log may hold what was deleted, before it is emptied again."""

WARNING_MS = days(8)
"""Whoever is not warned in time is warned at the next daily sweep, and has a week from then on before the account ends."""

LONGEST_MONTH_MS = days(31)
"""What ends by the month waits for the month's last event."""


@dataclass(frozen=True)
class Deadline:
    """One retention class with the period in force; all in milliseconds."""

    rule: RetentionClass
    period_ms: int | None
    gone_ms: int | None
    """After how long it has left the database and its log; None without end."""
    gone_everywhere_ms: int | None
    """After how long it has left the last backup too."""


class InForce(Protocol):
    """What tells the period in force; `pymeet.privacy.periods.Periods` does."""

    def period_ms(self, name: str, now_ms: int) -> int | None:
        """How long a class is kept, in milliseconds; None without end."""


def configured(config: Config) -> Effective:
    """The periods that the configuration asks for."""
    return {name: config.retention.period_ms(name) for name in CLASSES}


def in_force(periods: InForce, now_ms: int) -> Effective:
    """The periods by which is deleted now: a shortened one acts later than it was configured."""
    return {name: periods.period_ms(name, now_ms) for name in CLASSES}


def deadlines(effective: Effective) -> dict[str, Deadline]:
    """Every class with its deadlines."""
    by_month = {
        rule.name
        for entry in entries(metadata)
        for rule in entry.keep
        if isinstance(rule, Keep) and rule.purge is Purge.SEGMENT
    }
    backup_ms = effective["backup"]
    found = {}
    for name, rule in CLASSES.items():
        period_ms = effective[name]
        gone_ms = everywhere_ms = None
        if period_ms is not None:
            gone_ms = period_ms + SWEEP_MS[rule.pace] + CHECKPOINT_MS
            gone_ms += LONGEST_MONTH_MS if name in by_month else 0
            gone_ms += WARNING_MS if name == "account" else 0
            if name == "backup":
                everywhere_ms = gone_ms
            elif backup_ms is not None:
                everywhere_ms = gone_ms + backup_ms + SWEEP_MS[CLASSES["backup"].pace]
        found[name] = Deadline(rule, period_ms, gone_ms, everywhere_ms)
    return found
