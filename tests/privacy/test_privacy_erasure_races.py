"""Erasures that meet: each other, somebody who thinks better of it, and a mistake in one of them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text, update
from tests.support.erasing import Canary, fill, new_guest, new_member, opened

from pymeet.clock import ManualClock
from pymeet.db import audit
from pymeet.db.schema import requests, users
from pymeet.errors import ConflictError
from pymeet.ops.services import Services
from pymeet.privacy import holds
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.people import DataSubject

DAY_MS = 86_400_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def services(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Services]:
    async with opened(tmp_path, clock=clock) as services:
        yield services


async def make_admin(services: Services, canary: Canary) -> None:
    async with services.db.write() as conn:
        await conn.execute(update(users).where(users.c.id == canary.person.id).values(is_admin=True))


async def test_two_who_erase_the_same_person_share_one_receipt(services: Services) -> None:
    """The sweeper and a click come at the same moment; the second must not replace the proof by one without a search."""
    ann = new_guest()
    await fill(services, ann)

    one, other = await asyncio.gather(
        Erasures(services.lifecycle).erase_now(ann.person, "guest", audit.GUEST),
        Erasures(services.lifecycle).erase_now(ann.person, "guest", audit.GUEST),
    )

    assert one == other
    assert (one.search, one.rows_only) == ("clean", False)
    assert await Erasures(services.lifecycle).receipt(one.request_id) == one


async def test_cancelling_does_not_wait_for_the_erasure_of_somebody_else(services: Services) -> None:
    """That may search through gigabytes, and whoever thinks better of it stands before an open page."""
    ann, ben = new_member(), new_member()
    await fill(services, ann)
    await fill(services, ben)
    erasures = Erasures(services.lifecycle)
    bens = await erasures.request(ben.person, "self", ben.person.id)
    searching = asyncio.Event()

    def progress(_done: int, _total: int | None, what: str) -> None:
        if what.startswith("searching"):
            searching.set()

    anns = asyncio.create_task(erasures.erase_now(ann.person, "operator", audit.OPERATOR, progress))
    await searching.wait()

    cancelled = await erasures.cancel(bens.id, ben.person.id)

    assert not anns.done()
    assert cancelled.state == "cancelled"
    assert (await anns).complete


async def test_an_erasure_under_way_cannot_be_cancelled(services: Services) -> None:
    """Half of the person is gone: what was hidden must not come back, and the rest must go."""
    ann = new_member()
    await fill(services, ann)
    erasures = Erasures(services.lifecycle)
    request = await erasures.request(ann.person, "self", ann.person.id)
    begun, going_on = asyncio.Event(), asyncio.Event()

    async def hold_up(_person: DataSubject) -> None:
        begun.set()
        await going_on.wait()

    held_up = services.lifecycle.__class__(**{**vars(services.lifecycle), "cancel_meetings": hold_up})
    erasing = asyncio.create_task(Erasures(held_up).erase_now(ann.person, "operator", audit.OPERATOR))
    await begun.wait()

    with pytest.raises(ConflictError) as refused:
        await erasures.cancel(request.id, ann.person.id)
    assert refused.value.code == "erasure_has_begun"
    going_on.set()
    assert (await erasing).complete


async def test_who_thinks_better_of_it_while_another_is_erased_stays(services: Services, clock: ManualClock) -> None:
    """Both were due in the same sweep; the list of those is older than the cancellation."""
    ann, ben = new_member(), new_member()
    for each in (ann, ben):
        await fill(services, each)
    first, second = asyncio.Event(), asyncio.Event()

    async def hold_up(_person: DataSubject) -> None:
        first.set()
        await second.wait()

    held_up = services.lifecycle.__class__(**{**vars(services.lifecycle), "cancel_meetings": hold_up})
    erasures = Erasures(held_up)
    await erasures.request(ann.person, "self", ann.person.id)
    clock.advance(1)
    bens = await erasures.request(ben.person, "self", ben.person.id)
    clock.advance(30 * DAY_MS / 1000)
    sweeping = asyncio.create_task(erasures.due(clock.now_ms()))
    await first.wait()
    await erasures.cancel(bens.id, ben.person.id)
    second.set()

    assert len(await sweeping) == 1
    async with services.db.read() as conn:
        left = (await conn.execute(select(users.c.id).where(users.c.id.in_([ann.person.id, ben.person.id])))).scalars()
    assert list(left) == [ben.person.id]


async def test_two_administrators_cannot_both_be_on_their_way_out(services: Services) -> None:
    """Each would count on the other, and the second erasure could never be carried out."""
    ann, ben = new_member(), new_member()
    for each in (ann, ben):
        await fill(services, each)
        await make_admin(services, each)
    erasures = Erasures(services.lifecycle)
    anns = await erasures.request(ann.person, "self", ann.person.id)

    with pytest.raises(ConflictError) as refused:
        await erasures.request(ben.person, "self", ben.person.id)

    assert refused.value.code == "last_administrator"
    await erasures.cancel(anns.id, ann.person.id)
    assert (await erasures.request(ben.person, "self", ben.person.id)).state == "restricted"


async def test_one_erasure_that_fails_is_in_nobodys_way(services: Services, clock: ManualClock) -> None:
    """Whatever is wrong with it, the others are due."""
    ann, ben = new_guest(), new_guest()
    erasures = Erasures(services.lifecycle)
    for each in (ann, ben):
        await fill(services, each)
        await erasures.request(each.person, "guest", audit.GUEST, grace_ms=0)
        clock.advance(1)
    async with services.db.write() as conn:
        here = requests.c.participant_id == ann.person.id, requests.c.right == "erasure"
        await conn.execute(update(requests).where(*here).values(result="not what the program writes"))

    receipts = await erasures.due(clock.now_ms())

    assert [receipt.state for receipt in receipts] == ["done"]
    async with services.db.read() as conn:
        left = (await conn.execute(text("SELECT participant_id FROM attendance"))).scalars().all()
    assert ben.person.id not in left


async def test_a_hold_on_a_guest_leaves_no_trace_of_the_seat_in_the_audit_log(services: Services) -> None:
    """The log outlives the guest, and the receipt would say that something was found."""
    ann = new_guest()
    await fill(services, ann)
    now_ms = services.clock.now_ms()

    def hold(conn: Connection) -> None:
        placed = holds.place(
            conn,
            reason="legal_claim",
            review_at_ms=now_ms + DAY_MS,
            now_ms=now_ms,
            actor=audit.OPERATOR,
            person=ann.person,
        )
        holds.release(conn, placed.id, now_ms=now_ms, actor=audit.OPERATOR)

    await services.db.work(hold)

    receipt = await Erasures(services.lifecycle).erase_now(ann.person, "guest", audit.GUEST)

    assert (receipt.state, receipt.search) == ("done", "clean")
