"""Mails that wait to be sent: putting one in belongs to the transaction of the deed that it tells of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Insert, Update, case, func, insert, select, update

from pymeet.db.engine import Transaction
from pymeet.db.schema.mail import mail_outbox
from pymeet.ids import new_id


@dataclass(frozen=True)
class QueuedMail:
    """One mail as it was queued. `attempts` counts how often it was tried before."""

    id: str
    to_address: str
    template: str
    language: str
    values: Mapping[str, str]
    created_at_ms: int
    attempts: int


async def queue(
    conn: Transaction,
    *,
    now_ms: int,
    user_id: str | None,
    to: str,
    template: str,
    values: Mapping[str, str],
    language: str,
) -> str:
    """Puts a mail in, so that it is sent if and only if the caller's transaction commits; its id.

    `template` and `values` are those of `mail.message.TEMPLATES`. A mail with a `user_id` is erased with that account;
    what tells of the erasure itself has none.
    """
    mail_id = new_id()
    await conn.execute(
        queue_statement(
            now_ms=now_ms,
            user_id=user_id,
            to=to,
            template=template,
            values=values,
            language=language,
            mail_id=mail_id,
        )
    )
    return mail_id


def queue_statement(
    *,
    now_ms: int,
    user_id: str | None,
    to: str,
    template: str,
    values: Mapping[str, str],
    language: str,
    mail_id: str | None = None,
) -> Insert:
    """The statement by which `queue` does it, for code that has a synchronous connection."""
    return insert(mail_outbox).values(
        id=mail_id or new_id(),
        user_id=user_id,
        to_address=to,
        template=template,
        language=language,
        template_values=json.dumps(dict(values)),
        created_at_ms=now_ms,
        next_at_ms=now_ms,
        attempts=0,
    )


async def due(conn: Transaction, *, now_ms: int, limit: int) -> list[QueuedMail]:
    """The mails whose time has come, those that wait longest first."""
    rows = await conn.execute(
        select(mail_outbox)
        .where(*_WAITING, mail_outbox.c.next_at_ms <= now_ms)
        .order_by(mail_outbox.c.next_at_ms, mail_outbox.c.id)
        .limit(limit)
    )
    return [
        QueuedMail(
            id=row["id"],
            to_address=row["to_address"],
            template=row["template"],
            language=row["language"],
            values=json.loads(row["template_values"]),
            created_at_ms=row["created_at_ms"],
            attempts=row["attempts"],
        )
        for row in rows.mappings()
    ]


async def next_at_ms(conn: Transaction) -> int | None:
    """When the next mail is due; None when none waits."""
    found: int | None = (await conn.execute(select(func.min(mail_outbox.c.next_at_ms)).where(*_WAITING))).scalar()
    return found


async def trying(conn: Transaction, mail_id: str, *, again_at_ms: int) -> None:
    """Counts an attempt before it is made, and says when the next one follows unless this one succeeds."""
    await conn.execute(_one(mail_id).values(attempts=mail_outbox.c.attempts + 1, next_at_ms=again_at_ms))


async def sent(conn: Transaction, mail_id: str, *, now_ms: int) -> None:
    """The mail server has it; the row stays for its period of retention, without what it said."""
    await conn.execute(_one(mail_id).values(sent_at_ms=now_ms, error=None, template_values=_WHAT_IS_LEFT))


async def postponed(conn: Transaction, mail_id: str, *, error: str) -> None:
    """It was not sent this time, for the reason that the fixed word `error` names."""
    await conn.execute(_one(mail_id).values(error=error))


async def failed(conn: Transaction, mail_id: str, *, now_ms: int, error: str) -> None:
    """It is not tried again."""
    await conn.execute(_one(mail_id).values(failed_at_ms=now_ms, error=error, template_values=_WHAT_IS_LEFT))


async def give_up(conn: Transaction, *, now_ms: int, created_before_ms: int, error: str) -> None:
    """Ends every waiting mail that was queued before a moment."""
    await conn.execute(
        update(mail_outbox)
        .where(*_WAITING, mail_outbox.c.created_at_ms < created_before_ms)
        .values(failed_at_ms=now_ms, error=error, template_values=_WHAT_IS_LEFT)
    )


def _one(mail_id: str) -> Update:
    return update(mail_outbox).where(mail_outbox.c.id == mail_id)


_MEETING = func.json_extract(mail_outbox.c.template_values, "$.meeting")
_WHAT_IS_LEFT = case((_MEETING.is_(None), "{}"), else_=func.json_object("meeting", _MEETING))
"""The values of a mail that is done: links in it may open an account; by its meeting it is found when that is deleted."""

_WAITING = (mail_outbox.c.sent_at_ms.is_(None), mail_outbox.c.failed_at_ms.is_(None))
