"""One-time links: each lets whoever has it do one thing, once, for a while.

The token stands in the fragment of the link's address, which browsers keep to themselves, and in the database only as
its SHA-256. Opening a link changes nothing: programs that look through mail open links too. Using it takes a POST.
"""

from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError

from pymeet.accounts import store
from pymeet.accounts.model import Link, User
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.rows import disabled, email_taken, hash_of, link_void, named, new_row, record, user_of
from pymeet.accounts.texts import clean_email, clean_line
from pymeet.clock import Clock
from pymeet.db import audit
from pymeet.db.engine import Database, Transaction
from pymeet.errors import InvalidInputError, NotAllowedError, NotSignedInError
from pymeet.ids import new_id, new_secret

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000

LIFETIME_MS = {
    store.SET_PASSWORD: _DAY_MS,
    store.INVITATION: 7 * _DAY_MS,
    store.REGISTER: _DAY_MS,
    store.RESET_PASSWORD: 15 * _MINUTE_MS,
    store.SIGN_IN: 15 * _MINUTE_MS,
    store.CHANGE_EMAIL: _DAY_MS,
}
"""How long each kind is good. The link that makes the first administrator is good until there is one."""

_WITHOUT_PASSWORD = (store.SIGN_IN, store.CHANGE_EMAIL)
_MAKES_ACCOUNT = (store.FIRST_ADMIN, store.REGISTER)


async def make_link(
    conn: Transaction, purpose: str, now_ms: int, *, user_id: str | None = None, email: str | None = None
) -> str:
    """A fresh token; the one before it for the same person (or address) and purpose becomes void."""
    token = new_secret()
    lifetime_ms = LIFETIME_MS.get(purpose)
    await store.add_link(
        conn,
        token_hash=hash_of(token),
        purpose=purpose,
        user_id=user_id,
        email=email,
        at_ms=now_ms,
        expires_at_ms=None if lifetime_ms is None else now_ms + lifetime_ms,
    )
    return token


@dataclass(frozen=True)
class Redeemed:
    """A link that was used: by whom, and for what."""

    user: User
    purpose: str


