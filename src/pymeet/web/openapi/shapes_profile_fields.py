"""What the answers around fields of the profile look like."""

from typing_extensions import TypedDict

from pymeet.web.openapi.words import Id, Ms


class FilledField(TypedDict):
    """A field of the profile, and what stands in somebody's."""

    id: Id
    label: str
    editable: bool
    """Whether members fill it in themselves; administrators always can."""
    value: str | None
    """Null where it is empty."""


class FilledFields(TypedDict):
    """All fields, in their order."""

    fields: list[FilledField]


class ProfileField(TypedDict):
    """A field of the profile, as administrators define it."""

    id: Id
    label: str
    editable: bool
    """Whether members fill it in themselves; administrators always can."""
    people: int
    """For how many it is filled in."""
    created_at: Ms


class ProfileFields(TypedDict):
    """All fields, in their order."""

    fields: list[ProfileField]
