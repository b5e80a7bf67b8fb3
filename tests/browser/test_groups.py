"""Groups on the pages: made by an administrator without a mouse, then shared with and invited by a member."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from live_server import Visitor, first_admin, make_config, running
from playwright.async_api import Browser, Locator, Page, expect
from privacy_people import Person as Member
from privacy_people import person

from pymeet.server import Server
from tests.browser.people import Person, emptied, enter
from tests.support.recordings import Made, Seat, make_recording

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class Scene:
    """Ada administers; Ann has a recording, Bob shall watch it."""

    server: Server
    ada: Visitor
    ann: Member
    bob: Member
    made: Made
    browser: Browser
    people: list[Person]

    async def enter(self, visitor: Visitor) -> Page:
        """Somebody in a browser of their own, signed in as the visitor is."""
        someone = await enter(self.browser, self.server.url, "Reader", locale="en-GB")
        self.people.append(someone)
        for cookie in visitor.http.cookie_jar:
            await someone.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": visitor.url}])
        return someone.page

    async def group(self, name: str) -> str:
        """A group with Ann and Bob in it."""
        status, made = await self.ada.json("POST", "/api/v1/admin/groups", {"name": name})
        assert status == 201, made
        for each in (self.ann, self.bob):
            assert (await self.ada.json("PUT", f"/api/v1/admin/groups/{made['id']}/members/{each.id}"))[0] == 204
        return str(made["id"])


@pytest_asyncio.fixture(loop_scope="module")
async def scene(tmp_path: Path, browser: Browser) -> AsyncIterator[Scene]:
    """At the end nobody's console may have complained, and nothing may have been asked of other hosts."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(make_config(tmp_path / "data")))
        ada = await stack.enter_async_context(first_admin(server))
        ann, bob = [await stack.enter_async_context(person(server, each)) for each in ("Ann", "Bob")]
        slug = await ann.make_room("Hall")
        made = await make_recording(server.lifecycle, slug, ann.id, {"Ann": Seat(ann.id)}, name="Concert")
        await stack.enter_async_context(emptied(browser))
        scene = Scene(server, ada, ann, bob, made, browser, [])
        yield scene
        assert not {each.name: each.complaints for each in scene.people if each.complaints}


async def _press(page: Page, target: Locator, key: str = "Enter") -> None:
    """By keyboard alone: as somebody comes there with Tab, and not as a mouse does."""
    for _ in range(60):
        if await target.evaluate("element => element === document.activeElement"):
            await page.keyboard.press(key)
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {target}")


async def test_an_administrator_makes_a_group_without_a_mouse(scene: Scene) -> None:
    """From nothing to a group with somebody in it, renamed, and gone again."""
    page = await scene.enter(scene.ada)
    await page.goto(f"{scene.server.url}/admin/groups")
    await expect(page.get_by_text("There are no groups yet.")).to_be_visible()

    await _press(page, page.get_by_role("button", name="New group"))
    dialog = page.get_by_role("dialog")
    await _press(page, dialog.get_by_label("Name"), "C")
    await page.keyboard.type("hoir")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_text("Nobody is in this group yet.")).to_be_visible()
    await _press(page, dialog.get_by_label("Add a member: name or e-mail"), "b")
    await page.keyboard.type("ob@")
    await expect(dialog.get_by_role("button", name="Add Bob")).to_be_visible()
    await _press(page, dialog.get_by_role("button", name="Add Bob"))
    await expect(dialog.get_by_role("button", name="Remove Bob from the group")).to_be_visible()
    await expect(dialog.get_by_role("heading", name="1 person")).to_be_visible()

    await _press(page, dialog.get_by_role("button", name="Name and purpose…"))
    await _press(page, dialog.get_by_label("What it is for"), "M")
    await page.keyboard.type("ondays")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_text("Mondays")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    row = page.get_by_role("row", name="Choir")
    await expect(row).to_contain_text("Mondays")
    await expect(row.get_by_role("cell").first).to_have_text("1")

    await _press(page, page.get_by_role("button", name="Open Choir"))
    await _press(page, dialog.get_by_role("button", name="Delete group…"))
    await expect(dialog.get_by_text("The people in it stay members.")).to_be_visible()
    await _press(page, dialog.get_by_role("button", name="Delete group"))
    await expect(page.get_by_text("There are no groups yet.")).to_be_visible()


async def test_a_member_shares_with_a_group_and_invites_it(scene: Scene) -> None:
    """They see who is in it before they do; those in it find the recording, and the meeting."""
    await scene.group("Choir")
    page = await scene.enter(scene.ann)
    await page.goto(f"{scene.server.url}/recordings/{scene.made.id}")
    await page.get_by_role("button", name="Share…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("A group that you are in").check()
    await expect(dialog.get_by_label("Group", exact=True)).to_contain_text("Choir (2 people)")
    await expect(dialog.get_by_text("In it: Ann, Bob")).to_be_visible()
    await dialog.get_by_role("button", name="Share", exact=True).click()
    await expect(page.get_by_role("heading", name="Group Choir")).to_be_visible()
    status, _ = await scene.bob.json("GET", f"/api/v1/recordings/{scene.made.id}")
    assert status == 200

    await page.goto(f"{scene.server.url}/")
    await page.get_by_role("button", name="Schedule a meeting").click()
    await dialog.get_by_label("Title").fill("Rehearsal")
    await dialog.get_by_label("Choir (2 people)").check()
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("link", name="Enter Rehearsal")).to_be_visible()

    _, mine = await scene.bob.json("GET", "/api/v1/meetings")
    assert [each["title"] for each in mine["occurrences"]] == ["Rehearsal"]


async def test_a_member_is_told_that_the_page_is_not_for_them(scene: Scene) -> None:
    """Without a trace of what is on it."""
    page = await scene.enter(scene.bob)
    await page.goto(f"{scene.server.url}/admin/groups")

    await expect(page.get_by_text("This page is for administrators.")).to_be_visible()
    await expect(page.get_by_role("button", name="New group")).to_have_count(0)
