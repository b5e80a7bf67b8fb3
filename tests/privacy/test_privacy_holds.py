"""Legal holds: what they keep, that they count at once, and that none ends by itself."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, delete, insert, select
from tests.support.retention import DAY_MS, NOW_MS, add_messages, add_room, add_seat, add_user, count, open_lifecycle

from pymeet.db.schema import (
    attendance,
    audit_events,
    audit_people,
    holds,
    messages,
    metadata,
    request_events,
    requests,
    rooms,
)
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.meetings.service import Meetings
from pymeet.privacy import holds as legal_holds
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, guest, member
from pymeet.privacy.permissions import MAY, Role, may


@pytest.fixture
async def lifecycle(tmp_path: Path):
    async with open_lifecycle(tmp_path) as made:
        await made.db.work(_fill)
        yield made


def _fill(conn: Connection) -> None:
    """Ann has an account, Gus is a guest; both wrote in two rooms, and nobody in particular did, too."""
    add_user(conn, "ann")
    for room in ("one", "two"):
        add_room(conn, room)
        add_seat(conn, room, f"ann-{room}", NOW_MS, "ann")
        add_messages(conn, room, NOW_MS, user_id="ann", seat=f"ann-{room}")
        add_seat(conn, room, f"gus-{room}", NOW_MS)
        add_messages(conn, room, NOW_MS, seat=f"gus-{room}")
    conn.execute(
        insert(requests).values(
            id="r", right="access", origin="self", user_id="ann", received_at_ms=1, due_at_ms=2, state="done"
        )
    )
    conn.execute(insert(request_events).values(request_id="r", at_ms=1, state="done"))


async def held(lifecycle: Lifecycle, table: Table) -> list[object]:
    key = next(iter(table.primary_key.columns)) if table is not messages else messages.c.participant_id

    def ask(conn: Connection) -> list[object]:
        return sorted(conn.execute(select(key).where(legal_holds.held(table))).scalars())

    return await lifecycle.db.study(ask)


async def place(lifecycle: Lifecycle, person: DataSubject | None = None, room_id: str | None = None, **more: object):
    def do(conn: Connection) -> legal_holds.Hold:
        said = {"reason": "legal_claim", "review_at_ms": NOW_MS + 90 * DAY_MS, "now_ms": NOW_MS, "actor": "operator"}
        return legal_holds.place(conn, person=person, room_id=room_id, **(said | more))  # type: ignore[arg-type]

    return await lifecycle.db.work(do)


async def test_a_hold_on_a_member_keeps_everything_of_theirs_and_nothing_else(lifecycle: Lifecycle):
    """Wherever a path of the inventory leads to them, over however many tables."""
    await place(lifecycle, member("ann"))

    assert await held(lifecycle, messages) == ["ann-one", "ann-two"]
    assert await held(lifecycle, attendance) == ["ann-one", "ann-two"]
    assert await held(lifecycle, requests) == ["r"]
    assert len(await held(lifecycle, request_events)) == 1
    assert await held(lifecycle, rooms) == []


async def test_a_hold_on_a_guest_keeps_what_that_seat_wrote(lifecycle: Lifecycle):
    """Guests are party to a claim as members are."""
    await place(lifecycle, guest("gus-one"))

    assert await held(lifecycle, messages) == ["gus-one"]
    assert await held(lifecycle, attendance) == ["gus-one"]


async def test_a_hold_on_a_room_keeps_everybody_s_words_in_it(lifecycle: Lifecycle):
    """A claim about a meeting is about the meeting."""
    await place(lifecycle, room_id="one")

    assert await held(lifecycle, messages) == ["ann-one", "gus-one"]
    assert await held(lifecycle, rooms) == ["one"]


async def test_rows_of_nobody_in_particular_stay_free_while_somebody_is_held(lifecycle: Lifecycle):
    """In SQL `NULL IN (…)` is neither true nor false; a careless condition would keep every guest's words for ever."""
    await place(lifecycle, member("ann"))

    def remove(conn: Connection) -> int:
        return conn.execute(delete(messages).where(~legal_holds.kept(messages))).rowcount

    assert await lifecycle.db.work(remove) == 2


async def test_what_holds_a_held_row_stays_with_it(lifecycle: Lifecycle):
    """Deleting the room would take the held words along."""
    await place(lifecycle, member("ann"))

    def ask(conn: Connection) -> list[str]:
        return sorted(conn.execute(select(rooms.c.id).where(legal_holds.kept(rooms))).scalars())

    assert await lifecycle.db.study(ask) == ["one", "two"]


async def test_the_condition_works_for_every_table(lifecycle: Lifecycle):
    """A table added tomorrow is held by its declaration; it must never be NULL, or negating it would miss rows."""
    await place(lifecycle, member("ann"))
    await place(lifecycle, room_id="one")

    def ask(conn: Connection) -> None:
        for table in metadata.sorted_tables:
            for condition in (legal_holds.held(table), legal_holds.kept(table)):
                assert conn.execute(select(table).where(condition.is_(None))).all() == []

    await lifecycle.db.study(ask)


