"""Debian's Chromium, headless and with fake devices, driven by Playwright; and a participant of a room in it."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Locator, Page, async_playwright

PACKAGE = "chromium"
ARGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream=fps=30",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--mute-audio",
]

_INBOUND = """async () => {
  const seen = { frames: 0, width: 0, codec: '', video: 0, audio: 0 };
  const pc = window.pymeet?.subscribePc;
  if (!pc) return seen;
  const report = await pc.getStats();
  for (const s of report.values()) {
    if (s.type !== 'inbound-rtp') continue;
    seen[s.kind] += s.packetsReceived;
    if (s.kind !== 'video') continue;
    seen.frames += s.framesDecoded;
    seen.width = s.frameWidth ?? seen.width;
    seen.codec = report.get(s.codecId)?.mimeType ?? seen.codec;
  }
  return seen;
}"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A running Chromium, closed at the end."""
    program = shutil.which(PACKAGE)
    assert program, f"Chromium is missing: install the Debian package {PACKAGE}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGS)
        try:
            yield browser
        finally:
            await browser.close()


class Participant:
    """Somebody who sits in a room with the meeting's own page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def tile(self, name: str) -> Locator:
        """The picture of somebody else."""
        return self.page.get_by_role("figure", name=name, exact=True)

    async def received(self) -> dict[str, Any]:
        """What came in so far from everybody else: `frames` decoded, packets of `video` and `audio`, `width` and `codec`."""
        seen: dict[str, Any] = await self.page.evaluate(_INBOUND)
        return seen


@asynccontextmanager
async def participant(browser: Browser, url: str, slug: str, name: str = "Vera") -> AsyncIterator[Participant]:
    """Joins a room as people do; has left it at the end."""
    context = await browser.new_context(viewport={"width": 1000, "height": 700})
    try:
        page = await context.new_page()
        await page.goto(f"{url}/r/{slug}")
        await page.get_by_role("textbox", name="Your name").fill(name)
        await page.get_by_role("button", name="Join").click()
        await page.get_by_role("button", name="Leave").wait_for(timeout=10_000)
        yield Participant(page)
    finally:
        await context.close()


@asynccontextmanager
async def evaluator(browser: Browser, url: str) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """A page of the server's origin that is in no room; what it hands out calls a JavaScript function in it."""
    context = await browser.new_context()
    try:
        page = await context.new_page()
        await page.goto(url)
        yield page.evaluate
    finally:
        await context.close()
