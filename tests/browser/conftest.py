"""A real server and a real Chromium for the browser tests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_server import first_admin, make_config, running
from playwright.async_api import Browser

from pymeet.server import Server
from tests.browser.people import Person, chromium, enter


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


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    """An empty room. At the end nobody's console may have complained and nothing may have been asked of other hosts."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as admin:
        slug = await admin.make_room("Weekly")
        async with chromium() as browser:
            meeting = Meeting(server, slug, browser, [])
            yield meeting
            complaints = {p.name: p.complaints for p in meeting.people if p.complaints}
            assert not complaints
