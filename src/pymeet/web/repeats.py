"""Requests that make something and may be sent twice: the second one gets what the first one made.

A program that heard no answer cannot know whether its room was made. It asks again with the same `Idempotency-Key`
(draft-ietf-httpapi-idempotency-key-header), and nothing is made a second time. Only ids are remembered, and no longer
than a day; what they lead to is looked up anew.
"""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from pymeet.accounts.model import User
from pymeet.errors import InvalidInputError
from pymeet.web.bodies import Body
from pymeet.web.errors import StatusError
from pymeet.web.parts import PARTS

HEADER: Final = "Idempotency-Key"
GOOD_FOR_S: Final = 24 * 3600.0
MOST: Final = 10_000
"""So many keys are remembered, the newest."""

_KEY: Final = re.compile(r"[\x21-\x7e]{1,64}")


@dataclass
class _Made:
    asked_at: float
    body: bytes
    """The hash of what was asked for."""
    id: str | None = None
    """None until it is made."""
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


class Repeats:
    """What was made under which key; times are of the monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._made: OrderedDict[bytes, _Made] = OrderedDict()

    async def once(self, name: bytes, body: bytes, now: float, make: Callable[[], Awaitable[str]]) -> str:
        """The id of what `make` made, now or under the same name before. Failing leaves the name free.

        Raises StatusError 422 (`key_reused`) where something else was asked for under it.
        """
        self.forget(now)
        made = self._made.setdefault(name, _Made(now, body))
        if made.body != body and made.id is None and not made.one_at_a_time.locked():
            made.body = body
        if made.body != body:
            raise StatusError(422, f"This {HEADER} was used for something else. Use a new one.", code="key_reused")
        async with made.one_at_a_time:
            if made.id is None:
                try:
                    made.id = await make()
                    self._made.setdefault(name, made)
                finally:
                    if made.id is None:  # what failed must not push out what others made
                        self._made.pop(name, None)
        return made.id

    def forget(self, now: float) -> None:
        """Forgets what is too old, and too much."""
        while self._made and (len(self._made) > MOST or next(iter(self._made.values())).asked_at <= now - GOOD_FOR_S):
            self._made.popitem(last=False)


REPEATS: Final = web.AppKey("repeats", Repeats)


async def once(request: web.Request, user: User, body: Body, make: Callable[[], Awaitable[str]]) -> str:
    """The id of what the request makes, or made before under the same key. InvalidInputError; StatusError 422."""
    key = request.headers.get(HEADER)
    if key is None:
        return await make()
    if not _KEY.fullmatch(key):
        raise InvalidInputError(f"{HEADER} is 1 to 64 visible ASCII characters.")
    name = hashlib.sha256("\n".join((user.id, request.method, request.path, key)).encode()).digest()
    asked = hashlib.sha256(body.model_dump_json().encode()).digest()
    now = request.app[PARTS].clock.monotonic()
    return await request.app[REPEATS].once(name, asked, now, make)
