"""Accounts as people use them: invited by mail, second factors and passkeys, a forgotten password, the profile, members.

The mails come from a real mail server on loopback, the codes from an authenticator as any app computes them, and the
passkeys from the authenticator that Chromium has for tests.
"""

import io
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from live_server import PASSWORD, Visitor, first_admin, free_port, make_config, running
from PIL import Image
from playwright.async_api import Browser, Page

from tests.browser.people import Person, emptied, enter
from tests.mail.post_office import PostOffice

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ANOTHER = "seven kites over a quiet bay"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass
class House:
    """A server with a host name, which passkeys need, its first administrator, and the mail server it writes to."""

    url: str
    admin: Visitor
    post: PostOffice
    browser: Browser
    people: list[Person]

    async def person(self, name: str, visitor: Visitor | None = None) -> Person:
        """Somebody in a browser of their own, signed in as the visitor is."""
        someone = await enter(self.browser, self.url, name, accept_downloads=True, locale="en-GB")
        self.people.append(someone)
        if visitor:
            for cookie in visitor.http.cookie_jar:
                await someone.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.url}])
        return someone

    async def link_to(self, address: str, subject: str) -> str:
        """The one-time link in the newest mail of this kind to this address, once it has arrived."""
        for count in range(1, 20):
            for mail in (await self.post.has(count))[count - 1 :]:
                if mail.recipients == [address] and re.search(subject, mail.message["Subject"]):
                    found = re.search(r"\S+/link#\S+", mail.part("plain"))
                    assert found is not None
                    return found[0]
        raise AssertionError(f"no mail about {subject} for {address}")

    async def member(self, name: str) -> tuple[Person, str]:
        """Somebody who was invited and has made their account; they and their address."""
        address = f"{name.lower()}@example.org"
        status, answer = await self.admin.json(
            "POST", "/api/v1/admin/invitations", {"email": address, "name": name, "language": "en"}
        )
        assert status == 201, answer
        someone = await self.person(name)
        await someone.page.goto(await self.link_to(address, "invite"))
        await someone.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await someone.press("Create account")
        await someone.page.get_by_role("heading", name="Your rooms").wait_for()
        return someone, address


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path, browser: Browser) -> AsyncIterator[House]:
    """At the end nobody's console may have complained, and nothing may have been asked of other hosts."""
    async with AsyncExitStack() as stack:
        post = await stack.enter_async_context(PostOffice())
        port = free_port()
        url = f"http://localhost:{port}"
        mail = {"host": "localhost", "port": post.port, "encryption": "off", "from_address": "meet@example.org"}
        config = make_config(tmp_path / "data", http={"port": port, "public_url": url}, mail=mail)
        server = await stack.enter_async_context(running(config))
        admin = await stack.enter_async_context(first_admin(server))
        await stack.enter_async_context(emptied(browser))
        house = House(url, admin, post, browser, [])
        yield house
        complaints = {each.name: each.complaints for each in house.people if each.complaints}
        assert not complaints


async def _signs_in(page: Page, url: str, address: str, password: str) -> None:
    await page.goto(f"{url}/sign-in")
    await page.get_by_label("E-mail").fill(address)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def _signs_out(someone: Person) -> None:
    await someone.press(f"Account of {someone.name}")
    await someone.press("Sign out")
    await someone.page.get_by_role("heading", name="Meetings on your own server").wait_for()


async def _confirms(page: Page, action: str) -> None:
    """Types the password into the dialog that asks for it."""
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
    await dialog.get_by_role("button", name=action, exact=True).click()


