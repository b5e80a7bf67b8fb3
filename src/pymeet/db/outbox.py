"""Mails that wait to be sent: putting one in belongs to the transaction of the deed that it tells of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Insert, RowMapping, Update, case, func, insert, literal, select, tuple_, update

from pymeet.db.engine import Transaction
from pymeet.db.schema.mail import mail_outbox
from pymeet.ids import new_id

DROPPED = "dropped"
"""The word for a mail that an administrator took out of the queue."""


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


@dataclass(frozen=True)
class Entry:
    """A mail that waits, or was given up, without what it says. Times are UTC milliseconds."""

    id: str
    to_address: str
    template: str
    created_at_ms: int
    attempts: int
    next_at_ms: int | None
    """When it is tried again; None for one that is not tried any more."""
    failed_at_ms: int | None
    error: str | None
    """Why it was not sent the last time, in a fixed word."""


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
    values = {"sent_at_ms": now_ms, "failed_at_ms": None, "error": None, "template_values": _WHAT_IS_LEFT}
    await conn.execute(_one(mail_id).values(**values))


async def postponed(conn: Transaction, mail_id: str, *, error: str) -> None:
    """It was not sent this time, for the reason that the fixed word `error` names."""
    await conn.execute(_one(mail_id).where(*_WAITING).values(error=error))


async def failed(conn: Transaction, mail_id: str, *, now_ms: int, error: str) -> None:
    """It is not tried again. Nothing happens to one that does not wait any more."""
    await conn.execute(
        _one(mail_id).where(*_WAITING).values(failed_at_ms=now_ms, error=error, template_values=_WHAT_IS_LEFT)
    )


async def give_up(conn: Transaction, *, now_ms: int, created_before_ms: int, error: str) -> None:
    """Ends every waiting mail that was queued before a moment."""
    await conn.execute(
        update(mail_outbox)
        .where(*_WAITING, mail_outbox.c.created_at_ms < created_before_ms)
        .values(failed_at_ms=now_ms, error=error, template_values=_WHAT_IS_LEFT)
    )


async def entries(
    conn: Transaction, *, failed: bool, template: str = "", after: str = "", limit: int = 50
) -> tuple[Sequence[Entry], str | None]:
    """Up to `limit` mails that wait, or were given up, the newest first, from the one behind `after` (an id) on; and where
    to go on. `template` picks those of one kind."""
    state = mail_outbox.c.failed_at_ms.is_not(None) if failed else mail_outbox.c.failed_at_ms.is_(None)
    query = select(mail_outbox).where(mail_outbox.c.sent_at_ms.is_(None), state)
    if template:
        query = query.where(mail_outbox.c.template == template)
    last = select(mail_outbox.c.created_at_ms).where(mail_outbox.c.id == after)
    if after and (before_ms := (await conn.execute(last)).scalar()) is not None:
        query = query.where(
            tuple_(mail_outbox.c.created_at_ms, mail_outbox.c.id) < tuple_(literal(before_ms), literal(after))
        )
    query = query.order_by(mail_outbox.c.created_at_ms.desc(), mail_outbox.c.id.desc()).limit(limit + 1)
    found = [_entry(row) for row in (await conn.execute(query)).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def entry(conn: Transaction, mail_id: str) -> Entry | None:
    """One mail that waits or was given up."""
    query = select(mail_outbox).where(mail_outbox.c.id == mail_id, mail_outbox.c.sent_at_ms.is_(None))
    row = (await conn.execute(query)).mappings().first()
    return None if row is None else _entry(row)


async def counts(conn: Transaction) -> list[tuple[str, bool, int]]:
    """How many mails of each kind wait or were given up: `(template, given up, number)`."""
    is_failed = mail_outbox.c.failed_at_ms.is_not(None)
    query = (
        select(mail_outbox.c.template, is_failed.label("is_failed"), func.count().label("number"))
        .where(mail_outbox.c.sent_at_ms.is_(None))
        .group_by(mail_outbox.c.template, is_failed)
        .order_by(mail_outbox.c.template)
    )
    rows = (await conn.execute(query)).mappings()
    return [(row["template"], bool(row["is_failed"]), row["number"]) for row in rows]


async def hasten(conn: Transaction, *, now_ms: int, mail_id: str | None = None) -> int:
    """Lets one mail, or (None) all that wait, be tried now; how many that are."""
    which = () if mail_id is None else (mail_outbox.c.id == mail_id,)
    done = await conn.execute(update(mail_outbox).where(*_WAITING, *which).values(next_at_ms=now_ms))
    return done.rowcount


async def drop(conn: Transaction, mail_id: str, *, now_ms: int) -> bool:
    """Takes a mail out of the queue, and forgets what it says; whether it waited. One in flight may still arrive."""
    values = {"failed_at_ms": now_ms, "error": DROPPED, "template_values": _WHAT_IS_LEFT}
    done = await conn.execute(_one(mail_id).where(*_WAITING).values(**values))
    return done.rowcount > 0


def _entry(row: RowMapping) -> Entry:
    failed_at_ms = row["failed_at_ms"]
    return Entry(
        row["id"],
        row["to_address"],
        row["template"],
        row["created_at_ms"],
        row["attempts"],
        row["next_at_ms"] if failed_at_ms is None else None,
        failed_at_ms,
        row["error"],
    )


def _one(mail_id: str) -> Update:
    return update(mail_outbox).where(mail_outbox.c.id == mail_id)


_MEETING = func.json_extract(mail_outbox.c.template_values, "$.meeting")
_WHAT_IS_LEFT = case((_MEETING.is_(None), "{}"), else_=func.json_object("meeting", _MEETING))
"""The values of a mail that is done: links in it may open an account; by its meeting it is found when that is deleted."""

_WAITING = (mail_outbox.c.sent_at_ms.is_(None), mail_outbox.c.failed_at_ms.is_(None))
