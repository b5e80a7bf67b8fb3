"""What members are told on the pages: reading it, and choosing what to be told. Times are UTC milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping

from pymeet.accounts.model import User
from pymeet.db.notifications import ALWAYS, BY_MAIL
from pymeet.db.schema import notifications
from pymeet.db.schema.notifications import KINDS
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.ops import notification_store as store
from pymeet.privacy.parts import Lifecycle

CHOSEN = tuple(kind for kind in KINDS if kind not in ALWAYS)
"""The kinds that somebody can want, or not."""


@dataclass(frozen=True)
class Notification:
    """One thing that a member is told; what it says of others is as they may see it now."""

    id: str
    kind: str
    created_at_ms: int
    is_read: bool
    page: str
    """The address to which it leads."""
    subject: str | None
    """The title of the meeting, the name of the recording, the room or the browser."""
    person: str | None
    """Who invites, or who answered."""
    answer: str | None
    moment_ms: int | None
    """When the meeting begins, the recording ends, or the archive can be fetched no longer."""
    all_day: bool


@dataclass(frozen=True)
class Choice:
    """Where somebody wants to be told of a kind; `mail` is None where no mail tells of it."""

    in_app: bool
    mail: bool | None


class Notifications:
    """Those of all members."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._db = lifecycle.db

    async def page(self, user: User, after: str, limit: int) -> tuple[list[Notification], str | None]:
        """The newest first, and what names the next page; `after` is that of the page before, or empty.

        InvalidInputError for another one.
        """
        before = _place(after) if after else None
        now_ms = self._lifecycle.clock.now_ms()
        async with self._db.read() as conn:
            rows = await conn.run_sync(store.page, user.id, self._lifecycle.periods, now_ms, before, limit + 1)
        shown = rows[:limit]
        following = f"{shown[-1]['created_at_ms']}.{shown[-1]['id']}" if len(rows) > limit else None
        return [_notification(row) for row in shown], following

    async def unread(self, user: User) -> int:
        """How many were not read."""
        now_ms = self._lifecycle.clock.now_ms()
        async with self._db.read() as conn:
            return await conn.run_sync(store.unread, user.id, self._lifecycle.periods, now_ms)

    async def read(self, user: User, notification_id: str) -> None:
        """Marks one as read. NotFoundError."""

        def mark(conn: Connection) -> None:
            if not store.is_there(conn, user.id, notification_id):
                raise _no_such()
            one = notifications.c.id == notification_id
            store.mark_read(conn, user.id, one, self._lifecycle.clock.now_ms())

        async with self._db.write() as conn:
            await conn.run_sync(mark)

    async def read_all(self, user: User, up_to_ms: int) -> None:
        """Marks all as read that were told until then; what was told since nobody has seen yet."""
        seen = notifications.c.created_at_ms <= up_to_ms
        async with self._db.write() as conn:
            await conn.run_sync(store.mark_read, user.id, seen, self._lifecycle.clock.now_ms())

    async def delete(self, user: User, notification_id: str) -> None:
        """Deletes one. NotFoundError."""
        async with self._db.write() as conn:
            if not await conn.run_sync(store.remove, user.id, notification_id):
                raise _no_such()

    async def choices(self, user: User) -> Mapping[str, Choice]:
        """Of what somebody wants to be told, and how; of everything unless they chose otherwise."""
        async with self._db.read() as conn:
            chosen = await conn.run_sync(store.choices, user.id)
        found = {kind: chosen.get(kind, (True, True)) for kind in CHOSEN}
        return {kind: Choice(in_app, mail if kind in BY_MAIL else None) for kind, (in_app, mail) in found.items()}

    async def choose(self, user: User, wanted: Mapping[str, Choice]) -> None:
        """Changes the choices for these kinds. InvalidInputError."""
        for kind, choice in wanted.items():
            if kind not in CHOSEN:
                raise InvalidInputError(f"There is nothing to choose about this kind. Choose of: {', '.join(CHOSEN)}.")
            if (choice.mail is not None) != (kind in BY_MAIL):
                raise InvalidInputError(f"`mail` is said for these kinds: {', '.join(sorted(BY_MAIL))}.")

        def put(conn: Connection) -> None:
            for kind, choice in wanted.items():
                store.choose(conn, user.id, kind, in_app=choice.in_app, mail=choice.mail is not False)

        async with self._db.write() as conn:
            await conn.run_sync(put)


def _notification(row: RowMapping) -> Notification:
    return Notification(
        id=row["id"],
        kind=row["kind"],
        created_at_ms=row["created_at_ms"],
        is_read=row["read_at_ms"] is not None,
        page=_page(row),
        subject=row["subject"],
        person=row["person"],
        answer=row["answer"],
        moment_ms=row["moment_ms"],
        all_day=len(row["starts_local"] or "") == len("2027-03-28"),
    )


def _page(row: RowMapping) -> str:
    """Where the reader sees what it is about, and may see it; the start page where there is no such place any more."""
    kind = row["kind"]
    if kind.startswith("recording"):
        return f"/recordings/{row['object_id']}"
    if row["meeting_id"] is not None:
        return f"/#meeting={row['meeting_id']}"
    if row["slug"] is not None:
        return f"/r/{row['slug']}"
    return {"new_device": "/security", "export_ready": "/my-data", "request_decided": "/my-data"}.get(kind, "/")


def _place(text: str) -> tuple[int, str]:
    at_ms, _, notification_id = text.partition(".")
    if not (at_ms.isascii() and at_ms.isdecimal() and len(at_ms) <= 15):
        raise InvalidInputError("There is no such page.")
    return int(at_ms), notification_id


def _no_such() -> NotFoundError:
    return NotFoundError("There is no such notification.")
