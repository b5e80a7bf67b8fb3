"""Reading which page of a long list somebody wants."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from aiohttp import web

from pymeet.errors import InvalidInputError

AT_ONCE = 50
AT_MOST = 200

Entry = TypeVar("Entry")


def wanted(request: web.Request, *, at_once: int = AT_ONCE, at_most: int = AT_MOST) -> tuple[str, str, int]:
    """`search`, `after` and `limit` of the query; `at_once` is the limit where none is given. InvalidInputError."""
    query = request.query
    limit = query.get("limit", str(at_once))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= at_most):
        raise InvalidInputError(f"limit: a number from 1 to {at_most}.")
    return query.get("search", "")[:254], query.get("after", "")[:64], int(limit)


def cut(
    request: web.Request, entries: Sequence[Entry], key: Callable[[Entry], str]
) -> tuple[Sequence[Entry], str | None]:
    """A page of a list that is there as a whole, and the next page's `after`; all of it where no page is asked for.

    Where the entry that `after` names is gone since, it begins anew. InvalidInputError.
    """
    if not request.query.keys() & {"after", "limit"}:
        return entries, None
    _, after, limit = wanted(request)
    keys = [key(each) for each in entries]
    begin = keys.index(after) + 1 if after in keys else 0
    end = begin + limit
    return entries[begin:end], keys[end - 1] if len(keys) > end else None
