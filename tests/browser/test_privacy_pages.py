"""The pages on which people see and use their rights, and those on which somebody answers for others."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from live_server import PASSWORD, Visitor, first_admin, make_config, running
from playwright.async_api import Browser, Page
from privacy_people import history, person, was_there

from pymeet.server import Server
from tests.browser.people import Person, emptied, enter, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SAID = "The seed order closes on Friday."
FORGET = "document.body.replaceChildren()"
"""A page that is left must not be found when the next one is waited for."""


@dataclass
class Office:
    """A server with a room and its first administrator, and browsers for whoever comes."""

    server: Server
    admin: Visitor
    slug: str
    browser: Browser
    people: list[Person]

    async def person(self, name: str, visitor: Visitor | None = None) -> Person:
        """Somebody in a browser of their own, signed in as the visitor is."""
        someone = await enter(self.browser, self.server.url, name, accept_downloads=True, locale="en-GB")
        self.people.append(someone)
        if visitor:
            for cookie in visitor.http.cookie_jar:
                await someone.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": visitor.url}])
        return someone


@pytest_asyncio.fixture(loop_scope="module")
async def office(tmp_path: Path, browser: Browser) -> AsyncIterator[Office]:
    """At the end nobody's console may have complained, and nothing may have been asked of other hosts."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(make_config(tmp_path / "data")))
        admin = await stack.enter_async_context(first_admin(server))
        slug = await admin.make_room("Garden committee")
        await stack.enter_async_context(emptied(browser))
        office = Office(server, admin, slug, browser, [])
        yield office
        complaints = {each.name: each.complaints for each in office.people if each.complaints}
        assert not complaints


async def _downloaded(page: Page, button: str, *, role: str = "button") -> bytes:
    """What the browser saves when the button, or the link, is pressed."""
    async with page.expect_download() as saving:
        await page.get_by_role("link" if role == "link" else "button", name=button).click()
    path = Path(await (await saving.value).path())
    return await asyncio.to_thread(path.read_bytes)


async def test_members_take_their_data_along(office: Office) -> None:
    """Access and portability must not need an administrator (Articles 15 and 20)."""
    async with person(office.server, "Mei") as visitor:
        await was_there(visitor, office.slug, "Mei", SAID)
        mei = await office.person("Mei", visitor)
        await mei.page.goto(f"{office.server.url}/")
        await mei.press("I have read it")
        await mei.button("I have read it").wait_for(state="detached")
        await mei.press("Account of Mei")
        await mei.page.get_by_role("link", name="Your data").click()
        await mei.page.get_by_role("row", name="What you write in the chat").wait_for()
        await mei.press("Download my data")
        archive = await _downloaded(mei.page, "Save the archive", role="link")

        await mei.page.get_by_text("4 more times.").wait_for()

    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        assert any(SAID.encode() in opened.read(name) for name in opened.namelist())


async def test_members_correct_and_restrict(office: Office) -> None:
    """A switch must do at once what it says, by keyboard too (Articles 16 and 18)."""
    async with person(office.server, "Mei") as visitor:
        await was_there(visitor, office.slug, "Mei", SAID)
        mei = await office.person("Mei", visitor)
        await mei.page.goto(f"{office.server.url}/my-data")
        await mei.page.get_by_label("Your name").fill("Mei Tanaka")
        await mei.page.get_by_label("Your name").press("Enter")
        await mei.page.locator(".account-name", has_text="Mei Tanaka").wait_for()
        switch = mei.page.get_by_role("switch", name="Restricted")
        await switch.focus()
        await switch.press("Space")
        await mei.page.get_by_role("switch", name="Restricted", checked=True).wait_for()

        assert SAID not in await history(office.server, office.slug)


async def test_members_may_think_better_of_an_erasure(office: Office) -> None:
    """Erasing must be possible without help, and keeping the account as easy as losing it (Article 17)."""
    async with person(office.server, "Ben") as visitor:
        ben = await office.person("Ben", visitor)
        await ben.page.goto(f"{office.server.url}/my-data")
        await ben.press("Erase my account…")
        dialog = ben.page.get_by_role("dialog", name="Erase your account?")
        await dialog.get_by_text("14 days later").wait_for()
        await dialog.get_by_text("Your account").first.wait_for()
        await dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
        await dialog.get_by_role("button", name="Erase my account", exact=True).click()
        await ben.page.get_by_role("heading", name="Your account will be erased").wait_for()
        status = await ben.page.locator(".link-box a").get_attribute("href")
        assert status is not None

        await ben.page.get_by_role("link", name="Sign in").click()
        await ben.page.get_by_label("E-mail").fill(visitor.email)
        await ben.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await ben.press("Sign in")
        await ben.page.get_by_role("heading", name="This account is being erased").wait_for()
        _take_back(ben, "409")
        await ben.press("Keep my account")
        await ben.page.get_by_role("heading", name="Your rooms").wait_for()
        await ben.page.evaluate(FORGET)
        await ben.page.goto(status)

        await ben.page.get_by_text("The erasure was taken back. Nothing was erased.").wait_for()


