"""GStreamer's webrtcbin sends a picture in three sizes by WHIP, and Chromium in the room gets the one that its tile shows."""

import time

import pytest
from playwright.async_api import Browser

from tests.stacks.chromium import Participant, participant
from tests.stacks.peers import Where, gstreamer
from tests.stacks.waiting import until

pytestmark = pytest.mark.browser

FIRST_PICTURE_S = 15
FOLLOWS_S = 5
MOVES_S = 5


async def shows(viewer: Participant, width: int) -> None:
    """The picture becomes so wide, and moves."""
    begun = time.monotonic()
    seen = await until(viewer.received, lambda seen: seen["width"] == width, FOLLOWS_S, f"a picture {width} wide")
    print(f"{width} after {time.monotonic() - begun:.1f} s")
    await until(viewer.received, lambda now: now["frames"] >= seen["frames"] + 10, MOVES_S, "a picture that moves")


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_simulcast_of_gstreamer_is_switched_for_the_room(room: Where, viewer_browser: Browser, codec: str):
    """Three encoders and a funnel, as docs/host.md says; the server reads from the pictures which size is which."""
    async with (
        participant(viewer_browser, room.url, room.slug) as viewer,
        gstreamer("simulcast", room.whip("Stage"), codec) as publisher,
    ):
        await until(viewer.received, lambda seen: seen["width"] >= 640, FIRST_PICTURE_S, "a large picture")

        await viewer.page.set_viewport_size({"width": 320, "height": 240})
        await shows(viewer, 320)
        await viewer.page.set_viewport_size({"width": 1000, "height": 700})
        await shows(viewer, 640)
        await viewer.tile("Stage").hover()
        await viewer.page.get_by_role("button", name="Pin Stage").click()
        await shows(viewer, 1280)
        said = await publisher.end()
        assert said["deleted"] == 200
