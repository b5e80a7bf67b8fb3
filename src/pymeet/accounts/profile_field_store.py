"""The SQL of profile fields. Every function takes the connection of a transaction that its caller owns."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from pymeet.db.schema import profile_fields, profile_values
from pymeet.privacy.holds import kept
from pymeet.privacy.rows import delete_rows


def fields(conn: Connection) -> Sequence[RowMapping]:
    """All fields in their order, with `people`: for how many each is filled in."""
    people = select(func.count()).where(profile_values.c.field_id == profile_fields.c.id).scalar_subquery()
    query = select(profile_fields, people.label("people")).order_by(profile_fields.c.place, profile_fields.c.id)
    return conn.execute(query).mappings().all()


def filled(conn: Connection, user_id: str) -> Sequence[RowMapping]:
    """All fields in their order with the person's `value`, NULL where theirs is empty."""
    theirs = and_(profile_values.c.field_id == profile_fields.c.id, profile_values.c.user_id == user_id)
    query = select(profile_fields, profile_values.c.value).outerjoin(profile_values, theirs)
    return conn.execute(query.order_by(profile_fields.c.place, profile_fields.c.id)).mappings().all()


def add(conn: Connection, **values: Any) -> None:
    conn.execute(insert(profile_fields).values(**values))


def change(conn: Connection, field_id: str, **values: Any) -> None:
    conn.execute(update(profile_fields).where(profile_fields.c.id == field_id).values(**values))


def is_held(conn: Connection, field_id: str) -> bool:
    """Whether a legal hold keeps something that stands in the field."""
    query = select(profile_fields.c.id).where(profile_fields.c.id == field_id, kept(profile_fields))
    return conn.execute(query).first() is not None


def remove(conn: Connection, field_id: str, now_ms: int) -> None:
    """Deletes a field with everything that stands in it."""
    delete_rows(conn, profile_fields, profile_fields.c.id == field_id, now_ms)


def put_value(conn: Connection, field_id: str, user_id: str, value: str | None, at_ms: int) -> None:
    """Fills a field in; None empties it."""
    if value is None:
        theirs = profile_values.c.field_id == field_id, profile_values.c.user_id == user_id
        conn.execute(delete(profile_values).where(*theirs))
        return
    row = {"field_id": field_id, "user_id": user_id, "value": value, "changed_at_ms": at_ms}
    put = upsert(profile_values).values(row)
    conn.execute(put.on_conflict_do_update(index_elements=["field_id", "user_id"], set_=row))
