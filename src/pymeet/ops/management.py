"""The management socket: how the command line talks to the running server. Whoever may open it may do everything, so
it is a Unix socket of mode 0600 in a directory of mode 0700, and nothing else.

`POST /op/<name>` with a JSON object of arguments runs an operation and answers in lines (`wire.py`): how far it is, and
at the end what came of it. It is cancelled when the connection ends before. `GET /file/<id>` answers with what a sealed
file holds, for the command to put where it is wanted: operations name such files only when they made them for that.
`GET /metrics` answers in Prometheus' text format. The other end is `client.py`.
"""

import asyncio
import fcntl
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from pymeet.config import Config
from pymeet.errors import ConfigError, ConflictError, PymeetError
from pymeet.ops.operations import OPERATIONS, run
from pymeet.ops.progress import Latest
from pymeet.ops.services import Operation, Services
from pymeet.ops.wire import FILE_ID, MEDIA_TYPE, error_line, line, pieces

TELL_EVERY_S: Final = 0.1
"""Progress is told no more often than this."""

KEEP_ALIVE_S: Final = 10.0
"""Nor is there silence for longer than this, so that the command knows that the server lives."""

FINISH_WITHIN_S: Final = 1.0
"""How long operations may go on when the server stops; then they are cancelled."""

_LONGEST_PATH = 107
"""Bytes that fit into sockaddr_un (unix(7))."""


class ManagementServer:
    """Serves the socket from `start` to `stop`, for the one server that holds data_dir (`hold_data_dir`)."""

    def __init__(
        self,
        services: Services,
        metrics: Callable[[], bytes],
        *,
        operations: Mapping[str, Operation] = OPERATIONS,
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        self._services = services
        self._metrics = metrics
        self._operations = operations
        self._keep_alive_s = keep_alive_s
        self._path = services.config.socket_path
        self._runner: web.AppRunner | None = None
        self._at_work: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Opens the socket, removing one that a crashed server left."""
        listener = _listen(self._path)
        app = web.Application()
        app.router.add_post("/op/{name}", self._operate)
        app.router.add_get(f"/file/{{id:{FILE_ID}}}", self._send_file)
        app.router.add_get("/metrics", self._show_metrics)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, handler_cancellation=True, shutdown_timeout=0.5
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Closes and removes the socket. Operations get a moment to end, then they are cancelled and waited for."""
        if self._runner:
            self._path.unlink(missing_ok=True)
            if self._at_work:
                await asyncio.wait(self._at_work, timeout=FINISH_WITHIN_S)
            for work in self._at_work:
                work.cancel()
            await asyncio.gather(*self._at_work, return_exceptions=True)
            await self._runner.cleanup()
            self._runner = None

    async def _operate(self, request: web.Request) -> web.StreamResponse:
        arguments = await request.json()
        response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE})
        await response.prepare(request)
        latest = Latest()
        name = request.match_info["name"]
        work = asyncio.create_task(run(self._services, name, arguments, progress=latest, operations=self._operations))
        self._at_work.add(work)
        try:
            await self._tell(response, work, latest)
            await response.write(_outcome(work))
        finally:
            # here also when the connection ended, which cancels this handler: then nobody wants the work any more
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            self._at_work.discard(work)
        return response

    async def _tell(self, response: web.StreamResponse, work: "asyncio.Task[Any]", latest: Latest) -> None:
        """Writes how far the work is, until it is done."""
        silent_s = 0.0
        while not work.done():
            await asyncio.wait({work}, timeout=TELL_EVERY_S)
            silent_s += TELL_EVERY_S
            if report := latest.take():
                await response.write(line("progress", dict(zip(("done", "total", "what"), report, strict=True))))
                silent_s = 0.0
            elif silent_s >= self._keep_alive_s:
                await response.write(line("progress", None))
                silent_s = 0.0

    async def _send_file(self, request: web.Request) -> web.StreamResponse:
        try:
            reader = await asyncio.to_thread(self._services.files.open, request.match_info["id"])
        except PymeetError as error:
            return web.Response(status=400, body=error_line(error), content_type=MEDIA_TYPE)
        with reader:
            response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
            response.content_length = reader.size
            await response.prepare(request)
            # a file that turns out to be changed breaks the answer off, which the other side notices by its length
            async for piece in pieces(reader):
                await response.write(piece)
        return response

    async def _show_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def _outcome(work: "asyncio.Task[Any]") -> bytes:
    """The last line of an answer. What is not raised on purpose goes on to the log, and the answer stays without end."""
    if work.cancelled():
        return error_line(
            PymeetError(
                "The server is stopping, and broke this off.\nRun the command again; it goes on where that is possible.",
                code="server_stopping",
            )
        )
    try:
        return line("result", work.result())
    except PymeetError as error:
        return error_line(error)


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
