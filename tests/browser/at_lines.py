"""A meeting whose people sit at lines of their own (`tests/lab`), each in a Chromium of their own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_server import first_admin, make_config, running

from tests.browser.people import CHROMIUM, Person, camera, chromium, enter
from tests.lab.forwarder import Conditions
from tests.lab.network import SERVER, Lab, LabUnavailableError

WEB_PORT, MEDIA_PORT = 8000, 8001
ORIGIN = f"http://{SERVER}:{WEB_PORT}"
GOOD = Conditions(delay_ms=10)


@dataclass
class Room:
    """A room of a server in the lab. Lines are counted from 1."""

    lab: Lab
    slug: str
    folder: Path
    stack: AsyncExitStack
    people: list[Person]

    async def person(self, line: int, name: str, *flags: str, may_send: bool = True) -> Person:
        """Somebody new at this line, who has not joined yet. Who may not send has said no to camera and microphone."""
        browser = await self.stack.enter_async_context(
            chromium(
                *(flags or (camera(10),)),
                f"--unsafely-treat-insecure-origin-as-secure={ORIGIN}",
                program=self.lab.program(line, str(CHROMIUM), self.folder),
            )
        )
        person = await enter(browser, ORIGIN, name)
        person.expects_network_errors = True
        if not may_send:
            # Chromium then offers no address of its own, as with people who only listen
            await person.context.clear_permissions()
            await person.page.add_init_script(
                "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };"
            )
        self.people.append(person)
        return person


@asynccontextmanager
async def room_at_lines(folder: Path, lines: int) -> AsyncIterator[Room]:
    """An empty room, and good lines to it. At the end nobody's console may have complained. Skips where there can be no lab."""
    async with AsyncExitStack() as stack:
        try:
            lab = stack.enter_context(Lab(lines))
        except LabUnavailableError as error:
            pytest.skip(str(error))
        for line in lab.clients:
            lab.set(line, GOOD)
        stack.enter_context(lab.server.inside())
        config = make_config(
            folder / "data",
            # plain HTTP beyond loopback needs a proxy to be named; none is there, and the browsers are told to trust the address
            http={"host": SERVER, "port": WEB_PORT, "trusted_proxies": ["127.0.0.1/32"]},
            media={"port": MEDIA_PORT, "addresses": [SERVER]},
        )
        server = await stack.enter_async_context(running(config))
        slug = await (await stack.enter_async_context(first_admin(server))).make_room("Weekly")
        room = Room(lab, slug, folder, stack, [])
        yield room
        assert not [complaint for person in room.people for complaint in person.complaints]
