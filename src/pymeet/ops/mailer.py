"""Sends what waits in the outbox: at once when this process queued it, otherwise within a minute."""

import asyncio
import contextlib
from collections.abc import Sequence
from email.message import EmailMessage
from urllib.parse import urlsplit

import structlog

from pymeet.clock import Clock
from pymeet.config import Config
from pymeet.db import outbox
from pymeet.db.engine import Database
from pymeet.db.outbox import QueuedMail
from pymeet.mail.errors import Failure, NotSentError
from pymeet.mail.message import Sender, ascii_domain, compose
from pymeet.mail.smtp import MailServer
from pymeet.ops.addresses import public_url

log = structlog.get_logger(__name__)

_MINUTE_MS = 60_000

RETRY_AFTER_MS = tuple(minutes * _MINUTE_MS for minutes in (1, 5, 30, 120, 360))
"""How long after an attempt the next one follows; the last period repeats."""

GIVE_UP_AFTER_MS = 2 * 24 * 60 * _MINUTE_MS
"""Mail that was queued this long ago is tried a last time; nothing is left to tell of after that."""

EXPIRED = "expired"
"""The word for a mail that was given up; `mail.errors.Failure` has the others."""

BATCH = 20
"""So many mails are taken at a time, over one connection."""

LOOK_EVERY_S = 60
"""How often it looks for what another process queued."""


class Mailer:
    """The one sender of a server. A mail in flight when the process is killed may be sent twice, but is never lost:
    each attempt is counted before it is made, and tried again until it is known to have succeeded. Both copies have
    the same Message-ID.
    """

    def __init__(self, db: Database, config: Config, clock: Clock) -> None:
        self._db = db
        self._config = config.mail
        self._clock = clock
        self._wake = asyncio.Event()
        self._sender = sender(config) if self.enabled else None

    @property
    def enabled(self) -> bool:
        """Whether mail is sent at all; where it is not, callers queue nothing."""
        return self._config.host is not None

    def poke(self) -> None:
        """Something was queued (and committed): send it now. From another thread by `loop.call_soon_threadsafe`."""
        self._wake.set()

    async def run(self) -> None:
        """Sends mail until cancelled."""
        while True:
            self._wake.clear()
            try:
                wait_s = await self._turn()
            except Exception:  # whatever it is, mail must go on when it is over
                log.exception("the outbox cannot be used now; it is tried again in a minute")
                wait_s = LOOK_EVERY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def send_due(self) -> None:
        """Tries every mail whose time has come, once. Where mail is off it only gives up what is too old."""
        if self._sender is None:
            await self._give_up()
            return
        while mails := await self._take():
            async with MailServer(self._config, self._sender.host) as server:
                await self._send(mails, server, self._sender)

    async def _turn(self) -> float:
        """One round; after how many seconds the next one is due."""
        await self.send_due()
        async with self._db.read() as conn:
            next_at_ms = await outbox.next_at_ms(conn)
        if next_at_ms is None or not self.enabled:
            return LOOK_EVERY_S
        return min(LOOK_EVERY_S, max(0, next_at_ms - self._clock.now_ms()) / 1000)

    async def _take(self) -> list[QueuedMail]:
        """Some mails that are due, with the attempt counted: on a full disk nothing is sent over and over."""
        now_ms = self._clock.now_ms()
        async with self._db.read() as conn:
            next_at_ms = await outbox.next_at_ms(conn)
        if next_at_ms is None or next_at_ms > now_ms:
            return []
        async with self._db.write() as conn:
            mails = await outbox.due(conn, now_ms=now_ms, limit=BATCH)
            for mail in mails:
                await outbox.trying(conn, mail.id, again_at_ms=_again_at_ms(mail, now_ms))
        return mails

    async def _send(self, mails: Sequence[QueuedMail], server: MailServer, sender: Sender) -> None:
        unusable: NotSentError | None = None
        for mail in mails:
            try:
                if unusable:
                    raise unusable
                await server.send(_composed(mail, sender, self._clock.now_ms()))
            except NotSentError as error:
                if error.concerns_all and not unusable:
                    unusable = error
                    log.warning("the mail server cannot be used", why=error.failure.value, reply=error.reply)
                await self._not_sent(mail, error)
            except Exception:  # a mail that brings up a mistake of ours must not hold up the others
                log.exception("a mail could not be made", mail=mail.id, template=mail.template)
                await self._not_sent(mail, NotSentError(Failure.UNUSABLE, "No mail could be made of it."))
            else:
                async with self._db.write() as conn:
                    await outbox.sent(conn, mail.id, now_ms=self._clock.now_ms())
                log.info("mail sent", mail=mail.id, template=mail.template)

    async def _not_sent(self, mail: QueuedMail, error: NotSentError) -> None:
        now_ms = self._clock.now_ms()
        word = error.failure.value
        if not error.permanent and now_ms - mail.created_at_ms >= GIVE_UP_AFTER_MS:
            word = EXPIRED
        given_up = error.permanent or word == EXPIRED
        async with self._db.write() as conn:
            if given_up:
                await outbox.failed(conn, mail.id, now_ms=now_ms, error=word)
            else:
                await outbox.postponed(conn, mail.id, error=word)
        what = "mail given up" if given_up else "mail not sent yet"
        log.warning(what, mail=mail.id, template=mail.template, why=word, reply=error.reply, attempt=mail.attempts + 1)

    async def _give_up(self) -> None:
        now_ms = self._clock.now_ms()
        async with self._db.read() as conn:
            waiting = await outbox.next_at_ms(conn)
        if waiting is not None:
            async with self._db.write() as conn:
                before_ms = now_ms - GIVE_UP_AFTER_MS
                await outbox.give_up(conn, now_ms=now_ms, created_before_ms=before_ms, error=EXPIRED)


def sender(config: Config) -> Sender:
    """Who writes, where mail is on."""
    mail = config.mail
    assert mail.from_address is not None  # noqa: S101  the configuration demands it
    return Sender(
        address=mail.from_address,
        name=mail.from_name,
        site=public_url(config),
        host=_host(config, mail.from_address),
        contact=config.privacy.contact or mail.from_address,
    )


def _host(config: Config, from_address: str) -> str:
    """The name in public_url. Where that is none, or none was given, the sender's domain: an inner address of this
    machine is nobody's business.
    """
    own = urlsplit(config.http.public_url or "").hostname or ""
    try:
        host = ascii_domain(own)
    except ValueError:
        host = ""
    is_name = host.rpartition(".")[2].isalpha() or "xn--" in host
    return host if is_name else from_address.rpartition("@")[2]


def _composed(mail: QueuedMail, sender: Sender, now_ms: int) -> EmailMessage:
    return compose(
        mail_id=mail.id,
        template=mail.template,
        language=mail.language,
        values=mail.values,
        to=mail.to_address,
        sender=sender,
        now_ms=now_ms,
    )


def _again_at_ms(mail: QueuedMail, now_ms: int) -> int:
    """When to try again after an attempt now: later each time, and a last time when mail is given up."""
    pause_ms = RETRY_AFTER_MS[min(mail.attempts, len(RETRY_AFTER_MS) - 1)]
    last_ms = mail.created_at_ms + GIVE_UP_AFTER_MS
    return max(now_ms + RETRY_AFTER_MS[0], min(now_ms + pause_ms, last_ms))
