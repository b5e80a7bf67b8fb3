"""What the operator does with recordings, through the same door as the command line."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.support.migrated import prepare
from tests.support.recordings import FILM, Made, MakerOfOneFilm, Seat, change_recording, make_recording, sealed, sound

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.db.schema import films, recording_people, recording_tracks, recording_views, recordings
from pymeet.errors import ConflictError, NotFoundError, PymeetError
from pymeet.ops.operations import run
from pymeet.ops.services import Services, open_services
from pymeet.privacy.holds import place
from pymeet.retention import days


@dataclass
class Scene:
    """A room, two members, one recording."""

    services: Services
    ada: str
    bob: str
    made: Made

    async def do(self, name: str, **arguments: Any) -> Any:
        return await run(self.services, f"recording.{name}", arguments)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Ada and Bob were recorded."""
    prepare(tmp_path / "data" / "pymeet.db")
    async with open_services(Config(data_dir=tmp_path / "data"), ManualClock()) as services:
        ids = [
            (await run(services, "user.add", {"name": name, "email": f"{name.lower()}@example.org"}))["id"]
            for name in ("Ada", "Bob")
        ]
        await run(services, "room.create", {"name": "Tea", "slug": "tea-time", "owner": "ada@example.org"})
        people = {"Ada": Seat(ids[0]), "Bob": Seat(ids[1])}
        made = await make_recording(services.lifecycle, "tea-time", ids[0], people, track=sound(), film=sound())
        yield Scene(services, *ids, made)


async def rows(services: Services, table: Any) -> list[Any]:
    async with services.db.read() as conn:
        return list((await conn.execute(select(table))).mappings())


async def test_recordings_are_listed_by_room_and_trash(scene: Scene) -> None:
    """With what an operator has to know: size, dates, and whether something keeps it."""
    (found,) = await scene.do("list", room="tea-time")

    assert (found["id"], found["people"], found["film"], found["state"]) == (scene.made.id, 2, "ready", "ended")
    assert found["size_bytes"] > 0
    assert found["held"] is False
    assert await scene.do("list", trash=True) == []
    with pytest.raises(NotFoundError):
        await scene.do("list", room="no-room")


async def test_one_is_shown_with_everybody_in_it(scene: Scene) -> None:
    """The ids are what other commands take."""
    shown = await scene.do("show", recording_id=scene.made.id)

    assert [(each["name"], each["kind"]) for each in shown["people"]] == [("Ada", "member"), ("Bob", "member")]
    assert shown["people"][1]["tracks"][0]["id"] == scene.made.tracks["Bob"]
    with pytest.raises(NotFoundError):
        await scene.do("show", recording_id="A" * 22)


async def test_the_trash_and_back(scene: Scene) -> None:
    """As long as its time is not over."""
    gone = await scene.do("delete", recording_id=scene.made.id)

    assert gone["delete_at"] is not None
    assert [each["state"] for each in await scene.do("list", trash=True)] == ["trash"]
    assert await scene.do("list") == []
    await scene.do("restore", recording_id=scene.made.id)
    assert [each["state"] for each in await scene.do("list")] == ["ended"]


@pytest.mark.parametrize("first", ["delete", None])
async def test_for_good_means_that_keys_and_files_are_gone(scene: Scene, first: str | None) -> None:
    """From the trash or not."""
    if first:
        await scene.do(first, recording_id=scene.made.id)

    done = await scene.do("delete", recording_id=scene.made.id, now=True)

    assert done == {"deleted": True, "files_removed": True, "delete_at": None}
    assert list(scene.services.files.ids()) == []
    for table in (recordings, recording_people, recording_tracks, films):
        assert await rows(scene.services, table) == []


async def test_what_is_held_or_still_runs_is_not_deleted(scene: Scene) -> None:
    """Neither by force."""
    now_ms = scene.services.clock.now_ms()
    room_id = (await scene.services.meetings.room("tea-time")).id
    await scene.services.db.work(
        lambda conn: place(
            conn,
            reason="legal_claim",
            review_at_ms=now_ms + days(1),
            now_ms=now_ms,
            actor="operator",
            room_id=room_id,
        )
    )
    running = await make_recording(scene.services.lifecycle, "tea-time", scene.ada, {}, running=True)

    with pytest.raises(ConflictError) as held:
        await scene.do("delete", recording_id=scene.made.id, now=True)
    with pytest.raises(ConflictError) as runs:
        await scene.do("delete", recording_id=running.id, now=True)

    assert (held.value.code, runs.value.code) == ("held", "still_recording")
    assert (await scene.do("show", recording_id=scene.made.id))["held"] is True


async def test_files_are_named_so_that_nothing_is_written_elsewhere(scene: Scene) -> None:
    """What people call themselves is no path."""
    async with scene.services.db.write() as conn:
        await conn.execute(update(recording_people).values(name="../../x\u202e/Bob"))
    await change_recording(scene.services.lifecycle, scene.made.id, name="a/b:c\\..")

    (film,) = await scene.do("files", recording_id=scene.made.id)
    tracks = await scene.do("files", recording_id=scene.made.id, tracks=True)

    assert film["name"] == "a b c 2023-11-14.mp4"
    assert [each["name"] for each in tracks] == [
        "a b c 2023-11-14 x Bob microphone 1.mka",
        "a b c 2023-11-14 x Bob microphone 2.mka",
    ]
    assert {each["file_id"] for each in tracks} == set(scene.made.track_files.values())


