"""A meeting is recorded in real browsers: who agrees is in the film, who does not is nowhere in it.

Everybody has a camera of one colour and a microphone of one tone, so that decoding tells who is there.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from live_server import Visitor, first_admin, make_config, running
from playwright.async_api import Browser
from sqlalchemy import RowMapping, select

from pymeet.db.schema import (
    consents,
    film_people,
    films,
    recording_events,
    recording_people,
    recording_tracks,
    recordings,
)
from pymeet.server import Server
from tests.browser.marks import BLUE, GREEN, RED, Found, Mark, device_flags, search
from tests.browser.people import Person, chromium, enter, until

pytestmark = pytest.mark.browser

KEPT, NOT_KEPT = "We meet again on Friday.", "This is not for the film."


@dataclass
class Studio:
    """A server with a room, and people whom one can tell apart in a film."""

    server: Server
    admin: Visitor
    slug: str
    folder: Path
    stack: AsyncExitStack
    people: list[Person]

    async def browser(self, *more: str) -> Browser:
        """Closed at the end."""
        return await self.stack.enter_async_context(chromium(*more))

    async def marked(self, name: str, mark: Mark, *, host: bool = False) -> Person:
        """Somebody in front of a browser of their own: Chromium plays one camera file per process."""
        return await self.person(name, await self.browser(*device_flags(mark, self.folder)), host=host)

    async def person(self, name: str, browser: Browser, *, host: bool = False) -> Person:
        """Somebody with a fresh profile."""
        someone = await enter(browser, self.server.url, name, locale="en-GB")
        if host:
            for cookie in self.admin.http.cookie_jar:
                await someone.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.admin.url}])
        self.people.append(someone)
        return someone

    async def rows(self, statement: Any) -> list[RowMapping]:
        """What stands in the database."""
        async with self.server.database.read() as tx:
            return list((await tx.execute(statement)).mappings())

    async def recording(self) -> RowMapping:
        """The one there is."""
        (row,) = await self.rows(select(recordings))
        return row

    async def tracks(self) -> list[RowMapping]:
        """With the names of those who are in them."""
        of = recording_people.c.id == recording_tracks.c.person_id
        return await self.rows(select(recording_tracks, recording_people.c.name).join(recording_people, of))

    async def found(self, file_id: str) -> Found:
        """What a sealed file shows and sounds like."""

        def look() -> Found:
            with self.server.lifecycle.files.open(file_id) as source:
                return search(source)

        return await asyncio.to_thread(look)

    async def film(self, timeout_s: float = 40) -> RowMapping:
        """The film, once it is made."""

        async def ready() -> bool:
            states = {row["state"] for row in await self.rows(select(films.c.state))}
            assert "failed" not in states, await self.rows(select(films))
            return states == {"ready"}

        await until("the film is made", ready, timeout_s)
        (film,) = await self.rows(select(films))
        return film


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    """At the end nobody's console may have complained, and nothing may have been asked of other hosts."""
    async with AsyncExitStack() as stack:
        config = make_config(tmp_path / "data", recording={"film": "webm", "film_height": 360})
        server = await stack.enter_async_context(running(config))
        admin = await stack.enter_async_context(first_admin(server))
        slug = await admin.make_room("Weekly")
        studio = Studio(server, admin, slug, tmp_path, stack, [])
        yield studio
        complaints = {person.name: person.complaints for person in studio.people if person.complaints}
        assert not complaints


async def _start(host: Person, *, chat: bool = False) -> None:
    await host.press("Record meeting")
    if chat:
        await host.page.get_by_label("Record the chat too").check()
    await host.press("Start recording")


def _question(person: Person) -> Any:
    return person.page.get_by_role("dialog", name="Do you want to be recorded?")


async def _asked(person: Person) -> None:
    await _question(person).wait_for(timeout=5_000)


def _sign(person: Person, words: str) -> Any:
    return person.page.get_by_role("group", name="Recording", exact=True).get_by_role("button", name=words)


def _left_out(tile: Any) -> Any:
    return tile.get_by_text("Not recorded", exact=True)


async def _stop(host: Person) -> None:
    await host.press("Stop recording")
    await host.page.get_by_role("dialog").get_by_role("button", name="Stop recording").click()
    await host.page.get_by_text("A host stopped the recording.").last.wait_for(timeout=5_000)


