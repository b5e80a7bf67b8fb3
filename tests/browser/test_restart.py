"""The server dies while people talk: rooms are still there, and everybody comes back without pressing anything."""

import signal
from pathlib import Path

import pytest
from live_server import ServeProcess, free_port

from tests.browser.people import Person, chromium, enter, make_room, until

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_after_the_server_dies_and_starts_again_people_are_back_together(
    tmp_path: Path, how: signal.Signals
) -> None:
    """Killed or stopped: what was said before is still there, and sound and picture flow again."""
    server = ServeProcess(tmp_path / "data", free_port(), free_port())
    await server.start()
    try:
        slug = await make_room(server)
        async with chromium() as browser:
            people = [await enter(browser, server.url, name) for name in ("Ada", "Grace")]
            ada, grace = people
            for person in people:
                await person.join(slug)
            await _see_each_other(people)
            await ada.say("Before the crash")
            await grace.press("Chat")
            await grace.page.get_by_text("Before the crash").wait_for(timeout=3_000)

            for person in people:
                person.expects_network_errors = True
            await server.end(how)
            await server.start()

            await _see_each_other(people)
            for person in people:
                assert await person.page.get_by_role("figure").count() == 1
            await grace.say("After it")
            await ada.page.get_by_text("After it").wait_for(timeout=5_000)
            assert await ada.page.get_by_text("Before the crash").count() == 1
            assert not [p.complaints for p in people if p.complaints]
    finally:
        await server.end(signal.SIGTERM)


async def _see_each_other(people: list[Person]) -> None:
    for person in people:
        await until(f"{person.name} sees the other", lambda p=person: _moves(p), 20)


async def _moves(person: Person) -> bool:
    return await person.playing("video", 1, within_s=0.5) and await person.playing("audio", 1, within_s=0.5)
