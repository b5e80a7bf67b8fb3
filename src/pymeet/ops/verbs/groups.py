"""The verbs of `pymeet group`."""

from collections.abc import Mapping
from typing import Any

from pymeet.accounts import directory
from pymeet.accounts.groups import MAX_PAGE, MOST_PEOPLE, Group, Groups
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso
from pymeet.ops.verbs.viewing import views


async def group_add(services: Services, *, name: str, description: str = "") -> dict[str, Any]:
    """Makes a group."""
    return _shown(await _groups(services).add(name, description))


async def group_list(services: Services) -> list[dict[str, Any]]:
    """All groups by name, with how many are in each."""
    found: list[Group] = []
    after: str | None = ""
    while after is not None:
        page, after = await _groups(services).page(after=after, limit=MAX_PAGE)
        found += page
    return [_shown(each) for each in found]


@views("groups")
async def group_show(services: Services, *, group: str) -> dict[str, Any]:
    """A group by name or id, with who is in it."""
    found = await _groups(services).one(group)
    async with services.db.read() as conn:
        people, _ = await directory.members(conn, limit=MOST_PEOPLE, group=found.id)
    members = [{"id": each.id, "name": each.name, "email": each.email, "state": each.state} for each in people]
    return {**_shown(found), "members": members}


async def group_rename(
    services: Services, *, group: str, name: str | None = None, description: str | None = None
) -> dict[str, Any]:
    """Gives a group another name, another description, or both."""
    wanted = {key: text for key, text in (("name", name), ("description", description)) if text is not None}
    return _shown(await _groups(services).change(group, wanted))


async def group_delete(services: Services, *, group: str) -> dict[str, Any]:
    """Deletes a group; the people in it stay."""
    return _shown(await _groups(services).delete(group))


async def group_join(services: Services, *, group: str, email: str) -> dict[str, Any]:
    """Puts somebody into a group."""
    found, person = await _groups(services).join(group, email)
    return {**_shown(found), "person": person}


async def group_leave(services: Services, *, group: str, email: str) -> dict[str, Any]:
    """Takes somebody out of a group."""
    found, person = await _groups(services).leave(group, email)
    return {**_shown(found), "person": person}


OPERATIONS: Mapping[str, Operation] = {
    "group.add": group_add,
    "group.list": group_list,
    "group.show": group_show,
    "group.rename": group_rename,
    "group.delete": group_delete,
    "group.join": group_join,
    "group.leave": group_leave,
}


def _groups(services: Services) -> Groups:
    return Groups(services.db, services.clock)


def _shown(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "people": group.people,
        "created_at": iso(group.created_at_ms),
    }
