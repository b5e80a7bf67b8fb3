"""Finding people: certain where an id or address says who it is, a guess where only a name fits."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update
from tests.support.erasing import fill, new_guest, new_member, opened

from pymeet.db.schema import attendance, messages, rooms
from pymeet.errors import InvalidInputError, NotFoundError, NotSignedInError
from pymeet.ops.services import Services
from pymeet.privacy import find, receipts
from pymeet.privacy.find import How
from pymeet.privacy.people import guest

KEY = b"r" * 32


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with opened(tmp_path) as services:
        yield services


async def test_an_account_is_found_by_id_and_by_address_in_any_case(services: Services) -> None:
    """As people type it."""
    ann, ben = new_member(), new_member()
    await fill(services, ann)
    await fill(services, ben)
    assert ann.email is not None

    by_id = await services.db.study(find.find, ann.person.id, KEY)
    by_mail = await services.db.study(find.find, f" {ann.email.upper()} ", KEY)

    assert [(each.person, each.how, each.email) for each in by_id] == [(ann.person, How.ACCOUNT, ann.email)]
    assert [(each.person, each.how) for each in by_mail] == [(ann.person, How.ADDRESS)]
    assert await services.db.study(find.the_person, ann.email, KEY) == ann.person


async def test_a_part_of_an_address_finds_nobody(services: Services) -> None:
    """Whoever may search by parts can try out who has an account."""
    ann = new_member()
    await fill(services, ann)
    assert ann.email is not None

    assert await services.db.study(find.find, ann.email[:-1], KEY) == []


async def test_a_guest_is_found_by_receipt_and_by_seat(services: Services) -> None:
    """With the room and the time, so that one can ask about them."""
    cat = new_guest()
    await fill(services, cat)
    receipt = receipts.issue(KEY, cat.person.id, "room", 1)

    by_receipt = await services.db.study(find.find, receipt, KEY)
    by_seat = await services.db.study(find.find, cat.person.id, KEY)

    assert [(each.person, each.how, each.certain) for each in by_receipt] == [(cat.person, How.RECEIPT, True)]
    assert by_seat[0].room is not None
    assert by_seat[0].at_ms == services.clock.now_ms()
    with pytest.raises(NotSignedInError):
        await services.db.study(find.find, receipts.issue(b"o" * 32, cat.person.id, "room", 1), KEY)


async def test_a_guest_whose_attendance_is_over_is_still_found_by_what_remains(services: Services) -> None:
    """Messages may be kept for longer."""
    cat = new_guest()
    await fill(services, cat)
    async with services.db.write() as conn:
        await conn.execute(delete(attendance))

    assert await services.db.study(find.the_person, cat.person.id, KEY) == cat.person


async def test_a_members_seat_leads_to_the_account(services: Services) -> None:
    """A seat is a part of somebody; erasing or showing only that part would be half the truth."""
    ann = new_member()
    await fill(services, ann)

    assert await services.db.study(find.the_person, ann.tokens["attendance.participant_id"], KEY) == ann.person


async def test_a_name_finds_candidates_that_are_marked_unsure(services: Services) -> None:
    """Two people may have the same one. A name alone never says whom to erase."""
    ann, cat = new_member(), new_guest()
    await fill(services, ann)
    await fill(services, cat)
    async with services.db.write() as conn:
        await conn.execute(update(attendance).values(name="Anna Example"))
        await conn.execute(update(messages).values(name="Anna Example"))

    found = await services.db.study(find.find, "anna example", KEY)

    assert {each.person for each in found} == {ann.person, cat.person}
    assert not any(each.certain for each in found)
    assert all(each.room for each in found)
    assert len(found) == 2
    with pytest.raises(NotFoundError):
        await services.db.study(find.the_person, "Anna Example", KEY)


async def test_mentions_are_found_in_what_anybody_wrote(services: Services) -> None:
    """In texts and in names of rooms, with an excerpt to decide by."""
    ben = new_member()
    await fill(services, ben)
    async with services.db.write() as conn:
        await conn.execute(update(messages).values(text="x" * 100 + " said ÄNNE MÜLLER to me, and then " + "y" * 100))
        await conn.execute(
            insert(rooms).values(
                id="r-2", slug="r-2", name="Talk with Änne Müller", created_at_ms=1, deleted_at_ms=None
            )
        )

    found = await services.db.study(find.mentions, "änne müller")

    assert {(each.table, each.column) for each in found} == {("messages", "text"), ("rooms", "name")}
    written = next(each for each in found if each.table == "messages")
    assert written.excerpt.startswith("…")
    assert "ÄNNE MÜLLER" in written.excerpt
    assert len(written.excerpt) < 120
    assert written.room is not None
    assert written.at_ms == services.clock.now_ms()


async def test_names_that_stand_everywhere_are_not_searched(services: Services) -> None:
    """Two letters are in every text."""
    with pytest.raises(InvalidInputError):
        await services.db.study(find.mentions, " Jo ")


async def test_nobody_is_found_where_nobody_is(services: Services) -> None:
    """Nor made up."""
    assert await services.db.study(find.find, "nobody@example.org", KEY) == []
    assert guest("nobody-at-all") not in await services.db.study(find.find, "nobody-at-all", KEY)
