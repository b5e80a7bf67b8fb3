"""Looks whether what should be gone is gone, on the real data: nobody is back, and nothing was left lying about."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from pymeet.db.schema import metadata, pending_gone, requests, users
from pymeet.errors import InvalidInputError
from pymeet.privacy.gone import UNKNOWN_AFTER_MS
from pymeet.privacy.ledger import Ledger
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import guest, member
from pymeet.privacy.residue import SHORTEST, Findings, Needles, scan
from pymeet.privacy.rows import file_columns

_ATTEMPTS: Final = 8
_PAUSE_S: Final = 0.25


@dataclass(frozen=True)
class Asked:
    """The answer about one person. Times are UTC milliseconds."""

    erased_at_ms: int | None
    """When the ledger says that they were erased; None when it says nothing."""
    has_account: bool


@dataclass(frozen=True)
class Verification:
    """What was looked at, and what was found."""

    erasures: int
    """People whom the ledger knows as erased."""
    returned: int
    """People and addresses of which it knows that are in the database again."""
    damaged_lines: int
    """Lines of the ledger that are not as they were written."""
    interrupted: int
    """Erasures that have begun and are not at their end."""
    log_emptied: bool
    """Whether the write-ahead log could be emptied; where not, a reader holds it and deleted content may stand in it."""
    unknown_files: int
    """Sealed files and keys older than a day that no row knows."""
    waiting_files: int
    """Files that must go and could not be removed yet."""
    searched: Findings
    asked: Asked | None

    @property
    def findings(self) -> list[str]:
        """What is not as it should be, in fixed words."""
        said = {
            "people_returned": self.returned > 0,
            "ledger_damaged": self.damaged_lines > 0,
            "erasure_interrupted": self.interrupted > 0,
            "log_not_emptied": not self.log_emptied,
            "free_pages_not_empty": self.searched.dirty_pages > 0,
            "free_pages_not_seen": self.searched.free_pages is None,
            "unknown_files": self.unknown_files > 0,
            "files_not_removed": self.waiting_files > 0,
            "remains_found": bool(self.searched.remains) and not (self.asked and self.asked.has_account),
            "files_unread": bool(self.searched.unread),
            "not_erased": self.asked is not None and self.asked.has_account,
        }
        return [word for word, is_so in said.items() if is_so]

    def as_dict(self) -> dict[str, Any]:
        """As JSON can carry it."""
        return {**asdict(self), "searched": self.searched.as_dict(), "findings": self.findings}


async def verify(
    lifecycle: Lifecycle, who: str | None, progress: Callable[[int, int | None, str], None]
) -> Verification:
    """Looks at everything; with `who`, an address or id, also searches all bytes for that. InvalidInputError, ResidueError."""
    who = None if who is None else who.strip()
    if who is not None and len(who) < SHORTEST:
        raise InvalidInputError(f"What is searched for has at least {SHORTEST} characters.")
    ledger = await asyncio.to_thread(Ledger.open, lifecycle.config.data_dir, lifecycle.keys)
    progress(0, None, "comparing with the ledger")
    counts = await lifecycle.db.study(_compared, ledger, who)
    unknown = await _unknown_files(lifecycle)
    emptied = await _emptied(lifecycle)
    searched = await scan(lifecycle.config, Needles((who,) if who else (), 1 if who else 0), progress)
    return Verification(**counts, log_emptied=emptied, unknown_files=unknown, searched=searched)


def _compared(conn: Connection, ledger: Ledger, who: str | None) -> dict[str, Any]:
    erased = ledger.erased(conn)
    returned = ledger.returned(conn, erased)
    asked = None
    if who is not None:
        marks = [ledger.address_mark(who), ledger.mark(member(who)), ledger.mark(guest(who))]
        times = [erased.marks[mark] for mark in marks if mark in erased.marks]
        mine = (users.c.email == who.lower()) | (users.c.id == who)
        asked = Asked(max(times, default=None), conn.execute(select(users.c.id).where(mine)).first() is not None)
    under_way = select(func.count()).where(requests.c.right == "erasure", requests.c.state == "erasing")
    return {
        "erasures": erased.count,
        "returned": len(returned.people) + len(returned.addresses),
        "damaged_lines": erased.damaged,
        "interrupted": conn.execute(under_way).scalar_one(),
        "waiting_files": conn.execute(select(func.count()).select_from(pending_gone)).scalar_one(),
        "asked": asked,
    }


async def _unknown_files(lifecycle: Lifecycle) -> int:
    def on_disk() -> dict[str, int]:
        found = {file_id: at_ms for file_id, at_ms, _ in lifecycle.files.ids()}
        for file_id, at_ms in lifecycle.keys.ids():
            found[file_id] = max(at_ms, found.get(file_id, at_ms))
        return found

    before_ms = lifecycle.clock.now_ms() - UNKNOWN_AFTER_MS
    old = {file_id for file_id, at_ms in (await asyncio.to_thread(on_disk)).items() if at_ms < before_ms}
    return len(old - await lifecycle.db.study(_known_files)) if old else 0


def _known_files(conn: Connection) -> set[str]:
    """Files that rows know, that wait to be removed, or that an erasure under way has sealed by its own id."""
    under_way = select(requests.c.id).where(requests.c.right == "erasure", requests.c.closed_at_ms.is_(None))
    known = {*conn.execute(select(pending_gone.c.file_id)).scalars(), *conn.execute(under_way).scalars()}
    for table in metadata.sorted_tables:
        for column in file_columns(table):
            known.update(conn.execute(select(column).where(column.is_not(None))).scalars())
    return known


async def _emptied(lifecycle: Lifecycle) -> bool:
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(_PAUSE_S)
        if await lifecycle.db.checkpoint():
            return True
    return False
