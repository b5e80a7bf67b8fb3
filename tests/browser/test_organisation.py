"""An organisation lives on pymeet: one story from the invitation of a member to the end of a meeting with a guest.

Everything is done as people do it: mails are read at a real mail server on loopback, codes come from an authenticator app's
reckoning, passkeys from the authenticator that Chromium has for tests, and everything else is seen and pressed in Chromium.
"""

import io
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from icalendar import Calendar
from live_server import PASSWORD, Visitor, first_admin, free_port, make_config, running
from PIL import Image
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.people import Person, emptied, enter, until
from tests.browser.test_accounts import AUTHENTICATOR
from tests.mail.post_office import Delivery, PostOffice

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

GRACE = "grace@example.net"


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
        someone = await enter(self.browser, self.url, name, locale="en-GB", timezone_id="Europe/Berlin")
        self.people.append(someone)
        if visitor:
            for cookie in visitor.http.cookie_jar:
                await someone.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.url}])
        return someone

    async def mail(self, address: str, subject: str) -> Delivery:
        """The first mail of this kind to this address, once it has arrived."""
        for count in range(1, 20):
            mail = (await self.post.has(count))[count - 1]
            if mail.recipients == [address] and re.search(subject, mail.message["Subject"]):
                return mail
        raise AssertionError(f"no mail about {subject} for {address}")


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
        assert not {each.name: each.complaints for each in house.people if each.complaints}


def _link(mail: Delivery, path: str) -> str:
    found = re.search(rf"\S+/{path}\S+", mail.part("plain"))
    assert found is not None
    return found[0]


async def _tomorrow(page: Page) -> str:
    return str(await page.evaluate("new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)"))


def _next(page: Page) -> Locator:
    """The rows of the meetings that come next."""
    return page.get_by_role("region", name="Next meetings").get_by_role("listitem")


async def _becomes_a_member(mei: Person, house: House) -> None:
    """From the invitation mail to an account."""
    await mei.page.goto(_link(await house.mail("mei@example.org", "invite"), "link#"))
    await mei.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await mei.press("Create account")
    await mei.page.get_by_role("heading", name="Your rooms").wait_for()


async def _secures_the_account(mei: Person) -> None:
    """Codes from an app, and a passkey by which she signs in again."""
    page = mei.page
    await page.goto(f"{mei.origin}/security")
    await mei.press("Set up codes from an app")
    await _confirms(page, "Continue")
    await page.get_by_text("Cannot scan it?").click()
    secret = (await page.locator(".secret code").inner_text()).replace(" ", "")
    await page.get_by_label("Code, six digits").fill(pyotp.TOTP(secret).now())
    await mei.press("Activate")
    await page.get_by_label("I have kept them").check()
    await mei.press("Done")
    cdp = await mei.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    await mei.press("Add")
    await page.get_by_role("dialog").get_by_label("Name", exact=True).fill("Laptop")
    await _confirms(page, "Go on")
    await page.get_by_text("The passkey was added.").wait_for()
    await mei.press("Account of Mei")
    await mei.press("Sign out")
    await page.get_by_role("heading", name="Meetings on your own server").wait_for()
    await page.goto(f"{mei.origin}/sign-in")
    await mei.press("Sign in with a passkey")
    await page.get_by_role("heading", name="Your rooms").wait_for()


async def _confirms(page: Page, action: str) -> None:
    """Types the password into the dialog that asks for it."""
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
    await dialog.get_by_role("button", name=action, exact=True).click()


async def _plans_a_weekly_meeting(mei: Person) -> None:
    """In a new room, in which guests wait."""
    page = mei.page
    await mei.press("Schedule a meeting")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Title").fill("Garden weekly")
    await dialog.get_by_label("Begins").fill(f"{await _tomorrow(page)}T10:00")
    await dialog.get_by_label("Repeats").select_option("WEEKLY")
    await dialog.get_by_label("Invite these").fill(GRACE)
    await dialog.get_by_label("Agenda").fill("Seeds, tools, the gate.")
    await dialog.get_by_role("button", name="Save").click()
    await expect(_next(page).first).to_contain_text("10:00")
    await mei.press("More about Garden weekly")
    await page.get_by_role("menuitem", name="Room settings").click()
    await dialog.get_by_label("Waiting room").select_option("guests")
    await dialog.get_by_role("button", name="Save").click()
    await page.get_by_text("The settings are saved.").wait_for()


