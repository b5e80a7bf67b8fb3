"""Operations around groups of members."""

from typing import Final

from pymeet.web import groups
from pymeet.web.openapi import shapes_groups as shapes
from pymeet.web.openapi.words import Operation, Section, Who

GROUPS: Final = Section(
    "Groups",
    "Administrators make groups and say who is in them; members see those they are in, invite them and share with them.",
    {
        "GET /groups": Operation("The groups you are in, by name", Who.MEMBER, shapes.Groups, query=shapes.GroupsQuery),
        "GET /groups/{id}": Operation("A group you are in, with who else is in it", Who.MEMBER, shapes.OwnGroup),
        "GET /admin/groups": Operation(
            "All groups by name, page by page", Who.ADMIN, shapes.Groups, query=shapes.GroupsQuery
        ),
        "POST /admin/groups": Operation(
            "Make a group",
            Who.ADMIN,
            shapes.Group,
            status=201,
            takes=groups.NewGroup,
            refuses={409: "name_taken too_many_groups"},
        ),
        "GET /admin/groups/{id}": Operation(
            "A group with the accounts in it, page by page", Who.ADMIN, shapes.WholeGroup, query=shapes.PageQuery
        ),
        "PATCH /admin/groups/{id}": Operation(
            "Change a group", Who.ADMIN, shapes.Group, takes=groups.GroupChange, refuses={409: "name_taken"}
        ),
        "DELETE /admin/groups/{id}": Operation(
            "Delete a group",
            Who.ADMIN,
            more="What was shared with it is so no more. Invitations stay.",
        ),
        "PUT /admin/groups/{id}/members/{person}": Operation(
            "Put somebody into a group", Who.ADMIN, refuses={409: "too_many_people"}
        ),
        "DELETE /admin/groups/{id}/members/{person}": Operation("Take somebody out of a group", Who.ADMIN),
    },
)
