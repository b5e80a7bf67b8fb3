"""The SQL of second factors, passkeys, known devices and lists of sessions. Each function takes a transaction's connection."""

from typing import Any

from sqlalchemy import RowMapping, Table, and_, delete, exists, func, insert, or_, select, update

from pymeet.db.engine import Transaction
from pymeet.db.schema import (
    known_devices,
    passkeys,
    recovery_codes,
    second_factors,
    sessions,
    user_credentials,
    users,
)


async def person(conn: Transaction, user_id: str) -> RowMapping | None:
    """The account, with `changed_at_ms` of the password; None where it has none."""
    query = select(users, user_credentials.c.changed_at_ms).outerjoin(user_credentials).where(users.c.id == user_id)
    return (await conn.execute(query)).mappings().first()


async def password_hash(conn: Transaction, user_id: str) -> str:
    """What is stored of the person's password; empty where they have none."""
    query = select(user_credentials.c.password_hash).where(user_credentials.c.user_id == user_id)
    return (await conn.execute(query)).scalar_one_or_none() or ""


async def has_second_factor(conn: Transaction, user_id: str) -> bool:
    """Whether the password alone is not enough."""
    either = or_(
        exists().where(second_factors.c.user_id == user_id),
        exists().where(passkeys.c.user_id == user_id),
    )
    return bool((await conn.execute(select(either))).scalar_one())


async def totp(conn: Transaction, user_id: str) -> RowMapping | None:
    query = select(second_factors).where(second_factors.c.user_id == user_id)
    return (await conn.execute(query)).mappings().first()


async def put_totp(conn: Transaction, user_id: str, totp_secret: str, *, last_step: int, at_ms: int) -> None:
    """Stores the secret; one that was there before is void."""
    await conn.execute(delete(second_factors).where(second_factors.c.user_id == user_id))
    values = {"user_id": user_id, "totp_secret": totp_secret, "last_step": last_step, "created_at_ms": at_ms}
    await conn.execute(insert(second_factors).values(values))


async def use_totp(conn: Transaction, user_id: str, step: int) -> None:
    """Notes that the code of this step was used, and all before it."""
    await conn.execute(update(second_factors).where(second_factors.c.user_id == user_id).values(last_step=step))


async def remove_totp(conn: Transaction, user_id: str) -> bool:
    return bool((await conn.execute(delete(second_factors).where(second_factors.c.user_id == user_id))).rowcount)


async def put_recovery_codes(conn: Transaction, user_id: str, hashes: list[str], at_ms: int) -> None:
    """Stores codes; all from before are void."""
    await remove_recovery_codes(conn, user_id)
    rows = [{"code_hash": each, "user_id": user_id, "created_at_ms": at_ms} for each in hashes]
    await conn.execute(insert(recovery_codes).values(rows))


async def recovery_codes_left(conn: Transaction, user_id: str) -> int:
    return await _count(conn, recovery_codes, user_id)


async def use_recovery_code(conn: Transaction, user_id: str, code_hash: str) -> bool:
    """Takes the code away; False where the person has no such code."""
    mine = recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == code_hash
    return bool((await conn.execute(delete(recovery_codes).where(*mine))).rowcount)


async def remove_recovery_codes(conn: Transaction, user_id: str) -> None:
    await conn.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))


async def passkeys_of(conn: Transaction, user_id: str) -> list[RowMapping]:
    """The oldest first."""
    query = select(passkeys).where(passkeys.c.user_id == user_id).order_by(passkeys.c.created_at_ms, passkeys.c.id)
    return list((await conn.execute(query)).mappings())


async def passkey_count(conn: Transaction, user_id: str) -> int:
    return await _count(conn, passkeys, user_id)


async def passkey(conn: Transaction, credential_id: str) -> RowMapping | None:
    query = select(passkeys).where(passkeys.c.credential_id == credential_id)
    return (await conn.execute(query)).mappings().first()


async def add_passkey(conn: Transaction, **values: Any) -> None:
    await conn.execute(insert(passkeys).values(**values))


