"""What people see decides what is sent: sizes follow the tiles, and what nobody looks at costs nobody anything."""

from typing import Any, Final

import pytest
from playwright.async_api import ViewportSize

from tests.browser.conftest import Meeting
from tests.browser.people import Person, until

pytestmark = pytest.mark.browser

FOLLOWS_S: Final = 2.0
"""Within which what comes must fit the tile again: the view is told twice a second, and a key frame asked for."""
STOPS_S: Final = 10.0
"""After which the sender stops a size that nobody wants: hysteresis, so that passing changes cost no key frames."""

_SENT: Final = """async () => {
  const out = {};
  for (const s of (await window.pymeet.publishPc.getStats()).values()) {
    if (s.type === 'outbound-rtp' && s.kind === 'video' && s.rid) out[s.rid] = s.bytesSent;
  }
  return out;
}"""

SMALL: Final[ViewportSize] = {"width": 320, "height": 360}
MEDIUM: Final[ViewportSize] = {"width": 1000, "height": 640}
LARGE: Final[ViewportSize] = {"width": 1280, "height": 800}
HIDE: Final = """(hidden) => {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


async def picture(person: Person) -> dict[str, Any]:
    """The one that comes."""
    pictures = [stream for stream in await person.inbound() if stream["kind"] == "video"]
    return pictures[0] if pictures else {"height": 0, "frames": 0}


async def lines(person: Person, height: int) -> bool:
    """Whether the picture that comes has so many lines."""
    return bool((await picture(person))["height"] == height)


async def comes(person: Person, kind: str, within_s: float = 1.0) -> bool:
    """Whether anything comes at all."""
    return await person.playing(kind, 1, within_s=within_s, at_least=2)


async def sent(person: Person, within_s: float = 1.0) -> set[str]:
    """The sizes that go out right now."""
    before = await person.page.evaluate(_SENT)
    await person.page.wait_for_timeout(within_s * 1000)
    after = await person.page.evaluate(_SENT)
    return {rid for rid, size in after.items() if size - before.get(rid, 0) > 500}


async def pin(person: Person, whom: str) -> None:
    """Keeps somebody large."""
    await person.tile(whom).hover()
    await person.press(f"Pin {whom}")


async def test_the_size_that_comes_follows_the_tile(meeting: Meeting) -> None:
    """All lines for somebody who is pinned, few in a small window; within two seconds either way, and the picture goes on."""
    _, grace = await meeting.joined("Ada", "Grace")
    await grace.sees("Ada")
    await pin(grace, "Ada")
    await until("Ada's uplink is found to carry 720 lines", lambda: lines(grace, 720), 30)

    await grace.page.set_viewport_size(SMALL)
    assert await until("Grace gets 180 in a small window", lambda: lines(grace, 180), 20) < FOLLOWS_S
    assert await comes(grace, "video", 0.3)
    await grace.page.set_viewport_size(LARGE)
    assert await until("she gets 720 in a large one", lambda: lines(grace, 720), 20) < FOLLOWS_S
    assert await comes(grace, "video", 0.3)


async def test_a_size_that_nobody_wants_is_not_sent(meeting: Meeting) -> None:
    """Encoding it would warm laps and empty batteries, and take what little an uplink has."""
    ada, grace = await meeting.joined("Ada", "Grace")
    await grace.page.set_viewport_size(MEDIUM)
    await grace.sees("Ada")
    await until("Grace gets 360 lines", lambda: lines(grace, 360), 20)

    async def is_sent(*sizes: str) -> bool:
        return await sent(ada) == set(sizes)

    await until("Ada does not send the largest", lambda: is_sent("l", "m"), STOPS_S)
    await pin(grace, "Ada")
    await until("she sends it as soon as it is wanted", lambda: lines(grace, 720), 30)
    await grace.press("Leave")
    await until("and nothing to an empty room", lambda: is_sent(), STOPS_S)


async def test_what_is_out_of_sight_costs_nothing(meeting: Meeting) -> None:
    """In a hidden tab no picture comes, sound goes on; and looking again shows it at once."""
    _, grace = await meeting.joined("Ada", "Grace")
    await grace.sees("Ada")
    await until("Grace sees Ada move", lambda: grace.playing("video", 1), 20)

    await grace.page.evaluate(HIDE, True)

    async def is_silent(kind: str) -> bool:
        return not await grace.playing(kind, 1, within_s=1, at_least=1)

    await until("no picture comes", lambda: is_silent("video"), 10)
    assert await comes(grace, "audio")
    await grace.page.evaluate(HIDE, False)
    assert await until("Ada moves again", lambda: comes(grace, "video", 0.3), 10) < FOLLOWS_S + 1


async def test_sound_only_leaves_all_pictures_out_and_is_remembered(meeting: Meeting) -> None:
    """On a train, or where every megabyte is paid for. The others go on seeing who chose it."""
    ada, grace = await meeting.joined("Ada", "Grace")
    await until("both see each other", lambda: grace.playing("video", 1), 20)

    await grace.press("More")
    await grace.page.get_by_role("menuitem", name="Sound only").click()
    await grace.page.get_by_text("Sound only: you receive no pictures.").wait_for()

    async def is_silent() -> bool:
        return not await grace.playing("video", 1, within_s=1, at_least=1)

    await until("no picture comes", is_silent, 5)
    assert await grace.tile("Ada").locator("video").count() == 0
    assert await comes(grace, "audio")
    assert await ada.playing("video", 1)

    await grace.page.reload()
    await grace.page.get_by_text("Sound only: you receive no pictures.").wait_for()
    await until("still none comes", is_silent, 10)
    await grace.press("Show pictures")
    await until("Ada moves again", lambda: comes(grace, "video"), 10)


async def test_the_details_of_the_connection_say_what_flows(meeting: Meeting) -> None:
    """By the keyboard, in words."""
    _, grace = await meeting.joined("Ada", "Grace")
    await until("Grace sees Ada move", lambda: grace.playing("video", 1), 20)

    await grace.page.keyboard.press("i")
    panel = grace.page.get_by_role("complementary", name="Connection details")
    await panel.get_by_text("There and back").wait_for()
    await panel.get_by_role("heading", name="From Ada").wait_for()
    await panel.get_by_text("pictures a second").first.wait_for()
    assert await panel.get_by_text("UDP, the fast one").is_visible()
    await panel.get_by_role("heading", name="As the server sees you").wait_for()
    await panel.get_by_text("Lost on the way to you").wait_for()
    await grace.page.keyboard.press("Escape")
    await panel.wait_for(state="detached")
