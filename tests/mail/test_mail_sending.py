"""From the outbox to a real mail server, over everything that goes wrong on the way."""

import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from post_office import PostOffice, config_for
from waiting_mail import URL, queue, row, rows

from pymeet.clock import ManualClock
from pymeet.db import outbox
from pymeet.db.engine import Database
from pymeet.ops.mailer import GIVE_UP_AFTER_MS, RETRY_AFTER_MS, Mailer


async def test_a_queued_mail_is_sent_and_noted(db: Database, clock: ManualClock, office: PostOffice) -> None:
    """The row stays until retention takes it, so that what was sent can be answered for."""
    mail_id = await queue(db, clock)

    await Mailer(db, config_for(office), clock).send_due()

    (arrived,) = office.delivered
    assert (arrived.sender, arrived.recipients) == ("meet@example.org", ["ann@example.org"])
    assert arrived.message["Message-ID"] == f"<{mail_id}@meet.example.org>"
    assert arrived.message["From"] == "pymeet <meet@example.org>"
    assert URL in arrived.part("plain")
    assert URL in arrived.part("html")
    noted = await row(db)
    assert (noted["sent_at_ms"], noted["failed_at_ms"], noted["error"]) == (clock.now_ms(), None, None)


async def test_a_mail_is_queued_if_and_only_if_the_deed_is_done(
    db: Database, clock: ManualClock, office: PostOffice
) -> None:
    """Nobody is told of what was rolled back."""
    with suppress(RuntimeError):
        async with db.write() as conn:
            await outbox.queue(
                conn, now_ms=0, user_id=None, to="a@b.example", template="test", values={}, language="en"
            )
            raise RuntimeError("the deed failed")

    await Mailer(db, config_for(office), clock).send_due()

    assert not office.delivered


async def test_code_with_a_synchronous_connection_queues_the_same(
    db: Database, clock: ManualClock, office: PostOffice
) -> None:
    """The sweeper works in a thread of its own."""
    statement = outbox.queue_statement(
        now_ms=clock.now_ms(), user_id=None, to="ann@example.org", template="test", values={}, language="de"
    )
    async with db.write() as conn:
        await conn.run_sync(lambda connection: connection.execute(statement))

    await Mailer(db, config_for(office), clock).send_due()

    assert office.delivered[0].message["Subject"] == "E-Mail von pymeet kommt an"


async def test_several_mails_go_over_one_connection(db: Database, clock: ManualClock, office: PostOffice) -> None:
    """Mail servers count connections, and each handshake costs."""
    for number in range(5):
        await queue(db, clock, to=f"p{number}@example.org")

    await Mailer(db, config_for(office), clock).send_due()

    assert sorted(each.recipients[0] for each in office.delivered) == [f"p{number}@example.org" for number in range(5)]
    assert office.connections == 1


async def test_a_sent_mail_is_not_sent_again(db: Database, clock: ManualClock, office: PostOffice) -> None:
    """Not by the next round and not after a restart."""
    await queue(db, clock)
    await Mailer(db, config_for(office), clock).send_due()
    clock.advance(3 * 86400)

    await Mailer(db, config_for(office), clock).send_due()

    assert len(office.delivered) == 1


async def test_starttls_and_a_password_are_used(
    db: Database, clock: ManualClock, open_office: Callable[..., Any], certificate: ssl.SSLContext
) -> None:
    """The usual way to a mail server."""
    office = await open_office(starttls=certificate, login=("pymeet", "geheim"))
    await queue(db, clock)
    config = config_for(office, encryption="starttls", username="pymeet", password="geheim")

    await Mailer(db, config, clock).send_due()

    (arrived,) = office.delivered
    assert arrived.encrypted
    assert arrived.greeted_as == "meet.example.org"


async def test_a_server_that_begins_with_tls_is_spoken_to(
    db: Database, clock: ManualClock, open_office: Callable[..., Any], certificate: ssl.SSLContext
) -> None:
    """Port 465, which RFC 8314 prefers."""
    office = await open_office(tls=certificate)
    await queue(db, clock)

    await Mailer(db, config_for(office, encryption="tls"), clock).send_due()

    assert office.delivered[0].encrypted


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
async def test_a_certificate_that_nobody_trusts_gets_no_mail(
    db: Database,
    clock: ManualClock,
    open_office: Callable[..., Any],
    certificate: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    encryption: str,
) -> None:
    """Somebody on the way can present any certificate."""
    monkeypatch.delenv("SSL_CERT_FILE")
    office = await open_office(**{encryption: certificate})
    await queue(db, clock)

    await Mailer(db, config_for(office, encryption=encryption), clock).send_due()

    assert not office.delivered
    assert (await row(db))["error"] == "unreachable"


