"""Puts a backup back, so that nobody who was erased since comes back with it.

Everything happens in `quarantine/`, a data directory of its own inside the real one, in which no server listens: the set
is checked, brought to the newest schema, given what is newer than it (holds, requests, keys, ledgers); whoever the
ledger names is erased again and searched for, and what is over is deleted. Only then does it change places with what
is there (`restore_swap.py`). Whatever fails before leaves the data directory as it was.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from pymeet.clock import Clock, SystemClock
from pymeet.config import Config
from pymeet.db import audit, audit_proof, copies
from pymeet.db.audit_checkpoints import Checkpoints
from pymeet.db.engine import Database
from pymeet.db.files import Files
from pymeet.db.inventory import Keep
from pymeet.db.keys import KeyStore
from pymeet.db.schema import audit_head
from pymeet.keyring import FILE_NAME as MASTER_KEY
from pymeet.keyring import Keyring
from pymeet.ops import backup_sets, restore_swap
from pymeet.ops.backup import Work, in_thread, make_now
from pymeet.ops.backup_sets import Manifest
from pymeet.ops.management import hold_data_dir
from pymeet.ops.progress import Progress, silent
from pymeet.ops.restore_unpack import RestoreError, bring_erasures, bring_files, newer_rows, unpack
from pymeet.privacy import carry_over, clockguard, holds
from pymeet.privacy.age import Lock
from pymeet.privacy.carry_over import Carried
from pymeet.privacy.erasure import Erasures, Replay
from pymeet.privacy.gone import remove_pending
from pymeet.privacy.ledger import Ledger
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.periods import Periods
from pymeet.privacy.plan import INVENTORY, plan
from pymeet.privacy.purge import execute
from pymeet.retention import format_period, minutes

CLOCK_MAY_LAG_MS: Final = minutes(10)
"""A backup from further ahead than this says that the clock is wrong."""

_CLASSES: Final = sorted(
    {rule.name for entry in INVENTORY for rule in entry.keep if isinstance(rule, Keep)} - {"account"}
)
"""What is over is deleted before anybody sees it; accounts that were not used for years are left to the usual sweep."""


@dataclass(frozen=True)
class Restored:
    """What putting back a set did."""

    name: str
    made_at_ms: int
    files: int
    """Sealed files that it brought."""
    files_destroyed: int
    """Sealed files in it that were destroyed since, and stay closed."""
    erased_again: int
    """People whom the ledger names."""
    held: int
    """Of these, people of whom a hold keeps something."""
    deleted: dict[str, int]
    """Rows whose time was over, by class."""
    holds: int
    """Holds in force now."""
    holds_lost: int
    """Holds on somebody or something that the backup does not know."""
    present_was_read: bool
    """False where there was no database, or none that could be read: nothing newer came over."""
    events_lost: int
    """Events of the audit log, at least, that came after the backup."""
    kept: str | None
    """The backup that was made of what is replaced."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return asdict(self)


def chosen(config: Config, given: str) -> Path:
    """The set that an administrator named, by its name or its path. NotFoundError."""
    path = Path(given)
    return backup_sets.find(path.parent if "/" in given else config.backup_dir, path.name)


def check(config: Config, path: Path, clock: Clock) -> Manifest:
    """What can be said before anything is begun. RestoreError, BackupError."""
    manifest = Manifest.read(path)
    age_ms = clock.now_ms() - manifest.made_at_ms
    ledger_ms = config.retention.period_ms("ledger")
    if not (config.data_dir / MASTER_KEY).exists():
        raise RestoreError(
            f"There is no {MASTER_KEY} in {config.data_dir.absolute()}, so nothing in the backup could be trusted.\n"
            "Put your copy of it there (mode 0600, in a directory of mode 0700), and run this again."
        )
    if age_ms < -CLOCK_MAY_LAG_MS:
        raise RestoreError(
            "The backup was made later than now, by this machine's clock. What is over could not be told from what is "
            "not.\nCorrect the clock, and run this again."
        )
    if ledger_ms is not None and age_ms > ledger_ms:
        raise RestoreError(
            f"The backup is older than {format_period(ledger_ms)}: who was erased since is no longer known, so they "
            "would come back.\nRestore a newer one. A longer retention.ledger allows older backups from then on."
        )
    return manifest


