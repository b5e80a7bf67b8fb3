"""Reads backup sets through: whether they are what was written, and could be restored. For `backup.in_thread`."""

from dataclasses import dataclass
from pathlib import Path

from pymeet.config import Config
from pymeet.db import copies
from pymeet.db.keys import KeyStore
from pymeet.keyring import Keyring
from pymeet.ops import backup_sets
from pymeet.ops.backup import Work, passing
from pymeet.ops.backup_sets import DATABASE, ENCRYPTED, Manifest
from pymeet.privacy.age import AgeReader, Lock


@dataclass(frozen=True)
class Verified:
    """What reading a whole set found."""

    manifest: Manifest
    damaged: tuple[str, ...]
    """Files that are not what was written."""
    opened: bool
    """Whether the database was looked into; an encrypted one needs its passphrase."""
    destroyed: int
    """Sealed files whose key was destroyed since; that is as it should be."""
    keyless: tuple[str, ...]
    """Sealed files that have their key on the server, and not in the newest snapshot."""
    needs_former_key: bool
    """Whether the newest snapshot of the keys opens with a former master key only."""

    @property
    def good(self) -> bool:
        """Whether the set can be restored as it is."""
        return not (self.damaged or self.keyless)


def verify(work: Work, config: Config, keys: KeyStore, path: Path, lock: Lock | None) -> Verified:
    """Reads all of a set, for `in_thread`. BackupError without manifest, ConflictError while a backup is being made,
    WrongPassphraseError."""
    with backup_sets.alone(path.parent):
        return _verify(work, config, keys, path, lock)


def _verify(work: Work, config: Config, keys: KeyStore, path: Path, lock: Lock | None) -> Verified:
    manifest = Manifest.read(path)
    total = len(manifest.files) + 1
    looked_at: list[str] = []

    def tell(name: str) -> None:
        work.step(len(looked_at), total, "reading the database" if name in (DATABASE, ENCRYPTED) else "reading files")
        looked_at.append(name)

    damaged = backup_sets.check_hashes(path, manifest, tell)
    opened = manifest.database.path not in damaged and (lock is not None or not manifest.encrypted)
    if opened and not _fits(work, config, path, manifest, lock):
        damaged.append(manifest.database.path)
    ids = {Path(each.path).stem for each in manifest.sealed}
    here = {file_id for file_id, _ in keys.ids()}
    snapshots = backup_sets.snapshots(path.parent)
    beside = copies.keys_in(snapshots[-1]) if snapshots else copies.Keys(frozenset(), frozenset())
    return Verified(
        manifest,
        tuple(damaged),
        opened,
        destroyed=len(ids - here - beside.file_ids),
        keyless=tuple(sorted((ids & here) - beside.file_ids)),
        needs_former_key=not beside.masters <= {Keyring.open(config.data_dir).id},
    )


def unlock(work: Work, path: Path, lock: Lock, target: Path) -> None:
    """Decrypts the database of a set into a new file. Raises AgeError, WrongPassphraseError, OSError."""
    with (path / ENCRYPTED).open("rb") as source, backup_sets.open_new(target) as plain:
        backup_sets.pour(AgeReader(source, lock), plain, work.stopped)


def _fits(work: Work, config: Config, path: Path, manifest: Manifest, lock: Lock | None) -> bool:
    """Whether the database of a set, whose hash is right, is a whole database of that age."""
    try:
        if lock is None:
            return copies.examine(path / DATABASE).schema == manifest.schema
        with passing(config) as plain:
            unlock(work, path, lock, plain)
            return copies.examine(plain).schema == manifest.schema
    except copies.DamagedCopyError:
        return False