async def _sets_up_app(someone: Person) -> tuple[str, list[str]]:
    """The secret that the app got, and the recovery codes."""
    page = someone.page
    await page.goto(f"{someone.origin}/security")
    await someone.press("Set up codes from an app")
    await _confirms(page, "Continue")
    picture = page.get_by_role("img", name="QR code for the authenticator app; the key is below as text too")
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    await page.get_by_text("Cannot scan it?").click()
    secret = (await page.locator(".secret code").inner_text()).replace(" ", "")
    await page.get_by_label("Code, six digits").fill(pyotp.TOTP(secret).now())
    await someone.press("Activate")
    await page.get_by_role("heading", name="Your recovery codes").wait_for()
    codes = await page.locator(".codes code").all_inner_texts()
    await page.get_by_label("I have kept them").check()
    await someone.press("Done")
    await page.get_by_text("10 codes are left.").wait_for()
    return secret, codes


async def test_an_invited_person_signs_in_with_an_app_and_by_passkey(house: House) -> None:
    """From the mail to the second factor without help; each step must say what it wants."""
    ada = await house.person("Ada", house.admin)
    await ada.page.goto(f"{house.url}/admin/users")
    await ada.press("Invite")
    dialog = ada.page.get_by_role("dialog", name="Invite somebody")
    await dialog.get_by_label("E-mail").fill("mei@example.org")
    await dialog.get_by_label("Name", exact=True).fill("Mei")
    await dialog.get_by_label("Language of the mail").select_option("en")
    await dialog.get_by_role("button", name="Send invitation").click()
    await ada.page.get_by_role("row", name="mei@example.org").get_by_text("Invited").wait_for()

    mei = await house.person("Mei")
    await mei.page.goto(await house.link_to("mei@example.org", "invite"))
    await mei.page.get_by_label("Password", exact=True).fill("too short")
    await mei.press("Create account")
    await mei.page.get_by_text("Too short: 9 of at least 12 characters.").wait_for()
    await mei.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await mei.press("Create account")
    await mei.page.get_by_role("heading", name="Your rooms").wait_for()

    secret, _ = await _sets_up_app(mei)
    await _signs_out(mei)
    await _signs_in(mei.page, house.url, "mei@example.org", PASSWORD)
    await mei.page.get_by_role("heading", name="One more step").wait_for()
    # The code that set the app up is used; the next one is good already.
    await mei.page.get_by_label("Code, six digits").fill(pyotp.TOTP(secret).at(int(time.time()) + 30))
    await mei.press("Continue")
    await mei.page.get_by_role("heading", name="Your rooms").wait_for()

    cdp = await mei.context.new_cdp_session(mei.page)
    await cdp.send("WebAuthn.enable")
    await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    await mei.page.goto(f"{house.url}/security")
    await mei.press("Add")
    await mei.page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Laptop")
    await _confirms(mei.page, "Go on")
    await mei.page.get_by_text("The passkey was added.").wait_for()
    await mei.page.get_by_text("Laptop", exact=True).wait_for()
    await _signs_out(mei)
    await mei.page.goto(f"{house.url}/sign-in")
    await mei.press("Sign in with a passkey")
    await mei.page.get_by_role("heading", name="Your rooms").wait_for()


async def test_a_recovery_code_lets_somebody_in_once(house: House) -> None:
    """The day the phone is lost; a code that was used must not work again, and the page must say why."""
    ben, address = await house.member("Ben")
    _, codes = await _sets_up_app(ben)
    assert len(set(codes)) == 10
    await _signs_out(ben)
    await _signs_in(ben.page, house.url, address, PASSWORD)
    await ben.press("Use a recovery code")
    await ben.page.get_by_label("Recovery code", exact=True).fill(codes[0])
    await ben.page.get_by_label("Skip this step on this device").check()
    await ben.press("Continue")
    await ben.page.get_by_role("heading", name="Your rooms").wait_for()

    await ben.page.goto(f"{house.url}/security")
    await ben.page.get_by_text("9 codes are left.").wait_for()
    await ben.page.get_by_text("skips the second step until").wait_for()
    await _signs_out(ben)
    await _signs_in(ben.page, house.url, address, PASSWORD)
    await ben.page.get_by_role("heading", name="Your rooms").wait_for()

    elsewhere = await house.person("Ben")
    await _signs_in(elsewhere.page, house.url, address, PASSWORD)
    await elsewhere.press("Use a recovery code")
    await elsewhere.page.get_by_label("Recovery code", exact=True).fill(codes[0])
    await elsewhere.press("Continue")
    await elsewhere.page.get_by_role("alert").get_by_text("was used already").wait_for()
    _take_back(elsewhere, "401")


