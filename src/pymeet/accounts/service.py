"""Accounts: adding and disabling people, passwords and sessions.

Tokens are handed out once and stored only as their SHA-256: whoever reads the database cannot sign in with it.
"""

from collections.abc import Collection

from sqlalchemy import RowMapping

from pymeet.accounts import identity_store, store
from pymeet.accounts.links import Links, make_link
from pymeet.accounts.model import Link, ProviderSession, Role, Session, User
from pymeet.accounts.passwords import Passwords
from pymeet.accounts.rows import disabled, email_taken, erasure_pending, hash_of, named, new_row, record, user_of
from pymeet.accounts.texts import clean_email, clean_line
from pymeet.accounts.throttle import AttemptLimiter
from pymeet.accounts.tokens import Tokens, narrow
from pymeet.clock import Clock
from pymeet.db import audit
from pymeet.db.engine import Database
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError, NotSignedInError, TooManyError
from pymeet.ids import new_id, new_secret

__all__ = ["Accounts", "Link", "Role", "Session", "User"]

DAY_MS = 86_400_000
TOUCH_EVERY_MS = 60_000
"""How exactly the last use of a session is known: one write a minute, not one per request."""

TELL_FAILURES_EVERY_S = 60
"""Failed attempts to sign in get into the audit log no more often than this, one event per account."""

_EVERYBODY = ""
NOBODY = "nobody"
"""In the audit log, the target of attempts to sign in with an address that has no account."""


