"""What runs beside the server keeps its promises also when a clock, or a part of it, goes wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from tests.support.erasing import fill, new_member, opened

from pymeet.clock import ManualClock
from pymeet.db.schema import recording_people, requests
from pymeet.ops.backup import keep_ledgers
from pymeet.ops.keeping import Keeping
from pymeet.ops.mailer import Mailer
from pymeet.ops.services import Services
from pymeet.privacy import consents
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.ledger import Ledger
from pymeet.privacy.notices import Notices
from pymeet.privacy.people import member
from pymeet.retention import days

NOW_MS = 1_795_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_ms=NOW_MS)


@pytest.fixture
async def services(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Services]:
    async with opened(tmp_path, clock=clock) as services:
        yield services


@contextlib.asynccontextmanager
async def running(services: Services, clock: ManualClock) -> AsyncIterator[Keeping]:
    """The sweeps beside a server, with their first pass behind them."""
    keeping = Keeping(services.lifecycle, Mailer(services.db, services.config, clock))
    await keeping.prepare()
    tasks: list[asyncio.Task[None]] = []

    def beside(work: Coroutine[Any, Any, None]) -> None:
        tasks.append(asyncio.create_task(work))

    keeping.start(beside)
    try:
        async with asyncio.timeout(30):
            # signing the audit log is the last thing of a pass
            while not (services.config.data_dir / "ledger" / "audit-checkpoints.jsonl").exists():
                assert not any(task.done() for task in tasks)
                await asyncio.sleep(0.01)
        yield keeping
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_clock_that_jumps_ends_nobodys_time_to_think_better_of_it(
    services: Services, clock: ManualClock
) -> None:
    """An erasure cannot be undone when the clock is put right again."""
    ann = new_member()
    await fill(services, ann)
    async with services.db.write() as conn:  # nothing else is over
        for table in ("messages", "attendance", "sessions", "one_time_links", "mail_outbox", "exports"):
            await conn.execute(text(f"DELETE FROM {table}"))
    request = await Erasures(services.lifecycle).request(ann.person, "self", ann.person.id)
    keeping = Keeping(services.lifecycle, Mailer(services.db, services.config, clock))
    await keeping.sweeper.sweep()
    assert keeping.sweeper.status.doubts == ()

    clock.advance(days(21) / 1000)  # the machine itself ran for a moment only
    async with running(services, clock) as keeping:
        assert "stepped" in keeping.sweeper.status.doubts

    async with services.db.read() as conn:
        state = (await conn.execute(select(requests.c.state).where(requests.c.id == request.id))).scalar_one()
    assert state == "restricted"


async def test_who_withdrew_for_good_is_taken_out_also_when_that_was_cut_short(
    services: Services, clock: ManualClock
) -> None:
    """By the next sweep, without anybody asking again: the server died, or a hold was in the way."""
    ann = new_member()
    await fill(services, ann)

    def withdraw(conn: Connection) -> None:
        (recording_id,) = set(conn.execute(select(recording_people.c.recording_id).where(theirs)).scalars())
        said = {"notice_version": 1, "language": "en", "now_ms": NOW_MS}
        for decision, method in (("given", "dialog"), ("withdrawn", "settings")):
            consents.record(conn, ann.person, "recording", recording_id, decision, method=method, **said)

    theirs = recording_people.c.user_id == ann.person.id
    await Notices(services.lifecycle).current(NOW_MS)
    await services.db.work(withdraw)

    async with running(services, clock), services.db.read() as conn:
        assert (await conn.execute(select(recording_people).where(theirs))).first() is None


async def test_a_clock_that_jumps_forgets_no_erasure(services: Services, clock: ManualClock) -> None:
    """The copy of the ledger beside the backups is what keeps erased people from coming back with them."""
    keeping = Keeping(services.lifecycle, Mailer(services.db, services.config, clock))
    await keeping.sweeper.sweep()
    ledger = Ledger.open(services.config.data_dir, services.keys)
    line = ledger.line(member("u1"), None, "self", clock.now_ms(), "i")
    ledger.append(line)
    services.config.backup_dir.mkdir()

    clock.advance(days(4000) / 1000)
    await keep_ledgers(services.lifecycle)

    assert Ledger.open(services.config.backup_dir, services.keys).read().lines == (line,)


async def test_the_sweeps_begin_also_where_an_erasure_cannot_be_taken_up(
    services: Services, clock: ManualClock
) -> None:
    """Otherwise one mistake at the start would end retention for good, without a word."""
    ann = new_member()
    await fill(services, ann)
    request = await Erasures(services.lifecycle).request(ann.person, "self", ann.person.id, grace_ms=0)
    async with services.db.write() as conn:
        damaged = text("UPDATE requests SET not_before_ms = 'not a number' WHERE id = :id")
        await conn.execute(damaged, {"id": request.id})

    async with running(services, clock) as keeping:
        assert keeping.sweeper.status.last_pass_ms is not None
