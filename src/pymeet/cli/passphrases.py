"""Reads passphrases from files: they are never typed on a command line, where others could see them."""

import stat
from pathlib import Path
from typing import Final

from pymeet.errors import ConfigError, InvalidInputError

SHORTEST: Final = 12
"""Characters."""


def read_passphrase(path: Path) -> str:
    """The first line of a file that only its owner may read. ConfigError, InvalidInputError, OSError."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"{path}: others on this machine may read the passphrase.\nRun `chmod 600 {path}`.")
    passphrase = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    if len(passphrase) < SHORTEST:
        raise InvalidInputError(
            f"The passphrase in {path} is shorter than {SHORTEST} characters.\n"
            "Make one with `openssl rand -base64 24`, and keep it where the backups are not."
        )
    return passphrase
