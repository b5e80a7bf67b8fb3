"""The list of films to make: asked for, made one at a time, stopped, begun again, and without whoever is taken out."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update
from tests.support.footage import BLUE, GREEN, RED, is_like, look, steady, tone, video
from tests.support.retention import NOW_MS, add_room, open_lifecycle

from pymeet.config import RecordingConfig
from pymeet.db.files import Files
from pymeet.db.keys import KeyGoneError
from pymeet.db.schema import (
    audit_events,
    film_people,
    films,
    pending_gone,
    processing_limits,
    recording_people,
    recording_tracks,
    recordings,
)
from pymeet.errors import ConflictError, NotFoundError, TooManyError
from pymeet.ids import new_id
from pymeet.privacy.parts import Lifecycle
from pymeet.recording.film_store import MOST_FILMS
from pymeet.recording.films import Films

LASTS_MS = 1500
LONG_MS = 600_000
"""A film so long is not made before the test has seen it being made."""
PEOPLE = {"ada": (RED, 400), "bob": (BLUE, 1000)}


@cache
def camera(name: str) -> bytes:
    return video(steady(0, LASTS_MS), PEOPLE[name][0])


@cache
def microphone(name: str) -> bytes:
    return tone(range(0, LASTS_MS, 20), PEOPLE[name][1])


@dataclass
class House:
    """A lifecycle with its maker of films, and recordings in it."""

    lifecycle: Lifecycle
    films: Films
    people: dict[str, str] = field(default_factory=dict)
    """Names to ids of `recording_people`."""

    async def record(
        self, *, lasts_ms: int = LASTS_MS, running: bool = False, names: tuple[str, ...] = ("ada", "bob")
    ) -> str:
        """A recording of Ada in red with 400 Hz and Bob in blue with 1000 Hz; its id."""
        recording_id, files = new_id(), self.lifecycle.files
        rows = []
        for name in names:
            self.people[name] = new_id()
            for source, content in (("camera", camera(name)), ("microphone", microphone(name))):
                rows.append((self.people[name], source, _sealed(files, content)))

        def add(conn: Connection) -> None:
            add_room(conn, new_id().lower())
            room_id = conn.execute(select(recordings.metadata.tables["rooms"].c.id).limit(1)).scalar_one()
            end = None if running else NOW_MS + lasts_ms
            values = {"id": recording_id, "room_id": room_id, "name": "Tea", "with_chat": False}
            times = {"started_at_ms": NOW_MS, "ended_at_ms": end, "keep_from_ms": end}
            conn.execute(insert(recordings).values(**values, **times))
            for name in names:
                person = {"id": self.people[name], "recording_id": recording_id, "name": name.title()}
                conn.execute(insert(recording_people).values(**person, participant_id=f"seat-{name}-{new_id()}"))
            for person_id, source, file_id in rows:
                track = {"id": new_id(), "recording_id": recording_id, "person_id": person_id, "source": source}
                more = {"codec": "x", "file_id": file_id, "state": "whole", "begins_at": 0, "duration_ms": lasts_ms}
                conn.execute(insert(recording_tracks).values(**track, **more))

        await self.lifecycle.db.work(add)
        return recording_id

    async def ask(self, recording_id: str, **options: Any) -> str:
        defaults: dict[str, Any] = {"layout": "grid", "format": "mp4", "height": 180, "with_names": False}
        return await self.films.request(recording_id, **(defaults | options))

    async def film(self, film_id: str) -> Any:
        return await self.lifecycle.db.study(
            lambda conn: conn.execute(select(films).where(films.c.id == film_id)).one_or_none()
        )

    async def all_films(self) -> list[Any]:
        return await self.lifecycle.db.study(
            lambda conn: list(conn.execute(select(films).order_by(films.c.asked_at_ms)))
        )

    async def take_out(self, name: str) -> None:
        """What erasing does besides."""
        person = self.people[name]
        await self.films.withdraw([person])
        await self.lifecycle.db.work(
            lambda conn: conn.execute(delete(recording_people).where(recording_people.c.id == person)) and None
        )
        self.films.poke()

    def parts(self) -> list[Path]:
        """Half files on the disk."""
        return list(self.lifecycle.config.data_dir.rglob("*.part"))


def _sealed(files: Files, content: bytes) -> str:
    file_id = new_id()
    with files.create(file_id, NOW_MS) as sink:
        sink.write(content)
        sink.finish()
    return file_id


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_lifecycle(tmp_path) as lifecycle:
        yield House(lifecycle, Films(lifecycle))


@asynccontextmanager
async def making(house: House, film_id: str) -> AsyncIterator["asyncio.Task[bool]"]:
    """The film is being made, and its process has said how far it is."""
    task = asyncio.create_task(house.films.make_next())
    await until(lambda: _is_positive(house.films.progress(film_id)))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _is_positive(number: float | None) -> bool:
    return bool(number)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while True:
            if await true():
                return
            await asyncio.sleep(0.02)


async def test_a_film_is_made_of_a_recording(house: House) -> None:
    """Asked for, made, ready: with its people, so that erasing one of them reaches it."""
    film_id = await house.ask(await house.record())
    assert house.films.progress(film_id) is None

    assert await house.films.make_next()
    assert not await house.films.make_next()

    film = await house.film(film_id)
    assert (film.state, film.attempts, film.error) == ("ready", 1, None)
    assert film.size_bytes == house.lifecycle.files.size(film.file_id)
    assert abs(film.duration_ms - LASTS_MS) <= 40
    shown = await house.lifecycle.db.study(lambda conn: set(conn.execute(select(film_people.c.person_id)).scalars()))
    assert shown == set(house.people.values())
    with house.lifecycle.files.open(film.file_id) as reader:
        seen = look(reader)
    assert is_like(seen.at(700, 80, 90), RED) or is_like(seen.at(700, 80, 90), BLUE)
    assert seen.loudness(400, 300, 1300) > 0.05
    assert seen.loudness(1000, 300, 1300) > 0.05
    assert house.parts() == []


async def test_asking_twice_makes_one_film_and_other_options_another(house: House) -> None:
    """An impatient click costs nothing."""
    recording_id = await house.record()

    first, again = await house.ask(recording_id), await house.ask(recording_id)
    other = await house.ask(recording_id, layout="speaker")

    assert first == again
    assert other != first


async def test_what_runs_or_has_no_tracks_gives_no_film(house: House) -> None:
    """Said at once, in words a program knows."""
    running, empty = await house.record(running=True), await house.record(names=())

    with pytest.raises(ConflictError) as refused:
        await house.ask(running)
    assert refused.value.code == "still_recording"
    with pytest.raises(ConflictError) as refused:
        await house.ask(empty)
    assert refused.value.code == "nothing_to_show"
    with pytest.raises(NotFoundError):
        await house.ask("nothing-there")


async def test_a_film_waits_until_all_tracks_are_closed(house: House) -> None:
    """Just after the end of a meeting, or before a crash is repaired, it would be made without somebody."""
    await house.ask(await house.record())

    def set_state(conn: Connection, state: str) -> None:
        theirs = recording_tracks.c.person_id == house.people["bob"]
        conn.execute(update(recording_tracks).where(theirs).values(state=state))

    await house.lifecycle.db.work(set_state, "writing")
    assert not await house.films.make_next()

    await house.lifecycle.db.work(set_state, "repaired")
    assert await house.films.make_next()


async def test_a_film_being_made_can_be_cancelled_and_tried_again(house: House) -> None:
    """Cancelling returns when the process is dead and its half file gone."""
    film_id = await house.ask(await house.record(lasts_ms=LONG_MS))
    async with making(house, film_id) as task:
        half = (await house.film(film_id)).file_id
        assert house.parts()

        await house.films.cancel(film_id)

        assert await task
    film = await house.film(film_id)
    assert (film.state, film.file_id) == ("cancelled", None)
    assert house.parts() == []
    with pytest.raises(KeyGoneError):
        house.lifecycle.keys.get(half)
    with pytest.raises(ConflictError):
        await house.films.cancel(film_id)

    await house.films.retry(film_id)
    assert (await house.film(film_id)).state == "queued"
    with pytest.raises(ConflictError):
        await house.films.retry(film_id)


async def test_a_process_that_dies_is_tried_again_and_given_up_in_the_end(house: House) -> None:
    """A decoder that crashes on a track must not do so for ever."""
    film_id = await house.ask(await house.record(lasts_ms=LONG_MS))
    states = []
    for _ in range(3):
        async with making(house, film_id) as task:
            work = house.films._work
            assert work is not None
            assert work.process is not None
            work.process.kill()
            assert await task
        states.append((await house.film(film_id)).state)

    film = await house.film(film_id)
    assert states == ["queued", "queued", "failed"]
    assert (film.error, film.attempts) == ("crashed", 3)
    assert house.parts() == []


async def test_after_a_restart_a_half_film_is_made_again(house: House) -> None:
    """Stopped with the server, it waits as before; killed with it, its half file is put on the list to destroy."""
    film_id = await house.ask(await house.record(lasts_ms=LONG_MS))
    async with making(house, film_id):
        pass
    film = await house.film(film_id)
    assert (film.state, film.attempts, house.parts()) == ("queued", 0, [])

    half = _sealed(house.lifecycle.files, b"half a film")
    values = {"state": "making", "file_id": half, "attempts": 1}
    await house.lifecycle.db.work(lambda conn: conn.execute(update(films).values(**values)) and None)
    await house.lifecycle.db.work(
        lambda conn: conn.execute(update(recording_tracks).values(duration_ms=LASTS_MS)) and None
    )
    running = asyncio.create_task(Films(house.lifecycle).run())

    async def ready() -> bool:
        return bool((await house.film(film_id)).state == "ready")

    await until(ready)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    waiting = await house.lifecycle.db.study(lambda conn: list(conn.execute(select(pending_gone.c.file_id))))
    assert waiting == []
    assert not house.lifecycle.files.exists(half)


async def test_whoever_is_taken_out_is_in_no_film_any_more(house: House) -> None:
    """The ready film goes, with its key; the one made instead has only the others."""
    film_id = await house.ask(await house.record())
    await house.films.make_next()
    old = (await house.film(film_id)).file_id

    await house.take_out("bob")

    assert not house.lifecycle.files.exists(old)
    with pytest.raises(KeyGoneError):
        house.lifecycle.keys.get(old)
    assert await house.films.make_next()
    (film,) = await house.all_films()
    assert film.id != film_id
    assert film.state == "ready"
    with house.lifecycle.files.open(film.file_id) as reader:
        seen = look(reader)
    assert is_like(seen.at(700, 160, 90), RED)
    assert seen.loudness(1000, 300, 1300) < 0.005


async def test_taking_somebody_out_ends_the_work_on_a_film_that_shows_them(house: House) -> None:
    """At once: when it returns, no process holds a key of theirs. Until their rows are gone they are in no new film."""
    film_id = await house.ask(await house.record(lasts_ms=LONG_MS), height=360)
    async with making(house, film_id) as task:
        await house.films.withdraw([house.people["bob"]])
        assert task.done() or house.films._work is None
        assert house.parts() == []
    (film,) = await house.all_films()
    assert (film.state, film.height) == ("queued", 360)

    async with making(house, film.id):
        assert house.films._work is not None
        assert [person.name for person in house.films._work.order.people] == ["Ada"]


async def test_when_everybody_was_taken_out_no_film_waits(house: House) -> None:
    """There is nothing to make."""
    film_id = await house.ask(await house.record())
    await house.films.make_next()

    await house.take_out("ada")
    await house.take_out("bob")

    assert not await house.films.make_next()
    assert await house.all_films() == []
    assert await house.film(film_id) is None


async def test_people_who_restricted_the_use_of_their_data_are_left_out(house: House) -> None:
    """Article 18 GDPR: what is restricted is kept, and not used."""
    film_id = await house.ask(await house.record(lasts_ms=LONG_MS))

    def restrict(conn: Connection) -> None:
        bob = recording_people.c.id == house.people["bob"]
        seat = conn.execute(select(recording_people.c.participant_id).where(bob)).scalar_one()
        conn.execute(
            insert(processing_limits).values(id=new_id(), participant_id=seat, cause="restriction", from_ms=NOW_MS)
        )

    await house.lifecycle.db.work(restrict)

    async with making(house, film_id):
        assert house.films._work is not None
        assert [person.name for person in house.films._work.order.people] == ["Ada"]


async def test_films_are_made_anew_with_the_same_options(house: House) -> None:
    """When whom they may show has changed."""
    recording_id = await house.record()
    film_id = await house.ask(recording_id, format="webm", layout="speaker")
    await house.films.make_next()

    await house.films.restale(recording_id)

    (film,) = await house.all_films()
    assert film.id != film_id
    assert (film.state, film.format, film.layout, film.height) == ("queued", "webm", "speaker", 180)


async def test_no_film_is_made_on_the_room_that_recordings_under_way_need(tmp_path: Path) -> None:
    """A film can be made later, a meeting cannot be repeated."""
    config = {"recording": RecordingConfig(min_free_gigabytes=10_000)}
    async with open_lifecycle(tmp_path, config=config) as lifecycle:
        house = House(lifecycle, Films(lifecycle))
        film_id = await house.ask(await house.record())

        await house.films.make_next()

        film = await house.film(film_id)
        assert (film.state, film.error, film.file_id) == ("failed", "disk_full", None)
        assert house.parts() == []


async def test_a_disk_that_does_not_say_how_full_it_is_stops_no_meeting(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network disk may hang for a minute; whoever talks meanwhile shares the event loop with this."""
    asked = []
    told = shutil.disk_usage

    def usage(path: Path) -> Any:
        asked.append(threading.current_thread() is threading.main_thread())
        return told(path)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    await house.ask(await house.record())
    await house.films.make_next()

    assert asked
    assert not any(asked)


