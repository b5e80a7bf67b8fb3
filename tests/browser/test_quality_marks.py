"""A connection that loses packets is marked, with its reason, for everybody; and the page comes in two parts."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live_server import first_admin, free_port, make_config, running
from playwright.async_api import Route

from tests.browser.line import HOST, Line
from tests.browser.people import Person, camera, chromium, enter, until

pytestmark = pytest.mark.browser

LOST = "what is sent gets lost on the way to the server"
GOOD_S = 12.0
"""What is found out slowest of a connection is called narrow after four readings, two seconds apart."""
_KEEP_MARKS = """() => {
  window.marks = [];
  const note = () => document.querySelectorAll('.tile .quality').forEach((mark) => window.marks.push(mark.title));
  note();
  new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
}"""


class LeakyLine(Line):
    """A line that loses every fourth datagram, both ways, as soon as it leaks."""

    leaks = False
    _numbers = itertools.count()

    def lets_through(self, client: tuple[str, int]) -> bool:
        is_lost = self.leaks and client not in self._others and next(self._numbers) % 4 == 0
        return super().lets_through(client) and not is_lost


@pytest.fixture
async def ada_grace_line(tmp_path: Path) -> AsyncIterator[tuple[Person, Person, LeakyLine]]:
    """Grace sits beside the server; Ada comes over a line that can leak."""
    media_port = free_port()
    config = make_config(tmp_path / "data", media={"port": media_port, "addresses": [HOST]})
    async with running(config) as server, first_admin(server) as admin, chromium(camera(10)) as browser:
        slug = await admin.make_room("Weekly")
        line = LeakyLine(int(server.url.rpartition(":")[2]), media_port)
        await line.open()
        try:
            grace = await enter(browser, server.url, "Grace")
            await grace.join(slug)
            await until("Grace is sending", lambda: _publishes(grace))
            line.spare_present_flows()
            ada = await enter(browser, line.url, "Ada")
            await ada.join(slug)
            await until("Grace sees Ada", lambda: grace.playing("video", 1), 20)
            yield ada, grace, line
            assert not grace.complaints
            assert not ada.complaints
        finally:
            await line.close()


async def _publishes(person: Person) -> bool:
    return bool(await person.page.evaluate("() => window.pymeet.publishPc?.connectionState === 'connected'"))


async def test_a_connection_that_loses_packets_is_marked_with_its_reason(
    ada_grace_line: tuple[Person, Person, LeakyLine],
) -> None:
    """Grace knows that it is not hers, and Ada knows that it is. Readings are two seconds apart, and it takes two of them."""
    ada, grace, line = ada_grace_line
    line.leaks = True

    await grace.tile("Ada").get_by_text(LOST).wait_for(state="attached", timeout=25_000)
    own = ada.page.get_by_role("group", name="You")
    await own.locator(".quality").wait_for(timeout=10_000)
    await grace.page.keyboard.press("i")
    panel = grace.page.get_by_role("complementary", name="Connection details")
    await panel.get_by_role("heading", name="As the server sees you").wait_for()
    note = panel.locator("section", has=grace.page.get_by_role("heading", name="From Ada")).locator(".quality-note")
    await note.wait_for(timeout=5_000)
    assert "connection: " in await note.inner_text()


async def test_in_a_good_meeting_nobody_is_marked(ada_grace_line: tuple[Person, Person, LeakyLine]) -> None:
    """Not even for a moment: a mark that is there without a reason is not believed when there is one."""
    ada, grace, _ = ada_grace_line
    for person in (ada, grace):
        await person.page.evaluate(_KEEP_MARKS)
    await asyncio.sleep(GOOD_S)

    for person in (ada, grace):
        assert await person.page.locator(".tile").count() == 2
        assert await person.page.evaluate("() => window.marks") == []


async def test_who_cannot_fetch_the_rest_of_the_page_is_told_and_can_try_again(tmp_path: Path) -> None:
    """The meeting's own part of the page comes while the preview is shown; a train may be in a tunnel just then."""
    config = make_config(tmp_path / "data")
    async with running(config) as server, first_admin(server) as admin, chromium() as browser:
        slug = await admin.make_room("Weekly")
        ada = await enter(browser, server.url, "Ada")
        ada.expects_network_errors = True
        await ada.page.route("**/views/meeting.js", _fails)
        await ada.page.goto(f"{server.url}/r/{slug}")
        await ada.page.get_by_role("textbox", name="Your name").fill("Ada")
        await ada.press("Join")
        await ada.button("Try again").wait_for()

        await ada.page.unroute("**/views/meeting.js")
        await ada.press("Try again")

        await ada.button("Leave").wait_for()
        assert not await ada.page.get_by_role("textbox", name="Your name").is_visible()


async def _fails(route: Route) -> None:
    await route.abort()
