"""Restoring: what was there comes back, whoever was erased does not, and whatever happens in between, it is the old
state or the new one."""

import asyncio
import os
import resource
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update
from tests.support.erasing import Canary, fill, found_in, new_guest, new_member
from tests.support.killing import changes_of, killed_at
from tests.support.migrated import prepare
from tests.support.recordings import TRACK, Seat, make_recording

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db import audit, audit_proof
from pymeet.db.audit_checkpoints import Checkpoints
from pymeet.db.keys import WrongKeyError, rotate_master_key
from pymeet.db.schema import (
    api_tokens,
    audit_events,
    calendar_feeds,
    exports,
    films,
    group_members,
    groups,
    holds,
    known_devices,
    mail_outbox,
    messages,
    notification_settings,
    notifications,
    one_time_links,
    passkeys,
    processing_limits,
    recording_group_shares,
    recording_people,
    recording_shares,
    recording_tracks,
    recordings,
    recovery_codes,
    requests,
    retention_periods,
    rooms,
    second_factors,
    sessions,
    user_credentials,
    users,
)
from pymeet.errors import ConflictError, NotFoundError
from pymeet.ids import new_id
from pymeet.ops import backup, backup_sets, restore_swap
from pymeet.ops.backup_sets import BackupError, alone, sets
from pymeet.ops.management import hold_data_dir
from pymeet.ops.restore import Restored, RestoreError, check, chosen, restore
from pymeet.ops.restore_swap import check_no_restore_pending, settle
from pymeet.ops.services import Services, open_services
from pymeet.privacy import holds as legal_holds
from pymeet.privacy.age import Lock, WrongPassphraseError
from pymeet.privacy.erasure import Erasures
from pymeet.privacy.requests import Requests
from pymeet.recording.removal import remove_person

DAY_S = 86_400.0
DAY_MS = 86_400_000
BROWSERS = {"known_devices.id", "known_devices.name", "known_devices.token_hash"}
WORN_OUT = {"session", "sessions.id", "id_token", "provider_session", "link", "mail", "mail.values", "notifications.id"}
WORN_OUT |= BROWSERS
"""What no restore brings back: it was used, has ended, was sent or read, or is trust that may have been withdrawn."""


EVERY = 1 if os.environ.get("PYMEET_GATES") == "long" else 3
"""At which of the changes that a restore makes it is killed, besides the first and last two."""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.model_validate({"data_dir": str(tmp_path / "d"), "backup": {"dir": str(tmp_path / "b")}})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@asynccontextmanager
async def opened(config: Config, clock: ManualClock) -> AsyncIterator[Services]:
    """Services, and at the end the audit log signed, as the server does every few minutes."""
    prepare(config.database_path)
    async with open_services(config, clock) as services:
        yield services
        await audit_proof.seal_log(services.db, checkpoints(services), clock.now_ms())


def checkpoints(services: Services) -> Checkpoints:
    return Checkpoints.beside(services.config.data_dir, services.keys.purpose_key(audit_proof.PURPOSE))


async def make(services: Services, lock: Lock | None = None) -> Path:
    made = await backup.make(services.lifecycle, services.config.backup_dir, lock, audit.OPERATOR)
    return made.path


async def back_up(config: Config, clock: ManualClock, *people: Canary, lock: Lock | None = None) -> Path:
    """A server with these people in it, and its backup, made a day ago."""
    async with opened(config, clock) as services:
        for person in people:
            await fill(services, person)
        path = await make(services, lock)
    clock.advance(DAY_S)
    return path


async def erase(config: Config, clock: ManualClock, person: Canary) -> None:
    async with opened(config, clock) as services:
        receipt = await Erasures(services.lifecycle).erase_now(person.person, "operator", audit.OPERATOR)
        assert receipt.complete
    clock.advance(60)


async def put_back(config: Config, clock: ManualClock, path: Path, **options: Any) -> Restored:
    return await restore(config, path, clock=clock, **options)


async def rows(services: Services, *columns: Any) -> set[Any]:
    async with services.db.read() as conn:
        return {row[0] if len(row) == 1 else tuple(row) for row in await conn.execute(select(*columns))}


