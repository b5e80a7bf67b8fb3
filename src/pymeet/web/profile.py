"""The API of one's own profile (docs/protocol.md, section 4)."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from pymeet.accounts.profile import change_profile
from pymeet.accounts.texts import clean_email
from pymeet.web.accounts import Email, Password, mailed_links
from pymeet.web.attempts import attempt
from pymeet.web.bodies import Body, read_json
from pymeet.web.parts import PARTS
from pymeet.web.people import shown_user
from pymeet.web.sessions import member

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
    password: Password


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
    with attempt(request):
        await request.app[PARTS].accounts.confirm_password(user, body.password)
    await links.change_email(user, clean_email(body.email))
    return web.Response(status=202)
