"""Whoever was signed out leaves the meeting, too: an ended session must not live on in an open connection."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

_log = structlog.get_logger(__name__)

LOOK_S = 2.0
"""How often it is looked whether sessions ended: for all connections together, by one query."""


class SignOuts:
    """The connections of people who are signed in, each with the session that it was opened with."""

    def __init__(self, still_open: Callable[[Collection[str]], Awaitable[Collection[str]]]) -> None:
        """`still_open` tells which of these sessions have not ended."""
        self._still_open = still_open
        self._here: dict[Callable[[], None], str] = {}

    @contextmanager
    def watching(self, session: str | None, leave: Callable[[], None]) -> Iterator[None]:
        """Calls `leave` when the session ends meanwhile; a connection without one is nobody's to sign out."""
        if session is not None:
            self._here[leave] = session
        try:
            yield
        finally:
            self._here.pop(leave, None)

    async def look(self) -> None:
        """Ends the connections of sessions that are over."""
        asked = set(self._here.values())
        still_open = await self._still_open(asked) if asked else ()
        for leave, session in list(self._here.items()):
            if session in asked and session not in still_open:
                leave()

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except SQLAlchemyError:
                _log.exception("who was signed out could not be looked up; it will be tried again")
