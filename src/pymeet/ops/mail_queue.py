"""The mails that wait and those that were given up, as administrators look after them: by page, API and command line.

Nobody is shown whole: of an address the first letter and the domain. What a mail says is shown to nobody; it may hold a link
that opens an account.
"""

from typing import Any

from pymeet.db import audit, outbox
from pymeet.db.outbox import Entry
from pymeet.errors import ConflictError, NotFoundError
from pymeet.privacy.parts import Lifecycle

MAX_PAGE = 200


class MailQueue:
    """The queue of one server."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._db = lifecycle.db

    @property
    def is_on(self) -> bool:
        """Whether this server sends mail."""
        return self._lifecycle.config.mail.host is not None

    async def listed(
        self, *, failed: bool, kind: str = "", after: str = "", limit: int = 50, by: str = audit.OPERATOR
    ) -> dict[str, Any]:
        """One page of what waits, or (`failed`) was given up, the newest first, with the numbers of both. The look stands
        in the audit log."""
        async with self._db.read() as conn:
            mails, following = await outbox.entries(conn, failed=failed, template=kind, after=after, limit=limit)
            counts = await outbox.counts(conn)
        async with self._db.write() as conn:
            await audit.record(
                conn,
                at_ms=self._lifecycle.clock.now_ms(),
                actor=by,
                action="data.viewed",
                target="mails",
                detail={"count": len(mails)},
            )
        return {
            "on": self.is_on,
            "mails": [_shown(each) for each in mails],
            "next": following,
            "kinds": [
                {"kind": template, "state": "failed" if given_up else "waiting", "count": count}
                for template, given_up, count in counts
            ],
        }

    async def retry(self, mail_id: str | None = None, *, by: str = audit.OPERATOR) -> int:
        """Has one mail, or all that wait, tried now; how many that are.

        ConflictError where mail is off (`mail_off`) or the mail was given up (`mail_done`), NotFoundError.
        """
        if not self.is_on:
            raise ConflictError("This server sends no mail.\nSet mail.host, and restart the server.", code="mail_off")
        now_ms = self._lifecycle.clock.now_ms()
        async with self._db.write() as conn:
            if mail_id is not None:
                _check_waits(await outbox.entry(conn, mail_id))
            count = await outbox.hasten(conn, now_ms=now_ms, mail_id=mail_id)
            target = "mails" if mail_id is None else mail_id
            await audit.record(
                conn, at_ms=now_ms, actor=by, action="mail.hastened", target=target, detail={"count": count}
            )
        self._lifecycle.poke_mail()
        return count

    async def drop(self, mail_id: str, *, by: str = audit.OPERATOR) -> None:
        """Takes a waiting mail out of the queue for good. NotFoundError, ConflictError (`mail_done`)."""
        now_ms = self._lifecycle.clock.now_ms()
        async with self._db.write() as conn:
            mail = _check_waits(await outbox.entry(conn, mail_id))
            await outbox.drop(conn, mail_id, now_ms=now_ms)
            detail = {"template": mail.template}
            await audit.record(conn, at_ms=now_ms, actor=by, action="mail.dropped", target=mail_id, detail=detail)


def masked(address: str) -> str:
    """`a…@example.org` for `ada@example.org`: enough to see which domain has trouble."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def _check_waits(mail: Entry | None) -> Entry:
    if mail is None:
        raise NotFoundError("There is no such mail in the queue.")
    if mail.failed_at_ms is not None:
        raise ConflictError(
            "This mail was given up, and what it said is deleted. Do again what made it.", code="mail_done"
        )
    return mail


def _shown(mail: Entry) -> dict[str, Any]:
    return {
        "id": mail.id,
        "kind": mail.template,
        "to": masked(mail.to_address),
        "state": "waiting" if mail.failed_at_ms is None else "failed",
        "created_at": mail.created_at_ms,
        "tries": mail.attempts,
        "next_try_at": mail.next_at_ms,
        "failed_at": mail.failed_at_ms,
        "error": mail.error,
    }
