"""What members are told on the pages: by the deeds that they are told of, read as they may see it now, and for a time."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.support.migrated import prepare
from tests.support.recordings import Made, Seat, change_recording, make_recording

from pymeet.accounts.devices import Browser, Devices
from pymeet.accounts.model import User
from pymeet.clock import ManualClock
from pymeet.config import Config, RecordingConfig
from pymeet.db import audit, notifications, schema
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.meetings.planning import Planning
from pymeet.meetings.schedule import Details
from pymeet.ops.knocks import QUIET_MIN, Knocks
from pymeet.ops.notifications import Choice, Notification, Notifications
from pymeet.ops.operations import run
from pymeet.ops.services import Services, open_services
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.expiring import announce_endings
from pymeet.privacy.people import member
from pymeet.privacy.plan import plan
from pymeet.privacy.purge import execute
from pymeet.privacy.requests import Requests
from pymeet.recording import film_store, store
from pymeet.retention import days, minutes

ONCE = Details("A title that nobody else has", "", "2027-03-22T09:00", "Europe/Berlin", 60)
NINE_MS = 1805702400000
MAIL = {"host": "localhost", "encryption": "off", "from_address": "meet@example.org"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_ms=NINE_MS - days(100))


@pytest.fixture
async def services(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Services]:
    site = {"public_url": "https://x.example"}
    config = Config.model_validate({"data_dir": tmp_path / "data", "mail": MAIL, "http": site})
    prepare(config.database_path)
    async with open_services(config, clock) as services:
        yield services


@pytest.fixture
def planning(services: Services) -> Planning:
    return Planning.of(services.lifecycle, services.meetings, site="https://x.example", key=b"k" * 32)


@pytest.fixture
def told(services: Services) -> Notifications:
    return Notifications(services.lifecycle)


async def person(services: Services, name: str) -> User:
    """Somebody with an account."""
    made = await run(services, "user.add", {"name": name, "email": f"{name.lower()}@example.org"})
    return User(made["id"], name, f"{name.lower()}@example.org", is_admin=False)


async def of(told: Notifications, user: User) -> list[Notification]:
    """Everything that somebody is shown."""
    return (await told.page(user, "", 100))[0]


async def kinds(told: Notifications, user: User) -> list[str]:
    return [each.kind for each in await of(told, user)]


async def rows(services: Services, table: Any) -> int:
    async with services.db.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(table))).scalar_one())


async def mails(services: Services) -> list[str]:
    """The templates of the mails that wait, with whom they go to."""
    outbox = schema.mail_outbox.c
    async with services.db.read() as conn:
        found = await conn.execute(select(outbox.template, outbox.to_address).order_by(outbox.created_at_ms))
        return [f"{row.template} {row.to_address}" for row in found]


async def test_who_is_invited_reads_what_the_meeting_is_called_and_who_invites(
    services: Services, planning: Planning, told: Notifications, clock: ManualClock
) -> None:
    """A change takes the place of what was told before; whoever is not invited any more reads nothing of it."""
    ada, bob = await person(services, "Ada"), await person(services, "Bob")
    meeting = await planning.schedule.plan(ada, ONCE, None, [("bob@example.org", ""), ("carol@example.net", "")])

    (invited,) = await of(told, bob)
    assert (invited.kind, invited.subject, invited.person) == ("meeting_invited", ONCE.title, "Ada")
    assert (invited.moment_ms, invited.page, invited.is_read, invited.all_day) == (
        NINE_MS,
        f"/#meeting={meeting.id}",
        False,
        False,
    )
    assert await of(told, ada) == []

    for title in ("Another title", "The title of the end"):
        clock.utc_ms += 1000
        await planning.schedule.change(ada, meeting.id, replace(ONCE, title=title, start="2027-03-22T10:00"))
    assert [(each.kind, each.subject, each.moment_ms) for each in await of(told, bob)] == [
        ("meeting_changed", "The title of the end", NINE_MS + minutes(60)),
        ("meeting_invited", "The title of the end", NINE_MS),
    ]

    invitee = next(each for each in (await planning.schedule.show(ada, meeting.id))[1] if each.user_id == bob.id)
    await planning.schedule.uninvite(ada, meeting.id, invitee.id)
    (cancelled,) = await of(told, bob)
    assert (cancelled.kind, cancelled.moment_ms) == ("meeting_cancelled", NINE_MS + minutes(60))
    assert cancelled.page == "/"
    assert cancelled.subject is None, "the meeting takes place in its room, so nothing may read as if either were off"


async def test_what_is_told_of_several_meetings_of_a_series_or_a_room_stays_apart(
    services: Services, planning: Planning, told: Notifications, clock: ManualClock
) -> None:
    """Who reads of one cancelled meeting only comes to the others; what is moved twice is told once, where it is now."""
    ada, bob = await person(services, "Ada"), await person(services, "Bob")
    weekly, to = replace(ONCE, rrule="FREQ=WEEKLY;COUNT=5"), [("bob@example.org", "")]
    room = await services.meetings.create_room("Garden", ada.id, "garden")
    series = await planning.schedule.plan(ada, weekly, room.slug, to)
    other = await planning.schedule.plan(ada, replace(ONCE, start="2027-03-24T09:00"), room.slug, to)
    week_ms = days(7) - minutes(60)  # the clocks change after the first

    async def moments(kind: str) -> list[int | None]:
        return sorted((each.moment_ms for each in await of(told, bob) if each.kind == kind), key=lambda at: at or 0)

    await planning.schedule.cancel_one(ada, series.id, "20270405T090000")
    await planning.schedule.cancel_one(ada, series.id, "20270412T090000")
    assert await moments("meeting_cancelled") == [NINE_MS + week_ms + days(7), NINE_MS + week_ms + days(14)]

    await planning.schedule.move_one(ada, series.id, "20270329T090000", "2027-03-30T09:00", None)
    await planning.schedule.move_one(ada, series.id, "20270419T090000", "2027-04-20T09:00", None)
    await planning.schedule.move_one(ada, series.id, "20270329T090000", "2027-03-31T09:00", None)
    assert await moments("meeting_changed") == [NINE_MS + week_ms + days(2), NINE_MS + week_ms + days(22)]

    await planning.schedule.cancel(ada, series.id)
    await planning.schedule.cancel(ada, other.id)
    assert await moments("meeting_cancelled") == [
        *(NINE_MS, NINE_MS + days(2), NINE_MS + week_ms + days(7), NINE_MS + week_ms + days(14))
    ]


async def test_nothing_of_an_organiser_is_left_with_those_they_invited(
    services: Services, planning: Planning, told: Notifications
) -> None:
    """What is told of a meeting that is off names its room, and no title and nobody is copied into it."""
    ada, bob = await person(services, "Ada"), await person(services, "Bob")
    room = await services.meetings.create_room("Garden", ada.id, "garden")
    await planning.schedule.plan(ada, ONCE, room.slug, [("bob@example.org", "")])

    receipt = await Erasures(services.lifecycle).erase_now(member(ada.id), "operator", "operator")

    assert receipt.search == "clean", receipt.findings
    (cancelled,) = await of(told, bob)
    assert (cancelled.kind, cancelled.subject, cancelled.person) == ("meeting_cancelled", "Garden", None)
    assert cancelled.page == "/r/garden"
    assert await told.unread(bob) == 1


async def test_an_organiser_reads_who_answered_what(
    services: Services, planning: Planning, told: Notifications
) -> None:
    """One line for each who was invited, with the last answer; members by name, others by the address that was invited."""
    ada, bob = await person(services, "Ada"), await person(services, "Bob")
    invited = [("bob@example.org", ""), ("carol@example.net", "")]
    meeting = await planning.schedule.plan(ada, ONCE, None, invited)
    mailed = select(schema.mail_outbox.c.template_values).where(schema.mail_outbox.c.to_address == "carol@example.net")
    async with services.db.read() as conn:
        values = json.loads((await conn.execute(mailed)).scalar_one())

    await planning.answers.as_member(bob, meeting.id, "declined")
    await planning.answers.as_member(bob, meeting.id, "tentative")
    await planning.answers.as_member(bob, meeting.id, "tentative")
    await planning.answers.by_token(values["answer_url"].partition("#")[2], "accepted")

    found = {each.person: (each.kind, each.answer, each.subject) for each in await of(told, ada)}
    assert found == {
        "Bob": ("meeting_answered", "tentative", ONCE.title),
        "carol@example.net": ("meeting_answered", "accepted", ONCE.title),
    }
    assert {each.page for each in await of(told, ada)} == {f"/#meeting={meeting.id}"}
    await planning.schedule.cancel(ada, meeting.id)
    assert await of(told, ada) == []


async def test_who_does_not_want_to_be_told_is_not(services: Services, planning: Planning, told: Notifications) -> None:
    """On the pages and by mail apart; a browser that is new here is told in any case."""
    ada, bob = await person(services, "Ada"), await person(services, "Bob")
    before = await told.choices(bob)
    assert before["meeting_invited"] == Choice(in_app=True, mail=True)
    assert before["recording_ready"] == Choice(in_app=True, mail=None)
    assert "new_device" not in before

    await told.choose(bob, {"meeting_invited": Choice(in_app=True, mail=False)})
    await told.choose(bob, {"meeting_cancelled": Choice(in_app=False, mail=True)})
    meeting = await planning.schedule.plan(ada, ONCE, None, [("bob@example.org", "")])
    assert await kinds(told, bob) == ["meeting_invited"]
    await planning.schedule.cancel(ada, meeting.id)

    assert await kinds(told, bob) == []
    assert await mails(services) == ["meeting_cancelled bob@example.org"]
    for wrong in ({"new_device": Choice(in_app=False, mail=None)}, {"recording_ready": Choice(in_app=True, mail=True)}):
        with pytest.raises(InvalidInputError):
            await told.choose(bob, wrong)


async def test_reading_deleting_and_paging_is_everybodys_own(
    services: Services, told: Notifications, clock: ManualClock
) -> None:
    """What came after somebody looked stays new, and nobody reaches what others are told."""
    ada, bob = await person(services, "Ada"), await person(services, "Bob")
    for number in range(5):
        clock.utc_ms += 1000
        await _tell(services, bob, "new_device", f"device-{number}")
    first, following = await told.page(bob, "", 2)
    assert following is not None
    second, _ = await told.page(bob, following, 3)
    assert [each.created_at_ms for each in (*first, *second)] == sorted(
        (each.created_at_ms for each in (*first, *second)), reverse=True
    )
    assert (await told.page(bob, following, 3))[1] is None
    with pytest.raises(InvalidInputError):
        await told.page(bob, "x", 3)

    await told.read(bob, second[-1].id)
    assert await told.unread(bob) == 4
    await told.read_all(bob, second[0].created_at_ms)
    assert await told.unread(bob) == 2
    for call in (told.read(ada, first[0].id), told.delete(ada, first[0].id)):
        with pytest.raises(NotFoundError):
            await call
    await told.delete(bob, first[0].id)
    assert (await of(told, bob))[0].id == first[1].id
    assert await told.unread(bob) == 1


async def test_what_is_told_ends_after_thirty_days_when_it_was_read_and_ninety_in_any_case(
    services: Services, told: Notifications, clock: ManualClock
) -> None:
    """Hidden to the millisecond, and deleted by the next sweep."""
    bob = await person(services, "Bob")
    await _tell(services, bob, "new_device", "first")
    await _tell(services, bob, "new_device", "second")
    (one, other) = await of(told, bob)
    await told.read(bob, one.id)

    clock.utc_ms += days(30) - 1
    assert len(await of(told, bob)) == 2
    clock.utc_ms += 1
    assert [each.id for each in await of(told, bob)] == [other.id]
    clock.utc_ms += days(60)
    assert await of(told, bob) == []
    made = await services.db.study(plan, services.lifecycle.periods, clock.now_ms())
    await execute(services.lifecycle, made, actor=audit.SYSTEM)

    assert await rows(services, schema.notifications) == 0


async def test_only_the_newest_are_kept_of_a_flood(services: Services, told: Notifications) -> None:
    """Somebody who plans and cancels all day fills nobody's database."""
    bob = await person(services, "Bob")
    for number in range(notifications.MOST + 3):
        await _tell(services, bob, "new_device", f"device-{number:03}", at_ms=number)

    assert await rows(services, schema.notifications) == notifications.MOST


