"""The pages on which a recording is watched, shared, thrown away and left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest
import pytest_asyncio
from live_server import Visitor, first_admin, make_config, running
from playwright.async_api import Browser, Page, expect
from privacy_people import Person as Member
from privacy_people import guest_was_there, person
from sqlalchemy import Connection

from pymeet.privacy import consents, receipts
from pymeet.privacy.people import DataSubject, member
from pymeet.server import Server
from tests.browser.people import Person, emptied, enter, until
from tests.browser.recorded import FILM_SIZE, LASTS_MS, Recorded, record
from tests.support.recordings import Seat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

NAME = "Planting plan"
PASSWORD = "south bed and north bed"


@dataclass
class Scene:
    """Ann hosted a meeting with Bob and the guest Gail, and recorded it."""

    server: Server
    ann: Member
    bob: Member
    receipt: str
    recorded: Recorded
    browser: Browser
    people: list[Person]

    @property
    def url(self) -> str:
        return f"{self.server.url}/recordings/{self.recorded.made.id}"

    async def enter(self, visitor: Visitor | None = None) -> Person:
        """Somebody in a browser of their own, signed in as the visitor is."""
        someone = await enter(self.browser, self.server.url, "Reader", accept_downloads=True, locale="en-GB")
        self.people.append(someone)
        if visitor:
            for cookie in visitor.http.cookie_jar:
                await someone.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": visitor.url}])
        return someone


@pytest_asyncio.fixture(loop_scope="module")
async def scene(tmp_path: Path, browser: Browser) -> AsyncIterator[Scene]:
    """At the end nobody's console may have complained, and nothing may have been asked of other hosts."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(make_config(tmp_path / "data")))
        await stack.enter_async_context(first_admin(server))
        ann, bob = [await stack.enter_async_context(person(server, each)) for each in ("Ann", "Bob")]
        slug = await ann.make_room("Garden committee")
        receipt = await guest_was_there(server, slug, "Gail")
        key = await asyncio.to_thread(server.lifecycle.keys.purpose_key, receipts.PURPOSE)
        gail = receipts.read(key, receipt).participant_id
        seats = {"Ann": Seat(ann.id), "Bob": Seat(bob.id), "Gail": Seat(participant_id=gail)}
        recorded = await record(server.lifecycle, slug, ann.id, seats, NAME)
        await recorded.add_event("Ann", "marker", 7000, text="Apple trees")
        await stack.enter_async_context(emptied(browser))
        scene = Scene(server, ann, bob, receipt, recorded, browser, [])
        yield scene
        complaints = {each.name: each.complaints for each in scene.people if each.complaints}
        assert not complaints


async def _video(page: Page, what: str) -> Any:
    """A property of the first video of the page."""
    return await page.evaluate(f"document.querySelector('video').{what}")


async def _at(page: Page, second: float, *, within: float = 0.6) -> None:
    """Waits until the video stands there and shows it."""

    async def there() -> bool:
        if await _video(page, "seeking") or await _video(page, "readyState") < 2:
            return False
        return abs(float(await _video(page, "currentTime")) - second) <= within

    await until(f"the video at {second} s", there)


async def _removed(scene: Scene, name: str) -> None:
    """Waits until somebody is out of the recording, as its owner sees it."""

    async def gone() -> bool:
        _, shown = await scene.ann.json("GET", f"/api/v1/recordings/{scene.recorded.made.id}")
        return name not in [each["name"] for each in shown["people"]]

    await until(f"{name} is out", gone)


