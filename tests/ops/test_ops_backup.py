"""Backups: whole or not there, consistent while people write, closed to who has not the passphrase, gone in time."""

import asyncio
import io
import os
import resource
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyrage
import pytest
from sqlalchemy import select
from tests.support.killing import changes_of, killed_at
from tests.support.management import serving
from tests.support.migrated import prepare

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db import audit
from pymeet.db.schema import audit_events
from pymeet.errors import ConflictError, NotFoundError
from pymeet.ids import new_id
from pymeet.ops import backup, backup_sets, backup_verify
from pymeet.ops.backup import expire_backups, keep_ledgers
from pymeet.ops.backup_sets import BackupError, alone, find, sets, snapshots
from pymeet.ops.client import call
from pymeet.ops.services import Services, open_services
from pymeet.privacy import clockguard
from pymeet.privacy.age import Lock, WrongPassphraseError
from pymeet.privacy.ledger import Ledger
from pymeet.privacy.people import member
from pymeet.retention import days

CONTENT = b"what was recorded " * 10_000
PASSPHRASE = "correct horse battery"
FIRST = "20231114T221320Z"
"""The name of a set made when the manual clock begins."""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.model_validate({"data_dir": str(tmp_path / "d"), "backup": {"dir": str(tmp_path / "b")}})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def services(config: Config, clock: ManualClock) -> AsyncIterator[Services]:
    prepare(config.database_path)
    async with open_services(config, clock) as services:
        yield services


def seal(services: Services) -> str:
    """A new sealed file; its id."""
    file_id = new_id()
    with services.files.create(file_id, services.clock.now_ms()) as sink:
        sink.write(CONTENT)
        sink.finish()
    return file_id


async def make(services: Services, lock: Lock | None = None) -> Path:
    made = await backup.make(services.lifecycle, services.config.backup_dir, lock, audit.OPERATOR)
    return made.path


async def verify(services: Services, path: Path, lock: Lock | None = None) -> backup_verify.Verified:
    return await backup.in_thread(backup_verify.verify, services.config, services.keys, path, lock)


async def expire(services: Services) -> list[str]:
    """What the sweeper does, which has just looked at the clock."""
    await services.db.work(clockguard.mark, clockguard.read_clocks(services.clock.now_ms()))
    return await expire_backups(services.lifecycle)


