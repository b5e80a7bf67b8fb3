"""What a member sets up to prove who they are, and where they are signed in. Times are UTC milliseconds.

A second factor is an authenticator app or a passkey; with either, the password alone lets nobody in. Who sets up the
first one gets recovery codes, for the day on which it is lost.
"""

from collections import OrderedDict
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError

from pymeet.accounts import factor_store as store
from pymeet.accounts import passkeys, totp
from pymeet.accounts.devices import Browser
from pymeet.accounts.devices import token_hash as hash_of
from pymeet.accounts.model import User
from pymeet.accounts.passkeys import Credential, Site
from pymeet.accounts.texts import clean_line
from pymeet.clock import Clock
from pymeet.db import audit
from pymeet.db.engine import Database, Transaction
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.ids import new_id

SETUP_S = 600
"""How long setting up an app or a passkey may take."""

MAX_PASSKEYS = 20
_MAX_SETUPS = 1000


@dataclass(frozen=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: str
    name: str
    created_at_ms: int
    last_used_at_ms: int | None


@dataclass(frozen=True)
class SignedIn:
    """A browser that is signed in."""

    id: str
    token_hash: str
    device: str
    created_at_ms: int
    last_seen_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True)
class KnownDevice:
    """A browser in which the person signed in before."""

    id: str
    token_hash: str
    name: str
    created_at_ms: int
    last_seen_at_ms: int
    expires_at_ms: int
    trusted_until_ms: int | None
    """Until when it is not asked for the second factor."""


@dataclass(frozen=True)
class Security:
    """Everything about a member's ways in."""

    password_changed_at_ms: int | None
    totp_since_ms: int | None
    recovery_codes_left: int
    passkeys: tuple[Passkey, ...]
    sessions: tuple[SignedIn, ...]
    devices: tuple[KnownDevice, ...]


@dataclass(frozen=True)
class TotpSetup:
    """What an authenticator app has to be given."""

    secret: str
    uri: str
    qr_svg: str


@dataclass(frozen=True)
class _Setup:
    """An app or a passkey that is being set up: a secret, or a challenge and the site it is for."""

    until_s: float
    secret: str = ""
    challenge: bytes = b""
    site: Site | None = None


