"""How aiohttp is set up to serve the application: limits, quiet logs, and headers even where no handler ran."""

import asyncio
import logging
from typing import Any, Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from pymeet.web.headers import add_security_headers

SHUTDOWN_S: Final = 1.5
"""How long open connections get at the end; the whole stop must fit into 5 seconds."""


_CLIENTS_FAULT = ("Bad", "Content", "Invalid", "LineTooLong", "Transfer")
"""How aiohttp's exceptions for unreadable requests are named: strangers' noise, not the operator's business."""


class _Unparsed(web.BaseRequest):
    """Stands for a request that aiohttp could not parse. Its error text quotes the input, so it is replaced."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        add_security_headers(response, None, https=self.secure, hsts=False)
        if isinstance(response, web.Response):
            response.text = "This is not an HTTP request that can be answered.\n"


class _WithoutNoise(logging.Filter):
    """Drops what aiohttp reports as its own error although a stranger sent it."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or not kind.__name__.startswith(_CLIENTS_FAULT)


async def start_runner(app: web.Application) -> web.AppRunner:
    """A runner that is set up and serves what sites are added to it.

    Bodies are never unpacked: a few kilobytes of gzip could become gigabytes, and no client of ours sends any.
    """
    logger = logging.getLogger("pymeet.http")
    if not logger.filters:
        logger.addFilter(_WithoutNoise())
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=logger,
        shutdown_timeout=SHUTDOWN_S,
        auto_decompress=False,
        keepalive_timeout=30.0,
        lingering_time=2.0,
    )
    await runner.setup()
    assert runner.server is not None  # noqa: S101 - setup() has just made it
    usual = runner.server.request_factory

    def make_request(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        # aiohttp hands over a placeholder, whose headers are a dictionary and not pairs, for what it could not parse.
        if isinstance(message.raw_headers, dict):
            return _Unparsed(message, payload, protocol, writer, task, asyncio.get_running_loop())
        return usual(message, payload, protocol, writer, task)

    factory: Any = make_request
    runner.server.request_factory = factory
    return runner
