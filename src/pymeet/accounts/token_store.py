"""The SQL of API tokens. Each function takes a transaction's connection."""

from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update

from pymeet.db.engine import Transaction
from pymeet.db.schema import api_tokens, users
from pymeet.db.ways_in import usable


async def add(conn: Transaction, **values: Any) -> None:
    await conn.execute(insert(api_tokens).values(**values))


async def of(conn: Transaction, user_id: str, now_ms: int) -> list[RowMapping]:
    """A person's tokens that are still good, the newest first."""
    query = select(api_tokens).where(api_tokens.c.user_id == user_id, api_tokens.c.expires_at_ms > now_ms)
    return list((await conn.execute(query.order_by(api_tokens.c.created_at_ms.desc(), api_tokens.c.id))).mappings())


async def every(conn: Transaction, now_ms: int) -> list[RowMapping]:
    """Everybody's tokens that are still good, with the `email` of whose they are; by address, then the newest first."""
    query = select(api_tokens, users.c.email).join(users).where(api_tokens.c.expires_at_ms > now_ms)
    ordered = query.order_by(users.c.email, api_tokens.c.created_at_ms.desc(), api_tokens.c.id)
    return list((await conn.execute(ordered)).mappings())


async def count(conn: Transaction, user_id: str, now_ms: int) -> int:
    mine = api_tokens.c.user_id == user_id, api_tokens.c.expires_at_ms > now_ms
    return int((await conn.execute(select(func.count()).select_from(api_tokens).where(*mine))).scalar_one())


async def owner(conn: Transaction, token_hash: str, now_ms: int) -> RowMapping | None:
    """The person of a token that is good and whose account can be used, with `token_id`, `scopes` and `used_at_ms`."""
    query = (
        select(
            users,
            api_tokens.c.id.label("token_id"),
            api_tokens.c.scopes,
            api_tokens.c.last_used_at_ms.label("used_at_ms"),
        )
        .join(api_tokens)
        .where(api_tokens.c.token_hash == token_hash, api_tokens.c.expires_at_ms > now_ms, usable())
    )
    return (await conn.execute(query)).mappings().first()


async def used(conn: Transaction, token_id: str, at_ms: int) -> None:
    """Notes when it was used; times only ever move forward."""
    later = func.max(func.coalesce(api_tokens.c.last_used_at_ms, 0), at_ms)
    await conn.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(last_used_at_ms=later))


async def remove(conn: Transaction, token_id: str, user_id: str | None) -> str | None:
    """Ends a token, with `user_id` only one of that person's; whose it was, None where there is none."""
    gone = delete(api_tokens).where(api_tokens.c.id == token_id)
    if user_id is not None:
        gone = gone.where(api_tokens.c.user_id == user_id)
    return (await conn.execute(gone.returning(api_tokens.c.user_id))).scalar_one_or_none()


async def remove_all(conn: Transaction, user_id: str) -> int:
    """Ends every token of a person; how many there were."""
    return (await conn.execute(delete(api_tokens).where(api_tokens.c.user_id == user_id))).rowcount


async def all_of(conn: Transaction, user_id: str) -> list[RowMapping]:
    """A person's tokens with their scopes, expired ones too."""
    query = select(api_tokens.c.id, api_tokens.c.scopes).where(api_tokens.c.user_id == user_id)
    return list((await conn.execute(query)).mappings())


async def set_scopes(conn: Transaction, token_id: str, scopes: str) -> None:
    await conn.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(scopes=scopes))
