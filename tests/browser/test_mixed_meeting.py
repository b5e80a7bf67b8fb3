"""Three different WebRTC stacks in one room: Chromium, Firefox ESR and aiortc."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from live_server import ServeProcess, free_port

from tests.browser.aiortc_member import AiortcMember
from tests.browser.people import JOIN, Person, chromium, enter, make_room, until
from tests.browser.watching import WATCH, WATCHED
from tests.stacks.firefox import Firefox, firefox

pytestmark = pytest.mark.browser

_SECONDS = 60 if os.environ.get("PYMEET_GATES") == "long" else 30

_TILES = "() => [...document.querySelectorAll('figure')].map((f) => f.getAttribute('aria-label')).sort()"


async def _tiles(fox: Firefox) -> list[str]:
    return list(await fox.evaluate(_TILES))


async def test_chromium_firefox_and_aiortc_meet(tmp_path: Path) -> None:
    """Everyone decodes everyone's full picture at 20 frames a second or more; chat crosses between them."""
    # a process of its own: aiortc encodes and decodes in this one, and would keep the server waiting for the interpreter
    server = ServeProcess(tmp_path / "data", free_port(), free_port())
    await server.start()
    try:
        slug = await make_room(server)
        async with chromium() as browser:
            ada = await enter(browser, server.url, "Ada")
            await ada.join(slug)
            await _meet(server.url, slug, ada, tmp_path)
            assert not ada.complaints
    finally:
        await server.end(signal.SIGTERM)


async def _meet(url: str, slug: str, ada: Person, tmp_path: Path) -> None:
    async with firefox(tmp_path) as fox, AiortcMember(url, slug, "Grace") as grace:
        await fox.goto(f"{url}/r/{slug}")
        await fox.evaluate(JOIN, "Edsger")
        await until("Firefox sees the others", lambda: _is(_tiles(fox), ["Ada", "Grace"]), 20)
        await until("Chromium sees two people move", lambda: ada.playing("video", 2, at_least=15), 30)
        await until("aiortc sees two people", lambda: _is(_true(len(grace.frames) == 2), True), 30)

        await fox.evaluate(WATCH)
        await ada.page.evaluate(WATCH)
        before = dict(grace.frames)
        grace.longest_gap_s.clear()
        await asyncio.sleep(_SECONDS)

        for name, streams in (
            ("Chromium", await ada.page.evaluate(WATCHED)),
            ("Firefox", await fox.evaluate(WATCHED)),
        ):
            assert len(streams) == 2, (name, streams)
            for stream in streams:
                assert stream["fps"] >= 20, (name, streams)
                assert stream["gap_ms"] < 1000, (name, streams)
        for name, count in grace.frames.items():
            assert (count - before[name]) / _SECONDS >= 20, (name, grace.frames, before)
            assert grace.longest_gap_s[name] < 1, grace.longest_gap_s
        assert grace.sound["Ada"] > 0
        assert grace.sound["Edsger"] > 0

        await grace.say("From aiortc")
        await ada.press("Chat")
        await ada.page.get_by_text("From aiortc").wait_for(timeout=3_000)
        await ada.say("From Chromium")
        await until("aiortc reads the chat", lambda: _is(_true("From Chromium" in grace.chat), True), 3)
        assert not [line for line in fox.console if line.startswith(("error", "warn"))]


async def _true(value: bool) -> bool:
    return value


async def _is(question: Any, answer: object) -> bool:
    return bool(await question == answer)
