"""Networks break: people come back by themselves, on their seat, and miss nothing that was said."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live_server import first_admin, free_port, make_config, running

from tests.browser.line import HOST, Line
from tests.browser.people import Person, chromium, enter, until

pytestmark = pytest.mark.browser


@pytest.fixture
async def ada_grace_line(tmp_path: Path) -> AsyncIterator[tuple[Person, Person, Line]]:
    """Grace sits beside the server; Ada comes over a line that can be cut."""
    media_port = free_port()
    config = make_config(tmp_path / "data", media={"port": media_port, "addresses": [HOST]})
    async with running(config) as server, first_admin(server) as admin, chromium() as browser:
        slug = await admin.make_room("Weekly")
        line = Line(int(server.url.rpartition(":")[2]), media_port)
        await line.open()
        try:
            grace = await enter(browser, server.url, "Grace")
            await grace.join(slug)
            await until("Grace is sending", lambda: _publishes(grace))
            line.spare_present_flows()
            ada = await enter(browser, line.url, "Ada")
            await ada.join(slug)
            for person in (ada, grace):
                await until(f"{person.name} sees the other", lambda p=person: p.playing("video", 1), 20)
            yield ada, grace, line
            assert not grace.complaints
            assert not ada.complaints
        finally:
            await line.close()


async def _publishes(person: Person) -> bool:
    return bool(await person.page.evaluate("() => window.pymeet.publishPc?.connectionState === 'connected'"))


async def test_who_loses_the_network_for_eight_seconds_comes_back_by_itself(
    ada_grace_line: tuple[Person, Person, Line],
) -> None:
    """The seat is kept, nobody has to press anything, and what was said meanwhile is there."""
    ada, grace, line = ada_grace_line

    ada.expects_network_errors = True
    line.cut()
    cut = asyncio.get_running_loop().time()
    await asyncio.sleep(2)
    await grace.say("Are you there?")
    await asyncio.sleep(8 - (asyncio.get_running_loop().time() - cut))
    line.mend()

    await until("Ada sees Grace", lambda: ada.playing("video", 1, within_s=0.5), 10)
    await until("Grace sees Ada", lambda: grace.playing("video", 1, within_s=0.5), 10)
    await ada.press("Chat")
    await ada.page.get_by_text("Are you there?").wait_for(timeout=5_000)
    assert await grace.page.get_by_role("figure").count() == 1
    assert not await ada.page.get_by_role("textbox", name="Your name").is_visible()


async def test_a_changed_address_costs_a_moment_and_no_more(ada_grace_line: tuple[Person, Person, Line]) -> None:
    """The server must send to where the newest check came from, not to where it used to."""
    ada, grace, line = ada_grace_line

    line.change_address()

    await until("Ada sees Grace", lambda: ada.playing("video", 1, within_s=0.5), 6)
    await until("Grace sees Ada", lambda: grace.playing("video", 1, within_s=0.5), 6)
    assert not await ada.page.get_by_text("Connection lost").is_visible()


async def test_others_see_that_somebody_is_reconnecting_and_that_they_are_back(
    ada_grace_line: tuple[Person, Person, Line],
) -> None:
    """A person who fell silent because of a network must not look like one who is rude."""
    ada, grace, line = ada_grace_line

    ada.expects_network_errors = True
    line.cut()
    await grace.tile("Ada").get_by_text("Reconnecting").wait_for(timeout=25_000)
    await ada.page.get_by_text("Connection lost").wait_for(timeout=5_000)
    line.mend()
    await grace.tile("Ada").get_by_text("Reconnecting").wait_for(state="detached", timeout=10_000)
    await until("Grace sees Ada", lambda: grace.playing("video", 1, within_s=0.5), 10)
    await until("Ada sees Grace", lambda: ada.playing("video", 1, within_s=0.5), 10)
