"""The verbs of `pymeet profile-field`, and of `pymeet user set-field`."""

from collections.abc import Mapping
from typing import Any

from pymeet.accounts.profile_fields import Field, FieldChange, ProfileFields
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso


async def profile_field_list(services: Services) -> list[dict[str, Any]]:
    """All fields in their order, with for how many people each is filled in."""
    return [_shown(each) for each in await _fields(services).listed()]


async def profile_field_show(services: Services, *, field: str) -> dict[str, Any]:
    """A field by label or id."""
    return _shown(await _fields(services).one(field))


async def profile_field_add(services: Services, *, label: str, editable: bool = True) -> dict[str, Any]:
    """Adds a field behind the others."""
    return _shown(await _fields(services).add(label, editable=editable))


async def profile_field_change(
    services: Services, *, field: str, label: str | None = None, editable: bool | None = None, place: int | None = None
) -> dict[str, Any]:
    """Changes a field's label, who fills it in, or its place."""
    return _shown(await _fields(services).change(field, FieldChange(label, editable, place)))


async def profile_field_delete(services: Services, *, field: str) -> dict[str, Any]:
    """Deletes a field with what stands in it, for everybody."""
    return _shown(await _fields(services).delete(field))


async def user_set_field(services: Services, *, email: str, field: str, value: str | None) -> dict[str, Any]:
    """Fills in a field of somebody's profile; without a value, empties it."""
    filled = await _fields(services).fill(email, {field: value})
    found = await _fields(services).one(field)
    return {"label": found.label, "value": next(each.value for each in filled if each.id == found.id)}


OPERATIONS: Mapping[str, Operation] = {
    "profile_field.list": profile_field_list,
    "profile_field.show": profile_field_show,
    "profile_field.add": profile_field_add,
    "profile_field.change": profile_field_change,
    "profile_field.delete": profile_field_delete,
    "user.set_field": user_set_field,
}


def _fields(services: Services) -> ProfileFields:
    return ProfileFields(services.db, services.clock)


def _shown(field: Field) -> dict[str, Any]:
    return {
        "id": field.id,
        "label": field.label,
        "editable": field.editable,
        "people": field.people,
        "created_at": iso(field.created_at_ms),
    }