async def test_a_certificate_for_another_name_gets_no_mail(
    db: Database, clock: ManualClock, open_office: Callable[..., Any], certificate: ssl.SSLContext
) -> None:
    """A trusted stranger is a stranger."""
    office = await open_office(starttls=certificate)
    await queue(db, clock)

    await Mailer(db, config_for(office, host="127.0.0.1", encryption="starttls"), clock).send_due()

    assert not office.delivered
    assert (await row(db))["error"] == "unreachable"


async def test_without_starttls_nothing_is_sent(db: Database, clock: ManualClock, office: PostOffice) -> None:
    """Taking the offer out of the greeting is the oldest trick on the way."""
    await queue(db, clock)

    await Mailer(db, config_for(office, encryption="starttls"), clock).send_due()

    assert not office.delivered
    noted = await row(db)
    assert (noted["error"], noted["failed_at_ms"]) == ("refused", None)


async def test_a_wrong_password_costs_no_mail(
    db: Database, clock: ManualClock, open_office: Callable[..., Any], certificate: ssl.SSLContext
) -> None:
    """The operator mends it, and what waited goes out."""
    office = await open_office(starttls=certificate, login=("pymeet", "geheim"))
    await queue(db, clock)
    settings = {"encryption": "starttls", "username": "pymeet"}
    await Mailer(db, config_for(office, password="falsch", **settings), clock).send_due()
    refused = await row(db)
    clock.advance(60)

    await Mailer(db, config_for(office, password="geheim", **settings), clock).send_due()

    assert (refused["error"], refused["failed_at_ms"]) == ("refused", None)
    assert len(office.delivered) == 1


@pytest.mark.parametrize("place", ["to_recipients", "to_content"])
async def test_a_mail_that_is_put_off_is_sent_later(
    db: Database, clock: ManualClock, office: PostOffice, place: str
) -> None:
    """Greylisting: the first attempt is always put off."""
    getattr(office, place).append("451 Try again later")
    await queue(db, clock)
    mailer = Mailer(db, config_for(office), clock)

    await mailer.send_due()
    first = await row(db)
    await mailer.send_due()
    too_early = len(office.delivered)
    clock.advance(60)
    await mailer.send_due()

    assert (first["error"], first["attempts"], first["failed_at_ms"]) == ("deferred", 1, None)
    assert too_early == 0
    assert len(office.delivered) == 1
    assert (await row(db))["error"] is None


@pytest.mark.parametrize("place", ["to_recipients", "to_content"])
async def test_a_mail_that_is_rejected_is_given_up_at_once(
    db: Database, clock: ManualClock, office: PostOffice, place: str
) -> None:
    """A mailbox that does not exist will not exist in an hour; servers block those who go on trying."""
    getattr(office, place).append("550 No such user")
    await queue(db, clock)
    mailer = Mailer(db, config_for(office), clock)

    await mailer.send_due()
    clock.advance(86400)
    await mailer.send_due()

    assert not office.delivered
    noted = await row(db)
    assert (noted["error"], noted["attempts"]) == ("rejected", 1)
    assert noted["failed_at_ms"] == clock.now_ms() - 86_400_000


async def test_one_bad_mail_does_not_hold_up_the_others(db: Database, clock: ManualClock, office: PostOffice) -> None:
    """Neither a rejected one, nor one that cannot be made, nor one at which the server hangs up."""
    office.to_recipients.extend(["550 No such user", "421 Goodbye"])
    for to in ("nobody@example.org", "slow@example.org", "no address", "ann@example.org"):
        await queue(db, clock, to=to)
        clock.advance(0.001)
    await queue(db, clock, template="from_the_future")

    await Mailer(db, config_for(office), clock).send_due()

    assert [each["error"] for each in await rows(db)] == ["rejected", "deferred", "unusable", None, "unusable"]
    assert office.delivered[0].recipients == ["ann@example.org"]


async def test_a_server_that_comes_back_gets_what_waited(
    db: Database, clock: ManualClock, office: PostOffice, open_office: Callable[..., Any]
) -> None:
    """Mail servers are restarted too."""
    config = config_for(office)
    await office.close()
    for number in range(3):
        await queue(db, clock, to=f"p{number}@example.org")
    mailer = Mailer(db, config, clock)
    await mailer.send_due()
    waiting = await rows(db)
    back = await open_office(port=office.port)
    clock.advance(60)

    await mailer.send_due()

    assert {(each["error"], each["attempts"]) for each in waiting} == {("unreachable", 1)}
    assert len(back.delivered) == 3


