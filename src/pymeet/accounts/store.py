"""The SQL of accounts. Every function takes the connection of a transaction that its caller owns."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, exists, func, insert, or_, select, update

from pymeet.db.engine import Transaction
from pymeet.db.schema import (
    api_tokens,
    known_devices,
    one_time_links,
    requests,
    sessions,
    user_credentials,
    users,
)
from pymeet.db.ways_in import able_admin, being_erased, has_way_in, usable
from pymeet.ids import new_id

FIRST_ADMIN = "first_admin"
SET_PASSWORD = "set_password"  # noqa: S105  the name of a purpose
INVITATION = "invitation"
REGISTER = "register"
RESET_PASSWORD = "reset_password"  # noqa: S105
SIGN_IN = "sign_in"
CHANGE_EMAIL = "change_email"


def is_invited() -> ColumnElement[bool]:
    """The condition that picks accounts whose holder did not come yet: nothing lets them in."""
    return ~has_way_in()


async def add_user(conn: Transaction, **values: Any) -> None:
    await conn.execute(insert(users).values(**values))


async def user(conn: Transaction, user_id: str) -> RowMapping | None:
    return (await conn.execute(select(users).where(users.c.id == user_id))).mappings().first()


async def find_user(conn: Transaction, email_or_id: str, email: str) -> RowMapping | None:
    """By id as typed, or by the cleaned address."""
    query = select(users).where(or_(users.c.id == email_or_id, users.c.email == email))
    return (await conn.execute(query)).mappings().first()


async def all_users(conn: Transaction) -> list[RowMapping]:
    return list((await conn.execute(select(users).order_by(users.c.created_at_ms, users.c.email))).mappings())


async def has_admin(conn: Transaction, *, besides: str | None = None) -> bool:
    """Whether an administrator exists who could sign in; one may be left out of account."""
    able = select(users.c.id).where(able_admin())
    if besides is not None:
        able = able.where(users.c.id != besides)
    return bool((await conn.execute(select(exists(able)))).scalar_one())


async def has_dpo(conn: Transaction) -> bool:
    """Whether a data protection officer exists who could sign in."""
    able = select(users.c.id).where(users.c.is_dpo, usable(), ~is_invited())
    return bool((await conn.execute(select(exists(able)))).scalar_one())


async def disable_user(conn: Transaction, user_id: str, at_ms: int) -> int:
    """Marks the account and removes everything by which it could be used; how many sessions that ended."""
    await conn.execute(update(users).where(users.c.id == user_id).values(disabled_at_ms=at_ms))
    for table in (one_time_links, api_tokens):
        await conn.execute(delete(table).where(table.c.user_id == user_id))
    return await remove_sessions(conn, user_id)


async def enable_user(conn: Transaction, user_id: str) -> None:
    await conn.execute(update(users).where(users.c.id == user_id).values(disabled_at_ms=None))


async def change_user(conn: Transaction, user_id: str, **values: Any) -> None:
    await conn.execute(update(users).where(users.c.id == user_id).values(values))


async def has_come(conn: Transaction, user_id: str) -> bool:
    """Whether something lets the person in; otherwise they were invited and did not come yet."""
    return (await conn.execute(select(users.c.id).where(users.c.id == user_id, ~is_invited()))).first() is not None


async def has_password(conn: Transaction, user_id: str) -> bool:
    """Whether the person ever set one."""
    query = select(user_credentials.c.user_id).where(user_credentials.c.user_id == user_id)
    return (await conn.execute(query)).first() is not None


async def usable_user(conn: Transaction, email: str) -> RowMapping | None:
    """The account of an address, unless it is disabled or being erased."""
    return (await conn.execute(select(users).where(users.c.email == email, usable()))).mappings().first()


async def set_role(conn: Transaction, user_id: str, *, is_admin: bool, is_dpo: bool) -> int:
    """Changes what the person may do and signs them out everywhere; how many sessions that ended."""
    await conn.execute(update(users).where(users.c.id == user_id).values(is_admin=is_admin, is_dpo=is_dpo))
    return await remove_sessions(conn, user_id)


async def credentials(conn: Transaction, email: str) -> RowMapping | None:
    """The account of an address together with its `password_hash`; None where nobody could sign in.

    `being_erased` says that somebody could, if they cancelled the erasure first.
    """
    query = (
        select(users, user_credentials.c.password_hash, being_erased().label("being_erased"))
        .join(user_credentials)
        .where(users.c.email == email, users.c.disabled_at_ms.is_(None))
    )
    return (await conn.execute(query)).mappings().first()


async def is_being_erased(conn: Transaction, user_id: str) -> bool:
    """Whether the account's erasure is under way."""
    return (await conn.execute(select(users.c.id).where(users.c.id == user_id, being_erased()))).first() is not None


async def erased_after_ms(conn: Transaction, user_id: str) -> int | None:
    """The end of the time to think better of an erasure that is under way."""
    query = select(requests.c.not_before_ms).where(
        requests.c.user_id == user_id, requests.c.right == "erasure", requests.c.closed_at_ms.is_(None)
    )
    found: int | None = (await conn.execute(query.order_by(requests.c.received_at_ms))).scalars().first()
    return found


async def set_password(conn: Transaction, user_id: str, password_hash: str, at_ms: int) -> None:
    await conn.execute(delete(user_credentials).where(user_credentials.c.user_id == user_id))
    values = {"user_id": user_id, "password_hash": password_hash, "changed_at_ms": at_ms}
    await conn.execute(insert(user_credentials).values(values))


