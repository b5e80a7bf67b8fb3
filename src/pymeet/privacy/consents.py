"""Records of consent: for each person, purpose and object a timeline of what they decided, and after reading which text.

No answer means not agreed. A decision is never changed, another one follows it. The functions work inside the caller's
transaction: consent to something stands in the same transaction as what it allows.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, insert, select, update

from pymeet.db.schema import consents, notices, recordings
from pymeet.db.schema.privacy import CONSENT_METHODS, CONSENT_PURPOSES
from pymeet.errors import ConflictError, InvalidInputError, NotFoundError
from pymeet.ids import new_id
from pymeet.privacy.people import DataSubject, guest, member

NOTICE: Final = "privacy_notice"
"""The one purpose that asks for no consent: the notice is acknowledged."""

IN_MEETING: Final = ("joining", "dialog")
"""The methods of who answers in a meeting, or at its door: what was taken up before a no stays, until they have it destroyed."""

UNTIL_ENDED_MS: Final = 253_402_300_799_999
"""`keep_from_ms` while that exists for which the decision was made: the last millisecond of the year 9999."""

_THINGS: Final = {"recording": recordings.c.id}
"""Where that stands for which a consent was asked, by purpose."""

_OBJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Consent:
    """One decision. Times are UTC milliseconds; words are those of `db.schema.privacy`."""

    id: str
    person: DataSubject | None
    """None once the person was erased."""
    purpose: str
    object_id: str | None
    """What it was for, such as one recording; None for the privacy notice."""
    decision: str
    method: str
    notice_version: int
    notice_hash: str
    """SHA-256, hexadecimal, of the notice's text in `language`."""
    language: str
    at_ms: int
    keep_from_ms: int
    """From when on the period of retention runs."""


def record(
    conn: Connection,
    person: DataSubject,
    purpose: str,
    object_id: str | None,
    decision: str,
    *,
    method: str,
    notice_version: int,
    language: str,
    now_ms: int,
) -> Consent:
    """Adds a decision to a timeline. InvalidInputError; NotFoundError for a notice that was not published.

    Its time is later than that of every earlier decision in the timeline, also where the clock was put back in between:
    a consent that was withdrawn must not come back by a clock.
    """
    _check(purpose, object_id, decision, method)
    if language not in (said := _texts(conn, notice_version)):
        raise NotFoundError("The privacy notice was not published in this language.")
    last_ms = conn.execute(select(func.max(consents.c.at_ms)).where(_timeline_of(person, purpose, object_id))).scalar()
    at_ms = now_ms if last_ms is None else max(now_ms, last_ms + 1)
    consent = Consent(
        id=new_id(),
        person=person,
        purpose=purpose,
        object_id=object_id,
        decision=decision,
        method=method,
        notice_version=notice_version,
        notice_hash=hashlib.sha256(said[language].encode()).hexdigest(),
        language=language,
        at_ms=at_ms,
        keep_from_ms=at_ms if object_id is None or _has_ended(conn, object_id) else UNTIL_ENDED_MS,
    )
    values = {each.name: getattr(consent, each.name) for each in fields(Consent) if each.name != "person"}
    conn.execute(insert(consents).values(**values, user_id=person.user_id, participant_id=person.participant_id))
    return consent


def withdraw(
    conn: Connection, person: DataSubject, purpose: str, object_id: str, *, method: str, now_ms: int
) -> Consent:
    """Takes a consent back (Article 7(3)), with the text by which it was given. ConflictError where none is in force."""
    before = latest(conn, person, purpose, object_id)
    if before is None or before.decision != "given":
        raise ConflictError("There is no consent that could be withdrawn.", code="no_consent")
    return record(
        conn,
        person,
        purpose,
        object_id,
        "withdrawn",
        method=method,
        notice_version=before.notice_version,
        language=before.language,
        now_ms=now_ms,
    )


def state(conn: Connection, person: DataSubject, purpose: str, object_id: str | None) -> str | None:
    """The latest decision. None where there was no answer, which is no consent."""
    found = latest(conn, person, purpose, object_id)
    return found.decision if found else None


def latest(conn: Connection, person: DataSubject, purpose: str, object_id: str | None) -> Consent | None:
    """The latest decision with all that is known of it. None where there was no answer, which is no consent."""
    found = _read(conn, select(consents).where(_timeline_of(person, purpose, object_id)))
    return found[-1] if found else None


