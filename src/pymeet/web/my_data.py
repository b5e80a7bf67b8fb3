"""The API by which members see, correct, take along, restrict and erase what is held about them (section 5.1)."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from sqlalchemy import Connection

from pymeet.accounts.model import User
from pymeet.accounts.texts import clean_line
from pymeet.db import notifications, outbox
from pymeet.ops.addresses import public_url
from pymeet.privacy import consent_receipt, consents, limits
from pymeet.privacy.documents.deadlines import in_force
from pymeet.privacy.export import Export, open_own
from pymeet.privacy.notices import acknowledge
from pymeet.privacy.people import DataSubject
from pymeet.privacy.people import member as member_of
from pymeet.privacy.rectify import rectify
from pymeet.privacy.request_mail import MY_DATA_PAGE
from pymeet.privacy.status_text import issue
from pymeet.recording.removal import take_out
from pymeet.web.bodies import Body, read_json
from pymeet.web.confirming import confirm
from pymeet.web.downloads import send_archive
from pymeet.web.exporting import start_export
from pymeet.web.parts import PARTS
from pymeet.web.personal_data import erasures, register, shown_to, withdraw
from pymeet.web.sessions import end_session, member

Language = Annotated[str, Field(min_length=2, max_length=20)]


class Correction(Body):
    name: str
    """`clean_line` says how long it may be."""


class ExportWish(Body):
    language: Language


class Switch(Body):
    on: bool


class Confirmation(Body):
    password: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Missing for who showed the OpenID provider a moment ago who they are."""


class NoticeRead(Body):
    version: Annotated[int, Field(ge=1, le=1_000_000_000)]
    language: Language


async def show(request: web.Request) -> web.Response:
    user = await member(request)
    who = {"kind": "member", "name": user.name, "email": user.email}
    return web.json_response(await shown_to(request, member_of(user.id), who))


async def correct(request: web.Request) -> web.Response:
    """What stands under messages and in meetings of the past stays: it says who somebody was then."""
    user = await member(request)
    body = await read_json(request, Correction)
    parts = request.app[PARTS]

    def change(conn: Connection) -> None:
        now_ms = parts.clock.now_ms()
        rectify(conn, member_of(user.id), "users", "name", body.name, actor=user.id, now_ms=now_ms, clean=_clean_name)

    async with parts.database.write() as conn:
        await conn.run_sync(change)
    return web.Response(status=204)


async def begin_export(request: web.Request) -> web.Response:
    """The register of requests gets its entry when the archive is ready, which is the answer."""
    user = await member(request)
    body = await read_json(request, ExportWish)
    person, asked_at_ms = member_of(user.id), request.app[PARTS].clock.now_ms()

    async def answered(export: Export) -> None:
        entries = register(request)
        entry = await entries.open("access", person, "self", user.id, asked_at_ms, verified=True, tell=False)
        await entries.decide(entry.id, "granted", user.id)
        await _tell(request, user, export)

    made = await start_export(request, person, language=body.language, actor=user.id, afterwards=answered)
    return web.json_response({"id": made}, status=202)


async def export_file(request: web.Request) -> web.StreamResponse:
    """The archive; beginning to fetch it counts as one of the downloads, whether it is finished or not."""
    user = await member(request)
    parts = request.app[PARTS]
    person, export_id = member_of(user.id), request.match_info["id"]
    reader, name, _ = await open_own(parts.lifecycle, person, export_id, parts.clock.now_ms())
    return await send_archive(request, reader, name)


async def restriction(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, Switch)
    await switch_restriction(request, member_of(user.id), actor=user.id, on=body.on)
    return web.Response(status=204)


async def objection(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, Switch)
    person = member_of(user.id)
    if body.on:
        await limits.objection(request.app[PARTS].lifecycle, person, actor=user.id)
    else:
        await _lift(request, person, limits.OBJECTION, user.id)
    return web.Response(status=204)


async def begin_erasure(request: web.Request) -> web.Response:
    """Asks once more who it is; whoever finds an open session must not be able to end an account."""
    user = await member(request)
    body = await read_json(request, Confirmation)
    parts = request.app[PARTS]
    await confirm(request, user, body.password)
    erasure = await erasures(request).request(member_of(user.id), "self", user.id, verified=True)
    response = web.json_response(
        {
            "request": erasure.id,
            "erased_after": erasure.not_before_ms,
            "status": issue(parts.status_key, erasure.id),
        }
    )
    await end_session(request, response, for_good=True)
    return response