async def test_the_pauses_grow_and_after_two_days_a_mail_is_given_up(
    db: Database, clock: ManualClock, office: PostOffice
) -> None:
    """A server that is away must not be hammered, and a link from the week before last helps nobody."""
    config = config_for(office)
    await office.close()
    await queue(db, clock)
    began_ms = clock.now_ms()
    mailer = Mailer(db, config, clock)

    tried_ms = []
    while (noted := await row(db))["failed_at_ms"] is None:
        clock.advance((noted["next_at_ms"] - clock.now_ms()) / 1000)
        tried_ms.append(clock.now_ms() - began_ms)
        await mailer.send_due()

    pauses = [later - earlier for earlier, later in pairwise(tried_ms)]
    assert tuple(pauses[:5]) == RETRY_AFTER_MS
    assert set(pauses[5:-1]) == {RETRY_AFTER_MS[-1]}
    assert tried_ms[-1] == GIVE_UP_AFTER_MS
    assert noted["error"] == "expired"
    assert noted["attempts"] == len(tried_ms)


async def test_mail_that_waited_for_a_stopped_server_is_still_tried_once(
    db: Database, clock: ManualClock, office: PostOffice
) -> None:
    """Five days of repair are no reason to tell people nothing."""
    await queue(db, clock)
    clock.advance(5 * 86400)

    await Mailer(db, config_for(office), clock).send_due()

    assert len(office.delivered) == 1


async def test_where_mail_was_switched_off_nothing_waits_forever(
    db: Database, clock: ManualClock, office: PostOffice
) -> None:
    """Retention counts from the end of a mail, so each must have one."""
    await queue(db, clock)
    mailer = Mailer(db, config_for(office, host=None), clock)

    await mailer.send_due()
    before = await row(db)
    clock.advance(GIVE_UP_AFTER_MS / 1000 + 1)
    await mailer.send_due()

    assert not mailer.enabled
    assert before["failed_at_ms"] is None
    assert (await row(db))["error"] == "expired"


async def test_a_mail_in_flight_when_the_process_died_is_sent_after_the_restart(
    db: Database, clock: ManualClock, office: PostOffice
) -> None:
    """Twice perhaps, with the same Message-ID, but never not at all."""
    mail_id = await queue(db, clock)
    async with db.write() as conn:
        await outbox.trying(conn, mail_id, again_at_ms=clock.now_ms() + RETRY_AFTER_MS[0])  # and then the power failed
    clock.advance(60)

    await Mailer(db, config_for(office), clock).send_due()

    assert len(office.delivered) == 1
    assert (await row(db))["attempts"] == 2


async def test_an_address_in_other_letters_arrives_where_the_server_takes_it(
    db: Database, clock: ManualClock, open_office: Callable[..., Any]
) -> None:
    """RFC 6531; elsewhere it is given up instead of sent to somebody else."""
    able, unable = await open_office(), await open_office(utf8=False)
    await queue(db, clock, to="jürgen@straße.example")
    await Mailer(db, config_for(able), clock).send_due()
    await queue(db, clock, to="jürgen@example.org")
    await queue(db, clock, to="jo@straße.example")
    await Mailer(db, config_for(unable), clock).send_due()

    assert able.delivered[0].recipients == ["jürgen@xn--strae-oqa.example"]
    assert [each.recipients for each in unable.delivered] == [["jo@xn--strae-oqa.example"]]
    assert "rejected" in {each["error"] for each in await rows(db)}


@pytest.mark.parametrize("end", ["sent", "failed", "given up"])
async def test_what_a_mail_said_goes_when_it_is_done(db: Database, clock: ManualClock, end: str) -> None:
    """Links in it open accounts, and rows stay for weeks; which meeting it was about is still needed."""
    now_ms = clock.now_ms()
    async with db.write() as conn:
        for values in ({"url": "https://meet.example.org/link#secret"}, {"url": "x", "meeting": "m1"}):
            mail_id = await outbox.queue(
                conn,
                now_ms=now_ms,
                user_id=None,
                to="ann@example.org",
                template="confirm_address",
                values=values,
                language="en",
            )
            if end == "sent":
                await outbox.sent(conn, mail_id, now_ms=now_ms)
            elif end == "failed":
                await outbox.failed(conn, mail_id, now_ms=now_ms, error="rejected")
        await outbox.give_up(conn, now_ms=now_ms, created_before_ms=now_ms + 1, error="too_old")

    left = [json.loads(each["template_values"]) for each in await rows(db)]
    assert sorted(left, key=len) == [{}, {"meeting": "m1"}]
