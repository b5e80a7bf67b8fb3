"""The same for people without account, who show the receipt they got when they joined (section 5.1)."""

from typing import Annotated

from aiohttp import web
from pydantic import Field
from sqlalchemy import Connection

from pymeet.db import audit
from pymeet.errors import NotFoundError
from pymeet.privacy import receipts
from pymeet.privacy.export import discard, open_own
from pymeet.privacy.overview import seat_of
from pymeet.privacy.people import counts_of
from pymeet.privacy.receipts import GuestReceipt
from pymeet.privacy.status_text import issue
from pymeet.recording.removal import take_out
from pymeet.signed import MAX_LENGTH
from pymeet.web.attempts import attempt
from pymeet.web.background import BACKGROUND
from pymeet.web.bodies import Body, read_json
from pymeet.web.downloads import send_archive
from pymeet.web.exporting import make_export
from pymeet.web.my_data import Language, switch_restriction
from pymeet.web.parts import PARTS
from pymeet.web.personal_data import erasures, shown_to, withdraw
from pymeet.web.recordings import of_guest

ReceiptText = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]


class Shown(Body):
    receipt: ReceiptText


class ExportWish(Body):
    receipt: ReceiptText
    language: Language


class Switch(Body):
    receipt: ReceiptText
    on: bool


async def show(request: web.Request) -> web.Response:
    """What is held about a seat; an empty list when nothing is any more."""
    body = await read_json(request, Shown)
    receipt = _read(request, body.receipt)
    async with request.app[PARTS].database.read() as conn:
        seat = await conn.run_sync(seat_of, receipt.participant_id)
    who = {
        "kind": "guest",
        "name": seat and seat.name,
        "room": seat and seat.room,
        "at": receipt.issued_at_ms if seat is None else seat.at_ms,
    }
    shown = await shown_to(request, receipt.person, who)
    return web.json_response({**shown, "recordings": await of_guest(request, receipt.participant_id)})


async def export(request: web.Request) -> web.StreamResponse:
    """The archive, made while the guest waits; the server keeps no copy."""
    body = await read_json(request, ExportWish)
    receipt = await _read_held(request, body.receipt)
    parts = request.app[PARTS]
    made = await make_export(request, receipt.person, language=body.language, actor=audit.GUEST)
    try:
        reader, name, _ = await open_own(parts.lifecycle, receipt.person, made.id, parts.clock.now_ms())
        return await send_archive(request, reader, name)
    finally:
        await discard(parts.lifecycle, made.id)


async def restriction(request: web.Request) -> web.Response:
    body = await read_json(request, Switch)
    receipt = await _read_held(request, body.receipt)
    await switch_restriction(request, receipt.person, actor=audit.GUEST, on=body.on)
    return web.Response(status=204)


async def withdraw_consent(request: web.Request) -> web.Response:
    """As easily as it was given: what it allowed stops at once."""
    body = await read_json(request, Shown)
    person = (await _read_held(request, body.receipt)).person
    await withdraw(request, person, request.match_info["id"], method="receipt", actor=audit.GUEST)
    return web.Response(status=204)


async def erasure(request: web.Request) -> web.Response:
    """Without time to think better of it: nobody can sign in as a guest to cancel. Goes on when this is answered."""
    body = await read_json(request, Shown)
    receipt = await _read_held(request, body.receipt)
    person, erasing = receipt.person, erasures(request)
    begun = await erasing.request(person, "guest", audit.GUEST, grace_ms=0)
    request.app[BACKGROUND].start("erasure", erasing.erase_now(person, "guest", audit.GUEST))
    return web.json_response({"request": begun.id, "status": issue(request.app[PARTS].status_key, begun.id)})


async def leave_recording(request: web.Request) -> web.Response:
    """Takes the guest out of one recording: their tracks are destroyed, and films are made again without them."""
    body = await read_json(request, Shown)
    receipt = await _read_held(request, body.receipt)
    await take_out(request.app[PARTS].lifecycle, request.match_info["id"], receipt.person, audit.GUEST)
    return web.Response(status=204)


def _read(request: web.Request, text: str) -> GuestReceipt:
    with attempt(request):
        return receipts.read(request.app[PARTS].receipt_key, text)


async def _read_held(request: web.Request, text: str) -> GuestReceipt:
    """A receipt under which something is held. NotSignedInError, NotFoundError (`nothing_held`)."""
    receipt = _read(request, text)

    def held(conn: Connection) -> bool:
        return bool(counts_of(conn, receipt.person))

    async with request.app[PARTS].database.read() as conn:
        if not await conn.run_sync(held):
            raise NotFoundError("Nothing is held under this receipt any more.", code="nothing_held")
    return receipt