async def withdraw_consent(request: web.Request) -> web.Response:
    user = await member(request)
    person = member_of(user.id)
    await withdraw(request, person, request.match_info["id"], method="settings", actor=user.id)
    return web.Response(status=204)


async def leave_recording(request: web.Request) -> web.Response:
    """Takes the member out of one recording, also while it runs: their tracks are destroyed, and films are made again without them."""
    user = await member(request)
    await take_out(request.app[PARTS].lifecycle, request.match_info["id"], member_of(user.id), user.id)
    return web.Response(status=204)


async def consent_receipt_file(request: web.Request) -> web.Response:
    """The receipt, byte for byte as it was signed."""
    user = await member(request)
    parts = request.app[PARTS]
    now_ms = parts.clock.now_ms()
    given = consent_receipt.Circumstances(
        config=parts.config,
        site=public_url(parts.config),
        effective=in_force(parts.lifecycle.periods, now_ms),
        key=parts.consent_key,
    )

    def make(conn: Connection) -> dict[str, Any]:
        theirs = consents.one(conn, request.match_info["id"], member_of(user.id))
        return consent_receipt.issue(conn, theirs.id, given, now_ms)

    async with parts.database.read() as conn:
        receipt = await conn.run_sync(make)
    day = datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
    return web.Response(
        body=json.dumps(receipt, ensure_ascii=False, indent=2).encode(),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="pymeet-consent-{day}.json"'},
    )


async def read_notice(request: web.Request) -> web.Response:
    """That somebody has read a version is recorded once, however often the page says so."""
    user = await member(request)
    body = await read_json(request, NoticeRead)
    parts = request.app[PARTS]
    person = member_of(user.id)

    def record(conn: Connection) -> None:
        known = [each for each in consents.timeline(conn, person) if each.purpose == consents.NOTICE]
        if not known or known[-1].notice_version != body.version:
            acknowledge(conn, person, body.version, body.language, "dialog", parts.clock.now_ms())

    async with parts.database.write() as conn:
        await conn.run_sync(record)
    return web.Response(status=204)


async def switch_restriction(request: web.Request, person: DataSubject, *, actor: str, on: bool) -> None:
    """Puts the restriction of somebody's data in force, or ends it; as it is already, nothing happens."""
    parts = request.app[PARTS]

    def begin(conn: Connection) -> None:
        limits.limit(conn, person, limits.RESTRICTION, now_ms=parts.clock.now_ms(), actor=actor)

    if on:
        async with parts.database.write() as conn:
            await conn.run_sync(begin)
    else:
        await _lift(request, person, limits.RESTRICTION, actor)


async def _lift(request: web.Request, person: DataSubject, cause: str, actor: str) -> None:
    parts = request.app[PARTS]

    def end(conn: Connection) -> None:
        if any(each.cause == cause for each in limits.in_force(conn, person)):
            limits.lift(conn, person, cause, now_ms=parts.clock.now_ms(), actor=actor)

    async with parts.database.write() as conn:
        await conn.run_sync(end)


async def _tell(request: web.Request, user: User, export: Export) -> None:
    """Mails the member where to fetch the archive, where mail is on."""
    parts = request.app[PARTS]
    mail = parts.config.mail
    if mail.host is None:
        return
    expires = datetime.fromtimestamp(export.link_expires_at_ms / 1000, UTC).date().isoformat()
    async with parts.database.write() as conn:
        if not await conn.run_sync(notifications.wants_mail, user.id, "export_ready"):
            return
        await outbox.queue(
            conn,
            now_ms=parts.clock.now_ms(),
            user_id=user.id,
            to=user.email,
            template="export_ready",
            values={"url": f"{public_url(parts.config)}{MY_DATA_PAGE}", "expires": expires},
            language=user.language or mail.language,
        )
    parts.lifecycle.poke_mail()


def _clean_name(text: str) -> str:
    return clean_line(text, what="The name")