def ended_for_good(conn: Connection, person: DataSubject, purpose: str, object_id: str) -> bool:
    """Whether they took a consent back and want destroyed what it brought, and did not give it again since."""
    decided = list(_read(conn, select(consents).where(_timeline_of(person, purpose, object_id))))
    while decided and decided[-1].decision != "given":
        last = decided.pop()
        if last.decision == "withdrawn" and last.method not in IN_MEETING:
            return True
    return False


def timeline(conn: Connection, person: DataSubject) -> Sequence[Consent]:
    """Everything that a person decided, oldest first."""
    return _read(conn, select(consents).where(_of(person)))


def of_object(conn: Connection, object_id: str) -> Sequence[Consent]:
    """What everybody decided about one thing, oldest first."""
    return _read(conn, select(consents).where(consents.c.object_id == object_id))


def one(conn: Connection, consent_id: str, person: DataSubject | None = None) -> Consent:
    """One decision; with `person` only when it is theirs. NotFoundError."""
    query = select(consents).where(consents.c.id == consent_id)
    found = _read(conn, query.where(_of(person)) if person else query)
    if not found:
        raise NotFoundError("There is no such record of consent.")
    return found[0]


def same_timeline(conn: Connection, consent: Consent) -> Sequence[Consent]:
    """The decisions of the same person about the same thing, oldest first; of somebody erased only this one."""
    if consent.person is None:
        return [consent]
    whose = _timeline_of(consent.person, consent.purpose, consent.object_id)
    return _read(conn, select(consents).where(whose))


def ended(conn: Connection, object_id: str, at_ms: int) -> int:
    """What the decisions were for is gone: their period of retention begins. How many decisions there are."""
    waiting = (consents.c.object_id == object_id, consents.c.keep_from_ms == UNTIL_ENDED_MS)
    return conn.execute(update(consents).where(*waiting).values(keep_from_ms=at_ms)).rowcount


def end_of_gone(conn: Connection, now_ms: int) -> int:
    """The same for everything that has gone, by whatever way; how many decisions there are."""
    count = 0
    for purpose, things in _THINGS.items():
        waiting = (consents.c.purpose == purpose, consents.c.keep_from_ms == UNTIL_ENDED_MS)
        gone = consents.c.object_id.not_in(select(things))
        count += conn.execute(update(consents).where(*waiting, gone).values(keep_from_ms=now_ms)).rowcount
    return count


def _check(purpose: str, object_id: str | None, decision: str, method: str) -> None:
    if purpose not in CONSENT_PURPOSES or method not in CONSENT_METHODS:
        raise InvalidInputError("There is no such purpose, or no such way to decide.")
    possible = ("acknowledged",) if purpose == NOTICE else ("given", "refused", "withdrawn")
    if decision not in possible:
        raise InvalidInputError(f"This purpose knows the decisions {', '.join(possible)} only.")
    if (object_id is None) != (purpose == NOTICE) or (object_id and not _OBJECT.fullmatch(object_id)):
        raise InvalidInputError("A consent names by its id what it is for; the privacy notice names nothing.")


def _texts(conn: Connection, version: int) -> dict[str, str]:
    text = conn.execute(select(notices.c.text).where(notices.c.version == version)).scalar_one_or_none()
    if text is None:
        raise NotFoundError("There is no such version of the privacy notice.")
    found: dict[str, str] = json.loads(text)["texts"]
    return found


def _has_ended(conn: Connection, object_id: str) -> bool:
    over = (consents.c.object_id == object_id, consents.c.keep_from_ms < UNTIL_ENDED_MS)
    return conn.execute(select(consents.c.id).where(*over).limit(1)).first() is not None


def _of(person: DataSubject) -> ColumnElement[bool]:
    return consents.c.user_id == person.user_id if person.user_id else consents.c.participant_id == person.id


def _timeline_of(person: DataSubject, purpose: str, object_id: str | None) -> ColumnElement[bool]:
    return _of(person) & (consents.c.purpose == purpose) & consents.c.object_id.is_not_distinct_from(object_id)


def _read(conn: Connection, query: Select[tuple[object, ...]]) -> Sequence[Consent]:
    # Inside a timeline no two times are equal; across them the rest makes the order the same every time.
    order = (consents.c.at_ms, consents.c.purpose, consents.c.object_id, consents.c.id)
    return [_consent(row) for row in conn.execute(query.order_by(*order)).mappings()]


def _consent(row: RowMapping) -> Consent:
    values = dict(row)
    user_id, participant_id = values.pop("user_id"), values.pop("participant_id")
    person = member(user_id) if user_id else guest(participant_id) if participant_id else None
    return Consent(person=person, **values)
