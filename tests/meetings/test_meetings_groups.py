"""Inviting groups: everybody who is in one then, each with a row and a mail of their own, and no address told."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from pymeet.accounts.groups import Groups
from pymeet.accounts.model import User
from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.schema import mail_outbox, users
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError
from pymeet.meetings import inviting
from pymeet.meetings.planning import Planning
from pymeet.meetings.schedule import Details
from pymeet.ops.services import Services, open_services
from pymeet.retention import days

NINE_MS = round(datetime(2027, 3, 22, 8, 0, tzinfo=UTC).timestamp() * 1000)
ONCE = Details("Rehearsal", "", "2027-03-22T09:00", "Europe/Berlin", 60)


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    mail = {"host": "localhost", "encryption": "off", "from_address": "meet@example.org"}
    config = Config.model_validate({"data_dir": tmp_path, "mail": mail, "http": {"public_url": "https://x.example"}})
    async with open_services(config, ManualClock(utc_ms=NINE_MS - days(2))) as services:
        yield services


@pytest.fixture
def planning(services: Services) -> Planning:
    return Planning.of(services.lifecycle, services.meetings, site="https://x.example", key=b"k" * 32)


@pytest.fixture
def groups(services: Services) -> Groups:
    return Groups(services.db, services.clock)


async def person(services: Services, name: str, **also: object) -> User:
    user = User(f"{name.lower():_<22}", name, f"{name.lower()}@example.org", is_admin=False)
    now_ms = services.clock.now_ms()
    values = {"id": user.id, "name": name, "email": user.email, "is_admin": False, **also}
    async with services.db.write() as conn:
        await conn.execute(insert(users).values(created_at_ms=now_ms, last_seen_at_ms=now_ms, **values))
    return user


async def group_of(groups: Groups, name: str, *people: User) -> str:
    made = await groups.add(name)
    for each in people:
        await groups.join(made.id, each.id)
    return made.id


async def mailed(services: Services) -> list[str]:
    async with services.db.read() as conn:
        return sorted((await conn.execute(select(mail_outbox.c.to_address))).scalars())


async def test_everybody_in_the_group_is_invited_once_and_the_organiser_is_not(
    services: Services, planning: Planning, groups: Groups
) -> None:
    """Also who was named by address or is in two of the groups; who is locked out hears nothing."""
    ada, bob, eve = [await person(services, name) for name in ("Ada", "Bob", "Eve")]
    gone = await person(services, "Gone", disabled_at_ms=1)
    choir = await group_of(groups, "Choir", ada, bob, eve, gone)
    board = await group_of(groups, "Board", ada, eve)

    meeting = await planning.schedule.plan(ada, ONCE, None, [("bob@example.org", "")], [choir, board, choir])
    _, invited = await planning.schedule.show(ada, meeting.id)

    assert {(each.user_id, each.by_group, each.name) for each in invited} == {
        (bob.id, False, None),
        (eve.id, True, "Eve"),
    }
    assert len(invited) == 2
    assert await mailed(services) == ["bob@example.org", "eve@example.org"]
    assert [each.meeting.id for each in await planning.schedule.entries(eve, NINE_MS, NINE_MS + 1)] == [meeting.id]


async def test_a_group_can_be_invited_later_and_only_who_is_new_hears_of_it(
    services: Services, planning: Planning, groups: Groups
) -> None:
    """Who comes into the group after that is not invited by it."""
    ada, bob, eve = [await person(services, name) for name in ("Ada", "Bob", "Eve")]
    choir = await group_of(groups, "Choir", ada, bob)
    meeting = await planning.schedule.plan(ada, ONCE, None, [], [choir])
    await groups.join(choir, eve.id)
    assert len((await planning.schedule.show(ada, meeting.id))[1]) == 1

    added = await planning.schedule.invite_group(ada, meeting.id, choir)

    assert [each.user_id for each in added] == [eve.id]
    assert await planning.schedule.invite_group(ada, meeting.id, choir) == []
    assert await mailed(services) == ["bob@example.org", "eve@example.org"]
    with pytest.raises(NotAllowedError):
        await planning.schedule.invite_group(bob, meeting.id, choir)


async def test_an_invitation_stays_when_somebody_leaves_the_group(
    services: Services, planning: Planning, groups: Groups
) -> None:
    """And can be taken back like any other."""
    ada, bob = await person(services, "Ada"), await person(services, "Bob")
    choir = await group_of(groups, "Choir", ada, bob)
    meeting = await planning.schedule.plan(ada, ONCE, None, [], [choir])

    await groups.delete(choir)

    _, (invitee,) = await planning.schedule.show(ada, meeting.id)
    await planning.schedule.uninvite(ada, meeting.id, invitee.id)
    assert (await planning.schedule.show(ada, meeting.id))[1] == []


async def test_a_group_of_others_invites_nobody_and_leaves_no_room(
    services: Services, planning: Planning, groups: Groups
) -> None:
    """Whoever is not in it cannot find out by inviting it who is."""
    ada, bob = await person(services, "Ada"), await person(services, "Bob")
    choir = await group_of(groups, "Choir", bob)

    with pytest.raises(NotFoundError):
        await planning.schedule.plan(ada, ONCE, None, [], [choir])

    assert await services.meetings.rooms(ada.id) == []
    assert await mailed(services) == []


async def test_a_group_that_is_too_large_is_invited_as_a_whole_or_not_at_all(
    services: Services, planning: Planning, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a group would look like a whole one."""
    ada, bob, eve = [await person(services, name) for name in ("Ada", "Bob", "Eve")]
    choir = await group_of(groups, "Choir", ada, bob, eve)
    meeting = await planning.schedule.plan(ada, ONCE, None, [])
    monkeypatch.setattr(inviting, "MOST_INVITEES", 1)

    with pytest.raises(ConflictError) as caught:
        await planning.schedule.invite_group(ada, meeting.id, choir)

    assert caught.value.code == "too_many_invitees"
    assert (await planning.schedule.show(ada, meeting.id))[1] == []