async def test_those_in_a_recording_are_told_once_when_it_can_be_watched(
    services: Services, told: Notifications
) -> None:
    """Also where no films are made; who was taken out of it, or when it is in the trash, reads nothing of it."""
    ann, bob, eve = [await person(services, each) for each in ("Ann", "Bob", "Eve")]
    made = await _recording(services, ann, bob)
    await services.db.work(film_store.tell_ready, made.id, services.clock.now_ms())
    assert [(each.kind, each.subject, each.page) for each in await of(told, bob)] == [
        ("recording_ready", "Tea", f"/recordings/{made.id}")
    ]
    (first,) = await of(told, ann)
    await services.db.work(film_store.tell_ready, made.id, services.clock.now_ms() + days(1))
    assert await of(told, ann) == [first]
    assert await of(told, eve) == []

    await change_recording(services.lifecycle, made.id, trashed_at_ms=services.clock.now_ms())
    assert await of(told, bob) == []

    without = await make_recording(services.lifecycle, "tea-time", ann.id, {"Ann": Seat(ann.id)}, name="No film")
    async with services.db.write() as conn:
        await conn.execute(schema.films.delete().where(schema.films.c.recording_id == without.id))
    config = RecordingConfig.model_validate({"film": "off"})
    assert not await services.db.work(store.queue_film, without.id, config, services.clock.now_ms())
    assert [each.subject for each in await of(told, ann)] == ["No film"]


