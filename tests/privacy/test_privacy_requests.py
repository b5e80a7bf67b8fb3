"""The register of requests: until when they are due, who is reminded when, and how they end."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from pymeet.clock import ManualClock
from pymeet.config import Config, MailConfig
from pymeet.db import audit
from pymeet.db.schema import (
    audit_events,
    mail_outbox,
    notification_choices,
    notifications,
    request_events,
    requests,
    users,
)
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.mail.message import TEMPLATES
from pymeet.ops.services import Services, open_services
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.people import DataSubject, guest, member
from pymeet.privacy.request_rows import due_ms, step_now
from pymeet.privacy.requests import Request, Requests

DAY_S = 86_400
START = "2026-03-02T10:00Z"


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%MZ")


class Office:
    """A register with somebody who asks and those who answer."""

    def __init__(self, services: Services, clock: ManualClock) -> None:
        self.services = services
        self.clock = clock
        self.register = Requests(services.lifecycle, site="https://meet.example.org")

    async def account(self, email: str, **values: Any) -> DataSubject:
        user, _ = await self.services.accounts.add_user("Somebody", email)
        await self.change(user.id, **values)
        return member(user.id)

    async def change(self, user_id: str, **values: Any) -> None:
        if values:
            change = update(users).where(users.c.id == user_id).values(values)
            await self.services.db.work(lambda conn: conn.execute(change))

    async def rows(self, query: Any) -> list[Any]:
        return await self.services.db.study(lambda conn: list(conn.execute(query)))

    async def mails(self) -> list[tuple[str, str]]:
        """Template and address of every mail that was queued, in order."""
        query = select(mail_outbox).order_by(mail_outbox.c.created_at_ms, mail_outbox.c.to_address)
        return [(row.template, row.to_address) for row in await self.rows(query)]

    async def open(self, right: str = "access", person: DataSubject | None = None) -> Request:
        return await self.register.open(right, person, "operator", audit.OPERATOR)

    async def days_pass(self, count: int) -> list[int]:
        """Reminds twice a day; on which days somebody was reminded, counted from now."""
        reminded = []
        for half in range(1, 2 * count + 1):
            self.clock.advance(DAY_S / 2)
            if await self.register.remind_due(self.clock.now_ms()):
                reminded.append(half / 2)
        return [round(day) if day == round(day) else day for day in reminded]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_ms=_ms(START))


@pytest.fixture
async def office(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Office]:
    mail = MailConfig(host="mail.example.org", from_address="meet@example.org")
    async with open_services(_config(tmp_path, mail), clock) as services:
        yield Office(services, clock)


@pytest.fixture
async def without_mail(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Office]:
    async with open_services(_config(tmp_path, MailConfig()), clock) as services:
        yield Office(services, clock)


def _config(directory: Path, mail: MailConfig) -> Config:
    data_dir = directory / "data"
    data_dir.mkdir(mode=0o700)
    return Config(data_dir=data_dir, mail=mail)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-07-10T09:30Z", "2026-08-09T09:30Z"),  # a month of 31 days: the promised 30
        ("2026-02-10T09:30Z", "2026-03-10T08:30Z"),  # February: the law's month is shorter
        ("2028-02-10T09:30Z", "2028-03-10T08:30Z"),  # 29 days in a leap year
        ("2026-01-31T09:30Z", "2026-02-28T08:30Z"),  # there is no 31 February
        ("2026-03-01T02:00Z", "2026-03-29T01:00Z"),  # still 28 February west of Greenwich
        ("2026-04-10T09:30Z", "2026-05-10T08:30Z"),  # 30 days, less the hour that clocks may lose
    ],
)
def test_an_answer_is_due_after_thirty_days_or_when_the_laws_month_ends_sooner(received: str, due: str) -> None:
    """A deadline of the law that is missed by counting wrongly is missed."""
    assert _text(due_ms(_ms(received))) == due


@given(
    received=st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)),
    zone=st.sampled_from(
        [
            "Pacific/Kiritimati",
            "Pacific/Pago_Pago",
            "America/New_York",
            "America/Guadeloupe",
            "America/Santiago",
            "Europe/Berlin",
            "Australia/Sydney",
        ]
    ),
    months=st.sampled_from([1, 3]),
)
def test_in_no_time_zone_is_it_due_later_than_the_law_says(received: datetime, zone: str, months: int) -> None:
    """The law counts the controller's days and months; the server counts hours, and knows no zone."""
    received_ms = round(received.replace(tzinfo=UTC).timestamp() * 1000)
    here = ZoneInfo(zone)
    day = datetime.fromtimestamp(received_ms / 1000, here).date()
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = day.replace(day=1, year=year, month=month + 1)
    while last.month == month + 1 and last.day < day.day and (last + timedelta(days=1)).month == month + 1:
        last += timedelta(days=1)
    ends = datetime.combine(last + timedelta(days=1), datetime.min.time(), here)

    assert due_ms(received_ms, months=months) <= round(ends.timestamp() * 1000)


