"""The sender beside a running server: it wakes at once, stops at once, survives, and names nobody in the log."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from post_office import PostOffice, config_for
from waiting_mail import queue, row, rows

from pymeet.clock import ManualClock
from pymeet.config import LogConfig
from pymeet.db.engine import Database
from pymeet.ops.log import configure_log
from pymeet.ops.mailer import Mailer


class Lines(io.StringIO):
    """A log that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)


@pytest.fixture
async def silent_port() -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A port that takes connections and says nothing, and the event that somebody has connected."""
    connected, writers = asyncio.Event(), []

    def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        connected.set()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], connected
    server.close()
    for writer in writers:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    await server.wait_closed()


async def test_what_is_queued_here_is_sent_at_once(db: Database, clock: ManualClock, office: PostOffice) -> None:
    """Somebody is waiting for the link."""
    mailer = Mailer(db, config_for(office), clock)
    running = asyncio.create_task(mailer.run())
    await queue(db, clock, to="first@example.org")
    mailer.poke()
    await office.has(1)
    await queue(db, clock, to="second@example.org")
    mailer.poke()

    arrived = await office.has(2)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    assert [each.recipients[0] for each in arrived] == ["first@example.org", "second@example.org"]


async def test_a_server_that_says_nothing_is_left_in_time(
    db: Database, clock: ManualClock, office: PostOffice, silent_port: tuple[int, asyncio.Event]
) -> None:
    """Otherwise one hanging connection would hold up all mail."""
    await queue(db, clock)

    async with asyncio.timeout(5):
        await Mailer(db, config_for(office, port=silent_port[0], timeout="1s"), clock).send_due()

    assert (await row(db))["error"] == "unreachable"


async def test_a_hanging_mail_server_does_not_hold_up_the_stop(
    db: Database, clock: ManualClock, office: PostOffice, silent_port: tuple[int, asyncio.Event]
) -> None:
    """`systemctl stop` must not wait for somebody else's machine."""
    port, connected = silent_port
    await queue(db, clock)
    running = asyncio.create_task(Mailer(db, config_for(office, port=port, timeout="30s"), clock).run())
    async with asyncio.timeout(10):
        await connected.wait()

    running.cancel()
    async with asyncio.timeout(2):
        with suppress(asyncio.CancelledError):
            await running

    assert running.cancelled()
    noted = await row(db)
    assert (noted["sent_at_ms"], noted["failed_at_ms"], noted["attempts"]) == (None, None, 1)


async def test_a_database_that_fails_for_a_while_does_not_end_the_mail(
    db: Database, clock: ManualClock, office: PostOffice
) -> None:
    """A full disk is cleared, and nobody restarts the server for it."""
    log = Lines()
    configure_log(LogConfig(), log)
    mailer = Mailer(db, config_for(office), clock)
    mail_id = await queue(db, clock)
    async with db.write() as conn:
        await conn.run_sync(
            _exec, "CREATE TRIGGER full BEFORE UPDATE ON mail_outbox BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
    running = asyncio.create_task(mailer.run())
    async with asyncio.timeout(10):
        await log.written.wait()
    async with db.write() as conn:
        await conn.run_sync(_exec, "DROP TRIGGER full")
    mailer.poke()

    (arrived,) = await office.has(1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    assert mail_id in arrived.message["Message-ID"]
    assert "the outbox cannot be used now" in log.getvalue()


async def test_the_log_names_mails_and_words_and_nobody(db: Database, clock: ManualClock, office: PostOffice) -> None:
    """The log at `info` holds no personal data; the mail server's own words quote addresses."""
    log = io.StringIO()
    configure_log(LogConfig(format="json"), log)
    office.to_recipients.append("550 <canary@example.org>: no such user canary")
    office.to_content.append("451 canary@example.org is over quota")
    for _ in range(3):
        await queue(db, clock, to="canary@example.org")
    mailer = Mailer(db, config_for(office), clock)

    await mailer.send_due()
    await office.close()
    clock.advance(60)
    await mailer.send_due()

    text = log.getvalue()
    assert "canary" not in text
    assert "secret-token" not in text
    for word in ("mail sent", "rejected", "deferred", "unreachable"):
        assert word in text
    assert all(each["id"] in text for each in await rows(db))


def _exec(connection: Any, statement: str) -> None:
    connection.exec_driver_sql(statement)