async def test_a_film_plays_and_is_searched_through(scene: Scene) -> None:
    """Watching is what a recording is for: with every seek the picture must be that of the moment asked for."""
    ann = await scene.enter(scene.ann)
    await ann.page.goto(f"{scene.server.url}/recordings")
    row = ann.page.get_by_role("listitem").filter(has_text=NAME)
    await row.get_by_text("Ready to watch").wait_for()
    await row.get_by_text("Will be deleted on").wait_for()
    await row.get_by_text("Ann, Bob, Gail").wait_for()
    await ann.page.get_by_label("Search").fill("gail plant")
    assert await row.count() == 1
    await ann.page.get_by_label("Search").fill("harvest")
    await ann.page.get_by_text("No recording matches “harvest”.").wait_for()
    await ann.page.get_by_label("Search").fill("")
    await row.get_by_role("link", name=NAME).click()
    await ann.page.get_by_role("heading", name=NAME).wait_for()

    await _at(ann.page, 0)
    assert (await _video(ann.page, "videoWidth"), await _video(ann.page, "videoHeight")) == FILM_SIZE
    assert abs(await _video(ann.page, "duration") - LASTS_MS / 1000) < 0.5
    await ann.page.evaluate("document.querySelector('video').play()")

    async def moved() -> bool:
        return float(await _video(ann.page, "currentTime")) > 0.5

    await until("the film plays on", moved)
    await ann.page.evaluate("document.querySelector('video').pause()")

    contents = ann.page.get_by_role("region", name="Contents")
    await contents.get_by_role("button", name="Apple trees").click()
    await _at(ann.page, 6.5)
    await contents.get_by_role("button", name="Gail").click()
    await _at(ann.page, 5.6)
    slider = ann.page.get_by_role("slider", name="Position in the recording")
    await slider.press("Home")
    await _at(ann.page, 0)
    await expect(slider).to_have_attribute("aria-valuetext", "0:00 of 0:12")
    await slider.press("ArrowRight")
    await _at(ann.page, 5)
    await expect(slider).to_have_attribute("aria-valuetext", "0:05 of 0:12, Bob speaking")
    box = await slider.bounding_box()
    assert box is not None
    await slider.click(position={"x": box["width"] * 0.75, "y": 12})
    await _at(ann.page, 9)
    await ann.page.get_by_label("Speed").select_option("1.5")

    async def faster() -> bool:
        return float(await _video(ann.page, "playbackRate")) == 1.5

    await until("the film plays faster", faster)


async def test_single_people_play_beside_the_film(scene: Scene) -> None:
    """Somebody's own picture and sound are heard alone, or with those one chooses, in time with each other."""
    bob = await scene.enter(scene.bob)
    await bob.page.goto(scene.url)
    await bob.press("Show Bob")
    await bob.press("Show Gail")
    assert await bob.page.locator(".alone").count() == 2
    await bob.page.get_by_role("slider", name="Position in the recording").press("ArrowRight")
    await bob.press("Play")

    async def in_time() -> bool:
        places = await bob.page.evaluate(
            "[...document.querySelectorAll('.alone :is(video, audio)')].map(each => each.currentTime)"
        )
        return len(places) == 4 and min(places) > 6 and max(places) - min(places) < 0.5

    await until("pictures and sounds play together", in_time)
    await bob.press("Pause")
    await bob.press("Show Gail")
    assert await bob.page.locator(".alone").count() == 1
    async with bob.page.expect_download() as saving:
        await bob.page.get_by_role("link", name="Microphone").click()
    track = Path(await (await saving.value).path())
    assert await asyncio.to_thread(_codecs, track) == {"opus"}
    async with bob.page.expect_download() as saving:
        await bob.page.get_by_role("link", name="Download film").click()
    film = Path(await (await saving.value).path())
    assert await asyncio.to_thread(_codecs, film) == {"h264", "aac"}

    await bob.page.reload()
    looked = bob.page.get_by_role("region", name="Who looked")
    await looked.get_by_text("Bob downloaded the film").wait_for()
    await looked.get_by_text("Bob downloaded a track").wait_for()


async def test_a_link_with_a_password_opens_the_film_for_somebody_without_account(scene: Scene) -> None:
    """A link alone must not be enough, its token must not stay in the address, and it must end when it is taken back."""
    ann, guest = await scene.enter(scene.ann), await scene.enter()
    await ann.page.goto(scene.url)
    await ann.press("Share…")
    dialog = ann.page.get_by_role("dialog", name="Share this recording")
    await dialog.get_by_label("Anybody with a link").check()
    await dialog.get_by_label("Password (optional)").fill(PASSWORD)
    await dialog.get_by_role("button", name="Make link").click()
    link = await dialog.get_by_label("The link", exact=True).input_value()
    assert link.startswith(f"{scene.server.url}/watch#")
    await dialog.get_by_role("button", name="Done").click()
    await ann.page.get_by_text("with password").wait_for()

    await guest.page.goto(link)
    await guest.page.get_by_role("heading", name="This recording is protected").wait_for()
    assert guest.page.url == f"{scene.server.url}/watch"
    await guest.page.get_by_label("Password", exact=True).fill("not the password")
    await guest.press("Watch")
    await guest.page.get_by_text("This is not the password.").wait_for()
    await guest.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await guest.press("Watch")
    await guest.page.get_by_role("heading", name=NAME).wait_for()
    await guest.page.get_by_role("region", name="Contents").get_by_role("button", name="Bob").click()
    await _at(guest.page, 2.6)
    assert (await _video(guest.page, "videoWidth"), await _video(guest.page, "videoHeight")) == FILM_SIZE
    await guest.page.reload()
    await guest.page.get_by_role("heading", name="This recording is protected").wait_for()
    _forgive(guest, "403", 3)

    await ann.page.reload()
    await ann.page.get_by_text("Somebody with a link watched the film").wait_for()
    await ann.press("Stop sharing: Link")
    await ann.page.get_by_text("It is not shared with anybody else.").wait_for()
    await guest.page.goto("about:blank")
    await guest.page.goto(link)
    await guest.page.get_by_role("heading", name="This link does not work").wait_for()
    _forgive(guest, "404", 1)