async def test_somebody_is_reminded_a_week_before_two_days_before_and_then_daily(office: Office) -> None:
    """Once for each step, however often it is looked: who gets the same mail every hour reads none."""
    await office.account("admin@example.org", is_admin=True)
    opened = await office.open()

    days = await office.days_pass(33)

    due_in = round((opened.due_at_ms - opened.received_at_ms) / 1000 / DAY_S, 3)
    assert due_in == 30
    assert days == [23, 28, 30, 31, 32, 33]
    assert await office.mails() == [("request_reminder", "admin@example.org")] * 6


async def test_a_server_that_was_off_reminds_once_and_not_for_every_step_it_missed(office: Office) -> None:
    """Six mails at once say no more than one."""
    await office.account("admin@example.org", is_admin=True)
    await office.open()
    office.clock.advance(35 * DAY_S)

    first = await office.register.remind_due(office.clock.now_ms())
    second = await office.register.remind_due(office.clock.now_ms())

    assert (first, second) == (1, 0)


async def test_administrators_and_data_protection_officers_are_reminded_and_nobody_else(office: Office) -> None:
    """A disabled administrator cannot answer; a member must not learn who asks for what."""
    await office.account("admin@example.org", is_admin=True)
    await office.account("dpo@example.org", is_dpo=True)
    await office.account("member@example.org")
    await office.account("former@example.org", is_admin=True, disabled_at_ms=1)
    await office.open("rectification", guest("seat"))
    office.clock.advance(29 * DAY_S)

    await office.register.remind_due(office.clock.now_ms())

    assert await office.mails() == [
        ("request_reminder", "admin@example.org"),
        ("request_reminder", "dpo@example.org"),
    ]


async def test_every_mail_has_the_values_that_its_template_needs(office: Office) -> None:
    """A mail that cannot be made reminds nobody."""
    asking = await office.account("a@example.org", is_admin=True)
    await office.open("rectification", asking)
    office.clock.advance(31 * DAY_S)
    await office.register.remind_due(office.clock.now_ms())

    rows = await office.rows(select(mail_outbox).order_by(mail_outbox.c.created_at_ms))

    assert [row.template for row in rows] == ["request_received", "request_reminder"]
    for row in rows:
        values = json.loads(row.template_values)
        assert frozenset(values) == TEMPLATES[row.template]
        assert values["right"] == "correction"
        assert values["due_date"] == "2026-04-01"
    assert json.loads(rows[1].template_values)["days_left"] == "-1"


async def test_without_mail_the_log_reminds_and_names_nobody(without_mail: Office) -> None:
    """The operator must learn of it somewhere, and a log is no place for names."""
    asking = await without_mail.account("secret@example.org", is_admin=True)
    opened = await without_mail.open("access", asking)
    without_mail.clock.advance(24 * DAY_S)

    with structlog.testing.capture_logs() as logs:
        await without_mail.register.remind_due(without_mail.clock.now_ms())
        without_mail.clock.advance(7 * DAY_S)
        await without_mail.register.remind_due(without_mail.clock.now_ms())

    assert await without_mail.mails() == []
    assert [(each["request"], each["days_left"], each["log_level"]) for each in logs] == [
        (opened.id, 6, "info"),
        (opened.id, -1, "warning"),
    ]
    assert "secret" not in str(logs)


async def test_a_member_is_told_that_the_request_came_in_and_a_guest_is_not(office: Office) -> None:
    """They must know until when they can expect an answer; a guest's address is not known."""
    asking = await office.account("asks@example.org")

    await office.open("access", asking)
    await office.open("access", guest("seat"))
    await office.open("access")
    await office.register.open("access", asking, "self", asking.id, tell=False)

    assert await office.mails() == [("request_received", "asks@example.org")]


