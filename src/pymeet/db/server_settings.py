"""Settings that administrators change while the server runs: rows over the values of the configuration file.

One object for a server. Whoever must notice a change asks `config` each time instead of keeping what it said.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import ValidationError
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from pymeet.config import Config, section_of
from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.db.schema.settings import server_settings
from pymeet.errors import InvalidInputError, NotFoundError

NAMES: Final = (
    "http.announcement",
    "accounts.registration",
    "rooms.guests_allowed",
    "rooms.may_create",
    "rooms.waiting_room",
    "recording.enabled",
)
"""What can be set at run time: settings that need no restart and cannot lock anybody out of the server."""


@dataclass(frozen=True)
class Setting:
    """One setting with both values."""

    name: str
    value: bool | str | None
    """What holds."""
    configured: bool | str | None
    """What the configuration says, by file, environment or default."""
    choices: tuple[str, ...]
    """The words it can be; none for a switch or a text."""
    changed_at_ms: int | None
    """When it was set here, in UTC milliseconds; None where the configuration's value holds."""

    @property
    def is_set_here(self) -> bool:
        """Whether an administrator's value holds, and not the configuration's."""
        return self.changed_at_ms is not None


class ServerSettings:
    """The settings of one server, those set here and those of the file."""

    def __init__(self, db: Database, config: Config, rows: Mapping[str, tuple[Any, int]]) -> None:
        self._db = db
        self._file = config
        self._rows = dict(rows)
        self._changing = asyncio.Lock()
        self._config = self._made()

    @classmethod
    async def open(cls, db: Database, config: Config) -> "ServerSettings":
        """Reads what was set. A row that this version does not understand any more counts for nothing."""
        return cls(db, config, await db.study(_read))

    @property
    def config(self) -> Config:
        """The configuration in force now."""
        return self._config

    def listed(self) -> list[Setting]:
        """Every setting that can be changed at run time."""
        return [self.one(name) for name in NAMES]

    def one(self, name: str) -> Setting:
        """One of them. NotFoundError."""
        section, key = _place(name)
        choices = tuple(word for word in get_args(type(getattr(self._file, section)).model_fields[key].annotation))
        return Setting(
            name,
            getattr(getattr(self._config, section), key),
            getattr(getattr(self._file, section), key),
            tuple(word for word in choices if isinstance(word, str)),
            self._rows[name][1] if name in self._rows else None,
        )

    async def change(self, name: str, value: object, *, now_ms: int, by: str = audit.OPERATOR) -> Setting:
        """Sets a value over the file's; it holds when this returns. NotFoundError, InvalidInputError."""
        section, key = _place(name)
        stored = getattr(getattr(_with(self._file, section, key, value), section), key)
        # what somebody typed does not stand in the audit log
        word = stored if isinstance(stored, bool) or self.one(name).choices else "text"

        def write(conn: Connection) -> None:
            row = {"name": name, "value": json.dumps(stored), "changed_at_ms": now_ms}
            put = insert(server_settings).values(row)
            conn.execute(put.on_conflict_do_update(index_elements=["name"], set_=row))
            audit.record_now(conn, now_ms, by, "setting.changed", name, {"value": word})

        async with self._changing:
            await self._db.work(write)
            self._rows[name] = (stored, now_ms)
            self._config = self._made()
        return self.one(name)

    async def give_back(self, name: str, *, now_ms: int, by: str = audit.OPERATOR) -> Setting:
        """Lets the file's value hold again. NotFoundError."""
        _place(name)

        def write(conn: Connection) -> None:
            conn.execute(delete(server_settings).where(server_settings.c.name == name))
            audit.record_now(conn, now_ms, by, "setting.given_back", name)

        async with self._changing:
            if name in self._rows:
                await self._db.work(write)
                del self._rows[name]
                self._config = self._made()
        return self.one(name)

    def _made(self) -> Config:
        config = self._file
        for name, (value, _) in list(self._rows.items()):
            try:
                section, key = _place(name)
                config = _with(config, section, key, value)
            except (InvalidInputError, NotFoundError):
                del self._rows[name]
        return config


def _read(conn: Connection) -> dict[str, tuple[Any, int]]:
    rows = conn.execute(select(server_settings))
    return {row.name: (json.loads(row.value), row.changed_at_ms) for row in rows}


def _place(name: str) -> tuple[str, str]:
    if name not in NAMES:
        raise NotFoundError(f"There is no such setting. Those that can be changed here: {', '.join(NAMES)}.")
    section, _, key = name.partition(".")
    return section, key


def _with(config: Config, section: str, key: str, value: object) -> Config:
    """The same with one setting changed. InvalidInputError, which does not repeat the value."""
    kind = section_of(Config.model_fields[section])
    assert kind is not None  # noqa: S101  `NAMES` has settings of sections only
    try:
        made = kind.model_validate({**dict(getattr(config, section)), key: value})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        context = first.get("ctx", {})
        raise InvalidInputError(context.get("remedy") or f"{section}.{key}: {first['msg']}.") from None
    return config.model_copy(update={section: made})
