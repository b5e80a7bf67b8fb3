"""What goes over the management socket: NDJSON, one JSON object a line. `{"progress": {done, total, what}}` as often as
there is news, `{"progress": null}` where there is none for long, and at the end one `{"result": …}` or
`{"error": {kind, code, message, details}}`. Files go as they are.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from pymeet import errors
from pymeet.db.seal import SealedReader
from pymeet.errors import PymeetError

MEDIA_TYPE: Final = "application/x-ndjson"

FILE_ID: Final = "[A-Za-z0-9_-]{22}"
"""What the ids of sealed files look like, as a regular expression."""

PIECE_BYTES: Final = 256 * 1024


def line(name: str, value: Any) -> bytes:
    """One line. TypeError for a value that JSON cannot carry."""
    return json.dumps({name: value}).encode() + b"\n"


def error_line(error: PymeetError) -> bytes:
    """The line of an error; a class that is not in pymeet.errors goes as the nearest one that is."""
    kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
    described = {"kind": kind, "code": error.code, "message": error.message, "details": dict(error.details)}
    return line("error", described)


def result_of(answer: dict[str, Any]) -> Any:
    """The result that the last line holds; raises the error where it holds one, as the class that it was."""
    if "error" not in answer:
        return answer["result"]
    described = answer["error"]
    kind = getattr(errors, str(described["kind"]), PymeetError)
    raise kind(described["message"], code=described["code"], details=described.get("details"))


async def pieces(reader: SealedReader) -> AsyncIterator[bytes]:
    """What a sealed file holds, opened piece by piece in threads. SealError where it was changed."""
    while piece := await asyncio.to_thread(reader.read, PIECE_BYTES):
        yield piece
