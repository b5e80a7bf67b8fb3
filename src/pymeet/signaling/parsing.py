"""Text from a client → a message. Whatever the text is, the only error that leaves here is ProtocolError.

An error never repeats what was sent: it may go to a log.
"""

import json
import math
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from pymeet.errors import ProtocolError
from pymeet.signaling.messages import ClientMessage

FRAME_LIMIT = 256 * 1024
"""Bytes of UTF-8."""

_ADAPTER: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


def parse(text: str) -> ClientMessage:
    """The message in one text frame. Raises ProtocolError."""
    if len(text) > FRAME_LIMIT or len(text.encode("utf-8", "surrogatepass")) > FRAME_LIMIT:
        raise ProtocolError(f"A message may have {FRAME_LIMIT // 1024} KiB at most.")
    try:
        value = _DECODER.decode(text)
        if not isinstance(value, dict):
            raise ProtocolError("A message is a JSON object.")
        # half of a surrogate pair can be spelled in JSON, but it is no text and could not be sent on
        _ENCODER.encode(value).encode()
        return _ADAPTER.validate_python(value)
    except ValidationError as error:
        raise ProtocolError(_sentence(error)) from None
    except RecursionError:
        raise ProtocolError("The message is nested too deeply.") from None
    except ValueError:
        # also numbers with more digits than Python reads, and halves of surrogate pairs
        raise ProtocolError("The message is not valid JSON of Unicode text, with each key once.") from None


def id_of(text: str) -> str | None:
    """The `id` of a message that is not acceptable, so that the error can be assigned; None if that cannot be told."""
    try:
        value = json.loads(text)
        found = value.get("id") if isinstance(value, dict) else None
        if isinstance(found, str) and len(found) <= 40:
            found.encode()
            return found
    except (ValueError, RecursionError):
        pass
    return None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return "The message has no type that is known."
    if first["type"] == "extra_forbidden":
        return "The message has a field that is not known."
    # the first step is the type of the message; the names of fields are ours, since others are refused
    where = ".".join(str(step) for step in first["loc"][1:])
    return f"{where or 'message'}: {first['msg']}."


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_refuse_constant, parse_float=_finite)
_ENCODER = json.JSONEncoder(ensure_ascii=False)
