"""The management socket: how the command line talks to the running server. Whoever may open it may do everything, so
it is a Unix socket of mode 0600 in a directory of mode 0700, and nothing else.

`POST /op/<name>` with a JSON object of arguments answers `{"result": …}` or `{"error": {kind, code, message}}`;
`GET /metrics` answers in Prometheus' text format.
"""

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from pymeet import errors
from pymeet.config import Config
from pymeet.errors import ConfigError, ConflictError, PymeetError
from pymeet.ops.operations import Services, no_data, open_services, run

ANSWER_WITHIN_S = 60
_LONGEST_PATH = 107
"""Bytes that fit into sockaddr_un (unix(7))."""


class ManagementServer:
    """Serves the socket from `start` to `stop`, for the one server that holds data_dir (`hold_data_dir`)."""

    def __init__(self, services: Services, metrics: Callable[[], bytes]) -> None:
        self._services = services
        self._metrics = metrics
        self._path = services.config.socket_path
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Opens the socket, removing one that a crashed server left."""
        listener = _listen(self._path)
        app = web.Application()
        app.router.add_post("/op/{name}", self._operate)
        app.router.add_get("/metrics", self._show_metrics)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Closes and removes the socket."""
        if self._runner:
            self._path.unlink(missing_ok=True)
            await self._runner.cleanup()
            self._runner = None

    async def _operate(self, request: web.Request) -> web.Response:
        try:
            arguments = await request.json()
            result = await run(self._services, request.match_info["name"], arguments)
        except PymeetError as error:
            described = {"kind": _kind(error), "code": error.code, "message": error.message}
            return web.json_response({"error": described}, status=400)
        return web.json_response({"result": result})

    async def _show_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def call(
    config: Config, name: str, arguments: Mapping[str, Any], *, offline: Callable[[], None] = lambda: None
) -> Any:
    """Lets the running server do it; where none answers, opens the services and does it here. PymeetError.

    Calls `offline` when it was done here. Makes no data directory: one in the wrong place would belong to no server.
    """
    answer = await ask(config, name, arguments)
    if answer is not None:
        return _result_of(answer)
    if name == "status" and not config.database_path.exists():
        return no_data(config)
    if not config.data_dir.is_dir():
        raise PymeetError(
            f"There is no data directory {config.data_dir.absolute()}: no server was started with it.\n"
            "Run this in the server's directory, or name the server's configuration with -c FILE.\n"
            "To begin a new server here, run `pymeet serve`, or `pymeet init` and then `pymeet serve`.",
            code="no_data_dir",
        )
    result = await _do_here(config, name, arguments)
    offline()
    return result


async def _do_here(config: Config, name: str, arguments: Mapping[str, Any]) -> Any:
    try:
        async with open_services(config) as services:
            return await run(services, name, arguments)
    except SQLAlchemyError as error:
        # Neither the statement nor its values are shown: they may be personal.
        raise PymeetError(
            f"The database {config.database_path} cannot be used ({type(error).__name__}).\n"
            "Check that the disk has room and that this user may write there; put a backup back if it is damaged.",
            code="database_error",
        ) from None


async def ask(config: Config, name: str, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """The running server's answer; None when no server answers on the socket."""
    path = config.socket_path
    if not path.exists():
        return None
    connector = aiohttp.UnixConnector(str(path))
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(f"http://pymeet/op/{name}", json=dict(arguments)) as response,
        ):
            answer: dict[str, Any] = await response.json()
            return answer
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, PermissionError):
            raise PymeetError(
                f"The running server's socket {path} may not be opened.\nRun the command as the user who runs pymeet.",
                code="no_permission",
            ) from None
        return None
    except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError):
        raise PymeetError(
            "The running server did not answer properly.\nSee its log; restart it if this goes on.", code="no_answer"
        ) from None


@contextmanager
def hold_data_dir(config: Config) -> Iterator[None]:
    """Makes sure that one server uses data_dir: to be held before anything in there is opened, and until all is closed.

    The kernel lets go of the lock when the process dies, however it dies. ConflictError when another server holds it.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(config.data_dir / "pymeet.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConflictError(
                f"Another pymeet server is using {config.data_dir}.\nStop it first, or give this one its own data_dir.",
                code="already_running",
            ) from None
        yield
    finally:
        os.close(descriptor)


def _listen(path: Path) -> socket.socket:
    """Binds the socket with mode 0600 from its first moment. The lock says that nobody lives behind an old one."""
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise ConfigError(
            f"{path} is too long for a Unix socket (at most {_LONGEST_PATH} bytes).\nChoose a shorter data_dir."
        )
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    former = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise ConfigError(f"{path}: {error.strerror}.\nPut data_dir on a local disk that allows sockets.") from None
    finally:
        os.umask(former)
    return listener


def _kind(error: PymeetError) -> str:
    """The class in pymeet.errors that the error is, or comes from."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)


def _result_of(answer: dict[str, Any]) -> Any:
    if "error" not in answer:
        return answer["result"]
    described = answer["error"]
    kind = getattr(errors, str(described["kind"]), PymeetError)
    raise kind(described["message"], code=described["code"])
