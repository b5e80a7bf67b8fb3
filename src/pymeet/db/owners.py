"""Whose a room was at a time: who is handed a room does not get what happened there before."""

from typing import Any

from sqlalchemy import ColumnElement, case, or_

from pymeet.db.schema import rooms


def owner_at(at_ms: ColumnElement[int]) -> ColumnElement[Any]:
    """The id of a room's owner if it was theirs already at this moment (UTC milliseconds), else NULL."""
    return case((or_(rooms.c.owner_since_ms.is_(None), at_ms >= rooms.c.owner_since_ms), rooms.c.owner_id))
