"""The SQL of taking one person out of one recording. Every function works inside its caller's transaction."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, func, or_, select

from pymeet.db import audit
from pymeet.db.inventory import KEY
from pymeet.db.schema import consents as consents_table
from pymeet.db.schema import film_people, films, recording_events, recording_people, recording_tracks
from pymeet.errors import ConflictError, NotFoundError
from pymeet.privacy import consents
from pymeet.privacy.holds import kept
from pymeet.privacy.people import DataSubject, guest, member
from pymeet.privacy.rows import delete_these, make_again, rowids_of

BATCH = 200
"""Rows in one transaction: some ten milliseconds."""


@dataclass(frozen=True)
class Content:
    """What of somebody is in a recording."""

    tracks: int
    size_bytes: int
    events: int
    """Entries of the timeline, without messages."""
    messages: int
    films: int
    """Films that show them."""


def person_of(conn: Connection, recording_id: str, person_id: str) -> DataSubject:
    """Whose seat it is. NotFoundError when nobody of that id is in the recording, or no longer."""
    here = recording_people.c.id == person_id, recording_people.c.recording_id == recording_id
    row = conn.execute(select(recording_people).where(*here)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("That person is not in this recording, or no longer.")
    return guest(row["participant_id"]) if row["user_id"] is None else member(row["user_id"])


def seats_of(conn: Connection, recording_id: str, person: DataSubject) -> list[str]:
    """The person's rows in the recording; none when they are not in it."""
    whose = recording_people.c.participant_id if person.user_id is None else recording_people.c.user_id
    query = select(recording_people.c.id).where(recording_people.c.recording_id == recording_id, whose == person.id)
    return list(conn.execute(query).scalars())


def refuse_held(conn: Connection, person_id: str) -> None:
    """ConflictError (`held`) where a legal hold keeps the person in the recording."""
    query = select(recording_people.c.id).where(recording_people.c.id == person_id, kept(recording_people))
    if conn.execute(query).first() is not None:
        raise ConflictError(
            "A legal hold keeps this recording, or somebody in it, as it is. Nothing was taken out.\n"
            "It can be done once the hold is released.",
            code="held",
        )


def content_of(conn: Connection, person_id: str) -> Content:
    """What would go."""
    size = func.coalesce(func.sum(recording_tracks.c.size_bytes), 0)
    tracks, size_bytes = conn.execute(select(func.count(), size).where(recording_tracks.c.person_id == person_id)).one()
    is_message = recording_events.c.kind == "message"
    counted = select(func.count().filter(~is_message), func.count().filter(is_message))
    events, messages = conn.execute(counted.where(recording_events.c.person_id == person_id)).one()
    shown = conn.execute(select(func.count()).where(film_people.c.person_id == person_id)).scalar_one()
    return Content(tracks, size_bytes, events, messages, shown)


def withdraw(conn: Connection, person: DataSubject, recording_id: str, actor: str, now_ms: int) -> None:
    """Ends the consent to the recording for good, where that is not written down yet; the method says who did.

    Who said no in the meeting only ended what was taken from then on: that they want it all destroyed is a decision of its own.
    """
    before = consents.latest(conn, person, "recording", recording_id)
    if before is None or consents.ended_for_good(conn, person, "recording", recording_id):
        return
    method = "receipt" if actor == audit.GUEST else "settings" if actor == person.user_id else "operator"
    ended = consents.record(
        conn,
        person,
        "recording",
        recording_id,
        "withdrawn",
        method=method,
        notice_version=before.notice_version,
        language=before.language,
        now_ms=now_ms,
    )
    audit.record_now(conn, now_ms, actor, "consent.withdrawn", ended.id, {"purpose": "recording"})


def unfinished(conn: Connection) -> list[tuple[str, str]]:
    """Recordings and seats of those who withdrew for good and are still in them: a hold kept them that is over, or the
    server died meanwhile."""
    people, ended, later = recording_people, consents_table, consents_table.alias()
    same_person = or_(
        people.c.user_id == ended.c.user_id,
        and_(people.c.user_id.is_(None), people.c.participant_id == ended.c.participant_id),
    )
    given_again = exists(
        select(later.c.id).where(
            later.c.purpose == ended.c.purpose,
            later.c.object_id == ended.c.object_id,
            later.c.user_id.is_not_distinct_from(ended.c.user_id),
            later.c.participant_id.is_not_distinct_from(ended.c.participant_id),
            later.c.decision == "given",
            later.c.at_ms > ended.c.at_ms,
        )
    )
    query = (
        select(people.c.recording_id, people.c.id)
        .distinct()
        .join(ended, and_(ended.c.object_id == people.c.recording_id, same_person))
        .where(ended.c.purpose == "recording", ended.c.decision == "withdrawn")
        .where(ended.c.method.not_in(consents.IN_MEETING), ~given_again.correlate(ended), ~kept(people))
    )
    return [(recording_id, person_id) for recording_id, person_id in conn.execute(query)]


def drop_films(conn: Connection, person_id: str, now_ms: int) -> int:
    """Ends the films that show the person; each is asked for again. How many."""
    refuse_held(conn, person_id)
    theirs = films.c.id.in_(select(film_people.c.film_id).where(film_people.c.person_id == person_id))
    make_again(conn, films.info[KEY], theirs)
    return delete_these(conn, films, rowids_of(conn, films, theirs), now_ms).get(films.name, 0)


def drop_some(conn: Connection, table: Table, person_id: str, now_ms: int) -> int:
    """Ends some of the person's tracks or events; how many, zero when none is left."""
    refuse_held(conn, person_id)
    return delete_these(conn, table, rowids_of(conn, table, _theirs(table, person_id))[:BATCH], now_ms).get(
        table.name, 0
    )


def drop_person(conn: Connection, recording_id: str, person_id: str, actor: str, found: Content, now_ms: int) -> None:
    """Ends the person's row with what may have come meanwhile, and says so in the audit log; without their id."""
    refuse_held(conn, person_id)
    here = and_(recording_people.c.id == person_id, recording_people.c.recording_id == recording_id)
    if delete_these(conn, recording_people, rowids_of(conn, recording_people, here), now_ms):
        detail: audit.Detail = {"tracks": found.tracks, "events": found.events + found.messages, "films": found.films}
        audit.record_now(conn, now_ms, actor, "recording.person_removed", recording_id, detail)


def _theirs(table: Table, person_id: str) -> ColumnElement[bool]:
    return table.c.person_id == person_id
