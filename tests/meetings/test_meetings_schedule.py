"""What is planned, by the clock: reminders, erasure, deleted rooms, and what is over."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import func, insert, select, update

from pymeet.accounts.model import User
from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.schema import invitees, mail_outbox, meetings, metadata, users
from pymeet.errors import ConflictError, InvalidInputError, TooManyError
from pymeet.mail.message import Sender, compose
from pymeet.meetings import schedule
from pymeet.meetings.feeds import Notifications
from pymeet.meetings.planning import Planning
from pymeet.meetings.schedule import Details
from pymeet.ops.services import Services, open_services
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.people import member
from pymeet.retention import days, minutes

NINE_MS = round(datetime(2027, 3, 22, 8, 0, tzinfo=UTC).timestamp() * 1000)
"""Nine o'clock in Berlin, on a Monday; the clocks change on the Sunday after it."""

WEEKLY = Details("A title that nobody else has", "", "2027-03-22T09:00", "Europe/Berlin", 60, "FREQ=WEEKLY;COUNT=3")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_ms=NINE_MS - days(2))


@pytest.fixture
async def services(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Services]:
    mail = {"host": "localhost", "encryption": "off", "from_address": "meet@example.org"}
    config = Config.model_validate({"data_dir": tmp_path, "mail": mail, "http": {"public_url": "https://x.example"}})
    async with open_services(config, clock) as services:
        yield services


@pytest.fixture
def planning(services: Services) -> Planning:
    return Planning.of(services.lifecycle, services.meetings, site="https://x.example", key=b"k" * 32)


async def person(services: Services, name: str, **also: Any) -> User:
    """Somebody with an account."""
    user = User(f"{name:_<22}", name, f"{name}@example.org", is_admin=False)
    now_ms = services.clock.now_ms()
    values = {"id": user.id, "name": f"Their name is {name}", "email": user.email, "is_admin": False}
    async with services.db.write() as conn:
        await conn.execute(insert(users).values(created_at_ms=now_ms, last_seen_at_ms=now_ms, **values, **also))
    return user


async def mails(services: Services, template: str) -> list[tuple[str, dict[str, str]]]:
    """The mails of a kind that were queued so far: to whom, with what."""
    query = select(mail_outbox.c.to_address, mail_outbox.c.template_values).where(mail_outbox.c.template == template)
    async with services.db.read() as conn:
        found = (await conn.execute(query.order_by(mail_outbox.c.created_at_ms, mail_outbox.c.to_address))).all()
    return [(row.to_address, json.loads(row.template_values)) for row in found]


async def letters(services: Services, template: str, to: str) -> list[tuple[str, str, str]]:
    """The mails of a kind to somebody, oldest first: subject, text and HTML, each on one line."""
    query = select(mail_outbox.c.language, mail_outbox.c.template_values).where(
        mail_outbox.c.template == template, mail_outbox.c.to_address == to
    )
    sender = Sender("meet@example.org", "pymeet", "https://x.example", "x.example", "ada@example.org")
    async with services.db.read() as conn:
        found = (await conn.execute(query.order_by(mail_outbox.c.created_at_ms))).all()
    read = []
    for row in found:
        values = json.loads(row.template_values)
        mail = compose(
            mail_id="x", template=template, language=row.language, values=values, to=to, sender=sender, now_ms=NINE_MS
        )
        parts = [mail.get_body((kind,)) for kind in ("plain", "html")]
        text, html = (" ".join(part.get_content().split()) for part in parts if part is not None)
        read.append((str(mail["Subject"]), text, html))
    return read


async def count(services: Services, table: str) -> int:
    async with services.db.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(metadata.tables[table]))).scalar_one())


