"""The verbs of `pymeet token`."""

from collections.abc import Mapping
from typing import Any

from pymeet.accounts.rows import named
from pymeet.accounts.tokens import DEFAULT_DAYS, Token, Told
from pymeet.errors import InvalidInputError
from pymeet.ops.addresses import public_url
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso
from pymeet.ops.verbs.viewing import views
from pymeet.retention import days, parse_period


async def token_create(
    services: Services,
    *,
    email: str,
    name: str = "From the command line",
    scopes: list[str],
    expires: str = f"{DEFAULT_DAYS}d",
) -> dict[str, Any]:
    """A token by which a program uses the API in somebody's name; its text is in this answer only."""
    period_ms = parse_period(expires)
    if period_ms % days(1):
        raise InvalidInputError("Write whole days, such as 90d.")
    mail = Told.of(services.config, public_url(services.config))
    made, text = await services.accounts.tokens.create(email, name, scopes, period_ms // days(1), mail=mail)
    services.lifecycle.poke_mail()
    return {**_token(made), "email": email, "token": text}


@views("tokens")
async def token_list(services: Services, *, email: str | None = None) -> list[dict[str, Any]]:
    """The tokens that are still good: of one person, or of everybody."""
    tokens = services.accounts.tokens
    if email is None:
        return [{**_token(each), "email": address} for address, each in await tokens.of_everybody()]
    async with services.db.read() as conn:
        row = await named(conn, email)
    return [{**_token(each), "email": row["email"]} for each in await tokens.of(row["id"])]


async def token_revoke(services: Services, *, token_id: str) -> dict[str, Any]:
    """Ends a token at once."""
    await services.accounts.tokens.revoke(token_id)
    return {"id": token_id}


OPERATIONS: Mapping[str, Operation] = {
    "token.create": token_create,
    "token.list": token_list,
    "token.revoke": token_revoke,
}


def _token(token: Token) -> dict[str, Any]:
    used_at_ms = token.last_used_at_ms
    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "created_at": iso(token.created_at_ms),
        "expires_at": iso(token.expires_at_ms),
        "last_used_at": None if used_at_ms is None else iso(used_at_ms),
    }
