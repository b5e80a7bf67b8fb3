"""The API around an erasure under way: how far it is, and thinking better of it (section 5.2)."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from pymeet.errors import NotFoundError
from pymeet.privacy.status_text import read
from pymeet.signed import MAX_LENGTH
from pymeet.web.attempts import attempt
from pymeet.web.bodies import Body, read_json
from pymeet.web.parts import PARTS
from pymeet.web.personal_data import cancel_erasure, erasures, register
from pymeet.web.sessions import admitted, challenged, known_device, network
from pymeet.web.sign_in import SignIn


class Status(Body):
    status: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]


async def inspect(request: web.Request) -> web.Response:
    """What happened so far. It names nobody, so that it can be asked for when the account is gone."""
    body = await read_json(request, Status)
    with attempt(request):
        request_id = read(request.app[PARTS].status_key, body.status)
    entries = register(request)
    erasure = await entries.get(request_id)
    if erasure.right != "erasure":
        raise NotFoundError("There is no such erasure.")
    result = await erasures(request).receipt(request_id)
    return web.json_response(
        {
            "request": erasure.id,
            "state": erasure.state,
            "events": [{"state": step.what, "at": step.at_ms} for step in await entries.timeline(request_id)],
            "erased_after": erasure.not_before_ms,
            "result": result and result.as_dict(),
        }
    )


async def cancel(request: web.Request) -> web.Response:
    """Proves who one is as for signing in, which it does as well: where a second factor is asked for, that comes first."""
    body = await read_json(request, SignIn)
    parts = request.app[PARTS]
    known_as = await known_device(request, body.email)
    with attempt(request, known_as):
        user = await parts.accounts.check_password(
            body.email, body.password, erasing=True, network=network(request), known_device=known_as is not None
        )
    asked = await challenged(request, user, cancels_erasure=True)
    if asked is not None:
        return asked
    await cancel_erasure(request, user.id)
    return await admitted(request, user)