async def test_a_forgotten_password_is_replaced_by_mail(house: House) -> None:
    """Without an administrator, and with the other sessions ended: somebody else may have known the old one."""
    lena, address = await house.member("Lena")
    later = await house.person("Lena")
    await later.page.goto(f"{house.url}/sign-in")
    await later.page.get_by_role("link", name="Forgot your password?").click()
    await later.page.get_by_label("E-mail").fill(address)
    await later.press("Send the link")
    await later.page.get_by_role("heading", name="Look into your mail").wait_for()
    await later.page.goto(await house.link_to(address, "password"))
    await later.page.get_by_label("Password", exact=True).fill(ANOTHER)
    await later.press("Save and sign in")
    await later.page.get_by_role("heading", name="Your rooms").wait_for()

    await lena.page.goto(f"{house.url}/security")
    await lena.page.get_by_text("Sign in to look after your password and your sessions.").wait_for()
    await later.page.goto(f"{house.url}/security")
    await later.page.get_by_text("This browser").first.wait_for()
    assert await later.page.get_by_role("button", name="Sign out all others…").count() == 0


async def test_a_link_by_mail_signs_in_once_and_only_when_pressed(house: House) -> None:
    """Programs that look into mails open links; they must not use them up."""
    mira, address = await house.member("Mira")
    await _signs_out(mira)
    await mira.page.goto(f"{house.url}/sign-in")
    await mira.page.get_by_label("E-mail").fill(address)
    await mira.press("E-mail me a sign-in link")
    await mira.press("Send the link")
    await mira.page.get_by_role("heading", name="Look into your mail").wait_for()
    link = await house.link_to(address, "[Ss]ign")
    for _ in range(2):
        await mira.page.goto("about:blank")
        await mira.page.goto(link)
        await mira.page.get_by_text(f"You sign in as {address} on this device.").wait_for()
    await mira.press("Sign in")
    await mira.page.get_by_role("heading", name="Your rooms").wait_for()
    await mira.page.goto("about:blank")
    await mira.page.goto(link)
    await mira.page.get_by_role("heading", name="This link does not work").wait_for()
    _take_back(mira, "404")


async def test_a_profile_is_taken_on_by_the_next_browser(house: House) -> None:
    """Language and theme belong to the person, not to the device on which they were chosen."""
    noa, address = await house.member("Noa")
    await noa.page.goto(f"{house.url}/profile")
    await noa.page.get_by_label("Name", exact=True).fill("Noa Levi")
    await noa.page.get_by_label("Language").select_option("de")
    await noa.page.get_by_label("Theme").select_option("contrast")
    await noa.page.get_by_label("Time zone").select_option("Asia/Jerusalem")
    about_noa = noa.page.locator("form[aria-labelledby=person-title]")  # notifications have a button of that name, too
    await about_noa.get_by_role("button", name="Save", exact=True).click()
    await noa.page.get_by_role("heading", name="Profil", exact=True).wait_for()
    assert await noa.page.get_by_label("Zeitzone").input_value() == "Asia/Jerusalem"

    other = await house.person("Noa Levi")
    await _signs_in(other.page, house.url, address, PASSWORD)
    await other.page.get_by_role("heading", name="Ihre Räume").wait_for()
    await other.button("Konto von Noa Levi").wait_for()
    assert await other.page.evaluate("document.documentElement.dataset.theme") == "contrast"


