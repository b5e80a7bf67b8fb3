"""Fields that administrators add to the profile: what they are called, who fills them in, and when what stands in them goes."""

import pytest
from sqlalchemy import select

from pymeet.accounts.profile_fields import LABEL_LENGTH, MOST_FIELDS, VALUE_LENGTH, FieldChange, ProfileFields
from pymeet.accounts.service import Accounts, User
from pymeet.clock import ManualClock
from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.db.schema import audit_events, profile_values, users
from pymeet.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from pymeet.ids import new_id
from pymeet.privacy import holds
from pymeet.privacy.people import member
from pymeet.privacy.rows import delete_rows


@pytest.fixture
def fields(db: Database, clock: ManualClock) -> ProfileFields:
    return ProfileFields(db, clock)


@pytest.fixture
async def ann(accounts: Accounts) -> User:
    user, _ = await accounts.add_user("Ann", "ann@example.org", False)
    return user


async def _values(db: Database) -> list[str]:
    async with db.read() as conn:
        return list((await conn.execute(select(profile_values.c.value))).scalars())


async def test_fields_keep_their_order_and_move_in_it(fields: ProfileFields) -> None:
    """Behind the others first, and where an administrator puts them then."""
    for label in ("Department", "Room", "Telephone"):
        await fields.add(label)

    await fields.change("telephone", FieldChange(place=1))
    assert [each.label for each in await fields.listed()] == ["Telephone", "Department", "Room"]
    await fields.change("Telephone", FieldChange(place=20))
    await fields.delete("Department")
    await fields.add("Floor")

    assert [each.label for each in await fields.listed()] == ["Room", "Telephone", "Floor"]
    with pytest.raises(InvalidInputError):
        await fields.change("Room", FieldChange(place=0))


async def test_a_label_belongs_to_one_field_however_it_is_written(fields: ProfileFields) -> None:
    """Otherwise nobody knows which one they fill in."""
    room = await fields.add(" Büro ")
    await fields.add("Floor")

    for change in (fields.add("BÜRO"), fields.change("Floor", FieldChange(label="büro"))):
        with pytest.raises(ConflictError) as caught:
            await change
        assert caught.value.code == "label_taken"
    assert (await fields.change(room.id, FieldChange(label="BÜRO"))).label == "BÜRO"
    for label in ("", "x" * (LABEL_LENGTH + 1)):
        with pytest.raises(InvalidInputError):
            await fields.add(label)


async def test_there_are_only_so_many(fields: ProfileFields) -> None:
    """A profile is no questionnaire."""
    for number in range(MOST_FIELDS):
        await fields.add(f"Field {number}")

    with pytest.raises(ConflictError) as caught:
        await fields.add("One more")

    assert caught.value.code == "too_many_fields"


async def test_people_fill_in_what_is_theirs_and_administrators_everything(fields: ProfileFields, ann: User) -> None:
    """All of it or nothing, so that a page never shows half of what was typed."""
    department, number = await fields.add("Department"), await fields.add("Staff number", editable=False)
    await fields.fill("ann@example.org", {"staff number": " 47\t11 "})

    with pytest.raises(NotAllowedError) as caught:
        await fields.fill(ann.id, {department.id: "Garden", number.id: "1"}, by=ann.id, own=True)
    assert caught.value.code == "field_not_editable"
    assert [each.value for each in await fields.of(ann.id)] == [None, "47 11"]

    # what a page sends along unchanged is no change
    filled = await fields.fill(ann.id, {department.id: "Garden", number.id: "47 11"}, by=ann.id, own=True)
    assert [(each.label, each.value) for each in filled] == [("Department", "Garden"), ("Staff number", "47 11")]
    assert [each.people for each in await fields.listed()] == [1, 1]
    await fields.fill(ann.id, {department.id: " ", number.id: None})
    assert [each.value for each in await fields.of(ann.id)] == [None, None]


async def test_what_nobody_can_show_or_find_is_refused(fields: ProfileFields, ann: User) -> None:
    """Endless texts, fields and people that are not there."""
    await fields.add("Department")

    with pytest.raises(InvalidInputError, match="Department"):
        await fields.fill(ann.id, {"Department": "x" * (VALUE_LENGTH + 1)})
    for refused in (
        fields.fill(ann.id, {new_id(): "Garden"}),
        fields.fill(new_id(), {"Department": "Garden"}),
        fields.of(new_id()),
        fields.delete("Floor"),
    ):
        with pytest.raises(NotFoundError):
            await refused


async def test_values_go_with_the_field_and_with_the_person(
    fields: ProfileFields, accounts: Accounts, ann: User, db: Database
) -> None:
    """Nothing that says something about somebody outlives either."""
    bob, _ = await accounts.add_user("Bob", "bob@example.org", False)
    for label in ("Department", "Room"):
        await fields.add(label)
        for each in (ann, bob):
            await fields.fill(each.id, {label: f"{label} of {each.name}"})

    async with db.write() as conn:
        await conn.run_sync(delete_rows, users, users.c.id == bob.id, 0)
    gone = await fields.delete("Room")

    assert gone.people == 1
    assert await _values(db) == ["Department of Ann"]


async def test_a_field_is_not_deleted_while_a_hold_keeps_what_stands_in_it(
    fields: ProfileFields, ann: User, db: Database, clock: ManualClock
) -> None:
    """A hold keeps everything of a person, whoever wants to be rid of it."""
    await fields.add("Department")
    await fields.add("Room")
    await fields.fill(ann.id, {"Department": "Garden"})
    now_ms = clock.now_ms()
    said = {"reason": "legal_claim", "review_at_ms": now_ms + 1, "now_ms": now_ms, "actor": audit.OPERATOR}
    await db.work(lambda conn: holds.place(conn, person=member(ann.id), **said))

    with pytest.raises(ConflictError) as caught:
        await fields.delete("Department")
    await fields.delete("Room")

    assert caught.value.code == "held"
    assert await _values(db) == ["Garden"]


async def test_the_audit_log_says_what_was_done_and_not_what_was_written(
    fields: ProfileFields, ann: User, db: Database
) -> None:
    """Neither labels nor values: it is kept longer than they are."""
    await fields.add("Department")
    await fields.fill(ann.id, {"Department": "Garden"}, by=ann.id, own=True)
    await fields.fill(ann.id, {"Department": "Garden"}, by=ann.id, own=True)
    await fields.change("Department", FieldChange(editable=False))
    await fields.delete("Department")

    async with db.read() as conn:
        query = select(audit_events.c.action, audit_events.c.detail).order_by(audit_events.c.sequence)
        rows = [(action, detail) for action, detail in await conn.execute(query) if "field" in action]
    assert rows == [
        ("profile_field.added", None),
        ("user.fields_changed", '{"fields":1}'),
        ("profile_field.changed", None),
        ("profile_field.deleted", '{"people":1}'),
    ]
