"""How people with an account are shown over the API: to themselves, and to administrators."""

from typing import Any

from aiohttp import web

from pymeet.accounts import directory
from pymeet.accounts.model import User
from pymeet.web.parts import PARTS


async def shown_user(request: web.Request, user: User) -> dict[str, Any]:
    """A member as the API shows them to themselves."""
    async with request.app[PARTS].database.read() as conn:
        more = await directory.about(conn, user.id)
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "admin": user.is_admin,
        "dpo": user.is_dpo,
        "language": user.language,
        "time_zone": user.time_zone,
        "theme": user.theme,
        "second_factor": more.second_factor,
        "avatar": more.avatar,
    }
