"""People in front of real browsers: Chromium with a fake camera and microphone, driven by what they see and press."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from live_server import PASSWORD, ServeProcess
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
LOOPBACK = "--allow-loopback-in-peer-connection"
FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream=fps=30",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--mute-audio",
    LOOPBACK,
    "--auto-select-desktop-capture-source=Entire screen",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]

_INBOUND = """async () => {
  const pc = window.pymeet.subscribePc;
  if (!pc) return [];
  const out = [];
  for (const s of (await pc.getStats()).values()) {
    if (s.type === "inbound-rtp") {
      out.push({mid: s.mid, kind: s.kind, frames: s.framesDecoded || 0, width: s.frameWidth || 0, height: s.frameHeight || 0,
        packets: s.packetsReceived, lost: s.packetsLost, level: s.audioLevel || 0, energy: s.totalAudioEnergy || 0,
        freezes: s.freezeCount || 0, frozen_s: s.totalFreezesDuration || 0, codec: s.decoderImplementation || ""});
    }
  }
  return out;
}"""


def camera(pictures: int) -> str:
    """The flag for a fake camera of so many pictures a second, in the place of 30; encoding and decoding them is most of
    what a meeting costs a test."""
    return f"--use-fake-device-for-media-stream=fps={pictures}"


JOIN = """async (name) => {
  const find = async (look) => {
    for (let i = 0; i < 200; i++) {
      const found = look();
      if (found && !found.disabled) return found;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`not there: ${look}`);
  };
  const labelled = (text) => [...document.querySelectorAll("label")].find((l) => l.textContent.trim().startsWith(text));
  const box = await find(() => labelled("Your name")?.control);
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(box, name);
  box.dispatchEvent(new Event("input", {bubbles: true}));
  (await find(() => [...document.querySelectorAll("button")].find((b) => b.textContent.trim() === "Join"))).click();
  return true;
}"""
"""Fills in the name and joins, in a page that no Playwright drives."""


async def until(what: str, condition: Callable[[], Awaitable[Any]], timeout_s: float = 15.0) -> float:
    """Waits till the condition holds; how long it took in seconds. AssertionError naming `what` when it never does."""
    start = time.monotonic()
    while not await condition():
        if time.monotonic() - start > timeout_s:
            raise AssertionError(f"not within {timeout_s} s: {what}")
        await asyncio.sleep(0.05)
    return time.monotonic() - start


class Person:
    """One participant in a browser of their own profile."""

    def __init__(self, name: str, context: BrowserContext, page: Page, origin: str) -> None:
        self.name, self.context, self.page, self.origin = name, context, page, origin
        self.complaints: list[str] = []
        """Console errors and warnings, uncaught errors, requests outside the origin."""
        self.expects_network_errors = False
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if self.expects_network_errors and ("net::ERR" in message.text or "WebSocket" in message.text):
            return
        self.complaints.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "blob:", "data:")):
            self.complaints.append(f"request outside the origin: {request.url}")

    async def join(self, slug: str) -> None:
        """Opens the link, types the name, joins."""
        await self.page.goto(f"{self.origin}/r/{slug}")
        await self.page.get_by_role("textbox", name="Your name").fill(self.name)
        await self.page.get_by_role("button", name="Join", exact=True).click()
        await self.button("Leave").wait_for(timeout=15_000)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def tile(self, name: str) -> Any:
        return self.page.get_by_role("figure", name=name, exact=True)

    async def press(self, name: str) -> None:
        await self.button(name).click()

    async def sees(self, name: str, timeout_s: float = 15.0) -> None:
        """Waits for the tile of somebody else."""
        await self.tile(name).first.wait_for(timeout=timeout_s * 1000)

    async def inbound(self) -> list[dict[str, Any]]:
        """What arrives, one record per received stream."""
        return list(await self.page.evaluate(_INBOUND))

    async def playing(self, kind: str, count: int, *, within_s: float = 1.0, at_least: int = 5) -> bool:
        """Whether `count` streams of this kind make progress right now (frames or packets)."""
        key = "frames" if kind == "video" else "packets"
        before = {s["mid"]: s[key] for s in await self.inbound() if s["kind"] == kind}
        await asyncio.sleep(within_s)
        after = {s["mid"]: s[key] for s in await self.inbound() if s["kind"] == kind}
        return sum(after[m] - before.get(m, 0) >= at_least for m in after) >= count

    async def say(self, text: str) -> None:
        """Writes into the chat."""
        box = self.page.get_by_role("textbox", name="Message", exact=True)
        if not await box.is_visible():
            await self.press("Chat")
        await box.fill(text)
        await box.press("Enter")


@asynccontextmanager
async def emptied(browser: Browser) -> AsyncIterator[None]:
    """For one test with a browser that others use after it: what was opened there is closed at the end."""
    try:
        yield
    finally:
        for context in browser.contexts:
            await context.close()


@asynccontextmanager
async def chromium(*more: str, program: Path | None = None) -> AsyncIterator[Browser]:
    """Debian's Chromium, headless. A `program` starts it in another network, where no media goes by the loopback interface."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program or CHROMIUM,
            args=[*(flag for flag in FLAGS if flag != LOOPBACK or not program), *more],
        )
        try:
            yield browser
        finally:
            await browser.close()


async def enter(browser: Browser, origin: str, name: str, **options: Any) -> Person:
    """A new person with a fresh profile."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, ignore_https_errors=True, **options)
    await context.grant_permissions(["camera", "microphone"], origin=origin)
    return Person(name, context, await context.new_page(), origin)


async def make_room(server: ServeProcess) -> str:
    """As the first administrator does it: through the one-time link, then the start page's request."""
    async with aiohttp.ClientSession(
        server.url, cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": server.url}
    ) as http:
        body = {"token": server.first_admin_token, "name": "Ada", "email": "ada@example.org", "password": PASSWORD}
        async with http.post("/api/v1/links/redeem", json=body) as response:
            assert response.status == 200, await response.text()
        async with http.post("/api/v1/rooms", json={"name": "Weekly"}) as response:
            assert response.status == 201, await response.text()
            return str((await response.json())["slug"])
