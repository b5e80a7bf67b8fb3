"""The API behind the security page: second factors, passkeys, sessions, devices and the password (section 4).

Whatever opens a new way in, or makes one easier, asks for the password once more: an unlocked screen must not be enough.
"""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.accounts.devices import token_hash
from pymeet.accounts.factors import KnownDevice, Passkey, SignedIn
from pymeet.accounts.model import User
from pymeet.accounts.oidc_accounts import Identity
from pymeet.errors import InvalidInputError
from pymeet.ops.addresses import public_url
from pymeet.web.attempts import attempt
from pymeet.web.bodies import Body, read_json
from pymeet.web.confirming import confirm
from pymeet.web.parts import PARTS
from pymeet.web.roles import administrator
from pymeet.web.sessions import browser, member, needed_site, passkey_site, session_token

Password = Annotated[str, Field(min_length=1, max_length=1000)]


class Confirmed(Body):
    password: Password | None = None
    """Missing for who showed the OpenID provider a moment ago who they are."""


class TotpCode(Body):
    code: Annotated[str, Field(min_length=1, max_length=40)]


class NewPasskey(Body):
    name: Annotated[str, Field(max_length=200)]
    credential: dict[str, Any]


class PasskeyName(Body):
    name: Annotated[str, Field(max_length=200)]


class NewPassword(Body):
    current: Password
    new: Password


async def show(request: web.Request) -> web.Response:
    """Everything at once: it is little, and the page shows it together."""
    user = await member(request)
    found = await request.app[PARTS].factors.security(user)
    return web.json_response(
        {
            "password_changed_at": found.password_changed_at_ms,
            "totp": None if found.totp_since_ms is None else {"since": found.totp_since_ms},
            "recovery_codes_left": found.recovery_codes_left,
            "passkeys_possible": passkey_site(request) is not None,
            "passkeys": [_passkey(each) for each in found.passkeys],
            "sessions": [_session(each, token_hash(session_token(request))) for each in found.sessions],
            "devices": [_device(each, token_hash(browser(request).token)) for each in found.devices],
            "identities": [_identity(each) for each in await _identities(request, user)],
        }
    )


async def begin_totp(request: web.Request) -> web.Response:
    user = await _confirmed(request)
    parts = request.app[PARTS]
    setup = parts.factors.begin_totp(user, public_url(parts.config).rpartition("/")[2])
    return web.json_response({"secret": setup.secret, "uri": setup.uri, "qr_svg": setup.qr_svg})


async def confirm_totp(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, TotpCode)
    return web.json_response({"recovery_codes": await request.app[PARTS].factors.confirm_totp(user, body.code)})


async def remove_totp(request: web.Request) -> web.Response:
    await request.app[PARTS].factors.remove_totp(await _confirmed(request))
    return web.Response(status=204)


async def make_recovery_codes(request: web.Request) -> web.Response:
    user = await _confirmed(request)
    return web.json_response({"recovery_codes": await request.app[PARTS].factors.new_recovery_codes(user)})


async def passkey_options(request: web.Request) -> web.Response:
    user = await _confirmed(request)
    return web.json_response({"options": await request.app[PARTS].factors.begin_passkey(user, needed_site(request))})


async def add_passkey(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, NewPasskey)
    passkey, codes = await request.app[PARTS].factors.add_passkey(user, body.name, body.credential)
    return web.json_response(_passkey(passkey) | ({"recovery_codes": codes} if codes else {}), status=201)


async def rename_passkey(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, PasskeyName)
    await request.app[PARTS].factors.rename_passkey(user, request.match_info["id"], body.name)
    return web.Response(status=204)


async def remove_passkey(request: web.Request) -> web.Response:
    user = await _confirmed(request)
    await request.app[PARTS].factors.remove_passkey(user, request.match_info["id"])
    return web.Response(status=204)


async def change_password(request: web.Request) -> web.Response:
    user = await member(request)
    body = await read_json(request, NewPassword)
    with attempt(request, token_hash(session_token(request))):
        await request.app[PARTS].accounts.change_password(
            user, body.current, body.new, keep_token=session_token(request) or ""
        )
    return web.Response(status=204)


async def end_session(request: web.Request) -> web.Response:
    user = await member(request)
    await request.app[PARTS].factors.end_session(user, request.match_info["id"])
    return web.Response(status=204)


async def end_other_sessions(request: web.Request) -> web.Response:
    user = await member(request)
    ended = await request.app[PARTS].factors.end_other_sessions(
        user, token_hash(session_token(request)), besides=browser(request)
    )
    return web.json_response({"ended": ended})


async def forget_device(request: web.Request) -> web.Response:
    user = await member(request)
    await request.app[PARTS].factors.forget_device(user, request.match_info["id"])
    return web.Response(status=204)


async def remove_second_factors(request: web.Request) -> web.Response:
    """For administrators: lets somebody in again who has lost phone and codes, by their password alone."""
    asker = await administrator(request)
    user_id = request.match_info["id"]
    if user_id == asker.id:
        raise InvalidInputError("Take away your own second factor on the security page.")
    await request.app[PARTS].factors.remove_second_factors(user_id, by=asker.id)
    return web.Response(status=204)


async def _confirmed(request: web.Request) -> User:
    """Who is signed in, and showed once more who they are."""
    user = await member(request)
    body = await read_json(request, Confirmed)
    await confirm(request, user, body.password)
    return user


async def _identities(request: web.Request, user: User) -> tuple[Identity, ...]:
    oidc = request.app[PARTS].oidc
    return () if oidc is None else await oidc.accounts.identities(user)


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "id": identity.id,
        "issuer": identity.issuer,
        "created_at": identity.created_at_ms,
        "last_used_at": identity.last_used_at_ms,
    }


def _passkey(passkey: Passkey) -> dict[str, Any]:
    return {
        "id": passkey.id,
        "name": passkey.name,
        "created_at": passkey.created_at_ms,
        "last_used_at": passkey.last_used_at_ms,
    }


def _session(session: SignedIn, current: str) -> dict[str, Any]:
    return {
        "id": session.id,
        "current": session.token_hash == current,
        "device": session.device,
        "created_at": session.created_at_ms,
        "last_seen_at": session.last_seen_at_ms,
        "expires_at": session.expires_at_ms,
    }


def _device(device: KnownDevice, current: str) -> dict[str, Any]:
    return {
        "id": device.id,
        "current": device.token_hash == current,
        "name": device.name,
        "created_at": device.created_at_ms,
        "last_seen_at": device.last_seen_at_ms,
        "expires_at": device.expires_at_ms,
        "trusted_until": device.trusted_until_ms,
    }
