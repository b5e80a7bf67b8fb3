"""The bell at the top of the pages, choosing what it tells, and the calendar feed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from live_server import PASSWORD, Visitor, first_admin, free_port, make_config, running, visiting
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from pymeet.db.schema import mail_outbox
from pymeet.ops.client import call
from pymeet.server import Server
from tests.browser.people import Person, emptied, enter

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PLAN = {"start": "2099-03-23T09:00", "time_zone": "UTC", "duration_min": 60, "invitees": [{"email": "ada@example.org"}]}
API = "/api/v1/notifications"


@dataclass
class Scene:
    """Ada in a browser, who is invited by Bob."""

    server: Server
    ada: Visitor
    bob: Visitor
    browser: Browser
    reader: Person

    @property
    def page(self) -> Page:
        return self.reader.page


@pytest_asyncio.fixture(loop_scope="module")
async def scene(tmp_path: Path, browser: Browser) -> AsyncIterator[Scene]:
    """At the end nobody's console may have complained, and nothing may have been asked of other hosts."""
    async with AsyncExitStack() as stack:
        # nobody listens there: mail is written, and waits
        mail = {"host": "localhost", "port": free_port(), "encryption": "off", "from_address": "meet@example.org"}
        server = await stack.enter_async_context(running(make_config(tmp_path / "data", mail=mail)))
        ada = await stack.enter_async_context(first_admin(server))
        added = await call(server.config, "user.add", {"name": "Bob", "email": "bob@example.org"})
        bob = await stack.enter_async_context(visiting(server))
        body = {"token": added["link"].partition("#")[2], "password": PASSWORD}
        assert (await bob.json("POST", "/api/v1/links/redeem", body))[0] == 200
        await stack.enter_async_context(emptied(browser))
        reader = await enter(browser, server.url, "Ada", locale="en-US", timezone_id="UTC")
        for cookie in ada.http.cookie_jar:
            await reader.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": ada.url}])
        yield Scene(server, ada, bob, browser, reader)
        assert not reader.complaints


async def test_the_bell_counts_shows_and_leads_to_what_happened(scene: Scene) -> None:
    """By keyboard, too: it opens, closes by Escape, and gives the focus back."""
    page = scene.page
    for title in ("Plans for spring", "Plans for autumn"):
        assert (await scene.bob.json("POST", "/api/v1/meetings", {**PLAN, "title": title}))[0] == 201
    await page.goto(f"{scene.server.url}/profile")

    bell = page.get_by_role("button", name="Notifications, 2 new")
    await bell.focus()
    await bell.press("Enter")
    told = page.get_by_role("region", name="Notifications").get_by_role("listitem")
    await expect(told).to_have_count(2)
    await expect(told.first).to_contain_text("Bob invited you to “Plans for autumn”, Mar 23, 2099")
    await page.keyboard.press("Escape")
    await expect(told).to_have_count(0)
    await expect(bell).to_be_focused()

    await bell.press("Enter")
    await told.nth(1).get_by_role("button", name="Delete").click()
    await expect(told).to_have_count(1)
    await expect(page.get_by_role("button", name="Notifications, 1 new")).to_be_visible()
    await told.first.get_by_role("link").click()
    await page.wait_for_url(f"{scene.server.url}/")
    await expect(page.get_by_role("dialog", name="Plans for autumn").get_by_text("Organised by Bob")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    assert (await scene.ada.json("GET", f"{API}/unread"))[1] == {"unread": 0}

    assert (await scene.bob.json("POST", "/api/v1/meetings", {**PLAN, "title": "Plans for winter"}))[0] == 201
    await page.evaluate("window.dispatchEvent(new Event('focus'))")
    await page.get_by_role("button", name="Notifications, 1 new").click()
    await page.get_by_role("button", name="Mark all as read").click()
    await expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()


async def test_what_is_told_is_chosen_on_the_profile(scene: Scene) -> None:
    """What was saved is there after a reload, and holds."""
    page = scene.page
    await page.goto(f"{scene.server.url}/profile")
    wishes = page.locator("#notifications")
    await wishes.get_by_label("You are invited to a meeting, On the pages").uncheck()
    await wishes.get_by_label("A meeting is cancelled, By mail").uncheck()
    await wishes.get_by_label("Reminder by mail").select_option("")
    await expect(wishes.get_by_label("Somebody answers your invitation, By mail")).to_have_count(0)
    await wishes.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("What you are told was saved.")).to_be_visible()

    await page.reload()
    await expect(wishes.get_by_label("You are invited to a meeting, On the pages")).not_to_be_checked()
    await expect(wishes.get_by_label("A meeting is cancelled, By mail")).not_to_be_checked()
    await expect(wishes.get_by_label("A meeting is changed, By mail")).to_be_checked()
    await expect(wishes.get_by_role("button", name="Save")).to_be_disabled()
    assert (await scene.bob.json("POST", "/api/v1/meetings", {**PLAN, "title": "Plans"}))[0] == 201
    assert (await scene.ada.json("GET", f"{API}/unread"))[1] == {"unread": 0}
    assert (await scene.ada.json("GET", "/api/v1/notification-settings"))[1]["reminder_min"] is None


async def test_a_calendar_feed_is_made_renewed_and_ended(scene: Scene) -> None:
    """Its address is shown once, and only the last one works; a mail tells of each."""
    page = scene.page
    await page.goto(f"{scene.server.url}/profile")
    feed = page.locator("#calendar-feed")
    await feed.get_by_role("button", name="Make an address").click()
    first = await feed.locator("code").inner_text()
    assert await status(scene, first) == 200
    await page.reload()
    await expect(feed.get_by_text("There is one since")).to_be_visible()
    await expect(feed.locator("code")).to_have_count(0)

    await feed.get_by_role("button", name="Make another address").click()
    await page.get_by_role("dialog").get_by_role("button", name="Make another address").click()
    second = await feed.locator("code").inner_text()
    assert (await status(scene, first), await status(scene, second)) == (404, 200)
    await feed.get_by_role("button", name="End the address").click()
    await page.get_by_role("dialog").get_by_role("button", name="End the address").click()
    await expect(feed.get_by_role("button", name="Make an address")).to_be_visible()
    assert await status(scene, second) == 404
    async with scene.server.database.read() as conn:
        templates = list((await conn.execute(select(mail_outbox.c.template))).scalars())
    assert templates == ["feed_made", "feed_made"]


async def status(scene: Scene, url: str) -> int:
    async with scene.ada.http.get(url) as response:
        return response.status
