"""A real server and a real Chromium for the browser tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from live_server import first_admin, make_config, running
from playwright.async_api import Browser

from pymeet.server import Server
from tests.browser.people import Person, camera, chromium, emptied, enter


@dataclass
class Meeting:
    """A room of a running server, and the way into it."""

    server: Server
    slug: str
    browser: Browser
    people: list[Person]

    async def person(self, name: str) -> Person:
        """Somebody new, who has not joined yet."""
        person = await enter(self.browser, self.server.url, name)
        self.people.append(person)
        return person

    async def joined(self, *names: str) -> list[Person]:
        """New people, all in the room."""
        people = []
        for name in names:
            person = await self.person(name)
            await person.join(self.slug)
            people.append(person)
        return people


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    """One browser for all tests of a file, which is quicker than one for each; they run on the module's event loop, and
    each leaves it `emptied`. Its camera takes as many pictures a second as the file's `FPS` says: few where nobody counts."""
    async with chromium(camera(getattr(request.module, "FPS", 10))) as browser:
        yield browser


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    """An empty room. At the end nobody's console may have complained and nothing may have been asked of other hosts."""
    async with _room(tmp_path / "data") as (server, slug), chromium() as browser:
        meeting = Meeting(server, slug, browser, [])
        yield meeting
        assert not _complaints(meeting)


@pytest_asyncio.fixture(loop_scope="module")
async def shared_meeting(tmp_path: Path, browser: Browser) -> AsyncIterator[Meeting]:
    """The same, in the browser of the file."""
    async with _room(tmp_path / "data") as (server, slug), emptied(browser):
        meeting = Meeting(server, slug, browser, [])
        yield meeting
        assert not _complaints(meeting)


@asynccontextmanager
async def _room(data_dir: Path) -> AsyncIterator[tuple[Server, str]]:
    async with running(make_config(data_dir)) as server, first_admin(server) as admin:
        yield server, await admin.make_room("Weekly")


def _complaints(meeting: Meeting) -> dict[str, list[str]]:
    return {person.name: person.complaints for person in meeting.people if person.complaints}
