"""Hosts conduct a meeting in real browsers: who waits, who is stopped, who is seen large, who may not come back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from live_server import Visitor, first_admin, make_config, running
from playwright.async_api import Browser

from pymeet.server import Server
from tests.browser.people import Person, emptied, enter, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class House:
    """A server with a room, its owner Ada, and people at the door."""

    server: Server
    admin: Visitor
    slug: str
    browser: Browser
    people: list[Person]

    async def person(self, name: str, *, host: bool = False) -> Person:
        """Somebody with a fresh profile; the host is signed in."""
        someone = await enter(self.browser, self.server.url, name, locale="en-GB")
        if host:
            for cookie in self.admin.http.cookie_jar:
                await someone.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.admin.url}])
        self.people.append(someone)
        return someone

    async def joined(self, *names: str) -> list[Person]:
        """Ada as host and these guests, all in the room."""
        people = [await self.person("Ada", host=True), *[await self.person(name) for name in names]]
        for person in people:
            await person.join(self.slug)
        for person in people:
            for other in people:
                if other is not person:
                    await person.sees(other.name)
        return people

    async def sets(self, **settings: object) -> None:
        """The owner decides something about the room."""
        status, answer = await self.admin.json("PATCH", f"/api/v1/rooms/{self.slug}/settings", settings)
        assert status == 200, answer

    async def knocks(self, person: Person) -> None:
        """Somebody opens the link and asks to come in."""
        await person.page.goto(f"{person.origin}/r/{self.slug}")
        await person.page.get_by_role("textbox", name="Your name").fill(person.name)
        await person.page.locator(".preview-join [type=submit]").click()


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path, browser: Browser) -> AsyncIterator[House]:
    """At the end nobody's console may have complained, and nothing may have been asked of other hosts."""
    async with running(make_config(tmp_path / "data")) as server, first_admin(server) as admin:
        slug = await admin.make_room("Weekly")
        async with emptied(browser):
            house = House(server, admin, slug, browser, [])
            yield house
            complaints = {person.name: person.complaints for person in house.people if person.complaints}
            assert not complaints


async def _act(host: Person, name: str, action: str) -> None:
    if not await host.page.get_by_role("complementary", name="People").is_visible():
        await host.press("People")
    await host.press(f"Actions for {name}")
    await host.page.get_by_role("menuitem", name=action, exact=True).click()


async def _shown(person: Person, text: str) -> None:
    await person.page.get_by_text(text, exact=True).first.wait_for(timeout=8_000)


async def _count(locator: Any, count: int) -> bool:
    return bool(await locator.count() == count)


async def test_a_guest_waits_and_is_let_in_another_is_refused_with_a_reason(house: House) -> None:
    """Who waits sees nothing of the meeting; the host sees them at once, and the reason reaches whom it is for."""
    await house.sets(waiting_room="guests")
    (ada,) = await house.joined()
    grace, mallory = await house.person("Grace"), await house.person("Mallory")

    await house.knocks(grace)
    await grace.page.get_by_role("heading", name="You are waiting to be let in").wait_for(timeout=5_000)
    assert await grace.page.evaluate("window.pymeet.state().participants") == []
    await _shown(ada, "Grace waits to be let in")
    await ada.press("Let in")
    await grace.sees("Ada")
    await ada.sees("Grace")
    await until("Ada sees Grace move", lambda: ada.playing("video", 1), 15)

    await house.knocks(mallory)
    await ada.press("Show")
    await ada.press("Refuse Mallory")
    await ada.page.get_by_role("textbox", name="Reason (optional)").fill("We are complete today.")
    await ada.press("Refuse")
    await mallory.page.get_by_text("We are complete today.").wait_for(timeout=5_000)
    await until("nobody waits any more", lambda: _count(ada.page.get_by_text("1 person waits"), 0), 5)


async def test_a_host_switches_a_microphone_off_and_its_owner_on_again(house: House) -> None:
    """Nobody is switched on from outside: the person is told who did it, and decides."""
    ada, grace = await house.joined("Grace")
    await until("Ada hears Grace", lambda: ada.playing("audio", 1), 15)

    await _act(ada, "Grace", "Switch microphone off")
    await _shown(grace, "Ada switched your microphone off.")
    muted = ada.tile("Grace").get_by_text("Microphone is off")
    await until("Ada sees that Grace is muted", lambda: _count(muted, 1), 5)
    assert not await ada.playing("audio", 1, within_s=1, at_least=1)

    await grace.press("Switch on again")
    await until("Ada sees that Grace is back", lambda: _count(muted, 0), 5)
    await until("Ada hears Grace again", lambda: ada.playing("audio", 1), 8)
    assert await grace.page.get_by_text("Ada switched your microphone off.").count() == 0


async def test_hands_reactions_and_the_spotlight_reach_everybody(house: House) -> None:
    """Hands keep their order; whom a host puts forward is large for all."""
    ada, grace, noor = await house.joined("Grace", "Noor")

    await noor.press("Raise hand")
    await ada.tile("Noor").get_by_text("Hand raised, number 1").wait_for(timeout=5_000)
    await grace.page.keyboard.press("h")
    await ada.tile("Grace").get_by_text("Hand raised, number 2").wait_for(timeout=5_000)
    await _act(ada, "Noor", "Lower the hand")
    await noor.button("Raise hand").wait_for(timeout=5_000)
    await ada.tile("Grace").get_by_text("Hand raised, number 1").wait_for(timeout=5_000)

    await grace.press("Reactions")
    await grace.page.get_by_role("menuitem", name="Applause").click()
    await ada.tile("Grace").get_by_text("Applause").wait_for(timeout=5_000)

    await _act(ada, "Grace", "Put in the spotlight")
    await noor.page.get_by_role("region", name="Grace, in the spotlight").wait_for(timeout=5_000)
    await _shown(grace, "You are in the spotlight: everybody sees you large.")
    await _act(ada, "Grace", "End the spotlight")
    await noor.page.get_by_role("region", name="Grace, in the spotlight").wait_for(state="detached", timeout=5_000)


