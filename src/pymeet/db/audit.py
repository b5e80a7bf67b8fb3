"""The audit log: who did what to which account or room. Ids and fixed words only; names and addresses are refused."""

import re

from sqlalchemy import insert

from pymeet.db.engine import Transaction
from pymeet.db.schema.audit import audit_log

SYSTEM = "system"
"""The actor where the server itself acted."""

OPERATOR = "operator"
"""The actor where somebody with a shell on the server's machine acted."""

_ACTION = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,40}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def record(conn: Transaction, *, at_ms: int, actor: str, action: str, target: str) -> None:
    """Adds one line inside the caller's transaction, so that it stands if and only if the deed does.

    `actor` and `target` are ids (or SYSTEM, OPERATOR), `action` is a noun and a verb such as `room.deleted`.
    Anything that could be a name or an address raises ValueError: that is a mistake in the program.
    """
    if not _ACTION.fullmatch(action) or not _ID.fullmatch(actor) or not _ID.fullmatch(target):
        raise ValueError("An audit line holds ids and fixed words only.")
    await conn.execute(insert(audit_log).values(at_ms=at_ms, actor=actor, action=action, target=target))
