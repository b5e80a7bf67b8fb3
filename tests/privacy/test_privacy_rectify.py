"""Rectification: a person's own data, where they gave it, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.support.erasing import Canary, fill, new_guest, new_member, opened

from pymeet.accounts.texts import clean_email, clean_line
from pymeet.db import audit
from pymeet.db.schema import attendance, audit_events, messages, users
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.ops.services import Services
from pymeet.privacy.people import DataSubject
from pymeet.privacy.rectify import rectifiable, rectify


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with opened(tmp_path) as services:
        yield services


@pytest.fixture
async def pair(services: Services) -> tuple[Canary, Canary]:
    ann, ben = new_member(), new_member()
    await fill(services, ann)
    await fill(services, ben)
    return ann, ben


async def _correct(services: Services, person: DataSubject, table: str, column: str, value: str, **more: Any) -> int:
    given: dict[str, Any] = {"clean": lambda text: clean_line(text, what="The name"), **more}
    now_ms = services.clock.now_ms()
    return await services.db.work(
        lambda conn: rectify(conn, person, table, column, value, actor=audit.OPERATOR, now_ms=now_ms, **given)
    )


async def test_a_name_is_corrected_and_cleaned_like_everywhere(services: Services, pair: tuple[Canary, Canary]) -> None:
    """Whatever comes in by this door looks as if it had come in by the usual one."""
    ann, ben = pair

    assert await _correct(services, ann.person, "users", "name", "  Anna\t Right ") == 1

    async with services.db.read() as conn:
        names = {row.id: row.name for row in await conn.execute(select(users.c.id, users.c.name))}
        (event,) = (
            (await conn.execute(select(audit_events).where(audit_events.c.action == "data.rectified"))).mappings().all()
        )
    assert names == {ann.person.id: "Anna Right", ben.person.id: ben.tokens["users.name"]}
    assert "Anna" not in event["detail"]
    assert "users.name" in event["detail"]


async def test_only_some_rows_are_corrected_where_that_is_wanted(
    services: Services, pair: tuple[Canary, Canary]
) -> None:
    """One message may be wrong, not all."""
    ann, _ = pair
    one = ann.tokens["messages.id.1"]

    assert await _correct(services, ann.person, "messages", "name", "Anna", only={"id": one}) == 1

    async with services.db.read() as conn:
        named = (await conn.execute(select(messages.c.id).where(messages.c.name == "Anna"))).scalars().all()
    assert named == [one]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("users", "is_admin"),
        ("users", "id"),
        ("attendance", "joined_at_ms"),
        ("rooms", "name"),
        ("audit_events", "target"),
        ("user_credentials", "password_hash"),
        ("users", "no_such_column"),
        ("no_such_table", "name"),
    ],
)
async def test_nothing_else_can_be_changed_under_this_name(
    services: Services, pair: tuple[Canary, Canary], table: str, column: str
) -> None:
    """Otherwise the right to correct would be a way to become an administrator, or to rewrite the log."""
    with pytest.raises(InvalidInputError):
        await _correct(services, pair[0].person, table, column, "1")


async def test_the_rows_of_somebody_else_are_out_of_reach(services: Services, pair: tuple[Canary, Canary]) -> None:
    """Even when they are named."""
    ann, ben = pair

    with pytest.raises(NotFoundError):
        await _correct(services, ann.person, "messages", "name", "Anna", only={"id": ben.tokens["messages.id.1"]})


async def test_an_address_of_somebody_else_is_refused(services: Services, pair: tuple[Canary, Canary]) -> None:
    """And nothing is changed."""
    ann, ben = pair
    assert ben.email is not None

    with pytest.raises(ConflictError):
        await _correct(services, ann.person, "users", "email", ben.email.upper(), clean=clean_email)

    async with services.db.read() as conn:
        emails = set((await conn.execute(select(users.c.email))).scalars().all())
    assert emails == {ann.email, ben.email}


async def test_a_guest_corrects_the_name_they_typed(services: Services) -> None:
    """Without account; the log holds neither the name nor the seat."""
    cat = new_guest()
    await fill(services, cat)

    assert await _correct(services, cat.person, "attendance", "name", "Catherine") == 1
    assert await _correct(services, cat.person, "messages", "name", "Catherine") == 3

    async with services.db.read() as conn:
        assert (await conn.execute(select(attendance.c.name))).scalars().all() == ["Catherine"]
        targets = (await conn.execute(select(audit_events.c.target))).scalars().all()
    assert cat.person.id not in targets


async def test_what_can_be_corrected_is_listed(services: Services, pair: tuple[Canary, Canary]) -> None:
    """For the page on which people do it themselves."""
    found = await services.db.study(rectifiable, pair[0].person)

    listed = {(each.table, each.column): each.rows for each in found}
    assert listed["users", "name"] == listed["users", "email"] == 1
    assert listed["messages", "text"] == 3
    assert ("rooms", "name") not in listed