async def test_who_asked_is_told_by_mail_what_was_decided_unless_they_want_no_such_mail(office: Office) -> None:
    """The answer must reach them (Article 12(3)), in the language they read; who closed it themselves knows."""
    asking = await office.account("asks@example.org", language="de")
    quiet = await office.account("quiet@example.org")
    done, refused, own = await office.open("access", asking), await office.open("erasure", asking), await office.open()
    other, withdrawn = await office.open("access", quiet), await office.open("objection", asking)
    choice = {"user_id": quiet.user_id, "kind": "request_decided", "in_app": True, "mail": False}
    await office.services.db.work(lambda conn: conn.execute(insert(notification_choices).values(choice)))

    for request, decision in ((done, "granted"), (refused, "unfounded"), (own, "granted"), (other, "nothing_held")):
        await office.register.decide(request.id, decision, audit.OPERATOR)
    await office.register.decide(withdrawn.id, "withdrawn", str(asking.user_id))

    sent = select(mail_outbox).where(mail_outbox.c.template == "request_decided").order_by(mail_outbox.c.created_at_ms)
    rows = await office.rows(sent)
    values = [json.loads(row.template_values) for row in rows]
    assert {(row.to_address, row.language) for row in rows} == {("asks@example.org", "de")}
    assert {(each["right"], each["decision"]) for each in values} == {("access", "granted"), ("erasure", "unfounded")}
    assert all(frozenset(each) == TEMPLATES["request_decided"] for each in values)


async def test_whose_erasure_is_refused_or_stopped_for_them_is_told_so(office: Office) -> None:
    """They cannot sign in while they wait for it; who stops it themselves needs no letter about it."""
    erasures = Erasures(office.services.lifecycle, site="https://meet.example.org")
    asking, own = await office.account("asks@example.org"), await office.account("own@example.org")
    refused = await erasures.request(asking, "self", str(asking.user_id))
    stopped = await erasures.request(own, "self", str(own.user_id))

    await erasures.refuse(refused.id, "legal_duty", audit.OPERATOR)
    await erasures.cancel(stopped.id, str(own.user_id))

    told = [mail for mail in await office.mails() if mail[0] == "request_decided"]
    assert told == [("request_decided", "asks@example.org")]
    (kind,) = await office.rows(select(notifications.c.kind))
    assert kind.kind == "request_decided"


async def test_an_extension_gives_two_months_once_and_only_before_the_time(office: Office) -> None:
    """Article 12(3) allows no more, and not as an excuse afterwards."""
    opened, late = await office.open(), await office.open()

    extended = await office.register.extend(opened.id, "complexity")

    assert extended.due_at_ms == opened.due_at_ms + 60 * DAY_S * 1000
    assert (extended.extension_reason, extended.extended_at_ms) == ("complexity", office.clock.now_ms())
    with pytest.raises(ConflictError, match="once"):
        await office.register.extend(opened.id, "number_of_requests")
    with pytest.raises(InvalidInputError, match="complexity, number_of_requests"):
        await office.register.extend(late.id, "holidays")
    office.clock.advance(30 * DAY_S)
    with pytest.raises(ConflictError, match="too late"):
        await office.register.extend(late.id, "complexity")


async def test_an_extended_request_is_reminded_of_anew_before_its_new_time(office: Office) -> None:
    """The reminder for the old time is no reminder for the new one."""
    opened = await office.open()
    assert await office.days_pass(25) == [23]
    await office.register.extend(opened.id, "complexity")

    later = await office.days_pass(66)

    assert [25 + day for day in later] == [83, 88, 90, 91]


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        ("granted", "done"),
        ("granted_in_part", "done"),
        ("nothing_held", "done"),
        ("not_identified", "refused"),
        ("unfounded", "refused"),
        ("legal_duty", "refused"),
        ("withdrawn", "cancelled"),
    ],
)
async def test_a_decision_closes_a_request_for_good(office: Office, decision: str, state: str) -> None:
    """What was decided must not be decided differently later without a new request."""
    opened = await office.open()
    await office.register.verify(opened.id, audit.OPERATOR)
    office.clock.advance(40 * DAY_S)

    decided = await office.register.decide(opened.id, decision, audit.OPERATOR)

    assert (decided.state, decided.decision, decided.closed_at_ms) == (state, decision, office.clock.now_ms())
    assert not decided.overdue(office.clock.now_ms())
    for again in (
        office.register.decide(opened.id, "granted", audit.OPERATOR),
        office.register.extend(opened.id, "complexity"),
        office.register.verify(opened.id, audit.OPERATOR),
    ):
        with pytest.raises(ConflictError):
            await again
    assert await office.register.remind_due(office.clock.now_ms()) == 0