async def test_the_end_of_a_recording_is_told_also_without_mail_and_taken_back(
    tmp_path: Path, clock: ManualClock
) -> None:
    """A warning of what will not happen is worse than none."""
    config = Config(data_dir=tmp_path / "quiet")
    prepare(config.database_path)
    async with open_services(config, clock) as services:
        told, ann = Notifications(services.lifecycle), await person(services, "Ann")
        made = await _recording(services, ann, ann)
        clock.utc_ms += days(84)

        assert await announce_endings(services.lifecycle, "https://x.example/recordings") == 1

        (ending,) = await of(told, ann)
        assert (ending.kind, ending.subject, ending.moment_ms) == (
            "recording_expiring",
            "Tea",
            clock.utc_ms + days(6),
        )
        assert await mails(services) == []
        await change_recording(services.lifecycle, made.id, keep_from_ms=clock.utc_ms)
        assert await announce_endings(services.lifecycle, "https://x.example/recordings") == 0
        assert await of(told, ann) == []


async def test_an_owner_is_told_of_the_same_room_every_ten_minutes_at_most(
    services: Services, told: Notifications, clock: ManualClock
) -> None:
    """Whoever knocks again and again disturbs nobody more; after a restart what was told is looked up."""
    ann = await person(services, "Ann")
    room = await services.meetings.create_room("Garden", ann.id, "garden")

    async def knock(knocks: Knocks, *, last: str) -> Notification:
        """What is told of the garden after some knocks there, and one at a room where nobody knocked before."""
        other = await services.meetings.create_room(last, ann.id)
        for room_id in (room.id, room.id, other.id):
            knocks.noted(room_id, ann.id)
        running = asyncio.create_task(knocks.run())
        async with asyncio.timeout(5):
            while last not in [each.subject for each in await of(told, ann)]:  # noqa: ASYNC110  pages ask again, too
                await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        (found,) = [each for each in await of(told, ann) if each.subject == "Garden"]
        return found

    knocks = Knocks(services.db, clock)
    first = await knock(knocks, last="one")
    assert (first.kind, first.page) == ("somebody_waits", "/r/garden")
    assert await knock(Knocks(services.db, clock), last="two") == first
    clock.utc_ms += minutes(QUIET_MIN)
    clock.monotonic_s += QUIET_MIN * 60
    assert (await knock(knocks, last="three")).id != first.id


