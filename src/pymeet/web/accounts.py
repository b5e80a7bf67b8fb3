"""The API around a person: who am I, one-time links and mails with them (docs/protocol.md, section 4)."""

from collections.abc import Coroutine
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.accounts import store
from pymeet.accounts.mailed_links import MailedLinks
from pymeet.accounts.model import User
from pymeet.accounts.texts import clean_email
from pymeet.config_oidc import OidcConfig
from pymeet.ops.addresses import public_url
from pymeet.privacy.notices import needs_acknowledgement
from pymeet.web.background import BACKGROUND
from pymeet.web.bodies import Body, read_json
from pymeet.web.confirming import way_to_confirm
from pymeet.web.mail_limits import count_mail
from pymeet.web.parts import PARTS
from pymeet.web.people import shown_user
from pymeet.web.personal_data import notice_now
from pymeet.web.privacy_page import chosen_language
from pymeet.web.sessions import check_way_in, session_token, signed_in, visitor

Email = Annotated[str, Field(min_length=3, max_length=254)]
Password = Annotated[str, Field(min_length=1, max_length=1000)]
Token = Annotated[str, Field(min_length=1, max_length=100)]


class InspectLink(Body):
    token: Token


class RedeemLink(Body):
    token: Token
    name: str | None = None
    """`Accounts` says how long it may be."""
    email: Email | None = None
    password: Password | None = None


class Address(Body):
    email: Email


async def me(request: web.Request) -> web.Response:
    user = await visitor(request)
    parts = request.app[PARTS]
    config = parts.lifecycle.in_force
    notice, must_read = await notice_now(parts.lifecycle, parts.clock.now_ms()), None
    if user is not None:
        async with parts.database.read() as conn:
            must_read = await conn.run_sync(needs_acknowledgement, user.id)
    return web.json_response(
        {
            "user": user and await shown_user(request, user),
            "guests_allowed": config.rooms.guests_allowed,
            "may_create_rooms": user is not None and (user.is_admin or config.rooms.may_create == "members"),
            "registration": config.accounts.registration,
            "announcement": config.http.announcement,
            "minimum_password": parts.config.accounts.minimum_password,
            "mail": parts.config.mail.host is not None,
            "oidc": _shown_provider(parts.config.oidc),
            "confirm": None if user is None or session_token(request) is None else await way_to_confirm(request, user),
            "notice": {"version": notice.version, "needs_acknowledgement": must_read is not None},
        }
    )


def _shown_provider(oidc: OidcConfig) -> dict[str, Any] | None:
    return {"name": oidc.label, "only": oidc.only} if oidc.issuer else None


async def inspect_link(request: web.Request) -> web.Response:
    body = await read_json(request, InspectLink)
    link = await request.app[PARTS].accounts.links.inspect(body.token)
    return web.json_response({"purpose": link.purpose, "name": link.name, "email": link.email})


async def redeem_link(request: web.Request) -> web.Response:
    body = await read_json(request, RedeemLink)
    parts = request.app[PARTS]
    may_register = parts.lifecycle.in_force.accounts.registration == "open"
    user = await visitor(request)
    await _check_way_in(request, body.token)
    used = await parts.accounts.links.redeem(
        body.token,
        body.name,
        body.email,
        body.password,
        may_register=may_register,
        by=None if user is None else user.id,
    )
    if used.purpose == store.CHANGE_EMAIL:
        return web.json_response({})  # whoever reads the mail proves an address, not who they are
    return await signed_in(request, used.user)


async def _check_way_in(request: web.Request, token: str) -> None:
    """Leaves the link as it is where the OpenID provider alone lets its holder in. NotAllowedError (`oidc_only`)."""
    parts = request.app[PARTS]
    if not parts.config.oidc.only:
        return
    link = await parts.accounts.links.inspect(token)
    if link.purpose == store.REGISTER:
        check_way_in(request, User("", "", "", is_admin=False))
    elif link.purpose not in (store.FIRST_ADMIN, store.CHANGE_EMAIL):
        check_way_in(request, await parts.accounts.active_user(link.email or ""))


async def register(request: web.Request) -> web.Response:
    """Answers before it looks: neither the answer nor the time it takes tells whether there is an account."""
    links = mailed_links(request)
    links.check_can_register()
    email = await _address(request, links)
    return _later(request, links.register(email, chosen_language(request)))


async def reset_password(request: web.Request) -> web.Response:
    links = mailed_links(request)
    email = await _address(request, links)
    return _later(request, links.reset_password(email))


async def sign_in_link(request: web.Request) -> web.Response:
    links = mailed_links(request)
    email = await _address(request, links)
    return _later(request, links.sign_in(email))


def mailed_links(request: web.Request) -> MailedLinks:
    """Links by mail, with this server's address in them."""
    parts = request.app[PARTS]
    return MailedLinks(parts.lifecycle, site=public_url(parts.config))


async def _address(request: web.Request, links: MailedLinks) -> str:
    """The address in the body, counted as one more mail that somebody asks for."""
    body = await read_json(request, Address)
    links.check_sends_mail()
    email = clean_email(body.email)
    count_mail(request, email)
    return email


def _later(request: web.Request, work: Coroutine[Any, Any, None]) -> web.Response:
    request.app[BACKGROUND].start("account mail", work)
    return web.Response(status=202)
