"""The verbs by which people are found, corrected and erased, and by which is looked whether they are gone."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from pymeet.accounts.texts import clean_email, clean_line
from pymeet.db import audit
from pymeet.db.inventory import Anchor
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.ops.addresses import public_url
from pymeet.ops.progress import Progress
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso
from pymeet.ops.verbs.viewing import record_view, views
from pymeet.privacy import find, receipts, rectify
from pymeet.privacy.erasure import Erasures, Receipt
from pymeet.privacy.people import DataSubject
from pymeet.privacy.request_rows import Request
from pymeet.privacy.verify import verify


@views("subjects")
async def erasure_preview(services: Services, *, who: str) -> dict[str, Any]:
    """What erasing somebody would do, table by table, and when it would be done."""
    person = await _person(services, who)
    plan = await _erasures(services).preview(person)
    now_ms = services.clock.now_ms()
    grace_ms = services.lifecycle.periods.period_ms("erasure_grace", now_ms) or 0
    not_before_ms = plan.not_before_ms if plan.state == "restricted" else now_ms + grace_ms
    said = plan.as_dict()
    del said["not_before_ms"]
    return {**said, "not_before": iso(not_before_ms or now_ms)}


async def erasure_request(services: Services, progress: Progress, *, who: str) -> dict[str, Any]:
    """Hides somebody and signs them out now, and erases them when the time to think better of it is over."""
    person = await _person(services, who)
    request = await _erasures(services).request(person, "operator", audit.OPERATOR)
    if request.state == "restricted" and (request.not_before_ms or 0) <= services.clock.now_ms():
        return await erasure_now(services, progress, who=who)
    return {"receipt": None, "request": _request(request)}


async def erasure_now(services: Services, progress: Progress, *, who: str) -> dict[str, Any]:
    """Erases somebody without waiting; the receipt."""
    person = await _person(services, who)
    receipt = await _erasures(services).erase_now(person, "operator", audit.OPERATOR, progress)
    return {"receipt": _receipt(receipt), "request": None}


async def erasure_cancel(services: Services, *, who: str) -> dict[str, Any]:
    """Takes an erasure back that has not begun."""
    erasures, person = _erasures(services), await _person(services, who)
    request = await erasures.under_way(person)
    if request is None:
        raise ConflictError("No erasure is planned for this person.", code="no_erasure")
    return _request(await erasures.cancel(request.id, audit.OPERATOR))


async def erasure_receipt(services: Services, *, request_id: str) -> dict[str, Any]:
    """The receipt of an erasure that was carried out."""
    receipt = await _erasures(services).receipt(request_id)
    if receipt is None:
        raise NotFoundError("There is no receipt: this request was not carried out as an erasure.")
    return _receipt(receipt)


async def subject_find(services: Services, *, text: str) -> list[dict[str, Any]]:
    """Everybody who may be meant by a text."""
    found = await services.db.study(find.find, text, await _receipt_key(services))
    await record_view(services, "subjects", len(found))
    return [{**each.as_dict(), "how": each.how.value, "at": _iso(each.at_ms)} for each in found]


async def subject_mentions(services: Services, *, name: str) -> list[dict[str, Any]]:
    """Texts in which a name stands."""
    found = await services.db.study(find.mentions, name)
    await record_view(services, "mentions", len(found))
    return [{**each.as_dict(), "at": _iso(each.at_ms)} for each in found]


async def subject_correct(
    services: Services, *, who: str, name: str | None = None, email: str | None = None, in_meetings: bool = False
) -> dict[str, Any]:
    """Corrects somebody's name or address; with `in_meetings`, also the name at what they wrote and where they took part."""
    if name is None and email is None:
        raise InvalidInputError("Say what is right: a name, an address, or both.")
    person = await _person(services, who)
    if person.anchor is Anchor.GUEST and email is not None:
        raise InvalidInputError("Nothing about a guest holds an address.")

    def correct(conn: Connection) -> dict[str, int]:
        done = {}
        for table, column, value, clean in _corrections(person, name, email, in_meetings=in_meetings):
            try:
                done[f"{table}.{column}"] = rectify.rectify(
                    conn,
                    person,
                    table,
                    column,
                    value,
                    actor=audit.OPERATOR,
                    now_ms=services.clock.now_ms(),
                    clean=clean,
                )
            except NotFoundError:
                if table == "users":
                    raise
        return done

    corrected = await services.db.work(correct)
    if not corrected:
        raise NotFoundError("Nothing of this kind is stored about that person.")
    return {"corrected": corrected}


@views("residue")
async def privacy_verify(services: Services, progress: Progress, *, who: str | None = None) -> dict[str, Any]:
    """Whether what should be gone is gone; with `who`, also whether that address or id stands anywhere."""
    verified = (await verify(services.lifecycle, who, progress)).as_dict()
    if verified["asked"]:
        verified["asked"]["erased_at"] = _iso(verified["asked"].pop("erased_at_ms"))
    return verified


OPERATIONS: Mapping[str, Operation] = {
    "erasure.preview": erasure_preview,
    "erasure.request": erasure_request,
    "erasure.now": erasure_now,
    "erasure.cancel": erasure_cancel,
    "erasure.receipt": erasure_receipt,
    "subject.find": subject_find,
    "subject.mentions": subject_mentions,
    "subject.correct": subject_correct,
    "privacy.verify": privacy_verify,
}


def _corrections(
    person: DataSubject, name: str | None, email: str | None, *, in_meetings: bool
) -> list[tuple[str, str, str, rectify.Clean]]:
    found: list[tuple[str, str, str, rectify.Clean]] = []
    if name is not None:
        tables = [] if person.anchor is Anchor.GUEST else ["users"]
        tables += ["attendance", "messages"] if in_meetings or person.anchor is Anchor.GUEST else []
        found += [(table, "name", name, lambda value: clean_line(value, what="The name")) for table in tables]
    if email is not None:
        found.append(("users", "email", email, clean_email))
    return found


def _erasures(services: Services) -> Erasures:
    return Erasures(services.lifecycle, site=public_url(services.config))


async def _person(services: Services, who: str) -> DataSubject:
    return await services.db.study(find.the_person, who, await _receipt_key(services))


async def _receipt_key(services: Services) -> bytes:
    return await asyncio.to_thread(services.keys.purpose_key, receipts.PURPOSE)


def _request(request: Request) -> dict[str, Any]:
    return {"id": request.id, "state": request.state, "not_before": _iso(request.not_before_ms)}


def _receipt(receipt: Receipt) -> dict[str, Any]:
    said = receipt.as_dict()
    for name in ("received_at_ms", "at_ms", "backups_until_ms"):
        said[name.removesuffix("_ms")] = _iso(said.pop(name))
    return said


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso(at_ms)