class Links:
    """Making links that an operator hands over, and using all of them. Times are UTC milliseconds."""

    def __init__(self, db: Database, clock: Clock, passwords: Passwords) -> None:
        self._db = db
        self._clock = clock
        self._passwords = passwords

    async def for_password(self, email_or_id: str, *, by: str = audit.OPERATOR) -> str:
        """The token of a link, good for 24 hours, on which the person sets a password; the one before becomes void.

        Raises NotFoundError, or ConflictError for a disabled account.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await named(conn, email_or_id)
            if row["disabled_at_ms"] is not None:
                raise disabled()
            token = await make_link(conn, store.SET_PASSWORD, now_ms, user_id=row["id"])
            await record(conn, now_ms, by, "link.made", row["id"], {"purpose": store.SET_PASSWORD})
        return token

    async def for_first_admin(self) -> str | None:
        """A new token that makes the first administrator; None once an administrator can sign in.

        It is good until it is used or asked for again (only its hash is stored, so an earlier one cannot be shown).
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            if await store.has_admin(conn):
                await store.remove_first_admin_links(conn)
                return None
            token = await make_link(conn, store.FIRST_ADMIN, now_ms)
            detail: audit.Detail = {"purpose": store.FIRST_ADMIN}
            await audit.record(
                conn, at_ms=now_ms, actor=audit.SYSTEM, action="link.made", target=store.FIRST_ADMIN, detail=detail
            )
        return token

    async def inspect(self, token: str) -> Link:
        """What the link is for, without using it. Raises NotFoundError (`link_void`)."""
        async with self._db.read() as conn:
            row = await store.link(conn, hash_of(token), self._clock.now_ms())
        if row is None:
            raise link_void()
        return Link(row["purpose"], row["name"], row["email"] or row["address"])

    async def redeem(
        self,
        token: str,
        name: str | None,
        email: str | None,
        password: str | None,
        *,
        may_register: bool = False,
        by: str | None = None,
    ) -> Redeemed:
        """Does what the link is for, once.

        `first_admin` needs `name`, `email` and `password`; `register` the name and the password, and that `may_register`
        still holds; an invitation takes another name than the inviter's; `sign_in` needs nothing, and
        `change_email` that the member it is for is signed in (`by`): whoever reads that mail may be somebody else.
        A new password ends the person's sessions and voids their other links.

        Raises NotFoundError (`link_void`), InvalidInputError, NotAllowedError (`registration_closed`), NotSignedInError
        (`sign_in_first`), or ConflictError (`email_taken`); the link then stays good.
        """
        link = await self.inspect(token)  # before the slow hash, so that made-up tokens cost nothing
        if link.purpose == store.REGISTER and not may_register:
            raise NotAllowedError("People cannot register here any more.", code="registration_closed")
        chosen = _chosen(link, name, email)
        password_hash = None
        if link.purpose not in _WITHOUT_PASSWORD:
            if password is None:
                raise InvalidInputError("A password is needed.")
            password_hash = await self._passwords.hash_for(password, name=chosen.name or "", email=chosen.email or "")
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await store.link(conn, hash_of(token), now_ms)
            if row is None:
                raise link_void()
            if link.purpose == store.CHANGE_EMAIL and row["user_id"] != by:
                raise NotSignedInError("Sign in to the account that this link is for.", code="sign_in_first")
            if link.purpose in _MAKES_ACCOUNT:
                user = await self._new_account(conn, chosen, now_ms)
            else:
                found = await store.user(conn, row["user_id"])
                assert found is not None  # noqa: S101  links die with their person
                user = await _changed(conn, user_of(found), chosen)
            await store.remove_link(conn, hash_of(token))
            ended = 0
            if password_hash is not None:
                ended = await store.remove_sessions(conn, user.id)
                await store.set_password(conn, user.id, password_hash, now_ms)
                await store.seen(conn, user.id, now_ms)
                if user.is_admin:
                    await store.remove_first_admin_links(conn)
            if link.purpose != store.SIGN_IN:
                await store.remove_links(conn, user.id)  # each was asked for while something else was true
            detail: audit.Detail = {"purpose": link.purpose, "sessions": ended}
            await record(conn, now_ms, user.id, "link.redeemed", user.id, detail)
        return Redeemed(user, link.purpose)

    async def _new_account(self, conn: Transaction, chosen: Link, now_ms: int) -> User:
        first = chosen.purpose == store.FIRST_ADMIN
        if first and await store.has_admin(conn):
            raise link_void()
        user = User(new_id(), chosen.name or "", chosen.email or "", is_admin=first)
        try:
            await store.add_user(conn, **new_row(user, now_ms))
        except IntegrityError:
            raise email_taken() from None
        await record(conn, now_ms, user.id, "user.added", user.id, {"role": user.role})
        return user


def _chosen(link: Link, name: str | None, email: str | None) -> Link:
    """The link with the name and address that hold: what the person may choose themselves, from what they sent."""
    if link.purpose == store.FIRST_ADMIN:
        if name is None or email is None:
            raise InvalidInputError("A name and an e-mail address are needed.")
        return replace(link, name=clean_line(name, what="The name"), email=clean_email(email))
    if link.purpose == store.REGISTER:
        if name is None:
            raise InvalidInputError("A name is needed.")
        return replace(link, name=clean_line(name, what="The name"))
    if link.purpose == store.INVITATION and name is not None:
        return replace(link, name=clean_line(name, what="The name"))
    return link


async def _changed(conn: Transaction, user: User, chosen: Link) -> User:
    """The person after what the link does to their name and address."""
    name = chosen.name if chosen.purpose == store.INVITATION else None
    email = chosen.email if chosen.purpose == store.CHANGE_EMAIL else None
    new = replace(user, name=name or user.name, email=email or user.email)
    if new != user:
        try:
            await store.change_user(conn, user.id, name=new.name, email=new.email)
        except IntegrityError:
            raise email_taken() from None
    return new
