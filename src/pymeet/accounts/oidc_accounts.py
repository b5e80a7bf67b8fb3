"""Whose account it is when the OpenID provider says who somebody is, and the identities that members have there.

An account is known by issuer and subject, which the provider never gives to somebody else. An e-mail address counts
only where the provider says that it is verified, and never takes an account from the identity that has it already.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymeet.accounts import identity_store, store, token_store
from pymeet.accounts.model import ProviderSession, Role, User
from pymeet.accounts.rows import erasure_pending, hash_of, new_row, record
from pymeet.accounts.service import NOBODY, Accounts
from pymeet.accounts.texts import clean_email, clean_line
from pymeet.clock import Clock
from pymeet.config_oidc import OidcConfig
from pymeet.db import audit
from pymeet.db.engine import Database, Transaction
from pymeet.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError, NotSignedInError
from pymeet.ids import new_id

_ROLES: Final = (Role.ADMIN, Role.DPO, Role.MEMBER)
"""Who has values for several is the first of these."""

FRESH_MS: Final = 10 * 60_000
"""For how long who showed the provider who they are need not show it again."""


@dataclass(frozen=True)
class Person:
    """Who somebody is, as the provider says."""

    issuer: str
    subject: str
    email: str | None
    """None also where the provider does not say that it is verified."""
    email_unverified: bool
    """Whether it named one, and did not say that."""
    name: str
    role: Role | None
    """None where roles do not follow the provider."""


@dataclass(frozen=True)
class Ended:
    """What the provider ended: what began with an identity, with one session there, or with both."""

    identity_id: str | None
    provider_session: str | None

    def covers(self, began: ProviderSession) -> bool:
        """Whether somebody who was signed in so is signed out by it."""
        return self.identity_id in (None, began.identity_id) and self.provider_session in (None, began.provider_session)


@dataclass(frozen=True)
class Identity:
    """An account at the provider, as its owner sees it. Times are UTC milliseconds."""

    id: str
    issuer: str
    created_at_ms: int
    last_used_at_ms: int


async def unlink(
    db: Database, clock: Clock, user_id: str, identity_id: str | None = None, *, by: str = audit.OPERATOR
) -> int:
    """Takes this account at a provider, or every one, from somebody for whom the wrong one was linked; how many there were.

    Sessions that began with what is taken end, and the account's API tokens, which whoever came by it may have made. Its
    holder is linked anew by the next sign-in that fits.
    """
    async with db.write() as conn:
        removed = await identity_store.remove_identities(conn, user_id, identity_id)
        if removed:
            await record(conn, clock.now_ms(), by, "identity.removed", user_id, {"count": removed})
            await _revoke_tokens(conn, user_id, clock.now_ms(), by)
    return removed


def person_of(claims: Mapping[str, Any], config: OidcConfig, *, issuer: str, subject: str) -> Person:
    """Reads the claims about somebody (OpenID Connect Core 1.0, section 5.1)."""
    email, verified = _clean(claims.get("email"), clean_email), claims.get("email_verified") in (True, "true")
    names = (claims.get("name"), claims.get("preferred_username"), (email or "").partition("@")[0])
    name = next(filter(None, (_clean(each, lambda text: clean_line(text, what="The name")) for each in names)), "")
    role = role_of(claims, config) if config.role_claim else None
    return Person(issuer, subject, email if verified else None, bool(email) and not verified, name, role)


def role_of(claims: Mapping[str, Any], config: OidcConfig) -> Role:
    """The role that the claims give: the highest of those that fit, otherwise member."""
    said: Any = claims.get(config.role_claim or "")
    if said is None:
        said = claims
        for step in (config.role_claim or "").split("."):
            said = said.get(step) if isinstance(said, dict) else None
    values = said if isinstance(said, list) else [said]
    given = {config.roles.get(each) for each in values if isinstance(each, str)}
    return next((role for role in _ROLES if role in given), Role.MEMBER)


class OidcAccounts:
    """Accounts and identities. `failed` is told for whom signing in did not work."""

    def __init__(
        self, db: Database, clock: Clock, accounts: Accounts, config: OidcConfig, *, failed: Callable[[str], None]
    ) -> None:
        self._db = db
        self._clock = clock
        self._accounts = accounts
        self._config = config
        self._failed = failed

    async def arrived(self, person: Person, *, keeping: bool = False) -> tuple[User, str]:
        """The account of who was signed in, and the id of the identity.

        `keeping` is for who wants the erasure of their account cancelled. Raises NotAllowedError (`oidc_no_account`,
        `oidc_email_unverified`, `oidc_other_identity`), NotSignedInError (`account_unusable`), and ConflictError as
        `Accounts.check_password` does.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            known = await identity_store.identity(conn, person.issuer, person.subject)
            if known is not None:
                user_id, identity_id = str(known["user_id"]), str(known["id"])
            else:
                user_id = await self._found_or_made(conn, person, now_ms)
            await self._check_usable(conn, user_id, keeping=keeping)
            if known is None:
                identity_id = await self._add(conn, user_id, person, now_ms)
            await identity_store.use_identity(conn, identity_id, now_ms)
            await store.seen(conn, user_id, now_ms)
        return await self._with_role(user_id, person.role), identity_id

    async def link(self, user: User, person: Person) -> str:
        """Lets a member who is signed in also sign in by that account; the id of the identity.

        Raises ConflictError (`oidc_taken`) where it is somebody else's.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            known = await identity_store.identity(conn, person.issuer, person.subject)
            if known is not None and known["user_id"] != user.id:
                raise ConflictError("This account there belongs to another member here.", code="oidc_taken")
            if known is not None:
                return str(known["id"])
            return await self._add(conn, user.id, person, now_ms)

    async def identity_of(self, user: User, person: Person) -> str:
        """The id of the identity, which is the member's own. Raises NotAllowedError (`confirm_failed`) otherwise."""
        async with self._db.read() as conn:
            known = await identity_store.identity(conn, person.issuer, person.subject)
        if known is None or known["user_id"] != user.id:
            raise NotAllowedError("That is another account than the one you are signed in with.", code="confirm_failed")
        return str(known["id"])

    async def confirm(self, user: User, began: ProviderSession, *, token: str) -> None:
        """Notes for the session of `token` when its holder has shown the provider who they are.

        Raises NotSignedInError (`oidc_void`) where the account there was unlinked in between.
        """
        async with self._db.write() as conn:
            session_id = await identity_store.session_id(conn, hash_of(token), user.id)
            if session_id is not None:
                await identity_store.put_provider_session(conn, session_id, user.id, began)

    async def identities(self, user: User) -> tuple[Identity, ...]:
        """The accounts there that are linked with a member."""
        async with self._db.read() as conn:
            return tuple(
                Identity(row["id"], row["issuer"], row["created_at_ms"], row["last_used_at_ms"])
                for row in await identity_store.identities_of(conn, user.id)
            )

    async def remove(self, user: User, identity_id: str, *, token: str) -> None:
        """Takes the link away; the sessions that began with it end, but for that of `token`.

        Raises NotFoundError, or ConflictError (`last_way_in`) for who could not sign in any more.
        """
        async with self._db.write() as conn:
            others = [each for each in await identity_store.identities_of(conn, user.id) if each["id"] != identity_id]
            if not others and not await identity_store.has_own_way_in(conn, user.id):
                raise ConflictError("Set a password or a passkey first: nothing else lets you in.", code="last_way_in")
            ended = await identity_store.remove_identity(conn, user.id, identity_id, besides=hash_of(token))
            if ended is None:
                raise NotFoundError("There is no such account.")
            detail: audit.Detail = {"sessions": ended}
            await record(conn, self._clock.now_ms(), user.id, "identity.removed", user.id, detail)

    async def end_sessions(self, issuer: str, *, subject: str | None, session: str | None) -> Ended | None:
        """Ends the sessions of whom the provider signed out; None where it means nobody here.

        Where it means the person and not one session of theirs, as when they are locked out there, their API tokens end too.
        """
        async with self._db.write() as conn:
            known = None if subject is None else await identity_store.identity(conn, issuer, subject)
            ended = await identity_store.end_sessions(conn, issuer, subject=subject, provider_session=session)
            for user_id, count in ended.items():
                detail: audit.Detail = {"sessions": count}
                await record(conn, self._clock.now_ms(), audit.SYSTEM, "session.ended", user_id, detail)
            if known is not None and session is None:
                await _revoke_tokens(conn, known["user_id"], self._clock.now_ms(), audit.SYSTEM)
        if subject is None:
            return Ended(None, session)
        return None if known is None else Ended(known["id"], session)

    async def _found_or_made(self, conn: Transaction, person: Person, now_ms: int) -> str:
        """The account with the person's verified address, or a new one."""
        if person.email is None:
            self._failed(NOBODY)
            if person.email_unverified:
                raise NotAllowedError(
                    "The sign-in service has not verified your e-mail address.", code="oidc_email_unverified"
                )
            raise _no_account()
        row = await store.find_user(conn, "", person.email)
        if row is not None and self._config.link_by_email:
            linked = await identity_store.identities_of(conn, row["id"])
            if any(each["issuer"] == person.issuer for each in linked):
                # the address went to somebody else there, as it does when people come and go
                self._failed(str(row["id"]))
                raise NotAllowedError(
                    "The account with your address belongs to another account at the sign-in service.",
                    code="oidc_other_identity",
                )
            return str(row["id"])
        if row is not None or not self._config.create_accounts:
            self._failed(NOBODY if row is None else str(row["id"]))
            raise _no_account()
        role = person.role or Role.MEMBER
        user = User(new_id(), person.name, person.email, role is Role.ADMIN, is_dpo=role is Role.DPO)
        await store.add_user(conn, **new_row(user, now_ms))
        await record(conn, now_ms, user.id, "user.added", user.id, {"role": user.role})
        return user.id

    async def _check_usable(self, conn: Transaction, user_id: str, *, keeping: bool) -> None:
        row = await store.user(conn, user_id)
        if row is None or row["disabled_at_ms"] is not None:
            self._failed(user_id)
            raise NotSignedInError("This account cannot be used.", code="account_unusable")
        erasing = await store.is_being_erased(conn, user_id)
        if keeping and not erasing:
            raise ConflictError("No erasure of this account is under way. Sign in as usual.", code="no_erasure")
        if erasing and not keeping:
            raise erasure_pending(await store.erased_after_ms(conn, user_id), self._clock.now_ms())

    async def _add(self, conn: Transaction, user_id: str, person: Person, now_ms: int) -> str:
        identity_id = new_id()
        await identity_store.add_identity(
            conn,
            id=identity_id,
            user_id=user_id,
            issuer=person.issuer,
            subject=person.subject,
            created_at_ms=now_ms,
            last_used_at_ms=now_ms,
        )
        await record(conn, now_ms, user_id, "identity.linked", user_id)
        return identity_id

    async def _with_role(self, user_id: str, role: Role | None) -> User:
        """The person, with the role that the provider gives; the last administrator keeps theirs."""
        if role is not None:
            try:
                return await self._accounts.change_role(user_id, role, by=audit.SYSTEM)
            except ConflictError as error:
                if error.code != "last_admin":
                    raise
        return await self._accounts.user(user_id)


async def _revoke_tokens(conn: Transaction, user_id: str, at_ms: int, by: str) -> None:
    revoked = await token_store.remove_all(conn, user_id)
    if revoked:
        await record(conn, at_ms, by, "token.revoked", user_id, {"count": revoked})


def _no_account() -> NotAllowedError:
    return NotAllowedError(
        "There is no account for you here. Ask an administrator to invite you.", code="oidc_no_account"
    )


def _clean(value: Any, clean: Callable[[str], str]) -> str | None:
    try:
        return clean(value) if isinstance(value, str) else None
    except InvalidInputError:
        return None
