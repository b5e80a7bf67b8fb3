"""Sharing a recording: with members and groups, who then find it among theirs, and by links that end by themselves.

Whether an address has an account is nobody's business: sharing with one that has none answers, and is listed, exactly
alike. A link's token is handed out once and stored as its SHA-256 only, its password as argon2id.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from pymeet.accounts.group_store import people
from pymeet.accounts.groups import own_group
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.texts import clean_email
from pymeet.accounts.throttle import AttemptLimiter
from pymeet.db import audit, notifications
from pymeet.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    TooManyError,
)
from pymeet.ids import new_id, new_secret
from pymeet.privacy.parts import Lifecycle
from pymeet.recording import sharing_store as store
from pymeet.recording.access import Asker, Verb, no_such_recording
from pymeet.recording.catalogue import Catalogue, Entry
from pymeet.retention import days

LONGEST_DAYS: Final = 30
"""A link is good for no longer."""

MOST: Final = 100
"""Shares of one recording."""


@dataclass(frozen=True)
class Share:
    """One share as those who share see it. Times are UTC milliseconds."""

    id: str
    kind: str
    """`member`, `group` or `link`."""
    name: str | None
    """A group's. A member's, once they have looked: until then nobody can tell whether there is one."""
    made_at_ms: int
    expires_at_ms: int | None
    has_password: bool


@dataclass(frozen=True)
class Opened:
    """A link that is good, and what it leads to."""

    asker: Asker
    entry: Entry
    expires_at_ms: int


class Shares:
    """All shares of one server."""

    def __init__(self, lifecycle: Lifecycle, catalogue: Catalogue, *, passwords: Passwords | None = None) -> None:
        self._lifecycle = lifecycle
        self._catalogue = catalogue
        self._passwords = passwords or Passwords()
        self._wrong_passwords = AttemptLimiter(limit=10, window_s=300)
        self._invitations = AttemptLimiter(limit=60, window_s=3600)

    async def with_member(self, asker: Asker, recording_id: str, email: str) -> str:
        """Shares with whoever has this address; the share's id. InvalidInputError, TooManyError, and as `Catalogue.one`."""
        address = clean_email(email)
        await self._catalogue.one(asker, recording_id, Verb.SHARE)
        self._count(asker)

        def whom(conn: Connection) -> dict[str, Any]:
            return {"kind": "member", "user_id": store.member_by_email(conn, address)}

        return await self._add(asker, recording_id, whom)

    async def with_group(self, asker: Asker, recording_id: str, group_id: str) -> str:
        """Shares with everybody who is in a group when they look; the share's id.

        NotFoundError for a group in which the asker is not, ConflictError (`already_shared`), TooManyError, and as
        `Catalogue.one`.
        """
        self._count(asker)
        share_id, now_ms = new_id(), self._lifecycle.clock.now_ms()

        def add(conn: Connection) -> None:
            self._may_add(conn, asker, recording_id)
            group = own_group(conn, asker.user_id, group_id)
            values = {"recording_id": recording_id, "group_id": group["id"], "made_at_ms": now_ms}
            if not store.add_group_share(conn, id=share_id, **values):
                raise ConflictError("It is shared with this group already.", code="already_shared")
            audit.record_now(conn, now_ms, asker.actor, "recording.shared", recording_id, {"kind": "group"})
            _tell(conn, recording_id, [each["id"] for each in people(conn, group_id)], asker, now_ms)

        async with self._lifecycle.db.write() as conn:
            await conn.run_sync(add)
        return share_id

    def _count(self, asker: Asker) -> None:
        if not self._invitations.attempt(asker.actor, self._lifecycle.clock.monotonic()):
            raise TooManyError("Too many shares in a short time. Try again later.")

    async def by_link(
        self, asker: Asker, recording_id: str, valid_days: int, password: str | None = None
    ) -> tuple[str, str]:
        """Makes a link that is good for 1 to 30 days, with a password where one is given: the share's id, and the token,
        which nobody can be told again. InvalidInputError, TooManyError, and as `Catalogue.one`."""
        if not 1 <= valid_days <= LONGEST_DAYS:
            raise InvalidInputError(f"A link can be good for 1 to {LONGEST_DAYS} days.")
        await self._catalogue.one(asker, recording_id, Verb.SHARE)
        token = new_secret()
        values = {
            "kind": "link",
            "token_hash": _hash(token),
            "password_hash": None if password is None else await self._passwords.hash(password),
            "expires_at_ms": self._lifecycle.clock.now_ms() + days(valid_days),
        }
        return await self._add(asker, recording_id, lambda _: values), token

    async def end(self, asker: Asker, recording_id: str, share_id: str) -> None:
        """Ends a share at once. NotFoundError, and as `Catalogue.one`."""

        def end(conn: Connection) -> None:
            self._catalogue.allowed(conn, asker, recording_id, Verb.SHARE)
            if not store.end_share(conn, recording_id, share_id):
                raise NotFoundError("There is no such share.")
            audit.record_now(conn, self._lifecycle.clock.now_ms(), asker.actor, "recording.share_ended", recording_id)

        async with self._lifecycle.db.write() as conn:
            await conn.run_sync(end)

    async def of(self, recording_id: str) -> list[Share]:
        """The shares that are good now, the oldest first."""
        async with self._lifecycle.db.read() as conn:
            rows = await conn.run_sync(store.shares, recording_id, self._lifecycle.clock.now_ms())
            of_groups = await conn.run_sync(store.group_shares, recording_id)
        found = [
            Share(
                id=each["id"],
                kind=each["kind"],
                name=each["name"],
                made_at_ms=each["made_at_ms"],
                expires_at_ms=each["expires_at_ms"],
                has_password=each["password_hash"] is not None,
            )
            for each in rows
        ]
        found += [Share(each["id"], "group", each["name"], each["made_at_ms"], None, False) for each in of_groups]
        return sorted(found, key=lambda each: (each.made_at_ms, each.id))

    async def open(self, token: str, password: str | None) -> Opened:
        """What a link leads to.

        NotFoundError, one and the same for a link that never was, that has ended, and whose recording is gone;
        NotAllowedError (`password_needed`) without a password where there is one, NotSignedInError for a wrong one,
        TooManyError after many of them.
        """
        link = await self._link(lambda conn, now_ms: store.link_by_hash(conn, _hash(token), now_ms))
        opened = await self._opened(link)
        stored = link["password_hash"]
        if stored is not None:
            if not password:
                raise NotAllowedError("This link has a password.", code="password_needed")
            now, key = self._lifecycle.clock.monotonic(), link["id"]
            if not self._wrong_passwords.attempt(key, now):
                raise TooManyError("Too many wrong passwords. Try again in a few minutes.")
            if not await self._passwords.verify(password, stored):
                raise NotSignedInError("This is not the password of the link.", code="wrong_password")
            self._wrong_passwords.take_back(key)
        return opened

    async def still_open(self, share_id: str) -> Opened:
        """The same for a link that was opened before. NotFoundError when it has ended since."""
        return await self._opened(await self._link(lambda conn, now_ms: store.link_by_id(conn, share_id, now_ms)))

    def forget_attempts(self) -> None:
        """Forgets attempts of a while ago. To be called from time to time."""
        now = self._lifecycle.clock.monotonic()
        self._wrong_passwords.forget(now)
        self._invitations.forget(now)

    async def _add(self, asker: Asker, recording_id: str, values: Callable[[Connection], dict[str, Any]]) -> str:
        share_id, now_ms = new_id(), self._lifecycle.clock.now_ms()

        def add(conn: Connection) -> None:
            self._may_add(conn, asker, recording_id)
            given = values(conn)
            store.add_share(conn, id=share_id, recording_id=recording_id, made_at_ms=now_ms, **given)
            detail: audit.Detail = {"kind": given["kind"]}
            audit.record_now(conn, now_ms, asker.actor, "recording.shared", recording_id, detail)
            _tell(conn, recording_id, [given.get("user_id")], asker, now_ms)

        async with self._lifecycle.db.write() as conn:
            await conn.run_sync(add)
        return share_id

    def _may_add(self, conn: Connection, asker: Asker, recording_id: str) -> None:
        self._catalogue.allowed(conn, asker, recording_id, Verb.SHARE)
        if store.count_shares(conn, recording_id) >= MOST:
            raise TooManyError(f"A recording can have {MOST} shares. End some first.")

    async def _link(self, find: Callable[[Connection, int], RowMapping | None]) -> RowMapping:
        async with self._lifecycle.db.read() as conn:
            link = await conn.run_sync(find, self._lifecycle.clock.now_ms())
        if link is None:
            raise no_such_recording()
        return link

    async def _opened(self, link: RowMapping) -> Opened:
        asker = Asker(share_id=link["id"], link_to=link["recording_id"])
        entry = await self._catalogue.one(asker, link["recording_id"], Verb.VIEW)
        return Opened(asker, entry, link["expires_at_ms"])


def _tell(conn: Connection, recording_id: str, people_ids: Iterable[str | None], asker: Asker, now_ms: int) -> None:
    for user_id in people_ids:
        if user_id is not None and user_id != asker.user_id:
            notifications.tell(conn, now_ms=now_ms, user_id=user_id, kind="recording_shared", object_id=recording_id)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
