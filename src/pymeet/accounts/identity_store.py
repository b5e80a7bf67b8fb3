"""The SQL of accounts at an OpenID provider, and of the sessions that began there. Callers own the transaction."""

from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_change

from pymeet.accounts.model import ProviderSession
from pymeet.db import ways_in
from pymeet.db.engine import Transaction
from pymeet.db.schema import identities, provider_sessions, sessions, users
from pymeet.errors import NotSignedInError


async def identity(conn: Transaction, issuer: str, subject: str) -> RowMapping | None:
    query = select(identities).where(identities.c.issuer == issuer, identities.c.subject == subject)
    return (await conn.execute(query)).mappings().first()


async def is_linked(conn: Transaction, identity_id: str) -> bool:
    """Whether somebody still has this identity."""
    return (await conn.execute(select(identities.c.id).where(identities.c.id == identity_id))).first() is not None


async def identities_of(conn: Transaction, user_id: str) -> list[RowMapping]:
    query = select(identities).where(identities.c.user_id == user_id).order_by(identities.c.created_at_ms)
    return list((await conn.execute(query)).mappings())


async def add_identity(conn: Transaction, **values: Any) -> None:
    await conn.execute(insert(identities).values(**values))


async def use_identity(conn: Transaction, identity_id: str, at_ms: int) -> None:
    await conn.execute(update(identities).where(identities.c.id == identity_id).values(last_used_at_ms=at_ms))


async def remove_identity(conn: Transaction, user_id: str, identity_id: str, *, besides: str) -> int | None:
    """How many sessions that began with it ended, all but the one whose token has the hash `besides`; None without it."""
    began = select(provider_sessions.c.session_id).where(
        provider_sessions.c.identity_id == identity_id, provider_sessions.c.user_id == user_id
    )
    ended = await conn.execute(delete(sessions).where(sessions.c.id.in_(began), sessions.c.token_hash != besides))
    mine = identities.c.id == identity_id, identities.c.user_id == user_id
    return ended.rowcount if (await conn.execute(delete(identities).where(*mine))).rowcount else None


async def remove_identities(conn: Transaction, user_id: str, identity_id: str | None = None) -> int:
    """Removes all, or this one, with the sessions that began with them; how many there were."""
    began, mine = [provider_sessions.c.user_id == user_id], [identities.c.user_id == user_id]
    if identity_id is not None:
        began.append(provider_sessions.c.identity_id == identity_id)
        mine.append(identities.c.id == identity_id)
    ended = select(provider_sessions.c.session_id).where(*began)
    await conn.execute(delete(sessions).where(sessions.c.id.in_(ended)))
    return (await conn.execute(delete(identities).where(*mine))).rowcount


async def has_own_way_in(conn: Transaction, user_id: str) -> bool:
    """Whether the person can sign in without the provider: by a password or a passkey."""
    query = select(users.c.id).where(users.c.id == user_id, ways_in.has_own_way_in())
    return (await conn.execute(query)).first() is not None


async def put_provider_session(conn: Transaction, session_id: str, user_id: str, began: ProviderSession) -> None:
    """Notes that a session began at the provider, or was confirmed there.

    Raises NotSignedInError (`oidc_void`) where the account there was unlinked in between.
    """
    if not await is_linked(conn, began.identity_id):
        raise NotSignedInError("Your account there was unlinked in between. Sign in again.", code="oidc_void")
    said = {
        "identity_id": began.identity_id,
        "provider_session": began.provider_session,
        "id_token": began.id_token,
        "confirmed_at_ms": began.confirmed_at_ms,
    }
    made = insert_or_change(provider_sessions).values(session_id=session_id, user_id=user_id, **said)
    await conn.execute(made.on_conflict_do_update(index_elements=["session_id"], set_=said))


async def session_id(conn: Transaction, token_hash: str, user_id: str) -> str | None:
    query = select(sessions.c.id).where(sessions.c.token_hash == token_hash, sessions.c.user_id == user_id)
    found: str | None = (await conn.execute(query)).scalar_one_or_none()
    return found


async def provider_session(conn: Transaction, token_hash: str) -> RowMapping | None:
    """What is known of the provider's side of a session."""
    query = select(provider_sessions).join(sessions, sessions.c.id == provider_sessions.c.session_id)
    return (await conn.execute(query.where(sessions.c.token_hash == token_hash))).mappings().first()


async def end_sessions(
    conn: Transaction, issuer: str, *, subject: str | None, provider_session: str | None
) -> dict[str, int]:
    """Ends the sessions that began as this one at the provider, or all that began as this person; how many of whom."""
    began = (
        select(provider_sessions.c.session_id)
        .join(identities, identities.c.id == provider_sessions.c.identity_id)
        .where(identities.c.issuer == issuer)
    )
    if subject is not None:
        began = began.where(identities.c.subject == subject)
    if provider_session is not None:
        began = began.where(provider_sessions.c.provider_session == provider_session)
    gone = delete(sessions).where(sessions.c.id.in_(began)).returning(sessions.c.user_id)
    ended: dict[str, int] = {}
    for user_id in (await conn.execute(gone)).scalars().all():
        ended[user_id] = ended.get(user_id, 0) + 1
    return ended
