"""The versions of the privacy notice: which was in force when, and who has read the one that counts now.

The notice follows from inventory, configuration and periods (`documents.notice`). A version is what it said at one time,
in every language; another one is published by itself as soon as it says something else.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select

from pymeet.db import audit
from pymeet.db.inventory import digest
from pymeet.db.schema import consents, metadata, notices
from pymeet.errors import NotFoundError
from pymeet.privacy.consents import Consent, record
from pymeet.privacy.documents.deadlines import Effective, in_force
from pymeet.privacy.documents.notice import texts
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject
from pymeet.privacy.periods import is_shorter


@dataclass(frozen=True)
class Notice:
    """One version. Times are UTC milliseconds."""

    version: int
    published_at_ms: int
    hash: str
    """SHA-256, hexadecimal, of the texts as canonical JSON, language to text."""
    needs_renewal: bool
    """Whether members must read this version although they have read an earlier one."""
    texts: Mapping[str, str]
    inventory: str
    """The digest of the inventory from which it was made."""
    periods_ms: Effective
    """The periods that were in force; None without end."""


class Notices:
    """The versions of one server."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._db = lifecycle.db

    async def current(self, now_ms: int) -> Notice:
        """The version that counts now; published here where the notice has changed since the last one.

        To be called at every start, and after a sweep: a shortened period comes into force by itself.
        """
        effective = in_force(self._lifecycle.periods, now_ms)
        said = texts(self._lifecycle.in_force, effective)
        newest = await self._db.study(newest_now)
        if newest and newest.hash == hash_of(said):
            return newest
        return await self._db.work(publish_now, said, effective, now_ms)

    async def renew(self, now_ms: int, actor: str = audit.OPERATOR) -> Notice:
        """Publishes what the notice says now as another version, which every member is asked to read."""
        effective = in_force(self._lifecycle.periods, now_ms)
        said = texts(self._lifecycle.in_force, effective)
        return await self._db.work(lambda conn: publish_now(conn, said, effective, now_ms, actor=actor, renew=True))

    async def history(self) -> Sequence[Notice]:
        """All versions, the newest first."""
        return await self._db.study(_history)

    async def text(self, version: int, language: str) -> str:
        """What a version says in a language. NotFoundError."""
        found = (await self._db.study(version_now, version)).texts.get(language)
        if found is None:
            raise NotFoundError("The privacy notice was not published in this language.")
        return found

    async def needs_acknowledgement(self, user_id: str) -> Notice | None:
        """The version that a member must read now; None when they have read all that changed for them."""
        return await self._db.study(needs_acknowledgement, user_id)

    async def acknowledge(self, person: DataSubject, version: int, language: str, method: str, now_ms: int) -> Consent:
        """Records that somebody has read a version. NotFoundError."""
        return await self._db.work(acknowledge, person, version, language, method, now_ms)


def needs_acknowledgement(conn: Connection, user_id: str) -> Notice | None:
    """The version that a member must read now; None when they have read all that changed for them."""
    demanded = conn.execute(select(func.max(notices.c.version)).where(notices.c.needs_renewal)).scalar()
    mine = (consents.c.user_id == user_id, consents.c.purpose == "privacy_notice")
    read = conn.execute(select(func.max(consents.c.notice_version)).where(*mine)).scalar()
    return None if demanded is None or (read is not None and read >= demanded) else newest_now(conn)


def acknowledge(
    conn: Connection, person: DataSubject, version: int, language: str, method: str, now_ms: int
) -> Consent:
    """Records that somebody has read a version, inside the caller's transaction. NotFoundError.

    It is no consent: the notice informs (Articles 13 and 14), and what it tells rests on other legal bases.
    """
    return record(
        conn,
        person,
        "privacy_notice",
        None,
        "acknowledged",
        method=method,
        notice_version=version,
        language=language,
        now_ms=now_ms,
    )


def publish_now(
    conn: Connection,
    said: Mapping[str, str],
    effective: Effective,
    now_ms: int,
    *,
    actor: str = audit.SYSTEM,
    renew: bool = False,
) -> Notice:
    """Publishes what the notice says, inside the caller's transaction; without `renew` only where it has changed.

    Members must read it anew when other data may be held, or data for longer, and where the operator wants it.
    """
    newest = newest_now(conn)
    if newest and newest.hash == hash_of(said) and not renew:
        return newest
    inventory = digest(metadata)
    renewal = renew or newest is None or newest.inventory != inventory or _any_longer(newest.periods_ms, effective)
    content = {"inventory": inventory, "periods_ms": dict(effective), "texts": dict(said)}
    values = {
        "published_at_ms": now_ms,
        "hash": hash_of(said),
        "text": _canonical(content),
        "needs_renewal": renewal,
    }
    version = conn.execute(insert(notices).values(values).returning(notices.c.version)).scalar_one()
    audit.record_now(conn, now_ms, actor, "notice.published", str(version), {"needs_renewal": renewal})
    return version_now(conn, version)


def newest_now(conn: Connection) -> Notice | None:
    """The newest version; None before the first."""
    row = conn.execute(select(notices).order_by(notices.c.version.desc()).limit(1)).mappings().first()
    return _notice(row) if row else None


def version_now(conn: Connection, version: int) -> Notice:
    """One version. NotFoundError."""
    row = conn.execute(select(notices).where(notices.c.version == version)).mappings().first()
    if row is None:
        raise NotFoundError("There is no such version of the privacy notice.")
    return _notice(row)


def hash_of(said: Mapping[str, str]) -> str:
    """What names a version: the SHA-256 of its texts in all languages."""
    return hashlib.sha256(_canonical(dict(said)).encode()).hexdigest()


def _history(conn: Connection) -> Sequence[Notice]:
    return [_notice(row) for row in conn.execute(select(notices).order_by(notices.c.version.desc())).mappings()]


def _notice(row: RowMapping) -> Notice:
    content = json.loads(row["text"])
    return Notice(
        version=row["version"],
        published_at_ms=row["published_at_ms"],
        hash=row["hash"],
        needs_renewal=row["needs_renewal"],
        texts=content["texts"],
        inventory=content["inventory"],
        periods_ms=content["periods_ms"],
    )


def _any_longer(before: Effective, after: Effective) -> bool:
    return any(name in before and is_shorter(before[name], period_ms) for name, period_ms in after.items())


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
