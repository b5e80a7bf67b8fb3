"""What administrators do with rooms, live meetings, waiting mails and settings, over HTTP against the running server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from live_server import PASSWORD, Visitor, first_admin, free_port, make_config, running, visiting

import pymeet.web
from pymeet.config import Config
from pymeet.db.outbox import DROPPED
from pymeet.db.server_settings import NAMES
from pymeet.mail.errors import Failure
from pymeet.mail.message import TEMPLATES
from pymeet.ops.client import call
from pymeet.ops.mailer import EXPIRED
from pymeet.server import Server

STATIC = Path(pymeet.web.__file__).parent / "static"
API = "/api/v1"
ADMIN = f"{API}/admin"


class House:
    """A server whose mail server is away, its first administrator Ada, and Bob, a member."""

    def __init__(self, server: Server, config: Config, ada: Visitor, bob: Visitor, bob_id: str) -> None:
        self.server, self.config, self.ada, self.bob, self.bob_id = server, config, ada, bob, bob_id

    async def actions(self) -> list[str]:
        """What the audit log tells, the newest first."""
        _, answer = await self.ada.json("GET", f"{ADMIN}/audit")
        return [event["action"] for event in answer["events"]]

    async def targets(self) -> list[str]:
        """What the events of the audit log were about, the newest first."""
        _, answer = await self.ada.json("GET", f"{ADMIN}/audit")
        return [event["target"] for event in answer["events"]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: Any) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        mail = {"host": "localhost", "port": free_port(), "encryption": "off", "from_address": "meet@example.org"}
        data_dir: Path = tmp_path_factory.mktemp("admin") / "data"
        config = make_config(data_dir, mail=mail)
        server = await stack.enter_async_context(running(config))
        ada = await stack.enter_async_context(first_admin(server))
        settings = config.model_copy(update={"http": server.config.http})
        added = await call(settings, "user.add", {"name": "Bob", "email": "bob@example.org"})
        bob = await stack.enter_async_context(visiting(server))
        body = {"token": added["link"].partition("#")[2], "password": PASSWORD}
        assert (await bob.json("POST", f"{API}/links/redeem", body))[0] == 200
        yield House(server, settings, ada, bob, added["id"])


@asynccontextmanager
async def in_meeting(visitor: Visitor, slug: str, name: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Somebody who has joined, or waits to be let in."""
    async with visitor.http.ws_connect(f"/ws/{slug}") as socket:
        await socket.send_json({"type": "join", "v": 1, "name": name})
        await socket.receive_json()
        yield socket