async def test_taking_along_is_told_to_the_people_in_it(scene: Scene) -> None:
    """Also when it was done on the server's machine."""
    await scene.do("files", recording_id=scene.made.id)
    await scene.do("files", recording_id=scene.made.id, tracks=True)

    seen = await rows(scene.services, recording_views)

    assert [(each["kind"], each["user_id"], each["share_id"]) for each in seen] == [
        ("film_download", None, None),
        ("track_download", None, None),
    ]


async def test_without_a_film_it_says_how_to_get_one(scene: Scene) -> None:
    """And so it does for one that shows somebody who may not be shown."""
    async with scene.services.db.write() as conn:
        await conn.execute(update(films).values(state="failed"))

    with pytest.raises(ConflictError, match="pymeet recording compose"):
        await scene.do("files", recording_id=scene.made.id)


async def test_a_film_is_made_as_configured_or_as_asked(scene: Scene) -> None:
    """By the running server."""
    with pytest.raises(ConflictError) as refused:
        await scene.do("compose", recording_id=scene.made.id)
    assert refused.value.code == "no_server"
    maker = MakerOfOneFilm(scene.services.lifecycle)
    scene.services = replace(scene.services, films=maker)

    made = await scene.do("compose", recording_id=scene.made.id)
    await scene.do("compose", recording_id=scene.made.id, film_format="webm", layout="speaker", height=360, names=False)

    assert (made["format"], made["height"]) == ("mp4", 720)
    assert maker.asked == [
        {"layout": "grid", "format": "mp4", "height": 720, "with_names": True},
        {"layout": "speaker", "format": "webm", "height": 360, "with_names": False},
    ]


async def test_a_film_that_failed_is_an_error(scene: Scene) -> None:
    """A script must not go on as if there were one."""
    scene.services = replace(scene.services, films=MakerOfOneFilm(scene.services.lifecycle, state="failed"))

    with pytest.raises(PymeetError) as failed:
        await scene.do("compose", recording_id=scene.made.id)

    assert failed.value.code == "film_failed"


async def test_what_is_whole_is_found_whole(scene: Scene) -> None:
    """Read to the end, and decoded."""
    assert await scene.do("verify") == {"tracks": 2, "films": 1, "findings": []}
    assert await scene.do("verify", recording_id=scene.made.id) == {"tracks": 2, "films": 1, "findings": []}
    with pytest.raises(NotFoundError):
        await scene.do("verify", recording_id="A" * 22)


async def test_everything_that_can_be_wrong_with_a_file_is_found(scene: Scene) -> None:
    """Gone, changed, unplayable, left open by a crash, or belonging to nothing."""
    services, made = scene.services, scene.made
    services.files.destroy(made.track_files["Ada"])
    path = services.files.path(made.film_file)
    broken = bytearray(path.read_bytes())
    broken[len(broken) // 2] ^= 1
    path.write_bytes(broken)
    noise, unknown = (sealed(services.files, FILM, 1) for _ in range(2))
    async with services.db.write() as conn:
        mine = recording_tracks.c.id == made.tracks["Bob"]
        await conn.execute(update(recording_tracks).where(mine).values(file_id=noise))
    left = await make_recording(services.lifecycle, "tea-time", scene.ada, {"Ada": Seat(scene.ada)}, running=True)
    await change_recording(services.lifecycle, left.id, ended_at_ms=services.clock.now_ms(), end_reason="crash")

    found = (await scene.do("verify"))["findings"]

    assert {(each["kind"], each["id"], each["what"]) for each in found} == {
        ("track", made.tracks["Ada"], "missing"),
        ("track", made.tracks["Bob"], "not_playable"),
        ("track", left.tracks["Ada"], "unfinished"),
        ("film", made.film, "damaged"),
        ("file", made.track_files["Bob"], "unknown_file"),
        ("file", unknown, "unknown_file"),
    }


async def test_tracks_that_are_being_written_are_not_complained_about(scene: Scene) -> None:
    """A meeting is recorded now."""
    await make_recording(scene.services.lifecycle, "tea-time", scene.ada, {"Ada": Seat(scene.ada)}, running=True)

    assert (await scene.do("verify"))["findings"] == []


@pytest.mark.parametrize("how", ["seat", "email", "account"])
async def test_one_person_is_taken_out_however_they_are_named(scene: Scene, how: str) -> None:
    """Their track goes with its key; the other's stays as it is."""
    who = {"seat": scene.made.people["Bob"], "email": "bob@example.org", "account": scene.bob}[how]
    plan = await scene.do("remove_person", recording_id=scene.made.id, who=who, dry_run=True)
    assert (plan["tracks"], plan["messages"], plan["films"], plan["dry_run"]) == (1, 1, 1, True)
    assert len(await rows(scene.services, recording_tracks)) == 2

    done = await scene.do("remove_person", recording_id=scene.made.id, who=who)

    assert (done["tracks"], done["files_left"], done["log_emptied"]) == (1, 0, True)
    assert [each["name"] for each in await rows(scene.services, recording_people)] == ["Ada"]
    assert {each for each, _, _ in scene.services.files.ids()} == {scene.made.track_files["Ada"]}
    with pytest.raises(NotFoundError):
        await scene.do("remove_person", recording_id=scene.made.id, who="bob@example.org")
