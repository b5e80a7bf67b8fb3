"""What members want of their calendar: a feed with a secret address, mails, reminders, a personal room.

Calendars cannot sign in, so a feed's address is the secret. It is handed out once and stored as its SHA-256 only.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, or_

from pymeet.accounts.model import User
from pymeet.db import audit
from pymeet.db.outbox import queue_statement
from pymeet.db.schema import invitees, meetings
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.ids import new_secret
from pymeet.meetings import calendar
from pymeet.meetings import schedule_store as store
from pymeet.meetings.calendar import Place
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.visible import visible
from pymeet.retention import days

LONGEST_REMINDER_MIN: Final = 24 * 60

PAGE: Final = "/profile"
"""Where a member makes and ends their feed."""

PAST_MS: Final = days(30)
"""So long after its end a meeting stays in feeds."""


@dataclass(frozen=True)
class Notifications:
    """Which mails about meetings a member wants."""

    mail: bool
    """Invitations, changes and cancellations."""
    reminder_min: int | None
    """How many minutes before a meeting they are reminded; None for never."""


class Feeds:
    """The feeds and wishes of all members."""

    def __init__(self, lifecycle: Lifecycle, place: Place) -> None:
        self._lifecycle = lifecycle
        self._db = lifecycle.db
        self._place = place

    async def made_at_ms(self, user: User) -> int | None:
        """When the member's feed was made; None without one."""
        return await self._db.study(store.feed_at_ms, user.id)

    async def make(self, user: User) -> str:
        """A new secret for the member's feed; the one before is void. A mail tells them, where mail is on."""
        secret = new_secret()

        def put(conn: Connection) -> None:
            now_ms = self._lifecycle.clock.now_ms()
            store.put_feed(conn, user.id, _hash(secret), now_ms)
            audit.record_now(conn, now_ms, user.id, "calendar.feed_made", audit.Person(user.id))
            mail = self._lifecycle.config.mail
            if mail.host is None:
                return
            conn.execute(
                queue_statement(
                    now_ms=now_ms,
                    user_id=user.id,
                    to=user.email,
                    template="feed_made",
                    values={"url": f"{self._place.site}{PAGE}"},
                    language=user.language or mail.language,
                )
            )

        await self._db.work(put)
        self._lifecycle.poke_mail()
        return secret

    async def end(self, user: User) -> None:
        """Voids the secret; no error where there is none."""

        def remove(conn: Connection) -> None:
            if store.feed_at_ms(conn, user.id) is not None:
                store.remove_feed(conn, user.id)
                now_ms = self._lifecycle.clock.now_ms()
                audit.record_now(conn, now_ms, user.id, "calendar.feed_ended", audit.Person(user.id))

        await self._db.work(remove)

    async def read(self, secret: str) -> str:
        """The calendar behind a secret: what its member planned or did not decline. NotFoundError."""

        def look(conn: Connection) -> str:
            user_id = store.feed_owner(conn, _hash(secret))
            if user_id is None:
                raise NotFoundError("There is no such calendar.")
            now_ms = self._lifecycle.clock.now_ms()
            declined = invitees.c.user_id == user_id, invitees.c.answer == "declined"
            without = meetings.c.id.not_in(store.meetings_of(*declined))
            lasting = or_(meetings.c.ends_at_ms.is_(None), meetings.c.ends_at_ms > now_ms - PAST_MS)
            shown = visible(meetings, self._lifecycle.periods, now_ms)
            return calendar.feed(
                store.scheduled(conn, and_(store.concerns(user_id), without, lasting, shown)), self._place
            )

        return await self._db.study(look)

    async def notifications(self, user: User) -> Notifications:
        """What the member wants."""
        return Notifications(*await self._db.study(store.settings, user.id))

    async def want(self, user: User, wanted: Notifications) -> None:
        """Changes it. InvalidInputError for a reminder more than a day before."""
        if wanted.reminder_min is not None and not 0 < wanted.reminder_min <= LONGEST_REMINDER_MIN:
            raise InvalidInputError("A reminder comes 1 to 1440 minutes before the meeting, or never.")

        def put(conn: Connection) -> None:
            store.put_settings(conn, user.id, mail=wanted.mail, reminder_min=wanted.reminder_min)

        await self._db.work(put)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
