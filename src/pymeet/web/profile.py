"""The API of one's own profile (docs/protocol.md, section 4)."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from pymeet.accounts.avatars import MAX_BYTES, avatar_of, remove_avatar, set_avatar
from pymeet.accounts.profile import change_profile
from pymeet.accounts.texts import clean_email
from pymeet.errors import NotFoundError
from pymeet.web.accounts import Email, Password, mailed_links
from pymeet.web.bodies import Body, read_body, read_json
from pymeet.web.confirming import confirm
from pymeet.web.errors import StatusError
from pymeet.web.mail_limits import count_mail
from pymeet.web.parts import PARTS
from pymeet.web.people import shown_user
from pymeet.web.sessions import member

PICTURE_TYPES = ("image/png", "image/jpeg", "image/webp")

Word = Annotated[str, Field(max_length=64)]


class Profile(Body):
    """Fields that are missing stay as they are; null takes a setting back."""

    name: Annotated[str, Field(max_length=200)] = ""
    """`clean_line` says how long it may be."""
    language: Word | None = None
    time_zone: Word | None = None
    theme: Word | None = None


class NewAddress(Body):
    email: Email
    password: Password | None = None
    """Missing for who showed the OpenID provider a moment ago who they are."""


async def change(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, Profile)
    wanted = body.model_dump(include=body.model_fields_set)
    changed = await change_profile(request.app[PARTS].lifecycle, user, wanted)
    return web.json_response({"user": await shown_user(request, changed)})


async def change_email(request: web.Request) -> web.Response:
    """Asks for the password once more: whoever has the address gets the account."""
    user = await member(request)
    body = await read_json(request, NewAddress)
    links = mailed_links(request)
    links.check_sends_mail()
    await confirm(request, user, body.password)
    email = clean_email(body.email)
    count_mail(request, email, user.id)
    await links.change_email(user, email)
    return web.Response(status=202)


async def put_avatar(request: web.Request) -> web.Response:
    """Whatever the type says, the picture itself is looked at, and drawn anew."""
    user = await member(request)
    if request.content_type not in PICTURE_TYPES:
        raise StatusError(415, "Send a PNG, JPEG or WebP file.")
    picture = await read_body(request, request.content_type, MAX_BYTES)
    await set_avatar(request.app[PARTS].lifecycle, user.id, picture)
    return web.Response(status=204)


async def delete_avatar(request: web.Request) -> web.Response:
    user = await member(request)
    await remove_avatar(request.app[PARTS].lifecycle, user.id)
    return web.Response(status=204)


async def avatar(request: web.Request) -> web.Response:
    """A member's picture, for members. Browsers ask each time whether it is still the same: one that was removed is gone."""
    await member(request)
    return await _shown(request, request.match_info["id"])


async def picture(request: web.Request) -> web.Response:
    """The same for who is in a meeting with that person, guests too: each asks by words of their own (`rooms/pictures.py`)."""
    parts = request.app[PARTS]
    live = parts.registry.live(request.match_info["slug"])
    if live is None:
        raise NotFoundError("There is no such picture.")
    return await _shown(request, live.pictured(request.match_info["picture"]))


async def _shown(request: web.Request, user_id: str) -> web.Response:
    found = await avatar_of(request.app[PARTS].lifecycle, user_id)
    etag, known = str(found.changed_at_ms), request.if_none_match or ()
    unchanged = any(each.value == etag for each in known)
    response = web.Response(status=304) if unchanged else web.Response(body=found.webp, content_type="image/webp")
    response.etag = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response
