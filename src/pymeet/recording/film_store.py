"""The SQL of films: the list of those to make, whom they show, and what becomes of them.

Every function takes the connection of its caller's transaction. A film is a cache: whatever goes wrong, its row may go
back to `queued` and its file away.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, insert, literal, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from pymeet.db import audit, notifications
from pymeet.db.owners import owner_at
from pymeet.db.schema import (
    film_people,
    films,
    pending_gone,
    recording_events,
    recording_people,
    recording_tracks,
    recordings,
    rooms,
)
from pymeet.errors import ConflictError, NotFoundError, TooManyError
from pymeet.ids import new_id
from pymeet.privacy.periods import Periods
from pymeet.privacy.rows import delete_rows
from pymeet.privacy.visible import visible
from pymeet.recording.compose.job import Happening, Person, Track
from pymeet.retention import days

MOST_FILMS: Final = 10
"""Films of one recording: each takes about as much room as a track."""

MAX_ATTEMPTS: Final = 3
"""So often a film is tried that ended without a word; then somebody has to ask for it again."""

AGAIN_MS: Final = days(365)
"""Films made again, such as of those who are left in a recording, are no news to who has the first notification."""

EMPTY: Final = "empty"
"""The error of a film for which there was nothing to be seen or heard."""
CRASHED: Final = "crashed"
"""The error of a film whose process died each time."""

_READABLE: Final = ("whole", "repaired")


@dataclass(frozen=True)
class Options:
    """How a film is made."""

    layout: str
    format: str
    height: int
    with_names: bool

    @classmethod
    def of(cls, row: Row[Any]) -> "Options":
        """Those of a row of `films`."""
        return cls(row.layout, row.format, row.height, row.with_names)

    def values(self) -> dict[str, Any]:
        """As columns."""
        return {
            "layout": self.layout,
            "format": self.format,
            "height": self.height,
            "with_names": self.with_names,
        }


@dataclass(frozen=True)
class Order:
    """A film to be made now, with everything and everybody that goes into it."""

    film_id: str
    recording_id: str
    file_id: str
    options: Options
    people: tuple[Person, ...]
    tracks: tuple[Track, ...]
    happenings: tuple[Happening, ...]
    ends_at: int
    attempt: int


def request(conn: Connection, recording_id: str, options: Options, now_ms: int) -> str:
    """Puts a film on the list; its id. One that waits with the same options is the same film.

    NotFoundError without recording, ConflictError `still_recording` while it runs, `nothing_to_show` without tracks,
    TooManyError where it has as many as it may have.
    """
    here = select(recordings.c.ended_at_ms).where(recordings.c.id == recording_id)
    found = conn.execute(here).one_or_none()
    if found is None:
        raise NotFoundError("There is no such recording.")
    if found.ended_at_ms is None:
        raise ConflictError("This recording is still running. Ask again when it has ended.", code="still_recording")
    if not _has_tracks(conn, recording_id):
        raise ConflictError("There is nothing in this recording to make a film of.", code="nothing_to_show")
    if _waiting(conn, recording_id, options) is None:
        there = select(func.count()).where(films.c.recording_id == recording_id)
        if conn.execute(there).scalar_one() >= MOST_FILMS:
            raise TooManyError(f"A recording can have {MOST_FILMS} films. Delete one first.")
    return _queue(conn, recording_id, options, now_ms)


def next_order(conn: Connection, periods: Periods, now_ms: int, barred: Collection[str]) -> Order | None:
    """Takes the oldest film of the list and marks it as being made. None when none waits.

    Left out are people who may not be shown now: `barred` ones, and those whose rows are hidden. A recording of which a
    track is still being closed waits.
    """
    while True:
        waiting = (
            select(films, recordings.c.started_at_ms, recordings.c.ended_at_ms)
            .join(recordings, recordings.c.id == films.c.recording_id)
            .where(films.c.state == "queued", recordings.c.ended_at_ms.is_not(None))
            .where(recordings.c.trashed_at_ms.is_(None), visible(recordings, periods, now_ms), ~_being_written())
            .order_by(films.c.asked_at_ms, films.c.id)
            .limit(1)
        )
        film = conn.execute(waiting).one_or_none()
        if film is None:
            return None
        order = _order(conn, film, periods, now_ms, barred)
        if order is not None:
            return order
        if _has_tracks(conn, film.recording_id):
            _settle(conn, film.id, "failed", EMPTY, now_ms)
        else:
            delete_rows(conn, films, films.c.id == film.id, now_ms)  # everybody was taken out of it


def finish(conn: Connection, order: Order, duration_ms: int, size_bytes: int, now_ms: int) -> bool:
    """The film is whole. False when it is not wanted any more: its file must go."""
    values = {
        "state": "ready",
        "made_at_ms": now_ms,
        "duration_ms": duration_ms,
        "size_bytes": size_bytes,
        "error": None,
    }
    if conn.execute(update(films).where(_under_way(order)).values(**values)).rowcount == 0:
        return False
    detail = {"people": len(order.people), "tracks": len(order.tracks), "bytes": size_bytes}
    audit.record_now(conn, now_ms, audit.SYSTEM, "film.made", order.film_id, detail)
    tell_ready(conn, order.recording_id, now_ms)
    return True


def tell_ready(conn: Connection, recording_id: str, now_ms: int) -> None:
    """Tells whoever started the recording, else whose room it was, and the members in it, that it can be watched; once."""
    owner = func.coalesce(recordings.c.owner_id, owner_at(recordings.c.started_at_ms))
    started = select(owner).join(rooms, rooms.c.id == recordings.c.room_id).where(recordings.c.id == recording_id)
    here = recording_people.c.recording_id == recording_id
    inside = select(recording_people.c.user_id).where(here)
    for user_id in {*conn.execute(started).scalars(), *conn.execute(inside).scalars()} - {None}:
        notifications.tell(
            conn,
            now_ms=now_ms,
            user_id=user_id,
            kind="recording_ready",
            object_id=recording_id,
            quiet_ms=AGAIN_MS,
        )


def fail(conn: Connection, order: Order, error: str, now_ms: int, again: bool) -> None:
    """It was not made: it waits for another attempt, or failed for this reason (a fixed word)."""
    if conn.execute(select(films.c.id).where(_under_way(order))).first() is None:
        return
    final = not again or order.attempt >= MAX_ATTEMPTS
    _settle(conn, order.film_id, "failed" if final else "queued", error, now_ms)
    if final:
        audit.record_now(conn, now_ms, audit.SYSTEM, "film.failed", order.film_id, {"error": error})


def give_back(conn: Connection, order: Order, now_ms: int) -> None:
    """The server stops: it is made after the next start, and this attempt does not count."""
    if conn.execute(select(films.c.id).where(_under_way(order))).first() is not None:
        _settle(conn, order.film_id, "queued", None, now_ms)
        conn.execute(update(films).where(films.c.id == order.film_id).values(attempts=order.attempt - 1))


def resume(conn: Connection, now_ms: int) -> int:
    """What was being made when the server died waits again, without its half file; how many."""
    half = conn.execute(select(films.c.id, films.c.attempts).where(films.c.state == "making")).all()
    for film in half:
        final = film.attempts >= MAX_ATTEMPTS
        _settle(conn, film.id, "failed" if final else "queued", CRASHED if final else None, now_ms)
    return len(half)


def cancel(conn: Connection, film_id: str, now_ms: int) -> None:
    """Takes a film off the list. NotFoundError, ConflictError `film_not_under_way`."""
    if _state(conn, film_id) not in ("queued", "making"):
        raise ConflictError("This film is not being made.", code="film_not_under_way")
    _settle(conn, film_id, "cancelled", None, now_ms)


def retry(conn: Connection, film_id: str, now_ms: int) -> None:
    """Puts it on the list again. NotFoundError, ConflictError `film_not_failed`."""
    if _state(conn, film_id) not in ("failed", "cancelled"):
        raise ConflictError("This film neither failed nor was cancelled.", code="film_not_failed")
    values = {"state": "queued", "attempts": 0, "error": None, "asked_at_ms": now_ms}
    conn.execute(update(films).where(films.c.id == film_id).values(**values))


def withdraw(conn: Connection, person_ids: Collection[str], now_ms: int) -> int:
    """Lets go of every film that shows one of these people; how many. Each is replaced by one to be made of the others."""
    theirs = select(film_people.c.film_id).where(film_people.c.person_id.in_(person_ids))
    found = conn.execute(select(films).where(films.c.id.in_(theirs)).order_by(films.c.asked_at_ms)).all()
    return _replace(conn, found, person_ids, now_ms)


def restale(conn: Connection, recording_id: str, now_ms: int) -> int:
    """Lets every film of a recording be made anew; how many."""
    here = (films.c.recording_id == recording_id, films.c.state.in_(("ready", "making")))
    return _replace(conn, conn.execute(select(films).where(*here).order_by(films.c.asked_at_ms)).all(), (), now_ms)


def _replace(conn: Connection, found: Collection[Row[Any]], without: Collection[str], now_ms: int) -> int:
    for film in found:
        delete_rows(conn, films, films.c.id == film.id, now_ms)
        audit.record_now(conn, now_ms, audit.SYSTEM, "film.withdrawn", film.id)
        if _has_tracks(conn, film.recording_id, without):
            _queue(conn, film.recording_id, Options.of(film), now_ms)
    return len(found)


def _queue(conn: Connection, recording_id: str, options: Options, now_ms: int) -> str:
    known = _waiting(conn, recording_id, options)
    if known is not None:
        return known
    film_id = new_id()
    row = {"id": film_id, "recording_id": recording_id, "state": "queued", "asked_at_ms": now_ms}
    conn.execute(insert(films).values(**row, **options.values()))
    return film_id


def _waiting(conn: Connection, recording_id: str, options: Options) -> str | None:
    """The film with these options that is on the list already."""
    same = [films.c[name] == value for name, value in options.values().items()]
    waiting = select(films.c.id).where(films.c.recording_id == recording_id, films.c.state == "queued", *same)
    return conn.execute(waiting.limit(1)).scalar_one_or_none()


def _order(conn: Connection, film: Row[Any], periods: Periods, now_ms: int, barred: Collection[str]) -> Order | None:
    people, tracks, events = recording_people, recording_tracks, recording_events
    seen = select(people.c.id, people.c.name).where(
        people.c.recording_id == film.recording_id, people.c.id.not_in(barred), visible(people, periods, now_ms)
    )
    names = {row.id: row.name for row in conn.execute(seen)}
    readable = select(tracks).where(
        tracks.c.recording_id == film.recording_id,
        tracks.c.state.in_(_READABLE),
        tracks.c.duration_ms > 0,
        visible(tracks, periods, now_ms),
    )
    of_them = [
        row for row in conn.execute(readable.order_by(tracks.c.begins_at, tracks.c.id)) if row.person_id in names
    ]
    if not of_them:
        return None
    whole_ms = film.ended_at_ms - film.started_at_ms
    timeline = select(events).where(
        events.c.recording_id == film.recording_id, events.c.kind.in_(("present", "spoke", "shared"))
    )
    happenings = tuple(
        Happening(row.kind, row.person_id, row.begins_at, whole_ms if row.ends_at is None else row.ends_at)
        for row in conn.execute(timeline.order_by(events.c.begins_at, events.c.id))
        if row.person_id in names
    )
    there = {row.person_id for row in of_them} | {each.person_id for each in happenings}
    file_id, attempt = new_id(), film.attempts + 1
    making = {"state": "making", "file_id": file_id, "attempts": attempt, "error": None}
    conn.execute(update(films).where(films.c.id == film.id).values(**making))
    conn.execute(insert(film_people), [{"film_id": film.id, "person_id": person} for person in sorted(there)])
    last = max(row.begins_at + row.duration_ms for row in of_them)
    return Order(
        film.id,
        film.recording_id,
        file_id,
        Options.of(film),
        tuple(Person(person, name) for person, name in sorted(names.items()) if person in there),
        tuple(Track(row.id, row.person_id, row.source, row.file_id, row.begins_at, row.duration_ms) for row in of_them),
        happenings,
        max(last, max((each.ends_at for each in happenings if each.kind == "present"), default=0)),
        attempt,
    )


def _settle(conn: Connection, film_id: str, state: str, error: str | None, now_ms: int) -> None:
    """The film has another state, and no file and no people any more."""
    here = films.c.id == film_id
    half = select(films.c.file_id, literal(now_ms)).where(here, films.c.file_id.is_not(None))
    conn.execute(upsert(pending_gone).from_select(["file_id", "queued_at_ms"], half).on_conflict_do_nothing())
    conn.execute(delete(film_people).where(film_people.c.film_id == film_id))
    conn.execute(update(films).where(here).values(state=state, error=error, file_id=None))


def _being_written() -> ColumnElement[bool]:
    """Whether a track is not closed yet: just after the end of the recording, or until what a crash left is repaired."""
    tracks = recording_tracks.c
    return exists().where(tracks.recording_id == films.c.recording_id, tracks.state == "writing")


def _under_way(order: Order) -> Any:
    return (films.c.id == order.film_id) & (films.c.state == "making") & (films.c.file_id == order.file_id)


def _state(conn: Connection, film_id: str) -> str:
    state = conn.execute(select(films.c.state).where(films.c.id == film_id)).scalar_one_or_none()
    if state is None:
        raise NotFoundError("There is no such film.")
    return str(state)


def _has_tracks(conn: Connection, recording_id: str, without: Collection[str] = ()) -> bool:
    tracks = recording_tracks.c
    query = select(func.count()).where(
        tracks.recording_id == recording_id, tracks.state != "lost", tracks.person_id.not_in(without)
    )
    return bool(conn.execute(query).scalar_one())