async def test_a_recording_in_the_trash_can_be_taken_back(scene: Scene) -> None:
    """A slip must cost nothing; and what is thrown away says when it is gone for good."""
    ann = await scene.enter(scene.ann)
    await ann.page.goto(f"{scene.server.url}/recordings")
    await ann.press(f"Delete {NAME}")
    await ann.page.get_by_text(f"“{NAME}” is in the trash.").wait_for()
    await ann.page.get_by_text("Nothing was recorded yet.").wait_for()
    await expect(ann.button("Undo")).to_be_focused()
    await ann.page.keyboard.press("Enter")
    await ann.page.get_by_role("link", name=NAME).click()
    await ann.press("Delete")
    await ann.page.get_by_text("This recording is in the trash.").wait_for()
    assert await ann.page.locator("video").count() == 0

    await ann.page.goto(f"{scene.server.url}/recordings")
    await ann.page.get_by_role("link", name="Trash").click()
    await ann.page.get_by_text("Will be gone for good on").wait_for()
    await ann.press(f"Restore {NAME}")
    await ann.page.get_by_text("The trash is empty.").wait_for()
    await ann.page.get_by_role("link", name="All recordings").click()
    await ann.page.get_by_text("Ready to watch").wait_for()


async def test_an_owner_renames_it_and_keeps_it_longer(scene: Scene) -> None:
    """The day on which it goes must be the one that was chosen, and be seen everywhere."""
    ann = await scene.enter(scene.ann)
    await ann.page.goto(scene.url)
    await ann.press("Rename")
    await ann.page.get_by_label("Name", exact=True).fill("South bed")
    await ann.press("Save")
    await ann.page.get_by_role("heading", name="South bed").wait_for()
    await ann.press("Keep longer")
    await ann.page.get_by_label("Keep until").fill("2030-01-15")
    await ann.press("Keep")
    await ann.page.get_by_text("Kept until 15 Jan 2030", exact=True).wait_for()

    await ann.page.goto(f"{scene.server.url}/")
    await ann.page.get_by_role("link", name="South bed").wait_for()
    await ann.page.get_by_text("Kept until 15 Jan 2030").wait_for()


async def test_members_take_themselves_out(scene: Scene) -> None:
    """Whoever is in it must get out of it again without asking anybody, and be told what nobody can take back."""
    bob = await scene.enter(scene.bob)
    await bob.page.goto(f"{scene.server.url}/my-data")
    await bob.press(f"Take me out of {NAME}")
    dialog = bob.page.get_by_role("dialog", name="Take you out of this recording?")
    await dialog.get_by_text("nobody can take that back").wait_for()
    await dialog.get_by_role("button", name="Take me out", exact=True).click()
    await bob.page.get_by_text("You are in no recording.").wait_for()
    await _removed(scene, "Bob")

    await bob.page.goto(scene.url)
    await bob.page.get_by_role("heading", name="There is no such recording").wait_for()
    _forgive(bob, "404", 1)
    files = scene.server.lifecycle.files
    assert not files.exists(scene.recorded.made.track_files["Bob"])
    assert files.exists(scene.recorded.made.track_files["Ann"])


async def _agree(scene: Scene, person: DataSubject) -> None:
    """They agreed to be recorded."""

    def agree(conn: Connection) -> None:
        said = {"method": "dialog", "notice_version": 1, "language": "en", "now_ms": 1_700_000_000_000}
        consents.record(conn, person, "recording", scene.recorded.made.id, "given", **said)

    await scene.server.lifecycle.db.work(agree)


