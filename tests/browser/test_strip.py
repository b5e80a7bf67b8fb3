"""On a phone, with somebody large, the others are a strip that is longer than the screen: who leads the conversation is in sight."""

from pathlib import Path

import pytest
from live_server import first_admin, make_config, running
from playwright.async_api import expect

from tests.browser.marks import RED, device_flags
from tests.browser.people import Person, chromium, enter

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
_NO_DEVICES = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotFoundError'); };"


async def test_whoever_leads_is_brought_in_sight_and_tiles_keep_their_places(tmp_path: Path) -> None:
    """Faces that change places whenever somebody speaks cannot be found again; one that is out of sight cannot be read."""
    config = make_config(tmp_path / "data")
    async with (
        running(config) as server,
        first_admin(server) as admin,
        chromium(*device_flags(RED, tmp_path)) as browser,
    ):
        slug = await admin.make_room("Weekly")
        people: list[Person] = []
        for name in ("Grace", "Ada", "Bob", "Cid", "Dan", "Eve"):
            person = await enter(browser, server.url, name)
            if name != "Eve":
                await person.page.add_init_script(_NO_DEVICES)
            people.append(person)
        grace, eve = people[0], people[-1]
        await grace.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        for person in people[:-1]:
            await person.join(slug)
        await grace.sees("Dan")
        await grace.tile("Ada").hover()
        await grace.press("Pin Ada")
        strip = grace.page.locator(".tiles.strip")
        await expect(strip.get_by_role("figure")).to_have_count(3)

        await eve.join(slug)
        await grace.sees("Eve")
        await expect(grace.tile("Eve")).to_be_in_viewport(ratio=0.9, timeout=10_000)

        assert await strip.get_by_role("figure").evaluate_all("all => all.map((one) => one.ariaLabel)") == [
            "Bob",
            "Cid",
            "Dan",
            "Eve",
        ]
        await expect(grace.tile("Bob")).not_to_be_in_viewport()
        assert await grace.page.evaluate("() => window.scrollX + window.scrollY") == 0
        assert not [complaint for person in people for complaint in person.complaints]
