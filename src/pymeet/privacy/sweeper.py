"""Sweeps while the server runs: at the start, every day at the hour the configuration names, and what lives shortly every
five minutes. Each pass plans, asks the clock guard, and executes; what goes wrong is told, and tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Select, exists, select

from pymeet.db import audit
from pymeet.db.inventory import Keep
from pymeet.db.outbox import queue_statement
from pymeet.db.schema import audit_events, audit_people, users
from pymeet.privacy import clockguard, consents, gone
from pymeet.privacy.clockguard import Reading
from pymeet.privacy.expiring import announce_endings
from pymeet.privacy.holds import held, to_review
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.plan import INVENTORY, WARN_BEFORE_MS, WARNED, Plan, not_last_admin, plan
from pymeet.privacy.purge import EraseCallable, execute
from pymeet.retention import CLASSES, days, minutes
from pymeet.retention import Pace as HowOften

log = structlog.get_logger(__name__)

EVERY_MS: Final = minutes(5)
"""How often what lives shortly is looked for."""

CAP_ROWS: Final = 500_000
"""A pass deletes no more rows than this of one kind; the rest waits for the next, and somebody may notice meanwhile."""

_WARN_AT_ONCE = 50

Hook = Callable[[], Awaitable[object]]
"""Something else that is to be done every few minutes: due erasures, reminders, signing the audit log."""


@dataclass(frozen=True)
class Status:
    """How the sweeps stand; times are UTC milliseconds, None for never."""

    last_pass_ms: int | None = None
    last_daily_ms: int | None = None
    next_daily_ms: int | None = None
    deleted: int = 0
    """Rows deleted since the server was started."""
    waiting: int = 0
    """Rows that were over after the last daily pass and are still there, without those under a hold."""
    held: int = 0
    holds_to_review: int = 0
    """Holds that somebody should have looked at again; they stay in force."""
    files_waiting: int = 0
    rows_ahead: int = 0
    """Rows whose clock is more than a day ahead of ours."""
    doubts: tuple[str, ...] = ()
    """Why the clock is not believed (`clockguard.judge`); nothing is deleted until somebody accepts it."""
    failed_passes: int = 0

    def gauges(self) -> Mapping[str, float]:
        """The readings for Prometheus by name; docs/admin.md explains them."""
        return {
            "pymeet_retention_last_pass_timestamp_seconds": (self.last_pass_ms or 0) / 1000,
            "pymeet_retention_last_daily_pass_timestamp_seconds": (self.last_daily_ms or 0) / 1000,
            "pymeet_retention_deleted_rows": self.deleted,
            "pymeet_retention_waiting_rows": self.waiting,
            "pymeet_retention_held_rows": self.held,
            "pymeet_retention_holds_to_review": self.holds_to_review,
            "pymeet_retention_waiting_files": self.files_waiting,
            "pymeet_retention_rows_ahead": self.rows_ahead,
            "pymeet_retention_clock_doubted": float(bool(self.doubts)),
            "pymeet_retention_failed_passes": self.failed_passes,
        }


class Sweeper:
    """One for each server. `run()` goes on until it is cancelled."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        *,
        erase: EraseCallable | None = None,
        hooks: Sequence[Hook] = (),
        read_clocks: Callable[[int], Reading] = clockguard.read_clocks,
        site_url: str = "",
        recordings_url: str = "",
    ) -> None:
        """`erase` erases a person whose account is over; without it accounts stay. `site_url` stands in their warning.

        `recordings_url` is the page of recordings, for warnings that one ends.
        """
        self._lifecycle = lifecycle
        self._erase = erase
        self._hooks = hooks
        self._read_clocks = read_clocks
        self._site_url = site_url
        self._recordings_url = recordings_url
        self._doubts: frozenset[str] = frozenset()
        self._one_at_a_time = asyncio.Lock()
        self.status = Status()

    async def run(self) -> None:
        """Sweeps everything now, then goes on for ever. Whatever fails is logged, and tried again at the next turn."""
        daily_ms: int | None = None
        while True:
            now_ms = self._lifecycle.clock.now_ms()
            # a clock that was set back must not put the next daily pass off for long
            is_daily = daily_ms is None or now_ms >= daily_ms or daily_ms - now_ms > days(1)
            if is_daily:
                daily_ms = next_daily_ms(now_ms, self._lifecycle.config.retention.at)
            self.status = replace(self.status, next_daily_ms=daily_ms)
            await self._survive("sweep", partial(self.sweep, daily=is_daily))
            for hook in self._hooks:
                await self._survive(getattr(hook, "__qualname__", "hook"), hook)
            await asyncio.sleep(EVERY_MS / 1000)

    async def sweep(self, *, daily: bool = True) -> Status:
        """One pass; without `daily` only over what lives shortly. Does nothing while the clock is doubted."""
        async with self._one_at_a_time:
            clock = self._lifecycle.clock
            now_ms = clock.now_ms()
            classes = [
                name for name, each in CLASSES.items() if name in _SWEPT and (daily or each.pace is HowOften.OFTEN)
            ]
            mails = self._lifecycle.config.mail.host is not None
            made = await self._lifecycle.db.study(_planned, self._lifecycle, now_ms, classes, mails)
            if await self._is_doubted(made):
                return self.status
            if daily:
                await gone.queue_unknown(self._lifecycle)
                if mails:
                    await self._warn(now_ms)
                if told := await announce_endings(self._lifecycle, self._recordings_url):
                    log.info("recordings that end soon were announced", count=told)
            deleted = 0
            if made.count:
                outcome = await execute(
                    self._lifecycle, made, actor=audit.SYSTEM, erase=self._erase, announce=daily, cap=CAP_ROWS
                )
                deleted = sum(outcome.done.values())
            else:
                await gone.remove_pending(self._lifecycle)
            await self._lifecycle.db.work(consents.end_of_gone, now_ms)
            await self._note(now_ms, deleted, daily=daily, classes=classes)
            return self.status

    async def accept_clock(self, actor: str) -> None:
        """Believes the clock as it is, because somebody looked at it."""
        await accept_clock(self._lifecycle, actor, self._read_clocks)
        self._doubts = frozenset()
        self.status = replace(self.status, doubts=())

    async def _is_doubted(self, made: Plan) -> bool:
        doubts = await doubts_about(self._lifecycle, made, self._read_clocks)
        if doubts and doubts != self._doubts:
            log.error(
                "nothing is deleted, because the clock may be wrong; "
                "correct it, or accept it with `pymeet purge --accept-clock`",
                doubts=sorted(doubts),
                rows=made.count,
            )
        self._doubts = doubts
        self.status = replace(self.status, doubts=tuple(sorted(doubts)))
        if not doubts:
            reading = self._read_clocks(made.made_at_ms)
            await self._lifecycle.db.work(clockguard.mark, reading)
        return bool(doubts)

    async def _warn(self, now_ms: int) -> None:
        """Writes to people whose account ends soon; whoever signs in keeps it."""
        # the period as it will be by then: a shortened one that still waits counts already
        period_ms = self._lifecycle.periods.period_ms("account", now_ms + max(WARN_BEFORE_MS))
        if period_ms is None:
            return
        language = self._lifecycle.config.mail.language
        count = 0
        while told := await self._lifecycle.db.work(_warn_some, period_ms, now_ms, language, self._site_url):
            count += told
        if count:
            self._lifecycle.poke_mail()
            log.info("people were told that their account ends soon", people=count)

    async def _note(self, now_ms: int, deleted: int, *, daily: bool, classes: Sequence[str]) -> None:
        db = self._lifecycle.db
        files = await db.study(gone.waiting)
        self.status = replace(
            self.status, last_pass_ms=now_ms, deleted=self.status.deleted + deleted, files_waiting=files
        )
        if daily:
            left = await db.study(
                _planned, self._lifecycle, now_ms, classes, self._lifecycle.config.mail.host is not None
            )
            ahead = await db.study(clockguard.ahead, now_ms)
            if ahead:
                log.warning("rows have a clock ahead of ours", rows=ahead)
            overdue = await db.study(to_review, now_ms)
            if overdue:
                log.warning("legal holds wait for somebody to look whether they are still needed", count=overdue)
            self.status = replace(
                self.status,
                last_daily_ms=now_ms,
                waiting=left.count,
                held=left.held,
                holds_to_review=overdue,
                rows_ahead=ahead,
            )
            detail: audit.Detail = {
                "rows": deleted,
                "waiting": left.count,
                "held": left.held,
                "files_waiting": files,
                "rows_ahead": ahead,
            }
            await db.work(audit.record_now, now_ms, audit.SYSTEM, "retention.swept", "retention", detail)

    async def _survive(self, what: str, work: Hook) -> None:
        try:
            await work()
        except Exception as error:
            log.exception("a part of the sweep failed; it will be tried again", part=what, error=type(error).__name__)
            self.status = replace(self.status, failed_passes=self.status.failed_passes + 1)


