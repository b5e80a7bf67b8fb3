"""Reading request bodies. Whatever a client sends, the worst it gets is a 4xx: no body is unbounded, deep or packed."""

import asyncio
import json
from typing import Any, NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from pymeet.errors import InvalidInputError
from pymeet.web.errors import StatusError

JSON_LIMIT = 16 * 1024

READ_WITHIN_S = 15.0
"""How long a body may take to arrive: a client that drips bytes must not hold a connection for ever."""

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """Base of the JSON bodies: exact types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


async def read_body(request: web.Request, content_type: str, limit: int) -> bytes:
    """The raw body of at most `limit` bytes; StatusError 415 for another type or encoding, 413 when it is larger, 408 when slow."""
    if request.content_type != content_type or "Content-Type" not in request.headers:
        raise StatusError(415, f"Send the body as {content_type}.", headers={"Accept-Post": content_type})
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise StatusError(415, "Send the body without compression.")
    too_large = StatusError(413, f"The body may be {limit} bytes at most.")
    if (request.content_length or 0) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise too_large
    except TimeoutError:
        raise StatusError(408, "The body took too long to arrive.") from None
    except web.PayloadAccessError as error:
        raise InvalidInputError("The body broke off.") from error
    return bytes(body)


async def read_json(request: web.Request, model: type[Model]) -> Model:
    """The body as `model`; an error that says what is wrong with it otherwise. Values are never repeated in errors."""
    raw = await read_body(request, "application/json", JSON_LIMIT)
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_once_each, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The body is not valid JSON.") from error
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise InvalidInputError(f"{where or 'body'}: {first['msg']}.") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
