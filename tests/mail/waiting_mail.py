"""Puts mails into the outbox, and looks what became of them."""

from typing import Any

from sqlalchemy import select

from pymeet.clock import ManualClock
from pymeet.db import outbox
from pymeet.db.engine import Database
from pymeet.db.schema.mail import mail_outbox

URL = "https://meet.example.org/confirm#secret-token"


async def queue(
    db: Database, clock: ManualClock, to: str = "ann@example.org", template: str = "confirm_address"
) -> str:
    async with db.write() as conn:
        return await outbox.queue(
            conn,
            now_ms=clock.now_ms(),
            user_id=None,
            to=to,
            template=template,
            values={"url": URL},
            language="en",
        )


async def rows(db: Database) -> list[dict[str, Any]]:
    async with db.read() as conn:
        found = await conn.execute(select(mail_outbox).order_by(mail_outbox.c.created_at_ms))
        return [dict(row) for row in found.mappings()]


async def row(db: Database) -> dict[str, Any]:
    (found,) = await rows(db)
    return found
