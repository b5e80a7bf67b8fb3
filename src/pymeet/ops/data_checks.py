"""What `pymeet doctor` looks at in the data: keys, sealed files, backups, mail, and how the running server gets on.

Named checks as in `checks.py`. They open what is there and make nothing.
"""

import os
import socket
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pymeet.config import Config
from pymeet.db import keys as key_store
from pymeet.db.files import DIRECTORY as FILES
from pymeet.db.keys import KeyStore
from pymeet.errors import PymeetError
from pymeet.keyring import FILE_NAME as MASTER_KEY
from pymeet.keyring import Keyring
from pymeet.ops import backup_sets
from pymeet.ops.checks import Finding
from pymeet.ops.restore_swap import check_no_restore_pending

BACKUP_EVERY: Final = timedelta(days=2)
"""A newest backup that is older than this was forgotten."""

_CONNECT_WITHIN_S: Final = 5.0


def examine_data(config: Config, now: datetime, status: Mapping[str, Any] | None) -> list[Finding]:
    """Runs every check. `status` is what the running server answers, None where none runs."""
    findings = [*check_restore(config), check_mail(config)]
    if (config.data_dir / MASTER_KEY).exists():
        findings += check_keys(config)
        findings.append(check_backups(config, now))
    if status is not None:
        findings += check_server(status)
    return findings


def check_restore(config: Config) -> list[Finding]:
    """Whether a restore was interrupted; says nothing where none was."""
    try:
        check_no_restore_pending(config)
    except PymeetError as error:
        return [_failed("restore", error)]
    return []


def check_keys(config: Config) -> list[Finding]:
    """Whether the master key opens every other key, no change of it was interrupted, and every sealed file has a key."""
    path = config.data_dir / key_store.FILE_NAME
    if not path.exists():
        if _sealed(config.data_dir):
            says = f"{path} is missing: sealed files cannot be opened."
            return [Finding("keys", "fail", says, "Stop the server and run `pymeet restore` with the newest backup.")]
        return [Finding("keys", "ok", "They are made at the next start.")]
    try:
        keyring = Keyring.open(config.data_dir)
        with closing(KeyStore.open(path, keyring)) as keys:
            count = keys.check()
            unopened = _sealed(config.data_dir) - {name for name, _ in keys.ids()}
    except PymeetError as error:
        return [_failed("keys", error)]
    except (OSError, sqlite3.Error) as error:
        remedy = "Run this as the user who runs pymeet; if that is so, restore the newest backup."
        return [Finding("keys", "fail", f"{path} cannot be used ({type(error).__name__}).", remedy)]
    findings = [Finding("keys", "ok", f"The master key opens all of them ({count}).")]
    if keyring.former:
        says = "A change of the master key was interrupted."
        findings = [Finding("keys", "warn", says, "Run `pymeet keys rotate`, which finishes it.")]
    if unopened:
        says = f"Sealed files without a key, which nobody can open: {len(unopened)}."
        remedy = "What was destroyed on purpose is removed within a day; if it stays so, look into the server's log."
        return [*findings, Finding("sealed files", "warn", says, remedy)]
    return [*findings, Finding("sealed files", "ok", "Every sealed file has a key.")]


def check_backups(config: Config, now: datetime) -> Finding:
    """Whether backups can be written, and the newest is whole and not old."""
    directory = config.backup_dir.absolute()
    place = directory
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        remedy = "Run this as the user who runs pymeet, change the owner, or set backup.dir."
        return Finding("backups", "fail", f"Backups cannot be written to {directory}.", remedy)
    newest = _newest(directory)
    if newest is None:
        return Finding(
            "backups", "warn", f"There is no backup in {directory}.", "Run `pymeet backup`, best every night."
        )
    made = datetime.fromtimestamp(newest.made_at_ms / 1000, UTC)
    says = f"The newest was made {made:%Y-%m-%d %H:%M} UTC."
    if newest.manifest is None:
        return Finding("backups", "fail", f"{says} It is damaged.", "Run `pymeet backup` for a fresh one.")
    if now - made > BACKUP_EVERY:
        return Finding("backups", "warn", f"{says} That is long ago.", "Run `pymeet backup`, best every night.")
    return Finding("backups", "ok", says)


def check_mail(config: Config) -> Finding:
    """Whether the mail server takes connections; nobody is asked where none is configured."""
    host, port = config.mail.host, config.mail.port
    if host is None:
        return Finding("mail", "ok", "Mail is off: mail.host is not set.")
    try:
        socket.create_connection((host, port), timeout=_CONNECT_WITHIN_S).close()
    except (OSError, UnicodeError):
        remedy = "Check mail.host, mail.port and the firewall."
        return Finding("mail", "fail", f"{host} cannot be reached on TCP port {port}.", remedy)
    return Finding("mail", "ok", f"{host} takes connections; `pymeet mail test ADDRESS` sends a mail.")


def check_server(status: Mapping[str, Any]) -> list[Finding]:
    """Whether the running server deletes what it should."""
    if doubts := status.get("clock_doubted"):
        says = f"Nothing is deleted, because the clock may be wrong ({doubts})."
        remedy = "Correct the clock, or believe it with `pymeet retention accept-clock`."
        retention = Finding("retention", "fail", says, remedy)
    elif status.get("rows_waiting"):
        says = f"Rows that are over and still there after the last sweep: {status['rows_waiting']:,}."
        retention = Finding("retention", "warn", says, "The next sweep goes on; see the log if they stay.")
    else:
        retention = Finding("retention", "ok", f"The last sweep ended {_moment(status.get('last_sweep'))}.")
    if waiting := status.get("files_waiting"):
        says = f"Files that must go and are still on the disk: {waiting:,}."
        remedy = "The log says why; the server tries again every five minutes."
        return [retention, Finding("files", "warn", says, remedy)]
    return [retention, Finding("files", "ok", "No file waits to be removed.")]


def _sealed(data_dir: Path) -> set[str]:
    """The ids of all sealed files on the disk."""
    return {path.stem for path in (data_dir / FILES).glob("*/*.sealed")}


def _newest(directory: Path) -> backup_sets.Found | None:
    found = backup_sets.sets(directory) if directory.is_dir() else []
    return found[-1] if found else None


def _failed(check: str, error: PymeetError) -> Finding:
    says, _, remedy = error.message.partition("\n")
    return Finding(check, "fail", says, remedy)


def _moment(text: object) -> str:
    return f"{str(text)[:16].replace('T', ' ')} UTC" if text else "before the last restart"