def rows(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as conn:
        return conn.execute(statement).fetchall()


def bytes_below(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def quick_lock() -> Lock:
    return Lock.make(PASSPHRASE, log_n=4)


async def test_a_backup_holds_the_database_the_files_and_apart_the_keys(services: Services) -> None:
    """What is missing in it is lost when the disk is."""
    await services.accounts.add_user("Ada", "ada@example.org", False)
    file_id = seal(services)

    path = await make(services)

    assert path == services.config.backup_dir / FIRST
    assert rows(path / "pymeet.db", "SELECT email FROM users") == [("ada@example.org",)]
    (sealed,) = (path / "files").rglob("*.sealed")
    assert sealed.read_bytes() == services.files.path(file_id).read_bytes()
    (snapshot,) = snapshots(services.config.backup_dir)
    assert rows(snapshot, "SELECT file_id FROM file_keys") == [(file_id,)]
    assert not (path / "keys.db").exists()
    assert (await verify(services, path)).good


async def test_neither_the_master_key_nor_a_files_content_is_in_it(services: Services) -> None:
    """Whoever finds a backup must not be able to open sealed files."""
    seal(services)
    await make(services)

    held = bytes_below(services.config.backup_dir)

    assert (services.config.data_dir / "master.key").read_bytes().strip() not in held
    assert CONTENT[:64] not in held


async def test_only_its_owner_can_read_it(services: Services) -> None:
    """The rest of the machine has no business there."""
    seal(services)
    await make(services, quick_lock())
    clock = services.clock
    assert isinstance(clock, ManualClock)
    clock.advance(1)
    await make(services)

    modes = {path: path.stat().st_mode & 0o777 for path in services.config.backup_dir.rglob("*")}

    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


async def test_an_encrypted_backup_opens_with_the_passphrase_and_any_age_program(
    services: Services, tmp_path: Path
) -> None:
    """And holds no name in the clear, nor does any other place."""
    await services.accounts.add_user("Ada", "ada-canary@example.org", False)

    path = await make(services, quick_lock())

    assert b"ada-canary" not in bytes_below(services.config.backup_dir)
    assert list(services.config.data_dir.glob("*.part")) == []
    plain = tmp_path / "plain.db"
    plain.write_bytes(pyrage.passphrase.decrypt((path / "pymeet.db.age").read_bytes(), PASSPHRASE))
    assert rows(plain, "SELECT email FROM users") == [("ada-canary@example.org",)]


async def test_an_encrypted_backup_is_verified_with_its_passphrase_only(services: Services) -> None:
    """Without it the hashes are what can be checked, and it says so."""
    path = await make(services, quick_lock())
    with (path / "pymeet.db.age").open("rb") as file:
        lock = Lock.open(file, PASSPHRASE)

    with_it, without = await verify(services, path, lock), await verify(services, path)

    assert (with_it.good, with_it.opened) == (True, True)
    assert (without.good, without.opened) == (True, False)
    with pytest.raises(WrongPassphraseError):
        await verify(services, path, Lock(b"", bytes(16)))
    assert list(services.config.data_dir.glob("*.part")) == []


async def test_the_passphrase_goes_nowhere(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    """The server gets a key for this one file instead, and logs neither."""
    lock = quick_lock()
    given = {"header": lock.header.decode(), "file_key": lock.file_key.hex()}
    async with serving(config):
        made = await call(config, "backup.make", {"lock": given})
        verified = await call(config, "backup.verify", {"name": made["name"], "lock": given})

    assert made["encrypted"]
    assert verified["database_opened"]
    for secret in (PASSPHRASE, lock.file_key.hex()):
        assert secret not in caplog.text
        assert secret.encode() not in bytes_below(config.data_dir) + bytes_below(config.backup_dir)


async def test_a_backup_while_people_write_is_a_moment_of_the_truth(services: Services) -> None:
    """No write waits for it, and none is in it by half: each writes twice in one transaction."""
    done = asyncio.Event()

    async def write_on() -> int:
        number = 0
        while not done.is_set():
            async with services.db.write() as conn:
                for action in ("test.first", "test.second"):
                    await audit.record(conn, at_ms=number, actor=audit.SYSTEM, action=action, target=f"n{number}")
            number += 1
        return number

    for _ in range(300):
        seal(services)
    writing = asyncio.create_task(write_on())
    path = await make(services)
    done.set()
    written = await writing

    assert (await verify(services, path)).good
    counts = rows(path / "pymeet.db", "SELECT action, count(*) FROM audit_events GROUP BY 1 HAVING action GLOB 'test*'")
    assert len({count for _, count in counts}) <= 1
    assert written > 3
    async with services.db.read() as conn:
        assert (await conn.execute(select(audit_events.c.action))).scalars().all().count("test.second") == written


async def test_it_works_the_same_with_and_without_a_server(config: Config) -> None:
    """Through the socket or in this process."""
    await call_and_check(config)
    async with serving(config):
        await call_and_check(config)


async def call_and_check(config: Config) -> None:
    config.data_dir.mkdir(mode=0o700, exist_ok=True)
    heard: list[str] = []
    made = await call(config, "backup.make", {}, on_progress=lambda _done, _total, what: heard.append(what))
    listed = await call(config, "backup.list", {})
    verified = await call(config, "backup.verify", {"name": made["name"]})
    await call(config, "backup.delete", {"name": made["name"]})

    assert heard
    assert [each["name"] for each in listed] == [made["name"]]
    assert (listed[0]["verified"], listed[0]["encrypted"], verified["good"]) == (True, False, True)
    assert await call(config, "backup.list", {}) == []


async def test_what_was_done_stands_in_the_audit_log(services: Services, clock: ManualClock) -> None:
    """A copy of everything was made; who answers for the data must see that."""
    await make(services)
    clock.advance(15 * 86_400)
    await expire(services)

    async with services.db.read() as conn:
        events = (await conn.execute(select(audit_events.c.action, audit_events.c.target))).all()

    assert ("backup.made", FIRST) in events
    assert ("backup.expired", FIRST) in events


async def test_backups_end_with_their_time_and_the_last_one_too(services: Services, clock: ManualClock) -> None:
    """What the privacy page promises holds without exception; keys alone say nothing about anybody."""
    old = await make(services)
    clock.advance(86_400)
    young = await make(services)
    clock.advance(13 * 86_400)

    assert await expire(services) == [old.name]
    assert [each.path for each in sets(services.config.backup_dir)] == [young]
    clock.advance(86_400)
    assert await expire(services) == [young.name]
    assert sets(services.config.backup_dir) == []
    assert len(snapshots(services.config.backup_dir)) == 2


async def test_a_clock_that_jumped_deletes_no_backup(services: Services, clock: ManualClock) -> None:
    """They would all go at once, and are what mends such a day."""
    path = await make(services)
    assert await expire_backups(services.lifecycle) == []
    assert await expire(services) == []
    clock.advance(400 * 86_400)

    assert await expire_backups(services.lifecycle) == []
    assert [each.path for each in sets(services.config.backup_dir)] == [path]


async def test_no_backup_is_deleted_while_one_is_made(services: Services, clock: ManualClock) -> None:
    """The next sweep does it."""
    path = await make(services)
    clock.advance(15 * 86_400)
    with alone(services.config.backup_dir):
        assert await expire(services) == []

    assert await expire(services) == [path.name]


async def test_only_the_two_newest_snapshots_of_the_keys_are_kept(services: Services, clock: ManualClock) -> None:
    """With older ones a file that was destroyed could be opened again."""
    gone = seal(services)
    await make(services)
    services.files.destroy(gone)
    for _ in range(2):
        clock.advance(60)
        await make(services)

    kept = snapshots(services.config.backup_dir)

    assert len(kept) == 2
    assert all(rows(path, "SELECT file_id FROM file_keys") == [] for path in kept)
    assert len(sets(services.config.backup_dir)) == 3


async def test_a_file_destroyed_since_is_no_fault(services: Services) -> None:
    """It is what destroying is for. A key that only the snapshot lacks is one."""
    gone, missing = seal(services), seal(services)
    path = await make(services)
    services.files.destroy(gone)
    (snapshot,) = snapshots(services.config.backup_dir)
    with closing(sqlite3.connect(snapshot)) as conn, conn:
        conn.execute("DELETE FROM file_keys")

    found = await verify(services, path)

    assert (found.destroyed, found.keyless, found.good) == (1, (missing,), False)


@pytest.mark.parametrize("place", ["pymeet.db", "sealed", "manifest.json"])
async def test_damage_is_found(services: Services, place: str) -> None:
    """Before the backup is needed."""
    seal(services)
    path = await make(services)
    (damaged,) = [each for each in path.rglob("*") if each.name.endswith(place)]
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.unlink()  # it may be the live file under another name
    damaged.write_bytes(data)

    if place == "manifest.json":
        with pytest.raises(BackupError, match="manifest"):
            await verify(services, path)
        assert not sets(services.config.backup_dir)[0].manifest
    else:
        found = await verify(services, path)
        assert not found.good
        assert found.damaged == (str(damaged.relative_to(path)),)


@pytest.mark.parametrize("place", ["pymeet.db", "sealed"])
async def test_a_file_that_is_missing_shows_in_the_list(services: Services, place: str) -> None:
    """Looking at names and sizes costs nothing."""
    seal(services)
    path = await make(services)
    (missing,) = [each for each in path.rglob("*") if each.name.endswith(place)]
    missing.unlink()

    assert sets(services.config.backup_dir)[0].manifest is None
    assert (await verify(services, path)).damaged == (str(missing.relative_to(path)),)


@pytest.mark.parametrize("where", ["../../d/master.key", "/etc/passwd", "files/../../d/master.key", "keys.db"])
async def test_a_manifest_names_only_what_belongs_into_a_set(services: Services, where: str) -> None:
    """A backup may come from anywhere; it must not lead out of its directory."""
    path = await make(services)
    manifest = backup_sets.Manifest.read(path)
    (path / "manifest.json").unlink()
    forged = [*manifest.files, backup_sets.Entry(where, 1, "")]
    backup_sets.Manifest(**{**vars(manifest), "files": tuple(forged)}).write(path)

    with pytest.raises(BackupError):
        backup_sets.Manifest.read(path)


async def test_a_full_disk_leaves_no_half_backup(services: Services) -> None:
    """A set that looks like one and is none would be found out when it is too late."""
    await services.accounts.add_user("Ada", "ada@example.org", False)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit_bytes in (0, 5_000, 100_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
        try:
            with pytest.raises(BackupError, match="could not be made"):
                await make(services)
            with pytest.raises(BackupError, match="could not be made"):
                await make(services, quick_lock())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

        assert [each for each in services.config.backup_dir.rglob("*") if each.is_file()] == []
        assert list(services.config.data_dir.glob("*.part")) == []
    assert (await verify(services, await make(services))).good


async def test_two_at_once_do_not_mix(services: Services) -> None:
    """The second is told to wait."""
    services.config.backup_dir.mkdir()
    with alone(services.config.backup_dir), pytest.raises(ConflictError, match="under way"):
        await make(services)

    first, second = await make(services), await make(services)

    assert [each.path for each in sets(services.config.backup_dir)] == [first, second]


async def test_one_that_nobody_wants_any_more_leaves_nothing(services: Services) -> None:
    """Ctrl-C, at whatever point."""
    for _ in range(50):
        seal(services)
    for steps in (1, 3, 20):
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        count = 0

        def listen(_done: int, _total: int | None, _what: str, steps: int = steps) -> None:
            nonlocal count
            count += 1
            if count == steps:
                loop.call_soon_threadsafe(begun.set)  # noqa: B023  it is used in this round only

        making = asyncio.create_task(
            backup.make(services.lifecycle, services.config.backup_dir, None, audit.OPERATOR, listen)
        )
        await begun.wait()
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making

        left = [each.name for each in services.config.backup_dir.iterdir()]
        assert not [name for name in left if name.endswith(".part")]


def test_killed_anywhere_there_is_a_whole_set_or_none(config: Config, clock: ManualClock, tmp_path: Path) -> None:
    """The power fails when it likes. What a crash left is gone with the next backup."""

    async def prepare() -> None:
        async with open_services(config, clock) as services:
            await services.accounts.add_user("Ada", "ada@example.org", False)
            seal(services)

    async def make_one(lock: Lock | None) -> None:
        async with open_services(config, clock) as services:
            await make(services, lock)

    asyncio.run(prepare())
    lock = quick_lock()
    for used in (None, lock):
        clock.advance(10)
        total = changes_of(tmp_path, lambda used=used: asyncio.run(make_one(used)))  # type: ignore[misc]
        assert total > 8
        for number in range(1, total + 1, 2):
            clock.advance(10)
            assert killed_at(number, tmp_path, lambda used=used: asyncio.run(make_one(used)))  # type: ignore[misc]
            assert all(each.manifest for each in sets(config.backup_dir))

        clock.advance(10)
        asyncio.run(make_one(used))
        backup.remove_leftovers(config)
        left = [*config.backup_dir.rglob("*.part"), *config.data_dir.glob("*.part")]
        assert left == []
        assert len(snapshots(config.backup_dir)) <= 2


async def test_the_ledger_beside_the_backups_only_grows(services: Services, clock: ManualClock) -> None:
    """Losing the data directory must not lose who was erased, nor must a backup made after that loss."""
    ledger = Ledger.open(services.config.data_dir, services.keys)
    beside = Ledger.open(services.config.backup_dir, services.keys)
    first, second = (ledger.line(member(name), None, "self", clock.now_ms(), "i") for name in ("u1", "u2"))
    ledger.append(first)
    await make(services)
    assert beside.read().lines == (first,)

    ledger.path.unlink()
    ledger.append(second)
    clock.advance(1)
    await make(services)
    assert set(beside.read().lines) == {first, second}

    clock.advance(days(45) / 1000)
    await make(services)
    assert beside.read().lines == ()


async def test_the_ledger_beside_the_backups_does_not_wait_for_the_next_backup(
    services: Services, clock: ManualClock
) -> None:
    """The disk may fail in the hour after an erasure."""
    ledger = Ledger.open(services.config.data_dir, services.keys)
    line = ledger.line(member("u1"), None, "self", clock.now_ms(), "i")
    ledger.append(line)

    await keep_ledgers(services.lifecycle)
    assert not services.config.backup_dir.exists()
    services.config.backup_dir.mkdir()
    with alone(services.config.backup_dir):
        await keep_ledgers(services.lifecycle)
    await keep_ledgers(services.lifecycle)

    assert Ledger.open(services.config.backup_dir, services.keys).read().lines == (line,)


async def test_the_checkpoints_beside_the_backups_are_not_replaced_by_fewer(
    services: Services, clock: ManualClock
) -> None:
    """They are how a cut off audit log is noticed."""
    directory = services.config.data_dir / "ledger"
    directory.mkdir(exist_ok=True)
    mine, beside = (each / "audit-checkpoints.jsonl" for each in (directory, services.config.backup_dir / "ledger"))
    for lines, expected in ((b"1\n2\n", b"1\n2\n"), (b"1\n", b"1\n2\n"), (b"1\n2\n3\n", b"1\n2\n3\n")):
        mine.write_bytes(lines)
        await make(services)
        clock.advance(1)
        assert beside.read_bytes() == expected


async def test_what_does_not_exist_is_not_found(services: Services) -> None:
    """Nor does a name lead to another place."""
    for name in ("20231114T221320Z", "..", "", "../d"):
        with pytest.raises(NotFoundError):
            find(services.config.backup_dir, name)


async def test_another_file_system_gets_copies(services: Services, tmp_path: Path) -> None:
    """Links do not reach there; the backup is as good."""
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    elsewhere = [each for each in map(Path, ("/dev/shm", "/var/tmp")) if each.stat().st_dev != source.stat().st_dev]
    other = elsewhere[0] / new_id()
    try:
        backup_sets.copy_or_link(source, other)
        assert other.read_bytes() == CONTENT
    finally:
        other.unlink(missing_ok=True)


def test_sinks_take_everything() -> None:
    """A part that gets lost on the way would pass for a backup."""
    sink = io.BytesIO()
    backup_sets.pour(io.BytesIO(CONTENT * 20), sink)
    assert sink.getvalue() == CONTENT * 20
    assert os.path.basename(backup_sets.name_of(1_700_000_000_000)) == FIRST
