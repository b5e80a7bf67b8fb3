"""Which bytes of a file a request asks for (RFC 9110, sections 13 and 14). Pure.

One range is answered as such. Several at once, and what is no range of bytes, are answered with the whole file, as the
RFC allows: no player asks for several, and answering them costs more than it is worth.
"""

import re
from dataclasses import dataclass
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """Bytes from `start` up to but without `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


class UnsatisfiableError(ValueError):
    """The range begins behind the end of the file."""


def requested(header: str | None, size: int) -> Span | None:
    """The bytes that a `Range` header names in a file of `size` bytes; None for the whole file. UnsatisfiableError."""
    match = _ONE_RANGE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise UnsatisfiableError
        return Span(size - length, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise UnsatisfiableError
    return Span(start, min(int(last) + 1, size) if last else size)


def still_the_same(if_range: str | None, etag: str) -> bool:
    """Whether a range may be answered: without `If-Range`, or when it names this strong tag (section 13.1.5).

    A date is never the same: files have none.
    """
    return if_range is None or if_range.strip() == f'"{etag}"'