async def test_everybody_is_reminded_once_when_they_want_by_their_own_clock(
    services: Services, planning: Planning, clock: ManualClock
) -> None:
    """The second meeting of the series is after the change of the clocks: an hour earlier, as UTC counts."""
    ada = await person(services, "ada")
    bob = await person(services, "bob", time_zone="America/New_York")
    await planning.feeds.want(bob, Notifications(mail=True, reminder_min=60))
    await person(services, "eve")
    invited = [("bob@example.org", ""), ("carol@example.net", ""), ("dan@example.net", "")]
    meeting = await planning.schedule.plan(ada, WEEKLY, None, invited)
    invitations = dict(await mails(services, "meeting_invitation"))
    token = invitations["carol@example.net"]["answer_url"].partition("#")[2]
    await planning.answers.by_token(token, "accepted")
    assert "04:00 to 05:00 (America/New_York)" in invitations["bob@example.org"]["when"]

    async def reminded(at_ms: int) -> list[str]:
        before = len(await mails(services, "meeting_reminder"))
        clock.utc_ms = at_ms
        await planning.reminders.send_due()
        return [to for to, _ in (await mails(services, "meeting_reminder"))[before:]]

    assert await reminded(NINE_MS - minutes(90)) == []
    assert await reminded(NINE_MS - minutes(60)) == ["bob@example.org"]
    assert await reminded(NINE_MS - minutes(59)) == []
    assert await reminded(NINE_MS - minutes(14)) == ["ada@example.org", "carol@example.net"]
    assert await reminded(NINE_MS) == []
    second_ms = NINE_MS + days(7) - minutes(60)
    assert await reminded(second_ms - minutes(61)) == []
    # a server that was down for a while sends late what is still of use
    assert await reminded(second_ms - minutes(5)) == ["ada@example.org", "bob@example.org", "carol@example.net"]
    await planning.schedule.cancel_one(ada, meeting.id, "20270405T090000")
    assert await reminded(second_ms + days(7) - minutes(5)) == []
    async with services.db.read() as conn:
        assert (await conn.execute(select(meetings.c.next_at_ms))).scalar_one() is None


async def test_erasing_an_organiser_cancels_what_is_to_come_and_leaves_nothing_of_them(
    services: Services, planning: Planning, clock: ManualClock
) -> None:
    """Those invited must not wait in an empty room, and the mail that tells them must not keep the name alive."""
    ada = await person(services, "ada")
    bob = await person(services, "bob")
    await planning.schedule.plan(ada, WEEKLY, None, [("bob@example.org", ""), ("carol@example.net", "")])
    other = await planning.schedule.plan(bob, WEEKLY, None, [("ada@example.org", ""), ("carol@example.net", "")])
    await planning.feeds.make(ada)

    receipt = await Erasures(services.lifecycle).erase_now(member(ada.id), "operator", "operator")

    assert receipt.state == "done"
    assert receipt.search == "clean", receipt.findings
    cancelled = await mails(services, "meeting_cancelled")
    assert [to for to, _ in cancelled] == ["bob@example.org", "carol@example.net"]
    assert "METHOD:CANCEL" in cancelled[0][1]["calendar"]
    assert await count(services, "meetings") == 1
    assert await count(services, "calendar_feeds") == 0
    (left,) = (await planning.schedule.show(bob, other.id))[1]
    assert left.email == "carol@example.net"


async def test_a_deleted_room_takes_its_meetings_along_and_tells_those_invited(
    services: Services, planning: Planning
) -> None:
    """A link in somebody's calendar would lead nowhere."""
    ada = await person(services, "ada")
    meeting = await planning.schedule.plan(ada, WEEKLY, None, [("carol@example.net", "")])

    await services.meetings.delete_room(meeting.slug)

    assert [to for to, _ in await mails(services, "meeting_cancelled")] == ["carol@example.net"]
    assert await count(services, "meetings") == await count(services, "invitees") == 0


async def test_what_is_over_is_hidden_to_the_millisecond(
    services: Services, planning: Planning, clock: ManualClock
) -> None:
    """The sweep may be late; nobody sees what should be gone. A series without end is never over."""
    ada = await person(services, "ada")
    once = await planning.schedule.plan(ada, Details("Once", "", "2027-03-22T09:00", "Europe/Berlin", 60), None, [])
    await planning.schedule.plan(
        ada, Details("Ever", "", "2027-03-22T09:00", "Europe/Berlin", 60, "FREQ=WEEKLY"), once.slug, []
    )
    over_ms = NINE_MS + minutes(60) + days(30)

    clock.utc_ms = over_ms - 1
    assert {each.meeting.title for each in await planning.schedule.entries(ada, NINE_MS, over_ms)} == {"Once", "Ever"}
    clock.utc_ms = over_ms
    assert {each.meeting.title for each in await planning.schedule.entries(ada, NINE_MS, over_ms)} == {"Ever"}