class Factors:
    """Second factors, passkeys, sessions and devices of members; every change is in the audit log."""

    def __init__(self, db: Database, clock: Clock, key: bytes) -> None:
        self._db = db
        self._clock = clock
        self.sealer = totp.Sealer(key)
        self._setups: OrderedDict[tuple[str, str], _Setup] = OrderedDict()

    async def security(self, user: User) -> Security:
        """What the security page shows."""
        now_ms = self._clock.now_ms()
        async with self._db.read() as conn:
            person = await store.person(conn, user.id)
            app = await store.totp(conn, user.id)
            return Security(
                person["changed_at_ms"] if person else None,
                app["created_at_ms"] if app else None,
                await store.recovery_codes_left(conn, user.id),
                tuple(
                    Passkey(row["id"], row["name"], row["created_at_ms"], row["last_used_at_ms"])
                    for row in await store.passkeys_of(conn, user.id)
                ),
                tuple(SignedIn(**_only(row, SignedIn)) for row in await store.sessions_of(conn, user.id, now_ms)),
                tuple(KnownDevice(**_only(row, KnownDevice)) for row in await store.devices_of(conn, user.id, now_ms)),
            )

    async def has_second_factor(self, user: User) -> bool:
        """Whether the password alone is not enough."""
        async with self._db.read() as conn:
            return await store.has_second_factor(conn, user.id)

    # Authenticator app

    def begin_totp(self, user: User, site_name: str) -> TotpSetup:
        """A fresh secret. It counts when a code made with it was shown within ten minutes, and not before."""
        secret = totp.new_totp_secret()
        uri = totp.setup_uri(secret, user.email, site_name)
        self._begin(user, "totp", _Setup(self._clock.monotonic() + SETUP_S, secret=secret))
        return TotpSetup(secret, uri, totp.qr_svg(uri))

    async def confirm_totp(self, user: User, code: str) -> list[str]:
        """Takes the secret over; the recovery codes to show, or none where the person has some already.

        Raises NotFoundError (`no_setup`), InvalidInputError (`wrong_code`).
        """
        setup = self._setup(user, "totp")
        now_ms = self._clock.now_ms()
        step = totp.matching_step(setup.secret, code, now_ms, after=0)
        if step is None:
            raise InvalidInputError(
                "This code does not fit. Check that the clock of your device is right.", code="wrong_code"
            )
        async with self._db.write() as conn:
            sealed = self.sealer.seal(setup.secret, user.id)
            await store.put_totp(conn, user.id, sealed, last_step=step, at_ms=now_ms)
            await self._record(conn, user.id, "second_factor.added", user.id, {"kind": "totp"})
            codes = await self._first_codes(conn, user)
        self._setups.pop((user.id, "totp"), None)
        return codes

    async def remove_totp(self, user: User) -> None:
        """Takes the app away. Raises NotFoundError."""
        async with self._db.write() as conn:
            if not await store.remove_totp(conn, user.id):
                raise NotFoundError("No authenticator app is set up.")
            await self._record(conn, user.id, "second_factor.removed", user.id, {"kind": "totp"})
            await self._after_removal(conn, user.id)

    async def new_recovery_codes(self, user: User) -> list[str]:
        """Fresh codes; those from before are void. Raises ConflictError (`no_second_factor`)."""
        async with self._db.write() as conn:
            if not await store.has_second_factor(conn, user.id):
                raise ConflictError("Set up an authenticator app or a passkey first.", code="no_second_factor")
            return await self._codes(conn, user)

    # Passkeys

    async def begin_passkey(self, user: User, site: Site) -> dict[str, object]:
        """The options that the browser makes a passkey by, within ten minutes. ConflictError beyond 20 passkeys."""
        async with self._db.read() as conn:
            existing = [row["credential_id"] for row in await store.passkeys_of(conn, user.id)]
        if len(existing) >= MAX_PASSKEYS:
            raise ConflictError(f"There can be {MAX_PASSKEYS} passkeys. Remove one first.", code="too_many_passkeys")
        challenge = passkeys.new_challenge()
        setup = _Setup(self._clock.monotonic() + SETUP_S, challenge=challenge, site=site)
        self._begin(user, "passkey", setup)
        return passkeys.creation_options(site, user, existing, challenge)

    async def add_passkey(self, user: User, name: str, credential: Credential) -> tuple[Passkey, list[str]]:
        """Stores what the browser made; with it the recovery codes to show, none where the person has some already.

        Raises NotFoundError (`no_setup`), InvalidInputError (`passkey_refused`), ConflictError (`passkey_known`).
        """
        name = clean_line(name, what="The name")
        setup = self._setup(user, "passkey")
        assert setup.site is not None  # noqa: S101  every setup of a passkey has one
        made = passkeys.check_new(setup.site, setup.challenge, credential)
        now_ms = self._clock.now_ms()
        passkey = Passkey(new_id(), name, now_ms, None)
        async with self._db.write() as conn:
            try:
                await store.add_passkey(
                    conn,
                    id=passkey.id,
                    user_id=user.id,
                    name=name,
                    credential_id=made.credential_id,
                    public_key=made.public_key,
                    sign_count=made.sign_count,
                    created_at_ms=now_ms,
                )
            except IntegrityError:
                raise ConflictError("This passkey is set up already.", code="passkey_known") from None
            await self._record(conn, user.id, "second_factor.added", user.id, {"kind": "passkey"})
            codes = await self._first_codes(conn, user)
        self._setups.pop((user.id, "passkey"), None)
        return passkey, codes

    async def rename_passkey(self, user: User, passkey_id: str, name: str) -> None:
        """Raises NotFoundError, InvalidInputError."""
        async with self._db.write() as conn:
            if not await store.rename_passkey(conn, user.id, passkey_id, clean_line(name, what="The name")):
                raise _no_passkey()

    async def remove_passkey(self, user: User, passkey_id: str) -> None:
        """Raises NotFoundError."""
        async with self._db.write() as conn:
            if not await store.remove_passkey(conn, user.id, passkey_id):
                raise _no_passkey()
            await self._record(conn, user.id, "second_factor.removed", user.id, {"kind": "passkey"})
            await self._after_removal(conn, user.id)

    # Sessions and devices

    async def end_session(self, user: User, session_id: str) -> None:
        """Signs one browser out. Raises NotFoundError."""
        async with self._db.write() as conn:
            if not await store.remove_session(conn, user.id, session_id):
                raise NotFoundError("There is no such session.")
            await self._record(conn, user.id, "session.ended", user.id, {"sessions": 1})

    async def end_other_sessions(self, user: User, token_hash: str, *, besides: Browser) -> int:
        """Signs all browsers out but the one whose session's token has this hash; how many.

        All but the one `besides`, which is the same, are asked for the second factor again.
        """
        async with self._db.write() as conn:
            await store.distrust_devices(conn, user.id, besides=hash_of(besides.token))
            ended = await store.remove_other_sessions(conn, user.id, token_hash)
            if ended:
                await self._record(conn, user.id, "session.ended", user.id, {"sessions": ended})
        return ended

    async def forget_device(self, user: User, device_id: str) -> None:
        """The browser is a stranger from now on; a session in it goes on. Raises NotFoundError."""
        async with self._db.write() as conn:
            if not await store.remove_device(conn, user.id, device_id):
                raise NotFoundError("There is no such device.")
            await self._record(conn, user.id, "device.forgotten", user.id)

    # For an administrator

    async def remove_second_factors(self, user_id: str, *, by: str = audit.OPERATOR) -> int:
        """Takes app, passkeys and recovery codes from somebody who has lost them; how many there were.

        Their password alone lets them in then. Sessions go on. Raises NotFoundError for an unknown account.
        """
        async with self._db.write() as conn:
            if await store.person(conn, user_id) is None:
                raise NotFoundError("There is no such account.")
            removed = await store.remove_passkeys(conn, user_id) + await store.remove_totp(conn, user_id)
            if removed:
                await self._record(conn, by, "second_factor.removed", user_id, {"kind": "all", "count": removed})
                await self._after_removal(conn, user_id)
        return removed

    def forget_setups(self) -> None:
        """Forgets what nobody finished in time. To be called twice a minute."""
        now = self._clock.monotonic()
        for key, setup in list(self._setups.items()):
            if setup.until_s <= now:
                del self._setups[key]

    def _begin(self, user: User, what: str, setup: _Setup) -> None:
        self._setups.pop((user.id, what), None)
        self._setups[user.id, what] = setup
        if len(self._setups) > _MAX_SETUPS:
            self._setups.popitem(last=False)

    def _setup(self, user: User, what: str) -> _Setup:
        setup = self._setups.get((user.id, what))
        if setup is None or setup.until_s <= self._clock.monotonic():
            raise NotFoundError("This took too long. Begin again.", code="no_setup")
        return setup

    async def _first_codes(self, conn: Transaction, user: User) -> list[str]:
        return [] if await store.recovery_codes_left(conn, user.id) else await self._codes(conn, user)

    async def _codes(self, conn: Transaction, user: User) -> list[str]:
        codes = totp.new_recovery_codes()
        hashes = [totp.recovery_hash(code) for code in codes]
        await store.put_recovery_codes(conn, user.id, hashes, self._clock.now_ms())
        await self._record(conn, user.id, "recovery_codes.made", user.id, {"count": len(codes)})
        return codes

    async def _after_removal(self, conn: Transaction, user_id: str) -> None:
        """Codes stand in for a second factor: without one they would be a way in that nobody thinks of."""
        if not await store.has_second_factor(conn, user_id):
            await store.remove_recovery_codes(conn, user_id)
            await store.distrust_devices(conn, user_id)

    async def _record(
        self, conn: Transaction, by: str, action: str, user_id: str, detail: audit.Detail | None = None
    ) -> None:
        target = audit.Person(user_id)
        await audit.record(conn, at_ms=self._clock.now_ms(), actor=by, action=action, target=target, detail=detail)


def _only(row: RowMapping, kind: type) -> dict[str, Any]:
    return {field.name: row[field.name] for field in fields(kind)}


def _no_passkey() -> NotFoundError:
    return NotFoundError("There is no such passkey.")
