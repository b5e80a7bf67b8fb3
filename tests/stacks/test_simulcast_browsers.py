"""Simulcast comes in by WHIP, and goes out as one stream: in the size of the tile in the room, and as a player (WHEP) chooses it."""

import pytest
from playwright.async_api import Browser

from tests.stacks.chromium import evaluator, participant
from tests.stacks.peers import InBrowser, Where, in_browser
from tests.stacks.waiting import until

pytestmark = pytest.mark.browser

_FOLLOWS_S = 5
_MOVES_S = 8
"""Three sizes encoded by a processor that has other things to do are few pictures a second."""
_RIDS = ("hi", "mid", "lo")


async def _shows(player: InBrowser, width: int) -> None:
    """The player decodes pictures of this width, and they move."""
    seen = await until(player.stats, lambda seen: seen["width"] == width, _FOLLOWS_S, f"a picture {width} wide")
    await until(player.stats, lambda now: now["frames"] >= seen["frames"] + 10, _MOVES_S, "a picture that moves")


@pytest.mark.parametrize("codec", ["video/VP8", "video/H264"])
async def test_simulcast_by_whip_is_switched_for_the_room_and_for_players(
    room: Where, viewer_browser: Browser, codec: str
):
    """The names of the sizes say nothing; the server goes by what the pictures tell of themselves, in either codec."""
    async with (
        participant(viewer_browser, room.url, room.slug) as viewer,
        evaluator(viewer_browser, room.url) as one,
        evaluator(viewer_browser, room.url) as two,
        in_browser(one) as publisher,
        in_browser(two) as player,
    ):
        await publisher.publish(room.whip("Stage"), codec=codec, rids=_RIDS)
        await until(viewer.received, lambda seen: seen["width"] >= 640, 15, "a large picture in the room")
        await viewer.page.set_viewport_size({"width": 320, "height": 240})
        small = await until(viewer.received, lambda seen: seen["width"] == 320, _FOLLOWS_S, "the smallest picture")
        await until(
            viewer.received, lambda seen: seen["frames"] >= small["frames"] + 10, _MOVES_S, "a picture that moves"
        )

        await player.play(room.whep("Stage"))
        await until(player.stats, lambda seen: seen["frames"] > 0 and seen["codec"] == codec, 10, "the picture")
        (index,) = await player.told()
        listed = (await player.told())[index]
        assert [each["rid"] for each in listed] == list(_RIDS)
        for rid, width in (("lo", 320), ("hi", 1280), ("mid", 640)):
            assert await player.choose(mediaId=index, encodingId=rid) == 200
            await _shows(player, width)
        assert await player.choose(rid="none") == 422
        assert (await viewer.received())["width"] == 320, "what the player chose is nothing to others"