async def test_a_changed_time_asks_again_and_a_changed_title_does_not(services: Services, planning: Planning) -> None:
    """Who said yes to Monday has not said yes to Tuesday; nobody is asked twice for a typing error."""
    ada, bob = await person(services, "ada"), await person(services, "bob")
    meeting = await planning.schedule.plan(ada, WEEKLY, None, [("bob@example.org", "")])
    await planning.answers.as_member(bob, meeting.id, "accepted")

    async def answer_after(details: Details) -> str:
        await planning.schedule.change(ada, meeting.id, details)
        async with services.db.read() as conn:
            return str((await conn.execute(select(invitees.c.answer))).scalar_one())

    assert await answer_after(Details("Another title", "", *_timing(WEEKLY))) == "accepted"
    assert await answer_after(Details("Another title", "", "2027-03-23T09:00", *_timing(WEEKLY)[1:])) == "none"
    assert len(await mails(services, "meeting_changed")) == 2
    await answer_after(Details("Another title", "", "2027-03-23T09:00", *_timing(WEEKLY)[1:]))
    assert len(await mails(services, "meeting_changed")) == 2, "nothing changed, so there is nothing to tell"


def _timing(details: Details) -> tuple[Any, ...]:
    return details.start, details.time_zone, details.duration_min, details.rrule


async def test_nobody_looks_so_far_that_a_rule_without_end_keeps_the_server_busy(
    services: Services, planning: Planning
) -> None:
    """One request would otherwise work out millions of days, or end in an error that nobody foresaw."""
    ada = await person(services, "ada")
    daily = Details("Daily", "", "2027-03-22T09:00", "Europe/Berlin", 60, "FREQ=DAILY")
    meeting = await planning.schedule.plan(ada, daily, None, [])

    for from_ms in (253_000_000_000_000, 999_999_999_999_999, 0):
        with pytest.raises(InvalidInputError):
            await planning.schedule.entries(ada, from_ms, from_ms + days(31))
    for name in ("99991231T090000", "00010101T090000", "99800101T090000", "99991231"):
        with pytest.raises(InvalidInputError):
            await planning.schedule.cancel_one(ada, meeting.id, name)
        with pytest.raises(InvalidInputError):
            await planning.schedule.move_one(ada, meeting.id, name, "2027-03-23T10:00", None)
    with pytest.raises(InvalidInputError):
        await planning.schedule.move_one(ada, meeting.id, "20270323T090000", "2199-03-23T10:00", None)


