"""The audit log: who did what to whom. Pseudonyms and fixed words only; names and addresses are refused.

Every event is a leaf, `SHA-256(salt ‖ number ‖ payload)`, chained to all before it: `chain = SHA-256(chain before ‖
leaf)`. The payload is canonical JSON, `[at_ms, segment, actor, action, target, detail]`. Removing an event's payload and
salt leaves its leaf, so that everything still verifies; changing, reordering or removing an event does not.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, insert, select, update

from pymeet.db.engine import Transaction
from pymeet.db.schema import audit_events, audit_head, audit_people, users
from pymeet.ids import new_id

SYSTEM: Final = "system"
"""The actor where the server itself acted."""

OPERATOR: Final = "operator"
"""The actor where somebody with a shell on the server's machine acted."""

GUEST: Final = "guest"
"""The actor where somebody without account acted, with the receipt from joining."""

WORDS: Final = frozenset({SYSTEM, OPERATOR, GUEST})

START: Final = bytes(32)
"""What the first event is chained to."""

_ACTION = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,40}")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_KEY = re.compile(r"[a-z_][a-z0-9_.]{0,60}")
_WORD = re.compile(r"[a-z0-9_.:-]{0,64}")


@dataclass(frozen=True)
class Person:
    """A target that is somebody with an account: the log gets their pseudonym."""

    user_id: str


Detail = Mapping[str, int | bool | str | None]
"""Counts and fixed words; nothing that somebody typed."""


async def record(
    conn: Transaction, *, at_ms: int, actor: str, action: str, target: str | Person, detail: Detail | None = None
) -> None:
    """Adds one event inside the caller's transaction, so that it stands if and only if the deed does.

    `actor` is one of `WORDS` or the id of an account, `action` a noun and a verb such as `room.deleted`, `target` a
    `Person` or the random id (or fixed word) of a thing. Anything that could be a name or an address raises ValueError:
    that is a mistake in the program.
    """
    await conn.run_sync(record_now, at_ms, actor, action, target, detail)


def record_now(
    conn: Connection, at_ms: int, actor: str, action: str, target: str | Person, detail: Detail | None = None
) -> None:
    """`record` for work that has a connection in its own thread."""
    target_id = target.user_id if isinstance(target, Person) else target
    if not _ACTION.fullmatch(action) or not _ID.fullmatch(actor) or not _ID.fullmatch(target_id):
        raise ValueError("An audit event holds ids and fixed words only.")
    who = actor if actor in WORDS else _pseudonym(conn, actor)
    whom = _pseudonym(conn, target_id) if isinstance(target, Person) else target_id
    head = conn.execute(select(audit_head.c.sequence, audit_head.c.chain)).one_or_none()
    before, number = (head.chain, head.sequence + 1) if head else (START, 1)
    segment = segment_of(at_ms)
    text = None if detail is None else canonical_detail(detail)
    salt = secrets.token_bytes(32)
    leaf = leaf_of(salt, number, payload_of(at_ms, segment, who, action, whom, text))
    chain = chained(before, leaf)
    conn.execute(
        insert(audit_events).values(
            sequence=number,
            segment=segment,
            at_ms=at_ms,
            actor=who,
            action=action,
            target=whom,
            detail=text,
            salt=salt,
            leaf=leaf,
            chain=chain,
        )
    )
    if head:
        conn.execute(update(audit_head).values(sequence=number, chain=chain))
    else:
        conn.execute(insert(audit_head).values(id=1, sequence=number, chain=chain))


def segment_of(at_ms: int) -> str:
    """The month (UTC) an event belongs to, `2026-11`; whole months are deleted together."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")


def canonical_detail(detail: Detail) -> str:
    """The text form of an event's detail. ValueError for anything that is not a count or a fixed word."""
    for key, value in detail.items():
        if not _KEY.fullmatch(key) or (isinstance(value, str) and not _WORD.fullmatch(value)):
            raise ValueError("The detail of an audit event holds counts and fixed words only.")
    return json.dumps(dict(detail), sort_keys=True, separators=(",", ":"))


def payload_of(at_ms: int, segment: str, actor: str, action: str, target: str, detail: str | None) -> bytes:
    """What of an event is hashed."""
    return json.dumps([at_ms, segment, actor, action, target, detail], separators=(",", ":")).encode()


def leaf_of(salt: bytes, number: int, payload: bytes) -> bytes:
    """The hash of one event; without the salt nobody can try which payload it was."""
    return hashlib.sha256(salt + number.to_bytes(8, "big") + payload).digest()


def chained(before: bytes, leaf: bytes) -> bytes:
    """The state of the chain after an event."""
    return hashlib.sha256(before + leaf).digest()


def _pseudonym(conn: Connection, user_id: str) -> str:
    """The random name of an account in this log, made on first use. Without account there is none: a fresh one stands
    for somebody who is not there any more, and is not kept."""
    found = conn.execute(select(audit_people.c.pseudonym).where(audit_people.c.user_id == user_id)).scalar_one_or_none()
    if found:
        return str(found)

    made = new_id()
    if conn.execute(select(users.c.id).where(users.c.id == user_id)).first():
        conn.execute(insert(audit_people).values(user_id=user_id, pseudonym=made))
    return made
