"""Signing in through the organisation's OpenID provider: there and back, and out again (OpenID Connect Core 1.0, 3.1).

Authorization code flow with PKCE. What went out is not remembered here: it stands, signed, in a cookie of the browser
that went, and state, nonce and PKCE verifier are made of that cookie. So nobody can plant a sign-in in another browser,
and nobody can fill the memory by beginning many.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import structlog

from pymeet import signed
from pymeet.accounts import identity_store
from pymeet.accounts.model import ProviderSession, User
from pymeet.accounts.oidc_accounts import FRESH_MS, Ended, OidcAccounts, Person, person_of
from pymeet.accounts.oidc_provider import CodeRefusedError, Provider, with_query
from pymeet.accounts.oidc_tokens import (
    LEEWAY_S,
    LOGOUT_AGE_S,
    Expected,
    SignedIn,
    TokenError,
    UnknownKeyError,
    check_id_token,
    check_logout_token,
)
from pymeet.accounts.rows import hash_of
from pymeet.accounts.service import Accounts
from pymeet.clock import Clock
from pymeet.config_oidc import OidcConfig
from pymeet.db.engine import Database
from pymeet.errors import InvalidInputError, NotAllowedError, NotSignedInError

log = structlog.get_logger(__name__)

CALLBACK: Final = "/oidc/callback"
"""Where the provider sends people back to."""

ATTEMPT_S: Final = 600
"""How long signing in at the provider may take."""

PATH_LENGTH: Final = 400
_MAX_HINT: Final = 4000
_MAX_REMEMBERED: Final = 10_000


class Purpose(StrEnum):
    """What somebody goes to the provider for."""

    SIGN_IN = "sign_in"
    KEEP = "keep"  # signs in, and cancels the erasure of the account
    LINK = "link"
    CONFIRM = "confirm"  # shows once more who they are, before what cannot be undone


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and the cookie by which it is known when it comes back."""

    url: str
    cookie: str


@dataclass(frozen=True)
class _Wish:
    """What stands in the cookie."""

    until_ms: int
    purpose: Purpose
    return_to: str
    user_id: str


@dataclass(frozen=True)
class Arrived:
    """Who came back, and what for."""

    purpose: Purpose
    return_to: str
    user: User
    began: ProviderSession