async def test_a_hold_ends_when_it_is_released_and_never_by_itself(lifecycle: Lifecycle):
    """The day of review passes, and nothing happens but that somebody is reminded."""
    hold = await place(lifecycle, member("ann"))
    assert [each.id for each in await lifecycle.db.study(legal_holds.listed)] == [hold.id]

    lifecycle.clock.advance(1000 * 86_400)  # type: ignore[attr-defined]
    assert await held(lifecycle, messages) == ["ann-one", "ann-two"]

    released = await lifecycle.db.work(_release, hold.id)
    assert released.released_at_ms == NOW_MS
    assert await held(lifecycle, messages) == []
    assert await lifecycle.db.study(legal_holds.listed) == []
    with pytest.raises(ConflictError):
        await lifecycle.db.work(_release, hold.id)


def _release(conn: Connection, hold_id: str) -> legal_holds.Hold:
    return legal_holds.release(conn, hold_id, now_ms=NOW_MS, actor="operator")


async def test_two_holds_end_one_by_one(lifecycle: Lifecycle):
    """A claim is settled, the authority's request is not."""
    first = await place(lifecycle, member("ann"))
    await place(lifecycle, member("ann"), reason="authority_request")
    with pytest.raises(ConflictError):
        await place(lifecycle, member("ann"))

    await lifecycle.db.work(_release, first.id)

    assert await held(lifecycle, attendance) == ["ann-one", "ann-two"]


async def test_placing_and_releasing_are_in_the_audit_log(lifecycle: Lifecycle):
    """By pseudonym: who ended what kept the evidence is the first question."""
    hold = await place(lifecycle, member("ann"))
    await lifecycle.db.work(_release, hold.id)

    def ask(conn: Connection) -> tuple[list[tuple[str, str, str]], str]:
        query = select(audit_events.c.action, audit_events.c.target, audit_events.c.detail)
        pseudonym = conn.execute(select(audit_people.c.pseudonym)).scalar_one()
        return [tuple(row) for row in conn.execute(query)], pseudonym

    found, pseudonym = await lifecycle.db.study(ask)
    assert found == [
        ("hold.placed", pseudonym, '{"reason":"legal_claim"}'),
        ("hold.released", pseudonym, '{"reason":"legal_claim"}'),
    ]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"reason": "because"}, InvalidInputError),
        ({"review_at_ms": NOW_MS}, InvalidInputError),
        ({"person": None}, InvalidInputError),
        ({"room_id": "one"}, InvalidInputError),
        ({"person": member("nobody")}, NotFoundError),
    ],
)
async def test_a_hold_needs_somebody_a_reason_and_a_day(lifecycle: Lifecycle, said: dict[str, object], error: type):
    """A hold on nobody, or for ever, is a mistake."""
    with pytest.raises(error):
        await place(lifecycle, **({"person": member("ann")} | said))  # type: ignore[arg-type]


async def test_a_deleted_room_keeps_held_words_until_the_hold_ends(lifecycle: Lifecycle):
    """Its owner may delete it, and nobody sees it any more; the words leave with its address once they may."""
    hold = await place(lifecycle, member("ann"))
    meetings = Meetings(lifecycle.db, lifecycle.clock, lifecycle.periods)

    await meetings.delete_room("one")

    assert await held(lifecycle, messages) == ["ann-one", "ann-two"]
    assert await count(lifecycle.db, "messages", lambda c: c.room_id == "one") == 1
    await lifecycle.db.work(_release, hold.id)
    assert await count(lifecycle.db, "holds", lambda c: c.released_at_ms.is_(None)) == 0


def test_placing_and_releasing_are_separate_rights():
    """Who wants data gone must not be the one who ends what keeps it; without an officer there is nobody else."""
    assert may([Role.ADMIN], "hold.place", there_is_a_dpo=True)
    assert not may([Role.ADMIN], "hold.release", there_is_a_dpo=True)
    assert may([Role.ADMIN], "hold.release", there_is_a_dpo=False)
    assert may([Role.DPO], "hold.release", there_is_a_dpo=True)
    assert not may([], "hold.place", there_is_a_dpo=False)
    assert not may([Role.DPO], "export.others", there_is_a_dpo=True)
    assert MAY[Role.DPO] & {"export.others", "erase.others", "purge.run"} == set()
    with pytest.raises(KeyError):
        may([Role.ADMIN], "hold.plaec", there_is_a_dpo=True)


def test_the_hold_register_is_a_table_of_words():
    """No column takes free text, so no name can get into it."""
    assert {column.name for column in holds.columns if column.info["inventory"].kind == "content"} == set()