async def test_an_erasure_is_granted_only_by_being_carried_out(office: Office) -> None:
    """A register that says «erased» while everything is there would be worse than none."""
    asking = await office.account("asks@example.org")
    opened = await office.open("erasure", asking)

    with pytest.raises(ConflictError, match="carrying it out"):
        await office.register.decide(opened.id, "granted", audit.OPERATOR)
    await office.services.db.work(
        lambda conn: step_now(conn, opened.id, "restricted", audit.OPERATOR, office.clock.now_ms(), not_before_ms=5)
    )
    with pytest.raises(ConflictError, match="carrying it out"):
        await office.register.decide(opened.id, "unfounded", audit.OPERATOR)

    assert (await office.register.get(opened.id)).not_before_ms == 5
    refused = await office.register.decide((await office.open("erasure")).id, "not_identified", audit.OPERATOR)
    assert refused.state == "refused"


async def test_every_step_stands_in_the_timeline_and_in_the_audit_log(office: Office) -> None:
    """Who has to prove that a request was answered in time shows these."""
    asking = await office.account("asks@example.org")
    opened = await office.register.open("access", asking, "self", asking.id)
    office.clock.advance(60)
    await office.register.verify(opened.id, asking.id)
    office.clock.advance(24 * DAY_S)
    await office.register.remind_due(office.clock.now_ms())
    office.clock.advance(60)
    await office.register.extend(opened.id, "complexity")
    office.clock.advance(60)
    await office.register.decide(opened.id, "granted_in_part", audit.OPERATOR)

    steps = await office.register.timeline(opened.id)

    assert [step.what for step in steps] == ["requested", "verified", "reminded", "extended", "done"]
    assert [step.at_ms for step in steps] == sorted(step.at_ms for step in steps)
    query = select(audit_events).where(audit_events.c.target == opened.id).order_by(audit_events.c.sequence)
    events = await office.rows(query)
    assert [event.action.removeprefix("request.") for event in events] == [
        "received",
        "step",
        "reminded",
        "extended",
        "step",
    ]
    assert events[-1].detail == '{"decision":"granted_in_part","state":"done"}'
    assert events[2].actor == audit.SYSTEM


async def test_lists_show_what_waits_what_is_late_and_all_of_it(office: Office) -> None:
    """What is due first comes first: that is the order in which it is worked off."""
    now_ms = office.clock.now_ms()
    late = await office.register.open("access", None, "operator", audit.OPERATOR, now_ms - 40 * DAY_S * 1000)
    new = await office.open("portability")
    closed = await office.open("objection")
    await office.register.decide(closed.id, "nothing_held", audit.OPERATOR)

    async def listed(which: str) -> list[str]:
        return [each.id for each in await office.register.list(which)]

    assert await listed("open") == [late.id, new.id]
    assert await listed("overdue") == [late.id]
    assert set(await listed("all")) == {late.id, new.id, closed.id}
    assert await listed("done") == [closed.id]
    with pytest.raises(InvalidInputError):
        await office.register.list("interesting")


async def test_an_answered_request_is_out_of_sight_when_its_period_is_over(office: Office) -> None:
    """Kept for three years as proof, and no day longer, however late the sweep is."""
    opened = await office.open()
    await office.register.decide(opened.id, "granted", audit.OPERATOR)
    waiting = await office.open()

    office.clock.advance(3 * 365 * DAY_S)

    assert [each.id for each in await office.register.list("all")] == [waiting.id]


async def test_people_see_their_own_requests_and_no_others(office: Office) -> None:
    """The newest first, on the page on which they made them."""
    asking = await office.account("asks@example.org")
    first = await office.open("access", asking)
    office.clock.advance(1)
    second = await office.open("objection", asking)
    await office.open("access", guest(asking.id))
    await office.open("access")

    assert [each.id for each in await office.register.of(asking)] == [second.id, first.id]
    assert len(await office.register.of(guest(asking.id))) == 1


async def test_what_cannot_be_is_refused(office: Office) -> None:
    """A register with impossible entries proves nothing."""
    with pytest.raises(InvalidInputError, match="access, rectification"):
        await office.open("pizza")
    with pytest.raises(InvalidInputError, match="future"):
        await office.register.open("access", None, "operator", audit.OPERATOR, office.clock.now_ms() + 1)
    with pytest.raises(NotFoundError):
        await office.open("access", member("nobody"))
    with pytest.raises(NotFoundError):
        await office.register.get("no-such-request")

    assert await office.rows(select(requests)) == []
    assert await office.rows(select(request_events)) == []


async def test_when_the_account_goes_the_entry_stays_and_leads_to_nobody(office: Office) -> None:
    """That the request was answered must stay provable (Article 5(2)); whose it was need not."""
    asking = await office.account("asks@example.org")
    opened = await office.open("access", asking)

    await office.services.db.work(lambda conn: conn.execute(delete(users).where(users.c.id == asking.id)))

    left = await office.register.get(opened.id)
    assert left.person is None
    assert left.received_at_ms == opened.received_at_ms
