"""Reading the audit log: the newest events, who is behind a pseudonym, sums, and the export that outsiders can verify.

Events of a month that is being deleted count as deleted: nobody sees them any more.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from pymeet.db.audit import START, WORDS, payload_of
from pymeet.db.audit_proof import chain_at, is_dropped
from pymeet.db.schema import audit_anchors, audit_events, audit_people, users

EXPORT_FORMAT: Final = "pymeet-audit-1"


@dataclass(frozen=True)
class Event:
    """One event; a redacted one has neither actor nor action, target and detail. Time is UTC milliseconds."""

    sequence: int
    at_ms: int
    actor: str | None
    action: str | None
    target: str | None
    detail: Mapping[str, Any] | None


@dataclass(frozen=True)
class Wanted:
    """Which events: those from `since_ms` on and before `until_ms`. `action` may be a group, such as `user`.

    `actor` and `target` are as the log has them: a pseudonym, a fixed word, the id of a thing.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    actor: str | None = None
    action: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class Tally:
    """How often an actor did something; `count` sums the numbers that these events tell of."""

    actor: str
    action: str
    events: int
    count: int


@dataclass(frozen=True)
class ExportPage:
    """Some lines of an export; the next page begins after the event `next_after`, None at the end."""

    lines: list[str]
    next_after: int | None


def events(conn: Connection, wanted: Wanted, *, limit: int, before: int | None = None) -> list[Event]:
    """The newest events first, `limit` at most; `before` a number goes on to older ones."""
    query = select(audit_events).where(_wanted(wanted)).order_by(audit_events.c.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(audit_events.c.sequence < before)
    return [
        Event(row.sequence, row.at_ms, row.actor, row.action, row.target, row.detail and json.loads(row.detail))
        for row in conn.execute(query)
    ]


def tallies(conn: Connection, since_ms: int, until_ms: int) -> list[Tally]:
    """Who did what how often in that time, the most frequent first."""
    told = func.coalesce(func.json_extract(audit_events.c.detail, "$.count"), 1)
    query = (
        select(audit_events.c.actor, audit_events.c.action, func.count(), func.sum(told))
        .where(_wanted(Wanted(since_ms, until_ms)), audit_events.c.action.is_not(None))
        .group_by(audit_events.c.actor, audit_events.c.action)
        .order_by(func.count().desc(), audit_events.c.actor, audit_events.c.action)
    )
    return [Tally(*row) for row in conn.execute(query)]


def pseudonym(conn: Connection, *, user_id: str | None = None, email: str | None = None) -> str | None:
    """What the log calls somebody with an account; None for who is not in it."""
    query = select(audit_people.c.pseudonym).join(users, users.c.id == audit_people.c.user_id)
    query = query.where(or_(users.c.id == user_id, users.c.email == email))
    return conn.execute(query).scalars().first()


def emails(conn: Connection, pseudonyms: Collection[str | None]) -> dict[str, str]:
    """The e-mail addresses behind pseudonyms, for those who still have an account."""
    asked = {each for each in pseudonyms if each} - WORDS
    query = select(audit_people.c.pseudonym, users.c.email).join(users, users.c.id == audit_people.c.user_id)
    rows = conn.execute(query.where(audit_people.c.pseudonym.in_(asked)))
    return {row.pseudonym: row.email for row in rows}


def export_page(
    conn: Connection, *, since_ms: int | None, until_ms: int | None, after: int | None, limit: int
) -> ExportPage:
    """Lines of JSON from which anybody can verify the chain without this program (docs/dpo.md has the recipe).

    The first page (`after` None) begins with where the chain stood before. Events that time would leave out are there
    nevertheless where they stand between others: a chain has no holes.
    """
    bounds = select(func.min(audit_events.c.sequence), func.max(audit_events.c.sequence))
    first, last = conn.execute(bounds.where(_wanted(Wanted(since_ms, until_ms)))).one()
    lines = []
    if after is None:
        # everything that there is begins with the beginning, months that were deleted included
        after = 0 if since_ms is None or first is None else first - 1
        lines.append({"kind": "start", "format": EXPORT_FORMAT, "sequence": after, "chain": _chain_after(conn, after)})
    if last is None and (since_ms, until_ms) != (None, None):
        lines.append({"kind": "end", "sequence": after, "chain": _chain_after(conn, after)})
        return ExportPage([json.dumps(line) for line in lines], None)
    anchors = _anchors(conn, after, last if until_ms is not None else None)
    at = after
    query = select(audit_events).where(audit_events.c.sequence > after, ~is_dropped())
    if last is not None:
        query = query.where(audit_events.c.sequence <= last)
    rows = conn.execute(query.order_by(audit_events.c.sequence).limit(limit)).all()
    complete = len(rows) < limit
    for row in rows:
        while anchors and anchors[0]["first"] <= row.sequence:
            lines.append(anchors.pop(0))
        lines.append(_line(row))
        at = row.sequence
    if complete:
        lines += anchors
        at = anchors[-1]["last"] if anchors else at
        lines.append({"kind": "end", "sequence": at, "chain": _chain_after(conn, at)})
    return ExportPage([json.dumps(line) for line in lines], None if complete else at)


def export(conn: Connection, since_ms: int | None = None, until_ms: int | None = None) -> Iterator[str]:
    """All lines of an export, out of one view of the database."""
    page = export_page(conn, since_ms=since_ms, until_ms=until_ms, after=None, limit=1_000)
    yield from page.lines
    while page.next_after is not None:
        page = export_page(conn, since_ms=since_ms, until_ms=until_ms, after=page.next_after, limit=1_000)
        yield from page.lines


def _wanted(wanted: Wanted) -> ColumnElement[bool]:
    columns = audit_events.c
    conditions = [~is_dropped()]
    if wanted.since_ms is not None:
        conditions.append(columns.at_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append(columns.at_ms < wanted.until_ms)
    if wanted.actor is not None:
        conditions.append(columns.actor == wanted.actor)
    if wanted.target is not None:
        conditions.append(columns.target == wanted.target)
    if wanted.action is not None:
        group = columns.action.startswith(f"{wanted.action}.", autoescape=True)
        conditions.append(or_(columns.action == wanted.action, group))
    return and_(*conditions)


def _line(row: Any) -> dict[str, Any]:
    payload = None
    if row.salt is not None:
        payload = payload_of(row.at_ms, row.segment, row.actor, row.action, row.target, row.detail).decode()
    return {
        "kind": "event",
        "sequence": row.sequence,
        "payload": payload,
        "salt": row.salt and row.salt.hex(),
        "leaf": row.leaf.hex(),
        "chain": row.chain.hex(),
    }


def _anchors(conn: Connection, after: int, last: int | None) -> list[dict[str, Any]]:
    """The months that were deleted after one event and before another."""
    query = select(audit_anchors).where(audit_anchors.c.last_sequence > after)
    if last is not None:
        query = query.where(audit_anchors.c.first_sequence <= last)
    return [
        {
            "kind": "anchor",
            "segment": row.segment,
            "first": row.first_sequence,
            "last": row.last_sequence,
            "chain": row.chain.hex(),
            "sealed_at_ms": row.sealed_at_ms,
            "mac": row.mac.hex(),
        }
        for row in conn.execute(query.order_by(audit_anchors.c.first_sequence))
    ]


def _chain_after(conn: Connection, sequence: int) -> str:
    return (chain_at(conn, sequence) or START).hex()
