"""The API around proofs, for administrators and data protection officers: requests, holds, audit log, retention
(section 5.3). Names are shown to administrators only."""

import asyncio
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from sqlalchemy import Connection

from pymeet.accounts.model import User
from pymeet.db import audit_proof
from pymeet.db.audit_checkpoints import Checkpoints
from pymeet.db.audit_reading import Wanted, events
from pymeet.db.schema.privacy import RIGHTS
from pymeet.errors import InvalidInputError
from pymeet.privacy import holds
from pymeet.privacy.documents.words import words
from pymeet.privacy.find import the_person
from pymeet.privacy.holds import Hold
from pymeet.privacy.overview import called, room_called
from pymeet.privacy.people import DataSubject, guest, member
from pymeet.privacy.plan import plan
from pymeet.privacy.request_rows import ALL, Request
from pymeet.retention import CLASSES, days, format_period
from pymeet.signed import MAX_LENGTH
from pymeet.web.bodies import Body, read_json
from pymeet.web.parts import PARTS
from pymeet.web.personal_data import erasures, register
from pymeet.web.privacy_page import chosen_language
from pymeet.web.roles import allowed, record_view

EVENTS_AT_ONCE = 100
EVENTS_AT_MOST = 500

Word = Annotated[str, Field(min_length=1, max_length=40)]
Email = Annotated[str, Field(min_length=3, max_length=254)]
ReceiptText = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]


class NewRequest(Body):
    right: Word
    email: Email | None = None
    receipt: ReceiptText | None = None
    received_at: Annotated[int, Field(ge=0)] | None = None


class Decision(Body):
    decision: Word


class Extension(Body):
    reason: Word


class NewHold(Body):
    email: Email | None = None
    room: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    receipt: ReceiptText | None = None
    reason: Word
    review_days: Annotated[int, Field(ge=1, le=3650)]


async def list_requests(request: web.Request) -> web.Response:
    user = await allowed(request, "requests.read")
    found, now_ms = await register(request).list(ALL), request.app[PARTS].clock.now_ms()
    names = await _names(request, user, [each.person for each in found])
    await record_view(request, user, "requests", len(found))
    return web.json_response(
        {"requests": [_request(each, name, now_ms) for each, name in zip(found, names, strict=True)]}
    )


async def add_request(request: web.Request) -> web.Response:
    """Enters what came by letter or word of mouth; without address and receipt nobody knows yet who asks."""
    user = await allowed(request, "requests.decide")
    body = await read_json(request, NewRequest)
    if body.right not in RIGHTS:
        raise InvalidInputError(f"There is no such right. Choose one of: {', '.join(RIGHTS)}.")
    person = await _named(request, body.email, body.receipt)
    entered = await register(request).open(body.right, person, "operator", user.id, body.received_at)
    return web.json_response({"id": entered.id}, status=201)


async def decide(request: web.Request) -> web.Response:
    """An erasure that has not begun is stopped by refusing or withdrawing it; granted it is by being carried out."""
    user = await allowed(request, "requests.decide")
    body = await read_json(request, Decision)
    request_id, entries = request.match_info["id"], register(request)
    entry = await entries.get(request_id)
    if entry.right == "erasure" and body.decision == "withdrawn":
        await erasures(request).cancel(request_id, user.id)
    elif entry.right == "erasure" and body.decision in ("not_identified", "unfounded", "legal_duty"):
        await erasures(request).refuse(request_id, body.decision, user.id)
    else:
        await entries.decide(request_id, body.decision, user.id)
    return web.Response(status=204)


async def extend(request: web.Request) -> web.Response:
    user = await allowed(request, "requests.decide")
    body = await read_json(request, Extension)
    await register(request).extend(request.match_info["id"], body.reason, user.id)
    return web.Response(status=204)


async def list_holds(request: web.Request) -> web.Response:
    user = await allowed(request, "hold.place")
    async with request.app[PARTS].database.read() as conn:
        found = await conn.run_sync(holds.listed)
        shown = [await conn.run_sync(_hold, each, user.is_admin) for each in found]
    await record_view(request, user, "holds", len(shown))
    return web.json_response({"holds": shown})


async def place_hold(request: web.Request) -> web.Response:
    user = await allowed(request, "hold.place")
    body = await read_json(request, NewHold)
    parts = request.app[PARTS]
    if sum(each is not None for each in (body.email, body.room, body.receipt)) != 1:
        raise InvalidInputError("A hold is placed on one person or one room.")
    room_id = None if body.room is None else (await parts.meetings.room(body.room)).id
    person = await _named(request, body.email, body.receipt)

    def place(conn: Connection) -> Hold:
        now_ms = parts.clock.now_ms()
        return holds.place(
            conn,
            reason=body.reason,
            review_at_ms=now_ms + days(body.review_days),
            now_ms=now_ms,
            actor=user.id,
            person=person,
            room_id=room_id,
        )

    async with parts.database.write() as conn:
        placed = await conn.run_sync(place)
    return web.json_response({"id": placed.id}, status=201)