async def assert_sound(services: Services) -> None:
    """The audit log verifies, every key opens, and the database is whole."""
    report = await services.db.study(audit_proof.verify, checkpoints(services))
    assert report.problems == ()
    services.keys.check()
    with closing(sqlite3.connect(services.config.database_path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def left_over(config: Config) -> list[str]:
    names = (restore_swap.QUARANTINE, restore_swap.MARK)
    return [name for name in names if (config.data_dir / name).exists()] + [
        path.name for path in config.data_dir.glob("*.part")
    ]


@pytest.mark.parametrize("lock", [None, Lock.make("correct horse battery", log_n=4)], ids=["plain", "encrypted"])
@pytest.mark.parametrize("person", [new_member, new_guest])
async def test_who_was_erased_since_stays_erased_and_everybody_else_comes_back(
    config: Config, clock: ManualClock, lock: Lock | None, person: Any
) -> None:
    """The drill: back up, erase one, restore. Not one byte of them is in the data directory, and all of the other."""
    ann, ben = person(), person()
    path = await back_up(config, clock, ann, ben, lock=lock)
    assert lock or set(found_in(path, ann.tokens)) >= set(ann.tokens) - {"file"}  # the search is not blind
    await erase(config, clock, ann)
    async with opened(config, clock) as services:
        await services.db.work(lambda conn: conn.execute(messages.delete()))

    done = await put_back(config, clock, path, lock=lock)

    assert (done.erased_again, done.held, done.holds_lost, done.present_was_read) == (1, 0, 0, True)
    assert found_in(config.data_dir, {**ann.tokens, "file id": ann.file_id}) == {}
    there = {place: token for place, token in ben.tokens.items() if place not in WORN_OUT}
    assert set(found_in(config.data_dir, there)) == set(there) - {"file"}
    assert left_over(config) == []
    async with opened(config, clock) as services:
        await assert_sound(services)
        with services.files.open(ben.file_id) as file:
            assert file.read().decode() == ben.tokens["file"]
        assert await rows(services, func.count(messages.c.sequence)) == {3}


async def test_the_restore_stands_in_the_audit_log_and_the_log_verifies(config: Config, clock: ManualClock) -> None:
    """An older copy of the log in its place is what somebody would do who hides something; this one is known."""
    path = await back_up(config, clock, new_member())
    async with opened(config, clock) as services:
        await services.accounts.add_user("Cleo", "cleo@example.org", False)

    done = await put_back(config, clock, path)

    assert done.events_lost > 0
    async with opened(config, clock) as services:
        report = await services.db.study(audit_proof.verify, checkpoints(services))
        assert (report.problems, report.restores) == ((), 1)
        assert ("backup.restored", path.name) in await rows(services, audit_events.c.action, audit_events.c.target)


async def test_what_is_over_is_deleted_before_anybody_sees_it(config: Config, clock: ManualClock) -> None:
    """A backup of two weeks ago holds what had two weeks left."""
    ann = new_member()
    path = await back_up(config, clock, ann)
    clock.advance(7 * DAY_S)

    done = await put_back(config, clock, path)

    assert done.deleted["export"] == 1
    async with opened(config, clock) as services:
        assert await rows(services, exports.c.id) == set()
        with pytest.raises(NotFoundError):
            services.files.open(ann.file_id)
    assert found_in(config.data_dir, {"exports.id": ann.tokens["exports.id"]}) == {}


async def test_files_destroyed_since_stay_closed_and_lost_ones_come_back(config: Config, clock: ManualClock) -> None:
    """The newest keys count, with every backup."""
    ann, ben = new_member(), new_member()
    path = await back_up(config, clock, ann, ben)
    async with opened(config, clock) as services:
        services.files.destroy(ann.file_id)
        services.files.path(ben.file_id).unlink()

    done = await put_back(config, clock, path)

    assert (done.files, done.files_destroyed) == (7, 1)  # each has an archive, a track, a film and a picture
    async with opened(config, clock) as services:
        with services.files.open(ben.file_id) as file:
            assert file.read().decode() == ben.tokens["file"]
        assert not services.files.exists(ann.file_id)


async def test_no_hold_ends_silently(config: Config, clock: ManualClock) -> None:
    """Not one placed since, and one released since does not begin again."""
    ann, ben, cleo = new_member(), new_member(), new_member()

    def place(conn: Any, person: Canary) -> str:
        placed = legal_holds.place(
            conn,
            reason="legal_duty",
            review_at_ms=clock.now_ms() + 90 * DAY_MS,
            now_ms=clock.now_ms(),
            actor=audit.OPERATOR,
            person=person.person,
        )
        return placed.id

    async with opened(config, clock) as services:
        for person in (ann, ben):
            await fill(services, person)
        released = await services.db.work(place, ann)
        path = await make(services)
    clock.advance(DAY_S)
    async with opened(config, clock) as services:
        await fill(services, cleo)
        await services.db.work(lambda conn: legal_holds.release(conn, released, now_ms=1, actor=audit.OPERATOR))
        kept = await services.db.work(place, ben)
        await services.db.work(place, cleo)

    done = await put_back(config, clock, path)

    assert (done.holds, done.holds_lost) == (1, 1)
    async with opened(config, clock) as services:
        async with services.db.read() as conn:
            in_force = (await conn.execute(select(holds.c.id).where(holds.c.released_at_ms.is_(None)))).scalars().all()
        assert in_force == [kept]


@pytest.mark.parametrize("present", [True, False], ids=["known to be released", "nothing known"])
async def test_a_hold_in_the_backup_keeps_somebody_only_where_nobody_knows_that_it_was_released(
    config: Config, clock: ManualClock, present: bool
) -> None:
    """An erased person must not come back by a hold that ended before; one that nobody can tell about still counts."""
    ann = new_member()
    async with opened(config, clock) as services:
        await fill(services, ann)
        hold = await services.db.work(
            lambda conn: legal_holds.place(
                conn,
                reason="legal_duty",
                review_at_ms=clock.now_ms() + DAY_MS,
                now_ms=clock.now_ms(),
                actor=audit.OPERATOR,
                person=ann.person,
            )
        )
        path = await make(services)
        await services.db.work(lambda conn: legal_holds.release(conn, hold.id, now_ms=1, actor=audit.OPERATOR))
    await erase(config, clock, ann)
    if not present:
        config.database_path.unlink()

    done = await put_back(config, clock, path)

    assert (done.erased_again, done.held, done.holds) == ((1, 0, 0) if present else (1, 1, 1))


async def test_who_was_taken_out_of_a_recording_stays_out_of_it(config: Config, clock: ManualClock) -> None:
    """An older backup has their name, what they wrote, and a film that shows them."""
    async with opened(config, clock) as services:
        ann, ben = new_member(), new_member()
        for person in (ann, ben):
            await fill(services, person)
        seats = {"Ann": Seat(ann.person.id), "Ben": Seat(ben.person.id)}
        slug = next(iter(await rows(services, rooms.c.slug)))
        made = await make_recording(services.lifecycle, slug, ben.person.id, seats)
        path = await make(services)
    clock.advance(DAY_S)
    async with opened(config, clock) as services:
        await remove_person(services.lifecycle, made.id, made.people["Ann"], audit.OPERATOR)

    await put_back(config, clock, path)

    async with opened(config, clock) as services:
        await assert_sound(services)
        assert await rows(services, recording_people.c.id) >= {made.people["Ben"]}
        assert made.people["Ann"] not in await rows(services, recording_people.c.id)
        assert await rows(services, recording_tracks.c.file_id) >= {made.track_files["Ben"]}
        assert made.track_files["Ann"] not in await rows(services, recording_tracks.c.file_id)
        shown = await rows(services, films.c.id, films.c.state)
        assert made.film not in {film for film, _ in shown}
        assert "queued" in {state for _, state in shown}
        with services.files.open(made.track_files["Ben"]) as file:
            assert file.read() == TRACK
        for gone in (made.track_files["Ann"], made.film_file):
            with pytest.raises(NotFoundError):
                services.files.open(gone)


async def test_who_was_taken_out_of_a_group_or_a_share_stays_out(config: Config, clock: ManualClock) -> None:
    """They would watch recordings again that are none of their business any more. With a recording and a group that are
    gone altogether come those who were in them."""
    ann, ben, cleo = new_member(), new_member(), new_member()
    async with opened(config, clock) as services:
        for person in (ann, ben, cleo):
            await fill(services, person)
            await services.db.work(_add_link, person.person.id, clock.now_ms() + 7 * DAY_MS)
        path = await make(services)
        in_groups, shared = await _who_may_watch(services)
    assert (len(in_groups), len(shared)) == (3, 9)
    bens_group = next(group for group, member_id in in_groups if member_id == ben.person.id)

    def change(conn: Connection) -> None:
        of_ann = select(recordings.c.id).where(recordings.c.owner_id == ann.person.id)
        for table in (recording_shares, recording_group_shares):
            conn.execute(delete(table).where(table.c.recording_id.in_(of_ann)))
        conn.execute(delete(group_members).where(group_members.c.user_id == ann.person.id))
        of_cleo = select(group_members.c.group_id).where(group_members.c.user_id == cleo.person.id)
        conn.execute(delete(groups).where(groups.c.id.in_(of_cleo)))
        conn.execute(delete(recordings).where(recordings.c.owner_id == cleo.person.id))
        conn.execute(insert(group_members).values(group_id=bens_group, user_id=cleo.person.id, added_at_ms=5))

    async with opened(config, clock) as services:
        await services.db.work(change)

    await put_back(config, clock, path)

    async with opened(config, clock) as services:
        left, left_shares = await _who_may_watch(services)
    assert left == {(group, member_id) for group, member_id in in_groups if member_id != ann.person.id}
    assert left_shares == {(share, owner) for share, owner in shared if owner != ann.person.id}


def _add_link(conn: Connection, owner_id: str, expires_at_ms: int) -> None:
    """To the person's recording."""
    recording_id = conn.execute(select(recordings.c.id).where(recordings.c.owner_id == owner_id)).scalar_one()
    link = {"id": new_id(), "kind": "link", "token_hash": new_id(), "expires_at_ms": expires_at_ms}
    conn.execute(insert(recording_shares).values(recording_id=recording_id, made_at_ms=1, **link))


async def _who_may_watch(services: Services) -> tuple[set[Any], set[Any]]:
    """Groups with their members, and shares with the owners of their recordings."""
    owner_of = dict(await rows(services, recordings.c.id, recordings.c.owner_id))
    shares = set()
    for table in (recording_shares, recording_group_shares):
        shares |= await rows(services, table.c.id, table.c.recording_id)
    in_groups = await rows(services, group_members.c.group_id, group_members.c.user_id)
    return in_groups, {(share, owner_of[recording_id]) for share, recording_id in shares}


async def test_settings_are_as_they_were_last(config: Config, clock: ManualClock) -> None:
    """What an administrator shut since, such as the door for guests, would stand open again."""
    async with opened(config, clock) as services:
        await services.settings.change("rooms.guests_allowed", True, now_ms=1)
        await services.settings.change("http.announcement", "We move on Friday.", now_ms=1)
        path = await make(services)
        await services.settings.change("rooms.guests_allowed", False, now_ms=2)
        await services.settings.change("recording.enabled", False, now_ms=2)
        await services.settings.give_back("http.announcement", now_ms=2)
        before = services.settings.listed()

    await put_back(config, clock, path)

    async with opened(config, clock) as services:
        assert services.settings.listed() == before
        assert not services.settings.config.rooms.guests_allowed


async def test_rights_locks_and_promises_are_as_they_were_last(config: Config, clock: ManualClock) -> None:
    """Otherwise a restore would lift a restriction, unlock an account, and forget that somebody asked to be erased."""
    ann, ben = new_member(), new_member()
    path = await back_up(config, clock, ann, ben)
    async with opened(config, clock) as services:
        request = await Erasures(services.lifecycle).request(ann.person, "self", audit.OPERATOR)
        asked = await Requests(services.lifecycle).open("access", ben.person, "operator", audit.OPERATOR)
        changes = {"disabled_at_ms": 5, "is_dpo": True}
        await services.db.work(
            lambda conn: conn.execute(update(users).where(users.c.id == ben.person.id).values(changes))
        )
        await services.db.work(lambda conn: conn.execute(update(user_credentials).values(password_hash="new")))
        shorter = {"class_name": "chat", "period_ms": 7 * DAY_MS, "decided_at_ms": 5, "in_force_from_ms": 5}
        await services.db.work(lambda conn: conn.execute(insert(retention_periods).values(shorter)))

    await put_back(config, clock, path)

    async with opened(config, clock) as services:
        states = await rows(services, requests.c.id, requests.c.state)
        assert {(request.id, "restricted"), (asked.id, "requested")} <= states
        limits = processing_limits.c
        assert (ann.person.id, "erasure", None) in await rows(
            services, limits.user_id, limits.cause, limits.lifted_at_ms
        )
        assert (ben.person.id, 5, True) in await rows(services, users.c.id, users.c.disabled_at_ms, users.c.is_dpo)
        assert await rows(services, user_credentials.c.password_hash) == {"new"}
        assert ("chat", 7 * DAY_MS) in await rows(
            services, retention_periods.c.class_name, retention_periods.c.period_ms
        )


async def test_nobody_is_signed_in_and_no_mail_goes_out_again(config: Config, clock: ManualClock) -> None:
    """A session that was ended since would live again, and an old link would open an account."""
    path = await back_up(config, clock, new_member())

    await put_back(config, clock, path)

    async with opened(config, clock) as services:
        for table in (sessions, one_time_links, known_devices, mail_outbox, notifications):
            assert await rows(services, *table.primary_key.columns) == set()


async def test_second_factors_are_as_they_were_last(config: Config, clock: ManualClock) -> None:
    """A recovery code that was used, the passkey of a stolen laptop, or a token that was revoked, must not open the
    account again; and what was set up since must go on protecting it."""
    ann, ben = new_member(), new_member()
    async with opened(config, clock) as services:
        await fill(services, ann)
        await fill(services, ben)
        await services.db.work(_add_factors, ann.person.id, "older")
        path = await make(services)
    async with opened(config, clock) as services:
        await services.factors.remove_second_factors(ann.person.id)
        await services.accounts.tokens.revoke("older")
        await services.db.work(_add_factors, ben.person.id, "newer")
        await services.db.work(lambda conn: conn.execute(delete(known_devices)))

    await put_back(config, clock, path)

    async with opened(config, clock) as services:
        for column in (second_factors.c.totp_secret, recovery_codes.c.code_hash, passkeys.c.name, api_tokens.c.name):
            assert await rows(services, column.table.c.user_id, column) == {(ben.person.id, "newer")}


def _add_factors(conn: Connection, user_id: str, text: str) -> None:
    """In place of those that the person has."""
    for table in (second_factors, recovery_codes, passkeys, known_devices, api_tokens):
        conn.execute(delete(table).where(table.c.user_id == user_id))
    whose = {"user_id": user_id, "created_at_ms": 1}
    key = {"name": text, "credential_id": text, "public_key": text, "sign_count": 0}
    device = {"token_hash": text, "name": "", "last_seen_at_ms": 1, "expires_at_ms": 2**52}
    conn.execute(insert(second_factors).values(totp_secret=text, last_step=1, **whose))
    conn.execute(insert(recovery_codes).values(code_hash=text, **whose))
    conn.execute(insert(passkeys).values(id=text, **key, **whose))
    conn.execute(insert(known_devices).values(id=text, **device, **whose))
    token = {"token_hash": text, "name": text, "scopes": "rooms:read", "expires_at_ms": 2**52}
    conn.execute(insert(api_tokens).values(id=text, **token, **whose))


async def test_addresses_and_calendar_addresses_are_as_they_were_last(config: Config, clock: ManualClock) -> None:
    """An address of old may be somebody else's by now, and one for a calendar may have been withdrawn."""
    ann, ben = new_member(), new_member()
    path = await back_up(config, clock, ann, ben)

    def change(conn: Connection) -> None:
        conn.execute(delete(calendar_feeds))
        conn.execute(delete(notification_settings))
        emails = {row.id: row.email for row in conn.execute(select(users.c.id, users.c.email))}
        for person_id, email in ((ann.person.id, "x"), (ben.person.id, emails[ann.person.id]), (ann.person.id, "a@b")):
            conn.execute(update(users).where(users.c.id == person_id).values(email=email))
        conn.execute(insert(calendar_feeds).values(user_id=ann.person.id, secret_hash="new", created_at_ms=5))
        conn.execute(insert(notification_settings).values(user_id=ben.person.id, mail=False))

    async with opened(config, clock) as services:
        await services.db.work(change)
        before = await rows(services, users.c.id, users.c.email)

    await put_back(config, clock, path)

    async with opened(config, clock) as services:
        assert await rows(services, users.c.id, users.c.email) == before
        assert await rows(services, calendar_feeds.c.user_id, calendar_feeds.c.secret_hash) == {(ann.person.id, "new")}
        assert await rows(services, notification_settings.c.user_id, notification_settings.c.mail) == {
            (ben.person.id, False)
        }


async def test_an_erased_administrator_does_not_come_back_as_the_last_one(config: Config, clock: ManualClock) -> None:
    """The last one who can sign in is not erased otherwise, and the restore would be impossible."""
    ann, ben = new_member(), new_member()

    def promote(conn: Any, person: Canary) -> None:
        conn.execute(update(users).where(users.c.id == person.person.id).values(is_admin=True))

    async with opened(config, clock) as services:
        await fill(services, ann)
        await services.db.work(promote, ann)
        path = await make(services)
        clock.advance(DAY_S)
        await fill(services, ben)
        await services.db.work(promote, ben)
    await erase(config, clock, ann)

    done = await put_back(config, clock, path)

    assert done.erased_again == 1
    assert found_in(config.data_dir, ann.tokens) == {}


async def test_a_new_machine_needs_the_master_key_and_the_backups_only(
    config: Config, clock: ManualClock, tmp_path: Path
) -> None:
    """The disk is gone. The ledger beside the backups still knows who was erased."""
    ann, ben = new_member(), new_member()
    path = await back_up(config, clock, ann, ben)
    await erase(config, clock, ann)
    async with opened(config, clock) as services:
        await make(services)
    saved = (config.data_dir / "master.key").read_bytes()
    shutil.rmtree(config.data_dir)
    with pytest.raises(RestoreError, match=r"master\.key"):
        await put_back(config, clock, path)
    config.data_dir.mkdir(mode=0o700)
    (config.data_dir / "master.key").touch(mode=0o600)
    (config.data_dir / "master.key").write_bytes(saved)

    done = await put_back(config, clock, path)

    assert (done.erased_again, done.present_was_read) == (1, False)
    assert found_in(config.data_dir, ann.tokens) == {}
    async with opened(config, clock) as services:
        await assert_sound(services)
        with services.files.open(ben.file_id) as file:
            assert file.read().decode() == ben.tokens["file"]


async def test_without_any_keys_it_is_refused(config: Config, clock: ManualClock) -> None:
    """Neither sealed files nor the ledger could be read."""
    path = await back_up(config, clock, new_member())
    shutil.rmtree(config.backup_dir / backup_sets.KEYS)
    for left in config.data_dir.glob("keys.db*"):
        left.unlink()

    with pytest.raises(RestoreError, match="snapshot"):
        await put_back(config, clock, path)
    assert left_over(config) == []


async def test_another_servers_master_key_is_refused(config: Config, clock: ManualClock) -> None:
    """Loudly, and nothing is changed."""
    path = await back_up(config, clock, new_member())
    (config.data_dir / "master.key").write_text("ab" * 32)
    before = config.database_path.read_bytes()

    with pytest.raises(WrongKeyError):
        await put_back(config, clock, path)

    assert config.database_path.read_bytes() == before
    assert left_over(config) == []


async def test_a_backup_from_before_the_master_key_was_changed_is_restored(config: Config, clock: ManualClock) -> None:
    """Sealed files do not change with it."""
    ann, ben = new_member(), new_member()
    path = await back_up(config, clock, ann, ben)
    async with opened(config, clock) as services:
        rotate_master_key(config.data_dir, services.keys, lambda _done, _total: None)
    await erase(config, clock, ann)

    done = await put_back(config, clock, path)

    assert done.erased_again == 1
    async with opened(config, clock) as services:
        with services.files.open(ben.file_id) as file:
            assert file.read().decode() == ben.tokens["file"]


async def test_what_is_replaced_can_be_kept(config: Config, clock: ManualClock) -> None:
    """As a backup like any other: listed, encrypted if wanted, gone in time."""
    path = await back_up(config, clock, new_member())
    async with opened(config, clock) as services:
        await services.accounts.add_user("Cleo", "cleo@example.org", False)
    lock = Lock.make("correct horse battery", log_n=4)

    done = await put_back(config, clock, path, keep=lambda: lock)

    assert [each.path.name for each in sets(config.backup_dir)] == [path.name, done.kept]
    assert b"cleo@example.org" not in b"".join(each.read_bytes() for each in config.data_dir.glob("*.db"))
    again = await put_back(config, clock, config.backup_dir / (done.kept or ""), lock=lock)
    assert again.kept is None
    async with opened(config, clock) as services:
        assert "cleo@example.org" in await rows(services, users.c.email)


@pytest.mark.parametrize("place", ["pymeet.db", "sealed", "manifest.json"])
async def test_a_damaged_backup_is_refused(config: Config, clock: ManualClock, place: str) -> None:
    """Before anything is touched."""
    path = await back_up(config, clock, new_member())
    damaged = next(each for each in sorted(path.rglob("*")) if each.name.endswith(place))
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.unlink()
    damaged.write_bytes(data)
    before = config.database_path.read_bytes()

    with pytest.raises((RestoreError, BackupError), match="damaged"):
        await put_back(config, clock, path)

    assert config.database_path.read_bytes() == before
    assert left_over(config) == []


async def test_a_wrong_passphrase_changes_nothing(config: Config, clock: ManualClock) -> None:
    """Nor does none."""
    path = await back_up(config, clock, new_member(), lock=Lock.make("correct horse battery", log_n=4))
    before = config.database_path.read_bytes()

    with pytest.raises(WrongPassphraseError):
        await put_back(config, clock, path, lock=Lock(b"", bytes(16)))
    with pytest.raises(RestoreError, match="encrypted"):
        await put_back(config, clock, path)

    assert config.database_path.read_bytes() == before
    assert left_over(config) == []


async def test_a_damaged_ledger_is_refused(config: Config, clock: ManualClock) -> None:
    """It is not certain who was erased."""
    ann = new_member()
    path = await back_up(config, clock, ann)
    await erase(config, clock, ann)
    ledger = config.data_dir / "ledger" / "erasures.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"cause"', b'"Cause"'))

    with pytest.raises(RestoreError, match="ledger"):
        await put_back(config, clock, path)
    assert left_over(config) == []


async def test_a_tampered_audit_log_is_not_vouched_for(config: Config, clock: ManualClock) -> None:
    """A signed checkpoint over it would make it true."""
    async with opened(config, clock) as services:
        await fill(services, new_member())
        await audit_proof.seal_log(services.db, checkpoints(services), clock.now_ms())
        await services.db.work(
            lambda conn: conn.execute(update(audit_events).where(audit_events.c.sequence == 1).values(action="a.b"))
        )
        path = await make(services)
    with pytest.raises(audit_proof.AuditBrokenError):
        await put_back(config, clock, path)
    assert left_over(config) == []


async def test_a_damaged_present_database_does_not_stand_in_the_way(config: Config, clock: ManualClock) -> None:
    """It may be why this is done. That nothing newer came over is said."""
    ben = new_member()
    path = await back_up(config, clock, ben)
    data = bytearray(config.database_path.read_bytes())
    data[:4096] = os.urandom(4096)
    config.database_path.write_bytes(data)

    done = await put_back(config, clock, path)

    assert not done.present_was_read
    async with opened(config, clock) as services:
        await assert_sound(services)
        assert ben.email in await rows(services, users.c.email)


async def test_too_old_and_from_the_future_are_refused(config: Config, clock: ManualClock) -> None:
    """Who was erased since is forgotten by then; and a wrong clock would delete what is not over."""
    path = await back_up(config, clock, new_member())
    clock.advance(-2 * DAY_S)
    with pytest.raises(RestoreError, match="clock"):
        check(config, path, clock)
    clock.advance(50 * DAY_S)
    with pytest.raises(RestoreError, match="older than 44d"):
        check(config, path, clock)


async def test_not_while_anything_else_is_at_work(config: Config, clock: ManualClock) -> None:
    """A server, another command, another backup."""
    path = await back_up(config, clock, new_member())
    with hold_data_dir(config), pytest.raises(ConflictError, match="server"):
        await put_back(config, clock, path)
    with alone(config.backup_dir), pytest.raises(ConflictError, match="under way"):
        await put_back(config, clock, path)
    async with open_services(config, clock) as services:
        assert await rows(services, func.count(users.c.id)) == {1}
        with pytest.raises(ConflictError, match="using the database"):
            await put_back(config, clock, path)
        assert await rows(services, func.count(users.c.id)) == {1}
    assert left_over(config) == []


async def test_a_set_is_found_by_name_and_by_path(config: Config, clock: ManualClock) -> None:
    """The second for a backup on a disk that was brought here."""
    path = await back_up(config, clock, new_member())

    assert chosen(config, path.name) == chosen(config, str(path)) == path
    for given in ("20200101T000000Z", "/nowhere/20200101T000000Z", "../d"):
        with pytest.raises(NotFoundError):
            chosen(config, given)


async def test_a_full_disk_changes_nothing(config: Config, clock: ManualClock) -> None:
    """There is no room for a second database."""
    path = await back_up(config, clock, new_member())
    before = config.database_path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit_bytes in (20, 5_000, 200_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limits[1]))
        try:
            with pytest.raises(RestoreError, match="Nothing was changed"):
                await put_back(config, clock, path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert config.database_path.read_bytes() == before
        assert left_over(config) == []


async def test_one_that_is_broken_off_changes_nothing(config: Config, clock: ManualClock) -> None:
    """Ctrl-C, at whatever point before the end."""
    ann = new_member()
    path = await back_up(config, clock, ann)
    await erase(config, clock, ann)
    for steps in (1, 3, 4):
        heard = asyncio.Event()
        loop, count = asyncio.get_running_loop(), 0

        def listen(_done: int, _total: int | None, _what: str, steps: int = steps) -> None:
            nonlocal count
            count += 1
            if count == steps:
                loop.call_soon_threadsafe(heard.set)  # noqa: B023  it is used in this round only

        restoring = asyncio.create_task(put_back(config, clock, path, progress=listen))
        async with asyncio.timeout(30):
            await heard.wait()
        restoring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await restoring

        assert left_over(config) == []
        assert found_in(config.data_dir, ann.tokens) == {}
        async with opened(config, clock) as services:
            await assert_sound(services)


def test_killed_anywhere_it_is_the_old_state_or_the_new_one(config: Config, clock: ManualClock, tmp_path: Path) -> None:
    """And with neither does anything come back of somebody who was erased."""
    ann, ben, cleo = new_member(), new_member(), new_member()
    path = asyncio.run(back_up(config, clock, ann, ben))
    asyncio.run(erase(config, clock, ann))

    async def go_on() -> None:
        async with opened(config, clock) as services:
            await fill(services, cleo)
            services.files.path(ben.file_id).unlink()

    async def look() -> bool:
        """Whether it is the new state; that it is one of the two, and sound."""
        async with opened(config, clock) as services:
            await assert_sound(services)
            people = await rows(services, users.c.email)
            seats = ben.email in people
            is_new = cleo.email not in people
            assert services.files.exists(ben.file_id) == is_new
        assert seats
        return is_new

    def run() -> None:
        asyncio.run(put_back(config, clock, path))

    def finish() -> None:
        with hold_data_dir(config):
            settle(config)

    def again(state: Path) -> None:
        shutil.rmtree(config.data_dir)
        shutil.copytree(state, config.data_dir)

    def settled() -> bool:
        if (config.data_dir / restore_swap.MARK).exists():
            with pytest.raises(ConflictError):
                check_no_restore_pending(config)
        finish()
        check_no_restore_pending(config)
        assert left_over(config) == []
        assert found_in(config.data_dir, ann.tokens) == {}
        return asyncio.run(look())

    asyncio.run(go_on())
    old, ready = tmp_path / "old", tmp_path / "ready"
    shutil.copytree(config.data_dir, old)
    total = changes_of(config.data_dir, run)
    assert asyncio.run(look())
    for number in (1, 3, total // 3, total // 2):
        again(old)
        assert killed_at(number, config.data_dir, run)
        assert not settled()

    again(old)
    assert killed_at(1, config.data_dir / "files", run)
    assert (config.data_dir / restore_swap.MARK).read_text() == "ready\n"
    shutil.copytree(config.data_dir, ready)
    total = changes_of(config.data_dir, finish)
    assert total > 8
    for number in sorted({1, 2, *range(3, total, EVERY), total - 1, total}):
        again(ready)
        assert killed_at(number, config.data_dir, finish)
        assert settled()


async def test_a_start_without_a_restore_settles_nothing(config: Config, clock: ManualClock) -> None:
    """Every start asks."""
    async with opened(config, clock):
        pass
    with hold_data_dir(config):
        assert settle(config) is None
    assert not [name for name in os.listdir(config.data_dir) if new_id() in name]