async def test_from_an_invitation_to_the_end_of_a_meeting_with_a_guest(house: House) -> None:
    """Each step hands the next one what it needs, by mail or by page; a gap between two of them would stop people."""
    ada = await house.person("Ada", house.admin)
    await ada.page.goto(f"{house.url}/admin/users")
    await ada.press("Invite")
    dialog = ada.page.get_by_role("dialog", name="Invite somebody")
    await dialog.get_by_label("E-mail").fill("mei@example.org")
    await dialog.get_by_label("Name", exact=True).fill("Mei")
    await dialog.get_by_label("Language of the mail").select_option("en")
    await dialog.get_by_role("button", name="Send invitation").click()

    mei = await house.person("Mei")
    await _becomes_a_member(mei, house)
    await _secures_the_account(mei)
    await _plans_a_weekly_meeting(mei)

    invitation = await house.mail(GRACE, "Garden weekly")
    assert "Seeds, tools, the gate." in invitation.part("plain")
    (entry,) = Calendar.from_ical(_calendar_of(invitation)).walk("VEVENT")
    assert (entry["RRULE"]["FREQ"], entry["DTSTART"].dt.strftime("%H:%M")) == (["WEEKLY"], "10:00")
    grace = await house.person("Grace")
    await grace.page.goto(_link(invitation, "rsvp#"))
    await grace.press("Yes")
    await grace.page.get_by_text("Your answer was saved.").wait_for()

    await _next(mei.page).first.get_by_role("link", name="Garden weekly").click()
    await mei.press("Join")
    await mei.button("Leave").wait_for()
    await grace.page.goto(_link(invitation, "r/"))
    await grace.page.get_by_role("textbox", name="Your name").fill("Grace")
    await grace.press("Ask to join")
    await grace.page.get_by_role("heading", name="You are waiting to be let in").wait_for()
    await mei.page.get_by_text("Grace waits to be let in", exact=True).first.wait_for()
    await mei.press("Let in")
    await grace.sees("Mei")
    await mei.sees("Grace")
    await until("Mei hears Grace", lambda: mei.playing("audio", 1))

    await mei.press("People")
    await mei.press("Mute all others")
    await mei.page.get_by_role("dialog").get_by_role("button", name="Mute all others").click()
    await grace.page.get_by_text("Mei switched your microphone off.").first.wait_for()
    await mei.tile("Grace").get_by_text("Microphone is off").wait_for()
    await mei.press("Actions for Grace")
    await mei.page.get_by_role("menuitem", name="Remove…", exact=True).click()
    await mei.press("Remove from meeting")
    await grace.page.get_by_role("heading", name="You were removed from the meeting").wait_for()
    await mei.press("End meeting for everybody")
    await mei.press("End for everybody")
    await mei.page.get_by_role("heading", name="The meeting has ended").wait_for()


def _calendar_of(mail: Delivery) -> bytes:
    (part,) = [each for each in mail.message.walk() if each.get_content_type() == "text/calendar"][:1]
    return bytes(part.get_payload(decode=True) or b"")


