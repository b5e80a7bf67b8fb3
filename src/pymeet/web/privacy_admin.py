"""The API by which administrators answer for others: finding people, archives of their data, erasure (section 5.3)."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from sqlalchemy import Connection

from pymeet.db import audit
from pymeet.errors import NotFoundError
from pymeet.privacy.export import open_for_others
from pymeet.privacy.find import Candidate, find
from pymeet.privacy.overview import person_of_id, titles
from pymeet.privacy.people import DataSubject, counts_of
from pymeet.signed import MAX_LENGTH
from pymeet.web.background import BACKGROUND
from pymeet.web.bodies import Body, read_json
from pymeet.web.downloads import send_archive
from pymeet.web.exporting import start_export
from pymeet.web.my_data import ExportWish
from pymeet.web.parts import PARTS
from pymeet.web.personal_data import erasures
from pymeet.web.privacy_page import chosen_language
from pymeet.web.roles import allowed, record_view


class Search(Body):
    find: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]


class ErasureWish(Body):
    now: bool


async def find_people(request: web.Request) -> web.Response:
    """Whoever certainly is meant. Names are no proof of anything, so people are not found by them here."""
    user = await allowed(request, "export.others")
    body = await read_json(request, Search)
    parts = request.app[PARTS]

    def look(conn: Connection) -> list[tuple[Candidate, dict[str, int]]]:
        found = [each for each in find(conn, body.find, parts.receipt_key) if each.certain]
        return [(each, counts_of(conn, each.person)) for each in found]

    async with parts.database.read() as conn:
        people = await conn.run_sync(look)
    for each, counts in people:
        await record_view(request, user, _target(each.person), sum(counts.values()))
    return web.json_response({"people": [_shown(each, counts) for each, counts in people]})


async def begin_export(request: web.Request) -> web.Response:
    user = await allowed(request, "export.others")
    body = await read_json(request, ExportWish)
    person = await _person(request)
    made = await start_export(request, person, language=body.language, actor=user.id)
    return web.json_response({"id": made}, status=202)


async def export_file(request: web.Request) -> web.StreamResponse:
    user = await allowed(request, "export.others")
    parts = request.app[PARTS]
    export_id, now_ms = request.match_info["id"], parts.clock.now_ms()
    reader, name, _ = await open_for_others(parts.lifecycle, export_id, now_ms, actor=user.id)
    return await send_archive(request, reader, name)


async def plan_erasure(request: web.Request) -> web.Response:
    """What erasing somebody would do; nothing is changed by looking."""
    user = await allowed(request, "erase.others")
    person, now_ms = await _person(request), request.app[PARTS].clock.now_ms()
    plan = await erasures(request).preview(person)
    await record_view(request, user, _target(person), sum(step.rows for step in plan.steps))
    grace_ms = request.app[PARTS].lifecycle.periods.period_ms("erasure_grace", now_ms) or 0
    names = titles(chosen_language(request))
    return web.json_response(
        {
            "tables": [
                {
                    "name": step.table,
                    "title": names.get(step.table, step.table),
                    "rows": step.rows,
                    "action": step.action,
                }
                for step in plan.steps
            ],
            "rooms": plan.rooms_without_owner,
            "held": plan.held,
            "erased_after": now_ms + grace_ms if plan.not_before_ms is None else plan.not_before_ms,
        }
    )


async def begin_erasure(request: web.Request) -> web.Response:
    """With `now` it goes on in the background, and is taken up again if the server stops meanwhile."""
    user = await allowed(request, "erase.others")
    body = await read_json(request, ErasureWish)
    person, erasing = await _person(request), erasures(request)
    grace_ms = 0 if body.now else None
    begun = await erasing.request(person, "operator", user.id, grace_ms=grace_ms, tell=not body.now)
    if body.now:
        request.app[BACKGROUND].start("erasure", erasing.erase_now(person, "operator", user.id))
    erased_after_ms = request.app[PARTS].clock.now_ms() if body.now else begun.not_before_ms
    return web.json_response({"request": begun.id, "erased_after": erased_after_ms})


async def _person(request: web.Request) -> DataSubject:
    async with request.app[PARTS].database.read() as conn:
        person = await conn.run_sync(person_of_id, request.match_info["id"])
    if person is None:
        raise NotFoundError("Nothing is stored about such a person.")
    return person


def _shown(found: Candidate, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "kind": found.person.anchor.name.lower(),
        "id": found.person.id,
        "name": found.name,
        "email": found.email,
        "counts": counts,
    }


def _target(person: DataSubject) -> str | audit.Person:
    # The id of a guest's seat must not stay in the audit log when the guest is erased.
    return audit.Person(person.id) if person.user_id else "guest"
