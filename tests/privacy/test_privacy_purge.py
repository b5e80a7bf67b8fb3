"""Purging: what is planned is done, holds count inside every transaction, and files leave the disk after their rows."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select
from tests.support.retention import DAY_MS, NOW_MS, add_messages, add_room, add_seat, add_user, count, open_lifecycle

from pymeet.db import audit
from pymeet.db.inventory import Keep, Purge
from pymeet.db.schema import (
    attendance,
    audit_events,
    exports,
    holds,
    messages,
    metadata,
    pending_gone,
    requests,
    room_retention,
    rooms,
    user_credentials,
    users,
)
from pymeet.ids import new_id
from pymeet.privacy import holds as legal_holds
from pymeet.privacy.gone import UNKNOWN_AFTER_MS, queue_unknown
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, member
from pymeet.privacy.plan import INVENTORY, Plan, plan
from pymeet.privacy.purge import CHUNK, Outcome, PurgeError, execute, remove_pending
from pymeet.privacy.rows import anonymise_rows
from pymeet.retention import days, hours

OLD_MS = NOW_MS - 100 * DAY_MS


@pytest.fixture
async def lifecycle(tmp_path: Path):
    async with open_lifecycle(tmp_path) as made:
        await made.db.work(add_room, "room")
        yield made


async def planned(lifecycle: Lifecycle, **more: Any) -> Plan:
    return await lifecycle.db.study(lambda conn: plan(conn, lifecycle.periods, lifecycle.clock.now_ms(), **more))


async def purge(lifecycle: Lifecycle, made: Plan | None = None, **more: Any) -> Outcome:
    said = {"actor": "operator", "pace": "full", **more}
    return await execute(lifecycle, made or await planned(lifecycle), **said)


def hold_room(conn: Connection, room_id: str) -> legal_holds.Hold:
    said = {"reason": "legal_claim", "review_at_ms": NOW_MS + 1, "now_ms": NOW_MS, "actor": "operator"}
    return legal_holds.place(conn, room_id=room_id, **said)  # type: ignore[arg-type]


# -- dry-run = run -----------------------------------------------------------------------------------------------------

ROOMS, PEOPLE = ("r0", "r1", "r2"), ("ann", "bob")

ages = st.one_of(st.integers(0, 200 * DAY_MS), st.sampled_from([0, 90 * DAY_MS - 1, 90 * DAY_MS, 90 * DAY_MS + 1]))
written = st.tuples(st.sampled_from(ROOMS), st.sampled_from((*PEOPLE, None)), ages)
attended = st.tuples(st.sampled_from(ROOMS), st.sampled_from((*PEOPLE, None)), st.none() | ages)
periods = st.sampled_from([hours(1), days(30), days(90), days(150)])
situations = st.fixed_dictionaries(
    {
        "messages": st.lists(written, max_size=25),
        "attendance": st.lists(attended, max_size=15),
        "own": st.dictionaries(st.sampled_from(ROOMS), periods),
        "held_rooms": st.sets(st.sampled_from(ROOMS), max_size=1),
        "held_people": st.sets(st.sampled_from(PEOPLE), max_size=1),
        "running": st.sets(st.sampled_from(ROOMS), max_size=1),
        "older_than_ms": st.none() | periods,
        "room_id": st.none() | st.sampled_from(ROOMS),
        "person": st.none() | st.sampled_from(PEOPLE),
    }
)


def remains(situation: dict[str, Any], table: str) -> list[tuple[Any, ...]]:
    """What must be there afterwards, told without any of the code that is tested."""
    stays = []
    for room, who, age_ms in situation[table]:
        period_ms = situation["older_than_ms"]
        if period_ms is None:
            period_ms = situation["own"].get(room, days(90)) if table == "messages" else days(90)
        elif room in situation["running"]:
            period_ms = 10**15
        is_over = age_ms is not None and age_ms >= period_ms
        is_meant = situation["room_id"] in (None, room) and situation["person"] in (None, who)
        is_held = room in situation["held_rooms"] or who in situation["held_people"]
        if not is_over or not is_meant or is_held:
            stays.append((room, who, age_ms))
    return sorted(stays, key=str)


def arrange(conn: Connection, situation: dict[str, Any]) -> None:
    for table in (holds, messages, attendance, room_retention, rooms, user_credentials, users):
        conn.execute(delete(table))
    for person in PEOPLE:
        add_user(conn, person)
    for room in ROOMS:
        add_room(conn, room)
    for room, who, age_ms in situation["messages"]:
        add_messages(conn, room, NOW_MS - age_ms, user_id=who)
    for number, (room, who, age_ms) in enumerate(situation["attendance"]):
        add_seat(conn, room, f"s{number}", None if age_ms is None else NOW_MS - age_ms, who)
    for room, period_ms in situation["own"].items():
        row = {"room_id": room, "class_name": "chat", "in_force_from_ms": 1, "period_ms": period_ms, "decided_at_ms": 1}
        conn.execute(insert(room_retention).values(row))
    for room in situation["held_rooms"]:
        hold_room(conn, room)
    for person in situation["held_people"]:
        said = {"reason": "legal_claim", "review_at_ms": NOW_MS + 1, "now_ms": NOW_MS, "actor": "operator"}
        legal_holds.place(conn, person=member(person), **said)  # type: ignore[arg-type]


async def found(lifecycle: Lifecycle, table: str, clock: str) -> list[tuple[Any, ...]]:
    made = metadata.tables[table]

    def ask(conn: Connection) -> list[tuple[Any, ...]]:
        rows = conn.execute(select(made.c.room_id, made.c.user_id, made.c[clock])).all()
        return sorted(((room, who, at and NOW_MS - at) for room, who, at in rows), key=str)

    return await lifecycle.db.study(ask)


async def test_what_is_planned_is_exactly_what_is_done(tmp_path: Path):
    """Over random rows, holds, rooms with their own periods, meetings and filters: the plan is the run, and both are right."""
    async with open_lifecycle(tmp_path) as bare:
        loop = asyncio.get_running_loop()

        async def check(situation: dict[str, Any]) -> None:
            lifecycle = replace(bare, running_rooms=lambda: frozenset(situation["running"]))
            await lifecycle.db.work(arrange, situation)
            await lifecycle.periods._load(NOW_MS)
            person = situation["person"] and member(situation["person"])
            made = await planned(
                lifecycle,
                older_than_ms=situation["older_than_ms"],
                classes=["chat", "attendance"],
                room_id=situation["room_id"],
                person=person,
                running_rooms=lifecycle.running_rooms(),
            )
            before = {table: await count(lifecycle.db, table) for table in ("messages", "attendance")}

            outcome = await purge(lifecycle, made)

            assert outcome.drift == ()
            assert sum(outcome.done.values()) == made.count
            assert outcome.held == made.held
            for table, clock, name in (("messages", "at_ms", "chat"), ("attendance", "left_at_ms", "attendance")):
                assert await found(lifecycle, table, clock) == remains(situation, table)
                assert before[table] - await count(lifecycle.db, table) == outcome.done.get(name, 0)

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(situations)
        def search(situation: dict[str, Any]) -> None:
            asyncio.run_coroutine_threadsafe(check(situation), loop).result()

        await asyncio.to_thread(search)


# -- drift -------------------------------------------------------------------------------------------------------------


async def test_a_hold_placed_after_the_plan_counts(lifecycle: Lifecycle):
    """Between the question and the answer somebody may call a lawyer; the drift says why fewer rows went."""
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 5)
    await lifecycle.db.work(add_room, "other")
    await lifecycle.db.work(add_messages, "other", *[OLD_MS] * 3)
    made = await planned(lifecycle)
    await lifecycle.db.work(hold_room, "room")

    outcome = await purge(lifecycle, made)

    (drift,) = outcome.drift
    assert (drift.planned, drift.done, drift.causes) == (8, 3, {"held": 5})
    assert (outcome.held, outcome.complete) == (5, False)
    assert await count(lifecycle.db) == 5


async def test_a_hold_placed_between_two_transactions_counts(lifecycle: Lifecycle):
    """Also for rows that were looked up before: each transaction asks again."""
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 400)
    waits = asyncio.Event()

    def lag_s() -> float:
        # asked before each transaction: after the first one, a hold comes in between
        if done and not waits.is_set():
            waits.set()
            return 1.0
        return 0.0 if not waits.is_set() or placed.is_set() else 1.0

    done: list[int] = []
    placed = asyncio.Event()

    async def place() -> None:
        await waits.wait()
        await lifecycle.db.work(hold_room, "room")
        placed.set()

    placing = asyncio.create_task(place())
    outcome = await purge(replace(lifecycle, lag_s=lag_s), progress=lambda number, *_: done.append(number))
    await placing

    left = await count(lifecycle.db)
    assert 0 < left < 400
    (drift,) = outcome.drift
    assert drift.causes == {"held": left}


async def test_a_gentle_run_waits_for_ten_quiet_seconds(lifecycle: Lifecycle):
    """People who meet must not hear that something is deleted: after a late moment nothing is done for a while."""
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 300)
    told: list[str] = []

    def worst_lag_s() -> float:
        told.append("late" if len(told) < 3 else "quiet")
        return 0.011 if told[-1] == "late" else 0.009

    outcome = await purge(
        replace(lifecycle, worst_lag_s=worst_lag_s), progress=lambda *_: told.append("deleted"), pace="gentle"
    )

    assert outcome.complete
    assert told[:5] == ["late", "late", "late", "quiet", "deleted"]


async def test_a_gentle_run_ends_where_it_is_never_quiet(lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch):
    """Where other programs keep the server waiting for days, what is over must still go."""
    monkeypatch.setattr("pymeet.privacy.purge.GENTLE_WAIT_S", 0.3)
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 300)

    assert (await purge(replace(lifecycle, worst_lag_s=lambda: 1.0), pace="gentle")).complete
    assert await count(lifecycle.db) == 0


async def test_rows_that_somebody_else_deleted_meanwhile_are_reported(lifecycle: Lifecycle):
    """The number that was shown was true then; the difference is named, not hidden."""
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 5)
    made = await planned(lifecycle)
    await lifecycle.db.work(lambda conn: conn.execute(delete(messages).where(messages.c.sequence <= 2)).rowcount)

    outcome = await purge(lifecycle, made)

    assert [drift.causes for drift in outcome.drift] == [{"gone": 2}]
    assert await count(lifecycle.db) == 0


async def test_a_meeting_that_began_after_the_plan_is_spared(lifecycle: Lifecycle):
    """People who just met must not see their chat vanish."""
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 5)
    made = await planned(lifecycle, older_than_ms=days(2))

    outcome = await purge(replace(lifecycle, running_rooms=lambda: frozenset({"room"})), made)

    assert [drift.causes for drift in outcome.drift] == [{"running": 5}]


async def test_more_rows_than_are_looked_up_at_once(lifecycle: Lifecycle):
    """Held rows in front must be passed by, not met again at each turn."""
    await lifecycle.db.work(add_room, "held")
    await lifecycle.db.work(add_messages, "held", *[OLD_MS - 1] * (CHUNK + 7))
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * (CHUNK + 7))
    await lifecycle.db.work(hold_room, "held")
    seen: list[tuple[int, int | None]] = []

    outcome = await purge(lifecycle, progress=lambda done, total, _: seen.append((done, total)))

    assert outcome.done == {"chat": CHUNK + 7}
    assert outcome.drift == ()
    assert outcome.held == CHUNK + 7
    assert seen == sorted(seen)
    assert seen[-1] == (CHUNK + 7, CHUNK + 7)


async def test_a_cap_leaves_the_rest_for_the_next_pass(lifecycle: Lifecycle):
    """Whatever goes wrong, one pass does not delete everything."""
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * (CHUNK + 500))

    outcome = await purge(lifecycle, cap=100)

    assert outcome.done == {"chat": CHUNK}
    assert [drift.causes for drift in outcome.drift] == [{"left": 500}]


# -- proof -------------------------------------------------------------------------------------------------------------


async def audited(lifecycle: Lifecycle) -> list[tuple[str, dict[str, Any]]]:
    def ask(conn: Connection) -> list[tuple[str, dict[str, Any]]]:
        query = select(audit_events.c.action, audit_events.c.detail).order_by(audit_events.c.sequence)
        return [(row.action, json.loads(row.detail or "{}")) for row in conn.execute(query)]

    return await lifecycle.db.study(ask)


async def test_the_audit_log_says_before_and_after_how_many(lifecycle: Lifecycle):
    """By class, with the fingerprint of the plan; a run that was killed leaves a beginning without an end."""
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 5)
    await lifecycle.db.work(add_seat, "room", "seat", OLD_MS)
    made = await planned(lifecycle)

    await purge(lifecycle, made)

    counts = {"chat": 5, "attendance": 1}
    assert await audited(lifecycle) == [
        ("purge.begun", {**counts, "plan": made.digest}),
        ("purge.done", {**counts, "plan": made.digest, "held": 0, "files": 0}),
    ]


def files_with(content: bytes, directory: Path) -> list[str]:
    return [each.name for each in directory.glob("pymeet.db*") if content in each.read_bytes()]


async def test_deleted_rows_are_off_the_disk_when_it_says_so(lifecycle: Lifecycle, tmp_path: Path):
    """`DELETE` alone leaves the text in the file or in the write-ahead log."""
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 300)
    await lifecycle.db.work(lambda conn: conn.execute(messages.update().values(text="canary-3f9d01")).rowcount)
    await lifecycle.db.checkpoint()
    assert files_with(b"canary-3f9d01", tmp_path) == ["pymeet.db"]  # otherwise the search below is blind

    outcome = await purge(lifecycle)

    assert outcome.emptied
    assert outcome.complete
    assert files_with(b"canary-3f9d01", tmp_path) == []


async def test_a_reader_in_the_way_is_reported(lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch):
    """While somebody reads an old view the deleted text is still on the disk; that is not done, and said."""
    monkeypatch.setattr("pymeet.privacy.purge.CHECKPOINT_TRIES", 2)
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 5)

    async with lifecycle.db.read() as reading:
        await reading.execute(select(messages))
        outcome = await purge(lifecycle)

    assert outcome.done == {"chat": 5}
    assert (outcome.emptied, outcome.complete) == (False, False)


async def test_whole_months_of_the_audit_log_go_and_held_ones_stay(lifecycle: Lifecycle):
    """The log is finite like everything else; what a claim needs stays, and all after it, for it is one chain."""
    from pymeet.db.audit_checkpoints import Checkpoints
    from pymeet.db.audit_proof import PURPOSE, seal_log

    def fill(conn: Connection) -> None:
        add_user(conn, "ann")
        for month in range(20, 12, -1):
            actor = "ann" if month == 15 else "operator"
            audit.record_now(conn, NOW_MS - month * days(31), actor, "test.noted", "x")
        said = {"reason": "legal_claim", "review_at_ms": NOW_MS + 1, "now_ms": NOW_MS, "actor": "operator"}
        legal_holds.place(conn, person=member("ann"), **said)  # type: ignore[arg-type]

    await lifecycle.db.work(fill)
    key = lifecycle.keys.purpose_key(PURPOSE)
    await seal_log(lifecycle.db, Checkpoints.beside(lifecycle.config.data_dir, key), NOW_MS)
    made = await planned(lifecycle, classes=["audit"])
    (step,) = made.steps
    assert (step.count, step.held) == (5, 3)

    outcome = await purge(lifecycle, made)

    assert outcome.done == {"audit": 5}
    assert outcome.held == 3
    assert outcome.drift == ()


async def test_accounts_are_handed_to_the_erasure_one_by_one(lifecycle: Lifecycle):
    """With everything that belongs to them; one that fails is not in the way of the next, and is reported."""
    from pymeet.errors import ConflictError

    def fill(conn: Connection) -> None:
        add_user(conn, "boss", seen_ms=NOW_MS - days(800), admin=True)
        for number in range(3):
            add_user(conn, f"u{number}", seen_ms=NOW_MS - days(900 - number))

    async def erase(person: DataSubject, cause: str) -> None:
        erased.append((person, cause))
        if person.id == "u1":
            raise ConflictError("Not now.")
        await lifecycle.db.work(lambda conn: conn.execute(delete(users).where(users.c.id == person.id)).rowcount)

    erased: list[tuple[DataSubject, str]] = []
    await lifecycle.db.work(fill)
    made = await planned(lifecycle, classes=["account"])

    outcome = await purge(lifecycle, made, erase=erase)

    assert erased == [(member(f"u{number}"), "inactivity") for number in range(3)]
    assert outcome.done == {"account": 2}
    assert [drift.causes for drift in outcome.drift] == [{"failed": 1}]
    again = await purge(lifecycle, await planned(lifecycle, classes=["account"]))
    assert [drift.causes for drift in again.drift] == [{"left": 1}]


async def test_a_class_may_be_made_anonymous_instead_of_deleted(lifecycle: Lifecycle):
    """The row stays as a number; the second pass finds nothing more to do."""
    await lifecycle.db.work(add_user, "ann")
    await lifecycle.db.work(add_seat, "room", "s1", OLD_MS, "ann")
    await lifecycle.db.work(add_seat, "room", "s2", OLD_MS, "ann")
    await lifecycle.db.work(add_seat, "room", "s3", OLD_MS)
    anonymised = [
        replace(entry, keep=(Keep("attendance", clock="left_at_ms", purge=Purge.ANONYMISE),))
        for entry in INVENTORY
        if entry.name == "attendance"
    ]
    made = await planned(lifecycle, inventory=anonymised)
    assert made.count == 3

    outcome = await purge(lifecycle, made)

    assert (outcome.done, outcome.drift) == ({"attendance": 3}, ())
    assert (await planned(lifecycle, inventory=anonymised)).count == 0
    async with lifecycle.db.read() as conn:
        left = (await conn.execute(select(attendance).order_by(attendance.c.name))).all()
    assert [(row.name, row.user_id) for row in left] == [
        ("Former participant 1", None),
        ("Former participant 1", None),
        ("Former participant 2", None),
    ]
    assert {row.participant_id for row in left} & {"s1", "s2", "s3"} == set()


async def test_a_person_has_one_pseudonym_in_a_room_and_another_elsewhere(lifecycle: Lifecycle):
    """Minutes stay readable, and two rooms cannot be linked: numbers begin anew in each."""

    def fill(conn: Connection) -> None:
        add_room(conn, "other")
        add_user(conn, "ann")
        add_user(conn, "bob")
        for room, who in (("room", "bob"), ("room", "ann"), ("other", "ann"), ("room", "ann"), ("other", "bob")):
            add_seat(conn, room, new_id(), OLD_MS, who)

    entry = next(each for each in INVENTORY if each.name == "attendance")

    def erase(conn: Connection, user_id: str) -> int:
        return anonymise_rows(conn, entry, attendance.c.user_id == user_id, NOW_MS)

    await lifecycle.db.work(fill)
    assert await lifecycle.db.work(erase, "ann") == 3
    assert await lifecycle.db.work(erase, "bob") == 2

    async with lifecycle.db.read() as conn:
        rows = (await conn.execute(select(attendance.c.room_id, attendance.c.name))).all()
    assert sorted(tuple(row) for row in rows) == [
        ("other", "Former participant 1"),
        ("other", "Former participant 2"),
        ("room", "Former participant 1"),
        ("room", "Former participant 1"),
        ("room", "Former participant 2"),
    ]


# -- files -------------------------------------------------------------------------------------------------------------


def add_export(conn: Connection, file_id: str, at_ms: int = OLD_MS) -> None:
    said = {"state": "ready", "downloads_left": 1, "requested_at_ms": at_ms}
    conn.execute(insert(exports).values(id=file_id, file_id=file_id, **said))


def make_file(lifecycle: Lifecycle, file_id: str) -> Path:
    with lifecycle.files.create(file_id, NOW_MS) as sink:
        sink.write(b"everything about Ann")
        sink.finish()
    return lifecycle.files.path(file_id)


async def test_a_file_goes_with_its_row(lifecycle: Lifecycle):
    """Key, file and the line on the list of what must go."""
    file_id = new_id()
    path = make_file(lifecycle, file_id)
    await lifecycle.db.work(add_export, file_id)
    made = await planned(lifecycle)
    assert made.steps[0].files == 1

    outcome = await purge(lifecycle, made)

    assert (outcome.files.removed, outcome.files.failed, outcome.complete) == (1, 0, True)
    assert not path.exists()
    assert list(lifecycle.keys.ids()) == []
    assert await count(lifecycle.db, "pending_gone") == 0


async def test_a_file_that_cannot_be_removed_stays_on_the_list(lifecycle: Lifecycle):
    """A directory in its place cannot be unlinked, by root neither: the key is gone, the line stays, the next run succeeds."""
    file_id, other_id = new_id(), new_id()
    path, other = make_file(lifecycle, file_id), make_file(lifecycle, other_id)
    path.unlink()
    path.mkdir()
    await lifecycle.db.work(lambda conn: [add_export(conn, each) for each in (file_id, other_id)])

    outcome = await purge(lifecycle)

    assert (outcome.files.removed, outcome.files.failed, outcome.files.errors) == (1, 1, ("eisdir",))
    assert not outcome.complete
    assert not other.exists()
    async with lifecycle.db.read() as conn:
        (line,) = (await conn.execute(select(pending_gone))).all()
    assert (line.file_id, line.attempts, line.error) == (file_id, 1, "eisdir")
    assert list(lifecycle.keys.ids()) == []

    path.rmdir()
    assert (await remove_pending(lifecycle)).removed == 1
    assert await count(lifecycle.db, "pending_gone") == 0


async def test_a_file_that_is_gone_already_is_success(lifecycle: Lifecycle):
    """After a crash between the file and its line."""
    await lifecycle.db.work(add_export, new_id())

    assert (await purge(lifecycle)).files.removed == 1


async def test_files_that_no_row_knows_go_after_a_day(lifecycle: Lifecycle):
    """Left by a crash before their row was written; younger ones may just be being made."""
    import os

    orphan, fresh, known = new_id(), new_id(), new_id()
    paths = {each: make_file(lifecycle, each) for each in (orphan, fresh, known)}
    part_id = new_id()
    part = lifecycle.files.create(part_id, NOW_MS)
    part._file.close()
    part_path = lifecycle.files.path(part_id).with_suffix(".sealed.part")
    old_s = (NOW_MS - UNKNOWN_AFTER_MS - 1) / 1000
    for each in (paths[orphan], paths[known], part_path):
        os.utime(each, (old_s, old_s))
    os.utime(paths[fresh], (NOW_MS / 1000, NOW_MS / 1000))
    await lifecycle.db.work(add_export, known, NOW_MS)

    assert await queue_unknown(lifecycle) == 0  # their keys are too young
    lifecycle.clock.advance(UNKNOWN_AFTER_MS / 1000 + 1)  # type: ignore[attr-defined]
    os.utime(paths[fresh], (NOW_MS / 1000 + 86_400, NOW_MS / 1000 + 86_400))
    assert await queue_unknown(lifecycle) == 2
    await remove_pending(lifecycle)

    assert [each.exists() for each in (paths[orphan], paths[fresh], paths[known], part_path)] == [
        False,
        True,
        True,
        False,
    ]


async def test_what_an_erasure_under_way_will_search_for_is_no_unknown_file(lifecycle: Lifecycle):
    """It is sealed under the id of the request; without it the receipt could not say that nothing is left."""
    import os

    request_id = new_id()
    path = make_file(lifecycle, request_id)
    row = {"id": request_id, "right": "erasure", "origin": "self", "received_at_ms": NOW_MS, "due_at_ms": NOW_MS}
    await lifecycle.db.work(lambda conn: conn.execute(insert(requests).values(**row, state="erasing")))
    lifecycle.clock.advance(2 * UNKNOWN_AFTER_MS / 1000)  # type: ignore[attr-defined]
    os.utime(path, (NOW_MS / 1000, NOW_MS / 1000))

    assert await queue_unknown(lifecycle) == 0


async def test_a_full_disk_leaves_whole_transactions_and_says_so(lifecycle: Lifecycle):
    """Deleting needs room for the log. What is gone is gone, what is left is whole, the next run finishes."""
    await lifecycle.db.work(add_messages, "room", *[OLD_MS] * 3000)

    def fill_up(conn: Connection) -> None:
        conn.exec_driver_sql("CREATE TABLE ballast (content BLOB)")
        conn.exec_driver_sql("CREATE TRIGGER slow AFTER DELETE ON messages WHEN OLD.sequence > 700 BEGIN"
                             " INSERT INTO ballast VALUES (randomblob(4096)); END")  # fmt: skip
        (pages,) = conn.exec_driver_sql("PRAGMA page_count").one()
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages + 5}")

    def make_room(conn: Connection) -> None:
        conn.exec_driver_sql("PRAGMA max_page_count=1000000")
        conn.exec_driver_sql("DROP TRIGGER slow")
        conn.exec_driver_sql("DROP TABLE ballast")

    await lifecycle.db.work(fill_up)
    with pytest.raises(PurgeError, match="Check that the disk has room") as caught:
        await purge(lifecycle)
    left = await count(lifecycle.db)
    assert 0 < left < 3000
    assert caught.value.details["planned"] == 3000
    assert caught.value.details["done"] == 3000 - left

    await lifecycle.db.work(make_room)
    assert (await purge(lifecycle)).complete
    assert await count(lifecycle.db) == 0
