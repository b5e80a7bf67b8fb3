"""Groups of members: several people under one name, for whoever invites them or shares something with them.

Administrators make groups and say who is in them; members use those they are in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping

from pymeet.accounts import group_store as store
from pymeet.accounts.rows import named
from pymeet.accounts.texts import clean_line
from pymeet.clock import Clock
from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.db.schema import groups
from pymeet.errors import ConflictError, NotFoundError
from pymeet.ids import new_id

T = TypeVar("T")

NAME_LENGTH: Final = 80
DESCRIPTION_LENGTH: Final = 300

MOST_GROUPS: Final = 1_000
MOST_PEOPLE: Final = 1_000
"""In one group."""

MAX_PAGE: Final = 200


@dataclass(frozen=True)
class Group:
    """One group. Times are UTC milliseconds."""

    id: str
    name: str
    description: str
    people: int
    """How many are in it."""
    created_at_ms: int


@dataclass(frozen=True)
class Fellow:
    """Somebody in a group, as the others in it see them."""

    id: str
    name: str


class Groups:
    """All groups of one server."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def page(
        self, *, of: str | None = None, search: str = "", after: str = "", limit: int = 50
    ) -> tuple[Sequence[Group], str | None]:
        """Up to `limit` groups by name, from the one behind `after` (its id) on, and where to go on.

        `of` is the id of a member whose groups alone are wanted; `search` is a part of the name.
        """
        among = None if of is None else store.groups_of(of)
        async with self._db.read() as conn:
            rows = await conn.run_sync(
                lambda here: store.page(here, among=among, search=search.strip(), after=after, limit=limit + 1)
            )
        found = [_group(row) for row in rows[:limit]]
        return found, found[-1].id if len(rows) > limit else None

    async def one(self, name_or_id: str) -> Group:
        """A group by its id or its name. NotFoundError."""
        async with self._db.read() as conn:
            return _group(await conn.run_sync(_one, store.called(name_or_id)))

    async def own(self, user_id: str, group_id: str) -> tuple[Group, list[Fellow]]:
        """A group in which the person is, and who else. NotFoundError for any other."""
        async with self._db.read() as conn:
            row = await conn.run_sync(own_group, user_id, group_id)
            people = await conn.run_sync(store.people, group_id)
        return _group(row), [Fellow(each["id"], each["name"]) for each in people]

    async def add(self, name: str, description: str = "", *, by: str = audit.OPERATOR) -> Group:
        """Makes a group. InvalidInputError, ConflictError (`name_taken`, `too_many_groups`)."""
        group = Group(new_id(), _name(name), _description(description), 0, self._clock.now_ms())

        def add(conn: Connection) -> None:
            _refuse_taken(conn, group.name)
            if store.count(conn) >= MOST_GROUPS:
                raise ConflictError(f"There can be {MOST_GROUPS} groups. Delete one first.", code="too_many_groups")
            values = {"id": group.id, "name": group.name, "description": group.description}
            store.add(conn, created_at_ms=group.created_at_ms, **values)
            audit.record_now(conn, group.created_at_ms, by, "group.added", group.id)

        await self._write(add)
        return group

    async def change(self, name_or_id: str, wanted: Mapping[str, str], *, by: str = audit.OPERATOR) -> Group:
        """Changes `name` and `description`, as far as they are there. InvalidInputError, NotFoundError, ConflictError."""
        values = {key: _CLEAN[key](text) for key, text in wanted.items()}

        def change(conn: Connection) -> RowMapping:
            row = _one(conn, store.called(name_or_id))
            if "name" in values:
                _refuse_taken(conn, values["name"], besides=row["id"])
            if values:
                store.change(conn, row["id"], **values)
                audit.record_now(conn, self._clock.now_ms(), by, "group.changed", row["id"])
            return _one(conn, groups.c.id == row["id"])

        return _group(await self._write(change))

    async def delete(self, name_or_id: str, *, by: str = audit.OPERATOR) -> Group:
        """Deletes a group: what was shared with it is so no more; who was invited by it stays. NotFoundError."""

        def delete(conn: Connection) -> RowMapping:
            now_ms, row = self._clock.now_ms(), _one(conn, store.called(name_or_id))
            people = store.memberships(conn, row["id"])
            store.remove(conn, row["id"], now_ms)
            audit.record_now(conn, now_ms, by, "group.deleted", row["id"], {"people": people})
            return row

        return _group(await self._write(delete))

    async def join(self, name_or_id: str, email_or_id: str, *, by: str = audit.OPERATOR) -> tuple[Group, str]:
        """Puts somebody into a group; the group, and their name. Who is in it stays. NotFoundError, ConflictError
        (`too_many_people`)."""

        def join(conn: Connection, person: RowMapping) -> RowMapping:
            now_ms, row = self._clock.now_ms(), _one(conn, store.called(name_or_id))
            if store.add_member(conn, row["id"], person["id"], now_ms):
                if store.memberships(conn, row["id"]) > MOST_PEOPLE:
                    raise ConflictError(
                        f"A group can have {MOST_PEOPLE} people. Make another group.", code="too_many_people"
                    )
                _record(conn, now_ms, by, "added", row["id"], person["id"])
            return _one(conn, groups.c.id == row["id"])

        return await self._with_person(email_or_id, join)

    async def leave(self, name_or_id: str, email_or_id: str, *, by: str = audit.OPERATOR) -> tuple[Group, str]:
        """Takes somebody out of a group; the group, and their name. NotFoundError, also for who is not in it."""

        def leave(conn: Connection, person: RowMapping) -> RowMapping:
            now_ms, row = self._clock.now_ms(), _one(conn, store.called(name_or_id))
            if not store.remove_member(conn, row["id"], person["id"]):
                raise NotFoundError("They are not in this group.")
            _record(conn, now_ms, by, "removed", row["id"], person["id"])
            return _one(conn, groups.c.id == row["id"])

        return await self._with_person(email_or_id, leave)

    async def _with_person(
        self, email_or_id: str, work: Callable[[Connection, RowMapping], RowMapping]
    ) -> tuple[Group, str]:
        async with self._db.write() as conn:
            person = await named(conn, email_or_id)
            return _group(await conn.run_sync(work, person)), person["name"]

    async def _write(self, work: Callable[[Connection], T]) -> T:
        async with self._db.write() as conn:
            return await conn.run_sync(work)


