"""Answers to invitations: by the link in the mail, or signed in. Times are UTC milliseconds."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_

from pymeet.accounts.model import User
from pymeet.db import notifications
from pymeet.db.schema import invitees, meetings
from pymeet.db.schema.schedule import ANSWERS
from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.meetings import schedule_store as store
from pymeet.meetings.invitations import Letters, coming
from pymeet.meetings.recurrence import Occurrence
from pymeet.meetings.scheduled import Scheduled
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.visible import visible


@dataclass(frozen=True)
class Invitation:
    """What somebody invited may know."""

    meeting: Scheduled
    next: Occurrence | None
    answer: str


class Answers:
    """Who comes, and who does not."""

    def __init__(self, lifecycle: Lifecycle, letters: Letters) -> None:
        self._lifecycle = lifecycle
        self._letters = letters

    async def inspect(self, token: str) -> Invitation:
        """The invitation that a token belongs to. NotFoundError for one that is not ours, or not good any more."""
        return await self._lifecycle.db.study(self._invitation, self._invitee(token))

    async def by_token(self, token: str, answer: str) -> Invitation:
        """Answers. InvalidInputError for another word than `accepted`, `tentative` or `declined`; NotFoundError."""
        return await self._lifecycle.db.work(self._answer, self._invitee(token), _checked(answer))

    async def as_member(self, user: User, meeting_id: str, answer: str) -> Invitation:
        """Answers as the member who is invited. InvalidInputError, NotFoundError."""
        word = _checked(answer)

        def put(conn: Connection) -> Invitation:
            mine = and_(invitees.c.meeting_id == meeting_id, invitees.c.user_id == user.id)
            found = store.invited(conn, mine)
            if not found:
                raise _not_invited()
            return self._answer(conn, found[0].id, word)

        return await self._lifecycle.db.work(put)

    def _invitee(self, token: str) -> str:
        invitee_id = self._letters.invitee_of(token)
        if invitee_id is None:
            raise _not_invited()
        return invitee_id

    def _answer(self, conn: Connection, invitee_id: str, word: str) -> Invitation:
        before, now_ms = self._invitation(conn, invitee_id), self._lifecycle.clock.now_ms()
        store.answer(conn, invitee_id, word, now_ms)
        if word != before.answer:
            organiser_id = before.meeting.organiser_id
            notifications.tell(conn, now_ms=now_ms, user_id=organiser_id, kind="meeting_answered", object_id=invitee_id)
        return self._invitation(conn, invitee_id)

    def _invitation(self, conn: Connection, invitee_id: str) -> Invitation:
        now_ms = self._lifecycle.clock.now_ms()
        found = store.invited(conn, invitees.c.id == invitee_id)
        if not found:
            raise _not_invited()
        shown = visible(meetings, self._lifecycle.periods, now_ms)
        here = store.scheduled(conn, and_(meetings.c.id == found[0].meeting_id, shown))
        if not here:
            raise _not_invited()
        return Invitation(here[0], coming(here[0], now_ms), found[0].answer)


def _checked(answer: str) -> str:
    if answer not in ANSWERS[1:]:
        raise InvalidInputError(f"An answer is one of: {', '.join(ANSWERS[1:])}.")
    return answer


def _not_invited() -> NotFoundError:
    return NotFoundError("This invitation is not good any more. Ask whoever invited you.")
