"""The verbs of `pymeet request`."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pymeet.db import audit
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.ops.addresses import public_url
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso
from pymeet.ops.verbs.viewing import views
from pymeet.privacy import receipts
from pymeet.privacy.people import DataSubject, member
from pymeet.privacy.requests import Request, Requests


@views("requests")
async def request_list(services: Services, *, which: str = "open") -> list[dict[str, Any]]:
    """The requests that are meant: open, overdue, all, or those in one state."""
    found = await _register(services).list(which)
    names = await _names(services)
    return [_request(services, each, names) for each in found]


@views("requests")
async def request_show(services: Services, *, request_id: str) -> dict[str, Any]:
    """One request with everything that happened to it."""
    register = _register(services)
    found = await register.get(request_id)
    steps = [{"at": iso(step.at_ms), "what": step.what} for step in await register.timeline(request_id)]
    return {**_request(services, found, await _names(services)), "timeline": steps}


async def request_add(
    services: Services,
    *,
    right: str,
    user: str | None = None,
    receipt: str | None = None,
    unidentified: bool = False,
    received: str | None = None,
) -> dict[str, Any]:
    """Enters a request that came by letter, mail or word of mouth, from the one who is named."""
    if (user is not None) + (receipt is not None) + unidentified != 1:
        raise InvalidInputError("Name who asks: a user, a receipt, or say that nobody knows yet.")
    text = user if user is not None else receipt
    person = None if text is None else await named_person(services, text)
    received_at_ms = None if received is None else _moment_ms(received)
    opened = await _register(services).open(right, person, "operator", audit.OPERATOR, received_at_ms)
    return _request(services, opened, await _names(services))


async def request_extend(services: Services, *, request_id: str, reason: str) -> dict[str, Any]:
    """Puts off the time when a request is due, once."""
    register = _register(services)
    before = await register.get(request_id)
    extended = await register.extend(request_id, reason, audit.OPERATOR)
    return {**_request(services, extended, await _names(services)), "was_due_at": iso(before.due_at_ms)}


async def request_decide(services: Services, *, request_id: str, decision: str) -> dict[str, Any]:
    """Closes a request."""
    decided = await _register(services).decide(request_id, decision, audit.OPERATOR)
    return _request(services, decided, await _names(services))


OPERATIONS: Mapping[str, Operation] = {
    "request.list": request_list,
    "request.show": request_show,
    "request.add": request_add,
    "request.extend": request_extend,
    "request.decide": request_decide,
}


async def named_person(services: Services, text: str) -> DataSubject:
    """Who is meant by an e-mail address, an account's id or a guest's receipt; disabled accounts too.

    NotFoundError, or NotSignedInError for a receipt that is not ours.
    """
    text = text.strip()
    if text.startswith(receipts.PREFIX):
        key = await asyncio.to_thread(services.keys.purpose_key, receipts.PURPOSE)
        return receipts.read(key, text).person
    for user in await services.accounts.list_users():
        if text == user.id or text.lower() == user.email:
            return member(user.id)
    raise NotFoundError("There is no such account.")


def _register(services: Services) -> Requests:
    return Requests(services.lifecycle, site=public_url(services.config))


async def _names(services: Services) -> Mapping[str, str]:
    """Account ids to e-mail addresses."""
    return {user.id: user.email for user in await services.accounts.list_users()}


def _request(services: Services, request: Request, names: Mapping[str, str]) -> dict[str, Any]:
    now_ms, person = services.clock.now_ms(), request.person
    who = "nobody" if person is None else "guest" if person.user_id is None else names.get(person.id)
    return {
        "id": request.id,
        "right": request.right,
        "origin": request.origin,
        "who": who,
        "state": request.state,
        "received_at": iso(request.received_at_ms),
        "due_at": iso(request.due_at_ms),
        "days_left": request.days_left(now_ms) if request.open else None,
        "overdue": request.overdue(now_ms),
        "extended_at": _iso(request.extended_at_ms),
        "extension_reason": request.extension_reason,
        "reminded_at": _iso(request.reminded_at_ms),
        "not_before": _iso(request.not_before_ms),
        "closed_at": _iso(request.closed_at_ms),
        "decision": request.decision,
    }


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso(at_ms)


def _moment_ms(text: str) -> int:
    """A day (its beginning) or a moment, in UTC where nothing else is said."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInputError("Write the day as 2026-11-21, or the moment as 2026-11-21T09:30Z.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
