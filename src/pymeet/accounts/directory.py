"""The list of people with an account, as administrators page and search through it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, and_, case, exists, func, literal, or_, select, tuple_

from pymeet.accounts import store
from pymeet.accounts.model import Role
from pymeet.accounts.rows import user_of
from pymeet.db.engine import Transaction
from pymeet.db.schema import avatars, group_members, passkeys, second_factors, users
from pymeet.db.ways_in import being_erased

MAX_PAGE = 200


@dataclass(frozen=True)
class Member:
    """One person in the list. Times are UTC milliseconds."""

    id: str
    name: str
    email: str
    role: Role
    state: str
    """`active`, `disabled`, `invited` (did not come yet) or `being_erased`."""
    created_at_ms: int
    last_seen_at_ms: int | None
    """None for who never came."""
    second_factor: bool


@dataclass(frozen=True)
class About:
    """What `users` itself does not say about somebody."""

    second_factor: bool
    avatar: bool


async def about(conn: Transaction, user_id: str) -> About:
    """What `users` itself does not say about a person."""
    row = (await conn.execute(select(_SECOND_FACTOR, _AVATAR).where(users.c.id == user_id))).mappings().one()
    return About(row["second_factor"], row["avatar"])


async def members(
    conn: Transaction, *, search: str = "", after: str = "", limit: int = 50, group: str = ""
) -> tuple[Sequence[Member], str | None]:
    """Up to `limit` people by name, from the one behind `after` (the id of the last one seen) on; and where to go on.

    `search` is a part of the name or of the address; with `group`, the id of one, only those who are in it. An `after`
    that is gone since begins anew.
    """
    query = select(users, _SECOND_FACTOR, _STATE, _NEVER_CAME).order_by(_NAME, users.c.id).limit(limit + 1)
    if search := search.strip():
        parts = (_NAME, search.lower()), (users.c.name, search), (users.c.email, search.lower())
        query = query.where(or_(*(column.contains(part, autoescape=True) for column, part in parts)))
    if group:
        query = query.where(users.c.id.in_(select(group_members.c.user_id).where(group_members.c.group_id == group)))
    if after and (last := await store.user(conn, after)):
        query = query.where(tuple_(_NAME, users.c.id) > tuple_(func.lower(last["name"]), literal(after)))
    rows = [_member(row) for row in (await conn.execute(query)).mappings()]
    more = len(rows) > limit
    return rows[:limit], rows[limit - 1].id if more else None


async def everybody(conn: Transaction) -> list[Member]:
    """All people, by name."""
    query = select(users, _SECOND_FACTOR, _STATE, _NEVER_CAME).order_by(_NAME, users.c.id)
    return [_member(row) for row in (await conn.execute(query)).mappings()]


async def member(conn: Transaction, user_id: str) -> Member | None:
    """One person as the list shows them."""
    query = select(users, _SECOND_FACTOR, _STATE, _NEVER_CAME).where(users.c.id == user_id)
    row = (await conn.execute(query)).mappings().first()
    return None if row is None else _member(row)


def shown(member: Member) -> Mapping[str, Any]:
    """A person of the list as JSON carries it."""
    return {
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "role": member.role,
        "state": member.state,
        "created_at": member.created_at_ms,
        "last_seen_at": member.last_seen_at_ms,
        "second_factor": member.second_factor,
    }


def _member(row: RowMapping) -> Member:
    user = user_of(row)
    times = row["created_at_ms"], None if row["never_came"] else row["last_seen_at_ms"]
    return Member(user.id, user.name, user.email, user.role, row["state"], *times, row["second_factor"])


_NAME = func.lower(users.c.name)
_SECOND_FACTOR = or_(
    exists(select(second_factors.c.user_id).where(second_factors.c.user_id == users.c.id).correlate(users)),
    exists(select(passkeys.c.user_id).where(passkeys.c.user_id == users.c.id).correlate(users)),
).label("second_factor")
_AVATAR = exists(
    select(avatars.c.user_id).where(avatars.c.user_id == users.c.id, avatars.c.file_id.is_not(None)).correlate(users)
).label("avatar")
_NEVER_CAME = and_(store.is_invited(), users.c.last_seen_at_ms <= users.c.created_at_ms).label("never_came")
_STATE = case(
    (being_erased(), "being_erased"),
    (users.c.disabled_at_ms.is_not(None), "disabled"),
    (store.is_invited(), "invited"),
    else_="active",
).label("state")
