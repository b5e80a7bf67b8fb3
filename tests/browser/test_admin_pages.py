"""The pages on which administrators look after rooms, live meetings, waiting mails, settings and profile fields, in a real
browser."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from live_server import PASSWORD, Visitor, first_admin, free_port, make_config, running, visiting

from pymeet.ops.client import call
from tests.browser.people import Person, chromium, enter

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class House:
    """A server whose mail server is away; Ada looks after it in a browser, Bob is a member without one."""

    ada: Person
    admin: Visitor
    bob: Visitor

    async def goes_to(self, page: str, title: str) -> None:
        """By the way between the pages of administration."""
        if "/admin/" not in self.ada.page.url:
            await self.ada.page.goto(f"{self.ada.origin}/admin/users")
        await self.ada.page.get_by_role("navigation", name="Administration").get_by_role("link", name=page).click()
        await self.ada.page.get_by_role("heading", name=title, level=1).wait_for()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """At the end Ada's console may not have complained."""
    async with AsyncExitStack() as stack:
        mail = {"host": "localhost", "port": free_port(), "encryption": "off", "from_address": "meet@example.org"}
        config = make_config(tmp_path_factory.mktemp("house") / "data", mail=mail)
        server = await stack.enter_async_context(running(config))
        admin = await stack.enter_async_context(first_admin(server))
        settings = config.model_copy(update={"http": server.config.http})
        added = await call(settings, "user.add", {"name": "Bob", "email": "bob@example.org"})
        bob = await stack.enter_async_context(visiting(server))
        body = {"token": added["link"].partition("#")[2], "password": PASSWORD}
        assert (await bob.json("POST", "/api/v1/links/redeem", body))[0] == 200
        browser = await stack.enter_async_context(chromium())
        ada = await enter(browser, server.url, "Ada", locale="en-GB")
        for cookie in admin.http.cookie_jar:
            await ada.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server.url}])
        yield House(ada, admin, bob)
        assert ada.complaints == []


async def test_an_administrator_looks_after_rooms_and_live_meetings(house: House) -> None:
    """From the list of rooms to a new owner; from a meeting that goes on to its end, with the look at names in between."""
    slug = await house.bob.make_room("Choir")
    await house.bob.make_room("Garden")
    page = house.ada.page
    await house.goes_to("Rooms", "Rooms")
    await page.get_by_label("Room, address or owner").fill("cho")
    await page.get_by_role("row", name="Garden").wait_for(state="detached")
    await page.get_by_role("row", name="Choir").get_by_text("bob@example.org").wait_for()

    await house.ada.press("Manage Choir")
    await page.get_by_role("button", name="Hand to another owner").click()
    dialog = page.get_by_role("dialog", name="Hand “Choir” to another owner")
    await dialog.get_by_label("New owner").fill("ada")
    await dialog.get_by_label("Ada (ada@example.org)").check()
    await dialog.get_by_role("button", name="Hand over").click()
    await page.get_by_role("row", name="Choir").get_by_text("ada@example.org").wait_for()

    async with house.bob.http.ws_connect(f"/ws/{slug}") as socket:
        await socket.send_json({"type": "join", "v": 1, "name": "Bob in person"})
        assert (await socket.receive_json())["type"] == "joined"
        await house.goes_to("Live", "Live meetings")
        await page.get_by_role("row", name="Choir").get_by_text("1 person").wait_for()
        assert await page.get_by_text("Bob in person").count() == 0
        await house.ada.press("See who is in Choir")
        look = page.get_by_role("dialog", name="Look who is in “Choir”?")
        await look.get_by_text("The audit log notes that you looked.").wait_for()
        await look.get_by_role("button", name="Look", exact=True).click()
        await page.get_by_role("dialog", name="In “Choir”").get_by_text("Bob in person").wait_for()
        await page.keyboard.press("Escape")

        await house.ada.press("End the meeting in Choir")
        await page.get_by_role("dialog").get_by_role("button", name="End meeting").click()
        await page.get_by_text("Nobody is in a meeting now.").wait_for()
        said = [message.json()["type"] async for message in socket]
    assert said[-1] == "ended"


