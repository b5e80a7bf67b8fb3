"""Planning a meeting on the start page, and answering an invitation by its link."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from live_server import Visitor, first_admin, free_port, make_config, running
from playwright.async_api import Browser, expect
from sqlalchemy import select

from pymeet.db.schema import mail_outbox
from pymeet.server import Server
from tests.browser.people import Person, emptied, enter

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ADDRESS = "carol@example.net"


@dataclass
class Scene:
    """Ada, who plans, and browsers for her and others."""

    server: Server
    ada: Visitor
    browser: Browser
    people: list[Person]

    async def enter(self, visitor: Visitor | None = None) -> Person:
        """Somebody in a browser of their own, in New York, signed in as the visitor is."""
        someone = await enter(self.browser, self.server.url, "Reader", locale="en-US", timezone_id="America/New_York")
        self.people.append(someone)
        if visitor:
            for cookie in visitor.http.cookie_jar:
                await someone.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": visitor.url}])
        return someone


@pytest_asyncio.fixture(loop_scope="module")
async def scene(tmp_path: Path, browser: Browser) -> AsyncIterator[Scene]:
    """At the end nobody's console may have complained, and nothing may have been asked of other hosts."""
    async with AsyncExitStack() as stack:
        # nobody listens there: mail is written, and waits
        mail = {"host": "localhost", "port": free_port(), "encryption": "off", "from_address": "meet@example.org"}
        server = await stack.enter_async_context(running(make_config(tmp_path / "data", mail=mail)))
        ada = await stack.enter_async_context(first_admin(server))
        await stack.enter_async_context(emptied(browser))
        scene = Scene(server, ada, browser, [])
        yield scene
        assert not {p.name: p.complaints for p in scene.people if p.complaints}


async def test_a_meeting_is_planned_changed_and_cancelled_on_the_start_page(scene: Scene) -> None:
    """In the zone that was chosen, shown in the reader's own."""
    reader = await scene.enter(scene.ada)
    page = reader.page
    await page.goto(f"{scene.server.url}/")
    await page.get_by_role("button", name="Schedule a meeting").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Title").fill("Plans for spring")
    tomorrow = await page.evaluate("new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)")
    await dialog.get_by_label("Begins").fill(f"{tomorrow}T12:00")
    await dialog.get_by_label("Time zone").select_option("UTC")
    await dialog.get_by_label("Repeats").select_option("WEEKLY")
    await dialog.get_by_label("Invite these").fill(f"{ADDRESS}\nbad")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("This is not an e-mail address")).to_be_visible()
    _forgive(reader, "400 (Bad Request)")
    await dialog.get_by_label("Invite these").fill(ADDRESS)
    await dialog.get_by_role("button", name="Save").click()

    await expect(dialog).to_have_count(0)
    upcoming = page.get_by_role("region", name="Next meetings")  # the room that came with it has the same name
    first = page.get_by_role("listitem").filter(has_text="Plans for spring").first
    shown = await page.evaluate(
        """(day) => new Intl.DateTimeFormat('en-US', { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' })
             .format(Date.parse(`${day}T12:00Z`))""",
        tomorrow,
    )
    await expect(first).to_contain_text(shown)
    await expect(upcoming.get_by_role("link", name="Plans for spring")).to_have_count(5)

    await first.get_by_role("button", name="Change Plans for spring").click()
    await dialog.get_by_label("The whole series").check()
    await dialog.get_by_label("Title").fill("Plans for autumn")
    await dialog.get_by_role("button", name="Save").click()
    await expect(upcoming.get_by_role("link", name="Plans for autumn")).to_have_count(5)

    await page.get_by_role("button", name="Cancel Plans for autumn").first.click()
    await dialog.get_by_label("The whole series").check()
    await expect(dialog.get_by_text("All meetings of this series are cancelled.")).to_be_visible()
    await dialog.get_by_role("button", name="Cancel the meeting").click()
    await expect(page.get_by_text("Nothing is planned for the coming month.")).to_be_visible()


async def test_an_invitation_is_answered_by_its_link_without_an_account(scene: Scene) -> None:
    """What the page shows is saved, and the secret does not stay in the address."""
    body = {
        "title": "Plans for spring",
        "start": "2099-03-23T09:00",
        "time_zone": "Europe/Berlin",
        "duration_min": 60,
        "invitees": [{"email": ADDRESS}],
    }
    status, meeting = await scene.ada.json("POST", "/api/v1/meetings", body)
    assert status == 201, meeting
    token = await _token(scene.server)
    reader = await scene.enter()
    page = reader.page

    await page.goto(f"{scene.server.url}/rsvp#{token}")

    await expect(page.get_by_role("heading", name="Plans for spring")).to_be_visible()
    await expect(page.get_by_text("Organised by Ada")).to_be_visible()
    assert token not in page.url
    await page.get_by_role("button", name="Maybe").click()
    await expect(page.get_by_text("Your answer was saved.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("button", name="Maybe")).to_have_attribute("aria-pressed", "true")
    _, told = await scene.ada.json("GET", f"/api/v1/meetings/{meeting['id']}")
    assert told["invitees"][0]["answer"] == "tentative"

    await scene.ada.json("DELETE", f"/api/v1/meetings/{meeting['id']}")
    await page.reload()
    await expect(page.get_by_text("This invitation is not good any more.")).to_be_visible()
    _forgive(reader, "404 (Not Found)")


async def _token(server: Server) -> str:
    """What the link in the mail holds that waits for the mail server."""
    async with server.database.read() as conn:
        values = (await conn.execute(select(mail_outbox.c.template_values))).scalar_one()
    return str(json.loads(values)["answer_url"]).partition("#")[2]


def _forgive(reader: Person, answer: str) -> None:
    """Chromium complains of every refusal, also of one that the page explains."""
    assert [answer in each for each in reader.complaints] == [True]
    reader.complaints.clear()
