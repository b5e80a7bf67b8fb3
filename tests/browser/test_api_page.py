"""The page that describes the API: finding a request, and going from its answer to what that is made of."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from live_server import make_config, running
from playwright.async_api import expect

from pymeet.web.openapi.operations import OPERATIONS
from tests.browser.people import chromium, enter

pytestmark = pytest.mark.browser


async def test_a_request_is_found_and_read_by_keyboard(tmp_path: Path) -> None:
    """Whoever writes a program looks for a word, opens what fits, and follows it to the shape of the answer."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(make_config(tmp_path / "data")))
        ada = await enter(await stack.enter_async_context(chromium()), server.url, "Ada")
        page = ada.page
        await page.goto(f"{server.url}/api")
        found = page.locator("#found")
        await expect(found).to_have_text(f"{len(OPERATIONS)} requests")

        await page.get_by_label("Find a request").press_sequentially("post meetings plan")
        await expect(found).to_have_text("1 request")
        summary = page.locator("summary:visible").filter(has_text="Plan a meeting")
        await summary.press("Enter")
        answer = page.locator("#meetings_plan").get_by_role("link", name="Meeting", exact=True)
        await expect(answer).to_be_visible()

        await answer.press("Enter")
        await expect(page.locator("#Meeting")).to_be_visible()
        await expect(page.locator("#Meeting")).to_contain_text("Counts what was changed")
        await expect(found).to_have_text(f"{len(OPERATIONS)} requests")

        await page.get_by_label("Find a request").fill("nothing of the kind")
        await expect(page.get_by_text("No request fits.")).to_be_visible()
        assert not ada.complaints
