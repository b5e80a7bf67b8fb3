"""The SQL of shares and of who looked. Every function takes the connection of a transaction that its caller owns."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, exists, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from pymeet.db.schema import (
    groups,
    processing_limits,
    recording_group_shares,
    recording_shares,
    recording_views,
    users,
)
from pymeet.privacy.visible import HIDING


def add_share(conn: Connection, **values: Any) -> None:
    conn.execute(insert(recording_shares).values(**values))


def add_group_share(conn: Connection, **values: Any) -> bool:
    """Whether it was not shared with this group already."""
    return conn.execute(upsert(recording_group_shares).values(**values).on_conflict_do_nothing()).rowcount > 0


def count_shares(conn: Connection, recording_id: str) -> int:
    tables = (recording_shares, recording_group_shares)
    counts = (select(func.count()).where(each.c.recording_id == recording_id) for each in tables)
    return sum(conn.execute(each).scalar_one() for each in counts)


def shares(conn: Connection, recording_id: str, now_ms: int) -> list[RowMapping]:
    """The shares that are good now, with the name of a member who has looked already."""
    have_looked = exists(
        select(recording_views.c.id)
        .where(recording_views.c.recording_id == recording_id, recording_views.c.user_id == recording_shares.c.user_id)
        .correlate(recording_shares)
    )
    query = (
        select(recording_shares, users.c.name)
        .select_from(recording_shares)
        .outerjoin(users, and_(users.c.id == recording_shares.c.user_id, have_looked))
        .where(recording_shares.c.recording_id == recording_id, _good(now_ms))
        .order_by(recording_shares.c.made_at_ms, recording_shares.c.id)
    )
    return list(conn.execute(query).mappings())


def group_shares(conn: Connection, recording_id: str) -> list[RowMapping]:
    """The groups with which it is shared, with their names."""
    query = select(recording_group_shares, groups.c.name).join(groups, groups.c.id == recording_group_shares.c.group_id)
    return list(conn.execute(query.where(recording_group_shares.c.recording_id == recording_id)).mappings())


def end_share(conn: Connection, recording_id: str, share_id: str) -> bool:
    """Whether there was one, with whomever."""
    ended = 0
    for table in (recording_shares, recording_group_shares):
        mine = (table.c.id == share_id, table.c.recording_id == recording_id)
        ended += conn.execute(delete(table).where(*mine)).rowcount
    return ended > 0


def link_by_hash(conn: Connection, token_hash: str, now_ms: int) -> RowMapping | None:
    query = select(recording_shares).where(recording_shares.c.token_hash == token_hash, _good(now_ms))
    return conn.execute(query).mappings().first()


def link_by_id(conn: Connection, share_id: str, now_ms: int) -> RowMapping | None:
    link = (recording_shares.c.id == share_id, recording_shares.c.kind == "link")
    return conn.execute(select(recording_shares).where(*link, _good(now_ms))).mappings().first()


def member_by_email(conn: Connection, email: str) -> str | None:
    """The id of a member with whom something can be shared: neither disabled nor being erased."""
    hidden = select(processing_limits.c.user_id).where(
        processing_limits.c.user_id == users.c.id,
        processing_limits.c.cause.in_(HIDING),
        processing_limits.c.lifted_at_ms.is_(None),
    )
    query = select(users.c.id).where(users.c.email == email, users.c.disabled_at_ms.is_(None), ~exists(hidden))
    return conn.execute(query).scalar_one_or_none()


def add_view(conn: Connection, **values: Any) -> None:
    conn.execute(insert(recording_views).values(**values))


def looked_since(
    conn: Connection, recording_id: str, user_id: str | None, share_id: str | None, kind: str, since_ms: int
) -> bool:
    """Whether this viewer has an entry of this kind that is younger than `since_ms`."""
    columns = recording_views.c
    query = select(columns.id).where(
        columns.recording_id == recording_id,
        columns.user_id.is_not_distinct_from(user_id),
        columns.share_id.is_not_distinct_from(share_id),
        columns.kind == kind,
        columns.at_ms > since_ms,
    )
    return conn.execute(query.limit(1)).first() is not None


def views(conn: Connection, recording_id: str, limit: int) -> list[RowMapping]:
    """Who looked, the newest first."""
    query = (
        select(recording_views, users.c.name)
        .select_from(recording_views)
        .outerjoin(users, users.c.id == recording_views.c.user_id)
        .where(recording_views.c.recording_id == recording_id)
        .order_by(recording_views.c.at_ms.desc(), recording_views.c.id.desc())
        .limit(limit)
    )
    return list(conn.execute(query).mappings())


def _good(now_ms: int) -> ColumnElement[bool]:
    return func.coalesce(recording_shares.c.expires_at_ms > now_ms, True)
