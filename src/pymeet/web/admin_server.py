"""The API by which administrators look after the mail queue and the settings that need no restart (docs/protocol.md,
section 4.4)."""

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from pymeet.db.server_settings import ServerSettings, Setting
from pymeet.errors import InvalidInputError
from pymeet.ops.mail_queue import MailQueue
from pymeet.web.bodies import Body, read_json
from pymeet.web.paging import wanted
from pymeet.web.parts import PARTS
from pymeet.web.roles import administrator

STATES = ("waiting", "failed")


class SettingValue(Body):
    value: bool | Annotated[str, Field(max_length=1000)] | None
    """What fits, the setting says."""


async def list_mail(request: web.Request) -> web.Response:
    """What waits, or with `state=failed` was given up, the newest first; `kind` picks one kind."""
    user = await administrator(request)
    _, after, limit = wanted(request)
    state = request.query.get("state", "waiting")
    if state not in STATES:
        raise InvalidInputError(f"state: {' or '.join(STATES)}.")
    kind = request.query.get("kind", "")[:40]
    queue = _queue(request)
    return web.json_response(
        await queue.listed(failed=state == "failed", kind=kind, after=after, limit=limit, by=user.id)
    )


async def retry_all(request: web.Request) -> web.Response:
    user = await administrator(request)
    return web.json_response({"count": await _queue(request).retry(by=user.id)})


async def retry(request: web.Request) -> web.Response:
    user = await administrator(request)
    await _queue(request).retry(request.match_info["id"], by=user.id)
    return web.Response(status=204)


async def drop(request: web.Request) -> web.Response:
    """A mail that is being handed over at this moment may still arrive."""
    user = await administrator(request)
    await _queue(request).drop(request.match_info["id"], by=user.id)
    return web.Response(status=204)


async def list_settings(request: web.Request) -> web.Response:
    await administrator(request)
    return web.json_response({"settings": [_shown(each) for each in _settings(request).listed()]})


async def change_setting(request: web.Request) -> web.Response:
    """Sets a value over the configuration's; it holds for what begins from now on."""
    user = await administrator(request)
    body = await read_json(request, SettingValue)
    parts = request.app[PARTS]
    made = await _settings(request).change(
        request.match_info["name"], body.value, now_ms=parts.clock.now_ms(), by=user.id
    )
    return web.json_response(_shown(made))


async def give_back_setting(request: web.Request) -> web.Response:
    """Lets the configuration's value hold again."""
    user = await administrator(request)
    parts = request.app[PARTS]
    made = await _settings(request).give_back(request.match_info["name"], now_ms=parts.clock.now_ms(), by=user.id)
    return web.json_response(_shown(made))


def _queue(request: web.Request) -> MailQueue:
    return MailQueue(request.app[PARTS].lifecycle)


def _settings(request: web.Request) -> ServerSettings:
    settings = request.app[PARTS].lifecycle.settings
    assert settings is not None  # noqa: S101  a running server has opened them
    return settings


def _shown(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "value": setting.value,
        "configured": setting.configured,
        "set_here": setting.is_set_here,
        "choices": list(setting.choices),
        "changed_at": setting.changed_at_ms,
    }
