"""Restriction and objection: what they hide, what they keep, and what no longer says who was there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.support.erasing import fill, new_guest, new_member, opened

from pymeet.clock import ManualClock
from pymeet.db import audit
from pymeet.db.schema import attendance, audit_events, messages, processing_limits
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.ops.services import Services
from pymeet.privacy import holds, limits
from pymeet.privacy.people import DataSubject, counts_of


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def services(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Services]:
    async with opened(tmp_path, clock=clock) as services:
        yield services


async def _limit(services: Services, person: DataSubject, cause: str) -> limits.Limit:
    now_ms = services.clock.now_ms()
    return await services.db.work(lambda conn: limits.limit(conn, person, cause, now_ms=now_ms, actor=audit.OPERATOR))


async def _room_of(services: Services, user_id: str) -> str:
    async with services.db.read() as conn:
        query = select(attendance.c.room_id).where(attendance.c.user_id == user_id)
        return str((await conn.execute(query)).scalar_one())


async def test_a_limit_is_in_force_until_it_is_lifted(services: Services) -> None:
    """Asking twice is asking once, and lifting what is not there is a mistake."""
    ann, now_ms = new_member(), services.clock.now_ms()
    await fill(services, ann)

    first = await _limit(services, ann.person, limits.RESTRICTION)
    second = await _limit(services, ann.person, limits.RESTRICTION)
    lifted = await services.db.work(
        lambda conn: limits.lift(conn, ann.person, limits.RESTRICTION, now_ms=now_ms + 5, actor=audit.OPERATOR)
    )

    assert first == second
    assert lifted.lifted_at_ms == now_ms + 5
    assert await services.db.study(limits.in_force, ann.person) == []
    with pytest.raises(NotFoundError):
        await services.db.work(
            lambda conn: limits.lift(conn, ann.person, limits.RESTRICTION, now_ms=now_ms, actor=audit.OPERATOR)
        )
    with pytest.raises(InvalidInputError):
        await _limit(services, ann.person, "whim")


@pytest.mark.parametrize("make", [new_member, new_guest])
async def test_restricted_rows_are_those_of_the_person_and_nobody_elses(services: Services, make: type) -> None:
    """A purge asks this for every table."""
    ann, ben = make(), make()
    await fill(services, ann)
    await fill(services, ben)
    await _limit(services, ann.person, limits.RESTRICTION)
    await _limit(services, ben.person, limits.OBJECTION)

    async with services.db.read() as conn:
        restricted = (await conn.execute(select(messages).where(limits.restricted(messages)))).mappings().all()
        free = (
            await conn.execute(select(func.count()).select_from(messages).where(~limits.restricted(messages)))
        ).scalar()

    assert len(restricted) == 3
    assert free == 3
    assert {ann.person.id} == {row["user_id"] or row["participant_id"] for row in restricted}


async def test_an_objection_takes_the_person_out_of_what_rests_on_legitimate_interests(services: Services) -> None:
    """That somebody took part stays, not who. What rests on the contract, such as messages, is theirs as before."""
    ann, ben = new_member(), new_member()
    await fill(services, ann)
    await fill(services, ben)
    before = await services.db.study(counts_of, ann.person)

    changed = await limits.objection(services.lifecycle, ann.person, actor=ann.person.id)

    after = await services.db.study(counts_of, ann.person)
    assert changed == 1
    assert before["attendance"] == 1
    assert "attendance" not in after
    assert after["messages"] == 3
    assert {entry.name for entry in limits.objectionable()} == {"attendance"}
    assert (await services.db.study(counts_of, ben.person))["attendance"] == 1


async def test_a_guests_objection_lets_go_of_their_seat(services: Services) -> None:
    """Guests have the same right."""
    cat = new_guest()
    await fill(services, cat)

    assert await limits.objection(services.lifecycle, cat.person, actor=audit.GUEST) == 1

    async with services.db.read() as conn:
        (seat,) = (await conn.execute(select(attendance))).mappings().all()
        targets = (await conn.execute(select(audit_events.c.target))).scalars().all()
    assert seat["name"] == "Former participant 1"
    assert cat.person.id not in targets


async def test_whoever_objected_has_no_name_in_a_meeting_and_no_link_afterwards(services: Services) -> None:
    """While it lasts the row leads to the account, so that what they write is known to be theirs."""
    ann = new_member()
    await fill(services, ann)
    room_id = await _room_of(services, ann.person.id)
    await limits.objection(services.lifecycle, ann.person, actor=ann.person.id)
    meetings = services.meetings

    await meetings.attended(room_id, "seat-in-a-new-meeting", "Ann Telling", ann.person.id, "browser")
    await meetings.add_message(room_id, "seat-in-a-new-meeting", "Ann Telling", "hello everybody")
    during = await _seats(services, left=False)
    await meetings.left("seat-in-a-new-meeting")

    assert [(seat["name"], seat["user_id"]) for seat in during] == [(limits.NAMELESS, ann.person.id)]
    everything = await _seats(services)
    assert all(seat["user_id"] is None for seat in everything)
    assert "Ann Telling" not in {seat["name"] for seat in everything}
    assert "seat-in-a-new-meeting" not in {seat["participant_id"] for seat in everything}
    assert (await services.db.study(counts_of, ann.person))["messages"] == 4


async def test_a_crash_in_the_meeting_does_not_undo_an_objection(services: Services) -> None:
    """The next start closes what was left open, and lets go of it."""
    ann = new_member()
    await fill(services, ann)
    room_id = await _room_of(services, ann.person.id)
    await limits.objection(services.lifecycle, ann.person, actor=ann.person.id)
    await services.meetings.attended(room_id, "seat-left-open", "Ann Telling", ann.person.id, "browser")

    await services.meetings.close_open_attendance(services.clock.now_ms())

    assert all(seat["user_id"] is None for seat in await _seats(services))


async def test_others_keep_their_name_in_the_same_meeting(services: Services) -> None:
    """An objection is one person's."""
    ann, ben = new_member(), new_member()
    await fill(services, ann)
    await fill(services, ben)
    room_id = await _room_of(services, ben.person.id)
    await limits.objection(services.lifecycle, ann.person, actor=ann.person.id)

    await services.meetings.attended(room_id, "seat-of-ben-again", "Ben", ben.person.id, "browser")
    await services.meetings.left("seat-of-ben-again")

    theirs = [seat for seat in await _seats(services) if seat["user_id"] == ben.person.id]
    assert {seat["name"] for seat in theirs} == {"Ben", ben.tokens["attendance.name"]}


async def test_what_is_held_is_kept_in_spite_of_an_objection(services: Services) -> None:
    """A legal claim goes before it (Article 21(1))."""
    ann, now_ms = new_member(), services.clock.now_ms()
    await fill(services, ann)
    await services.db.work(
        lambda conn: holds.place(
            conn, reason="legal_claim", review_at_ms=now_ms + 1, now_ms=now_ms, actor=audit.OPERATOR, person=ann.person
        )
    )

    assert await limits.objection(services.lifecycle, ann.person, actor=ann.person.id) == 0
    assert (await services.db.study(counts_of, ann.person))["attendance"] == 1
    async with services.db.read() as conn:
        causes = select(processing_limits.c.cause).where(processing_limits.c.lifted_at_ms.is_(None))
        assert (await conn.execute(causes)).scalars().all() == ["objection"]


async def _seats(services: Services, *, left: bool | None = None) -> list[dict[str, object]]:
    async with services.db.read() as conn:
        query = select(attendance)
        if left is not None:
            query = query.where(attendance.c.left_at_ms.is_not(None) if left else attendance.c.left_at_ms.is_(None))
        return [dict(row) for row in (await conn.execute(query)).mappings()]