async def test_a_recording_has_no_more_films_than_it_may(house: House) -> None:
    """However many are asked for in the same moment; one that waits already is no further one."""
    recording_id = await house.record()
    wishes = [{"height": 180 + 2 * number} for number in range(MOST_FILMS + 5)]
    answers = await asyncio.gather(*(house.ask(recording_id, **wish) for wish in wishes), return_exceptions=True)

    assert [type(each) for each in answers if not isinstance(each, str)] == [TooManyError] * 5
    assert len(await house.all_films()) == MOST_FILMS
    known = next(wish for wish, answer in zip(wishes, answers, strict=True) if isinstance(answer, str))
    assert await house.ask(recording_id, **known) in answers


async def test_tracks_without_key_are_left_out(house: House) -> None:
    """Their key was destroyed, so there is nothing to be shown."""
    film_id = await house.ask(await house.record())

    def shred(conn: Connection) -> list[str]:
        theirs = recording_tracks.c.person_id == house.people["bob"]
        return list(conn.execute(select(recording_tracks.c.file_id).where(theirs)).scalars())

    house.lifecycle.keys.shred(*await house.lifecycle.db.study(shred))
    await house.films.make_next()

    film = await house.film(film_id)
    with house.lifecycle.files.open(film.file_id) as reader:
        seen = look(reader)
    assert film.state == "ready"
    assert seen.loudness(1000, 300, 1300) < 0.005
    assert not any(is_like(seen.at(700, x, 90), BLUE) or is_like(seen.at(700, x, 90), GREEN) for x in (80, 240))


async def test_what_was_made_and_withdrawn_stands_in_the_audit_log(house: House) -> None:
    """Ids and counts only."""
    await house.ask(await house.record())
    await house.films.make_next()
    await house.take_out("ada")

    def said(conn: Connection) -> list[str]:
        return list(conn.execute(select(audit_events.c.action).order_by(audit_events.c.sequence)).scalars())

    assert await house.lifecycle.db.study(said) == ["film.made", "film.withdrawn"]