async def test_who_declines_is_nowhere_and_who_withdraws_is_cut_within_a_second(studio: Studio) -> None:
    """Two colours and two tones are in the film, the third in no file, and the consent records say why."""
    ada, grace, edsger = await asyncio.gather(
        studio.marked("Ada", RED, host=True), studio.marked("Grace", GREEN), studio.marked("Edsger", BLUE)
    )
    for person in (ada, grace, edsger):
        await person.join(studio.slug)
    await ada.sees("Grace")
    await ada.sees("Edsger")
    await until("Ada sees both move", lambda: ada.playing("video", 2, at_least=3), 15)

    await _start(ada, chat=True)
    for person in (ada, grace, edsger):
        await _asked(person)
        await _sign(person, "You are not recorded").wait_for(timeout=2_000)
    await asyncio.sleep(1)  # media flow all the while; nobody has answered, so nothing may be taken
    assert await studio.tracks() == []
    assert await studio.rows(select(recording_people)) == []

    await edsger.press("Don’t record me")
    await ada.press("Record me")
    await grace.press("Record me")
    for person in (ada, grace):
        await _left_out(person.tile("Edsger")).wait_for(timeout=2_000)
    await _left_out(ada.tile("Grace")).wait_for(state="detached", timeout=2_000)
    await edsger.say(NOT_KEPT)
    await grace.say(KEPT)
    await until("Grace was recorded for a while", lambda: _recorded_for(studio, 5_000), 20)

    await _sign(grace, "You are recorded").click()
    await grace.page.evaluate(
        "addEventListener('click', () => { window.clickedAt = Date.now(); }, {capture: true, once: true})"
    )
    await grace.press("Stop recording me")
    await grace.page.get_by_text("You are no longer recorded").wait_for(timeout=2_000)
    await grace.press("Close")
    await _left_out(ada.tile("Grace")).wait_for(timeout=2_000)
    await asyncio.sleep(2)  # Grace goes on speaking; none of it may be found
    await _stop(ada)
    await until("every track is whole", lambda: _whole(studio), 10)

    # who agreed, in the order of the answers, and that the one who did not left no other trace
    recording = await studio.recording()
    timeline = await studio.rows(
        select(consents).where(consents.c.object_id == recording["id"]).order_by(consents.c.at_ms, consents.c.id)
    )
    assert {row["purpose"] for row in timeline} == {"recording"}
    assert {row["method"] for row in timeline} == {"dialog"}
    assert sorted(row["decision"] for row in timeline) == ["given", "given", "refused", "withdrawn"]
    people = await studio.rows(select(recording_people))
    assert sorted(row["name"] for row in people) == ["Ada", "Grace"]
    (refused,) = [row for row in timeline if row["decision"] == "refused"]
    assert refused["participant_id"] not in {row["participant_id"] for row in people}
    said = [row["text"] for row in await studio.rows(select(recording_events)) if row["kind"] == "message"]
    assert said == [KEPT]

    # the tracks: each shows its own person and no other, and Grace's end with her consent
    tracks = await studio.tracks()
    assert sorted((row["name"], row["source"]) for row in tracks) == [
        ("Ada", "camera"), ("Ada", "microphone"), ("Grace", "camera"), ("Grace", "microphone"),
    ]  # fmt: skip
    for row in tracks:
        mark = RED if row["name"] == "Ada" else GREEN
        found = await studio.found(row["file_id"])
        if row["source"] == "camera":
            assert found.seen() == {mark}, (row["name"], found.shares)
            assert min(found.shares[mark][1:]) > 0.9, row["name"]
        else:
            assert found.heard() == {mark}, (row["name"], found.loudness)
    cut_at_ms = await grace.page.evaluate("window.clickedAt") - recording["started_at_ms"]
    for row in tracks:
        if row["name"] == "Grace":
            assert 0 < row["begins_at"] + row["duration_ms"] <= cut_at_ms + 1_000, (row["source"], cut_at_ms)
        else:
            assert row["begins_at"] + row["duration_ms"] > cut_at_ms + 1_000, row["source"]

    # the film
    film = await studio.film()
    assert _on_disk(studio) == {film["file_id"], *(row["file_id"] for row in tracks)}
    in_film = await studio.rows(select(film_people))
    assert {row["person_id"] for row in in_film} == {row["id"] for row in people}
    composed = await studio.found(film["file_id"])
    assert composed.seen() == {RED, GREEN}, composed.shares
    assert composed.heard() == {RED, GREEN}, composed.loudness
    share, amplitude = composed.at_most(BLUE)
    assert share < 0.01, "Edsger's colour"
    assert amplitude < min(composed.loudness[RED], composed.loudness[GREEN]) / 20, "Edsger's tone"

    # and when Grace is taken out, only Ada is left: her tracks as they were, and another film
    (out,) = [row for row in people if row["name"] == "Grace"]
    own = {row["file_id"]: _sealed(studio, row["file_id"]) for row in tracks if row["name"] == "Ada"}
    path = f"/api/v1/recordings/{recording['id']}/people/{out['id']}/remove"
    assert await studio.admin.json("POST", path, {}) == (204, None)
    assert {row["name"] for row in await studio.tracks()} == {"Ada"}
    again = await studio.film()
    assert _on_disk(studio) == {again["file_id"], *own}
    assert {file_id: _sealed(studio, file_id) for file_id in own} == own
    left = await studio.found(again["file_id"])
    assert (left.seen(), left.heard()) == ({RED}, {RED}), left.loudness
    share, amplitude = left.at_most(GREEN)
    assert share < 0.01, "Grace's colour"
    assert amplitude < left.loudness[RED] / 20, "Grace's tone"


