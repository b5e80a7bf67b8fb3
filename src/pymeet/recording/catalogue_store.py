"""The SQL of the catalogue: which recordings there are for whom, and what stands in one.

Every function takes the connection of a transaction that its caller owns. What is over, and whoever restricted the use
of their data, is left out by the one condition for that (`privacy/visible.py`).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, false, func, or_, select, update

from pymeet.db.owners import owner_at
from pymeet.db.schema import (
    films,
    group_members,
    metadata,
    pending_gone,
    recording_events,
    recording_group_shares,
    recording_people,
    recording_shares,
    recording_tracks,
    recordings,
    requests,
    rooms,
)
from pymeet.privacy.holds import kept
from pymeet.privacy.periods import Periods
from pymeet.privacy.rows import delete_rows, file_columns, rowid
from pymeet.privacy.visible import visible
from pymeet.recording.access import Asker

GONE_TRACK = "lost"
"""The state of a track of which nothing could be saved."""


@dataclass(frozen=True)
class PersonRow:
    """A seat of somebody in a recording."""

    id: str
    name: str
    user_id: str | None
    participant_id: str
    hidden: bool
    """Whether they restricted the use of their data, or are being erased."""


@dataclass(frozen=True)
class Rows:
    """A recording with what decides who may do what with it."""

    recording: RowMapping
    people: tuple[PersonRow, ...]
    """Who came first is first."""
    films: tuple[RowMapping, ...]
    """The newest first; `hidden` says whether somebody hidden is in it."""
    track_bytes: int
    shared_with: frozenset[str]
    """Members, by id; the asker too where they are in a group that it is shared with."""
    held: bool
    """Whether a hold keeps it, or a part of it."""


def of_asker(conn: Connection, asker: Asker, periods: Periods, now_ms: int, *, others: bool) -> list[Rows]:
    """The recordings that a member is part of, the newest first; with `others` all that there are."""
    return _rows(conn, _mine(asker) if not others else None, periods, now_ms, asker.user_id)


def of_participant(conn: Connection, participant_id: str, periods: Periods, now_ms: int) -> list[Rows]:
    """The recordings in which a guest's seat is."""
    seats = recording_people.c
    there = select(seats.recording_id).where(seats.participant_id == participant_id)
    return _rows(conn, recordings.c.id.in_(there), periods, now_ms)


def one(conn: Connection, recording_id: str, periods: Periods, now_ms: int, user_id: str | None = None) -> Rows | None:
    """One recording, for the member who asks; None when there is none, or its time is over."""
    found = _rows(conn, recordings.c.id == recording_id, periods, now_ms, user_id)
    return found[0] if found else None


def tracks(conn: Connection, recording_id: str) -> list[RowMapping]:
    """All tracks but those of which nothing could be saved, in the order of their beginning."""
    mine = (recording_tracks.c.recording_id == recording_id, recording_tracks.c.state != GONE_TRACK)
    query = select(recording_tracks).where(*mine).order_by(recording_tracks.c.begins_at, recording_tracks.c.id)
    return list(conn.execute(query).mappings())


def all_tracks(conn: Connection, recording_id: str | None) -> list[RowMapping]:
    """Every track, of one recording or of all, whether its time is over or not: for looking whether they are whole."""
    query = select(recording_tracks).order_by(recording_tracks.c.recording_id, recording_tracks.c.begins_at)
    if recording_id is not None:
        query = query.where(recording_tracks.c.recording_id == recording_id)
    return list(conn.execute(query).mappings())


def all_films(conn: Connection, recording_id: str | None) -> list[RowMapping]:
    """Every film that is ready, likewise."""
    query = select(films).where(films.c.state == "ready").order_by(films.c.recording_id, films.c.asked_at_ms)
    if recording_id is not None:
        query = query.where(films.c.recording_id == recording_id)
    return list(conn.execute(query).mappings())


def events(conn: Connection, recording_id: str) -> list[RowMapping]:
    """What happened, in order."""
    mine = recording_events.c.recording_id == recording_id
    query = select(recording_events).where(mine).order_by(recording_events.c.begins_at, recording_events.c.id)
    return list(conn.execute(query).mappings())


def exists_at_all(conn: Connection, recording_id: str) -> bool:
    """Whether there is such a recording, hidden or not."""
    return conn.execute(select(recordings.c.id).where(recordings.c.id == recording_id)).first() is not None


def change(conn: Connection, recording_id: str, **values: Any) -> None:
    """Sets columns of a recording."""
    conn.execute(update(recordings).where(recordings.c.id == recording_id).values(**values))


def delete_film(conn: Connection, film_id: str, now_ms: int) -> None:
    """Deletes a film; its file is on the list of those to remove afterwards."""
    delete_rows(conn, films, films.c.id == film_id, now_ms)


def delete_recording(conn: Connection, recording_id: str, now_ms: int) -> None:
    """Deletes a recording with everything that hangs on it; its files are on the list of those to remove afterwards."""
    delete_rows(conn, recordings, recordings.c.id == recording_id, now_ms)


def concerns(user_id: str) -> ColumnElement[bool]:
    """The condition that picks, of recordings joined with their rooms, those that a member is part of."""
    return _mine(Asker(user_id=user_id))


