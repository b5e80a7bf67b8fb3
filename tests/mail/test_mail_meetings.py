"""Invitations as they arrive: over HTTP into a real mail server, and read there by a program that pymeet does not use.

That program is dateutil: its own reader of VTIMEZONE and of rules tells when a calendar would show the meeting.
"""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from live_server import PASSWORD, Visitor, first_admin, make_config, running, visiting
from post_office import PostOffice

from pymeet.config import Config
from pymeet.ops.client import call
from pymeet.server import Server

WEEKLY = {
    "title": "Plans for spring",
    "agenda": "Who does what\nAnd when",
    "start": "2027-03-22T09:00",
    "time_zone": "Europe/Berlin",
    "duration_min": 60,
    "rrule": "FREQ=WEEKLY;COUNT=4",
}


@pytest.fixture
async def server(tmp_path: Path, office: PostOffice) -> AsyncIterator[Server]:
    """A server that sends mail."""
    mail = {"host": "localhost", "port": office.port, "encryption": "off", "from_address": "meet@example.org"}
    async with running(make_config(tmp_path / "data", mail=mail)) as server:
        yield server


@pytest.fixture
async def ada(server: Server) -> AsyncIterator[Visitor]:
    """The organiser."""
    async with first_admin(server) as visitor:
        yield visitor


@asynccontextmanager
async def member(server: Server, name: str) -> AsyncIterator[Visitor]:
    """Somebody with an account, signed in by their link."""
    config: Config = server.config
    added = await call(config, "user.add", {"name": name, "email": f"{name.lower()}@example.org"})
    async with visiting(server) as visitor:
        body = {"token": added["link"].partition("#")[2], "password": PASSWORD}
        status, answer = await visitor.json("POST", "/api/v1/links/redeem", body)
        assert status == 200, answer
        yield visitor


class Read:
    """An iCalendar object, read by hand."""

    def __init__(self, text: str) -> None:
        self.lines = text.replace("\r\n ", "").split("\r\n")
        assert "\n" not in "".join(self.lines)
        body = "\n".join(self.lines)
        self.zones = tzical(io.StringIO(body[body.index("BEGIN:VTIMEZONE") : body.index("BEGIN:VEVENT")]))
        self.events = re.findall(r"BEGIN:VEVENT\n(.*?)END:VEVENT", body, re.DOTALL)
        self.method = re.search(r"^METHOD:(.*)$", body, re.MULTILINE)

    def value(self, name: str, event: int = 0) -> str:
        found = re.search(rf"^{name}(;[^:\n]*)?:(.*)$", self.events[event], re.MULTILINE)
        assert found, name
        return found[2]

    def starts(self) -> list[datetime]:
        """When a calendar would show the series."""
        begins = datetime.strptime(self.value("DTSTART"), "%Y%m%dT%H%M%S")
        zone = self.zones.get("Europe/Berlin")
        every: Any = rrulestr(self.value("RRULE"), dtstart=begins)
        return [each.replace(tzinfo=zone).astimezone(UTC) for each in every]


def calendar_of(message: EmailMessage) -> Read:
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    read = Read(part.get_payload(decode=True).decode())
    assert read.method
    assert part["Content-Type"].params["method"] == read.method[1]
    return read


async def mails_to(office: PostOffice, address: str, count: int) -> list[EmailMessage]:
    """The mails of one recipient, once there are so many."""
    async with asyncio.timeout(10):
        while True:
            found = [each.message for each in office.delivered if each.recipients == [address]]
            if len(found) >= count:
                return found
            await office.has(len(office.delivered) + 1)


