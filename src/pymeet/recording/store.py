"""The SQL of recordings under way and of their recovery. Every function takes the connection of its caller's transaction.

Times are UTC milliseconds, or, where they end in `_at`, milliseconds of the recording.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from pymeet.config import RecordingConfig
from pymeet.db import audit
from pymeet.db.schema import (
    films,
    recording_events,
    recording_people,
    recording_tracks,
    recordings,
    rooms,
)
from pymeet.errors import ConflictError, NotFoundError
from pymeet.ids import new_id
from pymeet.privacy import consents, limits, notices
from pymeet.privacy.holds import kept
from pymeet.privacy.people import DataSubject
from pymeet.privacy.rows import delete_rows
from pymeet.recording.film_store import tell_ready
from pymeet.recording.timeline import Entry

PURPOSE = "recording"

_LANGUAGE = "en"
"""Of the notice, for who asked for one that there is not."""


def begin(
    conn: Connection, recording_id: str, room_id: str, name: str, owner_id: str | None, with_chat: bool, now_ms: int
) -> None:
    """Writes down that a recording has begun. NotFoundError when the room is gone."""
    if conn.execute(select(rooms.c.id).where(rooms.c.id == room_id, rooms.c.deleted_at_ms.is_(None))).first() is None:
        raise NotFoundError("There is no such room.")
    conn.execute(
        insert(recordings).values(
            id=recording_id,
            room_id=room_id,
            name=name,
            owner_id=owner_id,
            with_chat=with_chat,
            started_at_ms=now_ms,
        )
    )
    audit.record_now(conn, now_ms, owner_id or audit.GUEST, "recording.started", recording_id, {"chat": with_chat})


def agreed(
    conn: Connection,
    recording_id: str,
    participant_id: str,
    person: DataSubject,
    name: str,
    method: str,
    language: str,
    now_ms: int,
) -> str:
    """Writes down that somebody agreed, and their seat as one of the recording; the person's id.

    ConflictError when the recording is over or gone, or they are about to be erased, or out of this recording: what is
    begun meanwhile would be destroyed as well.
    """
    running = (recordings.c.id == recording_id, recordings.c.ended_at_ms.is_(None))
    if conn.execute(select(recordings.c.id).where(*running)).first() is None:
        raise ConflictError("That recording is over.")
    # Here, where nothing can come between: after this, an erasure finds what is written here.
    if any(each.cause == limits.ERASURE for each in limits.in_force(conn, person)):
        raise ConflictError("Your data here is being erased, so you cannot be recorded.")
    if _is_leaving(conn, recording_id, person):
        raise ConflictError("What was recorded of you before is to be destroyed first.", code="being_destroyed")
    # With a second seat, a member's consent is in force already; it covers all of theirs.
    if consents.state(conn, person, PURPOSE, recording_id) != "given":
        _decide(conn, recording_id, person, "given", method, language, now_ms)
    seat = (recording_people.c.recording_id == recording_id, recording_people.c.participant_id == participant_id)
    found = conn.execute(select(recording_people.c.id).where(*seat)).scalar()
    if found is not None:
        return str(found)
    made = new_id()
    conn.execute(
        insert(recording_people).values(
            id=made, recording_id=recording_id, participant_id=participant_id, user_id=person.user_id, name=name
        )
    )
    return made


def _is_leaving(conn: Connection, recording_id: str, person: DataSubject) -> bool:
    whose = recording_people.c.participant_id if person.user_id is None else recording_people.c.user_id
    seats = select(recording_people.c.id).where(recording_people.c.recording_id == recording_id, whose == person.id)
    return conn.execute(seats).first() is not None and consents.ended_for_good(conn, person, PURPOSE, recording_id)


def refused(
    conn: Connection,
    recording_id: str,
    person: DataSubject,
    method: str,
    language: str,
    now_ms: int,
    *,
    withdrawn: bool,
) -> None:
    """Writes down that somebody does not agree, or no longer. What is written already is not written twice."""
    before = consents.state(conn, person, PURPOSE, recording_id)
    if before == "given":
        # Whoever had agreed takes that back, whatever they were asked.
        consents.withdraw(conn, person, PURPOSE, recording_id, method=method, now_ms=now_ms)
    elif before is None or not withdrawn:
        _decide(conn, recording_id, person, "refused", method, language, now_ms)


def _decide(
    conn: Connection, recording_id: str, person: DataSubject, decision: str, method: str, language: str, now_ms: int
) -> None:
    notice = notices.newest_now(conn)
    if notice is None:
        raise NotFoundError("No privacy notice was published yet.")
    consents.record(
        conn,
        person,
        PURPOSE,
        recording_id,
        decision,
        method=method,
        notice_version=notice.version,
        language=language if language in notice.texts else _LANGUAGE,
        now_ms=now_ms,
    )


def add_track(
    conn: Connection,
    track_id: str,
    recording_id: str,
    person_id: str,
    source: str,
    codec: str,
    file_id: str,
    begins_at: int,
) -> bool:
    """Writes down that a track is about to be written; False when its person is gone from the recording."""
    if conn.execute(select(recording_people.c.id).where(recording_people.c.id == person_id)).first() is None:
        return False
    conn.execute(
        insert(recording_tracks).values(
            id=track_id,
            recording_id=recording_id,
            person_id=person_id,
            source=source,
            codec=codec,
            file_id=file_id,
            state="writing",
            begins_at=begins_at,
        )
    )
    return True


def track_begun(conn: Connection, track_id: str, begins_at: int) -> None:
    """When its first frame was, which is later than when it was opened."""
    conn.execute(update(recording_tracks).where(recording_tracks.c.id == track_id).values(begins_at=begins_at))


def end_track(
    conn: Connection,
    track_id: str,
    state: str,
    begins_at: int | None,
    duration_ms: int,
    size_bytes: int,
    lost_frames: int | None = None,
) -> None:
    """A track is complete: `whole`, `repaired` or `lost`. None leaves as it is what was written before."""
    values: dict[str, int | str] = {"state": state, "duration_ms": duration_ms, "size_bytes": size_bytes}
    if begins_at is not None:
        values["begins_at"] = begins_at
    if lost_frames is not None:
        values["lost_frames"] = lost_frames
    conn.execute(update(recording_tracks).where(recording_tracks.c.id == track_id).values(values))


def drop_track(conn: Connection, track_id: str) -> None:
    """A track of which nothing ever came; there is no file."""
    conn.execute(delete(recording_tracks).where(recording_tracks.c.id == track_id))


def save_entries(
    conn: Connection, recording_id: str, entries: Sequence[Entry], known: Mapping[int, int]
) -> dict[int, int]:
    """Writes the timeline on; `known` tells the rows of entries written before. The rows of those that are new.

    Entries of people who were taken out of the recording meanwhile are left out.
    """
    mine = recording_people.c.recording_id == recording_id
    people = set(conn.execute(select(recording_people.c.id).where(mine)).scalars())
    added = {}
    for entry in entries:
        if entry.number in known:
            # theirs still: they may have been taken out, and the number given to somebody else's row
            row = (recording_events.c.id == known[entry.number], recording_events.c.person_id == entry.person_id)
            conn.execute(update(recording_events).where(*row).values(ends_at=entry.ends_at))
        elif entry.person_id in people:
            values = {
                "recording_id": recording_id,
                "person_id": entry.person_id,
                "kind": entry.kind,
                "begins_at": entry.begins_at,
                "ends_at": entry.ends_at,
                "text": entry.text,
            }
            row_id = conn.execute(insert(recording_events).values(values).returning(recording_events.c.id)).scalar_one()
            added[entry.number] = row_id
    return added


def end(conn: Connection, recording_id: str, ended_at_ms: int, reason: str, now_ms: int) -> bool:
    """The recording is over: from now on its time of retention runs. False when it was over already, or is gone."""
    running = (recordings.c.id == recording_id, recordings.c.ended_at_ms.is_(None))
    values = {"ended_at_ms": ended_at_ms, "end_reason": reason, "keep_from_ms": ended_at_ms}
    if conn.execute(update(recordings).where(*running).values(values)).rowcount == 0:
        return False
    detail: dict[str, str | int | bool | None] = {
        "reason": reason,
        "people": _count(conn, recording_people, recording_id),
        "tracks": _count(conn, recording_tracks, recording_id),
    }
    audit.record_now(conn, now_ms, audit.SYSTEM, "recording.ended", recording_id, detail)
    return True


def remove_empty(conn: Connection, recording_id: str, now_ms: int) -> bool:
    """Deletes a recording that is over and in which nothing is: no track, nothing written, nothing marked. False where
    that is not so, or a hold keeps it."""
    here = select(recordings.c.id).where(recordings.c.id == recording_id, recordings.c.ended_at_ms.is_not(None))
    if conn.execute(here.where(~kept(recordings))).first() is None:
        return False
    events = recording_events.c
    happened = select(events.id).where(events.recording_id == recording_id, events.kind != "present")
    if _count(conn, recording_tracks, recording_id) or conn.execute(happened.limit(1)).first() is not None:
        return False
    delete_rows(conn, recordings, recordings.c.id == recording_id, now_ms)
    audit.record_now(conn, now_ms, audit.SYSTEM, "recording.deleted", recording_id, {"cause": "empty"})
    return True


def queue_film(conn: Connection, recording_id: str, config: RecordingConfig, now_ms: int) -> bool:
    """Asks for the film that is made of every recording by itself: once it is over, none of its tracks is still being
    written, and there is something to show. False where that is not so, or the configuration wants none."""
    over = select(recordings.c.id).where(recordings.c.id == recording_id, recordings.c.ended_at_ms.is_not(None))
    tracks = select(recording_tracks.c.state).where(recording_tracks.c.recording_id == recording_id)
    states = set(conn.execute(tracks).scalars())
    complete = conn.execute(over).first() is not None and "writing" not in states
    if not complete or not states - {"lost"} or _count(conn, films, recording_id):
        return False
    if config.film == "off":
        tell_ready(conn, recording_id, now_ms)
        return False
    conn.execute(
        insert(films).values(
            id=new_id(),
            recording_id=recording_id,
            state="queued",
            layout=config.film_layout,
            format=config.film,
            height=config.film_height,
            with_names=True,
            asked_at_ms=now_ms,
        )
    )
    return True


@dataclass(frozen=True)
class Unfinished:
    """A track that was being written when the server stopped."""

    track_id: str
    recording_id: str
    file_id: str
    begins_at: int


def unfinished_tracks(conn: Connection) -> list[Unfinished]:
    """The tracks that are being written, or were when the server died."""
    columns = recording_tracks.c
    query = select(columns.id, columns.recording_id, columns.file_id, columns.begins_at)
    return [Unfinished(*row) for row in conn.execute(query.where(columns.state == "writing").order_by(columns.id))]


@dataclass(frozen=True)
class Open:
    """A recording without an end."""

    recording_id: str
    started_at_ms: int
    last_at: int
    """The last moment of which the timeline or a track's row knows."""


