"""Work that goes on after its request was answered: archives being made, erasures being carried out."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from aiohttp import web

from pymeet.errors import PymeetError

log = structlog.get_logger(__name__)


class Background:
    """The tasks of one application. What they got done stands in the database, from where it is picked up again."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, kind: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begins; what fails is logged under `kind`, a fixed word, without what the error says."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(kind, done))
        return task

    async def close(self) -> None:
        """Cancels what is still going on, and returns when it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, kind: str, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, PymeetError):
            log.info("work in the background was refused", kind=kind, reason=error.code)
        elif error is not None:
            log.error("work in the background failed", kind=kind, exc_info=error)


BACKGROUND = web.AppKey("background", Background)


async def close_background(app: web.Application) -> None:
    """For the end of the application."""
    await app[BACKGROUND].close()
