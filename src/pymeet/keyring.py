"""The master key and the keys derived from it. The master key is a file of its own, never in a database."""

import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pymeet.errors import ConfigError

FILE_NAME = "master.key"


class Keyring:
    """Gives every purpose a key of its own, so that none can be used for another."""

    def __init__(self, master: bytes) -> None:
        """`master` is 32 random bytes."""
        if len(master) != 32:
            raise ValueError("a master key has 32 bytes")
        self._master = master

    def __repr__(self) -> str:
        return "<Keyring>"

    @classmethod
    def open(cls, data_dir: Path) -> "Keyring":
        """Reads `master.key` in `data_dir`; makes directory (0700) and file (0600) where there are none.

        ConfigError when the file is not 64 hexadecimal characters, or others may read it.
        """
        path = data_dir / FILE_NAME
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                _create(path)
            return cls(_read(path))
        except OSError as error:
            raise ConfigError(
                f"{error.filename or path}: {error.strerror}.\nCheck that pymeet may write to data_dir."
            ) from None

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
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"{path}: others on this machine may read the master key.\nRun `chmod 600 {path}`.")
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        master = bytes.fromhex(text) if len(text) == 64 else b""
    except ValueError:
        master = b""
    if len(master) != 32:
        raise ConfigError(
            f"{path}: is not a master key; it must hold 64 hexadecimal characters.\n"
            "Put the right file back from your backup: without it what was encrypted stays closed."
        )
    return master
