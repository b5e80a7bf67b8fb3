"""The SQL of groups. Every function takes the connection of a transaction that its caller owns."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from pymeet.db.schema import group_members, groups, processing_limits, users
from pymeet.privacy.rows import delete_rows
from pymeet.privacy.visible import HIDING


def in_sight() -> ColumnElement[bool]:
    """The condition that picks accounts which others see in a group: neither disabled, nor hidden by an erasure or restriction."""
    hidden = select(processing_limits.c.user_id).where(
        processing_limits.c.user_id == users.c.id,
        processing_limits.c.cause.in_(HIDING),
        processing_limits.c.lifted_at_ms.is_(None),
    )
    return and_(users.c.disabled_at_ms.is_(None), ~exists(hidden.correlate(users)))


def groups_of(user_id: str) -> ColumnElement[bool]:
    """The condition that picks the groups in which somebody is."""
    mine = select(group_members.c.group_id).where(group_members.c.user_id == user_id)
    return groups.c.id.in_(mine)


def page(
    conn: Connection, *, among: ColumnElement[bool] | None, search: str, after: str, limit: int
) -> Sequence[RowMapping]:
    """Groups by name with `people`, how many are in sight in each; up to `limit`, from the one behind `after` (an id) on."""
    query = select(groups, _PEOPLE).order_by(_NAME, groups.c.id).limit(limit)
    if among is not None:
        query = query.where(among)
    if search:
        found = (_NAME.contains(search.lower(), autoescape=True), groups.c.name.contains(search, autoescape=True))
        query = query.where(or_(*found))
    if after and (last := one(conn, groups.c.id == after)):
        query = query.where(tuple_(_NAME, groups.c.id) > tuple_(func.lower(last["name"]), literal(after)))
    return conn.execute(query).mappings().all()


def one(conn: Connection, condition: ColumnElement[bool]) -> RowMapping | None:
    """The group that a condition picks, with `people`."""
    return conn.execute(select(groups, _PEOPLE).where(condition)).mappings().first()


def called(name_or_id: str) -> ColumnElement[bool]:
    """The condition that picks a group by its id or, however it is written, its name."""
    return or_(groups.c.id == name_or_id, func.lower(name_or_id) == _NAME)


def is_taken(conn: Connection, name: str, besides: str = "") -> bool:
    """Whether another group goes by this name."""
    query = select(groups.c.id).where(func.lower(name) == _NAME, groups.c.id != besides)
    return conn.execute(query).first() is not None


def count(conn: Connection) -> int:
    return conn.execute(select(func.count()).select_from(groups)).scalar_one()


def memberships(conn: Connection, group_id: str) -> int:
    """How many are in a group, in sight or not."""
    query = select(func.count()).select_from(group_members).where(group_members.c.group_id == group_id)
    return conn.execute(query).scalar_one()


def add(conn: Connection, **values: Any) -> None:
    conn.execute(insert(groups).values(**values))


def change(conn: Connection, group_id: str, **values: Any) -> None:
    conn.execute(update(groups).where(groups.c.id == group_id).values(**values))


def remove(conn: Connection, group_id: str, now_ms: int) -> None:
    """Deletes a group, with who is in it and what is shared with it."""
    delete_rows(conn, groups, groups.c.id == group_id, now_ms)


def add_member(conn: Connection, group_id: str, user_id: str, at_ms: int) -> bool:
    """Whether they were not in it yet."""
    values = {"group_id": group_id, "user_id": user_id, "added_at_ms": at_ms}
    return conn.execute(upsert(group_members).values(values).on_conflict_do_nothing()).rowcount > 0


def remove_member(conn: Connection, group_id: str, user_id: str) -> bool:
    """Whether they were in it."""
    mine = (group_members.c.group_id == group_id, group_members.c.user_id == user_id)
    return conn.execute(delete(group_members).where(*mine)).rowcount > 0


def people(conn: Connection, group_id: str) -> Sequence[RowMapping]:
    """Everybody in a group who is in sight, by name: rows of `users`."""
    query = select(users).join(group_members, group_members.c.user_id == users.c.id)
    mine = group_members.c.group_id == group_id, in_sight()
    return conn.execute(query.where(*mine).order_by(func.lower(users.c.name), users.c.id)).mappings().all()


_NAME = func.lower(groups.c.name)
_PEOPLE = (
    select(func.count())
    .select_from(group_members.join(users, users.c.id == group_members.c.user_id))
    .where(group_members.c.group_id == groups.c.id, in_sight())
    .scalar_subquery()
    .label("people")
)