async def add_link(
    conn: Transaction,
    *,
    token_hash: str,
    purpose: str,
    user_id: str | None,
    email: str | None,
    at_ms: int,
    expires_at_ms: int | None,
) -> None:
    """Stores a link; an earlier one for the same person, or the same address of nobody, and purpose becomes void."""
    same = one_time_links.c.user_id == user_id if user_id else one_time_links.c.user_id.is_(None)
    if user_id is None and email is not None:
        same = and_(same, one_time_links.c.email == email)
    await conn.execute(delete(one_time_links).where(one_time_links.c.purpose == purpose, same))
    await conn.execute(
        insert(one_time_links).values(
            token_hash=token_hash,
            purpose=purpose,
            user_id=user_id,
            email=email,
            created_at_ms=at_ms,
            expires_at_ms=expires_at_ms,
        )
    )


async def link(conn: Transaction, token_hash: str, now_ms: int) -> RowMapping | None:
    """A link that is still good, with the `name` and `address` of whom it is for (None where there is no account yet)."""
    query = (
        select(one_time_links, users.c.name, users.c.email.label("address"))
        .outerjoin(users)
        .where(
            one_time_links.c.token_hash == token_hash,
            or_(one_time_links.c.expires_at_ms.is_(None), one_time_links.c.expires_at_ms > now_ms),
            usable(),
        )
    )
    return (await conn.execute(query)).mappings().first()


async def remove_link(conn: Transaction, token_hash: str) -> None:
    await conn.execute(delete(one_time_links).where(one_time_links.c.token_hash == token_hash))


async def remove_links(conn: Transaction, user_id: str) -> None:
    await conn.execute(delete(one_time_links).where(one_time_links.c.user_id == user_id))


async def remove_first_admin_links(conn: Transaction) -> None:
    await conn.execute(delete(one_time_links).where(one_time_links.c.purpose == FIRST_ADMIN))


async def add_session(
    conn: Transaction, *, token_hash: str, user_id: str, device: str, at_ms: int, expires_at_ms: int
) -> str | None:
    """The id of the session; None, and nothing stored, if the account cannot be used any more."""
    able = select(users.c.id).where(users.c.id == user_id, usable())
    if (await conn.execute(able)).first() is None:
        return None
    session_id = new_id()
    await conn.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.expires_at_ms <= at_ms))
    await conn.execute(
        insert(sessions).values(
            token_hash=token_hash,
            user_id=user_id,
            created_at_ms=at_ms,
            last_seen_at_ms=at_ms,
            expires_at_ms=expires_at_ms,
            id=session_id,
            device=device,
        )
    )
    return session_id


async def session(conn: Transaction, token_hash: str, now_ms: int) -> RowMapping | None:
    """The person of a session that has not expired, with `seen_at_ms` and `opened_at_ms` of the session."""
    query = (
        select(users, sessions.c.last_seen_at_ms.label("seen_at_ms"), sessions.c.created_at_ms.label("opened_at_ms"))
        .join(sessions)
        .where(
            sessions.c.token_hash == token_hash,
            sessions.c.expires_at_ms > now_ms,
            usable(),
        )
    )
    return (await conn.execute(query)).mappings().first()


async def open_sessions(conn: Transaction, token_hashes: Collection[str], now_ms: int) -> Sequence[RowMapping]:
    """Those of these sessions that can still be used: `token_hash`, `user_id`, `seen_at_ms` and `opened_at_ms` of each."""
    seen_at_ms, opened_at_ms = sessions.c.last_seen_at_ms, sessions.c.created_at_ms
    query = (
        select(
            sessions.c.token_hash,
            sessions.c.user_id,
            seen_at_ms.label("seen_at_ms"),
            opened_at_ms.label("opened_at_ms"),
        )
        .join(users)
        .where(sessions.c.token_hash.in_(token_hashes), sessions.c.expires_at_ms > now_ms, usable())
    )
    return (await conn.execute(query)).mappings().all()


async def touch_session(conn: Transaction, token_hash: str, user_id: str, at_ms: int, expires_at_ms: int) -> None:
    """Notes that the session was used; times only ever move forward."""
    still = sessions.c.token_hash == token_hash
    await conn.execute(
        update(sessions)
        .where(still, sessions.c.last_seen_at_ms < at_ms)
        .values(last_seen_at_ms=at_ms, expires_at_ms=expires_at_ms)
    )
    await seen(conn, user_id, at_ms)


async def seen(conn: Transaction, user_id: str, at_ms: int) -> None:
    """Notes that the account is in use: its retention period begins anew."""
    later = func.max(users.c.last_seen_at_ms, at_ms)
    await conn.execute(update(users).where(users.c.id == user_id).values(last_seen_at_ms=later))


async def remove_session(conn: Transaction, token_hash: str) -> str | None:
    """Ends a session; whose it was."""
    gone = delete(sessions).where(sessions.c.token_hash == token_hash).returning(sessions.c.user_id)
    return (await conn.execute(gone)).scalar_one_or_none()


async def remove_sessions(conn: Transaction, user_id: str, *, besides: str = "") -> int:
    """Signs somebody out everywhere, but where a token has the hash `besides`; how many sessions that ended.

    Nowhere is the second factor spared any more, either.
    """
    await conn.execute(update(known_devices).where(known_devices.c.user_id == user_id).values(trusted_until_ms=None))
    ended = delete(sessions).where(sessions.c.user_id == user_id, sessions.c.token_hash != besides)
    return (await conn.execute(ended)).rowcount