async def test_a_picture_is_shown_and_taken_back(house: House) -> None:
    """A photograph of any size must do; it arrives small, square and without what the camera wrote into it."""
    zoe, _ = await house.member("Zoe")
    content = io.BytesIO()
    Image.new("RGB", (1600, 900), "teal").save(content, "JPEG")
    await zoe.page.goto(f"{house.url}/profile")
    files = zoe.page.locator("input[type=file]")
    await files.set_input_files({"name": "zoe.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()})
    await zoe.page.get_by_text("Your picture was saved.").wait_for()
    picture = zoe.page.locator(".avatar.large img")
    assert await picture.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [
        256,
        256,
    ]
    await files.set_input_files({"name": "notes.txt", "mimeType": "image/png", "buffer": b"no picture"})
    await zoe.page.get_by_role("alert").get_by_text("This file is no picture").wait_for()

    await zoe.press("Remove picture…")
    await zoe.page.get_by_role("dialog").get_by_role("button", name="Remove picture").click()
    await picture.wait_for(state="detached")
    await zoe.page.get_by_text("Your picture was deleted.").wait_for()


async def test_an_address_changes_when_the_new_one_says_so(house: House) -> None:
    """Whoever mistypes it must keep their account, and the menu must work by keyboard."""
    uma, address = await house.member("Uma")
    menu = uma.button("Account of Uma")
    await menu.focus()
    await menu.press("Enter")
    await uma.page.get_by_role("link", name="Profile").wait_for()
    await uma.page.keyboard.press("Escape")
    await uma.page.get_by_role("link", name="Profile").wait_for(state="hidden")
    await menu.press("Enter")
    await uma.page.keyboard.press("Tab")
    await uma.page.keyboard.press("Enter")
    await uma.page.get_by_role("main").get_by_text(address, exact=True).wait_for()
    await uma.press("Change address…")
    await uma.page.get_by_role("dialog").get_by_label("New e-mail address").fill("uma@example.net")
    await _confirms(uma.page, "Send the link")
    await uma.page.get_by_text("A link is on its way to uma@example.net.").wait_for()
    await uma.page.goto(await house.link_to("uma@example.net", ""))
    await uma.press("Use this address")
    await uma.page.get_by_role("heading", name="Your address was changed").wait_for()

    later = await house.person("Uma")
    await _signs_in(later.page, house.url, "uma@example.net", PASSWORD)
    await later.page.get_by_role("heading", name="Your rooms").wait_for()


async def test_an_administrator_disables_a_member_after_reading_what_it_does(house: House) -> None:
    """What is hard to undo must say what it does first, and hold at once."""
    ida, _ = await house.member("Ida")
    ada = await house.person("Ada", house.admin)
    await ada.page.goto(f"{house.url}/admin/users")
    await ada.page.get_by_label("Name or e-mail").fill("ida@")
    await ada.page.get_by_role("row", name="Ada").wait_for(state="detached")
    await ada.press("Manage Ida")
    await ada.page.get_by_role("button", name="Erase account").click()
    plan = ada.page.get_by_role("dialog", name="Erase Ida?")
    await plan.get_by_role("table", name="What is erased").wait_for()
    await ada.page.keyboard.press("Escape")
    await ada.press("Manage Ida")
    await ada.page.get_by_role("button", name="Disable account").click()
    dialog = ada.page.get_by_role("dialog", name="Disable Ida?")
    await dialog.get_by_text("Nothing is deleted").wait_for()
    await dialog.get_by_role("button", name="Disable account", exact=True).click()
    await ada.page.get_by_role("row", name="ida@example.org").get_by_text("Disabled").wait_for()

    await ida.page.goto(f"{house.url}/profile")
    await ida.page.get_by_text("Sign in to see your profile.").wait_for()


def _take_back(person: Person, status: str) -> None:
    """Browsers report an answer that refuses as an error; here it was what the page waits for."""
    expected = [text for text in person.complaints if f"a status of {status}" in text]
    assert len(expected) == 1
    person.complaints.remove(expected[0])