async def test_a_cohost_locks_the_meeting_and_cannot_end_it(house: House) -> None:
    """What a co-host may do is a part of what a host may do; a locked meeting says so to who comes."""
    ada, grace = await house.joined("Grace")
    late = await house.person("Late")

    await _act(ada, "Grace", "Make co-host")
    await grace.press("People")
    await grace.page.get_by_text("Co-host", exact=True).wait_for(timeout=5_000)
    assert await grace.button("End meeting for everybody").count() == 0
    await grace.press("More")
    await grace.page.get_by_role("menuitem", name="Lock meeting").click()
    await _shown(ada, "Locked: nobody new comes in.")

    await house.knocks(late)
    await late.page.get_by_role("heading", name="The meeting is locked").wait_for(timeout=5_000)
    await ada.press("Unlock meeting")
    await late.page.get_by_role("button", name="Try again").click()
    await ada.sees("Late")


async def test_who_is_kept_out_does_not_come_back(house: House) -> None:
    """Neither by the button nor by the link: guests cannot be told apart, so whoever comes anew waits."""
    ada, grace = await house.joined("Grace")
    await _act(ada, "Grace", "Remove…")
    await ada.page.get_by_label("Keep out of this meeting").check()
    await ada.press("Remove from meeting")
    await grace.page.get_by_role("heading", name="You were removed from the meeting").wait_for(timeout=5_000)

    await house.knocks(grace)
    await grace.page.get_by_role("heading", name="You are waiting to be let in").wait_for(timeout=5_000)
    assert await ada.tile("Grace").count() == 0


async def test_messages_go_to_one_are_changed_and_taken_back(house: House) -> None:
    """A private message reaches nobody else, also nobody who comes later; what is deleted is gone for all."""
    ada, grace, noor = await house.joined("Grace", "Noor")
    for person in (ada, grace, noor):
        await person.press("Chat")

    await grace.page.get_by_label("To", exact=True).select_option(label="Ada only")
    box = grace.page.get_by_role("textbox", name="Message to Ada only")
    await box.fill("Between us.")
    await box.press("Enter")
    await _shown(ada, "Between us.")
    await _shown(ada, "To you only")

    await grace.page.get_by_label("To", exact=True).select_option(label="Everybody")
    await grace.say("We meat at ten.")
    await _shown(noor, "We meat at ten.")
    assert await noor.page.get_by_text("Between us.").count() == 0
    late = await house.person("Late")
    await late.join(house.slug)
    await late.press("Chat")
    await _shown(late, "We meat at ten.")
    assert await late.page.get_by_text("Between us.").count() == 0

    message = grace.page.get_by_role("listitem").filter(has_text="We meat at ten.")
    await message.get_by_role("button", name="What to do with this message").click()
    await grace.page.get_by_role("menuitem", name="Edit").click()
    await grace.page.get_by_role("textbox", name="Your message").fill("We meet at ten, @Noor.")
    await grace.press("Save")
    await noor.page.locator("strong.mention.own", has_text="@Noor").wait_for(timeout=5_000)
    await _shown(noor, "(edited)")

    message = ada.page.get_by_role("listitem").filter(has_text="We meet at ten")
    await message.hover()
    await message.get_by_role("button", name="What to do with this message").click()
    await ada.page.get_by_role("menuitem", name="Delete message").click()
    await ada.press("Delete message")
    await _shown(noor, "This message was deleted.")
    assert await noor.page.get_by_text("We meet at ten").count() == 0


async def test_an_owner_gives_a_room_a_password_and_sees_who_came(house: House) -> None:
    """From the start page; a wrong password is said at the field, and the right one opens the room."""
    ada, grace = await house.person("Ada", host=True), await house.person("Grace")
    await ada.page.goto(ada.origin)
    await ada.press("More about Weekly")
    await ada.page.get_by_role("menuitem", name="Room settings").click()
    await ada.page.get_by_label("Ask for a password").check()
    await ada.page.get_by_label("Password of the room").fill("open sesame now")
    await ada.press("Save")
    await _shown(ada, "The settings are saved.")

    await grace.page.goto(f"{grace.origin}/r/{house.slug}")
    await grace.page.get_by_role("textbox", name="Your name").fill("Grace")
    await grace.page.get_by_label("Password of the room").fill("open barley")
    await grace.press("Join")
    await _shown(grace, "This password does not open the room. Check it and try again.")
    await grace.page.get_by_label("Password of the room").fill("open sesame now")
    await grace.press("Join")
    await grace.button("Leave").wait_for(timeout=8_000)

    await ada.press("More about Weekly")
    await ada.page.get_by_role("menuitem", name="Who was here").click()
    await ada.page.get_by_role("cell", name="Grace Guest").wait_for(timeout=5_000)
