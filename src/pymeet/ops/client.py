"""How the command line gets an operation done: by the running server over its socket, or in this process."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from pymeet.config import Config
from pymeet.errors import PymeetError
from pymeet.ops.operations import run
from pymeet.ops.progress import Progress, silent
from pymeet.ops.services import open_services
from pymeet.ops.verbs.status import no_data
from pymeet.ops.wire import result_of

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
    if not config.data_dir.is_dir():
        raise PymeetError(
            f"There is no data directory {config.data_dir.absolute()}: no server was started with it.\n"
            "Run this in the server's directory, or name the server's configuration with -c FILE.\n"
            "To begin a new server here, run `pymeet serve`, or `pymeet init` and then `pymeet serve`.",
            code="no_data_dir",
        )
    result = await _do_here(config, name, arguments, on_progress)
    offline()
    return result


async def ask(
    config: Config, name: str, arguments: Mapping[str, Any], *, on_progress: Progress = silent
) -> dict[str, Any] | None:
    """The last line of the running server's answer (`wire.py`); None when no server answers on the socket. PymeetError.

    When this is cancelled, the connection ends, and with it the operation in the server.
    """
    path = config.socket_path
    if not path.exists():
        return None
    timeout = aiohttp.ClientTimeout(total=None, sock_read=ANSWER_WITHIN_S)
    connector = aiohttp.UnixConnector(str(path))
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=_LONGEST_LINE_BYTES) as session,
            session.post(f"http://pymeet/op/{name}", json=dict(arguments)) as response,
        ):
            async for text in response.content:
                answer: dict[str, Any] = json.loads(text)
                if "progress" not in answer:
                    return answer
                if report := answer["progress"]:
                    on_progress(report["done"], report["total"], report["what"])
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, PermissionError):
            raise PymeetError(
                f"The running server's socket {path} may not be opened.\nRun the command as the user who runs pymeet.",
                code="no_permission",
            ) from None
        return None
    except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError):
        raise _no_answer() from None
    raise _no_answer()


async def _do_here(config: Config, name: str, arguments: Mapping[str, Any], on_progress: Progress) -> Any:
    try:
        async with open_services(config) as services:
            return await run(services, name, arguments, progress=on_progress)
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
