"""The verbs of `pymeet user`."""

from collections.abc import Mapping
from typing import Any

from pymeet.accounts import directory
from pymeet.accounts.directory import Member
from pymeet.accounts.mailed_links import MailedLinks
from pymeet.accounts.oidc_accounts import unlink
from pymeet.accounts.profile_fields import ProfileFields
from pymeet.accounts.rows import named
from pymeet.accounts.service import Role, User
from pymeet.errors import InvalidInputError
from pymeet.mail.message import LANGUAGES
from pymeet.ops.addresses import public_url
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso
from pymeet.ops.verbs.viewing import views


async def user_add(services: Services, *, name: str, email: str, admin: bool = False) -> dict[str, Any]:
    """Makes an account and the one-time link on which the person sets a password."""
    user, token = await services.accounts.add_user(name, email, admin)
    return {**_user(user), "link": _link(services, token)}


async def user_invite(
    services: Services, *, name: str, email: str, role: str = Role.MEMBER, language: str | None = None
) -> dict[str, Any]:
    """Makes an account and writes to the person; where mail is off, the link is in the answer."""
    _check_language(language)
    invited = await _mailed_links(services).invite(name, email, _role(role), language)
    return {**_user(invited.user), "link": invited.link}


async def user_reset_password(services: Services, *, email: str) -> dict[str, Any]:
    """Writes to the person that they set a new password; where mail is off, the link is in the answer."""
    invited = await _mailed_links(services).new_password(email)
    return {**_user(invited.user), "link": invited.link}


async def user_link(services: Services, *, email: str) -> dict[str, Any]:
    """A fresh one-time link for an account; the one before it becomes void."""
    return {"email": email, "link": _link(services, await services.accounts.links.for_password(email))}


@views("accounts")
async def user_list(services: Services) -> list[dict[str, Any]]:
    """All accounts by name, each with its state and when it was last used."""
    async with services.db.read() as conn:
        found = await directory.everybody(conn)
    return [_shown(member) for member in found]


@views("accounts")
async def user_show(services: Services, *, email: str) -> dict[str, Any]:
    """One account, with its state, when it was last used, and what stands in the fields of its profile."""
    async with services.db.read() as conn:
        row = await named(conn, email)
        found = await directory.member(conn, row["id"])
    assert found is not None  # noqa: S101  read in one transaction
    filled = await ProfileFields(services.db, services.clock).of(found.id)
    fields = [{"label": each.label, "value": each.value} for each in filled]
    return {**_shown(found), "language": row["language"], "time_zone": row["time_zone"], "fields": fields}


async def user_role(services: Services, *, email: str, role: str) -> dict[str, Any]:
    """Makes somebody member, administrator or data protection officer, and ends their sessions.

    They leave a meeting that is going on, as it was joined with such a session.
    """
    return _user(await services.accounts.change_role(email, _role(role)))


async def user_disable(services: Services, *, email: str) -> dict[str, Any]:
    """Locks an account and ends its sessions."""
    user = await services.accounts.disable_user(email)
    if services.live:
        await services.live.user_disabled(user.id)
    return _user(user)


async def user_enable(services: Services, *, email: str) -> dict[str, Any]:
    """Unlocks an account."""
    return _user(await services.accounts.enable_user(email))


async def user_remove_second_factor(services: Services, *, email: str) -> dict[str, Any]:
    """Takes authenticator app, passkeys and recovery codes from somebody who has lost them; how many there were."""
    async with services.db.read() as conn:
        row = await named(conn, email)
    removed = await services.factors.remove_second_factors(row["id"])
    return {"id": row["id"], "name": row["name"], "removed": removed}


async def user_unlink(services: Services, *, email: str) -> dict[str, Any]:
    """Takes the accounts at the OpenID provider from somebody, whose sessions there end; how many there were."""
    async with services.db.read() as conn:
        row = await named(conn, email)
    removed = await unlink(services.db, services.clock, row["id"])
    return {"id": row["id"], "name": row["name"], "removed": removed}


OPERATIONS: Mapping[str, Operation] = {
    "user.add": user_add,
    "user.invite": user_invite,
    "user.reset_password": user_reset_password,
    "user.link": user_link,
    "user.show": user_show,
    "user.list": user_list,
    "user.role": user_role,
    "user.disable": user_disable,
    "user.enable": user_enable,
    "user.remove_second_factor": user_remove_second_factor,
    "user.unlink": user_unlink,
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


def _shown(member: Member) -> dict[str, Any]:
    seen_ms = member.last_seen_at_ms
    times = {"created_at": iso(member.created_at_ms), "last_seen_at": None if seen_ms is None else iso(seen_ms)}
    return {**directory.shown(member), **times}


def _role(word: str) -> Role:
    if word not in list(Role):
        raise InvalidInputError(f"A role is one of {', '.join(Role)}.")
    return Role(word)


def _check_language(word: str | None) -> None:
    if word is not None and word not in LANGUAGES:
        raise InvalidInputError(f"A language is one of {', '.join(LANGUAGES)}.")


def _mailed_links(services: Services) -> MailedLinks:
    return MailedLinks(services.lifecycle, site=public_url(services.config))


def _link(services: Services, token: str) -> str:
    # In the fragment, which browsers keep to themselves: no server and no proxy logs it.
    return f"{public_url(services.config)}/link#{token}"
