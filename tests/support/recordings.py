"""Recordings as they stand when a meeting is over: rows, and sealed files with known content."""

import io
import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

import av
from sqlalchemy import Connection, insert, select, update

from pymeet.db.files import Files
from pymeet.db.schema import (
    film_people,
    films,
    recording_events,
    recording_people,
    recording_tracks,
    recordings,
    rooms,
)
from pymeet.ids import new_id
from pymeet.privacy.parts import Lifecycle

LASTS_MS = 600_000

FILM = bytes(range(256)) * 700
"""More than two chunks of a sealed file."""

TRACK = bytes(reversed(range(256))) * 300


@dataclass
class Made:
    """What there is now."""

    id: str
    started_at_ms: int
    film: str = ""
    film_file: str = ""
    people: dict[str, str] = field(default_factory=dict)
    """Names to ids of `recording_people`."""
    tracks: dict[str, str] = field(default_factory=dict)
    """Names to the ids of their one track."""
    track_files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seat:
    """Somebody who is in it; without account a guest."""

    user_id: str | None = None
    participant_id: str = ""


async def make_recording(
    lifecycle: Lifecycle,
    slug: str,
    owner_id: str | None,
    people: Mapping[str, Seat],
    *,
    name: str = "Tea",
    running: bool = False,
    track: bytes = TRACK,
    film: bytes = FILM,
    lasts_ms: int = LASTS_MS,
) -> Made:
    """A recording of the room, ended now (or still `running`), with a microphone track of everybody and one film."""
    now_ms = lifecycle.clock.now_ms()
    made = Made(new_id(), now_ms - lasts_ms)
    for each in people:
        made.people[each], made.tracks[each] = new_id(), new_id()
        made.track_files[each] = sealed(lifecycle.files, track, now_ms)
    if not running:
        made.film, made.film_file = new_id(), sealed(lifecycle.files, film, now_ms)

    def add(conn: Connection) -> None:
        ended_at_ms = None if running else now_ms
        conn.execute(
            insert(recordings).values(
                id=made.id,
                room_id=conn.execute(select(rooms.c.id).where(rooms.c.slug == slug)).scalar_one(),
                name=name,
                owner_id=owner_id,
                with_chat=True,
                started_at_ms=made.started_at_ms,
                ended_at_ms=ended_at_ms,
                end_reason=None if running else "host",
                keep_from_ms=ended_at_ms,
            )
        )
        for each, seat in people.items():
            duration_ms = None if running else lasts_ms
            _add_person(conn, made, each, seat, duration_ms=duration_ms, size_bytes=len(track))
        if not running:
            _add_film(conn, made, now_ms, lasts_ms, len(film))

    await lifecycle.db.work(add)
    return made


def sound() -> bytes:
    """A second of a tone, as a track holds it."""
    made = io.BytesIO()
    with av.open(made, "w", format="matroska") as container:
        stream = container.add_stream("libopus", rate=48_000)
        frame = av.AudioFrame(format="s16", layout="mono", samples=48_000)
        frame.planes[0].update(array("h", (round(math.sin(at / 20) * 8000) for at in range(48_000))).tobytes())
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return made.getvalue()


async def change_recording(lifecycle: Lifecycle, recording_id: str, **values: object) -> None:
    """As time, or a mistake, would change it."""

    def change(conn: Connection) -> None:
        conn.execute(update(recordings).where(recordings.c.id == recording_id).values(**values))

    await lifecycle.db.work(change)


def sealed(files: Files, content: bytes, now_ms: int) -> str:
    """A finished sealed file; its id."""
    file_id = new_id()
    with files.create(file_id, now_ms) as sink:
        sink.write(content)
        sink.finish()
    return file_id


def _add_person(
    conn: Connection, made: Made, name: str, seat: Seat, *, duration_ms: int | None, size_bytes: int
) -> None:
    person = made.people[name]
    conn.execute(
        insert(recording_people).values(
            id=person,
            recording_id=made.id,
            participant_id=seat.participant_id or new_id(),
            user_id=seat.user_id,
            name=name,
        )
    )
    conn.execute(
        insert(recording_tracks).values(
            id=made.tracks[name],
            recording_id=made.id,
            person_id=person,
            source="microphone",
            codec="opus",
            file_id=made.track_files[name],
            state="writing" if duration_ms is None else "whole",
            begins_at=0,
            duration_ms=duration_ms,
            size_bytes=None if duration_ms is None else size_bytes,
        )
    )
    for kind, text in (("spoke", None), ("message", f"by {name}")):
        conn.execute(
            insert(recording_events).values(
                recording_id=made.id, person_id=person, kind=kind, begins_at=1000, ends_at=2000, text=text
            )
        )


def _add_film(conn: Connection, made: Made, now_ms: int, lasts_ms: int, size_bytes: int) -> None:
    conn.execute(
        insert(films).values(
            id=made.film,
            recording_id=made.id,
            state="ready",
            layout="grid",
            format="mp4",
            height=720,
            with_names=True,
            file_id=made.film_file,
            asked_at_ms=now_ms,
            made_at_ms=now_ms,
            duration_ms=lasts_ms,
            size_bytes=size_bytes,
        )
    )
    for each in made.people.values():
        conn.execute(insert(film_people).values(film_id=made.film, person_id=each))


class MakerOfOneFilm:
    """Makes films without pictures, at once; the row is what counts."""

    def __init__(self, lifecycle: Lifecycle, *, state: str = "ready") -> None:
        self._lifecycle = lifecycle
        self._state = state
        self.asked: list[dict[str, object]] = []
        self.stopped: list[str] = []

    async def request(
        self,
        recording_id: str,
        *,
        layout: str,
        format: str,  # noqa: A002
        height: int,
        with_names: bool,
    ) -> str:
        """The film is there when this returns."""
        self.asked.append({"layout": layout, "format": format, "height": height, "with_names": with_names})
        film_id, now_ms = new_id(), self._lifecycle.clock.now_ms()
        values = {"layout": layout, "format": format, "height": height, "with_names": with_names}
        async with self._lifecycle.db.write() as conn:
            await conn.execute(
                insert(films).values(
                    id=film_id, recording_id=recording_id, state=self._state, asked_at_ms=now_ms, **values
                )
            )
        return film_id

    async def cancel(self, film_id: str) -> None:
        """Notes it."""
        self.stopped.append(film_id)

    async def retry(self, film_id: str) -> None:
        """Notes it."""
        self.stopped.append(film_id)

    def progress(self, film_id: str) -> float | None:
        """Half of it."""
        return 0.5
