"""From one proof to the next: who must show a second factor, and the tickets between the two.

Tickets live in memory for five minutes, are bound to one person and allow five tries. Codes of six digits can be guessed
by whoever has the password, so they are counted by account, and apart for each browser that the person used before;
recovery codes and passkeys cannot be guessed and stay open, so that nobody is locked out by a stranger's tries.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymeet.accounts import factor_store as store
from pymeet.accounts import identity_store, passkeys, totp
from pymeet.accounts.devices import Browser, Devices, token_hash
from pymeet.accounts.factors import Factors
from pymeet.accounts.model import ProviderSession, User
from pymeet.accounts.passkeys import Credential, Site
from pymeet.accounts.throttle import AttemptLimiter
from pymeet.clock import Clock
from pymeet.db import audit
from pymeet.db.engine import Database, Transaction
from pymeet.errors import NotSignedInError, TooManyError
from pymeet.ids import new_secret

TICKET_S = 300
TRIES = 5
MAX_TICKETS = 5000


@dataclass(frozen=True)
class Challenge:
    """What somebody must answer before they are signed in."""

    ticket: str
    methods: tuple[str, ...]
    """Of `totp`, `passkey` and `recovery`."""
    passkey: dict[str, Any] | None
    """The options for the browser, where a passkey may answer."""


@dataclass
class _Ticket:
    user_id: str | None
    """None where the passkey says who it is."""
    until_s: float
    challenge: bytes
    site: Site | None
    password: str = ""
    """The hash of the password that was good when it began: a new one voids the ticket."""
    cancels_erasure: bool = False
    began: ProviderSession | None = None
    """How the OpenID provider signed the person in: the end of that, there or here, voids the ticket."""
    tries_left: int = TRIES


class SignIn:
    """Second factors and known devices at the moment of signing in."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        factors: Factors,
        *,
        remember_ms: int,
        failed: Callable[[str], None],
        codes_per_account: AttemptLimiter | None = None,
    ) -> None:
        """`remember_ms`: how long a browser may be trusted; `failed` is told for whom a second factor was wrong."""
        self._db = db
        self._clock = clock
        self._factors = factors
        self.devices = Devices(db, clock, remember_ms=remember_ms)
        self._failed = failed
        self._codes = codes_per_account or AttemptLimiter(limit=30, window_s=3600)
        self._tickets: OrderedDict[str, _Ticket] = OrderedDict()
        self._used: dict[bytes, float] = {}
        """Challenges that a passkey answered, and until when they would be good."""
        self._ticket_key = secrets.token_bytes(32)

    async def challenge(
        self,
        user: User,
        browser: Browser,
        site: Site | None,
        *,
        cancels_erasure: bool = False,
        began: ProviderSession | None = None,
    ) -> Challenge | None:
        """What the person still has to show; None where what they proved is enough.

        `cancels_erasure`: the ticket is for who wants the erasure of their account cancelled; `began`: for whom the OpenID
        provider signed in.
        """
        async with self._db.read() as conn:
            if not await store.has_second_factor(conn, user.id) or await self.devices.trusted(conn, user.id, browser):
                return None
            has_app = await store.totp(conn, user.id) is not None
            codes_left = await store.recovery_codes_left(conn, user.id)
            credentials = [row["credential_id"] for row in await store.passkeys_of(conn, user.id)]
            password = await store.password_hash(conn, user.id)
        with_passkey = bool(credentials) and site is not None
        challenge = passkeys.new_challenge()
        options = passkeys.request_options(site, credentials, challenge) if site is not None and with_passkey else None
        offered = (("totp", has_app), ("passkey", with_passkey), ("recovery", codes_left > 0))
        ends_s = self._clock.monotonic() + TICKET_S
        ticket = self._issue(_Ticket(user.id, ends_s, challenge, site, password, cancels_erasure, began))
        return Challenge(ticket, tuple(name for name, there in offered if there), options)

    def cancels_erasure(self, ticket: str) -> bool:
        """Whether who answers this ticket wants the erasure of their account cancelled. Uses nothing."""
        found = self._tickets.get(ticket)
        return found is not None and found.cancels_erasure

    def began(self, ticket: str) -> ProviderSession | None:
        """How the OpenID provider signed in who answers this ticket, where it did. Uses nothing."""
        found = self._tickets.get(ticket)
        return None if found is None else found.began

    async def by_code(self, ticket: str, code: str, browser: Browser) -> str:
        """Whose ticket it is, if the app shows this code now; each code is good once. Ends the ticket.

        Raises NotSignedInError (`ticket_void`, `wrong_code`), TooManyError.
        """
        found = self._try(ticket)
        user_id, now_ms = _owner(found), self._clock.now_ms()
        async with self._db.write() as conn:
            await self._check_good(conn, found)
            known = await self.devices.known(conn, user_id, browser)
            counted = f"{user_id} {token_hash(browser.token)}" if known else user_id
            self._count_code(counted)
            app = await store.totp(conn, user_id)
            secret = self._factors.sealer.open(app["totp_secret"], user_id) if app else ""
            step = totp.matching_step(secret, code, now_ms, after=app["last_step"]) if app else None
            if step is not None:
                await store.use_totp(conn, user_id, step)
        if step is None:
            raise self._wrong(user_id)
        self._codes.take_back(counted)
        self._tickets.pop(ticket, None)
        return user_id

    async def by_recovery_code(self, ticket: str, code: str) -> str:
        """Whose ticket it is, if the code is one of theirs, which is used up by that. Ends the ticket.

        Raises NotSignedInError (`ticket_void`, `wrong_code`).
        """
        found = self._try(ticket)
        user_id = _owner(found)
        async with self._db.write() as conn:
            await self._check_good(conn, found)
            good = await store.use_recovery_code(conn, user_id, totp.recovery_hash(code))
            if good:
                left = await store.recovery_codes_left(conn, user_id)
                await self._record(conn, user_id, "recovery_code.used", {"left": left})
        if not good:
            raise self._wrong(user_id)
        self._tickets.pop(ticket, None)
        return user_id

    async def by_passkey(self, ticket: str, credential: Credential) -> str:
        """Whose ticket it is, if a passkey of theirs signed the challenge. Ends the ticket.

        Raises NotSignedInError (`ticket_void`, `passkey_refused`).
        """
        found = self._try(ticket)
        try:
            user_id = await self._signed(found, credential)
        except NotSignedInError:
            self._failed(_owner(found))
            raise
        self._tickets.pop(ticket, None)
        return user_id

    def passkey_challenge(self, site: Site) -> Challenge:
        """For somebody who signs in by nothing but a passkey: any that the browser has for this site may answer.

        Anybody may ask for one, so nothing is remembered: the challenge says itself, signed, until when it is good.
        """
        until = int(self._clock.monotonic() + TICKET_S).to_bytes(8, "big")
        challenge = self._signed_ticket(secrets.token_bytes(16) + until)
        return Challenge(challenge.hex(), ("passkey",), passkeys.request_options(site, (), challenge))

    async def by_passkey_alone(self, ticket: str, credential: Credential, site: Site) -> str:
        """Whose passkey signed the challenge: it is two factors in one. Ends the ticket.

        Raises NotSignedInError (`ticket_void`, `passkey_refused`).
        """
        try:
            challenge = bytes.fromhex(ticket)
        except ValueError:
            raise _void() from None
        signed = self._signed_ticket(challenge[:24])
        until_s = int.from_bytes(challenge[16:24], "big")
        if not secrets.compare_digest(signed, challenge) or until_s <= self._clock.monotonic():
            raise _void()
        if challenge in self._used:
            raise _void()
        self._used[challenge] = until_s  # before anybody waits, so that two answers at once do not both count
        try:
            return await self._signed(_Ticket(None, until_s, challenge, site), credential)
        except NotSignedInError:
            del self._used[challenge]
            raise

    def end(self, covers: Callable[[ProviderSession], bool]) -> None:
        """Voids the tickets of people whom the OpenID provider signed out in between."""
        for name in [name for name, each in self._tickets.items() if each.began is not None and covers(each.began)]:
            del self._tickets[name]

    def forget_old(self) -> None:
        """Forgets tickets and tries whose time is over. To be called twice a minute."""
        now = self._clock.monotonic()
        self._codes.forget(now)
        for name in [name for name, ticket in self._tickets.items() if ticket.until_s <= now]:
            del self._tickets[name]
        self._used = {challenge: until_s for challenge, until_s in self._used.items() if until_s > now}

    def _issue(self, ticket: _Ticket) -> str:
        name = new_secret()
        self._tickets[name] = ticket
        if len(self._tickets) > MAX_TICKETS:
            self._tickets.popitem(last=False)
        return name

    def _signed_ticket(self, said: bytes) -> bytes:
        return said + hmac.digest(self._ticket_key, said, "sha256")

    def _try(self, name: str) -> _Ticket:
        """Counts when it begins, so that many tries at once do not slip through."""
        ticket = self._tickets.get(name)
        if ticket is None or ticket.until_s <= self._clock.monotonic() or ticket.tries_left <= 0:
            raise _void()
        ticket.tries_left -= 1
        return ticket

    async def _check_good(self, conn: Transaction, ticket: _Ticket) -> None:
        """Raises NotSignedInError (`ticket_void`) where what the person proved first does not hold any more."""
        if ticket.began is not None and not await identity_store.is_linked(conn, ticket.began.identity_id):
            raise _void()
        if ticket.user_id is not None and await store.password_hash(conn, ticket.user_id) != ticket.password:
            raise _void()

    def _count_code(self, key: str) -> None:
        now = self._clock.monotonic()
        if not self._codes.attempt(key, now):
            wait_min = max(1, round(self._codes.wait_s(key, now) / 60))
            raise TooManyError(
                f"Too many wrong codes. Use a recovery code or a passkey, or try again in {wait_min} minutes."
            )

    def _wrong(self, user_id: str) -> NotSignedInError:
        self._failed(user_id)
        return NotSignedInError("This code does not fit, or was used already.", code="wrong_code")

    async def _signed(self, ticket: _Ticket, credential: Credential) -> str:
        if ticket.site is None:
            raise passkeys.refused()
        credential_id = passkeys.credential_id_of(credential)
        async with self._db.read() as conn:  # anybody may try: only a signature that fits waits for the one writer
            row = await store.passkey(conn, credential_id)
        if row is None or (ticket.user_id is not None and row["user_id"] != ticket.user_id):
            raise passkeys.refused()
        before = row["sign_count"]
        count = passkeys.check_signed(ticket.site, ticket.challenge, credential, row["public_key"], before)
        async with self._db.write() as conn:
            await self._check_good(conn, ticket)
            now_ms = self._clock.now_ms()
            if not await store.use_passkey(conn, row["id"], before=before, sign_count=count, at_ms=now_ms):
                raise passkeys.refused()  # removed, or used, in between
        return str(row["user_id"])

    async def _record(self, conn: Transaction, user_id: str, action: str, detail: audit.Detail) -> None:
        target = audit.Person(user_id)
        await audit.record(conn, at_ms=self._clock.now_ms(), actor=user_id, action=action, target=target, detail=detail)


def _owner(ticket: _Ticket) -> str:
    assert ticket.user_id is not None  # noqa: S101  only tickets for a passkey alone belong to nobody
    return ticket.user_id


def _void() -> NotSignedInError:
    return NotSignedInError("This took too long, or too many tries. Sign in again.", code="ticket_void")
