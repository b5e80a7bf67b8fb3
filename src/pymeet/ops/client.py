"""How the command line gets an operation done: by the running server over its socket, or in this process."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from pymeet.config import Config
from pymeet.db.seal import Sink
from pymeet.errors import NotFoundError, PymeetError
from pymeet.ops.operations import run
from pymeet.ops.progress import Progress, silent
from pymeet.ops.services import Services, open_services
from pymeet.ops.verbs.status import no_data
from pymeet.ops.wire import FILE_ID, PIECE_BYTES, pieces, result_of

ANSWER_WITHIN_S: Final = 60
"""The longest silence. An operation may take as long as it needs: the server says something every ten seconds."""

_LONGEST_LINE_BYTES = 1 << 26


async def call(
    config: Config,
    name: str,
    arguments: Mapping[str, Any],
    *,
    on_progress: Progress = silent,
    offline: Callable[[], None] = lambda: None,
) -> Any:
    """Lets the running server do it; where none answers, opens the services and does it here. PymeetError.

    Calls `offline` when it was done here. Makes no data directory: one in the wrong place would belong to no server.
    """
    answer = await ask(config, name, arguments, on_progress=on_progress)
    if answer is not None:
        return result_of(answer)
    if name == "status" and not config.database_path.exists():
        return no_data(config)
    async with _services_here(config) as services:
        result = await run(services, name, arguments, progress=on_progress)
    offline()
    return result


async def ask(
    config: Config, name: str, arguments: Mapping[str, Any], *, on_progress: Progress = silent
) -> dict[str, Any] | None:
    """The last line of the running server's answer (`wire.py`); None when no server answers on the socket. PymeetError.

    When this is cancelled, the connection ends, and with it the operation in the server.
    """
    options = {"json": dict(arguments), "read_bufsize": _LONGEST_LINE_BYTES}
    async with _response(config, "POST", f"/op/{name}", **options) as response:
        if response is None:
            return None
        async for text in response.content:
            answer: dict[str, Any] = json.loads(text)
            if "progress" not in answer:
                return answer
            if report := answer["progress"]:
                on_progress(report["done"], report["total"], report["what"])
    raise _no_answer()


async def fetch_file(config: Config, file_id: str, sink: Sink) -> None:
    """Writes what a sealed file holds into `sink`, opened by the running server or here.

    NotFoundError when there is no such file or its key was destroyed, PymeetError when it was changed: then `sink` may
    have got a part of it.
    """
    if not re.fullmatch(FILE_ID, file_id):
        raise NotFoundError("There is no such file.")
    async with _response(config, "GET", f"/file/{file_id}") as response:
        if response is not None:
            if response.status != 200:
                result_of(json.loads(await response.read()))
            async for piece in response.content.iter_chunked(PIECE_BYTES):
                sink.write(piece)
            return
    async with _services_here(config) as services:
        with await asyncio.to_thread(services.files.open, file_id) as reader:
            async for piece in pieces(reader):
                sink.write(piece)


@asynccontextmanager
async def _response(
    config: Config, method: str, path: str, **options: Any
) -> AsyncIterator[aiohttp.ClientResponse | None]:
    """What the running server answers; None when no server does. PymeetError for one that cannot be read."""
    if not config.socket_path.exists():
        yield None
        return
    timeout = aiohttp.ClientTimeout(total=None, sock_read=ANSWER_WITHIN_S)
    connector = aiohttp.UnixConnector(str(config.socket_path))
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            try:
                response = await session.request(method, f"http://pymeet{path}", **options)
            except aiohttp.ClientConnectorError as error:
                if isinstance(error.os_error, PermissionError):
                    raise PymeetError(
                        f"The running server's socket {config.socket_path} may not be opened.\n"
                        "Run the command as the user who runs pymeet.",
                        code="no_permission",
                    ) from None
                yield None
                return
            async with response:
                yield response
    except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError):
        raise _no_answer() from None


@asynccontextmanager
async def _services_here(config: Config) -> AsyncIterator[Services]:
    """The services without a server. PymeetError where no data directory or no usable database is."""
    if not config.data_dir.is_dir():
        raise PymeetError(
            f"There is no data directory {config.data_dir.absolute()}: no server was started with it.\n"
            "Run this in the server's directory, or name the server's configuration with -c FILE.\n"
            "To begin a new server here, run `pymeet serve`, or `pymeet init` and then `pymeet serve`.",
            code="no_data_dir",
        )
    try:
        async with open_services(config) as services:
            yield services
    except SQLAlchemyError as error:
        # Neither the statement nor its values are shown: they may be personal.
        raise PymeetError(
            f"The database {config.database_path} cannot be used ({type(error).__name__}).\n"
            "Check that the disk has room and that this user may write there; put a backup back if it is damaged.",
            code="database_error",
        ) from None


def _no_answer() -> PymeetError:
    return PymeetError(
        "The running server did not answer properly.\nSee its log; restart it if this goes on.", code="no_answer"
    )
