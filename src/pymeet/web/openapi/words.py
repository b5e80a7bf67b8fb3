"""The words in which the API is described: an operation, a section of them, and what values look like.

A new route gets a line in the section where it belongs (`accounts.py`, `rooms.py`, …) and, where its answer is new, a
shape in the file beside it (`shapes_accounts.py`, …). Tests hold both to what the server does: every route has its line,
and every answer that any live test gets is checked against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from pymeet.web.bodies import Body

Ms = Annotated[int, Field(description="Milliseconds since 1970 in UTC.")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]


def words(*known: str) -> Any:
    """What goes beside `str` into `Annotated` for a value that is one of these words."""
    return Field(json_schema_extra={"enum": list(known)})


class Problem(TypedDict):
    """An error (RFC 9457)."""

    type: Literal["about:blank"]
    title: str
    """The status in words."""
    status: int
    code: str
    """Stable: what programs look at."""
    detail: str
    """A sentence for people: what happened, and what to do."""


class Who(Enum):
    """Who may ask; what else it takes, such as owning the room, an operation says in its own words."""

    ANYBODY = "Anybody"
    MEMBER = "Members"
    VIEWER = "Members, and whoever opened a shared link"
    OFFICE = "Administrators and data protection officers"
    ADMIN = "Administrators"


@dataclass(frozen=True)
class File:
    """A body that is no JSON: its media types."""

    types: tuple[str, ...]
    ranges: bool = False
    """Whether parts of it can be asked for (RFC 9110, section 14)."""


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    summary: str
    who: Who
    gives: Any = None
    """What the answer looks like: a shape, several joined by `|`, or a `File`; None for an answer without a body."""
    status: int = 0
    """Of the answer; 200, or 204 where there is no body, unless it is named."""
    also: Mapping[int, Any] = field(default_factory=dict)
    """Other answers that are no problem: status → shape, or None without a body."""
    takes: type[Body] | File | None = None
    """The very model that the handler reads."""
    query: Any = None
    """What may stand behind `?`: a shape of which every field is optional."""
    refuses: Mapping[int, str] = field(default_factory=dict)
    """Status → codes of problems that are its own. What follows from `who`, `takes` and the path is not named again."""
    more: str = ""
    """What somebody must know besides; plain sentences."""
    repeatable: bool = False
    """Whether it takes an `Idempotency-Key`."""
    localised: bool = False
    """Whether words in the answer follow `Accept-Language` and `?language=`."""

    @property
    def success(self) -> int:
        """The status of the answer when all is well."""
        return self.status or (204 if self.gives is None else 200)


@dataclass(frozen=True)
class Section:
    """Operations that belong together, under one heading."""

    title: str
    intro: str
    operations: Mapping[str, Operation]
    """Method and path below `/api/v1`, as `GET /rooms/{slug}` → operation, in the order in which they are shown."""
