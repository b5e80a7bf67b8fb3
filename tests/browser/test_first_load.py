"""What a page weighs when a browser comes for the first time: people meet on trains, too."""

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest

from tests.browser.every_page import ALL, Place, Site, configured, furnished, shown

pytestmark = pytest.mark.browser

LIMIT_BYTES: Final = 300_000
"""As it comes over the network, with headers; of the sound and picture of a meeting or a film nothing is counted."""

AT_ONCE: Final = 3


async def weight(site: Site, place: Place) -> int:
    """The bytes that a browser with an empty cache receives until the page is shown and has nothing more to ask for."""
    page = await site.contexts[place.who].new_page()
    network = await site.contexts[place.who].new_cdp_session(page)
    kinds: dict[str, str] = {}
    received: dict[str, int] = {}

    def came(event: dict[str, Any]) -> None:
        received[event["requestId"]] = event["encodedDataLength"]

    network.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
    network.on("Network.loadingFinished", came)
    await network.send("Network.enable")
    await network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await page.goto(site.url(place), wait_until="networkidle")
    await shown(page)
    await page.close()
    return sum(size for request, size in received.items() if kinds.get(request) != "Media")


async def test_no_page_weighs_more_than_it_should(tmp_path: Path) -> None:
    """Compressed as it is served, with all that it loads by itself."""
    async with furnished(configured(tmp_path / "data")) as site:
        weighed: dict[str, int] = {}
        turn = asyncio.Semaphore(AT_ONCE)

        async def weigh(place: Place) -> None:
            async with turn:
                weighed[place.name] = await weight(site, place)

        async with asyncio.TaskGroup() as group:
            for each in ALL:
                group.create_task(weigh(each))

    assert all(weighed.values())
    assert not {name: size for name, size in weighed.items() if size >= LIMIT_BYTES}, weighed
