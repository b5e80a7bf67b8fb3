"""Every stack plays by WHEP what another one publishes: frames are decoded and sound arrives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from live_server import Visitor
from playwright.async_api import Browser
from whip_client import player as aiortc_player
from whip_client import publisher as aiortc_publisher

from tests.stacks.chromium import evaluator
from tests.stacks.firefox import Firefox
from tests.stacks.peers import InBrowser, Where, gstreamer, in_browser
from tests.stacks.waiting import until

FIRST_PICTURE_S = 10
GROWTH_S = 5


@asynccontextmanager
async def chromium_publisher(browser: Browser, room: Where, name: str, codec: str = "") -> AsyncIterator[InBrowser]:
    """A page that publishes and is connected."""
    async with evaluator(browser, room.url) as evaluate, in_browser(evaluate) as publisher:
        await publisher.publish(room.whip(name), codec=codec)
        await until(publisher.stats, lambda seen: seen["state"] == "connected", 10, f"{name} connects")
        yield publisher


async def plays(player: InBrowser, frames: int = 20) -> None:
    """Picture and sound come, and go on coming."""
    first = await until(player.stats, lambda seen: seen["frames"] > 0, FIRST_PICTURE_S, "the first picture")
    await until(
        player.stats,
        lambda seen: seen["frames"] - first["frames"] >= frames and seen["audio"] - first["audio"] >= 20,
        GROWTH_S,
        f"{frames} frames more than {first}, and sound",
    )


@pytest.mark.browser
@pytest.mark.parametrize("codec", ["video/VP8", "video/H264"])
async def test_a_chromium_page_plays_whoever_speaks(room: Where, viewer_browser: Browser, codec: str):
    """Without a wish, and with the codec that the publisher happens to send."""
    async with (
        chromium_publisher(viewer_browser, room, "Studio", codec),
        evaluator(viewer_browser, room.url) as evaluate,
        in_browser(evaluate) as player,
    ):
        await player.play(room.whep())
        await plays(player)
        assert (await player.stats())["codec"] == codec


@pytest.mark.browser
async def test_a_chromium_page_plays_the_participant_it_names(room: Where, admin: Visitor, viewer_browser: Browser):
    """Of two publishers, the one with the wider picture was asked for."""
    async with (
        aiortc_publisher() as other,
        chromium_publisher(viewer_browser, room, "Zoë & Co"),
        evaluator(viewer_browser, room.url) as evaluate,
        in_browser(evaluate) as player,
    ):
        await other.negotiate(admin.http, room.whip("Other"))
        await other.connected()
        await player.play(room.whep("Zoë & Co"))
        await plays(player)
        seen = await player.stats()
        assert (seen["width"], seen["height"]) == (640, 360), "this is the other one's 640×480"


@pytest.mark.browser
async def test_a_firefox_page_plays_what_chromium_publishes(room: Where, viewer_browser: Browser, firefox: Firefox):
    """Two engines that have nothing in common but the server."""
    await firefox.goto(room.url)
    async with (
        chromium_publisher(viewer_browser, room, "Studio"),
        in_browser(firefox.evaluate) as player,
    ):
        await player.play(room.whep("Studio"))
        await plays(player)
        assert (await player.stats())["codec"] == "video/VP8"


@pytest.mark.browser
async def test_aiortc_plays_what_chromium_publishes(room: Where, admin: Visitor, viewer_browser: Browser):
    """Decoded in Python."""
    async with chromium_publisher(viewer_browser, room, "Studio"), aiortc_player() as player:
        await player.negotiate(admin.http, room.whep("Studio"))
        await player.connected()
        await player.frames("video", 20)
        await player.frames("audio", 20)


@pytest.mark.browser
@pytest.mark.parametrize(("codec", "offered"), [("vp8", "video/VP8"), ("h264", "video/H264")])
async def test_gstreamer_plays_what_chromium_publishes(room: Where, viewer_browser: Browser, codec: str, offered: str):
    """webrtcbin, which offers a player's sections without a direction of its own in the older versions."""
    async with (
        chromium_publisher(viewer_browser, room, "Studio", offered),
        gstreamer("play", room.whep("Studio"), codec) as player,
    ):
        await until(
            player.look,
            lambda said: said["frames"] >= 20 and said["audio"] >= 20,
            FIRST_PICTURE_S,
            "20 frames and sound decoded",
        )
        said = await player.end()
        assert said["deleted"] == 200


async def test_gstreamer_plays_what_aiortc_publishes(room: Where, admin: Visitor):
    """No browser far and wide."""
    async with aiortc_publisher() as publisher:
        await publisher.negotiate(admin.http, room.whip("aiortc"))
        await publisher.connected()
        async with gstreamer("play", room.whep(), "vp8") as player:
            await until(
                player.look,
                lambda said: said["frames"] >= 20 and said["audio"] >= 20,
                FIRST_PICTURE_S,
                "20 frames and sound decoded",
            )