async def restore(
    config: Config,
    path: Path,
    *,
    lock: Lock | None = None,
    keep: "Callable[[], Lock | None] | None" = None,
    clock: Clock | None = None,
    progress: Progress = silent,
) -> Restored:
    """Puts the set at `path` in the place of the present data, while no server runs.

    `lock` opens an encrypted set. With `keep` the present data is backed up first, encrypted with the lock it returns.
    RestoreError, BackupError, WrongPassphraseError, WrongKeyError, NewerDatabaseError and ConflictError: nothing changed.
    """
    clock = clock or SystemClock()
    manifest = check(config, path, clock)
    with hold_data_dir(config):
        await asyncio.to_thread(restore_swap.settle, config)
        kept = await in_thread(_keep, config, keep(), clock, progress=progress) if keep else None
        restore_swap.begin(config)
        try:
            with backup_sets.alone(path.parent):
                done = await _in_quarantine(config, path, manifest, lock, clock, progress)
            await asyncio.to_thread(_close_down_present, config)
            restore_swap.commit(config)
        except (OSError, sqlite3.Error, SQLAlchemyError) as error:
            why = error.strerror if isinstance(error, OSError) else type(error).__name__
            raise RestoreError(
                f"The backup could not be put back: {why}. Nothing was changed.\n"
                "Check that the disk has room for a second database, and run it again."
            ) from error
        finally:
            # also what is given up holds people who were erased
            await asyncio.to_thread(restore_swap.settle, config)
    return Restored(name=path.name, made_at_ms=manifest.made_at_ms, kept=kept, **done)


async def _in_quarantine(
    config: Config, path: Path, manifest: Manifest, lock: Lock | None, clock: Clock, progress: Progress
) -> dict[str, Any]:
    """Makes the data directory that is to be; what `Restored` tells of it."""
    inside = restore_swap.inside(config)
    await in_thread(unpack, config, inside, path, manifest, lock, progress=progress)
    keyring = await asyncio.to_thread(Keyring.open, config.data_dir)
    with closing(await asyncio.to_thread(KeyStore.open, inside.keys_path, keyring)) as keys:
        await asyncio.to_thread(bring_erasures, config, inside, path.parent, keys)
        files, destroyed = await in_thread(bring_files, inside, path, manifest, keys, progress=progress)
        newer = await newer_rows(config, inside)
        async with _opened(inside, keys, newer, clock) as (lifecycle, carried, lost):
            replay = await _erase_again(lifecycle, progress)
            deleted = await _sweep(lifecycle, progress)
            in_force = await lifecycle.db.study(holds.listed)
            await _finish(lifecycle, path.name, replay, deleted)
    await asyncio.to_thread(_check_whole, inside)
    return {
        "files": files,
        "files_destroyed": destroyed,
        "erased_again": len(replay.receipts),
        "held": sum(receipt.state == "partial" for receipt in replay.receipts),
        "deleted": deleted,
        "holds": len(in_force),
        "holds_lost": carried.holds_lost,
        "present_was_read": newer is not None,
        "events_lost": lost,
    }


@asynccontextmanager
async def _opened(
    inside: Config, keys: KeyStore, newer: carry_over.Rows | None, clock: Clock
) -> AsyncIterator[tuple[Lifecycle, Carried, int]]:
    """The restored database with what is newer, as retention and erasure work with it; and the events that were lost."""
    db = await Database.open(inside.database_path)
    try:
        if not await db.study(_has_events):
            # There is no end of a log yet that could be signed.
            await db.work(audit.record_now, clock.now_ms(), audit.OPERATOR, "backup.unpacked", "backup")
        lost = await audit_proof.note_restore(db, await _checkpoints(inside, keys), clock.now_ms())
        carried = Carried({}, holds_lost=0)
        if newer is not None:
            carried = await db.work(carry_over.put, newer)
            registers = await asyncio.to_thread(Ledger.open, inside.data_dir, keys)
            await db.work(carry_over.release_ended, newer, registers, clock.now_ms())
            await db.work(carry_over.take_out_again, newer, clock.now_ms())
        await db.work(carry_over.remove_worn_out)
        periods = await Periods.open(db, inside.retention, clock.now_ms())
        yield Lifecycle(inside, db, Files(inside.data_dir, keys), keys, periods, clock), carried, lost
        await audit_proof.seal_log(db, await _checkpoints(inside, keys), clock.now_ms())
        if not (await db.study(audit_proof.verify, await _checkpoints(inside, keys))).intact:
            raise RestoreError("The audit log does not verify after the restore. Nothing was changed.")
    finally:
        await db.close()