async def use_passkey(conn: Transaction, passkey_id: str, *, before: int, sign_count: int, at_ms: int) -> bool:
    """Notes that it signed; False where it is gone, or its count is not `before` any more."""
    same = passkeys.c.id == passkey_id, passkeys.c.sign_count == before
    used = {"sign_count": sign_count, "last_used_at_ms": at_ms}
    return bool((await conn.execute(update(passkeys).where(*same).values(used))).rowcount)


async def rename_passkey(conn: Transaction, user_id: str, passkey_id: str, name: str) -> bool:
    mine = passkeys.c.user_id == user_id, passkeys.c.id == passkey_id
    return bool((await conn.execute(update(passkeys).where(*mine).values(name=name))).rowcount)


async def remove_passkey(conn: Transaction, user_id: str, passkey_id: str) -> bool:
    return await _remove_one(conn, passkeys, user_id, passkey_id)


async def remove_passkeys(conn: Transaction, user_id: str) -> int:
    return (await conn.execute(delete(passkeys).where(passkeys.c.user_id == user_id))).rowcount


async def sessions_of(conn: Transaction, user_id: str, now_ms: int) -> list[RowMapping]:
    """Sessions that are still good, the newest first."""
    query = select(sessions).where(sessions.c.user_id == user_id, sessions.c.expires_at_ms > now_ms)
    return list((await conn.execute(query.order_by(sessions.c.last_seen_at_ms.desc()))).mappings())


async def remove_session(conn: Transaction, user_id: str, session_id: str) -> bool:
    return await _remove_one(conn, sessions, user_id, session_id)


async def remove_other_sessions(conn: Transaction, user_id: str, token_hash: str) -> int:
    """Ends all but the one whose token has this hash; how many."""
    others = sessions.c.user_id == user_id, sessions.c.token_hash != token_hash
    return (await conn.execute(delete(sessions).where(*others))).rowcount


async def devices_of(conn: Transaction, user_id: str, now_ms: int) -> list[RowMapping]:
    """Devices that are still known, the one used last first."""
    query = select(known_devices).where(known_devices.c.user_id == user_id, known_devices.c.expires_at_ms > now_ms)
    return list((await conn.execute(query.order_by(known_devices.c.last_seen_at_ms.desc()))).mappings())


async def device(conn: Transaction, user_id: str, token_hash: str, now_ms: int) -> RowMapping | None:
    known = known_devices.c.token_hash == token_hash, known_devices.c.expires_at_ms > now_ms
    query = select(known_devices).where(known_devices.c.user_id == user_id, *known)
    return (await conn.execute(query)).mappings().first()


async def is_device_of(conn: Transaction, email: str, token_hash: str, now_ms: int) -> bool:
    """Whether the account with this address is known on that device."""
    known = and_(known_devices.c.token_hash == token_hash, known_devices.c.expires_at_ms > now_ms)
    query = select(known_devices.c.id).join(users).where(known, users.c.email == email)
    return (await conn.execute(query)).first() is not None


async def add_device(conn: Transaction, **values: Any) -> None:
    await conn.execute(insert(known_devices).values(**values))


async def change_device(conn: Transaction, device_id: str, **values: Any) -> None:
    await conn.execute(update(known_devices).where(known_devices.c.id == device_id).values(**values))


async def remove_device(conn: Transaction, user_id: str, device_id: str) -> bool:
    return await _remove_one(conn, known_devices, user_id, device_id)


async def distrust_devices(conn: Transaction, user_id: str, *, besides: str = "") -> None:
    """The second factor is asked for again everywhere, but in the browser whose token has the hash `besides`."""
    others = known_devices.c.user_id == user_id, known_devices.c.token_hash != besides
    await conn.execute(update(known_devices).where(*others).values(trusted_until_ms=None))


async def _count(conn: Transaction, table: Table, user_id: str) -> int:
    counted = select(func.count()).select_from(table).where(table.c.user_id == user_id)
    return int((await conn.execute(counted)).scalar_one())


async def _remove_one(conn: Transaction, table: Table, user_id: str, row_id: str) -> bool:
    mine = table.c.user_id == user_id, table.c.id == row_id
    return bool((await conn.execute(delete(table).where(*mine))).rowcount)