def _mine(asker: Asker) -> ColumnElement[bool]:
    if asker.user_id is None:
        return false()
    people, shares = recording_people.c, recording_shares.c
    return or_(
        recordings.c.owner_id == asker.user_id,
        owner_at(recordings.c.started_at_ms) == asker.user_id,
        recordings.c.id.in_(select(people.recording_id).where(people.user_id == asker.user_id)),
        recordings.c.id.in_(select(shares.recording_id).where(shares.user_id == asker.user_id)),
        recordings.c.id.in_(_by_groups_of(asker.user_id)),
    )


def _rows(
    conn: Connection,
    which: ColumnElement[bool] | None,
    periods: Periods,
    now_ms: int,
    user_id: str | None = None,
) -> list[Rows]:
    query = (
        select(
            recordings,
            rooms.c.slug,
            rooms.c.name.label("room_name"),
            owner_at(recordings.c.started_at_ms).label("room_owner_id"),
            rooms.c.deleted_at_ms.label("room_deleted_at_ms"),
            kept(recordings).label("held"),
        )
        .join(rooms, rooms.c.id == recordings.c.room_id)
        .where(visible(recordings, periods, now_ms))
        .order_by(recordings.c.started_at_ms.desc(), recordings.c.id)
    )
    found = list(conn.execute(query if which is None else query.where(which)).mappings())
    ids = [each["id"] for each in found]
    people = _by_recording(_picked(conn, _people(periods, now_ms), recording_people.c.recording_id, ids))
    made = _by_recording(_picked(conn, _films(periods, now_ms), films.c.recording_id, ids))
    sizes = _picked(conn, _sizes(), recording_tracks.c.recording_id, ids)
    bytes_of = {each["recording_id"]: each["size_bytes"] for each in sizes}
    shared = _by_recording(_picked(conn, _shares(), recording_shares.c.recording_id, ids))
    by_group = set(conn.execute(_by_groups_of(user_id)).scalars()) if user_id else set()
    return [
        Rows(
            recording=each,
            people=tuple(_person(one) for one in people[each["id"]]),
            films=tuple(made[each["id"]]),
            track_bytes=bytes_of.get(each["id"]) or 0,
            shared_with=frozenset(one["user_id"] for one in shared[each["id"]])
            | ({user_id} if user_id and each["id"] in by_group else set()),
            held=bool(each["held"]),
        )
        for each in found
    ]


_AT_ONCE = 500
"""Ids in one query: SQLite takes a bounded number of parameters."""


def _picked(conn: Connection, query: Select[Any], column: ColumnElement[Any], ids: list[str]) -> Iterable[RowMapping]:
    for start in range(0, len(ids), _AT_ONCE):
        yield from conn.execute(query.where(column.in_(ids[start : start + _AT_ONCE]))).mappings()


def _by_recording(rows: Iterable[RowMapping]) -> defaultdict[str, list[RowMapping]]:
    found: defaultdict[str, list[RowMapping]] = defaultdict(list)
    for each in rows:
        found[each["recording_id"]].append(each)
    return found


def _people(periods: Periods, now_ms: int) -> Select[Any]:
    shown = visible(recording_people, periods, now_ms)
    return select(recording_people, (~shown).label("hidden")).order_by(rowid(recording_people))


def _films(periods: Periods, now_ms: int) -> Select[Any]:
    shown = visible(films, periods, now_ms)
    return select(films, (~shown).label("hidden")).order_by(films.c.asked_at_ms.desc(), films.c.id)


def _sizes() -> Select[Any]:
    total = func.sum(recording_tracks.c.size_bytes).label("size_bytes")
    return select(recording_tracks.c.recording_id, total).group_by(recording_tracks.c.recording_id)


def _shares() -> Select[Any]:
    shares = recording_shares.c
    return select(shares.recording_id, shares.user_id).where(shares.kind == "member", shares.user_id.is_not(None))


def _by_groups_of(user_id: str) -> Select[tuple[str]]:
    """The ids of the recordings that are shared with a group in which somebody is."""
    shares = recording_group_shares.c
    joined = select(shares.recording_id).join(group_members, group_members.c.group_id == shares.group_id)
    return joined.where(group_members.c.user_id == user_id)


def _person(row: RowMapping) -> PersonRow:
    return PersonRow(row["id"], row["name"], row["user_id"], row["participant_id"], bool(row["hidden"]))


def known_files(conn: Connection) -> set[str]:
    """The ids of all sealed files that something knows: a row, the list of files to remove, an erasure under way."""
    known: set[str] = set(conn.execute(select(pending_gone.c.file_id)).scalars())
    known.update(conn.execute(select(requests.c.id).where(requests.c.closed_at_ms.is_(None))).scalars())
    for table in metadata.sorted_tables:
        for column in file_columns(table):
            known.update(conn.execute(select(column).where(column.is_not(None))).scalars())
    return known


def running(conn: Connection) -> set[str]:
    """The ids of recordings that have no end yet."""
    return set(conn.execute(select(recordings.c.id).where(recordings.c.ended_at_ms.is_(None))).scalars())