async def last_words(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """What somebody was told before their connection closed."""
    said = [message.json() async for message in socket if message.type is aiohttp.WSMsgType.TEXT]
    last: dict[str, Any] = said[-1]
    return last


@pytest.mark.asyncio(loop_scope="module")
async def test_members_see_and_change_nothing_of_it(house: House) -> None:
    """All of it is for administrators."""
    slug = await house.ada.make_room("Ada's own")
    some_id = "A" * 22
    asked = [
        ("GET", f"{ADMIN}/rooms", None),
        ("PUT", f"{ADMIN}/rooms/{slug}/owner", {"owner": house.bob_id}),
        ("GET", f"{ADMIN}/live", None),
        ("GET", f"{ADMIN}/live/{slug}/people", None),
        ("POST", f"{ADMIN}/live/{slug}/end", None),
        ("POST", f"{ADMIN}/live/{slug}/people/{some_id}/remove", {}),
        ("GET", f"{ADMIN}/mail", None),
        ("POST", f"{ADMIN}/mail/retry", None),
        ("POST", f"{ADMIN}/mail/{some_id}/retry", None),
        ("POST", f"{ADMIN}/mail/{some_id}/drop", None),
        ("GET", f"{ADMIN}/settings", None),
        ("PUT", f"{ADMIN}/settings/recording.enabled", {"value": False}),
        ("DELETE", f"{ADMIN}/settings/recording.enabled", None),
    ]

    answers = {(method, path): (await house.bob.json(method, path, body))[0] for method, path, body in asked}

    assert set(answers.values()) == {403}


@pytest.mark.asyncio(loop_scope="module")
async def test_every_room_is_listed_page_by_page(house: House) -> None:
    """Also those of others and of nobody; the search looks at names, addresses and owners."""
    for name in ("Garden", "garage", "Attic"):
        await house.bob.make_room(name)
    await call(house.config, "room.create", {"name": "Gallery", "slug": "the-gallery"})

    _, first = await house.ada.json("GET", f"{ADMIN}/rooms?search=ga&limit=2")
    _, second = await house.ada.json("GET", f"{ADMIN}/rooms?search=ga&limit=2&after={first['next']}")
    _, of_bob = await house.ada.json("GET", f"{ADMIN}/rooms?search=bob%40")

    assert [room["name"] for room in (*first["rooms"], *second["rooms"])] == ["Gallery", "garage", "Garden"]
    assert second["next"] is None
    gallery, garage = first["rooms"]
    assert (gallery["slug"], gallery["owner"]) == ("the-gallery", None)
    assert garage["owner"] == {"id": house.bob_id, "name": "Bob", "email": "bob@example.org"}
    assert (garage["personal"], garage["people"], garage["last_used_at"]) == (False, 0, None)
    assert [room["name"] for room in of_bob["rooms"]] == ["Attic", "garage", "Garden"]
    assert "data.viewed" in await house.actions()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_new_owner_gets_the_room_and_nothing_of_the_time_before(house: House) -> None:
    """Handing a room over must be no way to what only its owner may see, such as who was there."""
    slug = await house.bob.make_room("Confidential")
    async with in_meeting(house.bob, slug, "Bob"):
        pass
    _, me = await house.ada.json("GET", f"{API}/me")
    assert len((await house.bob.json("GET", f"{API}/rooms/{slug}/attendance"))[1]["people"]) == 1

    status, room = await house.ada.json("PUT", f"{ADMIN}/rooms/{slug}/owner", {"owner": me["user"]["id"]})

    assert (status, room["owner"]["name"]) == (200, "Ada")
    assert (await house.bob.json("GET", f"{API}/rooms/{slug}/attendance"))[0] == 403
    assert (await house.ada.json("GET", f"{API}/rooms/{slug}/attendance"))[1]["people"] == []
    async with in_meeting(house.bob, slug, "Bob"):
        pass
    assert len((await house.ada.json("GET", f"{API}/rooms/{slug}/attendance"))[1]["people"]) == 1
    assert "room.handed_over" in await house.actions()
    nobody = await house.ada.json("PUT", f"{ADMIN}/rooms/{slug}/owner", {"owner": None})
    assert (nobody[0], nobody[1]["owner"]) == (200, None)
    assert (await house.ada.json("PUT", f"{ADMIN}/rooms/{slug}/owner", {"owner": "A" * 22}))[0] == 404
    assert (await house.ada.json("PUT", f"{ADMIN}/rooms/no-such-room/owner", {"owner": None}))[0] == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_a_live_meeting_is_seen_without_names_and_ended(house: House) -> None:
    """Who is there, only a look of its own tells, and the audit log keeps it."""
    slug = await house.bob.make_room("Standup")
    async with in_meeting(house.bob, slug, "Bob in person") as bob:
        _, live = await house.ada.json("GET", f"{ADMIN}/live")
        assert "meeting.looked_at" not in await house.actions()
        assert "meetings" not in await house.targets()  # the page asks again and again, and nobody is named
        _, seen = await house.ada.json("GET", f"{ADMIN}/live/{slug}/people")
        looked = await house.actions()
        status, _ = await house.ada.json("POST", f"{ADMIN}/live/{slug}/end")
        told = await last_words(bob)

    (meeting,) = (each for each in live["meetings"] if each["slug"] == slug)
    assert (meeting["slug"], meeting["name"], meeting["people"], meeting["waiting"]) == (slug, "Standup", 1, 0)
    assert (meeting["locked"], meeting["recording_since"]) == (False, None)
    assert "Bob" not in str(live)
    (person,) = seen["people"]
    assert (person["name"], person["role"], person["member"], person["waits"]) == ("Bob in person", "host", True, False)
    assert "meeting.looked_at" in looked
    assert (status, told["type"]) == (204, "ended")
    assert "meeting.ended" in await house.actions()
    assert (await house.ada.json("POST", f"{ADMIN}/live/{slug}/end"))[0] == 409
    assert (await house.ada.json("GET", f"{API}/rooms/{slug}"))[0] == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_somebody_is_removed_from_outside_and_stays_out(house: House) -> None:
    """With a ban, the account does not come back into this meeting; the others go on."""
    slug = await house.ada.make_room("Party")
    async with in_meeting(house.ada, slug, "Ada"), in_meeting(house.bob, slug, "Bob") as bob:
        _, seen = await house.ada.json("GET", f"{ADMIN}/live/{slug}/people")
        (seat,) = (each["id"] for each in seen["people"] if each["name"] == "Bob")
        path = f"{ADMIN}/live/{slug}/people/{seat}/remove"
        status, _ = await house.ada.json("POST", path, {"ban": True})
        told = await last_words(bob)
        async with house.bob.http.ws_connect(f"/ws/{slug}") as again:
            await again.send_json({"type": "join", "v": 1, "name": "Bob"})
            refused = await again.receive_json()
        _, live = await house.ada.json("GET", f"{ADMIN}/live")

        assert (status, told["type"]) == (204, "removed")
        assert (refused["type"], refused["code"]) == ("error", "not_allowed")
        assert [each["people"] for each in live["meetings"] if each["slug"] == slug] == [1]
        assert (await house.ada.json("POST", path, {}))[0] == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_waiting_mails_are_listed_masked_tried_and_dropped(house: House) -> None:
    """The mail server is away. Neither address nor content shows; what is dropped is not sent later."""
    for name in ("Carl", "Dora"):
        invitation = {"email": f"{name.lower()}@example.net", "name": name}
        assert (await house.ada.json("POST", f"{ADMIN}/invitations", invitation))[0] == 201

    _, page = await house.ada.json("GET", f"{ADMIN}/mail?kind=invitation")
    mails = page["mails"]
    _, hastened = await house.ada.json("POST", f"{ADMIN}/mail/retry")
    retried, _ = await house.ada.json("POST", f"{ADMIN}/mail/{mails[0]['id']}/retry")
    dropped, _ = await house.ada.json("POST", f"{ADMIN}/mail/{mails[0]['id']}/drop")
    _, waiting = await house.ada.json("GET", f"{ADMIN}/mail?kind=invitation")
    _, failed = await house.ada.json("GET", f"{ADMIN}/mail?state=failed")

    assert [(mail["kind"], mail["to"], mail["state"]) for mail in mails] == [
        ("invitation", "d…@example.net", "waiting"),
        ("invitation", "c…@example.net", "waiting"),
    ]
    assert page["on"]
    assert {"kind": "invitation", "state": "waiting", "count": 2} in page["kinds"]
    assert "carl@" not in str(page)
    assert "link#" not in str(page)
    assert hastened["count"] >= 2
    assert (retried, dropped) == (204, 204)
    assert [mail["id"] for mail in waiting["mails"]] == [mails[1]["id"]]
    assert [(mail["id"], mail["error"], mail["next_try_at"]) for mail in failed["mails"]] == [
        (mails[0]["id"], "dropped", None)
    ]
    again, problem = await house.ada.json("POST", f"{ADMIN}/mail/{mails[0]['id']}/retry")
    assert (again, problem["code"]) == (409, "mail_done")
    assert (await house.ada.json("POST", f"{ADMIN}/mail/{'A' * 22}/drop"))[0] == 404
    assert (await house.ada.json("GET", f"{ADMIN}/mail?state=sent"))[0] == 400
    assert {"mail.hastened", "mail.dropped"} <= set(await house.actions())


@pytest.mark.asyncio(loop_scope="module")
async def test_a_setting_holds_at_once_and_goes_back_to_the_files_value(house: House) -> None:
    """Guests are kept out of the room that was open to them a moment ago, and let in again."""
    slug = await house.ada.make_room("Open house")
    path = f"{ADMIN}/settings/rooms.guests_allowed"
    async with visiting(house.server) as guest:
        assert (await guest.json("GET", f"{API}/rooms/{slug}"))[1]["may_join"]
        async with in_meeting(house.ada, slug, "Ada"):
            status, setting = await house.ada.json("PUT", path, {"value": False})
            shut = (await guest.json("GET", f"{API}/rooms/{slug}"))[1]["may_join"]
            async with guest.http.ws_connect(f"/ws/{slug}") as socket:
                await socket.send_json({"type": "join", "v": 1, "name": "Guest"})
                refused = await socket.receive_json()
            _, back = await house.ada.json("DELETE", path)
            async with in_meeting(guest, slug, "Guest"):
                _, live = await house.ada.json("GET", f"{ADMIN}/live")

    assert (status, setting["value"], setting["configured"], setting["set_here"]) == (200, False, True, True)
    assert not shut
    assert (refused["type"], refused["code"]) == ("error", "not_signed_in")
    assert (back["value"], back["set_here"], back["changed_at"]) == (True, False, None)
    assert [each["people"] for each in live["meetings"] if each["slug"] == slug] == [2]
    assert {"setting.changed", "setting.given_back"} <= set(await house.actions())


@pytest.mark.asyncio(loop_scope="module")
async def test_every_setting_changes_what_it_says(house: House) -> None:
    """Who registers, who makes rooms, who waits, the line on the start page: each where people meet it."""

    async def put(name: str, value: object) -> None:
        status, answer = await house.ada.json("PUT", f"{ADMIN}/settings/{name}", {"value": value})
        assert status == 200, answer

    await put("http.announcement", "On Sunday the server is being updated.")
    await put("accounts.registration", "closed")
    await put("rooms.may_create", "admins")
    await put("rooms.waiting_room", "guests")
    try:
        _, me = await house.bob.json("GET", f"{API}/me")
        _, adas = await house.ada.json("GET", f"{API}/me")
        made = await house.bob.json("POST", f"{API}/rooms", {"name": "Not mine"})
        planned = {"title": "Plan", "start": "2099-03-22T09:00", "time_zone": "UTC", "duration_min": 60}
        planning = await house.bob.json("POST", f"{API}/meetings", planned)
        own = await house.bob.json("POST", f"{API}/personal-room")
        invited = await house.ada.json("POST", f"{ADMIN}/invitations", {"email": "eve@example.net", "name": "Eve"})
        slug = await house.ada.make_room("Strict")
        _, settings = await house.ada.json("GET", f"{API}/rooms/{slug}/settings")
    finally:
        _, listed = await house.ada.json("GET", f"{ADMIN}/settings")
        for setting in listed["settings"]:
            await house.ada.json("DELETE", f"{ADMIN}/settings/{setting['name']}")

    assert me["announcement"] == "On Sunday the server is being updated."
    assert (me["registration"], me["may_create_rooms"], adas["may_create_rooms"]) == ("closed", False, True)
    assert [(answer[0], answer[1]["code"]) for answer in (made, planning, own)] == [(403, "rooms_by_admins")] * 3
    assert (invited[0], invited[1]["code"]) == (403, "registration_closed")
    assert settings["waiting_room"] == "guests"
    assert {each["name"] for each in listed["settings"] if each["set_here"]} == {
        "http.announcement",
        "accounts.registration",
        "rooms.may_create",
        "rooms.waiting_room",
    }


@pytest.mark.asyncio(loop_scope="module")
async def test_what_a_setting_cannot_be_is_refused(house: House) -> None:
    """Neither a word that nobody knows, nor a setting that needs a restart, nor a text of two lines."""
    for name, value, expected in (
        ("accounts.registration", "everybody", 400),
        ("rooms.guests_allowed", "yes", 400),
        ("http.announcement", "two\nlines", 400),
        ("http.announcement", "x" * 301, 400),
        ("recording.enabled", None, 400),
        ("mail.host", "evil.example", 404),
        ("http.metrics_token", None, 404),
    ):
        status, problem = await house.ada.json("PUT", f"{ADMIN}/settings/{name}", {"value": value})
        assert (status, "evil" in problem["detail"]) == (expected, False), name

    _, listed = await house.ada.json("GET", f"{ADMIN}/settings")
    assert not any(each["set_here"] for each in listed["settings"])


async def test_what_was_set_outlives_a_restart(tmp_path: Path) -> None:
    """It stands in the database; the file's value waits behind it."""
    config = make_config(tmp_path / "data", recording={"enabled": True})
    async with running(config) as server, first_admin(server) as ada:
        assert (await ada.json("PUT", f"{ADMIN}/settings/recording.enabled", {"value": False}))[0] == 200
    async with running(config) as server:
        settings = config.model_copy(update={"http": server.config.http})
        listed = await call(settings, "settings.list", {})
        (setting,) = (each for each in listed if each["name"] == "recording.enabled")
        assert (setting["value"], setting["configured"], setting["set_here"]) == (False, True, True)
        assert not server.lifecycle.in_force.recording.enabled


def test_the_page_has_words_for_every_mail_and_every_setting() -> None:
    """A new kind of mail, or a new setting, must not stand there as a word of the program."""
    said = (STATIC / "js" / "i18n" / "server" / "en.js").read_text()
    words = [f"mailKind.{name}" for name in TEMPLATES if name != "test"]
    words += [f"mailError.{word}" for word in (*Failure, EXPIRED, DROPPED)]
    words += [f"{kind}.{name}" for name in NAMES for kind in ("setting", "settingHint")]

    assert [word for word in words if f"'{word}'" not in said] == []
