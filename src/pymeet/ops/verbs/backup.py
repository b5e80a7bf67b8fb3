"""The verbs of `pymeet backup`."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymeet.db import audit
from pymeet.ops import backup, backup_sets
from pymeet.ops.backup_sets import Found
from pymeet.ops.backup_verify import verify
from pymeet.ops.progress import Progress
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso
from pymeet.privacy.age import Lock


async def backup_make(
    services: Services, progress: Progress, *, directory: str | None = None, lock: dict[str, str] | None = None
) -> dict[str, Any]:
    """Makes a set; with a `lock` (header and key of an age file) its database is encrypted."""
    where = _directory(services, directory)
    made = await backup.make(services.lifecycle, where, _lock(lock), audit.OPERATOR, progress)
    if where != services.config.backup_dir.absolute():
        # The sweep looks after the configured directory only.
        await _expire(services, where)
    return {**_described(services, made), "keys": str(where / backup_sets.KEYS / f"{made.path.name}.db")}


async def backup_list(services: Services, *, directory: str | None = None) -> list[dict[str, Any]]:
    """All sets in the directory."""
    found = await asyncio.to_thread(backup_sets.sets, _directory(services, directory))
    return [_described(services, each) for each in found]


async def backup_verify(
    services: Services,
    progress: Progress,
    *,
    name: str,
    directory: str | None = None,
    lock: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Reads all of a set and says what of it could not be restored."""
    path = backup_sets.find(_directory(services, directory), name)
    arguments = (services.config, services.keys, path, _lock(lock))
    verified = await backup.in_thread(verify, *arguments, progress=progress)
    return {
        "name": name,
        "good": verified.good,
        "files": len(verified.manifest.files),
        "encrypted": verified.manifest.encrypted,
        "database_opened": verified.opened,
        "damaged": list(verified.damaged),
        "destroyed_since": verified.destroyed,
        "without_key": list(verified.keyless),
        "keys_need_former_master_key": verified.needs_former_key,
    }


async def backup_delete(services: Services, *, name: str, directory: str | None = None) -> dict[str, Any]:
    """Deletes a set."""
    await asyncio.to_thread(backup_sets.delete, _directory(services, directory), name)
    await backup.note(services.lifecycle, "backup.deleted", [name], audit.OPERATOR)
    return {"name": name}


async def _expire(services: Services, directory: Path) -> None:
    now_ms = services.clock.now_ms()
    period_ms = services.lifecycle.periods.period_ms("backup", now_ms)
    if period_ms is not None:
        names = await asyncio.to_thread(backup_sets.expire, directory, period_ms, now_ms)
        await backup.note(services.lifecycle, "backup.expired", names, audit.SYSTEM)


def _directory(services: Services, given: str | None) -> Path:
    return Path(given) if given else services.config.backup_dir.absolute()


def _lock(given: dict[str, str] | None) -> Lock | None:
    return Lock(given["header"].encode(), bytes.fromhex(given["file_key"])) if given else None


def _described(services: Services, found: Found) -> dict[str, Any]:
    now_ms = services.clock.now_ms()
    period_ms = services.lifecycle.periods.period_ms("backup", now_ms)
    return {
        "name": found.path.name,
        "path": str(found.path),
        "made_at": iso(found.made_at_ms),
        "expires_at": None if period_ms is None else iso(found.made_at_ms + period_ms),
        "size_bytes": found.size_bytes,
        "files": len(found.manifest.sealed) if found.manifest else 0,
        "verified": found.manifest is not None,
        "encrypted": bool(found.manifest and found.manifest.encrypted),
    }


OPERATIONS: Mapping[str, Operation] = {
    "backup.make": backup_make,
    "backup.list": backup_list,
    "backup.verify": backup_verify,
    "backup.delete": backup_delete,
}