async def test_a_new_browser_and_a_decision_are_told(
    services: Services, told: Notifications, clock: ManualClock
) -> None:
    """The browser by its name, as long as it is known."""
    ann = await person(services, "Ann")
    clock.advance(3600)  # who got their account a moment ago is not told of the browser in which they did
    devices = Devices(services.db, services.clock, remember_ms=0)
    token = await devices.arrived(ann, Browser(None, "Firefox (Linux)"), remember=False, mail=None)
    await devices.arrived(ann, Browser(token, "Firefox (Linux)"), remember=False, mail=None)
    assert [(each.kind, each.subject, each.page) for each in await of(told, ann)] == [
        ("new_device", "Firefox (Linux)", "/security")
    ]
    async with services.db.write() as conn:
        await conn.execute(schema.known_devices.delete())
    assert [each.subject for each in await of(told, ann)] == [None]

    requests = Requests(services.lifecycle)
    for actor in (ann.id, "operator"):  # what somebody does themselves is no news to them
        clock.utc_ms += 1000
        opened = await requests.open("access", member(ann.id), "self", ann.id, tell=False)
        await requests.decide(opened.id, "granted", actor)
    assert await kinds(told, ann) == ["request_decided", "new_device"]


async def _recording(services: Services, host: User, other: User) -> Made:
    await run(services, "room.create", {"name": "Tea", "slug": "tea-time"})
    seats = {"Ann": Seat(host.id), "Bob": Seat(other.id), "Guest": Seat(participant_id="x" * 22)}
    return await make_recording(services.lifecycle, "tea-time", host.id, seats)


async def _tell(services: Services, to: User, kind: str, about: str, *, at_ms: int | None = None) -> None:
    now_ms = services.clock.now_ms() if at_ms is None else at_ms
    await services.db.work(
        lambda conn: notifications.tell(conn, now_ms=now_ms, user_id=to.id, kind=kind, object_id=about)
    )
