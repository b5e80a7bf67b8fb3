"""Makes backup sets while the server runs or stands still. What a set is: `backup_sets.py`.

The database is copied first, then the sealed files are linked, then the keys are copied: a file whose row is in the copy
is either there or was destroyed meanwhile, and each that is there has its key in the snapshot.
Copying, hashing and encrypting run in a thread; the event loop only waits.
"""

import asyncio
import hashlib
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pymeet import __version__
from pymeet.config import Config
from pymeet.db import audit, audit_checkpoints, copies, inventory
from pymeet.db.files import DIRECTORY as FILES
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.db.schema import metadata
from pymeet.errors import ConflictError
from pymeet.ids import new_id
from pymeet.ops import backup_sets
from pymeet.ops.backup_sets import DATABASE, ENCRYPTED, FORMAT, KEYS, PART, BackupError, Entry, Interrupted, Manifest
from pymeet.ops.progress import Progress, silent
from pymeet.privacy import clockguard
from pymeet.privacy.age import AgeWriter, Lock
from pymeet.privacy.ledger import Ledger
from pymeet.privacy.parts import Lifecycle
from pymeet.retention import hours

T = TypeVar("T")

PLAIN: Final = f"backup-*{PART}"
"""The database's copy until it is encrypted: in the data directory, beside the database itself, never elsewhere."""

BELIEVED_FOR_MS: Final = hours(1)
"""The sweeper notes every few minutes that it believes the clock."""


@dataclass(frozen=True)
class Work:
    """What long work in a thread is handed besides its task."""

    progress: Progress = silent
    stopped: Callable[[], bool] = lambda: False

    def step(self, done: int, total: int | None, what: str) -> None:
        """Tells how far it is. Interrupted when nobody wants it any more."""
        if self.stopped():
            raise Interrupted
        self.progress(done, total, what)


