"""The verbs of `pymeet user`."""

from collections.abc import Mapping
from typing import Any

from pymeet.accounts.service import Role, User
from pymeet.errors import InvalidInputError
from pymeet.ops.addresses import public_url
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.viewing import views


async def user_add(services: Services, *, name: str, email: str, admin: bool = False) -> dict[str, Any]:
    """Makes an account and the one-time link on which the person sets a password."""
    user, token = await services.accounts.add_user(name, email, admin)
    return {**_user(user), "link": _link(services, token)}


async def user_link(services: Services, *, email: str) -> dict[str, Any]:
    """A fresh one-time link for an account; the one before it becomes void."""
    return {"email": email, "link": _link(services, await services.accounts.links.for_password(email))}


@views("accounts")
async def user_list(services: Services) -> list[dict[str, Any]]:
    """All accounts."""
    return [_user(user) for user in await services.accounts.list_users()]


async def user_role(services: Services, *, email: str, role: str) -> dict[str, Any]:
    """Makes somebody member, administrator or data protection officer, and ends their sessions.

    In a meeting that is going on they keep the role with which they joined it.
    """
    if role not in list(Role):
        raise InvalidInputError(f"A role is one of {', '.join(Role)}.")
    return _user(await services.accounts.change_role(email, Role(role)))


async def user_disable(services: Services, *, email: str) -> dict[str, Any]:
    """Locks an account and ends its sessions."""
    user = await services.accounts.disable_user(email)
    if services.live:
        await services.live.user_disabled(user.id)
    return _user(user)


OPERATIONS: Mapping[str, Operation] = {
    "user.add": user_add,
    "user.link": user_link,
    "user.list": user_list,
    "user.role": user_role,
    "user.disable": user_disable,
}


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "admin": user.is_admin,
        "role": user.role,
        "disabled": user.disabled_at_ms is not None,
    }


def _link(services: Services, token: str) -> str:
    # In the fragment, which browsers keep to themselves: no server and no proxy logs it.
    return f"{public_url(services.config)}/link#{token}"
