"""Films and tracks by ranges (RFC 9110): as players, download managers and hostile clients ask for them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from live_server import Visitor, visiting
from privacy_people import Person, person
from sqlalchemy import update
from tests.support.recordings import FILM, TRACK, Made, Seat, change_recording, make_recording

from pymeet.db.schema import films, recording_people, recording_tracks, recording_views
from pymeet.server import Server

LARGE = bytes(range(256)) * 40_000
"""Ten megabytes: more than fits into the buffers between two sockets."""


@dataclass
class Scene:
    """Ann and what she recorded."""

    ann: Person
    made: Made
    film: str
    track: str


@pytest.fixture
async def scene(server: Server, admin: Visitor) -> AsyncIterator[Scene]:
    """One film of five hundred pieces."""
    async with person(server, "Ann") as ann:
        yield await recorded(server, ann)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_scene(shared_server: Server, shared_admin: Visitor) -> AsyncIterator[Scene]:
    """The same, for tests that only ask for it."""
    async with person(shared_server, "Ann") as ann:
        yield await recorded(shared_server, ann)


async def recorded(server: Server, ann: Person) -> Scene:
    """Makes the recording."""
    slug = await ann.make_room()
    made = await make_recording(server.lifecycle, slug, ann.id, {"Ann": Seat(ann.id)}, name="Tea")
    url = f"/api/v1/recordings/{made.id}"
    return Scene(ann, made, f"{url}/films/{made.film}/file", f"{url}/tracks/{made.tracks['Ann']}/file")


async def asked(scene: Scene, path: str = "", method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body of the answer."""
    async with scene.ann.http.request(method, path or scene.film, headers=headers) as response:
        return response.status, response.headers, await response.read()


@pytest.mark.asyncio(loop_scope="module")
async def test_the_whole_film_comes_as_it_was_sealed(shared_scene: Scene) -> None:
    """With what a browser must know, and nothing that lets it guess or keep."""
    status, headers, body = await asked(shared_scene)

    assert (status, body) == (200, FILM)
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Content-Length"] == str(len(FILM))
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == "inline"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers.getall("Content-Security-Policy") == [headers["Content-Security-Policy"]]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].endswith("; sandbox")
    assert shared_scene.made.film_file not in str(headers)


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, len(FILM)),
        ("bytes=65530-65545", 65530, 65546),  # over the border of two chunks
        ("bytes=1000-999999999", 1000, len(FILM)),
        ("bytes=-500", len(FILM) - 500, len(FILM)),
        ("bytes=-999999999", 0, len(FILM)),
        (f"bytes={len(FILM) - 1}-", len(FILM) - 1, len(FILM)),
        ("BYTES=5-6", 5, 7),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_part_is_that_part(shared_scene: Scene, wanted: str, start: int, end: int) -> None:
    """To the byte, from anywhere."""
    status, headers, body = await asked(shared_scene, Range=wanted)

    assert (status, body) == (206, FILM[start:end])
    assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(FILM)}"
    assert headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("wanted", [f"bytes={len(FILM)}-", "bytes=99999999-", "bytes=-0"])
@pytest.mark.asyncio(loop_scope="module")
async def test_what_lies_behind_the_end_cannot_be_had(shared_scene: Scene, wanted: str) -> None:
    """The answer says how long the film is."""
    status, headers, _ = await asked(shared_scene, Range=wanted)

    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(FILM)}")


@pytest.mark.parametrize(
    "wanted", ["bytes=5-1", "bytes=a-b", "bytes=-", "items=0-1", "bytes=0-1,5-6", "bytes 0-1", f"bytes={'9' * 400}-"]
)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_no_single_range_gets_the_whole(shared_scene: Scene, wanted: str) -> None:
    """As the RFC allows; a thousand ranges in one request would be work for nothing."""
    status, headers, body = await asked(shared_scene, Range=wanted)

    assert (status, len(body)) == (200, len(FILM))
    assert "Content-Range" not in headers