async def test_an_invitation_an_update_and_a_cancellation_are_one_entry_in_every_calendar(
    server: Server, ada: Visitor, office: PostOffice
) -> None:
    """Somebody in New York reads another clock over both changes; update and cancellation match by UID and SEQUENCE."""
    body = {**WEEKLY, "start": "2027-03-08T15:00", "invitees": [{"email": "carol@example.net"}]}
    status, meeting = await ada.json("POST", "/api/v1/meetings", body)
    assert status == 201, meeting
    assert [each["answer"] for each in meeting["invitees"]] == ["none"]

    (invitation,) = await mails_to(office, "carol@example.net", 1)
    request = calendar_of(invitation)
    assert "Plans for spring" in str(invitation["Subject"])
    assert (request.method or [""])[1] == "REQUEST"
    assert request.value("SEQUENCE") == "0"
    assert request.value("SUMMARY") == "Plans for spring"
    assert request.value("LOCATION") == meeting["room"]["url"]
    assert request.value("ATTENDEE") == "mailto:carol@example.net"
    assert request.value("ORGANIZER") == "mailto:meet@example.org"
    assert "ada@example.org" not in str(invitation)
    shown = [f"{each.astimezone(ZoneInfo('America/New_York')):%m-%d %H:%M}" for each in request.starts()]
    # until 14 March Berlin is six hours ahead, then five, and six again from 28 March
    assert shown == ["03-08 09:00", "03-15 10:00", "03-22 10:00", "03-29 09:00"]

    status, changed = await ada.json("PATCH", f"/api/v1/meetings/{meeting['id']}", {"start": "2027-03-08T16:00"})
    assert (status, changed["sequence"]) == (200, 1)
    *_, update = await mails_to(office, "carol@example.net", 2)
    assert calendar_of(update).value("UID") == request.value("UID")
    assert calendar_of(update).value("SEQUENCE") == "1"
    assert calendar_of(update).starts()[0] == datetime(2027, 3, 8, 15, 0, tzinfo=UTC)

    one = f"/api/v1/meetings/{meeting['id']}/occurrences/20270315T160000"
    status, moved = await ada.json("PATCH", one, {"start": "2027-03-16T17:00", "duration_min": 30})
    assert (status, [each["recurrence_id"] for each in moved["changes"]]) == (200, ["20270315T160000"])
    *_, mail = await mails_to(office, "carol@example.net", 3)
    assert calendar_of(mail).value("RECURRENCE-ID", 1) == "20270315T160000"
    assert calendar_of(mail).value("DTSTART", 1) == "20270316T170000"

    assert (await ada.json("DELETE", one.replace("0315", "0322")))[0] == 204
    *_, mail = await mails_to(office, "carol@example.net", 4)
    assert (calendar_of(mail).method or [""])[1] == "CANCEL"
    assert calendar_of(mail).value("RECURRENCE-ID") == "20270322T160000"

    assert (await ada.json("DELETE", f"/api/v1/meetings/{meeting['id']}"))[0] == 204
    *_, mail = await mails_to(office, "carol@example.net", 5)
    cancelled = calendar_of(mail)
    assert (cancelled.method or [""])[1] == "CANCEL"
    assert cancelled.value("UID") == request.value("UID")
    assert cancelled.value("STATUS") == "CANCELLED"
    assert int(cancelled.value("SEQUENCE")) == 4
    assert (await ada.json("GET", f"/api/v1/meetings/{meeting['id']}"))[0] == 404


async def test_people_answer_by_their_link_or_signed_in_and_see_no_addresses(
    server: Server, ada: Visitor, office: PostOffice
) -> None:
    """The organiser learns who comes; nobody else learns an address, and a member only shows once they answered."""
    body = {**WEEKLY, "invitees": [{"email": "carol@example.net", "language": "de"}, {"email": "bob@example.org"}]}
    async with member(server, "Bob") as bob, member(server, "Eve") as eve, visiting(server) as carol:
        status, meeting = await ada.json("POST", "/api/v1/meetings", body)
        assert status == 201, meeting
        assert {each["name"] for each in meeting["invitees"]} == {None}

        (mail,) = await mails_to(office, "carol@example.net", 1)
        text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert "Montag, 22. März 2027, 09:00 bis 10:00 Uhr (Europe/Berlin)" in " ".join(text.split())
        token = re.search(r"/rsvp#(\S+)", text)[1]  # type: ignore[index]
        status, seen = await carol.json("POST", "/api/v1/rsvp/inspect", {"token": token})
        assert (status, seen["title"], seen["organiser"], seen["answer"]) == (200, "Plans for spring", "Ada", "none")
        status, seen = await carol.json("POST", "/api/v1/rsvp/answer", {"token": token, "answer": "tentative"})
        assert (status, seen["answer"]) == (200, "tentative")
        for wrong in ("x", token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), token + "x"):
            assert (await carol.json("POST", "/api/v1/rsvp/inspect", {"token": wrong}))[0] == 404
        assert (await carol.json("POST", "/api/v1/rsvp/answer", {"token": token, "answer": "perhaps"}))[0] == 400

        path = f"/api/v1/meetings/{meeting['id']}"
        status, mine = await bob.json("GET", path)
        assert (status, mine["mine"], mine["answer"]) == (200, False, "none")
        assert "example" not in str(mine["invitees"])
        assert (await bob.json("PUT", f"{path}/answer", {"answer": "accepted"}))[0] == 200
        assert (await bob.json("PATCH", path, {"title": "Mine"}))[0] == 403
        assert (await bob.json("DELETE", path))[0] == 403
        assert (await eve.json("GET", path))[0] == 404
        assert (await eve.json("PUT", f"{path}/answer", {"answer": "accepted"}))[0] == 404

        status, told = await ada.json("GET", path)
        answers = {each["email"]: (each["name"], each["answer"]) for each in told["invitees"]}
        assert answers == {"carol@example.net": (None, "tentative"), "bob@example.org": ("Bob", "accepted")}

        (gone,) = [each["id"] for each in told["invitees"] if each["email"] == "bob@example.org"]
        assert (await ada.json("DELETE", f"{path}/invitees/{gone}"))[0] == 204
        assert (await bob.json("GET", path))[0] == 404
        *_, mail = await mails_to(office, "bob@example.org", 2)
        assert (calendar_of(mail).method or [""])[1] == "CANCEL"
        assert (await ada.json("POST", f"{path}/invitees", {"email": "carol@example.net"}))[1][
            "code"
        ] == "already_invited"
        assert (await ada.json("POST", f"{path}/invitees", {"email": "ada@example.org"}))[0] == 400


