"""Who may look after other people's data over the web: the rule of privacy/permissions.py, applied to who asks."""

from aiohttp import web

from pymeet.accounts.model import User
from pymeet.db import audit
from pymeet.errors import NotAllowedError
from pymeet.privacy.permissions import Role, may
from pymeet.web.parts import PARTS
from pymeet.web.sessions import member


async def allowed(request: web.Request, verb: str) -> User:
    """The signed-in person, who may do this. NotSignedInError, NotAllowedError."""
    user = await member(request)
    roles = {role for role, has in ((Role.ADMIN, user.is_admin), (Role.DPO, user.is_dpo)) if has}
    if not may(roles, verb, there_is_a_dpo=await request.app[PARTS].accounts.has_dpo()):
        raise NotAllowedError("Your account may not do this.")
    return user


async def administrator(request: web.Request) -> User:
    """The signed-in person, who looks after accounts. NotSignedInError, NotAllowedError."""
    user = await member(request)
    if not user.is_admin:
        raise NotAllowedError("Your account may not do this.")
    return user


async def record_view(
    request: web.Request, user: User, target: str | audit.Person, count: int, *, action: str = "data.viewed"
) -> None:
    """Writes into the audit log that somebody looked at `count` records about others."""
    parts = request.app[PARTS]
    async with parts.database.write() as conn:
        await audit.record(
            conn,
            at_ms=parts.clock.now_ms(),
            actor=user.id,
            action=action,
            target=target,
            detail={"count": count},
        )
