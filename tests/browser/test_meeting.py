"""People meet in real browsers: the product's first promise, told as they would see it."""

import asyncio
import os
from typing import Any

import pytest

from tests.browser.conftest import Meeting
from tests.browser.people import Person, until
from tests.browser.watching import WATCH, WATCHED

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FPS = 30
LASTS_S = 60 if os.environ.get("PYMEET_GATES") == "long" else 10
"""How long everybody is watched."""


async def _all_play(people: list[Person], videos: int) -> None:
    for person in people:
        await until(f"{person.name} sees everybody move", lambda p=person: p.playing("video", videos), 20)
        await until(f"{person.name} hears everybody", lambda p=person: p.playing("audio", videos), 20)


async def _levels(person: Person) -> list[float]:
    return [s["level"] for s in await person.inbound() if s["kind"] == "audio"]


async def test_three_people_see_and_hear_each_other_for_a_minute(shared_meeting: Meeting) -> None:
    """Everyone decodes everyone's 640x360 at 20 frames a second or more, hears them, and no picture stands still for a second."""
    people = await shared_meeting.joined("Ada", "Grace", "Edsger")
    await _all_play(people, 2)
    for person in people:
        await until(f"{person.name} gets full pictures", lambda p=person: _full(p, 2), 30)

    for person in people:
        await person.page.evaluate(WATCH)
    heard: dict[str, list[float]] = {p.name: [] for p in people}
    for _ in range(LASTS_S):
        await asyncio.sleep(1)
        for person in people:
            heard[person.name].append(max(await _levels(person)))

    for person in people:
        streams: list[dict[str, Any]] = await person.page.evaluate(WATCHED)
        assert len(streams) == 2, streams
        for stream in streams:
            assert stream["fps"] >= 20, (person.name, streams)
            assert stream["gap_ms"] < 1000, (person.name, streams)
            assert list(stream["sizes"]) == ["640x360"], (person.name, streams)
        assert max(heard[person.name]) > 0.001, "no audio level ever arrived"


async def _full(person: Person, count: int) -> bool:
    return sum((s["width"], s["height"]) == (640, 360) for s in await person.inbound()) == count


async def test_mute_and_camera_off_are_seen_by_others_within_a_second(shared_meeting: Meeting) -> None:
    """A mute that others learn of late is not a mute; and what is off is not forwarded at all."""
    ada, grace = await shared_meeting.joined("Ada", "Grace")
    await _all_play([ada, grace], 1)

    await ada.press("Mute microphone")
    muted = grace.tile("Ada").get_by_text("Microphone is off")
    assert await until("Grace sees that Ada is muted", lambda: _count(muted, 1), 3) < 1
    assert not await grace.playing("audio", 1, within_s=1, at_least=1)
    await ada.press("Unmute microphone")
    assert await until("Grace sees that Ada is back", lambda: _count(muted, 0), 3) < 1
    await until("Grace hears Ada again", lambda: grace.playing("audio", 1), 5)

    await ada.press("Turn off camera")
    picture = grace.tile("Ada").locator("video")
    assert await until("Grace sees no picture of Ada", lambda: _count(picture, 0), 3) < 1
    assert not await grace.playing("video", 1, within_s=1, at_least=1)
    await ada.press("Turn on camera")
    await until("Grace sees Ada move again", lambda: grace.playing("video", 1), 8)


async def _count(locator: Any, count: int) -> bool:
    return await locator.count() == count


async def test_a_shared_screen_is_seen_and_goes_away(shared_meeting: Meeting) -> None:
    """The screen comes as a second picture of the same person, and leaves nothing behind when it ends."""
    ada, grace = await shared_meeting.joined("Ada", "Grace")
    await _all_play([ada, grace], 1)

    await ada.press("Share screen")
    await until("two pictures of Ada move", lambda: grace.playing("video", 2, at_least=2), 15)
    await grace.page.get_by_text("Screen shared by Ada").wait_for(timeout=5_000)
    await ada.press("Stop sharing")
    await grace.page.get_by_text("Screen shared by Ada").wait_for(state="detached", timeout=5_000)
    await until("Ada's camera goes on", lambda: grace.playing("video", 1), 5)

    await ada.press("Share screen")
    await until("sharing works a second time", lambda: grace.playing("video", 2, at_least=2), 15)


async def test_chat_reaches_everybody_and_is_shown_as_text(shared_meeting: Meeting) -> None:
    """Also what looks like markup, and also who comes later."""
    ada, grace = await shared_meeting.joined("Ada", "Grace")
    await ada.say("Hello <img src=x onerror=alert(1)> https://example.org/x")
    await grace.press("Chat")
    await grace.page.get_by_text("Hello <img src=x onerror=alert(1)>").wait_for(timeout=2_000)
    await grace.say("Welcome")
    await ada.page.get_by_text("Welcome").wait_for(timeout=2_000)

    (edsger,) = await shared_meeting.joined("Edsger")
    await edsger.press("Chat")
    await edsger.page.get_by_text("Welcome").wait_for(timeout=2_000)


async def test_who_reloads_the_page_is_back_within_five_seconds(shared_meeting: Meeting) -> None:
    """Without the preview, under the same name, on the same seat."""
    ada, grace = await shared_meeting.joined("Ada", "Grace")
    await _all_play([ada, grace], 1)

    await ada.page.reload(wait_until="commit")
    back = await until("Ada sees Grace move again", lambda: _safely(ada.playing("video", 1, within_s=0.5)), 10)
    assert back < 5
    await until("Grace sees Ada move again", lambda: grace.playing("video", 1), 5)
    assert await grace.page.get_by_role("figure").count() == 1


async def _safely(question: Any) -> bool:
    try:
        return bool(await question)
    except Exception:  # the page is being replaced while we ask
        return False


async def test_leaving_and_coming_back_works_from_the_page(shared_meeting: Meeting) -> None:
    """Leave ends sending at once; Rejoin is one click."""
    ada, grace = await shared_meeting.joined("Ada", "Grace")
    await _all_play([ada, grace], 1)

    await ada.press("Leave")
    await grace.tile("Ada").wait_for(state="detached", timeout=3_000)
    await ada.press("Rejoin")
    await grace.sees("Ada")
    await _all_play([ada, grace], 1)
