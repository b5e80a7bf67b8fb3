"""The API around scheduled meetings (docs/protocol.md, section 4)."""

import asyncio
import bisect
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.accounts.model import User
from pymeet.errors import InvalidInputError
from pymeet.meetings.answers import Invitation
from pymeet.meetings.invitations import coming
from pymeet.meetings.planning import Planning
from pymeet.meetings.recurrence import Occurrence
from pymeet.meetings.schedule import Details, Entry
from pymeet.meetings.scheduled import Invitee, Scheduled
from pymeet.retention import days
from pymeet.web.bodies import Body, read_json
from pymeet.web.origins import public_base
from pymeet.web.parts import PARTS
from pymeet.web.repeats import once
from pymeet.web.sessions import member

PAGE = 100
"""So many occurrences are shown at once, unless asked for fewer or more."""

LONGEST_PAGE = 500

VIEW_MS = days(31)
"""How far is looked ahead, unless asked for otherwise."""

Start = Annotated[str, Field(max_length=16)]
Email = Annotated[str, Field(min_length=3, max_length=254)]
GroupId = Annotated[str, Field(max_length=30)]


class Invite(Body):
    email: Email
    language: Annotated[str, Field(max_length=10)] = ""
    """Of the mails to somebody without account; empty for the server's."""


class InviteGroup(Body):
    group: GroupId


class PlanMeeting(Body):
    title: str
    agenda: str = ""
    start: Start
    time_zone: Annotated[str, Field(max_length=64)]
    duration_min: int
    rrule: Annotated[str, Field(max_length=200)] | None = None
    room: str | None = None
    """The address of a room of one's own; without it a new one is made."""
    invitees: Annotated[list[Invite], Field(default_factory=list, max_length=100)]
    groups: Annotated[list[GroupId], Field(default_factory=list, max_length=20)]
    """Everybody in them is invited too."""


class ChangeMeeting(Body):
    title: str | None = None
    agenda: str | None = None
    start: Start | None = None
    time_zone: Annotated[str, Field(max_length=64)] | None = None
    duration_min: int | None = None
    rrule: Annotated[str, Field(max_length=200)] | None = None
    """`null` makes the series a single meeting."""


class MoveOccurrence(Body):
    start: Start
    duration_min: int | None = None


class Answer(Body):
    answer: str


class Token(Body):
    token: Annotated[str, Field(min_length=1, max_length=1000)]


class AnswerByToken(Token):
    answer: str


async def list_meetings(request: web.Request) -> web.Response:
    """What takes place in a time, in pages: `after` is what the page before gave as `next`."""
    user = await member(request)
    now_ms = request.app[PARTS].clock.now_ms()
    from_ms = _number(request, "from", now_ms)
    to_ms = _number(request, "to", from_ms + VIEW_MS)
    limit = _number(request, "limit", PAGE)
    if not 1 <= limit <= LONGEST_PAGE:
        raise InvalidInputError(f"A page has 1 to {LONGEST_PAGE} entries.")
    entries = await _planning(request).schedule.entries(user, from_ms, to_ms)
    begin = 0
    if after := request.query.get("after", ""):
        start, _, rest = after.partition(".")
        if not start.isdecimal() or not start.isascii() or len(start) > 15:
            raise InvalidInputError("There is no such page.")
        begin = bisect.bisect_right(entries, (int(start), rest), key=_place)
    page = entries[begin : begin + limit]
    more = len(entries) > begin + limit
    following = ".".join(map(str, _place(page[-1]))) if more else None
    return web.json_response({"occurrences": [_entry(request, each) for each in page], "next": following})


async def plan(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, PlanMeeting)
    details = Details(body.title, body.agenda, body.start, body.time_zone, body.duration_min, body.rrule)
    invited = [(each.email, each.language) for each in body.invitees]

    async def make() -> str:
        return (await _planning(request).schedule.plan(user, details, body.room, invited, body.groups)).id

    made = await once(request, user, body, make)
    answer = await _whole(request, user, made)
    return web.json_response(answer, status=201, headers={"Location": f"/api/v1/meetings/{made}"})


async def show(request: web.Request) -> web.Response:
    user = await member(request)
    return web.json_response(await _whole(request, user, request.match_info["id"]))


async def change(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, ChangeMeeting)
    meeting_id = request.match_info["id"]
    schedule = _planning(request).schedule
    meeting, _ = await schedule.show(user, meeting_id)
    timing = meeting.timing
    details = Details(
        title=meeting.title if body.title is None else body.title,
        agenda=meeting.agenda if body.agenda is None else body.agenda,
        start=body.start or timing.starts_local,
        time_zone=body.time_zone or timing.time_zone,
        duration_min=timing.duration_min if body.duration_min is None else body.duration_min,
        rrule=body.rrule if "rrule" in body.model_fields_set else timing.rrule,
    )
    await schedule.change(user, meeting_id, details)
    return web.json_response(await _whole(request, user, meeting_id))


async def cancel(request: web.Request) -> web.Response:
    user = await member(request)
    await _planning(request).schedule.cancel(user, request.match_info["id"])
    return web.Response(status=204)