async def test_a_view_never_holds_more_than_a_calendar_can_show(
    services: Services, planning: Planning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many endless series over a long time are refused, before they fill the memory."""
    monkeypatch.setattr(schedule, "MOST_SHOWN", 10)
    ada = await person(services, "ada")
    await planning.schedule.plan(ada, Details("D", "", "2027-03-22T09:00", "Europe/Berlin", 60, "FREQ=DAILY"), None, [])

    assert len(await planning.schedule.entries(ada, NINE_MS, NINE_MS + days(9))) == 10
    with pytest.raises(TooManyError):
        await planning.schedule.entries(ada, NINE_MS, NINE_MS + days(10))


async def test_no_meeting_begins_long_ago_but_an_old_series_can_be_changed(
    services: Services, planning: Planning, clock: ManualClock
) -> None:
    """A series from 1971 makes every look at it work through its past; one that has run for years is still in use."""
    ada = await person(services, "ada")
    with pytest.raises(InvalidInputError):
        await planning.schedule.plan(
            ada, Details("Old", "", "1971-01-01T09:00", "Europe/Berlin", 60, "FREQ=DAILY"), None, []
        )
    ever = Details("Ever", "", "2027-03-22T09:00", "Europe/Berlin", 60, "FREQ=WEEKLY")
    meeting = await planning.schedule.plan(ada, ever, None, [])
    clock.utc_ms = NINE_MS + days(800)
    with pytest.raises(InvalidInputError):
        await planning.schedule.change(ada, meeting.id, replace(ever, start="2027-03-23T09:00"))
    changed = await planning.schedule.change(ada, meeting.id, replace(ever, title="Still", duration_min=30))
    assert (changed.title, changed.timing.duration_min) == ("Still", 30)


async def test_one_organiser_has_only_so_many_meetings_that_are_not_over(
    services: Services, planning: Planning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every one of them is looked at again and again; what was refused leaves no empty room behind."""
    monkeypatch.setattr(schedule, "MOST_PLANNED", 1)
    ada = await person(services, "ada")
    await planning.schedule.plan(ada, WEEKLY, None, [])

    with pytest.raises(ConflictError) as caught:
        await planning.schedule.plan(ada, WEEKLY, None, [])
    assert caught.value.code == "too_many_meetings"
    assert len(await services.meetings.rooms(ada.id)) == 1


async def test_only_so_many_of_a_series_differ_from_it(
    services: Services, planning: Planning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is kept and worked out apart; whoever is refused hears by which limit."""
    monkeypatch.setattr(schedule, "MOST_CHANGES", 1)
    ada = await person(services, "ada")
    meeting = await planning.schedule.plan(ada, WEEKLY, None, [])
    await planning.schedule.cancel_one(ada, meeting.id, "20270329T090000")

    with pytest.raises(ConflictError) as caught:
        await planning.schedule.cancel_one(ada, meeting.id, "20270405T090000")
    assert caught.value.code == "too_many_changes"


async def test_an_organiser_sees_the_address_they_wrote_to_and_no_other(services: Services, planning: Planning) -> None:
    """A member who changed their address did not tell it to everybody who ever invited them."""
    ada, bob = await person(services, "ada"), await person(services, "bob")
    meeting = await planning.schedule.plan(ada, WEEKLY, None, [(bob.email, "")])
    async with services.db.write() as conn:
        await conn.execute(update(users).where(users.c.id == bob.id).values(email="private@example.org"))

    (shown,) = (await planning.schedule.show(ada, meeting.id))[1]
    assert shown.email == "bob@example.org"
    await planning.schedule.invite(ada, meeting.id, "private@example.org", "")
    await planning.schedule.change(ada, meeting.id, replace(WEEKLY, title="Another"))
    assert {to for to, _ in await mails(services, "meeting_changed")} == {"private@example.org"}


async def test_a_personal_room_that_is_asked_for_twice_at_once_is_one_room(
    services: Services, planning: Planning
) -> None:
    """Two open pages ask at the same moment; the room of the slower one would stay behind, empty."""
    ada = await person(services, "ada")

    one, other = await asyncio.gather(planning.personal_rooms.room_of(ada), planning.personal_rooms.room_of(ada))

    assert one == other
    assert [each.slug for each in await services.meetings.rooms(ada.id)] == [one.slug]


async def test_inviting_and_taking_back_again_and_again_is_not_a_way_to_flood_somebody(
    services: Services, planning: Planning, clock: ManualClock
) -> None:
    """Mails count, not the rows that are left; and several organisers together reach one address only so often."""
    ada, bob = await person(services, "ada"), await person(services, "bob")
    meeting = await planning.schedule.plan(ada, WEEKLY, None, [])
    for _ in range(15):
        invitee = await planning.schedule.invite(ada, meeting.id, "carol@example.net", "")
        await planning.schedule.uninvite(ada, meeting.id, invitee.id)

    with pytest.raises(TooManyError):
        await planning.schedule.plan(bob, WEEKLY, None, [("carol@example.net", "")])
    clock.utc_ms += minutes(60)
    await planning.schedule.plan(bob, WEEKLY, None, [("carol@example.net", "")])


async def test_changes_are_limited_and_that_a_meeting_is_off_is_always_told(
    services: Services, planning: Planning
) -> None:
    """A change to a large meeting is hundreds of mails; but nobody must wait for a meeting that is off."""
    ada = await person(services, "ada")
    people = [(f"p{number}@example.net", "") for number in range(100)]
    meeting = await planning.schedule.plan(ada, WEEKLY, None, people)
    await planning.schedule.change(ada, meeting.id, replace(WEEKLY, title="One"))
    await planning.schedule.change(ada, meeting.id, replace(WEEKLY, title="Two"))

    with pytest.raises(TooManyError):
        await planning.schedule.change(ada, meeting.id, replace(WEEKLY, title="Three"))
    assert (await planning.schedule.show(ada, meeting.id))[0].title == "Two"
    await planning.schedule.cancel(ada, meeting.id)
    assert len(await mails(services, "meeting_cancelled")) == 100


async def test_whoever_declined_is_told_only_of_another_time(services: Services, planning: Planning) -> None:
    """Who does not come need not know what it will be about."""
    ada, bob = await person(services, "ada"), await person(services, "bob")
    meeting = await planning.schedule.plan(ada, WEEKLY, None, [(bob.email, "")])
    await planning.answers.as_member(bob, meeting.id, "declined")

    await planning.schedule.change(ada, meeting.id, replace(WEEKLY, title="Another"))
    assert await mails(services, "meeting_changed") == []
    await planning.schedule.change(ada, meeting.id, replace(WEEKLY, title="Another", start="2027-03-23T09:00"))
    assert len(await mails(services, "meeting_changed")) == 1


async def test_each_invited_gets_a_calendar_of_their_own_with_the_agenda_once(
    services: Services, planning: Planning
) -> None:
    """Every meeting of a series that was moved would repeat thousands of characters, for everybody."""
    ada = await person(services, "ada")
    agenda = replace(WEEKLY, title="END:VEVENT", agenda="What nobody else wrote\nEND:VEVENT\nX")
    long = f"{'d' * 60}@{'e' * 60}.example.net"
    meeting = await planning.schedule.plan(ada, agenda, None, [("carol@example.net", ""), (long, "")])
    await planning.schedule.move_one(ada, meeting.id, "20270329T090000", "2027-03-30T09:00", None)

    sent = dict(await mails(services, "meeting_changed"))
    for address in ("carol@example.net", long):
        events = Calendar.from_ical(sent[address]["calendar"]).walk("VEVENT")
        assert [str(each["ATTENDEE"]) for each in events] == [f"mailto:{address}"] * 2
        assert [each["ATTENDEE"].params["PARTSTAT"] for each in events] == ["NEEDS-ACTION"] * 2
        assert ["nobody else wrote" in each["DESCRIPTION"] for each in events] == [True, False]


async def test_one_meeting_that_cannot_be_worked_out_does_not_stop_the_reminders_of_the_others(
    services: Services, planning: Planning, clock: ManualClock
) -> None:
    """A time zone may vanish from the system's data; everybody else still wants to be reminded."""
    ada = await person(services, "ada")
    bad = await planning.schedule.plan(ada, WEEKLY, None, [])
    await planning.schedule.plan(ada, WEEKLY, bad.slug, [])
    await planning.reminders.send_due()
    async with services.db.write() as conn:
        await conn.execute(update(meetings).where(meetings.c.id == bad.id).values(time_zone="Nowhere/Gone"))

    clock.utc_ms = NINE_MS - minutes(14)
    assert await planning.reminders.send_due() == 1
    async with services.db.read() as conn:
        query = select(meetings.c.next_at_ms).where(meetings.c.id == bad.id)
        assert (await conn.execute(query)).scalar_one() is None


BOTH = [("carol@example.net", "en"), ("dora@example.net", "de")]


async def test_that_a_whole_series_is_off_reads_otherwise_than_that_one_meeting_is(
    services: Services, planning: Planning, clock: ManualClock
) -> None:
    """Who reads that Monday is cancelled comes the Monday after."""
    ada = await person(services, "ada")
    meeting = await planning.schedule.plan(ada, replace(WEEKLY, title="Tea"), None, BOTH)
    once = await planning.schedule.plan(ada, replace(WEEKLY, title="Once", rrule=None), meeting.slug, BOTH)
    await planning.schedule.cancel_one(ada, meeting.id, "20270329T090000")
    clock.utc_ms += 1000
    await planning.schedule.cancel(ada, meeting.id)
    clock.utc_ms += 1000
    await planning.schedule.cancel(ada, once.id)

    one, every, alone = await letters(services, "meeting_cancelled", "carol@example.net")
    assert (one[0], every[0], alone[0]) == ("Cancelled: Tea", "Whole series cancelled: Tea", "Cancelled: Once")
    for part in one[1:]:
        assert "“Tea” on Monday, 29 March 2027, 09:00 to 10:00 (Europe/Berlin) is cancelled." in part
        assert "series" not in part
    for part in every[1:]:
        assert "The whole series “Tea” (every week, until Monday, 5 April 2027) is cancelled" in part
        assert "no meeting of it takes place any more" in part
        assert "The next one would have been on Monday, 22 March 2027, 09:00 to 10:00 (Europe/Berlin)." in part
    assert "“Once” on Monday, 22 March 2027" in alone[1]
    assert "series" not in alone[1]

    one, every, alone = await letters(services, "meeting_cancelled", "dora@example.net")
    assert (one[0], every[0], alone[0]) == ("Abgesagt: Tea", "Ganze Reihe abgesagt: Tea", "Abgesagt: Once")
    for part in every[1:]:
        assert "Die ganze Reihe „Tea“ (jede Woche, bis Montag, 5. April 2027) ist abgesagt" in part
        assert "keine ihrer Besprechungen findet mehr statt" in part
        assert "Die nächste wäre am Montag, 22. März 2027, 09:00 bis 10:00 Uhr (Europe/Berlin) gewesen." in part
    assert not [part for part in (*one, *alone) if "Reihe" in part]


async def test_no_next_meeting_is_named_where_there_is_none(
    services: Services, planning: Planning, clock: ManualClock
) -> None:
    """A series may be cancelled while its last meeting goes on."""
    ada = await person(services, "ada")
    meeting = await planning.schedule.plan(ada, WEEKLY, None, BOTH)
    clock.utc_ms = NINE_MS + days(14) - minutes(60) + minutes(30)
    await planning.schedule.cancel(ada, meeting.id)

    ((_, text, _),) = await letters(services, "meeting_cancelled", "carol@example.net")
    assert "The whole series" in text
    assert "next" not in text


async def test_the_mail_about_a_meeting_that_moved_names_that_one(services: Services, planning: Planning) -> None:
    """Not the next of the series, which stays where it is; also when one further ahead is moved."""
    ada = await person(services, "ada")
    meeting = await planning.schedule.plan(ada, replace(WEEKLY, title="Tea"), None, BOTH)

    await planning.schedule.move_one(ada, meeting.id, "20270405T090000", "2027-04-06T11:00", 30)

    ((_, *english),) = await letters(services, "meeting_changed", "carol@example.net")
    for part in english:
        assert "“Tea” is now on Tuesday, 6 April 2027, 11:00 to 11:30 (Europe/Berlin)" in part
        assert "not on Monday, 5 April 2027, 09:00 to 10:00 (Europe/Berlin)" in part
        assert "22 March" not in part
    ((_, *german),) = await letters(services, "meeting_changed", "dora@example.net")
    for part in german:
        assert "„Tea“ findet jetzt statt am Dienstag, 6. April 2027, 11:00 bis 11:30 Uhr (Europe/Berlin)" in part
        assert "nicht am Montag, 5. April 2027, 09:00 bis 10:00 Uhr (Europe/Berlin)" in part
        assert "22. März" not in part


async def test_who_is_not_invited_any_more_does_not_read_that_the_meeting_is_off(
    services: Services, planning: Planning
) -> None:
    """It takes place without them."""
    ada = await person(services, "ada")
    meeting = await planning.schedule.plan(ada, replace(WEEKLY, title="Tea"), None, BOTH)
    for each in (await planning.schedule.show(ada, meeting.id))[1]:
        await planning.schedule.uninvite(ada, meeting.id, each.id)

    assert await mails(services, "meeting_cancelled") == []
    ((subject, text, html),) = await letters(services, "meeting_uninvited", "carol@example.net")
    assert subject == "Not invited any more: Tea"
    assert "You are not invited any more to the whole series “Tea” (every week, until Monday, 5 April 2027)." in text
    assert "cancelled" not in text + html
    ((subject, text, html),) = await letters(services, "meeting_uninvited", "dora@example.net")
    assert subject == "Nicht mehr eingeladen: Tea"
    assert "Sie sind zur ganzen Reihe „Tea“ (jede Woche, bis Montag, 5. April 2027) nicht mehr eingeladen." in text
    assert "abgesagt" not in text + html
