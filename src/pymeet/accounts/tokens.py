"""API tokens: by them programs use the interface in somebody's name, as far as the token's scopes go.

A token is shown once and stored as its SHA-256. It ends by its date, when it is revoked, and with the account; where the
person gets another role, it loses the scopes that this role does not have.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping

from pymeet.accounts import scopes as words
from pymeet.accounts import store
from pymeet.accounts import token_store as rows
from pymeet.accounts.model import Role, User
from pymeet.accounts.rows import disabled, hash_of, named, record, user_of
from pymeet.accounts.scopes import Scope
from pymeet.accounts.texts import clean_line
from pymeet.clock import Clock
from pymeet.config import Config
from pymeet.db import audit, outbox
from pymeet.db.engine import Database, Transaction
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.ids import new_id, new_secret

PREFIX: Final = "pymeet_"
"""So that programs which look for secrets in published files recognise one."""

DEFAULT_DAYS: Final = 90
LONGEST_DAYS: Final = 366
MOST: Final = 50
"""How many tokens one person can have."""

_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
_FORM: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True)
class Token:
    """A token as its owner sees it. Times are UTC milliseconds."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at_ms: int
    expires_at_ms: int
    last_used_at_ms: int | None
    """The hour of its last use: enough to see which are needed, and no record of what somebody did when."""


@dataclass(frozen=True)
class Bearer:
    """Who showed a token, and what for."""

    user: User
    scopes: frozenset[Scope]


@dataclass(frozen=True)
class Told:
    """How to tell a person that a token was made in their name; None where mail is off."""

    language: str
    """For those who have not chosen one."""
    url: str
    """The page on which they see and revoke it."""

    @classmethod
    def of(cls, config: Config, site: str) -> "Told | None":
        """As this server does, whose address is `site`."""
        return cls(config.mail.language, f"{site}/security") if config.mail.host else None


class Tokens:
    """The API tokens of everybody; every change is in the audit log."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def create(
        self,
        email_or_id: str,
        name: str,
        scopes: Iterable[str],
        days: int = DEFAULT_DAYS,
        *,
        by: str = audit.OPERATOR,
        mail: Told | None = None,
    ) -> tuple[Token, str]:
        """A new token, and its text, which cannot be had again. Its person is told by mail, whoever made it.

        Raises NotFoundError, ConflictError (`account_disabled`, `too_many_tokens`), InvalidInputError, and NotAllowedError
        (`scope_not_allowed`) for a scope that the person's role does not have.
        """
        name = clean_line(name, what="The name")
        if not 1 <= days <= LONGEST_DAYS:
            raise InvalidInputError(f"A token is good for 1 to {LONGEST_DAYS} days.")
        text, now_ms = PREFIX + new_secret(), self._clock.now_ms()
        async with self._db.write() as conn:
            row = await named(conn, email_or_id)
            if row["disabled_at_ms"] is not None:
                raise disabled()
            user = user_of(row)
            granted = words.checked(scopes, user.role)
            if await rows.count(conn, user.id, now_ms) >= MOST:
                raise ConflictError(f"There can be {MOST} tokens. Revoke one first.", code="too_many_tokens")
            token = Token(new_id(), name, granted, now_ms, now_ms + days * _DAY_MS, None)
            await rows.add(
                conn,
                id=token.id,
                user_id=user.id,
                token_hash=hash_of(text),
                name=name,
                scopes=words.stored(granted),
                created_at_ms=now_ms,
                expires_at_ms=token.expires_at_ms,
            )
            await record(conn, now_ms, by, "token.created", user.id, {"scopes": len(granted), "days": days})
            if mail is not None:
                await outbox.queue(
                    conn,
                    now_ms=now_ms,
                    user_id=user.id,
                    to=user.email,
                    template="token_made",
                    values={"url": mail.url},
                    language=user.language or mail.language,
                )
        return token, text

    async def of(self, user_id: str) -> list[Token]:
        """A person's tokens that are still good, the newest first."""
        async with self._db.read() as conn:
            return [_token(row) for row in await rows.of(conn, user_id, self._clock.now_ms())]

    async def of_everybody(self) -> list[tuple[str, Token]]:
        """Everybody's, with the address of whose each is."""
        async with self._db.read() as conn:
            return [(row["email"], _token(row)) for row in await rows.every(conn, self._clock.now_ms())]

    async def revoke(self, token_id: str, *, of: str | None = None, by: str = audit.OPERATOR) -> None:
        """Ends a token at once; with `of` only one of that person's. Raises NotFoundError."""
        async with self._db.write() as conn:
            user_id = await rows.remove(conn, token_id, of)
            if user_id is None:
                raise NotFoundError("There is no such token.")
            await record(conn, self._clock.now_ms(), by, "token.revoked", user_id)

    async def bearer(self, text: str) -> Bearer | None:
        """Who holds the token; None when it is none, has ended, or its account cannot be used. Counts as use of both."""
        if not _FORM.fullmatch(text):
            return None
        now_ms = self._clock.now_ms()
        async with self._db.read() as conn:
            row = await rows.owner(conn, hash_of(text), now_ms)
        if row is None:
            return None
        hour_ms = now_ms - now_ms % _HOUR_MS
        if (row["used_at_ms"] or 0) < hour_ms:
            async with self._db.write() as conn:
                await rows.used(conn, row["token_id"], hour_ms)
                await store.seen(conn, row["id"], now_ms)
        return Bearer(user_of(row), frozenset(words.read(row["scopes"])))


async def narrow(conn: Transaction, user_id: str, role: Role, at_ms: int, *, by: str) -> None:
    """Takes from a person's tokens what this role does not have; one that is left without scopes ends."""
    changed = 0
    for row in await rows.all_of(conn, user_id):
        had = words.read(row["scopes"])
        kept = [scope for scope in had if scope in words.grantable(role)]
        if not kept:
            await rows.remove(conn, row["id"], user_id)
        elif len(kept) < len(had):
            await rows.set_scopes(conn, row["id"], words.stored(kept))
        changed += len(kept) < len(had)
    if changed:
        await record(conn, at_ms, by, "token.narrowed", user_id, {"count": changed})


def _token(row: RowMapping) -> Token:
    return Token(
        row["id"],
        row["name"],
        words.read(row["scopes"]),
        row["created_at_ms"],
        row["expires_at_ms"],
        row["last_used_at_ms"],
    )
