"""Who is put on the list of those invited: single addresses, and everybody in a group. Inside the caller's transaction."""

from typing import Final

from sqlalchemy import Connection

from pymeet.accounts.group_store import people
from pymeet.accounts.groups import own_group
from pymeet.db.schema import invitees
from pymeet.errors import ConflictError, InvalidInputError
from pymeet.ids import new_id
from pymeet.meetings import schedule_store as store
from pymeet.meetings.scheduled import Invitee, Scheduled

MOST_INVITEES: Final = 200
"""Of one meeting."""


def by_address(conn: Connection, meeting: Scheduled, email: str, language: str, now_ms: int) -> Invitee:
    """Somebody by an address as it is stored. InvalidInputError, ConflictError (`already_invited`, `too_many_invitees`).

    Who came to the list by a group is invited once more: a refusal would tell the organiser whose address it is.
    """
    account = store.member_by_email(conn, email)
    user_id = account["id"] if account else None
    if user_id == meeting.organiser_id:
        raise InvalidInputError("Who plans a meeting is in it already, without an invitation.")
    store.free_address(conn, meeting.id, email)
    if store.is_invited(conn, meeting.id, email):
        raise ConflictError("This address is invited already.", code="already_invited")
    _refuse_crowd(conn, meeting, 1)
    return _add(conn, meeting, email, language, now_ms, user_id=user_id)


def by_group(conn: Connection, meeting: Scheduled, group_id: str, language: str, now_ms: int) -> list[Invitee]:
    """Everybody in a group of the organiser's who is not invited yet; `language` is for who chose none.

    NotFoundError for a group in which the organiser is not, ConflictError (`too_many_invitees`).
    """
    own_group(conn, meeting.organiser_id, group_id)
    there = store.invited(conn, invitees.c.meeting_id == meeting.id)
    known = {meeting.organiser_id, *(each.user_id for each in there), *(each.email for each in there)}
    wanted = [each for each in people(conn, group_id) if known.isdisjoint((each["id"], each["email"]))]
    _refuse_crowd(conn, meeting, len(wanted))
    return [
        _add(conn, meeting, each["email"], each["language"] or language, now_ms, user_id=each["id"], by_group=True)
        for each in wanted
    ]


def is_still_invited(conn: Connection, was: Invitee) -> bool:
    """Whether who was taken off the list stands there once more, by a group or by another address."""
    return was.user_id is not None and bool(
        store.invited(conn, (invitees.c.meeting_id == was.meeting_id) & (invitees.c.user_id == was.user_id))
    )


def _refuse_crowd(conn: Connection, meeting: Scheduled, more: int) -> None:
    if len(store.invited(conn, invitees.c.meeting_id == meeting.id)) + more > MOST_INVITEES:
        raise ConflictError(f"A meeting has at most {MOST_INVITEES} people invited.", code="too_many_invitees")


def _add(
    conn: Connection,
    meeting: Scheduled,
    email: str,
    language: str,
    now_ms: int,
    *,
    user_id: str | None,
    by_group: bool = False,
) -> Invitee:
    invitee_id = new_id()
    values = {"user_id": user_id, "email": email, "language": language, "by_group": by_group}
    store.add_invitee(conn, id=invitee_id, meeting_id=meeting.id, answer="none", created_at_ms=now_ms, **values)
    return store.invited(conn, invitees.c.id == invitee_id)[0]
