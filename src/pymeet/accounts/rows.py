"""What the services of accounts share: from rows to people, and the errors that several of them raise."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping

from pymeet.accounts import store
from pymeet.accounts.model import User
from pymeet.accounts.texts import clean_email
from pymeet.db import audit
from pymeet.db.engine import Transaction
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError


def hash_of(token: str) -> str:
    """What is stored of a token. A plain hash is enough: tokens have 256 random bits, there is nothing to guess."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def user_of(row: RowMapping) -> User:
    """The person of a row that has all columns of `users`."""
    return User(
        row["id"],
        row["name"],
        row["email"],
        row["is_admin"],
        row["disabled_at_ms"],
        row["is_dpo"],
        row["language"],
        row["time_zone"],
        row["theme"],
    )


def new_row(user: User, now_ms: int) -> dict[str, Any]:
    """The row of an account that is made now."""
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "is_admin": user.is_admin,
        "is_dpo": user.is_dpo,
        "language": user.language,
        "created_at_ms": now_ms,
        "last_seen_at_ms": now_ms,
    }


async def named(conn: Transaction, email_or_id: str) -> RowMapping:
    """The account with this address or id, also a disabled one. Raises NotFoundError."""
    try:
        email = clean_email(email_or_id)
    except InvalidInputError:
        email = ""  # then it is an id
    row = await store.find_user(conn, email_or_id, email)
    if row is None:
        raise NotFoundError("There is no such account.")
    return row


async def record(
    conn: Transaction, at_ms: int, by: str, action: str, user_id: str, detail: audit.Detail | None = None
) -> None:
    """Writes into the audit log what was done to somebody's account."""
    await audit.record(conn, at_ms=at_ms, actor=by, action=action, target=audit.Person(user_id), detail=detail)


def email_taken() -> ConflictError:
    return ConflictError("There is already an account with this e-mail address.", code="email_taken")


def disabled() -> ConflictError:
    return ConflictError("The account is disabled.", code="account_disabled")


def erasure_pending(erased_after_ms: int | None, now_ms: int) -> ConflictError:
    """What somebody hears who signs in to an account that waits to be erased."""
    if erased_after_ms is None or erased_after_ms <= now_ms:
        return ConflictError("This account is being erased.", code="erasure_pending")
    day = datetime.fromtimestamp(erased_after_ms / 1000, UTC).date().isoformat()
    return ConflictError(
        f"This account will be erased on {day}. Until then that can be cancelled.", code="erasure_pending"
    )


def link_void() -> NotFoundError:
    return NotFoundError("This link was used already or is no longer valid. Ask for a new one.", code="link_void")