async def release_hold(request: web.Request) -> web.Response:
    user = await allowed(request, "hold.release")
    parts = request.app[PARTS]

    def release(conn: Connection) -> None:
        holds.release(conn, request.match_info["id"], now_ms=parts.clock.now_ms(), actor=user.id)

    async with parts.database.write() as conn:
        await conn.run_sync(release)
    return web.Response(status=204)


async def read_audit(request: web.Request) -> web.Response:
    """The newest events first; people stand in them under random names."""
    user = await allowed(request, "audit.read")
    before = _number(request, "before")
    limit = min(_number(request, "limit") or EVENTS_AT_ONCE, EVENTS_AT_MOST)
    wanted = Wanted(action=request.query.get("action") or None)

    def read(conn: Connection) -> list[dict[str, Any]]:
        return [
            {
                "sequence": each.sequence,
                "at": each.at_ms,
                "actor": each.actor,
                "action": each.action,
                "target": each.target,
                "detail": each.detail,
            }
            for each in events(conn, wanted, limit=limit, before=before)
        ]

    async with request.app[PARTS].database.read() as conn:
        found = await conn.run_sync(read)
    await record_view(request, user, "audit", len(found), action="audit.viewed")
    return web.json_response({"events": found})


async def verify_audit(request: web.Request) -> web.Response:
    """Checks every event, signature and checkpoint."""
    user = await allowed(request, "audit.verify")
    lifecycle = request.app[PARTS].lifecycle
    mac_key = await asyncio.to_thread(lifecycle.keys.purpose_key, audit_proof.PURPOSE)
    report = await lifecycle.db.study(audit_proof.verify, Checkpoints.beside(lifecycle.config.data_dir, mac_key))
    await record_view(request, user, "audit", report.events, action="audit.verified")
    problems = [{"what": each.what, "sequence": each.sequence} for each in report.problems]
    return web.json_response({"intact": report.intact, "events": report.events, "problems": problems})


async def show_retention(request: web.Request) -> web.Response:
    """The periods in force, those that wait, and how much is over and still there."""
    await allowed(request, "audit.read")
    parts = request.app[PARTS]
    periods, now_ms = parts.lifecycle.periods, parts.clock.now_ms()
    made = await parts.lifecycle.db.study(plan, periods, now_ms)
    due = dict.fromkeys(CLASSES, 0)
    for step in made.steps:
        due[step.retention_class] += step.count
    coming = {each.name: each for each in periods.coming(now_ms) if each.room_id is None}
    say, status = words(chosen_language(request)), parts.sweeps()
    return web.json_response(
        {
            "classes": [
                {
                    "name": name,
                    "title": say.of(each.title),
                    "period": format_period(periods.period_ms(name, now_ms)),
                    "coming": {"period": format_period(coming[name].to_ms), "from": coming[name].in_force_from_ms}
                    if name in coming
                    else None,
                    "due": due[name],
                }
                for name, each in CLASSES.items()
            ],
            "sweeper": {
                "last": status.last_pass_ms,
                "next": status.next_daily_ms,
                "waiting": status.waiting,
                "refused": list(status.doubts),
            },
        }
    )


async def _named(request: web.Request, email: str | None, receipt: str | None) -> DataSubject | None:
    """Who is meant by an address or a receipt; None for neither. NotFoundError, NotSignedInError (`bad_receipt`)."""
    if email is not None and receipt is not None:
        raise InvalidInputError("Name a person by an e-mail address or by a receipt, not by both.")
    text = email if email is not None else receipt
    if text is None:
        return None
    parts = request.app[PARTS]
    async with parts.database.read() as conn:
        return await conn.run_sync(the_person, text, parts.receipt_key)


async def _names(request: web.Request, user: User, people: list[DataSubject | None]) -> list[str | None]:
    """What administrators know these people by; nothing for others."""
    if not user.is_admin:
        return [None] * len(people)
    async with request.app[PARTS].database.read() as conn:
        return [None if each is None else await conn.run_sync(called, each) for each in people]


def _hold(conn: Connection, hold: Hold, named: bool) -> dict[str, Any]:
    kind = "member" if hold.user_id else "guest" if hold.participant_id else "room" if hold.room_id else "recording"
    who = hold.recording_id
    if named and hold.user_id:
        who = called(conn, member(hold.user_id))
    elif named and hold.participant_id:
        who = called(conn, guest(hold.participant_id))
    elif named and hold.room_id:
        who = room_called(conn, hold.room_id)
    return {
        "id": hold.id,
        "kind": kind,
        "who": who,
        "reason": hold.reason,
        "placed_at": hold.placed_at_ms,
        "review_at": hold.review_at_ms,
    }


def _request(request: Request, who: str | None, now_ms: int) -> dict[str, Any]:
    return {
        "id": request.id,
        "right": request.right,
        "origin": request.origin,
        "who": who,
        "state": request.state,
        "received_at": request.received_at_ms,
        "due_at": request.due_at_ms,
        "days_left": request.days_left(now_ms),
        "overdue": request.overdue(now_ms),
        "decision": request.decision,
    }


def _number(request: web.Request, name: str) -> int | None:
    """A positive number out of the query; None without one. InvalidInputError."""
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:19]) < 2**53 and len(text) < 17):
        raise InvalidInputError(f"{name} must be a positive whole number.")
    return int(text)
