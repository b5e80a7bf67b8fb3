"""Proof that the audit log is what it was: signing its end, checking all of it, deleting whole months, redacting.

Hashes alone prove nothing against somebody who can compute all of them anew. So the end of the chain is signed every few
minutes (HMAC-SHA256, RFC 2104) with a key that is not in the database, and told to the file of checkpoints. What cannot
be noticed: events added past the program, and changes to those of the last minutes, which are not signed yet.
"""

import asyncio
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from pymeet.db import audit
from pymeet.db.audit_checkpoints import Checkpoints, Kind, Remembered
from pymeet.db.audit_walk import REDACTED, Problem, Walk, What
from pymeet.db.engine import Database
from pymeet.db.schema import audit_anchors, audit_events, audit_head
from pymeet.errors import ConflictError, NotFoundError, PymeetError

PURPOSE: Final = b"audit"
"""The purpose of the key with which the log is signed: `keys.purpose_key(PURPOSE)`."""

SEAL_EVENTS: Final = 1_000
"""So many events are checked and signed in one transaction, so that nobody waits long for it."""

DROP_EVENTS: Final = 500
"""So many events are deleted in one transaction."""

_PAGE_EVENTS = 2_000

# As text, because SQLAlchemy fails on values of types that only somebody who tampers puts there.
_EVENTS = (
    "SELECT sequence, segment, at_ms, actor, action, target, detail, salt, leaf, chain FROM audit_events"
    " WHERE sequence > ? ORDER BY sequence LIMIT ?"
)
_ANCHORS = (
    "SELECT segment, first_sequence, last_sequence, chain, mac, sealed_at_ms FROM audit_anchors ORDER BY first_sequence"
)
_HEAD = "SELECT sequence, chain, sealed_sequence, sealed_chain, mac FROM audit_head"
_RUNS = (
    "SELECT min(sequence) AS first, max(sequence) AS last, count(*) AS events FROM ("
    "SELECT sequence, sequence - row_number() OVER (ORDER BY sequence) AS island FROM audit_events WHERE segment = ?"
    ") GROUP BY island ORDER BY first"
)


class AuditBrokenError(PymeetError):
    """The audit log was changed from outside, so it is not signed any further; `verify` tells where."""

    code = "audit_broken"