@pytest.mark.asyncio(loop_scope="module")
async def test_a_tag_says_whether_it_is_still_the_same_film(shared_scene: Scene) -> None:
    """A download that goes on must not be put together from two films."""
    _, headers, _ = await asked(shared_scene)
    tag = headers["ETag"]
    assert not tag.startswith("W/")

    assert (await asked(shared_scene, **{"Range": "bytes=0-9", "If-Range": tag}))[0] == 206
    for other in ('"another"', f"W/{tag}", "Sat, 21 Nov 2026 12:00:00 GMT", "nonsense"):
        assert (await asked(shared_scene, **{"Range": "bytes=0-9", "If-Range": other}))[0] == 200
    assert (await asked(shared_scene, **{"If-None-Match": tag}))[0] == 304
    assert (await asked(shared_scene, **{"If-None-Match": '"another"'}))[0] == 200
    assert (await asked(shared_scene, **{"If-Match": tag}))[0] == 200
    assert (await asked(shared_scene, **{"If-Match": '"another"'}))[0] == 412
    assert (await asked(shared_scene, shared_scene.track))[1]["ETag"] != tag


async def test_head_tells_everything_but_the_film(server: Server, scene: Scene) -> None:
    """And is no look at it."""
    status, headers, body = await asked(scene, method="HEAD", Range="bytes=0-9")

    assert (status, body) == (200, b"")
    assert headers["Content-Length"] == str(len(FILM))
    assert headers["ETag"]
    async with server.database.read() as conn:
        assert (await conn.execute(recording_views.select())).first() is None


