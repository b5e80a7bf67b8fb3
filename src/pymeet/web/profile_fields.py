"""The API of the fields that administrators add to the profile (docs/protocol.md, section 4.1)."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, model_validator

from pymeet.accounts.profile_fields import LABEL_LENGTH, MOST_FIELDS, VALUE_LENGTH, FieldChange, Filled, ProfileFields
from pymeet.accounts.profile_fields import Field as ProfileField
from pymeet.db import audit
from pymeet.web.bodies import Body, read_json
from pymeet.web.parts import PARTS
from pymeet.web.roles import administrator, record_view
from pymeet.web.sessions import member

Label = Annotated[str, Field(min_length=1, max_length=4 * LABEL_LENGTH)]
Value = Annotated[str, Field(max_length=4 * VALUE_LENGTH)]
"""Both are measured after they were made uniform."""


class NewField(Body):
    label: Label
    editable: bool = True
    """Whether members fill it in themselves."""


class FieldWish(Body):
    label: Label | None = None
    editable: bool | None = None
    place: Annotated[int, Field(ge=1, le=MOST_FIELDS)] | None = None
    """Which one it is to be; the others make room."""

    @model_validator(mode="after")
    def _says_something(self) -> "FieldWish":
        if self.label is None and self.editable is None and self.place is None:
            raise ValueError("give a label, a place, or who fills it in")
        return self


class Values(Body):
    values: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")], Value | None],
        Field(min_length=1, max_length=MOST_FIELDS),
    ]
    """By the id of the field; null empties it, what is missing stays."""


async def show_own(request: web.Request) -> web.Response:
    """The fields of the profile, with what stands in one's own."""
    user = await member(request)
    return _values(await _fields(request).of(user.id))


async def fill_own(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, Values)
    return _values(await _fields(request).fill(user.id, body.values, by=user.id, own=True))


async def list_fields(request: web.Request) -> web.Response:
    """All fields in their order; for how many people each is filled in, and not with what."""
    await administrator(request)
    return web.json_response({"fields": [_shown(each) for each in await _fields(request).listed()]})


async def add(request: web.Request) -> web.Response:
    user = await administrator(request)
    body = await read_json(request, NewField)
    made = await _fields(request).add(body.label, editable=body.editable, by=user.id)
    return web.json_response(_shown(made), status=201)


async def change(request: web.Request) -> web.Response:
    user = await administrator(request)
    body = await read_json(request, FieldWish)
    wanted = FieldChange(body.label, body.editable, body.place)
    return web.json_response(_shown(await _fields(request).change(request.match_info["id"], wanted, by=user.id)))


async def delete(request: web.Request) -> web.Response:
    """With what stands in it."""
    user = await administrator(request)
    await _fields(request).delete(request.match_info["id"], by=user.id)
    return web.Response(status=204)


async def show(request: web.Request) -> web.Response:
    """What stands in somebody's fields."""
    user = await administrator(request)
    found = await _fields(request).of(request.match_info["id"])
    await record_view(request, user, audit.Person(request.match_info["id"]), len(found))
    return _values(found)


async def fill(request: web.Request) -> web.Response:
    user = await administrator(request)
    body = await read_json(request, Values)
    return _values(await _fields(request).fill(request.match_info["id"], body.values, by=user.id))


def _values(fields: list[Filled]) -> web.Response:
    shown = [{"id": each.id, "label": each.label, "editable": each.editable, "value": each.value} for each in fields]
    return web.json_response({"fields": shown})


def _shown(field: ProfileField) -> dict[str, Any]:
    return {
        "id": field.id,
        "label": field.label,
        "editable": field.editable,
        "people": field.people,
        "created_at": field.created_at_ms,
    }


def _fields(request: web.Request) -> ProfileFields:
    parts = request.app[PARTS]
    return ProfileFields(parts.database, parts.clock)
