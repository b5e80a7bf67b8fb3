"""Versions of the privacy notice: when there is a new one, and who must read it."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pymeet.clock import ManualClock
from pymeet.config import Config, PrivacyConfig, RetentionConfig
from pymeet.db.schema import audit_events, consents, notices
from pymeet.errors import NotFoundError
from pymeet.ops.services import Services, open_services
from pymeet.privacy.notices import Notice, Notices
from pymeet.privacy.people import DataSubject, guest, member

HOUR_S = 3600


class Server:
    """One data directory, started again and again with other settings."""

    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock()
        self._directory = directory / "data"
        self._directory.mkdir(mode=0o700)

    async def start(self, **settings: object) -> Notice:
        """The notice that counts after a start with these settings."""
        async with self.running(**settings) as services:
            return await Notices(services.lifecycle).current(self.clock.now_ms())

    def running(self, **settings: object) -> AbstractAsyncContextManager[Services]:
        config = Config.model_validate({"data_dir": self._directory, **settings})
        return open_services(config, self.clock)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


@pytest.fixture
async def services(server: Server) -> AsyncIterator[Services]:
    async with server.running() as opened:
        yield opened


async def _member(services: Services) -> DataSubject:
    user, _ = await services.accounts.add_user("Ada", "ada@example.org")
    return member(user.id)


async def test_the_first_start_publishes_the_notice_and_the_next_ones_keep_it(server: Server) -> None:
    """A version per start would make every member read the same text again and again."""
    first = await server.start()
    server.clock.advance(HOUR_S)
    second = await server.start()

    assert first.version == second.version == 1
    assert second.published_at_ms == first.published_at_ms
    assert set(first.texts) == {"en", "de"}
    canonical = json.dumps(dict(first.texts), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert first.hash == hashlib.sha256(canonical.encode()).hexdigest()


async def test_another_controller_is_another_version_that_nobody_needs_to_read_anew(server: Server) -> None:
    """What changes for nobody's data must not stand in anybody's way."""
    await server.start()

    changed = await server.start(privacy=PrivacyConfig(controller="Example Clinic, 1 Main Street"))

    assert (changed.version, changed.needs_renewal) == (2, False)
    assert "Example Clinic" in changed.texts["de"]


async def test_a_longer_period_must_be_read_anew_and_a_shorter_one_not(server: Server) -> None:
    """Who agreed to 90 days did not agree to a year. Shorter counts 72 hours later, and only then is it said."""
    await server.start()

    longer = await server.start(retention=RetentionConfig(chat="365d"))
    shorter = await server.start(retention=RetentionConfig(chat="30d"))
    server.clock.advance(72 * HOUR_S)
    in_force = await server.start(retention=RetentionConfig(chat="30d"))
    endless = await server.start(retention=RetentionConfig(chat="forever"))

    assert (longer.version, longer.needs_renewal) == (2, True)
    assert shorter.version == 2
    assert (in_force.version, in_force.needs_renewal) == (3, False)
    assert (endless.version, endless.needs_renewal) == (4, True)


async def test_other_data_must_be_read_anew(server: Server) -> None:
    """The inventory's digest tells that something else is held than the last notice said."""
    await server.start()
    async with server.running() as services:
        text = await services.db.study(lambda conn: conn.execute(select(notices.c.text)).scalar_one())
        older = json.dumps({**json.loads(text), "inventory": "0" * 16})
        await services.db.work(lambda conn: conn.execute(update(notices).values(text=older)))

    changed = await server.start(privacy=PrivacyConfig(contact="privacy@example.org"))

    assert (changed.version, changed.needs_renewal) == (2, True)


async def test_a_member_reads_the_notice_once_until_it_must_be_read_anew(server: Server, services: Services) -> None:
    """The story of one member through four versions."""
    everything = Notices(services.lifecycle)
    ada = await _member(services)
    assert await everything.needs_acknowledgement(ada.id) is None, "nothing was published yet"

    first = await everything.current(server.clock.now_ms())
    assert (await everything.needs_acknowledgement(ada.id)) == first
    read = await everything.acknowledge(ada, first.version, "de", "dialog", server.clock.now_ms())
    assert await everything.needs_acknowledgement(ada.id) is None
    assert read.notice_hash == hashlib.sha256(first.texts["de"].encode()).hexdigest()

    renewed = await everything.renew(server.clock.now_ms())
    assert (renewed.version, renewed.hash) == (2, first.hash)
    assert await everything.needs_acknowledgement(ada.id) == renewed
    assert await everything.current(server.clock.now_ms()) == renewed

    await everything.acknowledge(ada, 1, "en", "settings", server.clock.now_ms())
    assert await everything.needs_acknowledgement(ada.id) == renewed, "the old version is not the new one"
    await everything.acknowledge(ada, 2, "en", "settings", server.clock.now_ms())
    assert await everything.needs_acknowledgement(ada.id) is None


async def test_who_read_a_newer_version_has_read_what_an_older_one_demanded(server: Server) -> None:
    """Two versions in a row ask once."""
    await server.start()
    await server.start(retention=RetentionConfig(chat="365d"))
    settings = {"retention": RetentionConfig(chat="365d"), "privacy": PrivacyConfig(contact="privacy@example.org")}
    newest = await server.start(**settings)
    assert (newest.version, newest.needs_renewal) == (3, False)

    async with server.running(**settings) as services:
        everything, ada = Notices(services.lifecycle), await _member(services)
        asked = await everything.needs_acknowledgement(ada.id)
        assert asked == newest
        await everything.acknowledge(ada, asked.version, "en", "dialog", server.clock.now_ms())
        assert await everything.needs_acknowledgement(ada.id) is None


async def test_every_version_stays_readable_and_its_publishing_stands_in_the_audit_log(
    server: Server, services: Services
) -> None:
    """A record of consent that names a text nobody can read any more proves nothing."""
    everything = Notices(services.lifecycle)
    first = await everything.current(server.clock.now_ms())
    await everything.renew(server.clock.now_ms())

    assert [each.version for each in await everything.history()] == [2, 1]
    assert await everything.text(1, "en") == first.texts["en"]
    with pytest.raises(NotFoundError):
        await everything.text(1, "tlh")
    with pytest.raises(NotFoundError):
        await everything.text(3, "en")
    query = select(audit_events.c.actor, audit_events.c.target).where(audit_events.c.action == "notice.published")
    events = await services.db.study(lambda conn: [tuple(row) for row in conn.execute(query)])
    assert events == [("system", "1"), ("operator", "2")]


async def test_a_guest_acknowledges_at_joining_by_the_id_of_the_seat(server: Server, services: Services) -> None:
    """Guests are told what is held about them like everybody else, and it is recorded that they were."""
    everything = Notices(services.lifecycle)
    notice = await everything.current(server.clock.now_ms())

    await everything.acknowledge(guest("seat"), notice.version, "en", "joining", server.clock.now_ms())

    (row,) = await services.db.study(lambda conn: conn.execute(select(consents)).all())
    assert (row.participant_id, row.user_id, row.decision, row.method) == ("seat", None, "acknowledged", "joining")


async def test_only_a_version_and_language_that_were_published_can_be_acknowledged(
    server: Server, services: Services
) -> None:
    """Nobody can have read what was never there."""
    everything, ada = Notices(services.lifecycle), await _member(services)
    notice = await everything.current(server.clock.now_ms())

    for version, language in ((notice.version + 1, "en"), (notice.version, "tlh")):
        with pytest.raises(NotFoundError):
            await everything.acknowledge(ada, version, language, "dialog", server.clock.now_ms())
