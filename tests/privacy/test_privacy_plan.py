"""Plans: what they count, what they refuse, and that they survive the way to the server unchanged."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, text, update
from sqlalchemy.dialects import sqlite
from tests.support.retention import DAY_MS, NOW_MS, add_messages, add_room, add_seat, add_user, open_lifecycle

from pymeet.db import audit
from pymeet.db.inventory import Purge
from pymeet.db.schema import exports, identities, processing_limits, request_events, requests, user_credentials
from pymeet.errors import InvalidInputError
from pymeet.privacy import holds, limits
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import guest, member
from pymeet.privacy.plan import BY_NAME_ONLY, Plan, from_dict, goes, plan
from pymeet.retention import days, hours, minutes


@pytest.fixture
async def lifecycle(tmp_path: Path):
    async with open_lifecycle(tmp_path) as made:
        await made.db.work(_fill)
        yield made


def _fill(conn: Connection) -> None:
    add_user(conn, "ann")
    for room in ("one", "two"):
        add_room(conn, room)
        add_seat(conn, room, f"seat-{room}", NOW_MS - 100 * DAY_MS, "ann")
        add_messages(conn, room, *(NOW_MS - age * DAY_MS for age in (1, 50, 100)), user_id="ann", seat=f"seat-{room}")
    add_seat(conn, "one", "here", None)


async def made(lifecycle: Lifecycle, **more: object) -> Plan:
    def ask(conn: Connection) -> Plan:
        return plan(conn, lifecycle.periods, NOW_MS, **more)  # type: ignore[arg-type]

    return await lifecycle.db.study(ask)


def counts(of: Plan) -> dict[str, int]:
    return {step.retention_class: step.count for step in of.steps}


async def test_without_a_period_those_in_force_decide(lifecycle: Lifecycle):
    """What the next sweep would do, asked today."""
    found = await made(lifecycle)

    assert counts(found) == {"attendance": 2, "chat": 2}
    assert {step.oldest_ms for step in found.steps} == {NOW_MS - 100 * DAY_MS}


async def test_older_than_counts_from_the_clock_of_each_class(lifecycle: Lifecycle):
    """Who is still in the room has not left, so nothing of that seat is old."""
    assert counts(await made(lifecycle, older_than_ms=days(40))) == {"attendance": 2, "chat": 4}


async def test_room_and_person_narrow_it(lifecycle: Lifecycle):
    """What belongs to no room, or to nobody, is not touched then."""
    await lifecycle.db.work(lambda conn: add_messages(conn, "one", NOW_MS - 100 * DAY_MS, seat="here"))

    assert counts(await made(lifecycle, room_id="one")) == {"attendance": 1, "chat": 2}
    assert counts(await made(lifecycle, person=member("ann"), room_id="one")) == {"attendance": 1, "chat": 1}
    assert counts(await made(lifecycle, person=guest("here"))) == {"chat": 1}
    assert counts(await made(lifecycle, person=member("nobody"))) == {}


async def test_a_running_meeting_is_left_out_and_named(lifecycle: Lifecycle):
    """Purging by hand must not empty the chat that people are reading."""
    found = await made(lifecycle, older_than_ms=hours(24), running_rooms=["one"])

    chat = next(step for step in found.steps if step.retention_class == "chat")
    assert (chat.count, chat.running) == (3, 3)
    assert found.running_rooms == ("one",)


async def test_what_is_over_by_the_periods_in_force_goes_during_a_meeting_too(lifecycle: Lifecycle):
    """A room in which somebody always sits must not keep its chat for ever."""
    assert counts(await made(lifecycle, running_rooms=["one", "two"])) == {"attendance": 2, "chat": 2}


async def test_held_rows_are_counted_apart(lifecycle: Lifecycle):
    """Whoever purges sees what a hold keeps."""

    def hold(conn: Connection) -> None:
        said = {"reason": "legal_claim", "review_at_ms": NOW_MS + 1, "now_ms": NOW_MS, "actor": "operator"}
        holds.place(conn, room_id="one", **said)

    await lifecycle.db.work(hold)

    found = await made(lifecycle)
    assert counts(found) == {"attendance": 1, "chat": 1}
    assert (found.count, found.held) == (2, 2)


async def test_what_somebody_restricted_is_neither_used_nor_deleted(lifecycle: Lifecycle):
    """Article 18(2): storing is all that is left to us; they may need it for a claim."""

    def restrict(conn: Connection) -> None:
        limits.limit(conn, member("ann"), "restriction", now_ms=NOW_MS, actor="operator")

    await lifecycle.db.work(restrict)

    found = await made(lifecycle)
    assert (found.count, found.held) == (0, 4)


async def test_a_room_s_own_period_makes_a_step_of_its_own(lifecycle: Lifecycle):
    """Longer or shorter than elsewhere."""
    await lifecycle.periods.set_room("one", "chat", days(180), now_ms=NOW_MS, actor="operator")
    assert counts(await made(lifecycle)) == {"attendance": 2, "chat": 1}

    later_ms = NOW_MS + hours(72)
    await lifecycle.periods.set_room("one", "chat", days(20), now_ms=NOW_MS, actor="operator")
    found = await lifecycle.db.study(lambda conn: plan(conn, lifecycle.periods, later_ms, classes=["chat"]))
    assert [(step.room_id, step.except_rooms, step.count) for step in found.steps] == [
        (None, ("one",), 1),
        ("one", (), 2),
    ]


@pytest.mark.parametrize(
    ("older_than_ms", "classes", "says"),
    [
        (minutes(30), None, r"Who took part can be kept from 1h to 3650d, not for 30min\.\nName the classes"),
        (hours(12), None, r"Archives of a person's data can be kept from 1d to 30d, not for 12h\.\nName the classes"),
        (minutes(30), ["chat"], r"Chat messages can be kept from 1h to 3650d, not for 30min\."),
        (days(90), ["audit"], r"Audit log can be kept from 180d to 3650d, not for 90d\."),
        (days(90), ["session"], r"Ended sessions can be kept from 0d to 1d, not for 90d\."),
        (days(90), ["chats"], r"chats is not a class that can be purged\. The classes are account, "),
        (None, ["backup"], r"backup is not a class that can be purged\."),
    ],
)
async def test_a_period_out_of_bounds_is_refused(
    lifecycle: Lifecycle, older_than_ms: int | None, classes: list[str] | None, says: str
):
    """Never quietly moved to the nearest one, and never quietly nothing."""
    with pytest.raises(InvalidInputError, match=says):
        await made(lifecycle, older_than_ms=older_than_ms, classes=classes)


async def test_the_audit_log_cannot_be_purged_by_room_or_person(lifecycle: Lifecycle):
    """A month of it belongs to everybody; taking one person's months would take all."""
    for more in ({"room_id": "one"}, {"person": member("ann")}):
        with pytest.raises(InvalidInputError, match="by whole months"):
            await made(lifecycle, classes=["audit"], **more)


