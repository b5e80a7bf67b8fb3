"""Networks that let no UDP out: people meet over TCP, and the page says beforehand which way is blocked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live_server import first_admin, free_port, make_config, running
from playwright.async_api import Page, expect

from tests.browser.conftest import Meeting
from tests.browser.line import HOST, Line
from tests.browser.people import Person, chromium, enter, until

pytestmark = pytest.mark.browser

_PROTOCOLS = """async () => {
  const found = [];
  for (const pc of [window.pymeet.publishPc, window.pymeet.subscribePc]) {
    const stats = await pc.getStats();
    for (const each of stats.values()) {
      if (each.type !== 'candidate-pair' || !each.nominated || each.state !== 'succeeded') continue;
      found.push(stats.get(each.remoteCandidateId).protocol);
    }
  }
  return found;
}"""


async def test_people_meet_over_tcp_where_udp_is_blocked(meeting: Meeting) -> None:
    """Sound and pictures both ways, by the same page and without any setting of theirs."""
    meeting.server.sfu.addresses = []

    ada, grace = await meeting.joined("Ada", "Grace")
    for person in (ada, grace):
        await until(f"{person.name} sees the other", lambda p=person: p.playing("video", 1), 20)

    for person in (ada, grace):
        protocols = await person.page.evaluate(_PROTOCOLS)
        assert protocols
        assert set(protocols) == {"tcp"}
    streams = meeting.server.media_streams
    assert streams is not None
    assert streams.sent > 100
    assert not streams.unproven


@pytest.fixture
async def ada_grace_line(tmp_path: Path) -> AsyncIterator[tuple[Person, Person, Line]]:
    """Both send their media by UDP over a line that can be cut; the page, and TCP, are not on it."""
    media_port = free_port()
    config = make_config(tmp_path / "data", media={"port": media_port, "addresses": [HOST]})
    async with running(config) as server, first_admin(server) as admin, chromium() as browser:
        server.sfu.stream_addresses = [("127.0.0.1", media_port)]
        slug = await admin.make_room("Weekly")
        line = Line(int(server.url.rpartition(":")[2]), media_port)
        await line.open()
        try:
            people = [await enter(browser, server.url, name) for name in ("Ada", "Grace")]
            for person in people:
                await person.join(slug)
            for person in people:
                await until(f"{person.name} sees the other", lambda p=person: p.playing("video", 1), 20)
            yield people[0], people[1], line
            assert not [complaint for person in people for complaint in person.complaints]
        finally:
            await line.close()


async def test_who_loses_udp_in_a_meeting_goes_on_over_tcp(ada_grace_line: tuple[Person, Person, Line]) -> None:
    """Somebody walks from home to a network that blocks it; the seat and the connections stay."""
    ada, grace, line = ada_grace_line
    assert set(await ada.page.evaluate(_PROTOCOLS)) == {"udp"}

    line.cut()

    for person in (ada, grace):
        await until(f"{person.name} goes on over TCP", lambda p=person: _is_on_tcp(p), 20)
        await until(f"{person.name} sees the other", lambda p=person: p.playing("video", 1), 20)


async def _is_on_tcp(person: Person) -> bool:
    return set(await person.page.evaluate(_PROTOCOLS)) == {"tcp"}


async def _looked(page: Page, slug: str, url: str) -> dict[str, str]:
    """What the check says, hop by hop, and at its end."""
    await page.goto(f"{url}/r/{slug}")
    await page.get_by_role("button", name="Check connection").click()
    dialog = page.get_by_role("dialog", name="Connection check")
    await expect(dialog.get_by_role("button", name="Check again")).to_be_enabled(timeout=15_000)
    said = {}
    for row in await dialog.get_by_role("listitem").all():
        said[await row.locator("strong").inner_text()] = await row.locator("p").inner_text()
    said["verdict"] = await dialog.locator(".check-verdict").inner_text()
    return said


async def test_the_check_before_joining_names_what_is_blocked(meeting: Meeting) -> None:
    """Hop by hop in plain words; nobody in the room hears of it."""
    ada = await meeting.person("Ada")
    port = meeting.server.media_port.port

    open_ = await _looked(ada.page, meeting.slug, meeting.server.url)
    meeting.server.sfu.addresses = [("127.0.0.1", 9)]
    blocked = await _looked(ada.page, meeting.slug, meeting.server.url)

    udp, tcp = "Sound and pictures, the fast way (UDP)", "Sound and pictures, through firewalls (TCP)"
    assert open_["This page"] == "The server answers."
    assert open_["Signals and chat (WebSocket)"] == "The connection stands."
    assert open_[udp] == open_[tcp] == "Open."
    assert open_["Microphone"] == open_["Camera"] == "Works."
    assert open_["verdict"] == "All is well: sound and pictures take the fast way."
    assert blocked[udp] == "Your network lets no UDP through to port 9."
    assert blocked[tcp] == "Open."
    assert "blocks UDP" in blocked["verdict"]
    assert str(port) not in blocked[udp]
    assert not meeting.server.sfu.transports
    assert not meeting.server.registry.counts()["participants"]