async def doubts_about(
    lifecycle: Lifecycle, made: Plan, read_clocks: Callable[[int], Reading] = clockguard.read_clocks
) -> frozenset[str]:
    """Why the clock should not be believed for this plan; empty when it should."""
    before = await lifecycle.db.study(clockguard.last_mark)
    facts = await lifecycle.db.study(clockguard.facts, made)
    return clockguard.judge(read_clocks(made.made_at_ms), before, facts).doubts


async def accept_clock(
    lifecycle: Lifecycle, actor: str, read_clocks: Callable[[int], Reading] = clockguard.read_clocks
) -> None:
    """Believes the clock as it is; the next pass goes on from here."""
    await lifecycle.db.work(clockguard.accept, read_clocks(lifecycle.clock.now_ms()), actor)


def next_daily_ms(now_ms: int, at: str) -> int:
    """When it is `at`, a time of day in UTC such as 02:00, for the next time after now."""
    hours, _, mins = at.partition(":")
    today_ms = now_ms - now_ms % days(1) + minutes(60 * int(hours) + int(mins))
    return today_ms if today_ms > now_ms else today_ms + days(1)


_SWEPT = frozenset(rule.name for entry in INVENTORY for rule in entry.keep if isinstance(rule, Keep))
"""The classes that have rows in tables; others, such as backups, are looked after by those who make them."""


