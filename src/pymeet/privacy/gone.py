"""Removes sealed files whose rows are deleted, and finds files that no row knows.

The list of files to remove (`pending_gone`) is written in the transaction that deletes the row and worked off after it:
a line leaves the list only when key and file have left the disk, however often the machine dies in between.
"""

import asyncio
import errno
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from pymeet.db.files import FileNotGoneError, Files
from pymeet.db.schema import metadata, pending_gone, requests
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.rows import file_columns
from pymeet.retention import hours

log = structlog.get_logger(__name__)

UNKNOWN_AFTER_MS: Final = hours(24)
"""A file that no row knows is taken for one being made until it is this old."""

_BATCH = 50


@dataclass(frozen=True)
class Removed:
    """What became of the files on the list."""

    removed: int
    failed: int
    """Could not be removed; they stay on the list and are tried again."""
    errors: tuple[str, ...] = ()
    """Why, in fixed words."""


async def remove_pending(lifecycle: Lifecycle) -> Removed:
    """Works off the list: destroys key, then file, then takes the line off. What fails is noted and tried next time."""
    removed, errors, after = 0, [], ""
    while batch := await lifecycle.db.study(_next, after):
        after = batch[-1]
        outcome = await asyncio.to_thread(_destroy, lifecycle.files, batch)
        await lifecycle.db.work(_settle, outcome)
        failures = [word for word in outcome.values() if word]
        removed += len(batch) - len(failures)
        errors += failures
    words = tuple(sorted(set(errors)))
    if errors:
        log.error("files that must go could not be removed; they will be tried again", files=len(errors), errors=words)
    return Removed(removed, len(errors), words)


async def queue_unknown(lifecycle: Lifecycle) -> int:
    """Puts files and keys that no row knows, older than a day, on the list; how many."""
    before_ms = lifecycle.clock.now_ms() - UNKNOWN_AFTER_MS
    found = await asyncio.to_thread(_old_ids, lifecycle, before_ms)
    queued = 0
    for start in range(0, len(found), _BATCH):
        queued += await lifecycle.db.work(_queue, found[start : start + _BATCH], lifecycle.clock.now_ms())
    if queued:
        log.warning("files that no row knows will be removed", files=queued)
    return queued


def waiting(conn: Connection) -> int:
    """How many files are on the list."""
    return conn.execute(select(func.count()).select_from(pending_gone)).scalar_one()


def _next(conn: Connection, after: str) -> list[str]:
    query = select(pending_gone.c.file_id).where(pending_gone.c.file_id > after).order_by(pending_gone.c.file_id)
    return list(conn.execute(query.limit(_BATCH)).scalars())


def _destroy(files: Files, file_ids: Iterable[str]) -> dict[str, str | None]:
    """A word for each file that is still there, None for each that is gone."""
    outcome: dict[str, str | None] = {}
    for file_id in file_ids:
        try:
            files.destroy(file_id)
            outcome[file_id] = None
        except FileNotGoneError as error:
            cause = error.__cause__
            number = cause.errno if isinstance(cause, OSError) else None
            outcome[file_id] = errno.errorcode.get(number, "disk").lower() if number else "keys"
        except ValueError:
            outcome[file_id] = "bad_id"
    return outcome


def _settle(conn: Connection, outcome: dict[str, str | None]) -> None:
    for file_id, word in outcome.items():
        here = pending_gone.c.file_id == file_id
        if word is None:
            conn.execute(delete(pending_gone).where(here))
        else:
            conn.execute(update(pending_gone).where(here).values(attempts=pending_gone.c.attempts + 1, error=word))


def _old_ids(lifecycle: Lifecycle, before_ms: int) -> list[str]:
    files = {file_id: at_ms for file_id, at_ms, _ in lifecycle.files.ids()}
    keys = dict(lifecycle.keys.ids())
    newest = {file_id: max(files.get(file_id, 0), keys.get(file_id, 0)) for file_id in files.keys() | keys.keys()}
    return sorted(file_id for file_id, at_ms in newest.items() if at_ms < before_ms)


def _queue(conn: Connection, file_ids: Collection[str], now_ms: int) -> int:
    known: set[str] = set(conn.execute(select(pending_gone.c.file_id)).scalars())
    for table in metadata.sorted_tables:
        for column in file_columns(table):
            known.update(conn.execute(select(column).where(column.in_(file_ids))).scalars())
    # what an erasure under way will search for is sealed under the id of its request
    under_way = select(requests.c.id).where(requests.c.id.in_(file_ids), requests.c.closed_at_ms.is_(None))
    known.update(conn.execute(under_way).scalars())
    unknown = [{"file_id": file_id, "queued_at_ms": now_ms} for file_id in file_ids if file_id not in known]
    if unknown:
        conn.execute(insert(pending_gone), unknown)
    return len(unknown)