async def test_guests_see_and_erase_what_a_meeting_holds_about_them(office: Office) -> None:
    """People without account have the same rights; their receipt must not get into addresses or logs."""
    jonas = await office.person("Jonas")
    await jonas.join(office.slug)
    await jonas.say(SAID)
    await jonas.page.get_by_role("log").get_by_text(SAID).wait_for()
    await jonas.press("Leave")
    saved = (await _downloaded(jonas.page, "Save receipt")).decode()
    link = saved.split()[-1]
    assert link.startswith(f"{office.server.url}/guest-data#pmg1.")
    await jonas.page.get_by_role("link", name="See your data").click()
    await jonas.page.get_by_text("Jonas in “Garden committee”").wait_for()
    archive = await _downloaded(jonas.page, "Download my data")
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert any(SAID.encode() in opened.read(name) for name in opened.namelist())

    later = await office.person("Jonas, another day")
    await later.page.goto(link)
    await later.page.get_by_role("row", name="What you write in the chat").wait_for()
    assert later.page.url == f"{office.server.url}/guest-data"
    await later.press("Erase my data…")
    await later.page.get_by_role("dialog").get_by_role("button", name="Erase my data", exact=True).click()
    await later.page.get_by_text("Your data is erased.").wait_for()
    await later.page.get_by_text("nothing was found").wait_for()

    assert SAID not in await history(office.server, office.slug)
    await later.page.goto(f"{office.server.url}/")
    await later.page.goto(link)
    await later.page.get_by_role("heading", name="Nothing is kept any more").wait_for()


async def test_administrators_answer_for_others(office: Office) -> None:
    """A request by letter is registered, carried out with its plan first, and decided; the log proves it."""
    async with person(office.server, "Lena") as visitor:
        await was_there(visitor, office.slug, "Lena", SAID)
    ada = await office.person("Ada", office.admin)
    await ada.page.goto(f"{office.server.url}/")
    await ada.press("Account of Ada")
    await ada.page.get_by_role("link", name="Privacy", exact=True).click()
    await ada.page.get_by_text("No request waits for an answer.").wait_for()
    await ada.press("Register a request")
    await ada.page.get_by_label("Who asks").fill("lena@example.org")
    await ada.press("Register")
    await ada.page.get_by_role("row", name="lena@example.org").wait_for()
    await ada.press("Decide: Access, lena@example.org")
    await ada.page.get_by_label("Granted: all of it was done").check()
    await ada.press("Close request")
    await ada.page.get_by_text("No request waits for an answer.").wait_for()

    await ada.page.get_by_role("link", name="People").click()
    await ada.page.get_by_label("E-mail address, id or guest receipt").fill("lena@example.org")
    await ada.press("Find")
    await ada.press("Erase…")
    dialog = ada.page.get_by_role("dialog", name="Erase Lena?")
    await dialog.get_by_role("row", name="What you write in the chat").wait_for()
    await dialog.get_by_label("At once").check()
    await dialog.get_by_role("button", name="Erase", exact=True).click()
    await dialog.wait_for(state="detached")

    async def gone() -> bool:
        _, found = await office.admin.json("POST", "/api/v1/admin/people", {"find": "lena@example.org"})
        return not found["people"]

    await until("Lena is erased", gone)
    assert SAID not in await history(office.server, office.slug)

    await ada.page.get_by_role("link", name="Audit").click()
    await ada.page.get_by_role("rowheader", name="request.received").first.wait_for()
    await ada.press("Verify now")
    await ada.page.get_by_text("The log is as it was written.").wait_for()


async def test_officers_see_no_names_and_hold_what_must_stay(office: Office) -> None:
    """A data protection officer works with proofs and requests, not with content."""
    async with person(office.server, "Olu", "dpo") as officer, person(office.server, "Lena") as lena:
        body = {"right": "access", "email": lena.email}
        await office.admin.json("POST", "/api/v1/admin/requests", body)
        olu = await office.person("Olu", officer)
        await olu.page.goto(f"{office.server.url}/admin/requests")
        await olu.page.get_by_role("row", name="Access").wait_for()
        assert lena.email not in await olu.page.content()
        assert await olu.page.get_by_role("link", name="People").count() == 0

        await olu.page.get_by_role("link", name="Holds").click()
        await olu.press("Place a hold")
        await olu.page.get_by_label("E-mail address").fill(lena.email)
        await olu.page.get_by_label("Legal claim").check()
        await olu.press("Place hold")
        await olu.page.get_by_role("row", name="Legal claim").wait_for()
        await olu.press("Release the hold on Member")
        await olu.page.get_by_role("dialog").get_by_role("button", name="Release").click()
        await olu.page.get_by_text("Nothing is held.").wait_for()

        await olu.page.get_by_role("link", name="Retention").click()
        await olu.page.get_by_role("row", name="Chat messages").get_by_text("90 days").wait_for()


def _take_back(someone: Person, status: str) -> None:
    """Browsers report an answer that refuses as an error; here it was what the page waits for."""
    expected = [text for text in someone.complaints if f"a status of {status}" in text]
    assert len(expected) == 1
    someone.complaints.remove(expected[0])
