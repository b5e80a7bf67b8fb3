"""Nobody is shut out by how a page is made: axe-core finds nothing serious on any page, light or dark, on desktops
and phones. What a machine cannot judge (is it understandable? does the order make sense?) stays for people."""

from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Final

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page

from pymeet.web.routes import ROUTES
from tests.browser.every_page import ALL, DESKTOP, PHONE, Place, Site, configured, furnished

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AXE: Final = (files("axe_playwright_python") / "axe.min.js").read_text()

RUN: Final = """async (only) => {
  const { violations } = await axe.run(document, {
    resultTypes: ['violations'], ...(only ? { runOnly: { type: 'rule', values: [only] } } : {}) });
  return violations.filter((each) => ['serious', 'critical'].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.map((node) => `${node.html} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
}"""

LOOKS: Final = (
    (DESKTOP, "light", None),
    (DESKTOP, "dark", "color-contrast"),
    (PHONE, "dark", None),
    (PHONE, "light", "color-contrast"),
)

_NO_PAGES: Final = ("/static/", "/calendar/", "/metrics", "/healthz", "/readyz", "/api/", "/ws/")
"""What nobody looks at."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One server, and one browser for each kind of reader."""
    async with furnished(configured(tmp_path_factory.mktemp("site") / "data")) as made:
        yield made


async def faults(page: Page) -> list[str]:
    """What axe-core finds on a desktop by day and on a phone by night; by the other two the colours."""
    found: list[str] = []
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    for viewport, scheme, only in LOOKS:
        await page.set_viewport_size(viewport)
        await page.emulate_media(color_scheme=scheme)
        wrong = await page.evaluate(RUN, only)
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
