"""Archives of people's data: made in the background, after the request that asked for one was answered."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from pymeet.errors import TooManyError
from pymeet.ops.addresses import public_url
from pymeet.privacy.export import Export, export_person
from pymeet.privacy.people import DataSubject
from pymeet.web.background import BACKGROUND
from pymeet.web.errors import StatusError
from pymeet.web.parts import PARTS


async def start_export(
    request: web.Request,
    person: DataSubject,
    *,
    language: str,
    actor: str,
    afterwards: Callable[[Export], Awaitable[None]] | None = None,
) -> str:
    """Begins to make the archive and returns its id; `afterwards` runs when it is ready.

    StatusError 429 while another one is made, or was made a moment ago.
    """
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def make() -> None:
        export = await make_export(request, person, language=language, actor=actor, begun=begun.set_result)
        if afterwards is not None:
            await afterwards(export)

    task = request.app[BACKGROUND].start("export", make())
    await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED)
    if not begun.done():
        await task
    return begun.result()


async def make_export(
    request: web.Request,
    person: DataSubject,
    *,
    language: str,
    actor: str,
    begun: Callable[[str], None] = lambda _id: None,
) -> Export:
    """Makes the archive and returns when it is ready. StatusError 429 as above."""
    parts = request.app[PARTS]
    site = public_url(parts.config)
    try:
        return await export_person(parts.lifecycle, person, language=language, actor=actor, instance=site, begun=begun)
    except TooManyError as error:
        retry = {"Retry-After": str(error.details["retry_after_s"])}
        raise StatusError(429, error.message, headers=retry) from None
