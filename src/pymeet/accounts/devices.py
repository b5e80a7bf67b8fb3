"""Browsers with which people signed in before: a strange one is told by mail, a trusted one spares the second factor.

They are recognised by a random token in a cookie, and named in a few words, nothing finer: nobody is told apart by them.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from sqlalchemy import RowMapping

from pymeet.accounts import factor_store as store
from pymeet.accounts.model import User
from pymeet.accounts.texts import clean_email
from pymeet.clock import Clock
from pymeet.db import notifications, outbox
from pymeet.db.engine import Database, Transaction
from pymeet.errors import InvalidInputError, NotSignedInError
from pymeet.ids import new_id, new_secret

KNOWN_MS: Final = 90 * 86_400_000
"""How long a browser is known after somebody signed in with it."""

_DAY_MS: Final = 86_400_000
_JUST_NOW_MS: Final = 60_000

_BROWSERS: Final = (
    ("Edge", r"\bEdg(A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chrome", r"\b(Chrome|CriOS)/"),
    ("Safari", r"\bSafari/"),
)
"""In the order in which they claim to be each other."""

_SYSTEMS: Final = (
    ("Android", r"\bAndroid\b"),
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\bMac OS X\b"),
    ("Linux", r"\bLinux\b"),
)


@dataclass(frozen=True)
class Browser:
    """What a browser shows of itself when somebody signs in."""

    token: str | None
    """Of the device cookie."""
    name: str
    """In a few words, from `devices.device_name`."""


@dataclass(frozen=True)
class NewDeviceMail:
    """How to tell a person that somebody signed in with a browser that is not known; None where mail is off."""

    language: str
    """For those who have not chosen one."""
    url: str
    """The page on which they see and end it."""


class Devices:
    """Which browsers are known, to whom, and until when they are trusted."""

    def __init__(self, db: Database, clock: Clock, *, remember_ms: int) -> None:
        """`remember_ms`: how long a browser may be trusted, 90 days at most, 0 for never."""
        self._db = db
        self._clock = clock
        self._remember_ms = min(remember_ms, KNOWN_MS)

    @property
    def remember_days(self) -> int:
        """For how many days a browser may go without the second factor; 0 for never."""
        return self._remember_ms // _DAY_MS

    async def trusted(self, conn: Transaction, user_id: str, browser: Browser) -> bool:
        """Whether the person need not show a second factor in that browser."""
        row = await self._row(conn, user_id, browser)
        return bool(row and self._remember_ms and (row["trusted_until_ms"] or 0) > self._clock.now_ms())

    async def known(self, conn: Transaction, user_id: str, browser: Browser) -> bool:
        """Whether the person signed in with that browser before."""
        return await self._row(conn, user_id, browser) is not None

    async def knows(self, email: str, browser: Browser) -> bool:
        """Whether the person with this address signed in with that browser before."""
        try:
            email = clean_email(email)
        except InvalidInputError:
            return False
        async with self._db.read() as conn:
            return await store.is_device_of(conn, email, token_hash(browser.token or ""), self._clock.now_ms())

    async def arrived(self, user: User, browser: Browser, *, remember: bool, mail: NewDeviceMail | None) -> str:
        """Notes with which browser somebody signed in; the token for its cookie, good for `KNOWN_MS`.

        With `remember`, which only who showed a second factor may ask for, the next ones are spared for a while. Whoever
        signs in with a strange browser is told, also by mail, unless they have just set their first password.

        Raises NotSignedInError when the account is gone.
        """
        now_ms = self._clock.now_ms()
        times: dict[str, int] = {"last_seen_at_ms": now_ms, "expires_at_ms": now_ms + KNOWN_MS}
        if remember and self._remember_ms:
            times["trusted_until_ms"] = now_ms + self._remember_ms
        async with self._db.write() as conn:
            known = await self._row(conn, user.id, browser)
            if known and browser.token:
                await store.change_device(conn, known["id"], name=browser.name, **times)
                return browser.token
            if await store.person(conn, user.id) is None:
                raise NotSignedInError("This account cannot be used.")
            token, device_id = new_secret(), new_id()
            if not await self._begins_here(conn, user, now_ms):
                await self._tell(conn, user, browser, device_id, mail, now_ms)
            await store.add_device(
                conn,
                id=device_id,
                user_id=user.id,
                token_hash=token_hash(token),
                name=browser.name,
                created_at_ms=now_ms,
                **times,
            )
        return token

    async def _row(self, conn: Transaction, user_id: str, browser: Browser) -> RowMapping | None:
        if not browser.token:
            return None
        return await store.device(conn, user_id, token_hash(browser.token), self._clock.now_ms())

    async def _begins_here(self, conn: Transaction, user: User, now_ms: int) -> bool:
        """Whether the person has never signed in before: the link by which they do was sent to them, or they were signed in
        by the OpenID provider, and got their account by that."""
        person = await store.person(conn, user.id)
        began_ms = max(person["changed_at_ms"] or 0, person["created_at_ms"]) if person else 0
        fresh = now_ms - began_ms <= _JUST_NOW_MS
        return fresh and not await store.devices_of(conn, user.id, now_ms)

    async def _tell(
        self,
        conn: Transaction,
        user: User,
        browser: Browser,
        device_id: str,
        mail: NewDeviceMail | None,
        now_ms: int,
    ) -> None:
        new = partial(notifications.tell, now_ms=now_ms, user_id=user.id, kind="new_device", object_id=device_id)
        await conn.run_sync(new)
        if mail is None:
            return
        person = await store.person(conn, user.id)
        await outbox.queue(
            conn,
            now_ms=now_ms,
            user_id=user.id,
            to=user.email,
            template="new_device",
            values={"device": browser.name, "date": _day_of(now_ms), "url": mail.url},
            language=(person["language"] if person else None) or mail.language,
        )


def device_name(user_agent: str) -> str:
    """`Firefox (Linux)` for the User-Agent of a browser (RFC 9110, 10.1.5); what is not known is left out, or empty."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    return f"{browser} ({system})" if browser and system else browser or system


def _day_of(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for name, pattern in known if re.search(pattern, user_agent[:500])), "")


def token_hash(token: str | None) -> str:
    """What is stored of a device's token: 256 random bits leave nothing to guess."""
    return hashlib.sha256((token or "").encode(errors="replace")).hexdigest()