async def test_people_and_proofs_are_purged_only_by_name(lifecycle: Lifecycle):
    """`--older-than 400d` is meant for old chats, not for accounts of people on a long leave."""
    unnamed = await made(lifecycle, older_than_ms=days(1))

    assert set(unnamed.classes) & BY_NAME_ONLY == set()
    assert {"chat", "attendance", "export"} <= set(unnamed.classes)
    assert (await made(lifecycle, older_than_ms=days(400), classes=["account"])).classes == ("account",)


async def test_the_last_administrator_who_can_sign_in_is_never_planned(lifecycle: Lifecycle):
    """A server that nobody can administer is lost."""

    def fill(conn: Connection) -> None:
        add_user(conn, "old-admin", seen_ms=NOW_MS - days(900), admin=True)
        add_user(conn, "older-admin", seen_ms=NOW_MS - days(1000), admin=True)
        add_user(conn, "old-member", seen_ms=NOW_MS - days(900))
        add_user(conn, "disabled-admin", seen_ms=NOW_MS - days(800), admin=True, disabled_at_ms=1)

    await lifecycle.db.work(fill)
    (step,) = (await made(lifecycle, classes=["account"])).steps

    assert (step.action, step.count) == (Purge.ERASE, 3)
    one = await made(lifecycle, classes=["account"], person=member("old-admin"))
    assert one.steps == ()


async def test_an_administrator_without_a_password_is_not_planned_either(lifecycle: Lifecycle):
    """Where everybody comes by the OpenID provider, nobody has one."""

    def fill(conn: Connection) -> None:
        add_user(conn, "old-admin", seen_ms=NOW_MS - days(900), admin=True)
        add_user(conn, "older-admin", seen_ms=NOW_MS - days(1000), admin=True)
        conn.execute(delete(user_credentials))
        for whose in ("old-admin", "older-admin"):
            there = {"issuer": "https://login.example.org", "subject": whose}
            conn.execute(
                insert(identities).values(id=whose, user_id=whose, created_at_ms=1, last_used_at_ms=1, **there)
            )

    await lifecycle.db.work(fill)
    (step,) = (await made(lifecycle, classes=["account"])).steps
    assert (step.action, step.count) == (Purge.ERASE, 1)
    assert (await made(lifecycle, classes=["account"], person=member("old-admin"))).steps == ()


async def test_an_administrator_who_is_being_erased_is_nobody_who_remains(lifecycle: Lifecycle):
    """The other one would be purged for them, and nobody be left when the erasure is carried out."""

    def fill(conn: Connection) -> None:
        add_user(conn, "going-admin", seen_ms=NOW_MS - days(1), admin=True)
        add_user(conn, "old-admin", seen_ms=NOW_MS - days(1000), admin=True)
        limit = {"id": "limit", "user_id": "going-admin", "cause": "erasure"}
        conn.execute(insert(processing_limits).values(from_ms=NOW_MS - days(1), **limit))

    await lifecycle.db.work(fill)
    assert (await made(lifecycle, classes=["account"])).steps == ()

    def cancel(conn: Connection) -> None:
        conn.execute(update(processing_limits).values(lifted_at_ms=NOW_MS))

    await lifecycle.db.work(cancel)
    (step,) = (await made(lifecycle, classes=["account"])).steps
    assert step.count == 1


