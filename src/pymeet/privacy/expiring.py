"""Tells that a recording ends soon, 30, 7 and 1 days before: whoever started it, else whose room it is.

`warned_days` of the row remembers which of these was sent, also over a restart. A recording that was pinned, or whose
period became longer, is announced anew. What a hold keeps, or lies in the trash, is not announced.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, func, or_, select, update

from pymeet.db import audit, notifications
from pymeet.db.outbox import queue_statement
from pymeet.db.owners import owner_at
from pymeet.db.schema import recordings, rooms, users
from pymeet.privacy.holds import kept
from pymeet.privacy.limits import restricted
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.periods import Periods
from pymeet.retention import days

CLASS: Final = "recording"
KIND: Final = "recording_expiring"

BEFORE_DAYS: Final = (1, 7, 30)
"""So many days before its end a recording is announced."""

_AT_ONCE: Final = 50


@dataclass(frozen=True)
class _Ending:
    """A recording that ends in some days, or is further from its end than when it was announced."""

    id: str
    name: str
    warned_days: int | None
    announce_days: int | None
    left_ms: int
    to: tuple[str, str, str | None] | None
    """The account's id, address and language."""


async def announce_endings(lifecycle: Lifecycle, recordings_url: str) -> int:
    """Tells what is due, on the pages and where mail is on by mail, too; how many recordings that were.

    `recordings_url` is the page of all recordings.
    """
    now_ms = lifecycle.clock.now_ms()
    found = await lifecycle.db.study(_ending, lifecycle.periods, now_ms)
    count = 0
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        mail = lifecycle.config.mail
        language = None if mail.host is None else mail.language
        count += await lifecycle.db.work(_announce, some, now_ms, language, recordings_url)
    if count:
        lifecycle.poke_mail()
    return count


def _ending(conn: Connection, periods: Periods, now_ms: int) -> list[_Ending]:
    # as it will be by then: a shortened period that still waits counts already
    then_ms = now_ms + days(max(BEFORE_DAYS))
    known = [periods.period_ms(CLASS, then_ms), *periods.own(CLASS, then_ms).values()]
    shortest_ms = min((each for each in known if each is not None), default=None)
    soon = recordings.c.keep_from_ms <= then_ms - shortest_ms if shortest_ms is not None else None
    announced = recordings.c.warned_days.is_not(None)
    owner = func.coalesce(recordings.c.owner_id, owner_at(recordings.c.started_at_ms))
    query = (
        select(recordings, users.c.id.label("user_id"), users.c.email, users.c.language)
        .join(rooms, rooms.c.id == recordings.c.room_id)
        .outerjoin(users, and_(users.c.id == owner, users.c.disabled_at_ms.is_(None)))
        .where(
            recordings.c.keep_from_ms.is_not(None),
            recordings.c.trashed_at_ms.is_(None),
            announced if soon is None else or_(soon, announced),
            ~kept(recordings, restricted),
        )
        .order_by(recordings.c.keep_from_ms, recordings.c.id)
    )
    found = []
    for row in conn.execute(query):
        period_ms = periods.room(row.room_id, CLASS, then_ms)
        left_ms = None if period_ms is None else row.keep_from_ms + period_ms - now_ms
        stages = [each for each in BEFORE_DAYS if left_ms is not None and left_ms <= days(each)]
        stage = stages[0] if stages else None
        is_over = (now := periods.room(row.room_id, CLASS, now_ms)) is not None and row.keep_from_ms + now <= now_ms
        if is_over or stage == row.warned_days or (stage is not None and stage > (row.warned_days or stage)):
            continue
        to = (row.user_id, row.email, row.language) if row.user_id is not None else None
        found.append(_Ending(row.id, row.name, row.warned_days, stage, left_ms or 0, to))
    return found


def _announce(conn: Connection, endings: list[_Ending], now_ms: int, language: str | None, url: str) -> int:
    """`language` is that of mails to who chose none; without it none are sent."""
    told = 0
    for each in endings:
        same = recordings.c.id == each.id, recordings.c.warned_days.is_not_distinct_from(each.warned_days)
        if not conn.execute(update(recordings).where(*same).values(warned_days=each.announce_days)).rowcount:
            continue  # it went, or somebody pinned it, in this moment
        notifications.take_back(conn, KIND, each.id)
        if each.announce_days is None or each.to is None:
            continue
        user_id, address, own_language = each.to
        left_days = max(1, -(-each.left_ms // days(1)))
        ends_ms = now_ms + each.left_ms
        notifications.tell(conn, now_ms=now_ms, user_id=user_id, kind=KIND, object_id=each.id, moment_ms=ends_ms)
        if language is not None and notifications.wants_mail(conn, user_id, KIND):
            values = {"name": each.name, "days": str(left_days), "url": f"{url}/{each.id}"}
            mail = queue_statement(
                now_ms=now_ms,
                user_id=user_id,
                to=address,
                template="recording_expiring",
                values=values,
                language=own_language or language,
            )
            conn.execute(mail)
        audit.record_now(conn, now_ms, audit.SYSTEM, "recording.announced", each.id, {"days": left_days})
        told += 1
    return told
