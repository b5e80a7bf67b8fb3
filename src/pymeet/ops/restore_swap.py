"""The end of a restore: what was made ready in quarantine takes its place. It can be killed at any point.

    restore.pending   "checking" from the beginning on, "ready" from the moment when it will be done, whatever happens
    quarantine/       the data directory that is to be

Whoever finds the mark `settle`s: what is ready is brought to its end, what is not is given up. While it is there nothing
else may open the data directory (`check_no_restore_pending`).
"""

import os
import shutil
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from pymeet.config import BackupConfig, Config
from pymeet.db.copies import keys_in, sync
from pymeet.db.files import DIRECTORY as FILES
from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.errors import ConflictError
from pymeet.keyring import Keyring
from pymeet.ops.backup import remove_leftovers
from pymeet.privacy import ledger

MARK: Final = "restore.pending"
QUARANTINE: Final = "quarantine"

_CHECKING = b"checking\n"
_READY = b"ready\n"


def check_no_restore_pending(config: Config) -> None:
    """ConflictError while a restore is under way or was interrupted: nothing may open the data directory then."""
    if (config.data_dir / MARK).exists():
        raise ConflictError(
            "A backup is being restored here, or that was interrupted.\n"
            "If no `pymeet restore` runs, start the server with `pymeet serve`: it finishes, or gives it up."
        )


def settle(config: Config) -> str | None:
    """Finishes or gives up a restore that was interrupted, for whoever holds the data directory (`hold_data_dir`).

    `finished`, `given_up`, or None when there was none. Removes, too, what was left of backups being encrypted.
    """
    remove_leftovers(config)
    try:
        is_ready = (config.data_dir / MARK).read_bytes() == _READY
    except FileNotFoundError:
        return None
    if is_ready:
        _swap(config)
    _end(config)
    return "finished" if is_ready else "given_up"


def begin(config: Config) -> None:
    """From here on nothing else opens the data directory. The quarantine is empty when this returns."""
    _write_mark(config, _CHECKING)
    (config.data_dir / QUARANTINE).mkdir(mode=0o700)


def commit(config: Config) -> None:
    """From here on the restore will be done: now, or by the next who settles."""
    _write_mark(config, _READY)


def inside(config: Config) -> Config:
    """The configuration of the data directory in quarantine; backups are still where they were."""
    backup = BackupConfig(dir=config.backup_dir.absolute())
    return config.model_copy(update={"data_dir": config.data_dir / QUARANTINE, "backup": backup})


def _swap(config: Config) -> None:
    """Every step may have been done already."""
    new = inside(config)
    _bring_keys_and_files(config, new)
    if new.database_path.exists():
        # What stands in these belongs to the database that goes.
        for suffix in ("-wal", "-shm"):
            config.database_path.with_name(config.database_path.name + suffix).unlink(missing_ok=True)
        sync(config.data_dir)
        new.database_path.rename(config.database_path)
    for path in sorted((new.data_dir / ledger.DIRECTORY).glob("*.jsonl")):
        (config.data_dir / ledger.DIRECTORY).mkdir(mode=0o700, exist_ok=True)
        path.rename(config.data_dir / ledger.DIRECTORY / path.name)
        sync(config.data_dir / ledger.DIRECTORY)
    sync(config.data_dir)


def _bring_keys_and_files(config: Config, new: Config) -> None:
    """The present keys stay, without those that the quarantine destroyed; where there are none, those of the quarantine
    come. Files that are missing come back."""
    if new.keys_path.exists() and not config.keys_path.exists():
        for suffix in ("-wal", "-shm"):
            config.keys_path.with_name(config.keys_path.name + suffix).unlink(missing_ok=True)
        _link_missing(new.data_dir, config.data_dir)
        new.keys_path.rename(config.keys_path)
        sync(config.data_dir)
    elif new.keys_path.exists():
        left = keys_in(new.keys_path).file_ids
        with closing(KeyStore.open(config.keys_path, Keyring.open(config.data_dir))) as keys:
            gone = sorted({file_id for file_id, _ in keys.ids()} - left)
            files = Files(config.data_dir, keys)
            keys.shred(*gone)
            for file_id in gone:
                files.destroy(file_id)
        _link_missing(new.data_dir, config.data_dir)


def _link_missing(new: Path, data_dir: Path) -> None:
    for path in sorted((new / FILES).rglob("*.sealed")):
        target = data_dir / path.relative_to(new)
        for each in (data_dir / FILES, target.parent):
            each.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            os.link(path, target)
        sync(target.parent)


def _end(config: Config) -> None:
    """The mark goes last: as long as anything of the quarantine is there, the next start looks for it."""
    if (config.data_dir / QUARANTINE).exists():
        shutil.rmtree(config.data_dir / QUARANTINE)
        sync(config.data_dir)
    (config.data_dir / MARK).unlink()
    sync(config.data_dir)


def _write_mark(config: Config, text: bytes) -> None:
    unfinished = config.data_dir / f"{MARK}.new"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(config.data_dir / MARK)
    sync(config.data_dir)
