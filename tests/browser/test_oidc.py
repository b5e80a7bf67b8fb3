"""Signing in through the organisation, as people see it: there, back, refused, signed out here and there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from live_server import free_port, make_config, running
from playwright.async_api import Browser, Page

from pymeet.ops.client import call
from pymeet.server import Server
from tests.browser.people import Person, emptied, enter
from tests.support.provider import PASSWORD as THEIR_PASSWORD
from tests.support.provider import RunningProvider, provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PEOPLE = {
    "mei": {"name": "Mei", "email": "mei@example.org", "email_verified": True},
    "ben": {"name": "Ben", "email": "ben@example.org", "email_verified": False},
}


@dataclass
class Clinic:
    """A server at which people sign in through their organisation."""

    server: Server
    url: str
    provider: RunningProvider
    browser: Browser
    people: list[Person]

    async def person(self, name: str) -> Person:
        someone = await enter(self.browser, self.url, name, locale="en-GB")
        self.people.append(someone)
        return someone


@pytest_asyncio.fixture(loop_scope="module")
async def clinic(tmp_path: Path, browser: Browser) -> AsyncIterator[Clinic]:
    """At the end nobody's console may have complained, and nothing may have been asked of hosts but these two."""
    async with AsyncExitStack() as stack:
        port = free_port()
        url = f"http://localhost:{port}"
        there = await stack.enter_async_context(provider(free_port(), [url], PEOPLE))
        oidc = there.config(create_accounts=True)
        config = make_config(tmp_path / "data", http={"port": port, "public_url": url}, oidc=oidc)
        server = await stack.enter_async_context(running(config))
        await stack.enter_async_context(emptied(browser))
        made = Clinic(server, url, there, browser, [])
        yield made
        for each in made.people:
            expected = (f"request outside the origin: {there.issuer}", "console error: Failed to load resource")
            assert not [said for said in each.complaints if not said.startswith(expected)]


async def _signs_in_there(page: Page, user: str) -> None:
    await page.get_by_role("heading", name="Example Clinic").wait_for()
    await page.get_by_label("User").fill(user)
    await page.get_by_label("Password").fill(THEIR_PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def test_somebody_signs_in_and_out_through_the_organisation(clinic: Clinic) -> None:
    """One press there and back; a sign-out at either end ends both."""
    mei = await clinic.person("Mei")
    await mei.page.goto(f"{clinic.url}/sign-in?next=/security")
    await mei.press("Sign in with Example Clinic")
    await _signs_in_there(mei.page, "mei")
    await mei.page.get_by_role("heading", name="Account at Example Clinic").wait_for()
    assert mei.page.url == f"{clinic.url}/security"  # nothing of the way is left in the address
    await mei.page.get_by_text("You have none here: you sign in with Example Clinic.").wait_for()

    # what asks for the password asks for none a moment after
    await mei.press("Set up codes from an app")
    dialog = mei.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Continue", exact=True).click()
    await mei.page.get_by_role("img", name="QR code for the authenticator app").wait_for()
    await mei.page.keyboard.press("Escape")

    await clinic.provider.ask("sign-out", user="mei")
    await mei.page.reload()
    await mei.page.get_by_text("Sign in to look after your password and your sessions.").wait_for()

    await mei.page.goto(f"{clinic.url}/sign-in")
    await mei.press("Sign in with Example Clinic")  # there they are still signed in
    await mei.page.get_by_role("heading", name="Your rooms").wait_for()
    await mei.press("Account of Mei")
    await mei.press("Sign out")
    await mei.page.get_by_role("heading", name="Sign out everywhere?").wait_for()
    await mei.press("Sign out")
    await mei.page.get_by_role("heading", name="Meetings on your own server").wait_for()
    await mei.page.goto(f"{clinic.url}/sign-in")
    await mei.press("Sign in with Example Clinic")
    await mei.page.get_by_role("heading", name="Example Clinic").wait_for()  # signed out there, too


async def test_who_is_not_known_for_sure_is_told_what_to_do(clinic: Clinic) -> None:
    """An address that the organisation has not verified opens no account, and the page says so."""
    await call(clinic.server.config, "user.add", {"name": "Ben", "email": "ben@example.org"})
    ben = await clinic.person("Ben")
    await ben.page.goto(f"{clinic.url}/sign-in")
    await ben.press("Sign in with Example Clinic")
    await _signs_in_there(ben.page, "ben")
    await ben.page.get_by_role("heading", name="You are not signed in").wait_for()
    await ben.page.get_by_text("Your organisation has not verified your e-mail address").wait_for()
    assert ben.page.url == f"{clinic.url}/oidc/callback"
    await ben.page.get_by_role("link", name="Sign in again").click()
    await ben.page.get_by_role("heading", name="Sign in").wait_for()
    await ben.page.goto(f"{clinic.url}/oidc/callback?error=access_denied&error_description=%3Cb%3Ehello")
    await ben.page.get_by_text("The sign-in was cancelled. Nothing was changed.").wait_for()
