"""Every stack publishes by WHIP, and somebody in the room, with the meeting's own page in Chromium, sees and hears it."""

import pytest
from live_server import Visitor
from playwright.async_api import Browser, expect
from whip_client import publisher as aiortc_publisher

from tests.stacks.chromium import Participant, evaluator, participant
from tests.stacks.firefox import Firefox
from tests.stacks.peers import P256, Where, ffmpeg, gstreamer, in_browser
from tests.stacks.waiting import until

pytestmark = pytest.mark.browser

FIRST_PICTURE_S = 10
GROWTH_S = 3
LEAVES_S = 1.5
"""A second for the server, and what two busy cores need to draw it."""


async def is_seen(viewer: Participant, name: str, codec: str, frames: int = 20) -> None:
    """The tile is there, the picture moves, and sound comes."""
    await expect(viewer.tile(name)).to_be_visible(timeout=5_000)
    first = await until(viewer.received, lambda seen: seen["frames"] > 0, FIRST_PICTURE_S, "the first picture")
    seen = await until(
        viewer.received,
        lambda seen: seen["frames"] - first["frames"] >= frames and seen["audio"] - first["audio"] >= 20,
        GROWTH_S,
        f"{frames} frames more than {first}, and sound",
    )
    assert seen["width"] > 0
    assert seen["codec"] == codec


async def is_gone(viewer: Participant, name: str) -> None:
    """Nobody sees it any more."""
    await expect(viewer.tile(name)).to_have_count(0, timeout=LEAVES_S * 1000)


async def test_ffmpegs_muxer_is_seen_in_the_room(room: Where, viewer_browser: Browser, p256: P256):
    """H.264 and Opus from libavformat, whose offer names an RTX SSRC that it declares nowhere."""
    async with (
        participant(viewer_browser, room.url, room.slug) as viewer,
        ffmpeg(room.whip("FFmpeg"), p256) as publisher,
    ):
        await is_seen(viewer, "FFmpeg", "video/H264")
        await publisher.end()
        await is_gone(viewer, "FFmpeg")


@pytest.mark.parametrize(("codec", "seen_as"), [("vp8", "video/VP8"), ("h264", "video/H264")])
async def test_gstreamer_is_seen_in_the_room(room: Where, viewer_browser: Browser, codec: str, seen_as: str):
    """webrtcbin with a 2048-bit RSA certificate and no header extensions at all."""
    async with (
        participant(viewer_browser, room.url, room.slug) as viewer,
        gstreamer("publish", room.whip("GStreamer"), codec) as publisher,
    ):
        await is_seen(viewer, "GStreamer", seen_as)
        said = await publisher.end()
        assert said["deleted"] == 200
        await is_gone(viewer, "GStreamer")


async def test_aiortc_is_seen_in_the_room(room: Where, admin: Visitor, viewer_browser: Browser):
    """A stack in Python. Tile and list say that it is no person."""
    async with participant(viewer_browser, room.url, room.slug) as viewer, aiortc_publisher() as publisher:
        await publisher.negotiate(admin.http, room.whip("aiortc"))
        await publisher.connected()
        await is_seen(viewer, "aiortc", "video/VP8")
        await expect(viewer.tile("aiortc").get_by_title("Stream")).to_be_visible()
        await viewer.page.get_by_role("button", name="People").first.click()
        listed = viewer.page.get_by_role("complementary", name="People").get_by_role("listitem")
        await expect(listed.filter(has_text="aiortc")).to_contain_text("Stream", timeout=10_000)
        async with admin.http.delete(publisher.location) as response:
            assert response.status == 200
        await is_gone(viewer, "aiortc")


@pytest.mark.parametrize("codec", ["video/VP8", "video/H264"])
async def test_a_chromium_page_is_seen_in_the_room(room: Where, viewer_browser: Browser, codec: str):
    """A page with nothing but a peer connection and fetch."""
    async with (
        participant(viewer_browser, room.url, room.slug) as viewer,
        evaluator(viewer_browser, room.url) as evaluate,
        in_browser(evaluate) as publisher,
    ):
        await publisher.publish(room.whip("Chromium"), codec=codec)
        await is_seen(viewer, "Chromium", codec)
        assert await publisher.stop() == 200
        await is_gone(viewer, "Chromium")


async def test_a_firefox_page_is_seen_in_the_room(room: Where, viewer_browser: Browser, firefox: Firefox):
    """The same page in another engine."""
    await firefox.goto(room.url)
    async with (
        participant(viewer_browser, room.url, room.slug) as viewer,
        in_browser(firefox.evaluate) as publisher,
    ):
        await publisher.publish(room.whip("Firefox"))
        await is_seen(viewer, "Firefox", "video/VP8")
        assert await publisher.stop() == 200
        await is_gone(viewer, "Firefox")