async def test_who_comes_into_a_meeting_that_is_recorded_is_asked_before(studio: Studio) -> None:
    """On the preview, about what runs at that moment; no key pressed by habit answers, and a reload keeps the answer."""
    browser = await studio.browser()
    ada, grace, edsger = [await studio.person(name, browser, host=name == "Ada") for name in ("Ada", "Grace", "Edsger")]
    await ada.join(studio.slug)
    await edsger.page.goto(f"{edsger.origin}/r/{studio.slug}")
    await edsger.page.get_by_role("textbox", name="Your name").fill("Edsger")
    await _start(ada)
    await _asked(ada)
    await ada.press("Don’t record me")

    await grace.page.goto(f"{grace.origin}/r/{studio.slug}")
    await grace.page.get_by_role("heading", name="This meeting is being recorded").wait_for(timeout=5_000)
    name = grace.page.get_by_role("textbox", name="Your name")
    await name.fill("Grace")
    await name.press("Enter")
    assert await grace.button("Join without being recorded").is_visible()
    assert await studio.rows(select(recording_people)) == []
    await grace.press("Join without being recorded")
    await _sign(grace, "You are not recorded").wait_for(timeout=15_000)
    assert await _question(grace).count() == 0

    # who stood there before the recording began was not asked, and is now
    await edsger.press("Join")
    await edsger.press("Join and be recorded")
    await _sign(edsger, "You are recorded").wait_for(timeout=15_000)
    await _left_out(ada.tile("Edsger")).wait_for(state="detached", timeout=2_000)
    assert await _left_out(ada.tile("Grace")).is_visible()
    await grace.page.reload(wait_until="commit")
    await _sign(grace, "You are not recorded").wait_for(timeout=15_000)
    assert await _question(grace).count() == 0

    rows = await studio.rows(select(consents.c.decision, consents.c.method).order_by(consents.c.at_ms))
    assert [tuple(row.values()) for row in rows] == [
        ("refused", "dialog"),
        ("refused", "joining"),
        ("given", "joining"),
    ]
    assert [row["name"] for row in await studio.rows(select(recording_people))] == ["Edsger"]
    await _stop(ada)
    assert await ada.page.get_by_role("link", name="Recordings").get_attribute("href") == "/recordings"
    assert await grace.page.get_by_role("link", name="Recordings").count() == 0


