"""Links that go out by mail: invitations, registration, forgotten passwords, signing in, changes of address.

What asks about an address tells the asker nothing: the answer goes to whoever reads the mail there. Mail is queued in
the transaction that makes the link, so that there is never one without the other.
"""

from dataclasses import dataclass

from pymeet.accounts import store
from pymeet.accounts.links import make_link
from pymeet.accounts.model import Role, User
from pymeet.accounts.rows import disabled, email_taken, named, new_row, record, user_of
from pymeet.accounts.texts import clean_email, clean_line
from pymeet.db import audit, outbox
from pymeet.db.engine import Transaction
from pymeet.errors import ConflictError, NotAllowedError
from pymeet.ids import new_id
from pymeet.privacy.parts import Lifecycle


@dataclass(frozen=True)
class Invited:
    """Somebody who was invited, or may set a new password."""

    user: User
    link: str | None
    """The whole link, to be handed over in another way; None where it went by mail."""


class MailedLinks:
    """Makes links and sends them. Where mail is off, those that an administrator asks for are handed back instead."""

    def __init__(self, lifecycle: Lifecycle, *, site: str) -> None:
        self._lifecycle = lifecycle
        self._db = lifecycle.db
        self._clock = lifecycle.clock
        self._config = lifecycle.config
        self._site = site

    @property
    def sends_mail(self) -> bool:
        """Whether this server can send mail."""
        return self._config.mail.host is not None

    async def invite(
        self, name: str, email: str, role: Role = Role.MEMBER, language: str | None = None, *, by: str = audit.OPERATOR
    ) -> Invited:
        """Makes an account whose holder sets a password within 7 days. Somebody who has not come yet gets a fresh link.

        Raises InvalidInputError, or ConflictError (`email_taken`).
        """
        user = User(
            new_id(),
            clean_line(name, what="The name"),
            clean_email(email),
            role is Role.ADMIN,
            is_dpo=role is Role.DPO,
            language=language,
        )
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            known = await store.find_user(conn, user.id, user.email)
            if known is None:
                await store.add_user(conn, **new_row(user, now_ms))
                await record(conn, now_ms, by, "user.invited", user.id, {"role": user.role})
            elif known["disabled_at_ms"] is not None or await store.has_come(conn, known["id"]):
                raise email_taken()
            else:
                user = user_of(known)
            link = await self._send(conn, store.INVITATION, user, by=by)
        self._poke()
        return Invited(user, None if self.sends_mail else link)

    async def new_password(self, email_or_id: str, *, by: str = audit.OPERATOR) -> Invited:
        """Lets somebody set a new password within 24 hours, because an administrator wants it. Theirs is good until then.

        Raises NotFoundError, or ConflictError for a disabled account.
        """
        async with self._db.write() as conn:
            row = await named(conn, email_or_id)
            if row["disabled_at_ms"] is not None:
                raise disabled()
            user = user_of(row)
            link = await self._send(conn, store.SET_PASSWORD, user, by=by)
        self._poke()
        return Invited(user, None if self.sends_mail else link)

    def check_can_register(self) -> None:
        """Raises NotAllowedError (`registration_closed`) where people are invited, or nobody comes in any more."""
        if self._lifecycle.in_force.accounts.registration != "open":
            raise NotAllowedError("People cannot register here. Ask to be invited.", code="registration_closed")

    def check_sends_mail(self) -> None:
        """Raises ConflictError (`mail_off`) where no mail can be sent."""
        if not self.sends_mail:
            raise ConflictError("This server sends no mail. Ask an administrator for a link.", code="mail_off")

    async def register(self, email: str, language: str) -> None:
        """Sends a link on which an account is made; who has an account already is told so. Nothing for a disabled one."""
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            known = await store.find_user(conn, "", email)
            if known is None:
                token = await make_link(conn, store.REGISTER, now_ms, email=email)
                await self._queue(conn, store.REGISTER, self._link(token), None, email, language)
            elif usable := await store.usable_user(conn, email):
                user = user_of(usable)
                await self._queue(
                    conn, "already_registered", f"{self._site}/sign-in", user.id, email, user.language or language
                )
        self._poke()

    async def reset_password(self, email: str) -> None:
        """Sends a link on which the person sets a new password. To an address without account nothing is sent."""
        await self._to_account(store.RESET_PASSWORD, email)

    async def sign_in(self, email: str) -> None:
        """Sends a link that signs the person in. To an address without account nothing is sent."""
        await self._to_account(store.SIGN_IN, email)

    async def change_email(self, user: User, email: str) -> None:
        """Sends a link to the new address that makes it the person's, and a notice to the one they have.

        Whether the new address has an account already, only its holder learns, when the link is refused.
        """
        now_ms = self._clock.now_ms()
        async with self._db.write() as conn:
            token = await make_link(conn, store.CHANGE_EMAIL, now_ms, user_id=user.id, email=email)
            await self._queue(conn, store.CHANGE_EMAIL, self._link(token), user.id, email, user.language)
            await self._queue(
                conn, "email_changing", f"{self._site}/security", user.id, user.email, user.language, email=email
            )
            await record(conn, now_ms, user.id, "link.made", user.id, {"purpose": store.CHANGE_EMAIL})
        self._poke()

    async def _to_account(self, purpose: str, email: str) -> None:
        async with self._db.write() as conn:
            row = await store.usable_user(conn, email)
            if row is None:
                return
            # who has no password yet needs one before anything else
            purpose = purpose if await store.has_password(conn, row["id"]) else store.RESET_PASSWORD
            await self._send(conn, purpose, user_of(row), by=audit.SYSTEM)
        self._poke()

    async def _send(self, conn: Transaction, purpose: str, user: User, *, by: str) -> str:
        now_ms = self._clock.now_ms()
        link = self._link(await make_link(conn, purpose, now_ms, user_id=user.id))
        await record(conn, now_ms, by, "link.made", user.id, {"purpose": purpose})
        await self._queue(conn, purpose, link, user.id, user.email, user.language)
        return link

    async def _queue(
        self,
        conn: Transaction,
        template: str,
        url: str,
        user_id: str | None,
        to: str,
        language: str | None,
        **more: str,
    ) -> None:
        if self.sends_mail:
            await outbox.queue(
                conn,
                now_ms=self._clock.now_ms(),
                user_id=user_id,
                to=to,
                template=template,
                values={"url": url, **more},
                language=language or self._config.mail.language,
            )

    def _link(self, token: str) -> str:
        # In the fragment, which browsers keep to themselves: no server and no proxy logs it.
        return f"{self._site}/link#{token}"

    def _poke(self) -> None:
        self._lifecycle.poke_mail()
