"""The room that a member has for themselves, made when they first ask for it.

It does not bear their name: rooms stay, with their names, when their owner is erased.
"""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from pymeet.accounts.model import User
from pymeet.db.schema import personal_rooms, rooms
from pymeet.meetings.model import Room
from pymeet.meetings.service import Meetings
from pymeet.privacy.parts import Lifecycle

_NAMES = {"en": "Personal room", "de": "Persönlicher Raum"}


class PersonalRooms:
    """Every member's own."""

    def __init__(self, lifecycle: Lifecycle, meetings: Meetings) -> None:
        self._db = lifecycle.db
        self._meetings = meetings

    async def room_of(self, user: User) -> Room:
        """The member's personal room; a new one where they have none or deleted it."""
        slug = await self._db.study(_slug, user.id)
        if slug is None:
            made = await self._meetings.create_room(_NAMES.get(user.language or "", _NAMES["en"]), user.id)
            slug = await self._db.work(_keep, user.id, made.id)
            if slug != made.slug:
                await self._meetings.delete_room(made.slug, by=user.id)
        return await self._meetings.room(slug)


def _slug(conn: Connection, user_id: str) -> str | None:
    query = select(rooms.c.slug).join(personal_rooms, personal_rooms.c.room_id == rooms.c.id)
    mine = personal_rooms.c.user_id == user_id, rooms.c.owner_id == user_id, rooms.c.deleted_at_ms.is_(None)
    return conn.execute(query.where(*mine)).scalar()


def _keep(conn: Connection, user_id: str, room_id: str) -> str:
    """Notes the room, unless another request came first."""
    if (slug := _slug(conn, user_id)) is not None:
        return slug
    made = insert(personal_rooms).values(user_id=user_id, room_id=room_id)
    conn.execute(made.on_conflict_do_update(index_elements=["user_id"], set_={"room_id": room_id}))
    found = conn.execute(select(rooms.c.slug).where(rooms.c.id == room_id)).scalar_one()
    return str(found)
