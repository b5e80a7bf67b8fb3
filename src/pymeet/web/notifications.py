"""The API of what members are told on the pages, and of what they want to be told (docs/protocol.md, section 4.3)."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.meetings import feeds
from pymeet.ops.notifications import Choice, Notification, Notifications
from pymeet.web.bodies import Body, read_json
from pymeet.web.paging import wanted
from pymeet.web.parts import PARTS
from pymeet.web.sessions import member

PAGE = 20
LONGEST_PAGE = 100

_MEETING_MAILS = ("meeting_invited", "meeting_changed", "meeting_cancelled")


class SeenUntil(Body):
    up_to: Annotated[int, Field(ge=0, le=999_999_999_999_999)]


class Wish(Body):
    in_app: bool
    mail: bool | None = None


class Wishes(Body):
    mail: bool
    reminder_min: int | None
    kinds: Annotated[dict[str, Wish], Field(max_length=50, default_factory=dict)]


async def list_notifications(request: web.Request) -> web.Response:
    """The newest first, page by page: `after` is what the page before gave as `next`."""
    user = await member(request)
    _, after, limit = wanted(request, at_once=PAGE, at_most=LONGEST_PAGE)
    told = _notifications(request)
    found, following = await told.page(user, after, limit)
    shown = [_shown(each) for each in found]
    return web.json_response({"notifications": shown, "next": following, "unread": await told.unread(user)})


async def unread(request: web.Request) -> web.Response:
    """How many there are. Pages ask by themselves, every minute: that is no use of the session, which would never end."""
    user = await member(request, uses=False)
    return web.json_response({"unread": await _notifications(request).unread(user)})


async def read_all(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, SeenUntil)
    await _notifications(request).read_all(user, body.up_to)
    return web.Response(status=204)


async def read(request: web.Request) -> web.Response:
    user = await member(request)
    await _notifications(request).read(user, request.match_info["id"])
    return web.Response(status=204)


async def delete(request: web.Request) -> web.Response:
    user = await member(request)
    await _notifications(request).delete(user, request.match_info["id"])
    return web.Response(status=204)


async def settings(request: web.Request) -> web.Response:
    user = await member(request)
    meetings = await request.app[PARTS].planning.feeds.notifications(user)
    choices = await _notifications(request).choices(user)
    kinds: dict[str, dict[str, bool]] = {}
    for kind, choice in choices.items():
        kinds[kind] = {"in_app": choice.in_app}
        if choice.mail is not None:
            kinds[kind]["mail"] = choice.mail and (meetings.mail or kind not in _MEETING_MAILS)
    return web.json_response({"mail": meetings.mail, "reminder_min": meetings.reminder_min, "kinds": kinds})


async def change_settings(request: web.Request) -> web.Response:
    """Kinds that are not named stay as they are."""
    user = await member(request)
    body = await read_json(request, Wishes)
    await _notifications(request).choose(
        user, {kind: Choice(each.in_app, each.mail) for kind, each in body.kinds.items()}
    )
    await request.app[PARTS].planning.feeds.want(user, feeds.Notifications(body.mail, body.reminder_min))
    return web.Response(status=204)


def _shown(each: Notification) -> dict[str, Any]:
    return {
        "id": each.id,
        "kind": each.kind,
        "at": each.created_at_ms,
        "read": each.is_read,
        "page": each.page,
        "subject": each.subject,
        "person": each.person,
        "answer": each.answer,
        "moment": each.moment_ms,
        "all_day": each.all_day,
    }


def _notifications(request: web.Request) -> Notifications:
    return Notifications(request.app[PARTS].lifecycle)