async def test_an_administrator_drops_a_mail_and_changes_settings(house: House) -> None:
    """What waits is seen masked and taken out; a setting holds at once and goes back to the file's value with one click."""
    invitation = {"email": "carl@example.net", "name": "Carl"}
    assert (await house.admin.json("POST", "/api/v1/admin/invitations", invitation))[0] == 201
    page = house.ada.page
    await house.goes_to("Mail", "Mail")
    await page.get_by_role("row", name="Invited to this server").get_by_text("c…@example.net").wait_for()
    await house.ada.press("Drop the mail to c…@example.net")
    await page.get_by_role("dialog").get_by_role("button", name="Drop mail").click()
    await page.get_by_text("No mail waits.").wait_for()
    await house.ada.press("Given up (1)")
    await page.get_by_role("row", name="Invited to this server").get_by_text("Dropped here").wait_for()

    await house.goes_to("Settings", "Settings")
    guests = page.get_by_role("switch", name="Guests may come in")
    await guests.focus()
    await page.keyboard.press("Space")
    back = page.get_by_role("button", name="Back to the file’s value: Guests may come in")
    await back.wait_for()
    assert (await house.bob.json("GET", "/api/v1/me"))[1]["guests_allowed"] is False
    await back.click()
    await back.wait_for(state="detached")
    assert (await house.bob.json("GET", "/api/v1/me"))[1]["guests_allowed"] is True

    line = page.get_by_label("Line on the start page")
    await line.fill("On Sunday there are no meetings.")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Back to the file’s value: Line on the start page").wait_for()
    await page.goto(f"{house.ada.origin}/")
    await page.get_by_text("On Sunday there are no meetings.").wait_for()


async def test_an_administrator_asks_for_something_and_people_answer(house: House) -> None:
    """A field is added, filled in by who may, and goes with what stands in it after one was told how much that is."""
    page = house.ada.page
    await house.goes_to("Members", "Members")
    await house.ada.press("Profile fields…")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("There are no profile fields yet.").wait_for()
    for label, who in (
        ("Staff number", "Administrators only"),
        ("Department", "Everybody their own, and administrators"),
    ):
        await dialog.get_by_role("button", name="Add a field").click()
        await dialog.get_by_label("Label").fill(label)
        await dialog.get_by_label(who).check()
        await page.keyboard.press("Enter")
        await dialog.get_by_role("button", name=f"Change {label}").wait_for()
    await dialog.get_by_role("button", name="Change Department").click()
    await dialog.get_by_label("Place in the order").select_option("1")
    await dialog.get_by_role("button", name="Save").click()
    await dialog.get_by_role("listitem").first.get_by_text("Department").wait_for()
    await page.keyboard.press("Escape")

    await house.ada.press("Manage Bob")
    await dialog.get_by_role("button", name="Profile fields…").click()
    await dialog.get_by_label("Staff number").fill("4711")
    await dialog.get_by_role("button", name="Save").click()
    await dialog.wait_for(state="detached")
    _, bobs = await house.bob.json("GET", "/api/v1/profile/fields")
    assert [(each["label"], each["value"]) for each in bobs["fields"]] == [
        ("Department", None),
        ("Staff number", "4711"),
    ]

    await page.goto(f"{house.ada.origin}/profile")
    form = page.get_by_role("form", name="More about you")
    await form.get_by_label("Department").fill("Garden")
    assert not await form.get_by_label("Staff number").is_editable()
    await form.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved.").wait_for()
    await page.reload()
    assert await form.get_by_label("Department").input_value() == "Garden"

    await house.goes_to("Members", "Members")
    await house.ada.press("Profile fields…")
    await dialog.get_by_role("button", name="Change Staff number").click()
    await dialog.get_by_role("button", name="Delete field…").click()
    await dialog.get_by_text("What stands in it for 1 person is deleted, too.").wait_for()
    await dialog.get_by_role("button", name="Delete field", exact=True).click()
    await dialog.get_by_role("button", name="Change Department").wait_for()
    _, bobs = await house.bob.json("GET", "/api/v1/profile/fields")
    assert [each["label"] for each in bobs["fields"]] == ["Department"]
