"""The list of all rooms, as administrators page and search through it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, exists, func, literal, or_, select, tuple_

from pymeet.db.engine import Transaction
from pymeet.db.schema import attendance, personal_rooms, rooms, users

MAX_PAGE = 200


@dataclass(frozen=True)
class Listed:
    """One room in the list. Times are UTC milliseconds."""

    id: str
    slug: str
    name: str
    owner: Mapping[str, str] | None
    """`id`, `name` and `email` of whom it belongs to."""
    is_personal: bool
    """Whether it is its owner's personal room."""
    created_at_ms: int
    last_used_at_ms: int | None
    """When somebody came in last, for as long as attendance is kept."""


async def listed(
    conn: Transaction, *, search: str = "", after: str = "", limit: int = 50
) -> tuple[Sequence[Listed], str | None]:
    """Up to `limit` rooms by name, from the one behind `after` (the slug of the last one seen) on; and where to go on.

    `search` is a part of the room's name, its address, or its owner's name or address. An `after` that is gone since
    begins anew.
    """
    query = _ROOMS.order_by(_NAME, rooms.c.slug).limit(limit + 1)
    if search := search.strip():
        small = search.lower()
        parts = (_NAME, small), (rooms.c.name, search), (rooms.c.slug, small), (users.c.email, small)
        owner = (func.lower(users.c.name), small), (users.c.name, search)
        query = query.where(or_(*(column.contains(part, autoescape=True) for column, part in (*parts, *owner))))
    last = (await conn.execute(select(_NAME).where(rooms.c.slug == after))).scalar() if after else None
    if last is not None:
        query = query.where(tuple_(_NAME, rooms.c.slug) > tuple_(literal(last), literal(after)))
    found = [_listed(row) for row in (await conn.execute(query)).mappings()]
    return found[:limit], found[limit - 1].slug if len(found) > limit else None


async def one(conn: Transaction, slug: str) -> Listed | None:
    """One room as the list shows it."""
    row = (await conn.execute(_ROOMS.where(rooms.c.slug == slug))).mappings().first()
    return None if row is None else _listed(row)


def shown(room: Listed, people: int) -> dict[str, Any]:
    """A room of the list as JSON carries it, with how many are in it now."""
    return {
        "slug": room.slug,
        "name": room.name,
        "owner": room.owner and dict(room.owner),
        "personal": room.is_personal,
        "created_at": room.created_at_ms,
        "last_used_at": room.last_used_at_ms,
        "people": people,
    }


def _listed(row: RowMapping) -> Listed:
    owner = {"id": row["owner_id"], "name": row["owner_name"], "email": row["owner_email"]}
    return Listed(
        row["id"],
        row["slug"],
        row["name"],
        owner if row["owner_id"] is not None else None,
        row["is_personal"],
        row["created_at_ms"],
        row["last_used_at_ms"],
    )


_NAME = func.lower(rooms.c.name)
_LAST_USED = (
    select(func.max(attendance.c.joined_at_ms)).where(attendance.c.room_id == rooms.c.id).correlate(rooms)
).scalar_subquery()
_PERSONAL = exists(
    select(personal_rooms.c.user_id)
    .where(personal_rooms.c.room_id == rooms.c.id, personal_rooms.c.user_id == rooms.c.owner_id)
    .correlate(rooms)
)
_ROOMS = (
    select(
        rooms,
        users.c.name.label("owner_name"),
        users.c.email.label("owner_email"),
        _LAST_USED.label("last_used_at_ms"),
        _PERSONAL.label("is_personal"),
    )
    .outerjoin(users, users.c.id == rooms.c.owner_id)
    .where(rooms.c.deleted_at_ms.is_(None))
)