async def test_a_calendar_shows_the_feed_until_its_address_is_voided(server: Server, ada: Visitor) -> None:
    """Calendars cannot sign in; a new address, and the end of the feed, void the old one."""
    status, meeting = await ada.json("POST", "/api/v1/meetings", WEEKLY)
    assert status == 201
    await ada.json("DELETE", f"/api/v1/meetings/{meeting['id']}/occurrences/20270329T090000")
    assert (await ada.json("GET", "/api/v1/calendar-feed"))[1]["enabled"] is False
    status, made = await ada.json("POST", "/api/v1/calendar-feed")
    assert status == 201
    path = made["url"].removeprefix(server.url)

    async with visiting(server) as program:
        async with program.http.get(path) as response:
            read = Read(await response.text())
            assert (response.status, response.content_type) == (200, "text/calendar")
        assert read.starts()[0] == datetime(2027, 3, 22, 8, 0, tzinfo=UTC)
        assert read.value("EXDATE") == "20270329T090000"
        assert "ada@example.org" not in str(read.lines)

        status, again = await ada.json("POST", "/api/v1/calendar-feed")
        assert status == 201
        assert (await program.json("GET", path))[0] == 404
        path = again["url"].removeprefix(server.url)
        assert (await ada.json("DELETE", "/api/v1/calendar-feed"))[0] == 204
        assert (await program.json("GET", path))[0] == 404
        assert (await program.json("GET", "/calendar/x.ics"))[0] == 404
        assert (await program.json("POST", "/api/v1/calendar-feed"))[0] == 401


async def test_meetings_are_listed_in_order_and_in_pages(server: Server, ada: Visitor) -> None:
    """Two series that interleave, some entries at a time, each of them once."""
    room = await ada.make_room()
    for start in ("2027-03-22T09:00", "2027-03-23T09:00"):
        status, made = await ada.json("POST", "/api/v1/meetings", {**WEEKLY, "start": start, "room": room})
        assert (status, made["room"]["slug"]) == (201, room)
    time = {"from": "1806000000000", "to": "1808000000000"}  # 25 March to 17 April 2027
    found: list[int] = []
    after = ""
    for _ in range(10):
        async with ada.http.get("/api/v1/meetings", params={**time, "limit": "2", "after": after}) as response:
            page = await response.json()
        found += [each["occurrence"]["starts_at"] for each in page["occurrences"]]
        after = page["next"]
        if after is None:
            break

    assert found == sorted(found)
    assert [datetime.fromtimestamp(each / 1000, UTC).strftime("%m-%d") for each in found] == [
        *("03-29", "03-30", "04-05", "04-06", "04-12", "04-13")
    ]
    for wrong in ("from=x", "limit=0", "limit=501", "from=0&to=99999999999999", "after=x", "from=5&to=4"):
        assert (await ada.json("GET", f"/api/v1/meetings?{wrong}"))[0] == 400
    for far in ("from=253000000000000", "from=999999999999999", "from=0"):
        assert (await ada.json("GET", f"/api/v1/meetings?{far}"))[0] == 400
    for far in ("99800101T090000", "99991231T090000", "00010101T090000"):
        assert (await ada.json("DELETE", f"/api/v1/meetings/{made['id']}/occurrences/{far}"))[0] == 400
    body = {**WEEKLY, "room": "somebody-elses"}
    assert (await ada.json("POST", "/api/v1/meetings", body))[0] == 404
    assert (await ada.json("POST", "/api/v1/meetings", {**WEEKLY, "start": "2020-01-01T09:00", "rrule": None}))[
        0
    ] == 400


async def test_a_member_chooses_their_mails_and_has_a_room(server: Server, ada: Visitor, office: PostOffice) -> None:
    """Who wants no mail gets none; the personal room is made once."""
    async with member(server, "Bob") as bob:
        address = "/api/v1/notification-settings"
        settings = (await bob.json("GET", address))[1]
        assert (settings["mail"], settings["reminder_min"]) == (True, 15)
        assert (await bob.json("PUT", address, {"mail": False, "reminder_min": None}))[0] == 204
        settings = (await bob.json("GET", address))[1]
        assert (settings["mail"], settings["reminder_min"]) == (False, None)
        assert (await bob.json("PUT", address, {"mail": True, "reminder_min": 1441}))[0] == 400
        rooms = [(await bob.json("POST", "/api/v1/personal-room"))[1] for _ in range(2)]
        assert rooms[0] == rooms[1]
        assert rooms[0]["name"] == "Personal room"

        invited = [{"email": "bob@example.org"}, {"email": "carol@example.net"}]
        assert (await ada.json("POST", "/api/v1/meetings", {**WEEKLY, "invitees": invited}))[0] == 201
        await mails_to(office, "carol@example.net", 1)
        assert not [each for each in office.delivered if each.recipients == ["bob@example.org"]]
