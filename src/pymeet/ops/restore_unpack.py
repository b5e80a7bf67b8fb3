"""The beginning of a restore: a set, the newest keys and both ledgers are put together in quarantine."""

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Final

from pymeet.config import Config
from pymeet.db import audit_checkpoints, copies
from pymeet.db.engine import Database
from pymeet.db.files import DIRECTORY as FILES
from pymeet.db.keys import KeyStore
from pymeet.errors import PymeetError
from pymeet.ops import backup_sets
from pymeet.ops.backup import Work
from pymeet.ops.backup_sets import DATABASE, Manifest
from pymeet.ops.backup_verify import unlock
from pymeet.privacy import carry_over
from pymeet.privacy.age import Lock
from pymeet.privacy.ledger import Ledger

PRESENT: Final = "present.db"
"""A copy of the database that is replaced, out of which what is newer comes over."""


class RestoreError(PymeetError):
    """The backup was not put back, and nothing was changed."""

    code = "restore_failed"


def unpack(work: Work, config: Config, inside: Config, path: Path, manifest: Manifest, lock: Lock | None) -> None:
    """Checks the set, and puts database, keys and ledgers in their places."""
    total = len(manifest.files)
    read: list[str] = []

    def tell(name: str) -> None:
        work.step(len(read), total, "checking the backup")
        read.append(name)

    if damaged := backup_sets.check_hashes(path, manifest, tell):
        raise RestoreError(
            f"The backup {path.name} is damaged: {', '.join(damaged[:3])}{' and more' if damaged[3:] else ''}.\n"
            "Nothing was changed. Restore another one; `pymeet backup verify` tells which are whole."
        )
    work.step(0, None, "unpacking the database")
    if not manifest.encrypted:
        with (path / DATABASE).open("rb") as source, backup_sets.open_new(inside.database_path) as plain:
            backup_sets.pour(source, plain, work.stopped)
    elif lock is None:
        raise RestoreError("The backup is encrypted. Give its passphrase with --passphrase-file FILE.")
    else:
        unlock(work, path, lock, inside.database_path)
    if copies.examine(inside.database_path).schema != manifest.schema:
        raise RestoreError(f"The database in the backup {path.name} is not the one that its manifest describes.")
    if config.keys_path.exists():
        copies.copy(config.keys_path, inside.keys_path, work.stopped)
    else:
        snapshots = backup_sets.snapshots(path.parent)
        if not snapshots:
            raise RestoreError(
                f"There is neither a keys.db in {config.data_dir.absolute()} nor a snapshot of it in "
                f"{path.parent / backup_sets.KEYS}. Nothing was changed.\nPut the newest snapshot that you have there."
            )
        shutil.copyfile(snapshots[-1], inside.keys_path)
    _bring_checkpoints(config, inside, path.parent)


def _bring_checkpoints(config: Config, inside: Config, directory: Path) -> None:
    """Of the two files of checkpoints the one that goes further: lines are only ever added."""
    places = (each / audit_checkpoints.PLACE for each in (config.data_dir, directory))
    found = [place.read_bytes() for place in places if place.exists()]
    if found:
        target = inside.data_dir / audit_checkpoints.PLACE
        target.parent.mkdir(mode=0o700)
        with backup_sets.open_new(target) as file:
            file.write(max(found, key=lambda lines: lines.count(b"\n")))


def bring_erasures(config: Config, inside: Config, directory: Path, keys: KeyStore) -> None:
    """All lines of both files of the erasure ledger. RestoreError when one is not what was written."""
    together = Ledger.open(inside.data_dir, keys)
    known = set()
    for place in (config.data_dir, directory):
        beside = Ledger.open(place, keys)
        reading = beside.read()
        if reading.damaged:
            raise RestoreError(
                f"{reading.damaged} lines of the erasure ledger are not what was written, so it is not certain who was "
                f"erased. Nothing was changed.\nLook at {beside.path}, and bring back a copy of it that is whole."
            )
        for line in reading.lines:
            if line not in known:
                together.append(line)
                known.add(line)


def bring_files(work: Work, inside: Config, path: Path, manifest: Manifest, keys: KeyStore) -> tuple[int, int]:
    """Links the sealed files that still have a key; how many, and how many have none."""
    with_key = {file_id for file_id, _ in keys.ids()}
    wanted = [entry.path for entry in manifest.sealed if Path(entry.path).stem in with_key]
    for done, name in enumerate(wanted):
        work.step(done, len(wanted), "sealed files")
        target = inside.data_dir / name
        for each in (inside.data_dir / FILES, target.parent):
            each.mkdir(mode=0o700, exist_ok=True)
        backup_sets.copy_or_link(path / name, target, work.stopped)
    backup_sets.sync_tree(inside.data_dir)
    return len(wanted), len(manifest.sealed) - len(wanted)


async def newer_rows(config: Config, inside: Config) -> carry_over.Rows | None:
    """What of the present database has to come over; None where there is none, or none that can be read."""
    copy = inside.data_dir / PRESENT
    try:
        if not config.database_path.exists():
            return None
        await asyncio.to_thread(copies.copy, config.database_path, copy, lambda: False)
        await asyncio.to_thread(copies.examine, copy)
        present = await Database.open(copy)
        try:
            return await present.study(carry_over.read)
        finally:
            await present.close()
    except copies.DamagedCopyError:
        return None
    except sqlite3.DatabaseError as error:
        if not copies.is_damage(error):
            raise
        return None
    finally:
        for left in inside.data_dir.glob(f"{PRESENT}*"):
            left.unlink()