@dataclass(frozen=True)
class Report:
    """What checking the whole log found."""

    events: int
    """How many are there."""
    dropped: int
    """How many were in months that were deleted in time, for which an anchor vouches."""
    redacted: int
    left_over: int
    """How many are in a month that is being deleted right now."""
    head: int
    """The number of the newest event."""
    fingerprint: str
    """The hash that stands for the whole log, hexadecimal, to be compared with one that was noted elsewhere."""
    sealed: int
    """Up to which event the log is signed; 0 when it never was."""
    sealed_since_ms: int | None
    """The time of the oldest checkpoint; None when there is none."""
    restores: int
    """How often a backup was put back."""
    problems: tuple[Problem, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing contradicts the log."""
        return not self.problems


@dataclass(frozen=True)
class Sealed:
    """How far the log is signed."""

    sequence: int
    chain: bytes
    complete: bool
    """Whether that is its end."""


@dataclass(frozen=True)
class Due:
    """Events without a gap, of a month whose time is over."""

    segment: str
    first: int
    last: int
    events: int


def seal(conn: Connection, mac_key: bytes) -> Sealed:
    """Checks the next events after the last signature, `SEAL_EVENTS` at most, and signs the chain after them.

    Raises AuditBrokenError, and signs nothing, where they do not fit.
    """
    head = conn.exec_driver_sql(_HEAD).one_or_none()
    if head is None:
        raise AuditBrokenError("The head of the audit log is missing, so nothing is signed.")
    walk = Walk()
    if head.mac is not None:
        if not _is_same(head.mac, _seal_mac(mac_key, head.sealed_sequence, head.sealed_chain)):
            raise AuditBrokenError("The signature of the audit log is not this server's, so it is not renewed.")
        walk = Walk(head.sealed_sequence, head.sealed_chain)
    for row in conn.exec_driver_sql(_EVENTS, (walk.sequence, SEAL_EVENTS)).all():
        walk.step(row)
    complete = walk.sequence >= head.sequence
    fits = (walk.sequence, walk.chain) == (head.sequence, head.chain) if complete else walk.events == SEAL_EVENTS
    if walk.problems or not fits:
        raise AuditBrokenError("The newest events of the audit log were changed, so they are not signed.")
    if walk.events:
        mac = _seal_mac(mac_key, walk.sequence, walk.chain)
        conn.execute(update(audit_head).values(sealed_sequence=walk.sequence, sealed_chain=walk.chain, mac=mac))
    return Sealed(walk.sequence, walk.chain, complete)


async def seal_log(db: Database, checkpoints: Checkpoints, now_ms: int) -> None:
    """Signs what is not signed yet, and writes a checkpoint when the file has not got that far.

    To be called every few minutes, and at the end. Raises AuditBrokenError.
    """
    newest = await asyncio.to_thread(checkpoints.newest)
    sealed = await _seal_all(db, checkpoints.mac_key)
    known = newest.sequence if newest else 0
    if newest and (known > sealed.sequence or await db.study(chain_at, known) not in (newest.chain, None)):
        raise AuditBrokenError(
            "The audit log is not the one of its checkpoints: an old copy of the database is in use."
        )
    if sealed.sequence > known:
        await asyncio.to_thread(checkpoints.append, Kind.SEALED, sealed.sequence, sealed.chain, now_ms)


async def note_restore(db: Database, checkpoints: Checkpoints, now_ms: int) -> int:
    """Notes, signed and in the log itself, that a backup was put back; how many events at least were lost by that.

    To be called once, when the backup stands in its place and before the server runs with it. Raises AuditBrokenError,
    and vouches for nothing, when the log in the backup was changed.
    """
    report = await db.study(_verify, checkpoints.mac_key, None)
    if not report.intact:
        raise AuditBrokenError("The audit log in the backup was changed, so it is not signed.")
    sealed = await _seal_all(db, checkpoints.mac_key)
    newest = await asyncio.to_thread(checkpoints.newest)
    lost = max(0, newest.sequence - sealed.sequence) if newest else 0
    await asyncio.to_thread(checkpoints.append, Kind.RESTORED, sealed.sequence, sealed.chain, now_ms)
    await db.work(audit.record_now, now_ms, audit.OPERATOR, "audit.restored", "audit", {"lost": lost})
    await seal_log(db, checkpoints, now_ms)
    return lost


async def _seal_all(db: Database, mac_key: bytes) -> Sealed:
    sealed = await db.work(seal, mac_key)
    while not sealed.complete:
        sealed = await db.work(seal, mac_key)
    return sealed


def verify(conn: Connection, checkpoints: Checkpoints) -> Report:
    """Checks every event, anchor, signature and checkpoint in one view of the database. Changes nothing."""
    remembered = checkpoints.read()  # before the first statement: the view must not be older than the file
    return _verify(conn, checkpoints.mac_key, remembered)


def _verify(conn: Connection, mac_key: bytes, remembered: Remembered | None) -> Report:
    """`verify`; without anything remembered only what the database says for itself."""
    is_file_missing = remembered == Remembered((), None)
    remembered = remembered or Remembered((), None)
    head = conn.exec_driver_sql(_HEAD).one_or_none()
    expected = _expected(remembered)
    walk = Walk(expected=expected)
    sealed = 0
    if remembered.bad_line is not None:
        walk.note(What.CHECKPOINT_FORGED, remembered.bad_line)
    if head is not None and head.mac is not None:
        if is_file_missing:
            walk.note(What.CHECKPOINTS_MISSING, 0)
        if not _is_same(head.mac, _seal_mac(mac_key, head.sealed_sequence, head.sealed_chain)):
            walk.note(What.SEAL_FORGED, 0)
        else:
            sealed = head.sealed_sequence
            if expected.setdefault(sealed, head.sealed_chain) != head.sealed_chain:
                walk.note(What.REWRITTEN, sealed)
    elif remembered.checkpoints:
        walk.note(What.SEAL_MISSING, 0)
    dropped, left_over = _walk_through(conn, walk, mac_key)
    furthest = max(expected, default=0)
    if head is None or not isinstance(head.sequence, int):
        walk.note(What.HEAD_MISSING, 0)
    elif head.sequence > walk.sequence:
        walk.note(What.TRUNCATED, walk.sequence + 1)
    elif head.sequence < walk.sequence:
        walk.note(What.BEYOND_HEAD, head.sequence + 1)
    elif head.chain != walk.chain:
        walk.note(What.HEAD_CHANGED, head.sequence)
    if furthest > walk.sequence:
        walk.note(What.ROLLED_BACK, furthest)
    redacted = walk.finish()
    return Report(
        events=walk.events,
        dropped=dropped - left_over,
        redacted=redacted,
        left_over=left_over,
        head=walk.sequence,
        fingerprint=walk.chain.hex(),
        sealed=sealed,
        sealed_since_ms=remembered.checkpoints[0].at_ms if remembered.checkpoints else None,
        restores=sum(each.kind is Kind.RESTORED for each in remembered.checkpoints),
        problems=tuple(walk.problems),
    )


def due(conn: Connection, cutoff_ms: int) -> list[Due]:
    """The months whose last event is as old as `cutoff_ms` or older, oldest first. Unsigned ones wait."""
    sealed = conn.execute(select(audit_head.c.sealed_sequence)).scalar_one_or_none() or 0
    over = select(audit_events.c.segment).where(audit_events.c.at_ms <= cutoff_ms, ~is_dropped()).distinct()
    found = []
    for segment in sorted(conn.execute(over).scalars()):
        newest = select(func.max(audit_events.c.at_ms)).where(audit_events.c.segment == segment)
        if conn.execute(newest).scalar_one() <= cutoff_ms:
            # More than one run only where the clock was set back over the end of a month.
            runs = [Due(segment, *run) for run in conn.exec_driver_sql(_RUNS, (segment,))]
            found += [run for run in runs if run.last <= sealed]
    return sorted(found, key=lambda run: run.first)


def drop_segments(conn: Connection, cutoff_ms: int, mac_key: bytes, now_ms: int) -> int:
    """Deletes up to `DROP_EVENTS` events of months that are over; how many. To be called until it says 0.

    With its first event a month gets its signed anchor, and what is left of it counts as deleted: nobody sees it.
    """
    furthest = select(func.max(audit_anchors.c.last_sequence)).scalar_subquery()
    left = select(audit_events.c.sequence).where(audit_events.c.sequence <= furthest, is_dropped())
    left = left.order_by(audit_events.c.sequence).limit(DROP_EVENTS)
    if gone := conn.execute(delete(audit_events).where(audit_events.c.sequence.in_(left))).rowcount:
        return gone
    months = due(conn, cutoff_ms)
    if not months:
        return 0
    month = months[0]
    chain = conn.execute(select(audit_events.c.chain).where(audit_events.c.sequence == month.last)).scalar_one()
    name, count = month.segment, 1
    while conn.execute(select(audit_anchors.c.segment).where(audit_anchors.c.segment == name)).first():
        count += 1
        name = f"{month.segment}.{count}"
    said = [name, month.first, month.last, chain, now_ms]
    columns = ("segment", "first_sequence", "last_sequence", "chain", "sealed_at_ms")
    values = {**dict(zip(columns, said, strict=True)), "mac": _mac(mac_key, "anchor", *said)}
    conn.execute(insert(audit_anchors).values(values))
    return drop_segments(conn, cutoff_ms, mac_key, now_ms)


def redact(conn: Connection, sequence: int, actor: str, now_ms: int) -> None:
    """Removes what one event says, for good, and notes that in a new event; the chain still holds.

    Raises NotFoundError, or ConflictError when it was done already or the event is itself such a note.
    """
    query = select(audit_events).where(audit_events.c.sequence == sequence, ~is_dropped())
    event = conn.execute(query).one_or_none()
    if event is None:
        raise NotFoundError("There is no such event in the audit log.")
    if event.salt is None or event.action == REDACTED:
        raise ConflictError("There is nothing in this event that could be removed.")
    nothing = dict.fromkeys(("actor", "action", "target", "detail", "salt"))
    conn.execute(update(audit_events).where(audit_events.c.sequence == sequence).values(nothing))
    detail = {"sequence": sequence, "at_ms": event.at_ms, "segment": event.segment}
    audit.record_now(conn, now_ms, actor, REDACTED, str(sequence), detail)


def _expected(remembered: Remembered) -> dict[int, bytes]:
    """Which hashes the chain must have after which events, and that it must have got to the last of them."""
    expected: dict[int, bytes] = {}
    for each in remembered.checkpoints:
        if each.kind is Kind.RESTORED:
            # Its hash covers everything before it, and what was signed since that backup was made is no more.
            expected = {}
        expected[each.sequence] = each.chain
    return expected


def _walk_through(conn: Connection, walk: Walk, mac_key: bytes) -> tuple[int, int]:
    """Walks over all events and anchors; how many events the anchors stand for, and how many of those are still there."""
    anchors = list(conn.exec_driver_sql(_ANCHORS))
    dropped = left_over = 0

    def jump_before(sequence: float) -> None:
        nonlocal dropped
        while anchors and anchors[0].first_sequence <= sequence:
            anchor = anchors.pop(0)
            said = [anchor.segment, anchor.first_sequence, anchor.last_sequence, anchor.chain, anchor.sealed_at_ms]
            if not _is_same(anchor.mac, _mac(mac_key, "anchor", *said)):
                walk.note(What.ANCHOR_FORGED, anchor.first_sequence)
                continue  # its events then are a gap
            walk.jump(anchor.first_sequence, anchor.last_sequence, anchor.chain)
            dropped += anchor.last_sequence - anchor.first_sequence + 1

    for row in _all_events(conn):
        jump_before(row.sequence)
        if row.sequence <= walk.sequence:
            left_over += 1
        else:
            walk.step(row)
    jump_before(float("inf"))
    return dropped, left_over


def _all_events(conn: Connection) -> Iterator[Any]:
    last = 0
    while rows := conn.exec_driver_sql(_EVENTS, (last, _PAGE_EVENTS)).all():
        yield from rows
        last = rows[-1].sequence


def chain_at(conn: Connection, sequence: int) -> bytes | None:
    """The hash after an event, from itself or from the anchor of the month that ended with it."""
    event = select(audit_events.c.chain).where(audit_events.c.sequence == sequence)
    anchor = select(audit_anchors.c.chain).where(audit_anchors.c.last_sequence == sequence)
    return conn.execute(event).scalar_one_or_none() or conn.execute(anchor).scalar_one_or_none()


def is_dropped() -> Any:
    """The condition that an event belongs to a month that was deleted, and is only still there."""
    within = audit_events.c.sequence.between(audit_anchors.c.first_sequence, audit_anchors.c.last_sequence)
    return exists(select(audit_anchors.c.segment).where(within))


def _seal_mac(mac_key: bytes, sequence: Any, chain: Any) -> bytes:
    return _mac(mac_key, "seal", sequence, chain)


def _mac(mac_key: bytes, *said: Any) -> bytes:
    plain = [[each.hex()] if isinstance(each, bytes) else each for each in said]
    return hmac.digest(mac_key, json.dumps(plain).encode(), "sha256")


def _is_same(given: Any, right: bytes) -> bool:
    return isinstance(given, bytes) and hmac.compare_digest(given, right)
