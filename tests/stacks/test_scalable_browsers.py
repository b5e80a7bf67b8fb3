"""Chromium sends one stream of many layers, and Chromium in the room gets of it what its tile shows."""

import pytest
from playwright.async_api import Browser

from tests.stacks.chromium import evaluator, participant
from tests.stacks.peers import Where, in_browser
from tests.stacks.waiting import until

pytestmark = pytest.mark.browser

_FOLLOWS_S = 5


@pytest.mark.parametrize(("codec", "mode"), [("video/VP9", "L3T3_KEY"), ("video/AV1", "L3T3")])
async def test_a_viewer_of_a_scalable_stream_gets_the_size_of_its_tile(
    room: Where, viewer_browser: Browser, codec: str, mode: str
):
    """What the decoder of a browser makes of it is what counts: no stall, and the right size."""
    async with (
        participant(viewer_browser, room.url, room.slug) as viewer,
        evaluator(viewer_browser, room.url) as evaluate,
        in_browser(evaluate) as publisher,
    ):
        await publisher.publish(room.whip("Chromium"), codec=codec, scalability=mode)
        await until(viewer.received, lambda seen: seen["width"] == 640, 10, "the whole picture")

        await viewer.page.set_viewport_size({"width": 320, "height": 240})
        small = await until(viewer.received, lambda seen: 0 < seen["width"] < 640, _FOLLOWS_S, "a smaller picture")
        await until(viewer.received, lambda seen: seen["frames"] >= small["frames"] + 30, 4, "a picture that moves")

        await viewer.page.set_viewport_size({"width": 1000, "height": 700})
        large = await until(viewer.received, lambda seen: seen["width"] == 640, _FOLLOWS_S, "the whole picture again")
        await until(viewer.received, lambda seen: seen["frames"] >= large["frames"] + 30, 4, "a picture that moves")
