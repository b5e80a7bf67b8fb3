"""Notices a clock that jumped, before a sweep deletes what is not due.

The wall clock is compared with the time since the machine was started, which nobody sets, and with what was noted at the
sweep before. `judge` decides from facts alone; the rest fetches and keeps them.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from pymeet.db import audit
from pymeet.db.inventory import Keep, Purge
from pymeet.db.schema import clock_marks, metadata, requests
from pymeet.privacy.plan import INVENTORY, Plan, Step
from pymeet.retention import days

EARLIEST_MS: Final = 1_767_225_600_000
"""2026-01-01: pymeet did not exist before."""

STEP_MS: Final = days(7)
"""A clock that was set by more than this is not trusted without being asked about."""

DAY_MS: Final = days(1)

ENOUGH_ROWS: Final = 10
"""From so many rows on, a class that would vanish whole is a sign of a wrong clock."""

_AHEAD: Final = frozenset({"consent", "link", "recording", "session", "token"})
"""Classes whose clocks lie ahead by their nature: they show when something will have ended, or what was pinned."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Reading:
    """What the clocks show: the wall, and the milliseconds since the machine was started, with that start's own id."""

    wall_ms: int
    boot_id: str
    boot_ms: int


@dataclass(frozen=True)
class Facts:
    """What a plan would do, and how new the newest row is."""

    due: int
    """Rows that would go, and people who would be erased."""
    vanishing: tuple[str, ...]
    """Classes with `ENOUGH_ROWS` or more of which nothing would be left."""
    newest_ms: int | None


@dataclass(frozen=True)
class Verdict:
    """Whether the clock may be believed; `doubts` are fixed words, empty when it may."""

    doubts: frozenset[str]

    @property
    def trusted(self) -> bool:
        """Whether there is no doubt."""
        return not self.doubts


def read_clocks(wall_ms: int) -> Reading:
    """The reading now; `wall_ms` comes from the rim's clock."""
    # CLOCK_BOOTTIME counts while the machine sleeps, too: see clock_gettime(2).
    return Reading(wall_ms, _BOOT_ID.read_text().strip(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


def judge(now: Reading, before: Reading | None, facts: Facts) -> Verdict:
    """What speaks against believing the clock. Nothing does while nothing would be deleted, but for impossible readings.

    `too_early`: the year cannot be. `backwards`: it shows less than it did. `older_than_data`: rows are newer, and there
    is no earlier reading to tell who is right. `stepped`: it was set by more than a week while the machine ran.
    `all_would_go`: it was set by more than a day, or stood still over a week of being switched off, and a whole class
    would vanish. `no_mark`: there is no earlier reading, and much would go.
    """
    doubts = set()
    if now.wall_ms < EARLIEST_MS:
        doubts.add("too_early")
    if before is None:
        if facts.newest_ms is not None and facts.newest_ms > now.wall_ms + DAY_MS:
            doubts.add("older_than_data")
        if facts.due >= ENOUGH_ROWS:
            doubts.add("no_mark")
        return Verdict(frozenset(doubts))
    if now.wall_ms < before.wall_ms - DAY_MS:
        doubts.add("backwards")
    passed_ms = now.wall_ms - before.wall_ms
    if now.boot_id == before.boot_id:
        stepped_ms = abs(passed_ms - (now.boot_ms - before.boot_ms))
        if stepped_ms > STEP_MS and facts.due:
            doubts.add("stepped")
        if stepped_ms > DAY_MS and facts.vanishing:
            doubts.add("all_would_go")
    elif passed_ms > STEP_MS and facts.vanishing:
        doubts.add("all_would_go")
    return Verdict(frozenset(doubts))


def facts(conn: Connection, plan: Plan) -> Facts:
    """What `judge` needs to know about a plan."""
    vanishing = []
    for name in sorted({step.retention_class for step in plan.steps}):
        steps = [step for step in plan.steps if step.retention_class == name]
        if sum(step.count for step in steps) >= ENOUGH_ROWS and not _anything_stays(conn, name, steps):
            vanishing.append(name)
    return Facts(plan.count + _erasures_due(conn, plan.made_at_ms), tuple(vanishing), newest_ms(conn))


def _erasures_due(conn: Connection, now_ms: int) -> int:
    """How many people would be erased, whose time to think better of it is over by this clock."""
    waiting = requests.c.state == "restricted", requests.c.not_before_ms <= now_ms
    return conn.execute(select(func.count()).select_from(requests).where(*waiting)).scalar_one()


def newest_ms(conn: Connection) -> int | None:
    """The newest clock of any row."""
    found = []
    for table, rule in _clocks():
        if rule.name not in _AHEAD:
            found.append(conn.execute(select(func.max(metadata.tables[table].c[rule.clock]))).scalar())
    return max((each for each in found if each is not None), default=None)


def ahead(conn: Connection, now_ms: int) -> int:
    """How many rows have a clock more than a day ahead: they were written while the clock was wrong, or it is now."""
    count = 0
    for table, rule in _clocks():
        if rule.name not in _AHEAD:
            clock = metadata.tables[table].c[rule.clock]
            count += conn.execute(select(func.count()).where(clock > now_ms + DAY_MS)).scalar_one()
    return count


def last_mark(conn: Connection) -> Reading | None:
    """The reading at the sweep before."""
    row = conn.execute(select(clock_marks)).one_or_none()
    return None if row is None else Reading(row.wall_ms, row.boot_id, row.boot_ms)


def mark(conn: Connection, reading: Reading) -> None:
    """Notes a reading that is believed."""
    values = {"wall_ms": reading.wall_ms, "boot_id": reading.boot_id, "boot_ms": reading.boot_ms}
    upsert = insert(clock_marks).values(id=1, **values)
    conn.execute(upsert.on_conflict_do_update(index_elements=[clock_marks.c.id], set_=values))


def accept(conn: Connection, reading: Reading, actor: str) -> None:
    """Believes the clock as it is, because somebody looked at it."""
    mark(conn, reading)
    audit.record_now(conn, reading.wall_ms, actor, "retention.clock_accepted", "clock")


def _clocks() -> list[tuple[str, Keep]]:
    return [
        (entry.name, rule)
        for entry in INVENTORY
        for rule in entry.keep
        if isinstance(rule, Keep) and rule.purge is not Purge.ERASE
    ]


def _anything_stays(conn: Connection, name: str, steps: list[Step]) -> bool:
    """Whether the class has a row that is newer than every cutoff."""
    for entry in INVENTORY:
        for rule in entry.keep:
            if isinstance(rule, Keep) and rule.name == name:
                newest = conn.execute(select(func.max(metadata.tables[entry.name].c[rule.clock]))).scalar()
                if newest is not None and newest > max(step.cutoff_ms for step in steps):
                    return True
    return False