def open_recordings(conn: Connection) -> list[Open]:
    """The recordings that run, or did when the server died."""
    found = []
    query = select(recordings.c.id, recordings.c.started_at_ms).where(recordings.c.ended_at_ms.is_(None))
    for recording_id, started_at_ms in conn.execute(query.order_by(recordings.c.id)):
        moments = [
            conn.execute(select(func.max(column)).where(column.table.c.recording_id == recording_id)).scalar()
            for column in (recording_events.c.begins_at, recording_events.c.ends_at, recording_tracks.c.begins_at)
        ]
        found.append(Open(recording_id, started_at_ms, max([0, *(each for each in moments if each is not None)])))
    return found


def close_entries(conn: Connection, recording_id: str, at: int) -> None:
    """What lasted when the server died ends with the recording."""
    lasting = recording_events.c.kind.in_(("present", "shared", "spoke"))
    here = (recording_events.c.recording_id == recording_id, recording_events.c.ends_at.is_(None), lasting)
    later = func.max(recording_events.c.begins_at, at)
    conn.execute(update(recording_events).where(*here).values(ends_at=later))


def _count(conn: Connection, table: Table, recording_id: str) -> int:
    query = select(func.count()).select_from(table).where(table.c.recording_id == recording_id)
    return conn.execute(query).scalar_one()
