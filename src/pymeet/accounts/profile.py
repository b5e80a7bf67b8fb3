"""What people say about themselves: their name, language, time zone and theme, and their picture."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import available_timezones

from sqlalchemy import Connection, update

from pymeet.accounts import store
from pymeet.accounts.model import User
from pymeet.accounts.rows import user_of
from pymeet.accounts.texts import clean_line
from pymeet.db import audit
from pymeet.db.schema import users
from pymeet.db.schema.accounts import THEMES
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.mail.message import LANGUAGES
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import member
from pymeet.privacy.rectify import rectify


async def change_profile(lifecycle: Lifecycle, user: User, wanted: Mapping[str, str | None]) -> User:
    """Changes what is named of `name`, `language`, `time_zone` and `theme`; None takes a setting back.

    What stands under messages and in meetings of the past stays: it says who somebody was then. InvalidInputError.
    """
    settings = {key: value for key, value in wanted.items() if key != "name"}
    await _check(settings)
    now_ms = lifecycle.clock.now_ms()

    def change(conn: Connection) -> None:
        if "name" in wanted and wanted["name"] != user.name:
            name = wanted["name"] or ""
            rectify(conn, member(user.id), "users", "name", name, actor=user.id, now_ms=now_ms, clean=_clean_name)
        if settings:
            conn.execute(update(users).where(users.c.id == user.id).values(settings))
            detail: audit.Detail = {"settings": len(settings)}
            audit.record_now(conn, now_ms, user.id, "user.settings_changed", audit.Person(user.id), detail)

    async with lifecycle.db.write() as conn:
        await conn.run_sync(change)
        row = await store.user(conn, user.id)
    if row is None:
        raise NotFoundError("There is no such account.")
    return user_of(row)


async def _check(settings: Mapping[str, str | None]) -> None:
    language, zone, theme = (settings.get(key) for key in ("language", "time_zone", "theme"))
    if language is not None and language not in LANGUAGES:
        raise InvalidInputError(f"A language is one of {', '.join(LANGUAGES)}.")
    if theme is not None and theme not in THEMES:
        raise InvalidInputError(f"A theme is one of {', '.join(THEMES)}.")
    if zone is not None and zone not in await asyncio.to_thread(_zones):
        raise InvalidInputError("A time zone is a name such as Europe/Berlin.")


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _clean_name(text: str) -> str:
    return clean_line(text, what="The name")