class Accounts:
    """Everything about people with an account. Times are UTC milliseconds."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        idle_ms: int = 7 * DAY_MS,
        absolute_ms: int = 30 * DAY_MS,
        passwords: Passwords | None = None,
        attempts_per_email: AttemptLimiter | None = None,
        attempts_overall: AttemptLimiter | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._idle_ms = idle_ms
        self._absolute_ms = absolute_ms
        self._passwords = passwords or Passwords()
        self.links = Links(db, clock, self._passwords)
        self.tokens = Tokens(db, clock)
        self._per_email = attempts_per_email or AttemptLimiter(limit=10, window_s=300)
        self._overall = attempts_overall or AttemptLimiter(limit=300, window_s=60)
        self._failures: dict[str, int] = {}
        self._failures_told_at = -float(TELL_FAILURES_EVERY_S)

    async def user(self, user_id: str) -> User:
        """The account with this id, also when it is disabled. Raises NotFoundError."""
        async with self._db.read() as conn:
            row = await store.user(conn, user_id)
        if row is None:
            raise NotFoundError("There is no such account.")
        return user_of(row)

    async def active_user(self, email_or_id: str) -> User:
        """The account that is named. Raises NotFoundError, or ConflictError for a disabled one."""
        async with self._db.read() as conn:
            row = await named(conn, email_or_id)
        if row["disabled_at_ms"] is not None:
            raise disabled()
        return user_of(row)

    async def list_users(self) -> list[User]:
        """All accounts, oldest first, disabled ones included."""
        async with self._db.read() as conn:
            return [user_of(row) for row in await store.all_users(conn)]

    async def add_user(
        self, name: str, email: str, admin: bool = False, *, by: str = audit.OPERATOR
    ) -> tuple[User, str]:
        """Makes an account and the token of a link, good for 24 hours, on which the person sets a password.

        Raises InvalidInputError, or ConflictError (`email_taken`).
        """
        user = User(new_id(), clean_line(name, what="The name"), clean_email(email), admin)
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            if await store.find_user(conn, user.id, user.email):
                raise email_taken()
            await store.add_user(conn, **new_row(user, now_ms))
            token = await make_link(conn, store.SET_PASSWORD, now_ms, user_id=user.id)
            await record(conn, now_ms, by, "user.added", user.id, {"role": user.role})
        return user, token

    async def disable_user(self, email_or_id: str, *, by: str = audit.OPERATOR) -> User:
        """Locks the account at once: sessions end, links become void. Doing it again changes nothing.

        Raises NotFoundError.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await named(conn, email_or_id)
            if row["disabled_at_ms"] is None:
                ended = await store.disable_user(conn, row["id"], now_ms)
                await record(conn, now_ms, by, "user.disabled", row["id"], {"sessions": ended})
                row = await named(conn, row["id"])
        return user_of(row)

    async def enable_user(self, email_or_id: str, *, by: str = audit.OPERATOR) -> User:
        """Unlocks the account: the person signs in with the password they had. Doing it again changes nothing.

        Raises NotFoundError.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await named(conn, email_or_id)
            if row["disabled_at_ms"] is not None:
                await store.enable_user(conn, row["id"])
                await record(conn, now_ms, by, "user.enabled", row["id"])
                row = await named(conn, row["id"])
        return user_of(row)

    async def change_role(self, email_or_id: str, role: Role, *, by: str = audit.OPERATOR) -> User:
        """Gives the person another role, ends their sessions, and takes from their tokens what it does not have; the role
        they have already changes nothing.

        Raises NotFoundError, or ConflictError (`last_admin`) when no administrator would be left who can sign in.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            row = await named(conn, email_or_id)
            user = user_of(row)
            if user.role is role:
                return user
            if user.is_admin and await store.has_admin(conn) and not await store.has_admin(conn, besides=user.id):
                raise ConflictError(
                    "This is the last administrator. Make somebody else administrator first.", code="last_admin"
                )
            ended = await store.set_role(conn, user.id, is_admin=role is Role.ADMIN, is_dpo=role is Role.DPO)
            await narrow(conn, user.id, role, now_ms, by=by)
            detail: audit.Detail = {"from": user.role, "to": role, "sessions": ended}
            await record(conn, now_ms, by, "user.role_changed", user.id, detail)
            return user_of(await named(conn, user.id))

    async def check_password(
        self, email: str, password: str, *, erasing: bool = False, network: str = "", known_device: bool = False
    ) -> User:
        """The person, if the password is theirs. Failures count for this account from this network; from a device that
        the person used before they count apart, so that strangers who guess do not shut them out.

        Raises NotSignedInError (`wrong_credentials`) without telling whether the account exists, or TooManyError. Only
        to who knows the password: ConflictError (`erasure_pending`) for an account that is being erased, or with
        `erasing`, for who wants that cancelled, one (`no_erasure`) for every other.
        """
        row = await self._verified(email, password, f" {network}" if not known_device else " known", known_device)
        if erasing and not row["being_erased"]:
            raise ConflictError("No erasure of this account is under way. Sign in as usual.", code="no_erasure")
        if row["being_erased"] and not erasing:
            async with self._db.read() as conn:
                raise erasure_pending(await store.erased_after_ms(conn, row["id"]), self._clock.now_ms())
        stored = row["password_hash"]
        renewed = await self._passwords.hash(password) if self._passwords.is_outdated(stored) else None
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            current = await store.credentials(conn, row["email"])
            if current is None or current["password_hash"] != stored:
                raise _wrong_credentials()  # disabled, or changed, while the hash was computed
            if renewed:
                await store.set_password(conn, row["id"], renewed, now_ms)
            await store.seen(conn, row["id"], now_ms)
        return user_of(row)

    async def confirm_password(self, user: User, password: str) -> None:
        """Asks somebody who is signed in once more, before what cannot be undone. Raises as `check_password` does."""
        await self._verified(user.email, password, " signed in", True)

    async def change_password(self, user: User, current: str, new: str, *, keep_token: str) -> int:
        """Sets another password and ends all sessions but the one of `keep_token`; how many that were.

        Raises as `check_password` does, also where the password was changed or the session ended in between, and
        InvalidInputError for a new password that will not do.
        """
        verified = await self._verified(user.email, current, " signed in", True)
        password_hash = await self._passwords.hash_for(new, name=user.name, email=user.email)
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            stored = await store.credentials(conn, verified["email"])
            if stored is None or stored["password_hash"] != verified["password_hash"]:
                raise _wrong_credentials()
            kept = await store.session(conn, hash_of(keep_token), now_ms)
            if kept is None or kept["id"] != user.id:
                raise NotSignedInError("Sign in first.")
            ended = await store.remove_sessions(conn, user.id, besides=hash_of(keep_token))
            await store.set_password(conn, user.id, password_hash, now_ms)
            await store.remove_links(conn, user.id)
            await record(conn, now_ms, user.id, "password.changed", user.id, {"sessions": ended})
        return ended

    def note_failure(self, user_id: str) -> None:
        """Counts a failed attempt to sign in to an account, for `record_failures`."""
        self._failures[user_id] = self._failures.get(user_id, 0) + 1

    async def has_dpo(self) -> bool:
        """Whether there is a data protection officer who can sign in."""
        async with self._db.read() as conn:
            return await store.has_dpo(conn)

    async def open_session(self, user: User, *, device: str = "", began: ProviderSession | None = None) -> Session:
        """Signs the person in, on what `device` says in a few words; `began` is how, where the OpenID provider did it.

        Raises NotSignedInError when the account was disabled, or (`oidc_void`) the one at the provider unlinked.
        """
        token, now_ms = new_secret(), self._clock.now_ms()
        async with self._db.write() as conn:
            opened = await store.add_session(
                conn,
                token_hash=hash_of(token),
                user_id=user.id,
                device=device,
                at_ms=now_ms,
                expires_at_ms=self._expiry(opened_at_ms=now_ms, used_at_ms=now_ms),
            )
            if opened is None:
                raise NotSignedInError("This account cannot be used.")
            if began is not None:
                await identity_store.put_provider_session(conn, opened, user.id, began)
            await record(conn, now_ms, user.id, "user.signed_in", user.id)
        return Session(token, now_ms + self._absolute_ms)

    async def user_of_session(self, token: str, *, uses: bool = True) -> User | None:
        """Who holds the token; None when it is unknown, ended or expired.

        Counts as use of the session, unless not the person `uses` it but a page that asks by itself.
        """
        now_ms = self._clock.now_ms()
        async with self._db.read() as conn:
            row = await store.session(conn, hash_of(token), now_ms)
        if row is None:
            return None
        if uses and now_ms - row["seen_at_ms"] >= TOUCH_EVERY_MS:
            expires_at_ms = self._expiry(opened_at_ms=row["opened_at_ms"], used_at_ms=now_ms)
            async with self._db.write() as conn:
                await store.touch_session(conn, hash_of(token), row["id"], now_ms, expires_at_ms)
        return user_of(row)

    async def open_sessions(self, keys: Collection[str]) -> set[str]:
        """Which of these sessions have neither ended nor expired; a key is what is stored of a token. Counts as use: who is
        in a meeting for long is not idle."""
        now_ms = self._clock.now_ms()
        async with self._db.read() as conn:
            rows = await store.open_sessions(conn, keys, now_ms)
        due = [row for row in rows if now_ms - row["seen_at_ms"] >= TOUCH_EVERY_MS]
        if due:
            async with self._db.write() as conn:
                for row in due:
                    expires_at_ms = self._expiry(opened_at_ms=row["opened_at_ms"], used_at_ms=now_ms)
                    await store.touch_session(conn, row["token_hash"], row["user_id"], now_ms, expires_at_ms)
        return {row["token_hash"] for row in rows}

    async def close_session(self, token: str) -> None:
        """Signs out; an unknown token is no error."""
        async with self._db.write() as conn:
            user_id = await store.remove_session(conn, hash_of(token))
            if user_id is not None:
                await record(conn, self._clock.now_ms(), user_id, "user.signed_out", user_id)

    async def record_failures(self, *, at_end: bool = False) -> None:
        """Writes into the audit log for which accounts signing in failed how often, at most once a minute.

        To be called twice a minute, and `at_end` when the server stops. Written at once, the time that a wrong password
        takes would tell whether the account exists; and whoever tries passwords could fill the disk.
        """
        now = self._clock.monotonic()
        if not self._failures or (now - self._failures_told_at < TELL_FAILURES_EVERY_S and not at_end):
            return
        failures, self._failures = self._failures, {}
        try:
            async with self._db.write() as conn:
                for user_id, count in failures.items():
                    await audit.record(
                        conn,
                        at_ms=self._clock.now_ms(),
                        actor=audit.SYSTEM,
                        action="user.sign_in_failed",
                        target=NOBODY if user_id == NOBODY else audit.Person(user_id),
                        detail={"count": count},
                    )
        except BaseException:
            for user_id, count in failures.items():
                self._failures[user_id] = self._failures.get(user_id, 0) + count
            raise
        self._failures_told_at = now

    def forget_attempts(self) -> None:
        """Forgets the addresses with which nobody tried to sign in for a while. To be called twice a minute."""
        now = self._clock.monotonic()
        for limiter in (self._per_email, self._overall):
            limiter.forget(now)

    async def _verified(self, email: str, password: str, where: str, trusted: bool) -> RowMapping:
        """The credentials that fit, also of an account that is being erased. NotSignedInError, TooManyError.

        Failures count for the address together with `where`; those of a `trusted` place count for nobody else.
        """
        try:
            email = clean_email(email)
        except InvalidInputError:
            raise _wrong_credentials() from None
        key = email + where
        self._count_attempt(key, trusted)
        async with self._db.read() as conn:
            row = await store.credentials(conn, email)
        stored = row["password_hash"] if row else None
        if not await self._passwords.verify(password, stored) or row is None:
            await self._count_failure(email)
            raise _wrong_credentials()
        self._per_email.take_back(key)
        if not trusted:
            self._overall.take_back(_EVERYBODY)
        return row

    def _count_attempt(self, key: str, trusted: bool) -> None:
        now = self._clock.monotonic()
        # in this order: whoever goes on at one account, refused, must not use up what everybody has together
        allowed = self._per_email.attempt(key, now)
        if allowed and not trusted and not self._overall.attempt(_EVERYBODY, now):
            self._per_email.take_back(key)
            allowed = False
        if not allowed:
            overall_s = 0.0 if trusted else self._overall.wait_s(_EVERYBODY, now)
            wait_s = max(overall_s, self._per_email.wait_s(key, now))
            raise TooManyError(f"Too many attempts. Try again in {max(1, round(wait_s))} seconds.")

    async def _count_failure(self, email: str) -> None:
        async with self._db.read() as conn:
            row = await store.find_user(conn, "", email)
        self.note_failure(NOBODY if row is None else str(row["id"]))

    def _expiry(self, *, opened_at_ms: int, used_at_ms: int) -> int:
        return min(used_at_ms + self._idle_ms, opened_at_ms + self._absolute_ms)


def _wrong_credentials() -> NotSignedInError:
    return NotSignedInError("E-mail address or password is wrong.", code="wrong_credentials")
