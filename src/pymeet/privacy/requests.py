"""The register of requests: opening, extending and deciding them, and reminding whoever must answer.

It keeps every sort of request. An erasure is opened and listed here, but carried out, step by step, by `erasure`.
"""

from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import Connection, or_, select, update

from pymeet.config import Config
from pymeet.db import audit
from pymeet.db.schema import requests, users
from pymeet.db.schema.privacy import DECISIONS, EXTENSIONS
from pymeet.errors import ConflictError
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject
from pymeet.privacy.request_mail import MY_DATA_PAGE, REQUESTS_PAGE, queue, tell_decided
from pymeet.privacy.request_rows import (
    OPEN,
    WHICH,
    Request,
    Step,
    check_word,
    day_of,
    due_ms,
    get_now,
    listed,
    of_person,
    open_now,
    request_of,
    step_now,
    timeline_of,
)
from pymeet.retention import days

__all__ = ["REMIND_BEFORE_MS", "Request", "Requests", "Step"]

log = structlog.get_logger(__name__)

DAY_MS: Final = days(1)

REMIND_BEFORE_MS: Final = (days(7), days(2))
"""How long before the due time somebody is reminded; from then on it is every day."""

_CLOSES_AS = {
    "granted": "done",
    "granted_in_part": "done",
    "nothing_held": "done",
    "not_identified": "refused",
    "unfounded": "refused",
    "legal_duty": "refused",
    "withdrawn": "cancelled",
}
_NOT_BEGUN = ("requested", "verified")


