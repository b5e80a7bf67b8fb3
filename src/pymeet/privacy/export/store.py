"""The rows of `exports`: who asked, how far it is, and by which link the archive is fetched."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_ignore

from pymeet.db import audit, notifications
from pymeet.db.inventory import Anchor
from pymeet.db.schema import exports, pending_gone, users
from pymeet.errors import NotFoundError, TooManyError
from pymeet.privacy.people import DataSubject
from pymeet.privacy.rows import delete_rows
from pymeet.retention import hours, minutes

AT_ONCE: Final = 2
"""How many archives are made side by side on one server."""

PAUSE_MS: Final = minutes(10)
"""So long after one archive a person waits for the next."""

STALE_MS: Final = hours(12)
"""An archive that is still being made after this was left behind by a crash, and is in nobody's way any more."""

LINK_MS: Final = hours(72)
DOWNLOADS: Final = 5


@dataclass(frozen=True)
class Fetched:
    """An archive that may be fetched."""

    export_id: str
    file_id: str
    person: DataSubject
    ready_at_ms: int


def of_person(person: DataSubject) -> ColumnElement[bool]:
    """The condition that picks somebody's archives."""
    column = exports.c.user_id if person.anchor is Anchor.MEMBER else exports.c.participant_id
    return column == person.id


def begin(
    conn: Connection, person: DataSubject, export_id: str, file_id: str, request_id: str | None, now_ms: int
) -> None:
    """Notes that an archive is being made. TooManyError where there are enough, NotFoundError without such an account."""
    if person.user_id and not conn.execute(select(users.c.id).where(users.c.id == person.user_id)).first():
        raise NotFoundError("There is no such account.")
    _refuse_too_many(conn, person, now_ms)
    conn.execute(
        insert(exports).values(
            id=export_id,
            user_id=person.user_id,
            participant_id=person.participant_id,
            request_id=request_id,
            state="building",
            file_id=file_id,
            downloads_left=0,
            requested_at_ms=now_ms,
        )
    )


@dataclass(frozen=True)
class Made:
    """An archive that has been written."""

    export_id: str
    person: DataSubject
    token_hash: str
    size_bytes: int
    at_ms: int


def ready(conn: Connection, made: Made, actor: str, detail: audit.Detail) -> bool:
    """Makes the archive fetchable; False when its row has gone meanwhile, as it does when the person is erased."""
    changed = conn.execute(
        update(exports)
        .where(exports.c.id == made.export_id, exports.c.state == "building")
        .values(
            state="ready",
            token_hash=made.token_hash,
            size_bytes=made.size_bytes,
            downloads_left=DOWNLOADS,
            ready_at_ms=made.at_ms,
            link_expires_at_ms=made.at_ms + LINK_MS,
        )
    )
    if not changed.rowcount:
        return False
    audit.record_now(conn, made.at_ms, actor, "data.exported", _target(made.person, made.export_id), detail)
    if actor == made.person.user_id:
        notifications.tell(
            conn,
            now_ms=made.at_ms,
            user_id=actor,
            kind="export_ready",
            object_id=made.export_id,
            moment_ms=made.at_ms + LINK_MS,
        )
    return True


def fail(conn: Connection, export_id: str, file_id: str, now_ms: int) -> None:
    """Notes that there will be no archive, and that what there is of its file must go."""
    conn.execute(update(exports).where(exports.c.id == export_id).values(state="failed", file_id=None))
    queue = insert_or_ignore(pending_gone).values(file_id=file_id, queued_at_ms=now_ms)
    conn.execute(queue.on_conflict_do_nothing())


def unfinished(conn: Connection) -> list[tuple[str, str]]:
    """The archives being made: row and file."""
    query = select(exports.c.id, exports.c.file_id).where(exports.c.state == "building")
    return [(row.id, row.file_id) for row in conn.execute(query)]


def fetchable(conn: Connection, which: ColumnElement[bool], now_ms: int) -> Fetched | None:
    """The archive that may be fetched now, if there is one."""
    row = conn.execute(select(exports).where(which, _open(now_ms))).one_or_none()
    if row is None:
        return None
    person = (
        DataSubject(Anchor.MEMBER, row.user_id) if row.user_id else DataSubject(Anchor.GUEST, row.participant_id or "")
    )
    return Fetched(row.id, row.file_id, person, row.ready_at_ms)


def count_down(conn: Connection, fetched: Fetched, now_ms: int, actor: str) -> bool:
    """Takes one of the downloads that are left; False when there is none any more."""
    changed = conn.execute(
        update(exports)
        .where(exports.c.id == fetched.export_id, _open(now_ms))
        .values(state="fetched", downloads_left=exports.c.downloads_left - 1)
    )
    if not changed.rowcount:
        return False
    audit.record_now(conn, now_ms, actor, "export.fetched", _target(fetched.person, fetched.export_id))
    return True


def discard(conn: Connection, export_id: str, now_ms: int) -> None:
    """Deletes an archive's row and puts its file on the list of those to go."""
    delete_rows(conn, exports, exports.c.id == export_id, now_ms)


def listed(conn: Connection, person: DataSubject) -> list[Any]:
    """A person's archives, the newest first."""
    return list(conn.execute(select(exports).where(of_person(person)).order_by(exports.c.requested_at_ms.desc())))


def _refuse_too_many(conn: Connection, person: DataSubject, now_ms: int) -> None:
    building = (exports.c.state == "building") & (exports.c.requested_at_ms > now_ms - STALE_MS)
    if conn.execute(select(exports.c.id).where(building, of_person(person))).first():
        raise TooManyError(
            "An archive for this person is being made already.\nWait until it is ready.",
            details={"retry_after_s": 60},
        )
    if conn.execute(select(func.count()).select_from(exports).where(building)).scalar_one() >= AT_ONCE:
        raise TooManyError(
            "The server is making as many archives as it can. Nothing was lost.\nTry again in a few minutes.",
            details={"retry_after_s": 120},
        )
    last = conn.execute(
        select(func.max(exports.c.requested_at_ms)).where(of_person(person), exports.c.state != "failed")
    ).scalar_one()
    if last is not None and last <= now_ms < last + PAUSE_MS:
        wait_min = -(-(last + PAUSE_MS - now_ms) // minutes(1))
        raise TooManyError(
            "An archive for this person was made a moment ago.\n"
            f"Try again in {wait_min} {'minute' if wait_min == 1 else 'minutes'}.",
            details={"retry_after_s": -(-(last + PAUSE_MS - now_ms) // 1000)},
        )


def _open(now_ms: int) -> ColumnElement[bool]:
    return (
        exports.c.state.in_(("ready", "fetched"))
        & (exports.c.link_expires_at_ms > now_ms)
        & (exports.c.downloads_left > 0)
        & exports.c.file_id.is_not(None)
    )


def _target(person: DataSubject, export_id: str) -> str | audit.Person:
    # A guest's random id must not stay in the log after their data is erased; an account's pseudonym is cut off then.
    return audit.Person(person.user_id) if person.user_id else export_id