async def _withdraw(person: Person) -> None:
    """On the page of their data, which is open."""
    await person.press("Withdraw")
    dialog = person.page.get_by_role("dialog", name="Withdraw your consent?")
    await dialog.get_by_text("is destroyed for good").wait_for()
    await dialog.get_by_role("button", name="Withdraw").click()


async def test_members_withdraw_their_consent_and_are_out(scene: Scene) -> None:
    """Afterwards, too, it must mean something; what it does is said before, for nobody can take it back."""
    await _agree(scene, member(scene.bob.id))
    bob = await scene.enter(scene.bob)
    await bob.page.goto(f"{scene.server.url}/my-data")

    await _withdraw(bob)

    await bob.page.get_by_text("You are in no recording.").wait_for()
    assert not scene.server.lifecycle.files.exists(scene.recorded.made.track_files["Bob"])


async def test_guests_withdraw_their_consent_with_their_receipt_and_are_out(scene: Scene) -> None:
    """As easily as they gave it, and with the same effect."""
    key = await asyncio.to_thread(scene.server.lifecycle.keys.purpose_key, receipts.PURPOSE)
    await _agree(scene, receipts.read(key, scene.receipt).person)
    gail = await scene.enter()
    await gail.page.goto(f"{scene.server.url}/guest-data#{scene.receipt}")

    await _withdraw(gail)

    await gail.page.get_by_text("Your consent was withdrawn.").wait_for()
    await gail.button("Withdraw").wait_for(state="detached")
    assert not scene.server.lifecycle.files.exists(scene.recorded.made.track_files["Gail"])


async def test_whoever_took_themselves_out_is_told_what_that_means(scene: Scene) -> None:
    """On the page of the recording itself, which is not theirs any more from then on."""
    bob = await scene.enter(scene.bob)
    await bob.page.goto(scene.url)
    assert await bob.page.get_by_role("button", name="Take Ann out of the recording").count() == 0
    await bob.press("Take me out…")
    await bob.page.get_by_role("dialog").get_by_role("button", name="Take me out", exact=True).click()
    await bob.page.get_by_role("heading", name="You are out of this recording").wait_for()
    _forgive(bob, "404", 1)


async def test_guests_take_themselves_out_with_their_receipt(scene: Scene) -> None:
    """People without account have the same right; they cannot watch, but they can leave."""
    gail = await scene.enter()
    await gail.page.goto(f"{scene.server.url}/guest-data#{scene.receipt}")
    await gail.press(f"Take me out of {NAME}")
    await gail.page.get_by_role("dialog").get_by_role("button", name="Take me out", exact=True).click()
    await gail.page.get_by_text("You were not recorded in this meeting.").wait_for()
    await _removed(scene, "Gail")

    assert not scene.server.lifecycle.files.exists(scene.recorded.made.track_files["Gail"])


async def test_an_owner_takes_somebody_out(scene: Scene) -> None:
    """The film goes with them, and the page says what stands in its place."""
    ann = await scene.enter(scene.ann)
    await ann.page.goto(scene.url)
    await ann.press("Take Bob out of the recording")
    dialog = ann.page.get_by_role("dialog", name="Take Bob out of this recording?")
    await dialog.get_by_role("button", name="Take Bob out", exact=True).click()
    await dialog.wait_for(state="detached")
    await _removed(scene, "Bob")

    await ann.page.get_by_text("Bob was taken out.").wait_for()
    assert await ann.page.get_by_role("button", name="Show Bob").count() == 0


async def test_pages_for_nobody(scene: Scene) -> None:
    """Who is not signed in, or holds half a link, is told what to do."""
    visitor = await scene.enter()
    await visitor.page.goto(f"{scene.server.url}/recordings")
    await visitor.page.get_by_role("link", name="Sign in").wait_for()
    await visitor.page.goto(scene.url)
    await visitor.page.get_by_text("Sign in to see the recordings that you may watch.").wait_for()
    _forgive(visitor, "401", 1)
    await visitor.page.goto(f"{scene.server.url}/watch")
    await visitor.page.get_by_role("heading", name="Open the link again").wait_for()


def _codecs(path: Path) -> set[str]:
    with av.open(path) as opened:
        return {stream.codec_context.name for stream in opened.streams}


def _forgive(someone: Person, status: str, count: int) -> None:
    """Browsers report an answer that refuses as an error; here it was what the page waits for."""
    expected = [text for text in someone.complaints if f"a status of {status}" in text]
    assert len(expected) == count, someone.complaints
    for text in expected:
        someone.complaints.remove(text)