async def in_thread(function: Callable[..., T], *arguments: object, progress: Progress = silent) -> T:
    """Runs `function(work, *arguments)` in a thread. A cancellation stops the work and is passed on when it has ended."""
    stop = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(function, Work(progress, stop.is_set), *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([running])
        running.exception()  # whatever it ended with, it ended because nobody wants it
        raise


async def make(
    lifecycle: Lifecycle, directory: Path, lock: Lock | None, actor: str, progress: Progress = silent
) -> backup_sets.Found:
    """Makes a set in `directory`, whole and verified, and notes it in the audit log.

    With a `lock` the database is encrypted. Raises BackupError when there is no room or something else fails, ConflictError
    while another is being made; then nothing of it is left.
    """
    now_ms = lifecycle.clock.now_ms()
    keep_ms = lifecycle.periods.period_ms("ledger", now_ms)
    made = await in_thread(
        make_now, lifecycle.config, lifecycle.keys, lifecycle.files, directory, lock, now_ms, keep_ms, progress=progress
    )
    assert made.manifest is not None  # noqa: S101  it was written a moment ago
    detail: audit.Detail = {
        "files": len(made.manifest.sealed),
        "size_bytes": made.size_bytes,
        "encrypted": made.manifest.encrypted,
    }
    async with lifecycle.db.write() as conn:
        await audit.record(conn, at_ms=now_ms, actor=actor, action="backup.made", target=made.path.name, detail=detail)
    return made


async def expire_backups(lifecycle: Lifecycle) -> list[str]:
    """Deletes the sets in the configured directory whose time is over, for the sweeper; their names.

    Does nothing while the sweeper doubts the clock, which it notes when it does not, nor while a backup is being made.
    """
    now_ms = lifecycle.clock.now_ms()
    period_ms = lifecycle.periods.period_ms("backup", now_ms)
    if period_ms is None or not await _is_believed(lifecycle, now_ms):
        return []
    try:
        names = await asyncio.to_thread(backup_sets.expire, lifecycle.config.backup_dir, period_ms, now_ms)
    except ConflictError:
        return []
    await note(lifecycle, "backup.expired", names, audit.SYSTEM)
    return names


async def keep_ledgers(lifecycle: Lifecycle) -> None:
    """Brings the ledgers beside the backups up to date, for the sweeper: a loss of the data directory right after an
    erasure must not bring the person back. Does nothing where there are no backups, or one is being made. Lines are
    added in any case, and forgotten only where the sweeper believes the clock."""
    directory, now_ms = lifecycle.config.backup_dir, lifecycle.clock.now_ms()
    believed = await _is_believed(lifecycle, now_ms)
    until_ms = lifecycle.periods.cutoff_ms("ledger", now_ms) if believed else None

    def work() -> None:
        with suppress(ConflictError), backup_sets.alone(directory):
            copy_ledgers(lifecycle.config, lifecycle.keys, directory, until_ms)

    if directory.is_dir():
        await asyncio.to_thread(work)


async def _is_believed(lifecycle: Lifecycle, now_ms: int) -> bool:
    """Whether the sweeper noted a moment ago that it believes the clock."""
    believed = await lifecycle.db.study(clockguard.last_mark)
    return believed is not None and abs(now_ms - believed.wall_ms) <= BELIEVED_FOR_MS


async def note(lifecycle: Lifecycle, action: str, names: list[str], actor: str) -> None:
    """Puts one event for each set into the audit log."""
    async with lifecycle.db.write() as conn:
        for name in names:
            await audit.record(conn, at_ms=lifecycle.clock.now_ms(), actor=actor, action=action, target=name)


def remove_leftovers(config: Config) -> None:
    """Removes what a crash left in the data directory while a backup was encrypted; for the start of the server."""
    for path in config.data_dir.glob(PLAIN):
        path.unlink(missing_ok=True)


def copy_ledgers(config: Config, keys: KeyStore, directory: Path, until_ms: int | None) -> None:
    """Brings the ledgers beside the backups up to date, so that losing the data directory does not lose them.

    Lines are added, never replaced by fewer; erasures up to `until_ms` are forgotten, as in the ledger itself.
    """
    mine, beside = Ledger.open(config.data_dir, keys), Ledger.open(directory, keys)
    known = set(beside.read().lines)
    for line in mine.read().lines:
        if line not in known:
            beside.append(line)
    if until_ms is not None:
        beside.prune(until_ms)
    source, target = (each / audit_checkpoints.PLACE for each in (config.data_dir, directory))
    if source.exists() and (not target.exists() or _lines(target) <= _lines(source)):
        target.parent.mkdir(mode=0o700, exist_ok=True)
        unfinished = target.with_name(f"{target.name}{PART}")
        unfinished.unlink(missing_ok=True)
        with source.open("rb") as file, backup_sets.open_new(unfinished) as copy:
            backup_sets.pour(file, copy)
        unfinished.replace(target)
        copies.sync(target.parent)


def make_now(
    work: Work,
    config: Config,
    keys: KeyStore,
    files: Files,
    directory: Path,
    lock: Lock | None,
    now_ms: int,
    keep_ms: int | None,
) -> backup_sets.Found:
    """`make` for a thread, and without a word in the audit log; `keep_ms` is how long lines of the ledger are kept."""
    name = backup_sets.name_of(now_ms)
    try:
        for each in (directory, directory / KEYS):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        with backup_sets.alone(directory):
            backup_sets.remove_unfinished(directory)
            while (directory / name).exists():  # two within one second
                name = backup_sets.name_of(backup_sets.time_of(name) + 1000)
            part = directory / f"{name}{PART}"
            part.mkdir(mode=0o700)
            try:
                manifest = _fill(work, config, files, part, lock, now_ms)
                snapshot = directory / KEYS / f"{name}.db"
                keys.snapshot(snapshot.with_name(f"{snapshot.name}{PART}"))
                snapshot.with_name(f"{snapshot.name}{PART}").rename(snapshot)
                copy_ledgers(config, keys, directory, None if keep_ms is None else now_ms - keep_ms)
                manifest.write(part)
                backup_sets.sync_tree(part)
                copies.sync(directory / KEYS)
                part.rename(directory / name)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                backup_sets.remove_unfinished(directory)
                raise
            copies.sync(directory)
            backup_sets.prune_keys(directory)
    except (OSError, sqlite3.Error) as error:
        if work.stopped():
            raise Interrupted from None
        raise _failed(error) from error
    return backup_sets.Found(directory / name, backup_sets.time_of(name), manifest)


def _fill(work: Work, config: Config, files: Files, part: Path, lock: Lock | None, now_ms: int) -> Manifest:
    """Puts everything but the manifest into an unfinished set."""
    with ExitStack() as stack:
        plain = part / DATABASE if lock is None else stack.enter_context(passing(config))
        work.step(0, None, "copying the database")
        copies.copy(config.database_path, plain, work.stopped)
        work.step(0, None, "checking the copy")
        inside = copies.examine(plain)
        if lock is not None:
            work.step(0, None, "encrypting the copy")
            _encrypt(work, plain, part / ENCRYPTED, lock)
    entries = [_entry(part, part / (ENCRYPTED if lock else DATABASE))]
    entries += _link(work, files, part)
    return Manifest(
        format=FORMAT,
        pymeet=__version__,
        made_at_ms=now_ms,
        schema=inside.schema,
        inventory=inventory.digest(metadata),
        encrypted=lock is not None,
        erasures=inside.erasures,
        audit_sequence=inside.audit_sequence,
        files=tuple(entries),
    )


def _link(work: Work, files: Files, part: Path) -> list[Entry]:
    ids = [file_id for file_id, _, is_part in files.ids() if not is_part]
    entries = []
    for done, file_id in enumerate(sorted(ids)):
        work.step(done, len(ids), "sealed files")
        target = part / FILES / file_id[:2] / f"{file_id}.sealed"
        for each in (target.parent.parent, target.parent):
            each.mkdir(mode=0o700, exist_ok=True)
        try:
            backup_sets.copy_or_link(files.path(file_id), target, work.stopped)
        except FileNotFoundError:
            continue  # destroyed since the directory was read
        entries.append(_entry(part, target))
    return entries


def _encrypt(work: Work, plain: Path, target: Path, lock: Lock) -> None:
    with plain.open("rb") as source, backup_sets.open_new(target) as sink:
        writer = AgeWriter(sink, lock)
        backup_sets.pour(source, writer, work.stopped)
        writer.close()


@contextmanager
def passing(config: Config) -> Iterator[Path]:
    """Where a plain copy of the database may stand while it is encrypted or looked at."""
    path = config.data_dir / PLAIN.replace("*", new_id())
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _entry(part: Path, path: Path) -> Entry:
    with path.open("rb") as file:
        return Entry(str(path.relative_to(part)), path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def _failed(error: OSError | sqlite3.Error) -> BackupError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return BackupError(
        f"The backup could not be made: {why}. Nothing of it was kept, and nothing else was changed.\n"
        "Check that the disk has room and that pymeet may write to backup.dir, then run it again."
    )
