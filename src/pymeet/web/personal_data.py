"""What people see about themselves, members and guests alike (docs/protocol.md, section 5.1)."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from pymeet.config import Config
from pymeet.db import audit
from pymeet.errors import NotFoundError
from pymeet.ops.addresses import public_url
from pymeet.privacy import consents, erasure_rows, limits, request_rows
from pymeet.privacy.consents import Consent
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.export import ExportState, exports_of
from pymeet.privacy.notices import Notice, Notices, newest_now
from pymeet.privacy.overview import HeldClass, overview
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, member
from pymeet.privacy.periods import Periods
from pymeet.privacy.request_rows import Request
from pymeet.privacy.requests import Requests
from pymeet.recording.removal import take_out
from pymeet.web.parts import PARTS
from pymeet.web.privacy_page import chosen_language


@dataclass(frozen=True)
class _Found:
    """Everything that one look at the database found about somebody."""

    classes: list[HeldClass]
    causes: frozenset[str]
    erasure: Request | None
    consents: list[Consent]
    requests: list[Request]


async def shown_to(request: web.Request, person: DataSubject, described: dict[str, Any]) -> dict[str, Any]:
    """The whole answer; `described` says who the person is."""
    parts = request.app[PARTS]
    lifecycle, now_ms = parts.lifecycle, parts.clock.now_ms()
    notice = await notice_now(lifecycle, now_ms)
    async with parts.database.read() as conn:
        language = chosen_language(request)
        found = await conn.run_sync(_look, person, lifecycle.config, lifecycle.periods, language, now_ms)
    read = [each.notice_version for each in found.consents if each.purpose == consents.NOTICE]
    return {
        "person": described,
        "classes": [_class(each) for each in found.classes],
        "limits": {
            "restricted": limits.RESTRICTION in found.causes,
            "objecting": limits.OBJECTION in found.causes,
        },
        "erasure": found.erasure and shown_erasure(found.erasure),
        "exports": [_export(each) for each in await exports_of(lifecycle, person)],
        "consents": [_consent(each) for each in found.consents],
        "requests": [_request(each) for each in found.requests],
        "notice": {
            "version": notice.version,
            "published_at": notice.published_at_ms,
            "acknowledged": max(read, default=0) >= notice.version,
        },
    }


async def notice_now(lifecycle: Lifecycle, now_ms: int) -> Notice:
    """The newest version of the privacy notice. It is published at the start and by sweeps; here only the very first."""
    async with lifecycle.db.read() as conn:
        newest = await conn.run_sync(newest_now)
    return newest or await Notices(lifecycle).current(now_ms)


async def withdraw(request: web.Request, person: DataSubject, consent_id: str, *, method: str, actor: str) -> None:
    """Takes back a consent of this person, stops what it allowed, and destroys what was recorded by it (Article 17(1)(b)).

    NotFoundError, ConflictError (`no_consent`, or `held` where a legal hold keeps what was recorded).
    """
    parts = request.app[PARTS]

    def end(conn: Connection) -> Consent:
        now_ms = parts.clock.now_ms()
        given = consents.one(conn, consent_id, person)
        consents.withdraw(conn, person, given.purpose, given.object_id or "", method=method, now_ms=now_ms)
        audit.record_now(conn, now_ms, actor, "consent.withdrawn", given.id, {"purpose": given.purpose})
        return given

    async with parts.database.write() as conn:
        given = await conn.run_sync(end)
    if given.purpose == "recording" and given.object_id is not None:
        await parts.lifecycle.consent_withdrawn(person, given.object_id)
        with suppress(NotFoundError):  # nothing was taken of them, or it is gone
            await take_out(parts.lifecycle, given.object_id, person, actor)


def erasures(request: web.Request) -> Erasures:
    """The erasures of this server, with its address for links in mails."""
    parts = request.app[PARTS]
    return Erasures(parts.lifecycle, site=public_url(parts.config))


async def cancel_erasure(request: web.Request, user_id: str) -> None:
    """Cancels the erasure of the account, for who proved to be that person; none under way is no error."""
    erasing = erasures(request)
    erasure = await erasing.under_way(member(user_id))
    if erasure is not None:  # otherwise it was cancelled a moment ago
        await erasing.cancel(erasure.id, user_id)


def register(request: web.Request) -> Requests:
    """The register of requests."""
    parts = request.app[PARTS]
    return Requests(parts.lifecycle, site=public_url(parts.config))


def shown_erasure(erasure: Request) -> dict[str, Any]:
    """An erasure that is under way."""
    return {"request": erasure.id, "state": erasure.state, "erased_after": erasure.not_before_ms}


def _look(
    conn: Connection, person: DataSubject, config: Config, periods: Periods, language: str, now_ms: int
) -> _Found:
    return _Found(
        classes=overview(conn, person, config, periods, language, now_ms),
        causes=frozenset(each.cause for each in limits.in_force(conn, person)),
        erasure=erasure_rows.under_way(conn, person),
        consents=list(consents.timeline(conn, person)),
        requests=list(request_rows.of_person(conn, person, periods.cutoff_ms("request", now_ms))),
    )


def _class(held: HeldClass) -> dict[str, Any]:
    return {
        "name": held.name,
        "title": held.title,
        "purpose": held.purpose,
        "basis": held.basis,
        "count": held.count,
        "keep": {"period": held.period, "begins": held.begins, "gone_by": held.gone_by_ms},
        "recipients": list(held.recipients),
    }


def _export(export: ExportState) -> dict[str, Any]:
    return {
        "id": export.id,
        "state": export.state,
        "requested_at": export.requested_at_ms,
        "ready_at": export.ready_at_ms,
        "link_until": export.fetchable_until_ms,
        "downloads_left": export.downloads_left,
        "size": export.size_bytes,
    }


def _consent(consent: Consent) -> dict[str, Any]:
    return {
        "id": consent.id,
        "purpose": consent.purpose,
        "recording": consent.object_id if consent.purpose == "recording" else None,
        "decision": consent.decision,
        "notice_version": consent.notice_version,
        "language": consent.language,
        "at": consent.at_ms,
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "right": request.right,
        "state": request.state,
        "received_at": request.received_at_ms,
        "due_at": request.due_at_ms,
        "closed_at": request.closed_at_ms,
        "decision": request.decision,
    }