class Requests:
    """The register. `site` is the address people open, for links in mails; without it the configured one."""

    def __init__(self, lifecycle: Lifecycle, *, site: str | None = None) -> None:
        self._lifecycle = lifecycle
        self._db = lifecycle.db
        self._clock = lifecycle.clock
        self._site = site or _configured_site(lifecycle.config)

    async def open(
        self,
        right: str,
        person: DataSubject | None,
        origin: str,
        actor: str,
        received_at_ms: int | None = None,
        *,
        verified: bool = False,
        tell: bool = True,
    ) -> Request:
        """Enters a request; `verified` where it is certain who asks. InvalidInputError, NotFoundError.

        With `tell`, a member who asked gets a mail that names the due day, where mail is on.
        """
        opened = await self._db.work(self._open, right, person, origin, actor, received_at_ms, verified, tell)
        self._lifecycle.poke_mail()
        return opened

    async def get(self, request_id: str) -> Request:
        """One request. NotFoundError."""
        return await self._db.study(get_now, request_id)

    async def list(self, which: str = OPEN) -> Sequence[Request]:
        """The requests that are meant, one of `WHICH`: what is due first comes first. InvalidInputError."""
        check_word(which, WHICH, "choice")
        now_ms = self._clock.now_ms()
        cutoff_ms = self._lifecycle.periods.cutoff_ms("request", now_ms)
        return await self._db.study(listed, which, now_ms, cutoff_ms)

    async def of(self, person: DataSubject) -> Sequence[Request]:
        """What one person asked for, the newest first."""
        cutoff_ms = self._lifecycle.periods.cutoff_ms("request", self._clock.now_ms())
        return await self._db.study(of_person, person, cutoff_ms)

    async def timeline(self, request_id: str) -> Sequence[Step]:
        """What happened to a request, oldest first. NotFoundError."""
        return await self._db.study(timeline_of, request_id)

    async def verify(self, request_id: str, actor: str) -> Request:
        """It is certain now who asks. ConflictError unless it has just come in."""
        return await self._db.work(self._verify, request_id, actor)

    async def extend(self, request_id: str, reason: str, actor: str = audit.OPERATOR) -> Request:
        """Puts the due time off by two months (60 days), once, for one of `EXTENSIONS`. ConflictError afterwards.

        The person must be told, with the reason, before the time that was due until now (Article 12(3)).
        """
        return await self._db.work(self._extend, request_id, reason, actor)

    async def decide(self, request_id: str, decision: str, actor: str) -> Request:
        """Closes a request with one of `DECISIONS`. ConflictError when it is closed, or an erasure that is under way.

        A member who asked is told, unless they closed it themselves, also by mail where they want that.
        """
        decided = await self._db.work(self._decide, request_id, decision, actor)
        self._lifecycle.poke_mail()
        return decided

    async def remind_due(self, now_ms: int) -> int:
        """Reminds administrators and data protection officers of what is due soon, or late; how many requests that are.

        Each is reminded of once per step (`REMIND_BEFORE_MS`, then daily), by mail where mail is on, always in the log.
        """
        reminded = 0
        for each in await self._db.study(_to_remind_of, now_ms):
            if not await self._db.work(self._remind, each.id, now_ms):
                continue
            reminded += 1
            say = log.warning if each.overdue(now_ms) else log.info
            say("a request waits for its answer", request=each.id, days_left=each.days_left(now_ms))
        if reminded:
            self._lifecycle.poke_mail()
        return reminded

    def _open(
        self,
        conn: Connection,
        right: str,
        person: DataSubject | None,
        origin: str,
        actor: str,
        received_at_ms: int | None,
        verified: bool,
        tell: bool,
    ) -> Request:
        now_ms = self._clock.now_ms()
        opened = open_now(conn, right, person, origin, actor, now_ms, received_at_ms, verified=verified)
        if tell and person and person.user_id:
            values = {"due_date": _due_date(opened), "url": f"{self._site}{MY_DATA_PAGE}"}
            to = users.c.id == person.user_id
            queue(conn, self._lifecycle.config, "request_received", opened, values, to, now_ms)
        return opened

    def _verify(self, conn: Connection, request_id: str, actor: str) -> Request:
        found = get_now(conn, request_id)
        if found.state != "requested":
            raise ConflictError("Only a request that has just come in can be verified.")
        return step_now(conn, request_id, "verified", actor, self._clock.now_ms())

    def _extend(self, conn: Connection, request_id: str, reason: str, actor: str) -> Request:
        check_word(reason, EXTENSIONS, "reason")
        found, now_ms = get_now(conn, request_id), self._clock.now_ms()
        if not found.open:
            raise _closed()
        if found.extended_at_ms is not None:
            raise ConflictError("This request was extended before. It can be extended once.")
        if found.overdue(now_ms):
            raise ConflictError("It is too late to extend this request: it was due already. Answer it now.")
        due_at_ms = min(found.due_at_ms + days(60), due_ms(found.received_at_ms, months=3))
        change = {"due_at_ms": due_at_ms, "extended_at_ms": now_ms, "extension_reason": reason}
        conn.execute(update(requests).where(requests.c.id == request_id).values(change))
        audit.record_now(conn, now_ms, actor, "request.extended", request_id, {"reason": reason})
        return get_now(conn, request_id)

    def _decide(self, conn: Connection, request_id: str, decision: str, actor: str) -> Request:
        check_word(decision, DECISIONS, "decision")
        found = get_now(conn, request_id)
        if not found.open:
            raise _closed()
        if found.right == "erasure" and (decision.startswith("granted") or found.state not in _NOT_BEGUN):
            raise ConflictError(
                "An erasure is granted by carrying it out, and stopped by cancelling it; the register follows by itself.",
                code="erasure_decides_itself",
            )
        now_ms = self._clock.now_ms()
        tell_decided(conn, self._lifecycle.config, found, decision, actor, now_ms, site=self._site)
        return step_now(conn, request_id, _CLOSES_AS[decision], actor, now_ms, decision=decision)

    def _remind(self, conn: Connection, request_id: str, now_ms: int) -> bool:
        found = get_now(conn, request_id)
        if not _needs_reminder(found, now_ms):
            return False
        conn.execute(update(requests).where(requests.c.id == request_id).values(reminded_at_ms=now_ms))
        left = found.days_left(now_ms)
        audit.record_now(conn, now_ms, audit.SYSTEM, "request.reminded", request_id, {"days_left": left})
        values = {"due_date": _due_date(found), "days_left": str(left), "url": f"{self._site}{REQUESTS_PAGE}"}
        answering = or_(users.c.is_admin, users.c.is_dpo)
        queue(conn, self._lifecycle.config, "request_reminder", found, values, answering, now_ms)
        return True


def _due_date(request: Request) -> str:
    return day_of(request.due_at_ms).isoformat()


def _to_remind_of(conn: Connection, now_ms: int) -> Sequence[Request]:
    soon = requests.c.due_at_ms <= now_ms + max(REMIND_BEFORE_MS)
    rows = conn.execute(select(requests).where(requests.c.closed_at_ms.is_(None), soon)).mappings()
    return [found for row in rows if _needs_reminder(found := request_of(row), now_ms)]


def _needs_reminder(request: Request, now_ms: int) -> bool:
    """Whether a step towards the due time, or a day after it, has passed since the last reminder."""
    if not request.open or request.state == "partial":
        return False  # what a hold keeps of somebody erased waits for the hold, which has a date of its own
    late_ms = now_ms - request.due_at_ms
    if late_ms >= 0:
        step_ms = now_ms - late_ms % DAY_MS
    else:
        passed = [request.due_at_ms - before for before in REMIND_BEFORE_MS if -late_ms <= before]
        if not passed:
            return False
        step_ms = max(passed)
    return request.reminded_at_ms is None or request.reminded_at_ms < step_ms


def _closed() -> ConflictError:
    return ConflictError("This request is closed.", code="request_closed")


def _configured_site(config: Config) -> str:
    scheme = "http" if config.http.tls.mode == "off" else "https"
    return config.http.public_url or f"{scheme}://{config.http.host}:{config.http.port}"