@pytest.mark.parametrize(
    ("called", "plain", "spelled"),
    [
        ("Tea", "Tea", "Tea"),
        ("Grüße aus Łódź", "Gr__e aus __d_", "Gr%C3%BC%C3%9Fe%20aus%20%C5%81%C3%B3d%C5%BA"),
        ('a"; filename="evil.exe', "a filename=evil.exe", None),
        ("../../etc/passwd\r\nX: y", ".. etc passwd X y", None),
        ("\u202efdp.exe", "fdp.exe", None),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_film_is_stored_under_a_harmless_name(
    shared_server: Server, shared_scene: Scene, called: str, plain: str, spelled: str | None
) -> None:
    """Whatever the recording is called (RFC 6266)."""
    await change_recording(shared_server.lifecycle, shared_scene.made.id, name=called)

    _, headers, body = await asked(shared_scene, f"{shared_scene.film}?download=1")

    said = headers["Content-Disposition"]
    assert body == FILM
    assert said.startswith("attachment; filename=")
    assert said.count('"') == 2
    assert said.endswith(".mp4")
    assert not any(each in said for each in ("\r", "\n", "/", "\\", "\u202e"))
    if spelled is not None:
        assert f"filename*=UTF-8''{spelled}%20" in said
        assert f'filename="{plain} ' in said
    assert "X" not in headers


async def test_a_track_plays_like_a_film(scene: Scene) -> None:
    """In the type that browsers know."""
    status, headers, body = await asked(scene, scene.track, Range="bytes=10-19")

    assert (status, body) == (206, TRACK[10:20])
    assert headers["Content-Type"] == "audio/webm"


async def test_what_is_not_ready_is_not_sent(server: Server, scene: Scene) -> None:
    """Half a film helps nobody, and a track that is being written has no end."""
    async with server.database.write() as conn:
        await conn.execute(update(films).values(state="making"))
        await conn.execute(update(recording_tracks).values(state="writing"))

    assert (await asked(scene))[0] == 409
    assert (await asked(scene, scene.track))[0] == 409


async def test_a_file_without_key_is_not_there(server: Server, scene: Scene) -> None:
    """Shredding the key is deleting the film, whatever is left on the disk."""
    server.lifecycle.keys.shred(scene.made.film_file)

    assert (await asked(scene))[0] == 404


async def test_a_film_of_another_recording_is_not_found_here(server: Server, scene: Scene) -> None:
    """Ids count only in their place."""
    async with person(server, "Eve") as eve:
        slug = await eve.make_room()
        own = await make_recording(server.lifecycle, slug, eve.id, {"Eve": Seat(eve.id)})
        for path in (
            f"/api/v1/recordings/{own.id}/films/{scene.made.film}/file",
            f"/api/v1/recordings/{own.id}/tracks/{scene.made.tracks['Ann']}/file",
        ):
            async with eve.http.get(path) as response:
                assert response.status == 404


async def _large(server: Server, scene: Scene, film: bytes = LARGE) -> tuple[str, Made]:
    async with server.database.read() as conn:
        (owner,) = (await conn.execute(recording_people.select())).mappings()
    _, rooms = await scene.ann.json("GET", "/api/v1/rooms")
    slug = rooms["rooms"][0]["slug"]
    made = await make_recording(server.lifecycle, slug, owner["user_id"], {"Ann": Seat(owner["user_id"])}, film=film)
    return f"/api/v1/recordings/{made.id}/films/{made.film}/file", made


async def test_whoever_leaves_in_the_middle_leaves_nothing_open(server: Server, scene: Scene) -> None:
    """Players do that at every jump."""
    path, made = await _large(server, scene)
    for _ in range(5):
        response = await scene.ann.http.get(path)
        assert response.status == 200
        await response.content.readexactly(1000)
        response.close()

    async with scene.ann.http.get(path, headers={"Range": "bytes=-10"}) as response:
        assert await response.read() == LARGE[-10:]
    server.lifecycle.files.destroy(made.film_file)


async def test_a_film_that_is_destroyed_meanwhile_breaks_off(server: Server, scene: Scene) -> None:
    """Whoever was taken out is not watched to the end by those who had begun."""
    path, made = await _large(server, scene)

    async with scene.ann.http.get(path) as response:
        await response.content.readexactly(1000)
        await asyncio.to_thread(server.lifecycle.files.destroy, made.film_file)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


@pytest.mark.parametrize("how", ["taken along", "watched"])
async def test_whoever_must_not_have_it_any_more_does_not_get_the_rest(server: Server, scene: Scene, how: str) -> None:
    """A share that ends, a film withdrawn, a session closed: not only for the next request."""
    path, made = await _large(server, scene, LARGE * 4)
    query = "?download=1" if how == "taken along" else ""

    async with scene.ann.http.get(path + query) as response:
        await response.content.readexactly(1000)
        await change_recording(server.lifecycle, made.id, trashed_at_ms=server.clock.now_ms())
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_a_link_that_ends_ends_what_is_played_by_it(server: Server, scene: Scene) -> None:
    """Nobody watches to the end what is no longer shared with them."""
    path, made = await _large(server, scene, LARGE * 4)
    url = f"/api/v1/recordings/{made.id}/shares"
    status, share = await scene.ann.json("POST", url, {"days": 7})
    assert status == 201
    async with visiting(server) as stranger:
        token = share["url"].partition("#")[2]
        assert (await stranger.json("POST", "/api/v1/shared-recordings", {"token": token}))[0] == 200
        async with stranger.http.get(path) as response:
            assert response.status == 200
            await response.content.readexactly(1000)
            assert (await scene.ann.json("DELETE", f"{url}/{share['id']}"))[0] == 204
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


async def test_a_film_longer_than_what_is_asked_again_after_comes_whole(server: Server, scene: Scene) -> None:
    """Asking in between changes nothing for who may."""
    path, _ = await _large(server, scene, LARGE * 2)
    async with scene.ann.http.get(path) as response:
        assert await response.read() == LARGE * 2


async def test_many_watch_at_once(server: Server, scene: Scene) -> None:
    """Each from elsewhere."""
    path, _ = await _large(server, scene)

    async def part(start: int) -> bool:
        async with scene.ann.http.get(path, headers={"Range": f"bytes={start}-{start + 99_999}"}) as response:
            return await response.read() == LARGE[start : start + 100_000]

    assert all(await asyncio.gather(*(part(start) for start in range(0, 2_000_000, 100_000))))