class Oidc:
    """The provider, and everything that people do there on our behalf."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        accounts: Accounts,
        config: OidcConfig,
        *,
        site: str,
        failed: Callable[[str], None],
    ) -> None:
        """`site` is this server's address; `failed` is told whose sign-in did not work."""
        self.config = config
        self.provider = Provider(config, clock)
        self.accounts = OidcAccounts(db, clock, accounts, config, failed=failed)
        self._db = db
        self._clock = clock
        self._site = site
        self._expected = Expected(self.provider.issuer, self.provider.client_id)
        self._key = secrets.token_bytes(32)
        self._used: dict[str, float] = {}
        """States and ids of logout tokens that were used, and until when they would be good."""

    async def begin(self, purpose: Purpose, return_to: str, *, user: User | None = None) -> Begun:
        """Sends somebody to the provider; `user` is who is signed in, for linking and confirming. ProviderError."""
        metadata = await self.provider.metadata()
        content = [secrets.token_urlsafe(16), self._clock.now_ms() + ATTEMPT_S * 1000, purpose, return_to]
        cookie = signed.sign(self._key, "pmo1.", [*content, user.id if user else ""])
        challenge = hashlib.sha256(self._made_of(cookie, "verifier").encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self._site + CALLBACK,
            "scope": " ".join(self.config.scopes),
            "state": self._made_of(cookie, "state"),
            "nonce": self._made_of(cookie, "nonce"),
            "code_challenge": _encode(challenge),
            "code_challenge_method": "S256",
        }
        if purpose is Purpose.CONFIRM:  # a session there that somebody left open is not enough
            asked |= {"prompt": "login", "max_age": "0"}
        return Begun(with_query(metadata.authorization, asked), cookie)

    async def finish(
        self, cookie: str, *, state: str, code: str, issuer: str | None, user: User | None, token: str
    ) -> Arrived:
        """Takes the code with which somebody came back; `user` and `token` are of the session they have here already.

        Raises NotSignedInError (`oidc_void`: begin again; `oidc_refused`: the provider's answer is not to be believed),
        ProviderError, and what `OidcAccounts` raises.
        """
        wish = self._take(cookie, state)
        if wish.user_id and (user is None or user.id != wish.user_id):
            raise NotSignedInError("You were signed out in between. Sign in and begin again.", code="oidc_void")
        if issuer != self.provider.issuer and (issuer or (await self.provider.metadata()).names_itself):
            raise self._refused("another issuer")
        try:
            said, id_token, claims = await self._ask(cookie, code)
        except CodeRefusedError:
            raise _unbelieved() from None
        except TokenError as error:
            raise self._refused(error.message) from None
        person = person_of(claims, self.config, issuer=self.provider.issuer, subject=said.subject)
        return await self._arrived(wish, person, said, id_token, user, token)

    async def sign_out_url(self, token: str) -> str | None:
        """Where the holder of a session has to go to be signed out at the provider too; None where nowhere. ProviderError."""
        async with self._db.read() as conn:
            row = await identity_store.provider_session(conn, hash_of(token))
        if row is None:
            return None
        return await self.provider.sign_out_url(id_token=row["id_token"], back_to=f"{self._site}/")

    async def signed_out(self, logout_token: str) -> Ended | None:
        """Ends the sessions that the provider says are over; None where it means nobody here. Raises InvalidInputError, ProviderError."""
        now_s = self._clock.now_ms() / 1000
        try:
            try:
                over = check_logout_token(logout_token, await self.provider.keys(), self._expected, now_s=now_s)
            except UnknownKeyError:
                keys = await self.provider.keys(newer=True)
                over = check_logout_token(logout_token, keys, self._expected, now_s=now_s)
        except TokenError as error:
            log.debug("a logout token is not to be believed", why=error.message)  # anybody can send some
            raise InvalidInputError("This logout token is not to be believed.") from None
        if not self._use(f"out {over.id}", LOGOUT_AGE_S + 2 * LEEWAY_S):
            raise InvalidInputError("This logout token was used already.")
        return await self.accounts.end_sessions(self.provider.issuer, subject=over.subject, session=over.session)

    async def is_fresh(self, token: str) -> bool:
        """Whether who has this session showed the provider a moment ago who they are."""
        async with self._db.read() as conn:
            row = await identity_store.provider_session(conn, hash_of(token))
        age_ms = self._clock.now_ms() - (row["confirmed_at_ms"] or 0) if row else FRESH_MS
        return -LEEWAY_S * 1000 <= age_ms < FRESH_MS

    def forget_old(self) -> None:
        """Forgets what was used and is over. To be called twice a minute."""
        now = self._clock.monotonic()
        self._used = {what: until_s for what, until_s in self._used.items() if until_s > now}

    def _take(self, cookie: str, state: str) -> _Wish:
        """What the browser went for. Counts as used from here on, so that two answers at once do not both count."""
        content = signed.read(self._key, "pmo1.", cookie)
        if content is None or not hmac.compare_digest(self._made_of(cookie, "state").encode(), state.encode()):
            raise _void()
        _, until_ms, purpose, return_to, user_id = content
        wish = _Wish(until_ms, Purpose(purpose), return_to, user_id)
        if wish.until_ms <= self._clock.now_ms() or not self._use(f"in {state}", ATTEMPT_S):
            raise _void()
        return wish

    async def _ask(self, cookie: str, code: str) -> tuple[SignedIn, str, dict[str, Any]]:
        """What the ID token says, the token itself, and all claims about the person."""
        verifier, nonce = self._made_of(cookie, "verifier"), self._made_of(cookie, "nonce")
        tokens = await self.provider.redeem(code, verifier=verifier, redirect_uri=self._site + CALLBACK)
        about = {"nonce": nonce, "access_token": tokens.access_token}
        keys, now_s = await self.provider.keys(), self._clock.now_ms() / 1000
        try:
            said = check_id_token(tokens.id_token, keys, self._expected, now_s=now_s, **about)
        except UnknownKeyError:
            keys = await self.provider.keys(newer=True)
            said = check_id_token(tokens.id_token, keys, self._expected, now_s=now_s, **about)
        claims = dict(said.claims)
        if "email_verified" not in claims or self._lacks_role(claims):
            more = await self.provider.userinfo(tokens.access_token)
            if more and more.get("sub") != said.subject:
                raise TokenError("The claims are about somebody else.")
            claims = {**more, **claims}
            if "email" in more:  # an address and that it is verified belong together
                claims |= {"email": more["email"], "email_verified": more.get("email_verified")}
        return said, tokens.id_token, claims

    def _lacks_role(self, claims: Mapping[str, Any]) -> bool:
        wanted = self.config.role_claim
        return wanted is not None and wanted not in claims and wanted.partition(".")[0] not in claims

    async def _arrived(
        self, wish: _Wish, person: Person, said: SignedIn, id_token: str, user: User | None, token: str
    ) -> Arrived:
        confirmed_at_ms = None if said.confirmed_at_s is None else round(said.confirmed_at_s * 1000)
        began_ms = wish.until_ms - ATTEMPT_S * 1000
        if user is not None and wish.purpose is Purpose.LINK:
            identity_id = await self.accounts.link(user, person)
        elif user is not None and wish.purpose is Purpose.CONFIRM:
            identity_id = await self.accounts.identity_of(user, person)
            if confirmed_at_ms is None or confirmed_at_ms < began_ms - LEEWAY_S * 1000:
                raise NotAllowedError("The sign-in service did not ask who you are.", code="confirm_failed")
        else:
            keeping = wish.purpose is Purpose.KEEP
            user, identity_id = await self.accounts.arrived(person, keeping=keeping)
        hint = id_token if len(id_token) <= _MAX_HINT else None
        began = ProviderSession(identity_id, said.session, hint, confirmed_at_ms)
        if wish.purpose is Purpose.CONFIRM:
            await self.accounts.confirm(user, began, token=token)
        return Arrived(wish.purpose, wish.return_to, user, began)

    def _use(self, what: str, for_s: float) -> bool:
        """Whether it is the first time."""
        if what in self._used:
            return False
        self._used[what] = self._clock.monotonic() + for_s
        while len(self._used) > _MAX_REMEMBERED:
            del self._used[next(iter(self._used))]
        return True

    def _made_of(self, cookie: str, what: str) -> str:
        """43 characters that nobody knows who has not the key, and that belong to this cookie alone."""
        return _encode(hmac.digest(self._key, f"{what} {cookie}".encode(), "sha256"))

    def _refused(self, why: str) -> NotSignedInError:
        log.warning("what the OpenID provider answered is not to be believed", why=why)
        return _unbelieved()


def _unbelieved() -> NotSignedInError:
    return NotSignedInError("Signing in did not work. Begin again.", code="oidc_refused")


def _void() -> NotSignedInError:
    return NotSignedInError("This took too long, or was used already. Begin again.", code="oidc_void")


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
