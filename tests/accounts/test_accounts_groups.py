"""Groups of members: what they are called, who is in them, and who learns of that."""

import pytest
from sqlalchemy import select

from pymeet.accounts import groups as limits
from pymeet.accounts.groups import DESCRIPTION_LENGTH, NAME_LENGTH, Fellow, Groups
from pymeet.accounts.service import Accounts, User
from pymeet.clock import ManualClock
from pymeet.db.engine import Database
from pymeet.db.schema import audit_events, group_members, processing_limits, users
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.ids import new_id
from pymeet.privacy.rows import delete_rows


@pytest.fixture
def groups(db: Database, clock: ManualClock) -> Groups:
    return Groups(db, clock)


async def person(accounts: Accounts, name: str) -> User:
    user, _ = await accounts.add_user(name, f"{name.lower()}@example.org", False)
    return user


async def _actions(db: Database) -> list[str]:
    async with db.read() as conn:
        found = (await conn.execute(select(audit_events.c.action).order_by(audit_events.c.sequence))).scalars()
        return [each for each in found if "group" in each]


async def test_whoever_is_in_a_group_sees_it_and_nobody_else_does(groups: Groups, accounts: Accounts) -> None:
    """What others are in is nobody's business, and a group that is not there looks the same."""
    ann, bob, cleo = [await person(accounts, name) for name in ("Ann", "Bob", "Cleo")]
    choir = await groups.add("Choir", "Who sings on Mondays")
    await groups.add("Board")
    for each in (bob, ann):
        await groups.join(choir.id, each.id)

    found, more = await groups.page(of=ann.id)
    group, people = await groups.own(ann.id, choir.id)

    assert ([each.name for each in found], more) == (["Choir"], None)
    assert (group.description, group.people) == ("Who sings on Mondays", 2)
    assert people == [Fellow(ann.id, "Ann"), Fellow(bob.id, "Bob")]
    assert await groups.page(of=cleo.id) == ([], None)
    for group_id in (choir.id, new_id()):
        with pytest.raises(NotFoundError):
            await groups.own(cleo.id, group_id)


async def test_a_name_belongs_to_one_group_however_it_is_written(groups: Groups) -> None:
    """Otherwise nobody knows which one they choose."""
    choir = await groups.add("Choir")
    board = await groups.add("Board")

    with pytest.raises(ConflictError):
        await groups.add(" choir ")
    with pytest.raises(ConflictError):
        await groups.change(board.id, {"name": "CHOIR"})

    assert (await groups.change("choir", {"name": "CHOIR", "description": "x"})).id == choir.id
    assert (await groups.one("Choir")).name == "CHOIR"


@pytest.mark.parametrize(
    "wanted",
    [{"name": "\t"}, {"name": "x" * (NAME_LENGTH + 1)}, {"description": "x" * (DESCRIPTION_LENGTH + 1)}],
)
async def test_what_cannot_be_shown_is_refused(groups: Groups, wanted: dict[str, str]) -> None:
    """Empty names and endless texts."""
    await groups.add("Choir", "Who sings")

    with pytest.raises(InvalidInputError):
        await groups.change("Choir", wanted)

    assert (await groups.one("Choir")).description == "Who sings"


async def test_groups_are_paged_by_name(groups: Groups) -> None:
    """Also those whose names differ in case only by their first letter, and a search for what stands for anything."""
    for name in ("beta", "Alpha", "100%", "Gamma", "delta"):
        await groups.add(name)

    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page, after = await groups.page(after=after, limit=2)
        seen += [each.name for each in page]

    assert seen == ["100%", "Alpha", "beta", "delta", "Gamma"]
    assert [each.name for each in (await groups.page(search="A"))[0]] == ["Alpha", "beta", "delta", "Gamma"]
    assert [each.name for each in (await groups.page(search="%"))[0]] == ["100%"]


async def test_joining_twice_is_no_mistake_and_leaving_twice_is(
    groups: Groups, accounts: Accounts, db: Database
) -> None:
    """And each is written down once, for the group and for the person."""
    ann = await person(accounts, "Ann")
    await groups.add("Choir")

    assert (await groups.join("Choir", "ANN@example.org"))[0].people == 1
    assert (await groups.join("Choir", ann.id))[0].people == 1
    assert (await groups.leave("Choir", ann.id))[0].people == 0
    with pytest.raises(NotFoundError):
        await groups.leave("Choir", ann.id)
    with pytest.raises(NotFoundError):
        await groups.join("Choir", "nobody@example.org")
    await groups.delete("Choir")

    assert await _actions(db) == [
        "group.added",
        *("group.member_added", "user.group_added"),
        *("group.member_removed", "user.group_removed"),
        "group.deleted",
    ]


async def test_who_is_disabled_is_not_shown_to_the_others(groups: Groups, accounts: Accounts) -> None:
    """Until the account can be used again; the membership stays."""
    ann, bob = await person(accounts, "Ann"), await person(accounts, "Bob")
    choir = await groups.add("Choir")
    for each in (ann, bob):
        await groups.join(choir.id, each.id)
    await accounts.disable_user(bob.id)
    assert (await groups.own(ann.id, choir.id))[1] == [Fellow(ann.id, "Ann")]

    await accounts.enable_user(bob.id)

    assert len((await groups.own(ann.id, choir.id))[1]) == 2


async def test_a_group_counts_whom_it_names(
    groups: Groups, accounts: Accounts, db: Database, clock: ManualClock
) -> None:
    """A number that is higher than the names below it would tell that somebody is locked out or being erased."""
    ann, bob, cleo = [await person(accounts, name) for name in ("Ann", "Bob", "Cleo")]
    choir = await groups.add("Choir")
    for each in (ann, bob, cleo):
        await groups.join(choir.id, each.id)
    await accounts.disable_user(bob.id)
    limit = {"id": new_id(), "user_id": cleo.id, "cause": "restriction", "from_ms": clock.now_ms()}
    await db.work(lambda conn: conn.execute(processing_limits.insert().values(limit)))

    group, fellows = await groups.own(ann.id, choir.id)

    assert [each.name for each in fellows] == ["Ann"]
    assert group.people == 1
    assert [each.people for each in (await groups.page(of=ann.id))[0]] == [1]


async def test_a_membership_ends_with_the_account_and_with_the_group(
    groups: Groups, accounts: Accounts, db: Database
) -> None:
    """Nothing that names somebody outlives either."""
    ann, bob = await person(accounts, "Ann"), await person(accounts, "Bob")
    for name in ("Choir", "Board"):
        await groups.add(name)
        for each in (ann, bob):
            await groups.join(name, each.id)

    async with db.write() as conn:
        await conn.run_sync(delete_rows, users, users.c.id == bob.id, 0)
    await groups.delete("Board")

    async with db.read() as conn:
        assert (await conn.execute(select(group_members.c.user_id))).scalars().all() == [ann.id]


async def test_whoever_reaches_a_limit_hears_which(
    groups: Groups, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A general word would read as if waiting helped."""
    for limit in ("MOST_GROUPS", "MOST_PEOPLE"):
        monkeypatch.setattr(limits, limit, 1)
    choir = await groups.add("Choir")
    ann, bob = await person(accounts, "Ann"), await person(accounts, "Bob")
    await groups.join(choir.id, ann.id)

    with pytest.raises(ConflictError) as caught:
        await groups.add("Board")
    assert caught.value.code == "too_many_groups"
    with pytest.raises(ConflictError) as caught:
        await groups.join(choir.id, bob.id)
    assert caught.value.code == "too_many_people"
    assert (await groups.one(choir.id)).people == 1