async def test_children_and_files_are_counted(lifecycle: Lifecycle):
    """What hangs on a row goes with it, and so do the files it names."""

    def fill(conn: Connection) -> None:
        for number in range(3):
            closed = {"received_at_ms": 1, "due_at_ms": 2, "closed_at_ms": NOW_MS - days(2000), "state": "done"}
            conn.execute(insert(requests).values(id=f"r{number}", right="access", origin="self", **closed))
            for _ in range(number):
                conn.execute(insert(request_events).values(request_id=f"r{number}", at_ms=1, state="done"))
        for number, file_id in enumerate(["a" * 22, "b" * 22, None]):
            asked = {"state": "ready", "downloads_left": 1, "requested_at_ms": NOW_MS - days(8)}
            conn.execute(insert(exports).values(id=f"e{number}", file_id=file_id, **asked))

    await lifecycle.db.work(fill)
    found = {step.table: step for step in (await made(lifecycle, classes=["request", "export"])).steps}

    assert (found["requests"].count, found["requests"].children) == (3, {"request_events": 3})
    assert (found["exports"].count, found["exports"].files) == (3, 2)


async def test_only_whole_months_of_the_audit_log_are_planned(lifecycle: Lifecycle):
    """A month goes when its last day is over; 15 January 2027 less 365 days is 15 January 2026."""

    def fill(conn: Connection) -> None:
        for at in (1_764_547_200_000, 1_767_225_599_999, 1_767_225_600_000):  # 1 and 31 December, 1 January
            audit.record_now(conn, at, "operator", "test.noted", "x")

    await lifecycle.db.work(fill)
    (step,) = (await made(lifecycle, classes=["audit"])).steps

    assert (step.action, step.count, step.cutoff_ms) == (Purge.SEGMENT, 2, 1_767_225_599_999)


async def test_a_plan_comes_back_from_json_as_it_was(lifecycle: Lifecycle):
    """The command shows it, the server runs it: nothing may change in between."""
    await lifecycle.periods.set_room("one", "chat", days(180), now_ms=NOW_MS, actor="operator")
    for more in ({}, {"older_than_ms": days(30), "running_rooms": ["two"]}, {"person": guest("here")}):
        first = await made(lifecycle, **more)

        assert from_dict(json.loads(json.dumps(first.as_dict())), NOW_MS) == first
        assert first.digest == (await made(lifecycle, **more)).digest
        assert len(first.digest) == 16


async def test_a_plan_that_was_changed_or_is_old_is_refused(lifecycle: Lifecycle):
    """It names rows to delete; it must be the one that was shown, and still true enough."""
    shown = (await made(lifecycle)).as_dict()
    forged = json.loads(json.dumps(shown))
    forged["steps"][0]["cutoff_ms"] += 1

    with pytest.raises(InvalidInputError, match="not a plan of this server"):
        from_dict(forged, NOW_MS)
    with pytest.raises(InvalidInputError, match="not a plan of this server"):
        from_dict({"steps": []}, NOW_MS)
    with pytest.raises(InvalidInputError, match="older than an hour"):
        from_dict(shown, NOW_MS + hours(1) + 1)


async def test_a_forged_plan_cannot_pass_the_bounds(lifecycle: Lifecycle):
    """Not even one whose digest is right: what must be kept for an hour is kept for an hour."""
    shown = await made(lifecycle, classes=["chat"])
    (step,) = shown.steps
    forged = Plan(**{**vars(shown), "steps": (type(step)(**{**vars(step), "cutoff_ms": NOW_MS - hours(1) + 1}),)})

    with pytest.raises(InvalidInputError, match="not a plan of this server"):
        from_dict(forged.as_dict(), NOW_MS)


async def test_making_a_plan_changes_nothing(lifecycle: Lifecycle):
    """Dry means dry: the connection it is made on cannot even write."""
    before = lifecycle.db.path.read_bytes()

    await made(lifecycle, older_than_ms=days(1))

    assert lifecycle.db.path.read_bytes() == before


async def test_looking_for_what_is_over_uses_the_index_of_the_clock(lifecycle: Lifecycle):
    """Every day, over millions of rows that are not over."""
    found = await made(lifecycle)
    details = []

    def explain(conn: Connection) -> None:
        for step in found.steps:
            condition = goes(step, found, ()).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
            asked = f"EXPLAIN QUERY PLAN SELECT rowid FROM {step.table} WHERE {condition} ORDER BY {step.clock}, rowid LIMIT 9"
            details.append([row.detail for row in conn.execute(text(asked))])

    await lifecycle.db.study(explain)
    assert details[0][0] == "SEARCH attendance USING INDEX ix_attendance_left_at_ms (left_at_ms<?)"
    assert details[1][0] == "SEARCH messages USING INDEX ix_messages_at_ms (at_ms<?)"
    assert not [step for steps in details for step in steps if "TEMP B-TREE" in step]