def own_group(conn: Connection, user_id: str | None, group_id: str) -> RowMapping:
    """The row of a group in which the person is. NotFoundError for any other: what others are in is nobody's business."""
    return _one(conn, (groups.c.id == group_id) & store.groups_of(user_id or ""))


def _one(conn: Connection, condition: ColumnElement[bool]) -> RowMapping:
    row = store.one(conn, condition)
    if row is None:
        raise NotFoundError("There is no such group.")
    return row


def _refuse_taken(conn: Connection, name: str, *, besides: str = "") -> None:
    if store.is_taken(conn, name, besides):
        raise ConflictError("There is already a group with this name.", code="name_taken")


def _record(conn: Connection, now_ms: int, by: str, done: str, group_id: str, user_id: str) -> None:
    """Two events, for an event has one target: what happened to the group, and what to the person."""
    audit.record_now(conn, now_ms, by, f"group.member_{done}", group_id)
    audit.record_now(conn, now_ms, by, f"user.group_{done}", audit.Person(user_id))


def _name(text: str) -> str:
    return clean_line(text, what="The name", limit=NAME_LENGTH)


def _description(text: str) -> str:
    return clean_line(text, what="The description", limit=DESCRIPTION_LENGTH) if text.strip() else ""


_CLEAN: Final[Mapping[str, Callable[[str], str]]] = {"name": _name, "description": _description}


def _group(row: Mapping[Any, Any]) -> Group:
    return Group(row["id"], row["name"], row["description"], row["people"], row["created_at_ms"])
