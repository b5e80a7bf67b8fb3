"""API tokens as people make and revoke them, on the security page; and as administrators end those of others."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from live_server import PASSWORD, first_admin, make_config, running
from playwright.async_api import Browser, expect

from pymeet.ops.client import call
from pymeet.server import Server
from tests.browser.people import Person, emptied, enter

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running(make_config(tmp_path / "data")) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def ada(server: Server, browser: Browser) -> AsyncIterator[Person]:
    """The first administrator, on her security page. At the end her console may not have complained."""
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(first_admin(server))
        await stack.enter_async_context(emptied(browser))
        ada = await enter(browser, server.url, "Ada", locale="en-GB")
        for cookie in admin.http.cookie_jar:
            await ada.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server.url}])
        await ada.page.goto(f"{server.url}/security")
        yield ada
        assert not ada.complaints


async def _asks(origin: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(origin, headers=headers) as http, http.get("/api/v1/rooms") as response:
        return response.status


async def test_a_token_is_made_by_keyboard_shown_once_and_revoked(ada: Person) -> None:
    """From the button to a program that works, and to one that does not any more."""
    page = ada.page
    await page.get_by_role("button", name="Make a token…").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Make an API token")
    make = dialog.get_by_role("button", name="Make token", exact=True)
    await dialog.get_by_label("Name", exact=True).fill("Room lists")
    await dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
    await expect(make).to_be_disabled()
    await dialog.get_by_label("Rooms: See").press("Space")
    await dialog.get_by_label("Server: Change").press("Space")
    await dialog.get_by_label("Server: Change").press("Space")
    await dialog.get_by_label("Good for").select_option(label="30 days")
    await dialog.get_by_label("Your password", exact=True).press("Enter")

    heading = page.get_by_role("heading", name="The token “Room lists”")
    await expect(heading).to_be_focused()
    token = (await page.locator(".link-text").inner_text()).strip()
    assert await _asks(ada.origin, token) == 200
    await page.get_by_text("Rooms (sees)").wait_for()
    await ada.press("Done")
    await expect(heading).to_have_count(0)
    await page.reload()
    await page.get_by_text("Room lists", exact=True).wait_for()
    assert token not in await page.content()

    await ada.press("Revoke Room lists")
    await page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    await page.get_by_text("The token was revoked.").wait_for()
    await expect(page.get_by_text("Room lists", exact=True)).to_have_count(0)
    assert await _asks(ada.origin, token) == 401


async def test_an_administrator_ends_the_token_of_somebody_else(ada: Person, server: Server) -> None:
    """From the list of members to a program that works no more, with a question in between."""
    await call(server.config, "user.add", {"name": "Bob", "email": "bob@example.org"})
    wanted = {"email": "bob@example.org", "name": "Night script", "scopes": ["rooms:read"], "expires": "7d"}
    token = (await call(server.config, "token.create", wanted))["token"]
    page = ada.page
    await expect(page.get_by_role("link", name="What programs can do with them")).to_have_attribute("href", "/api")
    await page.goto(f"{ada.origin}/admin/users")
    await ada.press("Manage Bob")
    await page.get_by_role("button", name="Tokens and linked account…").click()
    dialog = page.get_by_role("dialog", name="Tokens and linked account of Bob")
    await dialog.get_by_text("Rooms (sees)").wait_for()
    await dialog.get_by_role("button", name="Revoke Night script").click()
    await (
        page.get_by_role("dialog", name="Revoke “Night script”?")
        .get_by_role("button", name="Revoke", exact=True)
        .click()
    )

    await dialog.get_by_text("Bob has no API tokens and no linked account.").wait_for()
    assert await _asks(ada.origin, token) == 401


async def test_a_wrong_password_makes_no_token(ada: Person) -> None:
    """The dialog says so and keeps what was filled in."""
    page = ada.page
    await ada.press("Make a token…")
    dialog = page.get_by_role("dialog", name="Make an API token")
    await dialog.get_by_label("Name", exact=True).fill("Trap")
    await dialog.get_by_label("Profile: See").check()
    await dialog.get_by_label("Your password", exact=True).fill("not hers at all")
    await dialog.get_by_role("button", name="Make token", exact=True).click()

    await dialog.get_by_role("alert").get_by_text("The password is wrong. Nothing was changed.").wait_for()
    await expect(dialog.get_by_label("Profile: See")).to_be_checked()
    assert any("401" in each for each in ada.complaints)
    ada.complaints.clear()
