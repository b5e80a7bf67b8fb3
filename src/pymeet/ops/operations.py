"""What the command line can do, as functions over the services. The running server offers them on its socket; where
none runs, the command opens the services itself and calls the same functions.

Each takes plain arguments and returns what JSON can carry.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pymeet import __version__
from pymeet.accounts.service import Accounts, User
from pymeet.clock import Clock, SystemClock
from pymeet.config import Config
from pymeet.db.engine import Database
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.keyring import Keyring
from pymeet.meetings.service import Meetings, Room
from pymeet.ops import room_tokens
from pymeet.ops.addresses import public_url, room_url

MAX_TOKEN_HOURS = 24 * 366


class Live(Protocol):
    """What only a running server knows and can do."""

    def people(self, slug: str) -> int:
        """How many are in the room now."""

    def status(self) -> dict[str, Any]:
        """What `pymeet status` adds for a running server, as JSON-able values."""

    async def room_deleted(self, slug: str) -> None:
        """Ends the meeting in a room that was deleted."""

    async def user_disabled(self, user_id: str) -> None:
        """Takes a disabled member out of all meetings."""


@dataclass(frozen=True)
class Services:
    """What the operations work on."""

    config: Config
    db: Database
    accounts: Accounts
    meetings: Meetings
    keyring: Keyring
    clock: Clock
    live: Live | None = None
    """None where no server runs."""


@asynccontextmanager
async def open_services(config: Config, clock: Clock | None = None) -> AsyncIterator[Services]:
    """Opens keys and database (making or migrating it), without a server."""
    clock = clock or SystemClock()
    keyring = Keyring.open(config.data_dir)
    db = await Database.open(config.database_path)
    try:
        accounts = Accounts(
            db,
            clock,
            idle_ms=round(config.sessions.idle.total_seconds() * 1000),
            absolute_ms=round(config.sessions.absolute.total_seconds() * 1000),
        )
        yield Services(config, db, accounts, Meetings(db, clock), keyring, clock)
    finally:
        await db.close()


async def room_create(
    services: Services, *, name: str, slug: str | None = None, owner: str | None = None
) -> dict[str, Any]:
    """Makes a room that belongs to the account with the e-mail address `owner`; without it, to nobody in particular."""
    member = None if owner is None else await services.accounts.active_user(owner)
    room = await services.meetings.create_room(name, member.id if member else None, slug=slug)
    return _room(services, room, member)


async def room_list(services: Services) -> list[dict[str, Any]]:
    """All rooms, whose they are and how many are in each."""
    members = {user.id: user for user in await services.accounts.list_users()}
    return [_room(services, room, members.get(room.owner_id or "")) for room in await services.meetings.rooms()]


async def room_delete(services: Services, *, slug: str) -> dict[str, Any]:
    """Deletes a room with its messages and attendance; a meeting in it ends."""
    room = await services.meetings.room(slug)
    await services.meetings.delete_room(slug)
    if services.live:
        await services.live.room_deleted(slug)
    return {"slug": room.slug, "name": room.name}


async def room_token(services: Services, *, slug: str, name: str | None = None, hours: int = 24) -> dict[str, Any]:
    """A bearer token for WHIP and WHEP, good for `hours`."""
    if not 1 <= hours <= MAX_TOKEN_HOURS:
        raise InvalidInputError(f"A token can be good for 1 to {MAX_TOKEN_HOURS} hours.")
    if name is not None and not 1 <= len(name.strip()) <= 60:
        raise InvalidInputError("The name needs 1 to 60 characters.")
    room = await services.meetings.room(slug)
    expires_at_ms = services.clock.now_ms() + hours * 3_600_000
    key = services.keyring.subkey(room_tokens.PURPOSE)
    base = public_url(services.config)
    return {
        "token": room_tokens.issue(key, room.id, name.strip() if name else None, expires_at_ms),
        "expires_at": _iso(expires_at_ms),
        "whip": f"{base}/whip/{room.slug}",
        "whep": f"{base}/whep/{room.slug}",
    }


async def user_add(services: Services, *, name: str, email: str, admin: bool = False) -> dict[str, Any]:
    """Makes an account and the one-time link on which the person sets a password."""
    user, token = await services.accounts.add_user(name, email, admin)
    return {**_user(user), "link": _link(services, token)}


async def user_link(services: Services, *, email: str) -> dict[str, Any]:
    """A fresh one-time link for an account; the one before it becomes void."""
    return {"email": email, "link": _link(services, await services.accounts.new_link(email))}


async def user_list(services: Services) -> list[dict[str, Any]]:
    """All accounts."""
    return [_user(user) for user in await services.accounts.list_users()]


async def user_disable(services: Services, *, email: str) -> dict[str, Any]:
    """Locks an account and ends its sessions."""
    user = await services.accounts.disable_user(email)
    if services.live:
        await services.live.user_disabled(user.id)
    return _user(user)


async def status(services: Services) -> dict[str, Any]:
    """What there is, and what the running server is doing."""
    return {
        **no_data(services.config),
        "running": services.live is not None,
        "rooms": len(await services.meetings.rooms()),
        "users": len(await services.accounts.list_users()),
        **(services.live.status() if services.live else {}),
    }


def no_data(config: Config) -> dict[str, Any]:
    """The status where neither server nor database is."""
    return {
        "version": __version__,
        "running": False,
        "url": public_url(config),
        "data_dir": str(config.data_dir.absolute()),
        "rooms": 0,
        "users": 0,
    }


Operation = Callable[..., Awaitable[Any]]

OPERATIONS: Mapping[str, Operation] = {
    "room.create": room_create,
    "room.list": room_list,
    "room.delete": room_delete,
    "room.token": room_token,
    "user.add": user_add,
    "user.link": user_link,
    "user.list": user_list,
    "user.disable": user_disable,
    "status": status,
}


async def run(services: Services, name: str, arguments: Mapping[str, Any]) -> Any:
    """Runs one operation by name. NotFoundError for an unknown one, InvalidInputError for unfitting arguments."""
    operation = OPERATIONS.get(name)
    if operation is None:
        raise NotFoundError(f"This pymeet has no operation {name}.", code="no_such_operation")
    try:
        bound = inspect.signature(operation).bind(services, **arguments)
    except TypeError as error:
        raise InvalidInputError(f"The arguments do not fit {name}: {error}.") from None
    return await operation(*bound.args, **bound.kwargs)


def _room(services: Services, room: Room, owner: User | None) -> dict[str, Any]:
    return {
        "slug": room.slug,
        "name": room.name,
        "url": room_url(services.config, room.slug),
        "owner": owner and owner.email,
        "created_at": _iso(room.created_at_ms),
        "people": services.live.people(room.slug) if services.live else 0,
    }


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "admin": user.is_admin,
        "disabled": user.disabled_at_ms is not None,
    }


def _link(services: Services, token: str) -> str:
    # In the fragment, which browsers keep to themselves: no server and no proxy logs it.
    return f"{public_url(services.config)}/link#{token}"


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
