"""What the answers around groups look like."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from pymeet.web.openapi.shapes_accounts import Account
from pymeet.web.openapi.words import Id, Ms


class Group(TypedDict):
    """A group of members."""

    id: Id
    name: str
    description: str
    people: int
    """How many are in it."""
    created_at: Ms


class Groups(TypedDict):
    """A page of groups, by name."""

    groups: list[Group]
    next: str | None
    """The `after` of the next page; null on the last one."""


class Fellow(TypedDict):
    """Somebody in a group, as the others in it see them."""

    id: Id
    name: str


class OwnGroup(Group):
    """A group in which the asker is."""

    members: list[Fellow]


class WholeGroup(Group):
    """A group as administrators see it."""

    members: list[Account]
    next: str | None
    """The `after` of the next page; null on the last one."""


class PageQuery(TypedDict, total=False):
    """Which page is wanted."""

    after: Annotated[str, Field(max_length=30)]
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=200)]
    """How many at most; 50 unless it is given."""


class GroupsQuery(PageQuery, total=False):
    """Which groups are listed."""

    search: Annotated[str, Field(max_length=80)]
    """A part of the name."""