async def test_one_meeting_of_a_series_is_moved_and_another_cancelled(house: House) -> None:
    """What happens once must not touch the other weeks, and whoever is invited later joins what is left."""
    ada = await house.person("Ada", house.admin)
    page = ada.page
    tomorrow = await _tomorrow(page)
    body = {"title": "Plans", "start": f"{tomorrow}T10:00", "time_zone": "Europe/Berlin", "duration_min": 60}
    invitees = {"invitees": [{"email": GRACE}]}
    status, _ = await house.admin.json("POST", "/api/v1/meetings", {**body, **invitees, "rrule": "FREQ=WEEKLY;COUNT=4"})
    assert status == 201
    await page.goto(house.url)
    dialog = page.get_by_role("dialog")
    rows = _next(page)
    await expect(rows.filter(has_text="10:00")).to_have_count(4)

    await rows.nth(1).get_by_role("button", name="Change Plans").click()
    await expect(dialog.get_by_label("Title")).to_have_count(0)
    begins = dialog.get_by_label("Begins")
    await begins.fill((await begins.input_value()).replace("T10:00", "T15:30"))
    await dialog.get_by_role("button", name="Save").click()
    await expect(rows.filter(has_text="10:00")).to_have_count(3)
    await expect(rows.nth(1)).to_contain_text("15:30")

    await rows.nth(2).get_by_role("button", name="Cancel Plans").click()
    await dialog.get_by_role("button", name="Cancel the meeting").click()
    await expect(rows).to_have_count(3)

    # the title alone changes what a series is called, not when it is
    await rows.first.get_by_role("button", name="Change Plans").click()
    await dialog.get_by_label("The whole series").check()
    await dialog.get_by_label("Title").fill("Plans for spring")
    await dialog.get_by_label("Agenda").fill("Who plants what.")
    await expect(dialog.get_by_text("asked again")).to_have_count(0)
    await dialog.get_by_role("button", name="Save").click()
    await expect(rows.filter(has_text="Plans for spring")).to_have_count(3)
    await expect(rows.filter(has_text="15:30")).to_have_count(1)

    await rows.first.get_by_role("button", name="Details of").click()
    await expect(dialog.get_by_text("Who plants what.")).to_be_visible()
    await dialog.get_by_label("Invite these").fill(f"hana@example.net\n{GRACE}")
    await dialog.get_by_role("button", name="Invite", exact=True).click()
    await expect(dialog.get_by_text("This address is invited already.")).to_be_visible()
    ada.complaints.clear()  # Chromium complains of every refusal, also of one that the page explains
    await expect(dialog.get_by_label("Invite these")).to_have_value(GRACE)
    late = await house.mail("hana@example.net", "Plans for spring")
    hana = await house.person("Hana")
    await hana.page.goto(_link(late, "rsvp#"))
    await hana.press("Maybe")
    await hana.page.get_by_text("Your answer was saved.").wait_for()
    await dialog.get_by_role("button", name=f"Take back the invitation of {GRACE}").click()
    await page.get_by_role("button", name="Take back the invitation", exact=True).click()
    await expect(dialog.get_by_text("1 may come", exact=True)).to_be_visible()
    assert "METHOD:CANCEL" in _calendar_of(await house.mail(GRACE, "^Not invited any more: Plans for spring$")).decode()


async def test_guests_see_pictures_and_a_knock_is_heard_unless_it_is_switched_off(house: House) -> None:
    """A face tells people apart where no camera is on; and a host who looks elsewhere hears that somebody waits."""
    drawn = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(drawn, "PNG")
    kind = {"Content-Type": "image/png"}
    async with house.admin.http.put("/api/v1/profile/avatar", data=drawn.getvalue(), headers=kind) as response:
        assert response.status == 204
    slug = await house.admin.make_room("Weekly")
    await house.admin.json("PATCH", f"/api/v1/rooms/{slug}/settings", {"waiting_room": "guests"})
    ada = await house.person("Ada", house.admin)
    await ada.page.add_init_script(
        "window.heard = 0; const Own = AudioContext;"
        "window.AudioContext = class extends Own { createOscillator() { window.heard += 1; return super.createOscillator(); } };"
    )
    await ada.join(slug)
    await ada.press("Turn off camera")
    await ada.press("People")

    grace = await _knocks(house, "Grace", slug)
    await until("two tones are heard", lambda: ada.page.evaluate("window.heard === 2"))
    await ada.press("Let Grace in")
    picture = grace.tile("Ada").locator("img")
    await picture.wait_for()
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 256
    await grace.press("People")
    await expect(grace.page.get_by_role("complementary", name="People").locator("img")).to_have_count(1)

    await ada.press("More")
    await ada.page.get_by_role("menuitem", name="Settings", exact=True).click()
    await ada.page.get_by_label("Hear when somebody waits").uncheck()
    await ada.page.keyboard.press("Escape")
    await _knocks(house, "Hana", slug)
    await ada.button("Let Hana in").wait_for()
    assert await ada.page.evaluate("window.heard") == 2


async def _knocks(house: House, name: str, slug: str) -> Person:
    someone = await house.person(name)
    await someone.page.goto(f"{house.url}/r/{slug}")
    await someone.page.get_by_role("textbox", name="Your name").fill(name)
    await someone.press("Ask to join")
    return someone