def _planned(conn: Connection, lifecycle: Lifecycle, now_ms: int, classes: Sequence[str], only_warned: bool) -> Plan:
    return plan(conn, lifecycle.periods, now_ms, classes=classes, only_warned=only_warned)


def _warn_some(conn: Connection, period_ms: int, now_ms: int, language: str, url: str) -> int:
    """Queues a mail for people who were not told since the day on which they should have been; how many.

    `language` is for those who chose none.
    """
    told = 0
    for before_ms in sorted(WARN_BEFORE_MS):
        for user_id, address, own_language, last_seen_ms in conn.execute(_ending(period_ms, now_ms, before_ms)).all():
            # a warning that comes late still leaves a week
            left_ms = max(last_seen_ms + period_ms - now_ms, min(WARN_BEFORE_MS))
            values = {"days": str(-(-left_ms // days(1))), "url": url}
            mail = queue_statement(
                now_ms=now_ms,
                user_id=user_id,
                to=address,
                template="account_expiring",
                values=values,
                language=own_language or language,
            )
            conn.execute(mail)
            audit.record_now(conn, now_ms, audit.SYSTEM, WARNED, audit.Person(user_id))
            told += 1
    return told


def _ending(period_ms: int, now_ms: int, before_ms: int) -> Select[Any]:
    """People whose account ends so soon, and who were not told since that moment."""
    told = select(audit_events.c.sequence).join(audit_people, audit_people.c.pseudonym == audit_events.c.target)
    told = told.where(
        audit_people.c.user_id == users.c.id,
        audit_events.c.action == WARNED,
        audit_events.c.at_ms >= users.c.last_seen_at_ms + period_ms - before_ms,
    )
    return (
        select(users.c.id, users.c.email, users.c.language, users.c.last_seen_at_ms)
        .where(
            users.c.last_seen_at_ms <= now_ms - period_ms + before_ms,
            users.c.disabled_at_ms.is_(None),
            ~held(users),
            not_last_admin(),
            ~exists(told.correlate(users)),
        )
        .order_by(users.c.last_seen_at_ms)
        .limit(_WARN_AT_ONCE)
    )
