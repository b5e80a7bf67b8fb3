"""Nobody is shut out by how a page is made: axe-core finds nothing serious on any page, in any state, light or dark, on
desktops and phones. What a machine cannot judge (is it understandable? does the order make sense?) stays for people."""

import os
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Final

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Locator, Page

from pymeet.web.routes import ROUTES
from tests.browser.every_page import ALL, DESKTOP, PHONE, Place, Site, configured, furnished, new_context
from tests.browser.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

COLOURS: Final = "color-contrast"

AXE: Final = (files("axe_playwright_python") / "axe.min.js").read_text()

RUN: Final = """async ([within, only]) => {
  const { violations } = await axe.run(within ?? document, {
    resultTypes: ['violations'], ...(only ? { runOnly: { type: 'rule', values: [only] } } : {}) });
  return violations.filter((each) => ['serious', 'critical'].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.map((node) => `${node.html} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
}"""

LOOKS: Final = (
    (DESKTOP, "light", None),
    (PHONE, "dark", None),
    *(((DESKTOP, "dark", COLOURS), (PHONE, "light", COLOURS)) if os.environ.get("PYMEET_GATES") == "long" else ()),
)
"""Both widths and both schemes; that each goes with each is looked at in the long version."""

OVERLAYS: Final = "dialog[open], [role=menu]:popover-open"

DIALOGS: Final = (
    (Place("/", "ada"), "Schedule a meeting"),
    (Place("/", "ada"), "More about Weekly"),
    (Place("/security", "ada"), "Set up codes from an app"),
    (Place("/security", "ada"), "Make a token…"),
    (Place("/profile", "ada"), "Change address…"),
    (Place("/admin/users", "ada"), "Invite"),
    (Place("/admin/users", "ada"), "Profile fields…"),
    (Place("/admin/{page}", "ada"), "Register a request"),
    (Place("/admin/privacy#holds", "ada"), "Place a hold"),
    (Place("/my-data", "ada"), "Erase my account…"),
    (Place("/recordings/{id}", "ada"), "Share…"),
    (Place("/recordings/{id}", "ada"), "Make a film…"),
)
"""One of each kind, by the button that opens it."""

_NO_PAGES: Final = ("/static/", "/calendar/", "/metrics", "/healthz", "/readyz", "/api/", "/ws/", "/whep/")
"""What nobody looks at."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One server, and one browser for each kind of reader."""
    async with furnished(configured(tmp_path_factory.mktemp("site") / "data")) as made:
        yield made


async def faults(page: Page, within: Locator | None = None) -> list[str]:
    """What axe-core finds on a desktop by day and on a phone by night."""
    found: list[str] = []
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    element = await within.element_handle() if within else None
    for viewport, scheme, only in LOOKS:
        await page.set_viewport_size(viewport)
        await page.emulate_media(color_scheme=scheme)
        wrong = await page.evaluate(RUN, [element, only])
        found += [f"{viewport['width']} {scheme} {each}" for each in wrong]
    await page.set_viewport_size(DESKTOP)
    await page.emulate_media(color_scheme="light")
    return found


async def test_every_page_is_looked_at() -> None:
    """A new page must say in which states it is looked at."""
    router = web.UrlDispatcher()
    router.add_routes(ROUTES)
    paths = {each.resource.canonical for each in router.routes() if each.method == "GET" and each.resource}
    pages = {each for each in paths if not each.startswith(_NO_PAGES)} - {"/privacy/versions/{version}"}  # plain text

    assert pages <= {each.path.partition("#")[0] for each in ALL}


@pytest.mark.parametrize("place", ALL, ids=lambda place: place.name)
async def test_a_page_shuts_nobody_out(site: Site, place: Place) -> None:
    """In every state, whoever looks at it."""
    page = await site.open(place)

    found = await faults(page)

    await page.close()
    assert not found


@pytest.mark.parametrize(("place", "button"), DIALOGS, ids=lambda each: each if isinstance(each, str) else each.name)
async def test_a_dialog_shuts_nobody_out(site: Site, place: Place, button: str) -> None:
    """It can be used, and left by Escape."""
    page = await site.open(place)
    await page.get_by_role("button", name=button, exact=True).first.click()
    overlay = page.locator(OVERLAYS).last
    await overlay.wait_for()

    found = await faults(page, overlay)

    await page.keyboard.press("Escape")
    await overlay.wait_for(state="hidden")
    await page.close()
    assert not found


async def test_a_meeting_shuts_nobody_out(site: Site) -> None:
    """With everything open that a host has beside the pictures, and somebody at the door."""
    slug = await site.ada.make_room("Tea")
    await site.ada.json("PATCH", f"/api/v1/rooms/{slug}/settings", {"waiting_room": "guests"})
    ada = Person("Ada", site.contexts["ada"], await site.contexts["ada"].new_page(), site.server.url)
    found: dict[str, list[str]] = {}
    await ada.join(slug)
    found["alone"] = await faults(ada.page)
    door = await new_context(site.browser, site.server.url)
    guest = Person("Grace", door, await door.new_page(), site.server.url)
    await guest.page.goto(f"{site.server.url}/r/{slug}")
    await guest.page.get_by_role("textbox", name="Your name").fill("Grace")
    found["before"] = await faults(guest.page)
    await guest.page.locator(".preview-join [type=submit]").click()
    await guest.page.get_by_role("heading", name="You are waiting to be let in").wait_for()
    found["waiting"] = await faults(guest.page)
    await ada.page.get_by_text("Grace waits to be let in").first.wait_for()
    found["somebody waits"] = await faults(ada.page)
    await ada.press("Let in")
    await ada.sees("Grace")
    await guest.say("Good morning, @Ada.")
    found["as a guest"] = await faults(guest.page)
    for panel in ("People", "Chat"):
        await ada.press(panel)
        found[panel] = await faults(ada.page)
    found |= await _menus(ada)
    await guest.page.close()
    await ada.page.close()
    await door.close()
    assert not {name: each for name, each in found.items() if each}


async def _menus(ada: Person) -> dict[str, list[str]]:
    """The menus of the bar and the panels."""
    found: dict[str, list[str]] = {}
    await ada.press("People")
    buttons = ada.page.locator("[aria-haspopup=menu]:visible")
    for at in range(await buttons.count()):
        await buttons.nth(at).click()
        menu = ada.page.locator(OVERLAYS).last
        await menu.wait_for()
        found[f"menu {at}"] = await faults(ada.page, menu)
        await ada.page.keyboard.press("Escape")
        await menu.wait_for(state="hidden")
    return found
