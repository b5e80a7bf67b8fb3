"""The master key and the keys derived from it. The master key is a file of its own, never in a database.

The first line of `master.key` is the key in use. While it is being changed, the lines below hold the former one, until
nothing is closed with it any more (`pymeet.db.keys.rotate_master_key`).
"""

import os
import re
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pymeet.errors import ConfigError

FILE_NAME = "master.key"


class Keyring:
    """Gives every purpose a key of its own, so that none can be used for another."""

    def __init__(self, master: bytes, *former: bytes) -> None:
        """Each key is 32 random bytes; `former` ones only open what was closed with them."""
        if len(master) != 32:
            raise ValueError("a master key has 32 bytes")
        self._master = master
        self.former = tuple(Keyring(each) for each in former)

    def __repr__(self) -> str:
        return "<Keyring>"

    @classmethod
    def open(cls, data_dir: Path) -> "Keyring":
        """Reads `master.key` in `data_dir`; makes directory (0700) and file (0600) where there are none.

        ConfigError when a line of the file is not 64 hexadecimal characters, or others may read it.
        """
        path = data_dir / FILE_NAME
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                _create(path)
            return cls(*_read(path))
        except OSError as error:
            raise ConfigError(
                f"{error.filename or path}: {error.strerror}.\nCheck that pymeet may write to data_dir."
            ) from None

    @classmethod
    def begin_change(cls, data_dir: Path) -> "Keyring":
        """Puts a new key on top of `master.key`; it is on the disk, with all that were there, when this returns."""
        path = data_dir / FILE_NAME
        masters = (secrets.token_bytes(32), *_read(path))
        _replace(path, masters)
        return cls(*masters)

    @classmethod
    def end_change(cls, data_dir: Path) -> "Keyring":
        """Leaves only the first key in `master.key`."""
        path = data_dir / FILE_NAME
        masters = _read(path)[:1]
        _replace(path, masters)
        return cls(*masters)

    @property
    def id(self) -> str:
        """16 hexadecimal characters that name this master key and reveal nothing of it."""
        return self.subkey(b"master-id")[:8].hex()

    def subkey(self, purpose: bytes) -> bytes:
        """32 bytes for one purpose, always the same for the same purpose (HKDF, RFC 5869)."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"pymeet:" + purpose).derive(self._master)


def _create(path: Path) -> None:
    """Writes a new key under another name first: a crash never leaves half a key, a second start never a second key."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    _sync_directory(path.parent)


def _replace(path: Path, masters: tuple[bytes, ...]) -> None:
    """Writes beside the file and renames: at every moment one whole file is there."""
    unfinished = path.with_name(f"{path.name}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, 0o600)
        file.writelines(f"{master.hex()}\n" for master in masters)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path) -> tuple[bytes, ...]:
    """All keys, the one in use first."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"{path}: others on this machine may read the master key.\nRun `chmod 600 {path}`.")
    lines = path.read_text(encoding="ascii", errors="replace").split()
    if not lines or not all(re.fullmatch(r"[0-9a-fA-F]{64}", line) for line in lines):
        raise ConfigError(
            f"{path}: is not a master key; it must hold 64 hexadecimal characters.\n"
            "Put the right file back from your backup: without it what was encrypted stays closed."
        )
    return tuple(bytes.fromhex(line) for line in lines)
