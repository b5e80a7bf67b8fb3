"""The verbs of `pymeet audit`."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from pymeet.accounts.texts import clean_email
from pymeet.db import audit, audit_proof, audit_reading
from pymeet.db.audit_checkpoints import Checkpoints
from pymeet.db.audit_walk import SENTENCES
from pymeet.errors import NotFoundError
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.moments import moment_ms
from pymeet.ops.verbs.values import iso

EXPORT_LINES = 1_000
"""Lines on a page of an export."""


async def audit_list(
    services: Services,
    *,
    since: str | None = None,
    until: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    limit: int = 100,
    names: bool = False,
) -> list[dict[str, Any]]:
    """The newest events first; with `names` people by their e-mail address, which is an event of its own kind."""
    wanted = audit_reading.Wanted(
        _moment(services, since),
        _moment(services, until),
        await _known_as(services, actor),
        action,
        await _known_as(services, target),
    )

    def read(conn: Connection) -> tuple[list[audit_reading.Event], dict[str, str]]:
        found = audit_reading.events(conn, wanted, limit=limit)
        people = {name for event in found for name in (event.actor, event.target)} if names else set()
        return found, audit_reading.emails(conn, people)

    events, emails = await services.db.study(read)
    who = names or any(text and "@" in text for text in (actor, target))
    await _record(services, "audit.viewed", {"count": len(events), "names": who})
    return [_event(event, emails) for event in events]


async def audit_verify(services: Services, *, checkpoints: str | None = None) -> dict[str, Any]:
    """Checks the whole log; with `checkpoints` against a copy of that file from elsewhere."""
    beside = await log_checkpoints(services)
    if checkpoints is not None:
        path = Path(checkpoints)
        if not await asyncio.to_thread(path.is_file):
            raise NotFoundError("There is no such file of checkpoints.")
        beside = Checkpoints(path, beside.mac_key)
    report = await services.db.study(audit_proof.verify, beside)
    await _record(services, "audit.verified", {"events": report.events, "intact": report.intact})
    return {
        "intact": report.intact,
        "problems": [
            {"what": problem.what, "number": problem.sequence, "sentence": SENTENCES[problem.what]}
            for problem in report.problems
        ],
        "events": report.events,
        "dropped": report.dropped,
        "redacted": report.redacted,
        "left_over": report.left_over,
        "head": report.head,
        "fingerprint": report.fingerprint,
        "sealed": report.sealed,
        "sealed_since": None if report.sealed_since_ms is None else iso(report.sealed_since_ms),
        "restores": report.restores,
    }


async def audit_export(
    services: Services, *, since: str | None = None, until: str | None = None, after: int | None = None
) -> dict[str, Any]:
    """One page of an export: its lines, and `next`, to be given as `after` for the next page; None at the end.

    `since` and `until` must be points in time, not periods, so that all pages mean the same.
    """
    since_ms, until_ms = _moment(services, since), _moment(services, until)

    def read(conn: Connection) -> audit_reading.ExportPage:
        return audit_reading.export_page(conn, since_ms=since_ms, until_ms=until_ms, after=after, limit=EXPORT_LINES)

    if after is None:
        await _record(services, "audit.exported", None)
    page = await services.db.study(read)
    return {"lines": page.lines, "next": page.next_after}


OPERATIONS: Mapping[str, Operation] = {
    "audit.list": audit_list,
    "audit.verify": audit_verify,
    "audit.export": audit_export,
}


async def log_checkpoints(services: Services) -> Checkpoints:
    """The checkpoints of this server's audit log."""
    mac_key = await asyncio.to_thread(services.keys.purpose_key, audit_proof.PURPOSE)
    return Checkpoints.beside(services.config.data_dir, mac_key)


async def _record(services: Services, action: str, detail: audit.Detail | None) -> None:
    async with services.db.write() as conn:
        await audit.record(
            conn,
            at_ms=services.clock.now_ms(),
            actor=audit.OPERATOR,
            action=action,
            target="audit",
            detail=detail,
        )


async def _known_as(services: Services, text: str | None) -> str | None:
    """What the log calls somebody who is named by e-mail address; anything else as it is."""
    if text is None or "@" not in text:
        return text
    email = clean_email(text)
    found = await services.db.study(lambda conn: audit_reading.pseudonym(conn, email=email))
    if found is None:
        raise NotFoundError("Nobody with this e-mail address is in the audit log.")
    return found


def _moment(services: Services, text: str | None) -> int | None:
    return None if text is None else moment_ms(text, services.clock.now_ms())


def _event(event: audit_reading.Event, emails: Mapping[str, str]) -> dict[str, Any]:
    return {
        "number": event.sequence,
        "at": iso(event.at_ms),
        "actor": emails.get(event.actor or "", event.actor),
        "action": event.action,
        "target": emails.get(event.target or "", event.target),
        "detail": event.detail,
    }