async def test_who_types_the_address_of_somebody_invited_by_a_group_does_not_learn_whose_it_is(
    services: Services, planning: Planning, groups: Groups
) -> None:
    """By guessing addresses until one is refused, the organiser would get the address of everybody in the group. It looks
    as with any other address; who was invited by both is told once of what happens."""
    ada, bob = await person(services, "Ada"), await person(services, "Bob")
    choir = await group_of(groups, "Choir", ada, bob)
    meeting = await planning.schedule.plan(ada, ONCE, None, [], [choir])
    schedule = planning.schedule

    typed = await schedule.invite(ada, meeting.id, "bob@example.org", "")
    other = await schedule.invite(ada, meeting.id, "nobody@example.org", "")
    with pytest.raises(ConflictError):
        await schedule.invite(ada, meeting.id, "bob@example.org", "")

    assert (
        (typed.name, typed.answer, typed.by_group)
        == (other.name, other.answer, other.by_group)
        == (None, "none", False)
    )
    _, invited = await schedule.show(ada, meeting.id)
    shown = [(each.name, None if each.by_group else each.email) for each in invited]
    assert shown == [("Bob", None), (None, "bob@example.org"), (None, "nobody@example.org")]
    assert await mailed(services) == ["bob@example.org", "bob@example.org", "nobody@example.org"]
    await planning.answers.as_member(bob, meeting.id, "accepted")
    assert [each.answer for each in await schedule.entries(bob, NINE_MS, NINE_MS + 1)] == ["accepted"]
    await schedule.change(ada, meeting.id, replace(ONCE, title="Concert"))
    assert await mailed(services) == ["bob@example.org"] * 3 + ["nobody@example.org"] * 2
    await schedule.uninvite(ada, meeting.id, typed.id)
    assert (await mailed(services)).count("bob@example.org") == 3
    assert [each.meeting.id for each in await schedule.entries(bob, NINE_MS, NINE_MS + 1)] == [meeting.id]