async def move_occurrence(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, MoveOccurrence)
    where = request.match_info
    await _planning(request).schedule.move_one(user, where["id"], where["recurrence"], body.start, body.duration_min)
    return web.json_response(await _whole(request, user, where["id"]))


async def cancel_occurrence(request: web.Request) -> web.Response:
    user = await member(request)
    where = request.match_info
    await _planning(request).schedule.cancel_one(user, where["id"], where["recurrence"])
    return web.Response(status=204)


async def invite(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, Invite)
    invitee = await _planning(request).schedule.invite(user, request.match_info["id"], body.email, body.language)
    return web.json_response(_invitee(invitee, with_address=True), status=201)


async def invite_group(request: web.Request) -> web.Response:
    """Everybody in a group of one's own who is not invited yet; the answer is who came to the list by it."""
    user = await member(request)
    body = await read_json(request, InviteGroup)
    invited = await _planning(request).schedule.invite_group(user, request.match_info["id"], body.group)
    return web.json_response({"invitees": [_invitee(each, with_address=True) for each in invited]}, status=201)


async def uninvite(request: web.Request) -> web.Response:
    user = await member(request)
    where = request.match_info
    await _planning(request).schedule.uninvite(user, where["id"], where["invitee"])
    return web.Response(status=204)


async def answer_as_member(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, Answer)
    found = await _planning(request).answers.as_member(user, request.match_info["id"], body.answer)
    return web.json_response({"answer": found.answer})


async def inspect_invitation(request: web.Request) -> web.Response:
    """What the link in an invitation leads to; nobody needs to sign in."""
    body = await read_json(request, Token)
    return web.json_response(_invitation(request, await _planning(request).answers.inspect(body.token)))


async def answer_invitation(request: web.Request) -> web.Response:
    body = await read_json(request, AnswerByToken)
    found = await _planning(request).answers.by_token(body.token, body.answer)
    return web.json_response(_invitation(request, found))


async def personal_room(request: web.Request) -> web.Response:
    """The member's personal room, made when they first ask."""
    user = await member(request)
    room = await _planning(request).personal_rooms.room_of(user)
    return web.json_response({"slug": room.slug, "name": room.name, "url": f"{public_base(request)}/r/{room.slug}"})


async def _whole(request: web.Request, user: User, meeting_id: str) -> dict[str, Any]:
    meeting, invited = await _planning(request).schedule.show(user, meeting_id)
    mine = meeting.organiser_id == user.id
    following = await asyncio.to_thread(coming, meeting, request.app[PARTS].clock.now_ms())
    own = next((each.answer for each in invited if each.user_id == user.id), None)
    return {
        **_facts(request, meeting),
        "agenda": meeting.agenda,
        "sequence": meeting.sequence,
        "mine": mine,
        "answer": own,
        "occurrence": None if following is None else _occurrence(following),
        "changes": [
            {
                "recurrence_id": each.recurrence_id,
                "cancelled": each.cancelled,
                "start": each.starts_local,
                "duration_min": each.duration_min,
            }
            for each in meeting.timing.changes
        ],
        "invitees": [_invitee(each, with_address=mine) for each in invited],
    }


def _facts(request: web.Request, meeting: Scheduled) -> dict[str, Any]:
    timing = meeting.timing
    return {
        "id": meeting.id,
        "title": meeting.title,
        "organiser": meeting.organiser_name,
        "room": {"slug": meeting.slug, "name": meeting.room_name, "url": f"{public_base(request)}/r/{meeting.slug}"},
        "start": timing.starts_local,
        "time_zone": timing.time_zone,
        "duration_min": timing.duration_min,
        "all_day": timing.all_day,
        "rrule": timing.rrule,
    }


def _entry(request: web.Request, entry: Entry) -> dict[str, Any]:
    return {
        **_facts(request, entry.meeting),
        "mine": entry.answer is None,
        "answer": entry.answer,
        "occurrence": _occurrence(entry.at),
    }


def _invitation(request: web.Request, found: Invitation) -> dict[str, Any]:
    return {
        **_facts(request, found.meeting),
        "agenda": found.meeting.agenda,
        "answer": found.answer,
        "occurrence": None if found.next is None else _occurrence(found.next),
    }


def _occurrence(at: Occurrence) -> dict[str, Any]:
    return {"recurrence_id": at.recurrence_id, "starts_at": at.start_ms, "ends_at": at.end_ms}


def _invitee(invitee: Invitee, *, with_address: bool) -> dict[str, Any]:
    """Addresses are shown to the organiser only, and only those that the organiser typed."""
    shown: dict[str, Any] = {"name": invitee.name, "answer": invitee.answer}
    if with_address:
        shown |= {
            "id": invitee.id,
            "email": None if invitee.by_group else invitee.email,
            "answered_at": invitee.answered_at_ms,
        }
    return shown


def _place(entry: Entry) -> tuple[int, str]:
    return entry.at.start_ms, f"{entry.meeting.id}.{entry.at.recurrence_id}"


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isdecimal() or not text.isascii() or len(text) > 15:
        raise InvalidInputError(f"{name} is a whole number.")
    return int(text)


def _planning(request: web.Request) -> Planning:
    return request.app[PARTS].planning