async def test_who_said_no_has_what_was_recorded_of_them_destroyed_without_leaving_the_meeting(studio: Studio) -> None:
    """A guest, with their receipt, and a member: of each nothing is left, the other's is untouched, and both may agree again."""
    browser = await studio.browser()
    ada, grace = [await studio.person(name, browser, host=name == "Ada") for name in ("Ada", "Grace")]
    for person in (ada, grace):
        await person.join(studio.slug)
    await _start(ada)
    for person in (ada, grace):
        await _asked(person)
        await person.press("Record me")
    await until("both were recorded for a while", lambda: _recorded_for(studio, 1_000), 20)

    for person, left in ((grace, {"Ada"}), (ada, {"Grace"})):
        theirs = {row["file_id"] for row in await studio.tracks() if row["name"] == person.name}
        await _sign(person, "You are recorded").click()
        await person.press("Stop recording me")
        await person.press("Destroy it")
        await person.page.get_by_role("dialog").get_by_role("button", name="Destroy it").click()
        await person.page.get_by_text("What was recorded of you is destroyed.").first.wait_for(timeout=10_000)
        assert {row["name"] for row in await studio.tracks()} == left
        assert not theirs & _on_disk(studio)
        assert not theirs & {file_id for file_id, _ in studio.server.lifecycle.keys.ids()}
        await _sign(person, "You are not recorded").click()
        assert await person.button("Destroy it").count() == 0
        await person.press("Record me")
        await person.press("Close")
        await until("they are recorded again", lambda: _recorded_for(studio, 0), 20)
    decided = await studio.rows(select(consents).where(consents.c.object_id == (await studio.recording())["id"]))
    methods = sorted(row["method"] for row in decided if row["decision"] == "withdrawn")
    assert methods == ["dialog", "dialog", "receipt", "settings"]


async def test_the_question_disturbs_nobody_and_stays_until_it_is_answered(studio: Studio) -> None:
    """Who is writing goes on writing; Escape is no answer; by keyboard one comes to all three choices; the microphone still works."""
    browser = await studio.browser()
    ada, grace = [await studio.person(name, browser, host=name == "Ada") for name in ("Ada", "Grace")]
    for person in (ada, grace):
        await person.join(studio.slug)
    await grace.press("Chat")
    box = grace.page.get_by_role("textbox", name="Message", exact=True)
    await box.press_sequentially("This is ")
    await _start(ada)
    await _asked(grace)
    await box.press("End")
    await grace.page.keyboard.type("my message")
    assert await box.input_value() == "This is my message"
    await grace.page.keyboard.press("Escape")
    assert await _question(grace).is_visible()

    await _asked(ada)
    heading = ada.page.get_by_role("heading", name="Do you want to be recorded?")
    assert await heading.evaluate("element => element === document.activeElement"), "the focus comes to the question"
    await ada.page.keyboard.press("Escape")
    assert await _question(ada).is_visible()
    await ada.press("Mute microphone")
    await ada.button("Unmute microphone").wait_for(timeout=2_000)
    await heading.focus()
    reached = []
    for _ in range(3):
        await ada.page.keyboard.press("Tab")
        reached.append(await ada.page.evaluate("document.activeElement.textContent"))
    assert reached == ["Record me", "Don’t record me", "Leave"]
    assert await studio.rows(select(consents)) == []

    # one may change one's mind as often as one wants
    await ada.press("Record me")
    await _sign(ada, "You are recorded").click()
    await ada.press("Stop recording me")
    await ada.press("Destroy it")
    await ada.press("Cancel")
    await _sign(ada, "You are not recorded").click()
    await ada.press("Record me")
    await ada.button("Destroy it").wait_for(state="detached", timeout=2_000)
    await ada.press("Close")
    await ada.press("Add a marker")
    await ada.page.get_by_role("textbox", name="Name (optional)").fill("Decision")
    await ada.page.keyboard.press("Enter")
    await ada.page.get_by_text("The moment is marked.").wait_for(timeout=2_000)
    await _stop(ada)
    await grace.page.get_by_text("A host stopped the recording.").last.wait_for(timeout=2_000)
    assert await _question(grace).count() == 0


def _on_disk(studio: Studio) -> set[str]:
    """Ids of the sealed files there are; parts of unfinished ones would have another name."""
    return {path.name.removesuffix(".sealed") for path in _files(studio) if path.is_file()}


def _sealed(studio: Studio, file_id: str) -> bytes:
    (path,) = [path for path in _files(studio) if path.name == f"{file_id}.sealed"]
    return path.read_bytes()


def _files(studio: Studio) -> list[Path]:
    return list((studio.server.config.data_dir / "files").rglob("*"))


async def _whole(studio: Studio) -> bool:
    return {row["state"] for row in await studio.tracks()} == {"whole"}


async def _recorded_for(studio: Studio, length_ms: int) -> bool:
    """Whether the two who agreed have been recorded for so long."""
    tracks = await studio.tracks()
    started = (await studio.recording())["started_at_ms"]
    now = time.time() * 1000 - started
    return len(tracks) == 4 and all(now - row["begins_at"] > length_ms for row in tracks)