async def _erase_again(lifecycle: Lifecycle, progress: Progress) -> Replay:
    """Erases again whoever the ledger names, and searches for them. RestoreError when anything of them is left."""
    registers = await asyncio.to_thread(Ledger.open, lifecycle.config.data_dir, lifecycle.keys)
    await lifecycle.db.work(carry_over.demote_erased, registers)
    replay = await Erasures(lifecycle).replay(progress)
    for receipt in replay.receipts:
        if receipt.state not in ("done", "partial") or receipt.search != "clean":
            raise RestoreError(
                "Somebody who was erased could not be removed from the backup completely. Nothing was changed.\n"
                "Run it again; if that does not help, restore another backup."
            )
    return replay


async def _sweep(lifecycle: Lifecycle, progress: Progress) -> dict[str, int]:
    """Deletes what is over, by the periods in force; rows by class."""
    now_ms = lifecycle.clock.now_ms()
    made = await lifecycle.db.study(partial(plan, classes=_CLASSES), lifecycle.periods, now_ms)
    outcome = await execute(lifecycle, made, actor=audit.SYSTEM, progress=progress, pace="full", announce=False)
    left = await remove_pending(lifecycle)
    if left.failed or not outcome.emptied:
        raise RestoreError("What is over could not be deleted from the backup. Nothing was changed.")
    # Somebody is here and looks: from here on the sweeps believe this clock.
    await lifecycle.db.work(clockguard.mark, clockguard.read_clocks(now_ms))
    return dict(outcome.done)


def _has_events(conn: Connection) -> bool:
    return conn.execute(select(audit_head.c.id)).first() is not None


async def _finish(lifecycle: Lifecycle, name: str, replay: Replay, deleted: dict[str, int]) -> None:
    detail: audit.Detail = {"erased_again": len(replay.receipts), "deleted": sum(deleted.values())}
    now_ms = lifecycle.clock.now_ms()
    await lifecycle.db.work(audit.record_now, now_ms, audit.OPERATOR, "backup.restored", name, detail)


async def _checkpoints(inside: Config, keys: KeyStore) -> Checkpoints:
    key = await asyncio.to_thread(keys.purpose_key, audit_proof.PURPOSE)
    return Checkpoints.beside(inside.data_dir, key)


def _check_whole(inside: Config) -> None:
    """One file each, without write-ahead log, and whole."""
    for path in (inside.database_path, inside.keys_path):
        copies.close_down(path)
    copies.examine(inside.database_path)
    copies.keys_in(inside.keys_path)
    backup_sets.sync_tree(inside.data_dir)
    for path in (inside.database_path, inside.keys_path):
        copies.sync(path)


def _close_down_present(config: Config) -> None:
    if config.database_path.exists():
        try:
            copies.close_down(config.database_path)
        except sqlite3.DatabaseError as error:
            if not copies.is_damage(error):
                raise  # otherwise that may be why this is done


def _keep(work: Work, config: Config, lock: Lock | None, clock: Clock) -> str | None:
    """Makes a backup of what is replaced; its name, None where there is nothing."""
    if not config.database_path.exists():
        return None
    if not config.keys_path.exists():
        raise RestoreError(
            "What is there now cannot be kept, because its keys.db is missing. Nothing was changed.\n"
            "Run it again without --keep-replaced."
        )
    with closing(KeyStore.open(config.keys_path, Keyring.open(config.data_dir))) as keys:
        files = Files(config.data_dir, keys)
        return make_now(work, config, keys, files, config.backup_dir, lock, clock.now_ms(), None).path.name
