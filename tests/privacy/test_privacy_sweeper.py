"""The sweeper: on time, within bounds, awake after failures, and asleep while the clock is doubted."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update
from tests.support.retention import NOW_MS, Clocks, add_messages, add_room, add_user, count, open_lifecycle

from pymeet.clock import ManualClock
from pymeet.db.schema import audit_events, mail_outbox, sessions, users
from pymeet.privacy import sweeper as sweeping
from pymeet.privacy.holds import place
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject
from pymeet.privacy.sweeper import Sweeper, next_daily_ms
from pymeet.retention import days, hours, minutes

MAIL = {"mail": {"host": "127.0.0.1", "encryption": "off", "from_address": "meet@example.org"}}


@pytest.fixture
async def lifecycle(tmp_path: Path):
    async with open_lifecycle(tmp_path) as made:
        await made.db.work(add_room, "room")
        yield made


async def ready(lifecycle: Lifecycle, clocks: Clocks | None = None, **more: Any) -> Sweeper:
    """A sweeper that has seen this clock before."""
    made = Sweeper(lifecycle, read_clocks=clocks or Clocks(), **more)
    await made.accept_clock("operator")
    return made


async def add(lifecycle: Lifecycle, *at_ms: int) -> None:
    await lifecycle.db.work(lambda conn: add_messages(conn, "room", *at_ms))


def add_session(conn: Connection, token: str, expires_at_ms: int) -> None:
    said = {"user_id": "ann", "created_at_ms": 1, "last_seen_at_ms": 1, "device": ""}
    conn.execute(insert(sessions).values(token_hash=token, id=token, expires_at_ms=expires_at_ms, **said))


async def audited(lifecycle: Lifecycle) -> list[tuple[str, dict[str, Any]]]:
    def ask(conn: Connection) -> list[tuple[str, dict[str, Any]]]:
        query = select(audit_events.c.action, audit_events.c.detail).order_by(audit_events.c.sequence)
        return [(row.action, json.loads(row.detail or "{}")) for row in conn.execute(query)]

    return [each for each in await lifecycle.db.study(ask) if each[0] != "retention.clock_accepted"]


async def test_a_daily_pass_deletes_what_is_over_and_nothing_else(lifecycle: Lifecycle):
    """The promise of the privacy page."""
    sweeper = await ready(lifecycle)
    await add(lifecycle, NOW_MS - days(90), NOW_MS - days(90) + 1)

    status = await sweeper.sweep()

    assert await count(lifecycle.db) == 1
    assert (status.deleted, status.waiting, status.held, status.last_daily_ms) == (1, 0, 0, NOW_MS)


async def test_what_lives_shortly_is_looked_for_often(lifecycle: Lifecycle):
    """Sessions every few minutes, chats once a day."""
    sweeper = await ready(lifecycle)
    await add(lifecycle, NOW_MS - days(91))

    def fill(conn: Connection) -> None:
        add_user(conn, "ann")
        add_session(conn, "over", NOW_MS - hours(1))
        add_session(conn, "nearly", NOW_MS - hours(1) + 1)

    await lifecycle.db.work(fill)

    await sweeper.sweep(daily=False)

    assert await count(lifecycle.db, "sessions") == 1
    assert await count(lifecycle.db) == 1


async def test_each_daily_pass_is_in_the_audit_log_and_an_idle_short_one_is_not(lifecycle: Lifecycle):
    """What, when, why, how many; 288 empty notes a day would hide the rest."""
    sweeper = await ready(lifecycle)
    await sweeper.sweep(daily=False)
    assert await audited(lifecycle) == []

    await add(lifecycle, NOW_MS - days(91))
    await sweeper.sweep()

    (begun, done, swept) = await audited(lifecycle)
    assert (begun[0], begun[1]["chat"]) == ("purge.begun", 1)
    assert (done[0], done[1]["chat"]) == ("purge.done", 1)
    assert swept == (
        "retention.swept",
        {"rows": 1, "waiting": 0, "held": 0, "files_waiting": 0, "rows_ahead": 0},
    )


async def test_a_shortened_period_deletes_nothing_for_72_hours(tmp_path: Path):
    """From the configuration down to the rows."""
    clocks = Clocks()
    async with open_lifecycle(tmp_path) as lifecycle:
        await lifecycle.db.work(add_room, "room")
        await add(lifecycle, NOW_MS - days(30))
    async with open_lifecycle(tmp_path, retention={"chat": "7d"}) as lifecycle:
        sweeper = await ready(lifecycle, clocks)
        await sweeper.sweep()
        clocks.pass_time(lifecycle, hours(72) - 1)
        await sweeper.sweep()
        assert await count(lifecycle.db) == 1

        clocks.pass_time(lifecycle, 1)
        await sweeper.sweep()
        assert await count(lifecycle.db) == 0


async def test_while_the_clock_is_doubted_nothing_goes_until_somebody_accepts_it(
    lifecycle: Lifecycle, capsys: pytest.CaptureFixture[str]
):
    """A clock that jumps a year ahead would otherwise empty the server within the next five minutes."""
    clocks = Clocks()
    sweeper = await ready(lifecycle, clocks)
    await add(lifecycle, *[NOW_MS - minutes(1)] * 20)
    await sweeper.sweep()
    clock = lifecycle.clock
    assert isinstance(clock, ManualClock)
    clock.utc_ms += days(400)

    for _ in range(3):
        status = await sweeper.sweep()
    assert status.doubts == ("all_would_go", "stepped")
    assert await count(lifecycle.db) == 20
    assert capsys.readouterr().out.count("the clock may be wrong") == 1  # told once for one set of doubts

    clock.utc_ms -= days(400)
    assert (await sweeper.sweep()).doubts == ()
    assert await count(lifecycle.db) == 20

    clock.utc_ms += days(400)
    await sweeper.accept_clock("operator")
    status = await sweeper.sweep()
    assert status.doubts == ()
    assert await count(lifecycle.db) == 0


async def test_without_an_earlier_reading_much_is_not_deleted(lifecycle: Lifecycle):
    """After an update from a version without sweeps, or a restore, somebody looks first."""
    sweeper = Sweeper(lifecycle, read_clocks=Clocks())
    await add(lifecycle, *[NOW_MS - days(91)] * 20)

    assert (await sweeper.sweep()).doubts == ("no_mark",)
    assert await count(lifecycle.db) == 20


async def test_a_pass_deletes_no_more_than_its_cap(lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch):
    """Whatever goes wrong, somebody may notice before the next day."""
    monkeypatch.setattr(sweeping, "CAP_ROWS", 1)
    monkeypatch.setattr("pymeet.privacy.purge.CHUNK", 40)
    sweeper = await ready(lifecycle)
    await add(lifecycle, *[NOW_MS - days(91)] * 100, NOW_MS)

    assert (await sweeper.sweep()).waiting == 60


async def test_the_administrator_who_was_here_last_stays(lifecycle: Lifecycle):
    """Even when everybody was away for years."""

    async def erase(person: DataSubject, cause: str) -> None:
        assert cause == "inactivity"
        await lifecycle.db.work(lambda conn: conn.execute(users.delete().where(users.c.id == person.id)).rowcount)

    def fill(conn: Connection) -> None:
        for number, name in enumerate(("boss", "second", "member")):
            add_user(conn, name, seen_ms=NOW_MS - days(800 + number), admin=name != "member")

    sweeper = await ready(lifecycle, erase=erase)
    await lifecycle.db.work(fill)

    await sweeper.sweep()

    async with lifecycle.db.read() as conn:
        assert list((await conn.execute(select(users.c.id))).scalars()) == ["boss"]


async def test_people_are_told_30_and_7_days_before_their_account_ends(tmp_path: Path):
    """Once each, and not at all when they come back; the account ends when it was said to."""
    clocks = Clocks()
    erased: list[str] = []

    async def erase(person: DataSubject, _cause: str) -> None:
        erased.append(person.id)
        await lifecycle.db.work(lambda conn: conn.execute(users.delete().where(users.c.id == person.id)).rowcount)

    def mails(conn: Connection) -> list[tuple[str, str]]:
        query = select(mail_outbox.c.to_address, mail_outbox.c.template_values, mail_outbox.c.template)
        rows = conn.execute(query.order_by(mail_outbox.c.created_at_ms)).all()
        assert {row.template for row in rows} <= {"account_expiring"}
        return [(row.to_address, json.loads(row.template_values)["days"]) for row in rows]

    async with open_lifecycle(tmp_path, config=MAIL) as lifecycle:
        sweeper = await ready(lifecycle, clocks, erase=erase, site_url="https://meet.example.org")
        await lifecycle.db.work(lambda conn: add_user(conn, "boss", admin=True))
        for name in ("ann", "bob"):
            await lifecycle.db.work(lambda conn, name=name: add_user(conn, name, seen_ms=NOW_MS - days(699)))

        told, before = [], 0
        for day in (1, 2, 10, 23, 24, 25, 29, 30, 31, 34):
            clocks.pass_time(lifecycle, days(day - before))
            before = day
            if day == 10:
                now_ms = lifecycle.clock.now_ms()
                await lifecycle.db.work(_seen, "bob", now_ms)
            await sweeper.sweep()
            await sweeper.sweep()
            waiting = await lifecycle.db.work(mails)
            told += [(day, *each) for each in waiting]
            await lifecycle.db.work(lambda conn: conn.execute(mail_outbox.delete()).rowcount)
            if "ann" in erased and day < 31:
                raise AssertionError(day)

    assert told == [
        (1, "ann@example.org", "30"),
        (1, "bob@example.org", "30"),
        (24, "ann@example.org", "7"),
    ]
    assert erased == ["ann"]


def _seen(conn: Connection, user_id: str, at_ms: int) -> None:
    conn.execute(update(users).where(users.c.id == user_id).values(last_seen_at_ms=at_ms))


async def test_the_warning_comes_in_the_language_that_the_person_chose(tmp_path: Path):
    """Who does not understand it loses the account."""
    async with open_lifecycle(tmp_path, config=MAIL) as lifecycle:
        sweeper = await ready(lifecycle, Clocks())
        await lifecycle.db.work(lambda conn: add_user(conn, "boss", admin=True))
        await lifecycle.db.work(lambda conn: add_user(conn, "ann", seen_ms=NOW_MS - days(701), language="de"))
        await sweeper.sweep()
        query = select(mail_outbox.c.language)
        assert await lifecycle.db.study(lambda conn: list(conn.execute(query).scalars())) == ["de"]


async def test_a_warning_that_comes_late_still_leaves_a_week(tmp_path: Path):
    """A server that was off for a year must not erase people in the minute in which it starts."""
    clocks = Clocks()
    erased: list[int] = []
    passed: list[int] = []

    async def erase(person: DataSubject, _cause: str) -> None:
        erased.append(passed[-1])
        await lifecycle.db.work(lambda conn: conn.execute(users.delete().where(users.c.id == person.id)).rowcount)

    async with open_lifecycle(tmp_path, config=MAIL) as lifecycle:
        sweeper = await ready(lifecycle, clocks, erase=erase)
        await lifecycle.db.work(lambda conn: add_user(conn, "boss", admin=True))
        await lifecycle.db.work(lambda conn: add_user(conn, "ann", seen_ms=NOW_MS - days(1000)))
        for day in range(9):
            passed.append(day)
            await sweeper.sweep()
            clocks.pass_time(lifecycle, days(1))
        assert await count(lifecycle.db, "mail_outbox") == 0  # erased with her

    assert erased == [7]


async def test_a_warning_from_before_somebody_came_back_does_not_count(tmp_path: Path):
    """Who was told once, came back and stayed away again must be told again before the account ends."""
    clocks = Clocks()
    erased: list[str] = []

    async def erase(person: DataSubject, _cause: str) -> None:
        erased.append(person.id)

    async with open_lifecycle(tmp_path, config=MAIL) as lifecycle:
        sweeper = await ready(lifecycle, clocks, erase=erase)
        await lifecycle.db.work(lambda conn: add_user(conn, "boss", admin=True))
        await lifecycle.db.work(lambda conn: add_user(conn, "ann", seen_ms=NOW_MS - days(701)))
        await sweeper.sweep()
        clocks.pass_time(lifecycle, days(1))
        await lifecycle.db.work(_seen, "ann", lifecycle.clock.now_ms())
        clocks.pass_time(lifecycle, days(731))
        await lifecycle.db.work(_seen, "boss", lifecycle.clock.now_ms())

        await sweeper.sweep()

        assert erased == []
        assert await count(lifecycle.db, "mail_outbox") == 2


async def test_without_mail_accounts_end_without_a_warning(lifecycle: Lifecycle):
    """Nobody could be written to; the privacy page says so."""
    erased: list[str] = []

    async def erase(person: DataSubject, _cause: str) -> None:
        erased.append(person.id)

    sweeper = await ready(lifecycle, erase=erase)
    await lifecycle.db.work(lambda conn: add_user(conn, "ann", seen_ms=NOW_MS - days(731)))

    await sweeper.sweep()

    assert erased == ["ann"]
    assert await count(lifecycle.db, "mail_outbox") == 0


@pytest.mark.parametrize(
    ("now", "at", "wanted"),
    [
        ("2027-01-15T08:00Z", "02:00", "2027-01-16T02:00Z"),
        ("2027-01-15T01:59Z", "02:00", "2027-01-15T02:00Z"),
        ("2027-01-15T02:00Z", "02:00", "2027-01-16T02:00Z"),
        ("2026-10-25T00:30Z", "02:30", "2026-10-25T02:30Z"),  # the night with 25 hours in Europe
        ("2028-02-28T23:00Z", "00:15", "2028-02-29T00:15Z"),
        ("2026-12-31T23:59Z", "23:58", "2027-01-01T23:58Z"),
    ],
)
def test_the_daily_hour_is_in_utc(now: str, at: str, wanted: str):
    """Every day exactly once, also on days on which local clocks change."""

    def ms(text: str) -> int:
        from datetime import datetime

        return int(datetime.fromisoformat(text).timestamp() * 1000)

    assert next_daily_ms(ms(now), at) == ms(wanted)


async def test_it_goes_on_after_failures_and_ends_when_cancelled(lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch):
    """One table that cannot be swept, or one hook with a mistake, must not stop all deletion for ever."""
    monkeypatch.setattr(sweeping, "EVERY_MS", 10)
    calls: list[str] = []

    async def broken() -> None:
        calls.append("broken")
        raise RuntimeError("Ann Smith")

    async def fine() -> None:
        calls.append("fine")
        if calls.count("fine") == 2:
            twice.set()

    twice = asyncio.Event()
    sweeper = await ready(lifecycle, hooks=[broken, fine])
    task = asyncio.create_task(sweeper.run())
    async with asyncio.timeout(20):
        await twice.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert calls[:4] == ["broken", "fine", "broken", "fine"]
    assert sweeper.status.failed_passes >= 2
    assert sweeper.status.next_daily_ms == next_daily_ms(NOW_MS, "02:00")


async def test_a_hold_that_nobody_looked_at_again_is_reported_and_stays(lifecycle: Lifecycle):
    """A forgotten hold keeps data for ever, and ending by itself would end what a court asked for."""

    def hold(conn: Connection) -> None:
        said = {"reason": "legal_claim", "review_at_ms": NOW_MS + 1, "now_ms": NOW_MS, "actor": "operator"}
        place(conn, room_id="room", **said)  # type: ignore[arg-type]

    clocks = Clocks()
    sweeper = await ready(lifecycle, clocks)
    await lifecycle.db.work(hold)
    assert (await sweeper.sweep()).holds_to_review == 0

    clocks.pass_time(lifecycle, 1)

    assert (await sweeper.sweep()).holds_to_review == 1
    assert await count(lifecycle.db, "holds", lambda c: c.released_at_ms.is_(None)) == 1


async def test_a_sweep_that_is_cancelled_leaves_whole_transactions(lifecycle: Lifecycle):
    """The server stops at any moment."""
    sweeper = await ready(lifecycle)
    await add(lifecycle, *[NOW_MS - days(91)] * 3000, NOW_MS)
    task = asyncio.create_task(sweeper.sweep())
    for _ in range(200):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    await sweeper.sweep()

    assert await count(lifecycle.db) == 1


async def test_its_readings_have_names_for_prometheus(lifecycle: Lifecycle):
    """An alarm on a missed promise needs a number to look at."""
    sweeper = await ready(lifecycle)
    await add(lifecycle, NOW_MS - days(91), NOW_MS + days(3))
    await sweeper.sweep()

    gauges = sweeper.status.gauges()

    assert gauges["pymeet_retention_last_daily_pass_timestamp_seconds"] == NOW_MS / 1000
    assert gauges["pymeet_retention_deleted_rows"] == 1
    assert gauges["pymeet_retention_rows_ahead"] == 1
    assert gauges["pymeet_retention_clock_doubted"] == 0
