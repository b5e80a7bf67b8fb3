"""The catalogue of recordings over HTTP: who sees what, the trash, pinning, sharing, and who looked."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import av
import pytest
from live_server import Visitor, visiting
from privacy_people import Person, guest_was_there, person
from sqlalchemy import Connection, select
from tests.support.recordings import FILM, LASTS_MS, TRACK, Made, Seat, change_recording, make_recording, sound

from pymeet.db.schema import audit_events, recording_shares, recording_views
from pymeet.privacy import consents, holds, receipts
from pymeet.privacy.holds import Hold
from pymeet.privacy.people import member
from pymeet.recording.removal import finish
from pymeet.retention import days
from pymeet.server import Server

API = "/api/v1/recordings"
LINK = "/api/v1/shared-recordings"
PASSWORD = "a password of a link"


@dataclass
class Scene:
    """Ann hosts and records; Bob is in it, and so is a guest; Cleo knows of nothing; Dan looks after requests."""

    ann: Person
    bob: Person
    cleo: Person
    dan: Person
    slug: str
    receipt: str
    made: Made

    @property
    def url(self) -> str:
        return f"{API}/{self.made.id}"

    @property
    def film(self) -> str:
        return f"{self.url}/films/{self.made.film}/file"

    def track(self, name: str) -> str:
        return f"{self.url}/tracks/{self.made.tracks[name]}/file"


@pytest.fixture
async def scene(server: Server, admin: Visitor) -> AsyncIterator[Scene]:
    """A meeting was recorded."""
    async with AsyncExitStack() as stack:
        ann, bob, cleo = [await stack.enter_async_context(person(server, each)) for each in ("Ann", "Bob", "Cleo")]
        dan = await stack.enter_async_context(person(server, "Dan", "dpo"))
        slug = await ann.make_room("Garden")
        receipt = await guest_was_there(server, slug, "Gail")
        key = await asyncio.to_thread(server.lifecycle.keys.purpose_key, receipts.PURPOSE)
        seat = receipts.read(key, receipt).participant_id
        people = {"Ann": Seat(ann.id), "Bob": Seat(bob.id), "Gail": Seat(participant_id=seat)}
        made = await make_recording(server.lifecycle, slug, ann.id, people, name="Planting")
        yield Scene(ann, bob, cleo, dan, slug, receipt, made)


async def names(visitor: Visitor, query: str = "") -> list[str]:
    """The names of the recordings that somebody is shown."""
    status, answer = await visitor.json("GET", f"{API}{query}")
    assert status == 200, answer
    return [each["name"] for each in answer["recordings"]]


async def status_of(visitor: Visitor, path: str, **options: Any) -> int:
    async with visitor.http.get(path, **options) as response:
        await response.read()
        return response.status


async def actions(server: Server) -> list[str]:
    """What the audit log says was done with recordings."""
    async with server.database.read() as conn:
        found = (await conn.execute(select(audit_events.c.action).order_by(audit_events.c.sequence))).scalars()
        return [each for each in found if each.startswith(("recording.", "film.", "data.viewed"))]


async def test_those_who_are_in_it_see_it_and_nobody_else_learns_that_it_is_there(scene: Scene) -> None:
    """A stranger's answer is that of an address that leads nowhere."""
    assert await names(scene.ann) == await names(scene.bob) == ["Planting"]
    for stranger in (scene.cleo, scene.dan):
        assert await names(stranger) == []
        for method, path in (("GET", scene.url), ("DELETE", scene.url), ("POST", f"{scene.url}/restore")):
            assert (await stranger.json(method, path))[0] == 404
        assert await status_of(stranger, scene.film) == 404
        assert await status_of(stranger, scene.track("Bob")) == 404
        removing = f"{scene.url}/people/{scene.made.people['Bob']}/remove"
        assert (await stranger.json("POST", removing))[0] == 404
        assert (await stranger.json("POST", f"{scene.url}/shares", {"days": 1}))[0] == 404


async def test_without_account_there_is_nothing(scene: Scene, visitor: Visitor) -> None:
    """Neither lists nor films."""
    for path in (API, scene.url, scene.film, scene.track("Ann")):
        assert await status_of(visitor, path) == 401


async def test_an_owner_sees_everything_there_is_to_know(scene: Scene) -> None:
    """People with their tracks, what happened, films, and when it goes."""
    status, shown = await scene.ann.json("GET", scene.url)

    assert status == 200
    assert (shown["name"], shown["room"]) == ("Planting", {"slug": scene.slug, "name": "Garden"})
    assert (shown["mine"], shown["state"], shown["duration_ms"]) == (True, "ended", LASTS_MS)
    assert shown["size"] == len(FILM) + 3 * len(TRACK)
    assert shown["delete_at"] == shown["ended_at"] + days(90)
    assert (shown["pinned_until"], shown["trashed_at"], shown["held"]) == (None, None, False)
    assert [(each["name"], each["you"]) for each in shown["people"]] == [
        ("Ann", True),
        ("Bob", False),
        ("Gail", False),
    ]
    assert shown["people"][0]["tracks"][0]["source"] == "microphone"
    assert {each["text"] for each in shown["events"]} == {None, "by Ann", "by Bob", "by Gail"}
    assert [(each["id"], each["state"]) for each in shown["films"]] == [(scene.made.film, "ready")]
    assert shown["film"]["id"] == scene.made.film
    assert {"view", "rename", "delete", "share", "pin", "compose", "views"} <= set(shown["may"])
    assert (shown["shares"], shown["views"]) == ([], [])


async def test_who_is_in_it_watches_and_changes_nothing(scene: Scene) -> None:
    """It belongs to everybody in it, and a host looks after it."""
    status, shown = await scene.bob.json("GET", scene.url)

    assert (status, shown["mine"]) == (200, False)
    assert set(shown["may"]) == {"view", "tracks", "download", "views"}
    assert "shares" not in shown
    assert shown["views"] == []
    for method, path, body in (
        ("PATCH", scene.url, {"name": "Mine"}),
        ("DELETE", scene.url, None),
        ("POST", f"{scene.url}/shares", {"days": 1}),
        ("POST", f"{scene.url}/people/{scene.made.people['Ann']}/remove", None),
        ("DELETE", f"{scene.url}/films/{scene.made.film}", None),
    ):
        assert (await scene.bob.json(method, path, body))[0] == 403


async def test_the_owner_of_the_room_may_do_what_the_host_may(server: Server, scene: Scene) -> None:
    """An administrator who hosts somebody's room records in it; it stays that person's room."""
    made = await make_recording(server.lifecycle, scene.slug, scene.bob.id, {}, name="By Bob")

    assert (await scene.ann.json("PATCH", f"{API}/{made.id}", {"name": "Renamed"}))[0] == 204
    assert (await scene.bob.json("PATCH", f"{API}/{made.id}", {"name": "By Bob"}))[0] == 204


async def test_an_administrator_sees_that_it_is_there_and_not_what_is_in_it(
    server: Server, scene: Scene, admin: Visitor
) -> None:
    """They look after the disk: name, size, dates, and the trash. That they looked is in the audit log."""
    assert await names(admin) == []
    status, listed = await admin.json("GET", f"{API}?others=true")
    (row,) = listed["recordings"]
    assert (row["name"], row["people"], row["film"]) == ("Planting", [], None)
    assert set(row["may"]) == {"delete"}
    assert listed["storage"]["bytes"] == row["size"]
    assert listed["storage"]["free_bytes"] > 0

    status, shown = await admin.json("GET", scene.url)

    assert status == 200
    assert not {"events", "films", "shares", "views"} & set(shown)
    assert await status_of(admin, scene.film) == await status_of(admin, scene.track("Ann")) == 403
    assert await names(admin, "?others=true&search=bob") == []
    assert (await actions(server)).count("data.viewed") == 2
    assert (await scene.ann.json("GET", f"{API}?others=true"))[1].get("storage") is None
    assert (await admin.json("DELETE", scene.url))[0] == 204
    assert (await admin.json("POST", f"{scene.url}/restore"))[0] == 204


async def test_what_is_over_is_gone_for_everybody_to_the_millisecond(server: Server, scene: Scene) -> None:
    """However late the sweep is."""
    over = server.clock.now_ms() - days(90)
    await change_recording(server.lifecycle, scene.made.id, keep_from_ms=over)

    assert await names(scene.ann) == []
    assert (await scene.ann.json("GET", scene.url))[0] == 404
    assert await status_of(scene.bob, scene.film) == 404


async def test_the_trash_takes_it_from_everybody_and_gives_it_back(server: Server, scene: Scene) -> None:
    """Deleting by mistake costs nothing for seven days."""
    token = await _link(scene)
    assert (await scene.ann.json("POST", f"{scene.url}/shares", {"email": scene.cleo.email}))[0] == 201
    assert (await scene.ann.json("DELETE", scene.url))[0] == 204

    assert await names(scene.ann) == await names(scene.cleo) == []
    assert await names(scene.ann, "?trash=true") == await names(scene.bob, "?trash=true") == ["Planting"]
    assert await names(scene.cleo, "?trash=true") == []
    assert (await scene.cleo.json("GET", scene.url))[0] == 404
    status, shown = await scene.ann.json("GET", scene.url)
    assert shown["delete_at"] == shown["trashed_at"] + days(7)
    assert set(shown["may"]) == {"restore", "remove", "views"}
    assert await status_of(scene.ann, scene.film) == 409
    async with visiting(server) as stranger:
        assert (await stranger.json("POST", LINK, {"token": token}))[0] == 404
    status, problem = await scene.ann.json("PATCH", scene.url, {"name": "x"})
    assert (status, problem["code"]) == (409, "in_trash")

    assert (await scene.ann.json("POST", f"{scene.url}/restore"))[0] == 204

    assert await names(scene.bob) == await names(scene.cleo) == ["Planting"]
    status, problem = await scene.ann.json("POST", f"{scene.url}/restore")
    assert (status, problem["code"]) == (409, "not_in_trash")
    assert {"recording.trashed", "recording.restored"} <= set(await actions(server))


async def test_one_that_still_runs_is_shown_and_left_alone(server: Server, scene: Scene) -> None:
    """Its files are being written."""
    made = await make_recording(
        server.lifecycle, scene.slug, scene.ann.id, {"Ann": Seat(scene.ann.id)}, name="Now", running=True
    )
    url = f"{API}/{made.id}"

    _, listed = await scene.ann.json("GET", API)

    (now,) = [each for each in listed["recordings"] if each["name"] == "Now"]
    assert (now["state"], now["delete_at"], now["ended_at"]) == ("recording", None, None)
    for method, path, body in (
        ("DELETE", url, None),
        ("PATCH", url, {"pinned_until": 1}),
        ("POST", f"{url}/shares", {"days": 1}),
        ("GET", f"{url}/tracks/{made.tracks['Ann']}/file", None),
    ):
        status, problem = await scene.ann.json(method, path, body)
        assert (status, problem["code"]) == (409, "still_recording")


async def test_a_recording_is_found_by_its_name_its_room_and_its_people(server: Server, scene: Scene) -> None:
    """In any case, with any letters."""
    await make_recording(server.lifecycle, scene.slug, scene.ann.id, {}, name="ÄPFEL pflücken")

    assert await names(scene.ann, "?search=äpfel") == ["ÄPFEL pflücken"]
    assert await names(scene.ann, "?search=gail") == ["Planting"]
    assert len(await names(scene.ann, "?search=GARDEN")) == 2
    assert await names(scene.ann, "?search=%25") == []


async def test_a_name_is_made_clean_and_told_to_the_log_without_what_it_says(server: Server, scene: Scene) -> None:
    """What people type is no business of the audit log."""
    assert (await scene.ann.json("PATCH", scene.url, {"name": "  Beds\u202e \n two "}))[0] == 204
    assert await names(scene.ann) == ["Beds two"]
    for bad in ({"name": " "}, {"name": "x" * 121}, {"name": None}, {}, {"name": "x", "owner": "y"}):
        assert (await scene.ann.json("PATCH", scene.url, bad))[0] == 400
    assert "recording.renamed" in await actions(server)


async def test_pinning_moves_the_day_on_which_it_is_deleted(server: Server, scene: Scene) -> None:
    """As far as any recording may be kept, and back again."""
    _, shown = await scene.ann.json("GET", scene.url)
    wanted = shown["delete_at"] + days(100)

    assert (await scene.ann.json("PATCH", scene.url, {"pinned_until": wanted}))[0] == 204
    _, pinned = await scene.ann.json("GET", scene.url)
    assert pinned["delete_at"] == pinned["pinned_until"] == wanted
    status, problem = await scene.ann.json("PATCH", scene.url, {"pinned_until": shown["pin_limit"] + 1})
    assert status == 400
    assert "at the latest" in problem["detail"]
    assert (await scene.ann.json("PATCH", scene.url, {"pinned_until": shown["delete_at"]}))[0] == 400
    assert (await scene.ann.json("PATCH", scene.url, {"pinned_until": None}))[0] == 204

    _, unpinned = await scene.ann.json("GET", scene.url)
    assert (unpinned["delete_at"], unpinned["pinned_until"]) == (shown["delete_at"], None)
    assert {"recording.pinned", "recording.unpinned"} <= set(await actions(server))


async def test_what_only_a_pin_keeps_is_not_lost_by_taking_the_pin_away(server: Server, scene: Scene) -> None:
    """It would be gone in the same moment, without a trash to take it out of."""
    await change_recording(server.lifecycle, scene.made.id, ended_at_ms=scene.made.started_at_ms - days(100) + LASTS_MS)

    status, problem = await scene.ann.json("PATCH", scene.url, {"pinned_until": None})

    assert (status, problem["code"]) == (409, "over_without_pin")


async def test_sharing_with_a_member_tells_nobody_who_has_an_account(server: Server, scene: Scene) -> None:
    """The answer and the list are alike for an address that nobody has; a name is shown once somebody has looked."""
    known = await scene.ann.json("POST", f"{scene.url}/shares", {"email": "Cleo@Example.org "})
    unknown = await scene.ann.json("POST", f"{scene.url}/shares", {"email": "nobody@example.org"})
    assert (known[0], unknown[0]) == (201, 201)
    assert set(known[1]) == set(unknown[1]) == {"id"}
    _, shown = await scene.ann.json("GET", scene.url)
    assert [{**each, "id": "", "made_at": 0} for each in shown["shares"]] == [
        {"id": "", "kind": "member", "name": None, "made_at": 0, "expires_at": None, "has_password": False}
    ] * 2

    _, theirs = await scene.cleo.json("GET", scene.url)
    assert set(theirs["may"]) == {"view", "tracks", "download"}
    assert not {"shares", "views"} & set(theirs)
    assert await status_of(scene.cleo, scene.film) == 200

    _, shown = await scene.ann.json("GET", scene.url)
    assert sorted(each["name"] or "" for each in shown["shares"]) == ["", "Cleo"]
    assert (await scene.ann.json("DELETE", f"{scene.url}/shares/{known[1]['id']}"))[0] == 204
    assert (await scene.ann.json("DELETE", f"{scene.url}/shares/{known[1]['id']}"))[0] == 404
    assert (await scene.cleo.json("GET", scene.url))[0] == 404
    assert {"recording.shared", "recording.share_ended"} <= set(await actions(server))


async def test_a_link_plays_the_film_and_nothing_else(server: Server, scene: Scene) -> None:
    """Without account, until it ends; the token is stored as a hash only."""
    token = await _link(scene)
    async with server.database.read() as conn:
        (row,) = (await conn.execute(select(recording_shares))).mappings()
    assert token not in str(dict(row))
    async with visiting(server) as stranger:
        assert await status_of(stranger, scene.film) == 401

        status, answer = await stranger.json("POST", LINK, {"token": token})

        assert status == 200
        shown = answer["recording"]
        assert (shown["name"], shown["film"]["id"]) == ("Planting", scene.made.film)
        assert shown["people"] == [{"name": "Ann"}, {"name": "Bob"}, {"name": "Gail"}]
        assert {each["kind"] for each in shown["events"]} == {"spoke"}
        async with stranger.http.get(scene.film) as response:
            assert (response.status, await response.read()) == (200, FILM)
        assert await status_of(stranger, f"{scene.film}?download=1") == 403
        assert await status_of(stranger, scene.track("Ann")) == 403
        assert await status_of(stranger, scene.url) == 401
        other = await make_recording(server.lifecycle, scene.slug, scene.ann.id, {}, name="Other")
        assert await status_of(stranger, f"{API}/{other.id}/films/{other.film}/file") == 404

        await scene.ann.json("DELETE", f"{scene.url}/shares/{row['id']}")
        assert await status_of(stranger, scene.film) == 401
        assert (await stranger.json("POST", LINK, {"token": token}))[0] == 404


async def test_a_link_with_a_password_wants_it_and_cannot_be_tried_through(server: Server, scene: Scene) -> None:
    """Ten wrong ones from an address and it must wait, whoever it is."""
    token = await _link(scene, password=PASSWORD)
    async with visiting(server) as stranger:
        for body in ({"token": token}, {"token": token, "password": ""}):
            status, problem = await stranger.json("POST", LINK, body)
            assert (status, problem["code"]) == (403, "password_needed")
        status, problem = await stranger.json("POST", LINK, {"token": token, "password": "not this one, I think"})
        assert (status, problem["code"]) == (403, "wrong_password")
        assert await status_of(stranger, scene.film) == 401
        assert (await stranger.json("POST", LINK, {"token": token, "password": PASSWORD}))[0] == 200
        assert await status_of(stranger, scene.film) == 200

        tried = [await stranger.json("POST", LINK, {"token": token, "password": "wrong"}) for _ in range(12)]

        assert tried[-1][0] == 429
        assert (await stranger.json("POST", LINK, {"token": token, "password": PASSWORD}))[0] == 429


async def test_a_link_ends_by_itself(server: Server, scene: Scene) -> None:
    """At most thirty days, and what the browser kept is worth nothing afterwards."""
    for bad in (0, 31, -1):
        assert (await scene.ann.json("POST", f"{scene.url}/shares", {"days": bad}))[0] == 400
    for bad in ({}, {"email": "a@example.org", "days": 1}, {"email": "a@example.org", "password": PASSWORD}):
        assert (await scene.ann.json("POST", f"{scene.url}/shares", bad))[0] == 400
    assert (await scene.ann.json("POST", f"{scene.url}/shares", {"days": 1, "password": "short"}))[0] == 400
    token = await _link(scene)
    async with visiting(server) as stranger:
        assert (await stranger.json("POST", LINK, {"token": token}))[0] == 200
        async with server.database.write() as conn:
            await conn.execute(recording_shares.update().values(expires_at_ms=server.clock.now_ms()))

        assert await status_of(stranger, scene.film) == 401
        assert (await stranger.json("POST", LINK, {"token": token}))[0] == 404
        assert (await stranger.json("POST", LINK, {"token": "A" * 43}))[0] == 404


async def test_a_forged_cookie_opens_nothing(server: Server, scene: Scene) -> None:
    """It is signed, and of this server."""
    token = await _link(scene)
    async with visiting(server) as stranger:
        await stranger.json("POST", LINK, {"token": token})
        (cookie,) = stranger.http.cookie_jar
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
        for bad in (cookie.value[:-2] + "AA", "pmf1.x.y", "x" * 2000):
            async with visiting(server) as other:
                assert await status_of(other, scene.film, cookies={cookie.key: bad}) == 401


async def test_everybody_in_it_sees_who_looked(server: Server, scene: Scene) -> None:
    """Once in ten minutes however many pieces a player asks for; taking the same along once in a minute."""
    token = await _link(scene)
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=100-"}):
        assert await status_of(scene.bob, scene.film, headers=headers) in (200, 206)
    for _ in range(2):
        await status_of(scene.bob, f"{scene.film}?download=1")
    await status_of(scene.bob, f"{scene.film}?download=1", headers={"Range": "bytes=5-"})
    await status_of(scene.ann, scene.track("Bob"))
    async with visiting(server) as stranger:
        await stranger.json("POST", LINK, {"token": token})
        await status_of(stranger, scene.film)
    async with scene.cleo.http.head(scene.film) as response:
        assert response.status == 404

    _, shown = await scene.bob.json("GET", scene.url)

    assert [(each["kind"], each["by"], each["who"]) for each in reversed(shown["views"])] == [
        ("film", "member", "Bob"),
        ("film_download", "member", "Bob"),
        ("track", "member", "Ann"),
        ("film", "link", None),
    ]


async def test_looking_again_later_is_told_again(server: Server, scene: Scene) -> None:
    """Ten minutes after the last entry."""
    await status_of(scene.bob, scene.film)
    async with server.database.write() as conn:
        await conn.execute(recording_views.update().values(at_ms=server.clock.now_ms() - 600_000))

    await status_of(scene.bob, scene.film)

    assert len((await scene.ann.json("GET", scene.url))[1]["views"]) == 2


async def test_only_ones_own_track_can_be_taken_along(scene: Scene) -> None:
    """Voices of others are for listening, beside each other, in the player."""
    assert await status_of(scene.bob, f"{scene.track('Ann')}?download=1") == 403
    assert await status_of(scene.ann, f"{scene.track('Bob')}?download=1") == 403
    async with scene.bob.http.get(f"{scene.track('Bob')}?download=1") as response:
        assert (response.status, await response.read()) == (200, TRACK)
        assert "Bob microphone 1.mka" in response.headers["Content-Disposition"]


async def test_whoever_restricted_the_use_of_their_data_is_not_shown_to_others(server: Server, scene: Scene) -> None:
    """Neither their track nor the film that shows them (Article 18); to themselves they are."""
    assert (await scene.bob.json("PUT", "/api/v1/my-data/restriction", {"on": True}))[0] == 204

    _, shown = await scene.ann.json("GET", scene.url)
    assert [each["name"] for each in shown["people"]] == ["Ann", "Gail"]
    assert "by Bob" not in str(shown["events"])
    assert await status_of(scene.ann, scene.track("Bob")) == 404
    async with scene.ann.http.get(scene.film) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (409, "restricted")
    _, theirs = await scene.bob.json("GET", scene.url)
    assert [each["name"] for each in theirs["people"]] == ["Ann", "Bob", "Gail"]


async def test_a_film_is_a_copy_that_can_be_deleted(server: Server, scene: Scene) -> None:
    """File and key go with the row; the tracks stay."""
    url = f"{scene.url}/films/{scene.made.film}"
    assert (await scene.ann.json("DELETE", url))[0] == 204

    assert await status_of(scene.ann, scene.film) == 404
    assert (await scene.ann.json("DELETE", url))[0] == 404
    assert not server.lifecycle.files.exists(scene.made.film_file)
    assert await status_of(scene.ann, scene.track("Ann")) == 200
    assert "film.deleted" in await actions(server)


async def test_a_guest_sees_the_recordings_they_are_in_with_the_receipt(
    server: Server, scene: Scene, visitor: Visitor
) -> None:
    """Nobody without account could find them otherwise."""
    status, data = await visitor.json("POST", "/api/v1/guest-data", {"receipt": scene.receipt})

    assert status == 200
    (shown,) = data["recordings"]
    assert (shown["id"], shown["name"], shown["room"]) == (scene.made.id, "Planting", "Garden")
    assert (shown["duration_ms"], shown["delete_at"]) == (LASTS_MS, shown["ended_at"] + days(90))
    other = await guest_was_there(server, scene.slug, "Hugo")
    path = f"/api/v1/guest-data/recordings/{scene.made.id}/remove"
    assert (await visitor.json("POST", path, {"receipt": other}))[0] == 404
    assert (await visitor.json("POST", path, {"receipt": "nonsense"}))[0] == 401


async def test_a_guest_takes_themselves_out(server: Server, scene: Scene, visitor: Visitor) -> None:
    """For good: nothing of them is left in it, and their receipt finds no recording any more."""
    path = f"/api/v1/guest-data/recordings/{scene.made.id}/remove"

    assert (await visitor.json("POST", path, {"receipt": scene.receipt}))[0] == 204

    assert not server.lifecycle.files.exists(scene.made.track_files["Gail"])
    _, data = await visitor.json("POST", "/api/v1/guest-data", {"receipt": scene.receipt})
    assert data["recordings"] == []
    _, shown = await scene.ann.json("GET", scene.url)
    assert [each["name"] for each in shown["people"]] == ["Ann", "Bob"]
    assert "by Gail" not in str(shown)
    assert (await visitor.json("POST", path, {"receipt": scene.receipt}))[0] == 404


async def test_a_member_takes_themselves_out_with_all_their_seats(server: Server, scene: Scene) -> None:
    """Also out of the trash; the others' tracks stay, and the film that showed them is gone."""
    people = {"Ann": Seat(scene.ann.id), "Bob": Seat(scene.bob.id), "Bob again": Seat(scene.bob.id)}
    made = await make_recording(server.lifecycle, scene.slug, scene.ann.id, people, name="Twice")
    url = f"{API}/{made.id}"
    _, shown = await scene.bob.json("GET", url)
    assert [(each["id"], len(each["tracks"])) for each in shown["people"] if each["you"]] == [(made.people["Bob"], 2)]
    assert {each["person"] for each in shown["events"]} == {made.people["Ann"], made.people["Bob"]}
    assert (await scene.ann.json("DELETE", url))[0] == 204

    assert (await scene.bob.json("POST", f"{url}/people/{made.people['Bob']}/remove"))[0] == 204

    assert (await scene.bob.json("GET", url))[0] == 404
    for name in ("Bob", "Bob again"):
        assert not server.lifecycle.files.exists(made.track_files[name])
    assert server.lifecycle.files.exists(made.track_files["Ann"])
    assert not server.lifecycle.files.exists(made.film_file)
    assert (await actions(server)).count("recording.person_removed") == 2


async def say(server: Server, scene: Scene, decision: str) -> str:
    """Bob decides so in a meeting; the id of the decision."""

    def decide(conn: Connection) -> str:
        now_ms = server.lifecycle.clock.now_ms()
        said = {"method": "dialog", "notice_version": 1, "language": "en", "now_ms": now_ms}
        return consents.record(conn, member(scene.bob.id), "recording", scene.made.id, decision, **said).id

    return await server.lifecycle.db.work(decide)


async def agreed(server: Server, scene: Scene) -> str:
    """Bob agreed to the recording; where he withdraws that."""
    return f"/api/v1/my-data/consents/{await say(server, scene, 'given')}/withdraw"


async def test_who_withdraws_the_consent_afterwards_is_taken_out(server: Server, scene: Scene) -> None:
    """A recording rests on consent alone, so without it there is nothing to keep it for (Article 17(1)(b))."""
    files = server.lifecycle.files
    assert files.exists(scene.made.film_file)

    assert (await scene.bob.json("POST", await agreed(server, scene)))[0] == 204

    assert (await scene.bob.json("GET", scene.url))[0] == 404
    assert not files.exists(scene.made.track_files["Bob"])
    assert not files.exists(scene.made.film_file)
    assert files.exists(scene.made.track_files["Ann"])
    assert "recording.person_removed" in await actions(server)


async def test_a_consent_has_no_day_while_its_recording_exists(server: Server, scene: Scene) -> None:
    """Its period begins when the recording is gone, and nobody knows that day yet."""
    await agreed(server, scene)
    _, data = await scene.bob.json("GET", "/api/v1/my-data")

    assert [each["keep"]["gone_by"] for each in data["classes"] if each["name"] == "consents"] == [None]


async def test_who_said_no_in_the_meeting_has_the_rest_destroyed_by_the_recording_alone(
    server: Server, scene: Scene
) -> None:
    """The page of the meeting knows no consent by its id. Each of the two decisions is written down."""
    await agreed(server, scene)
    await say(server, scene, "withdrawn")
    await say(server, scene, "refused")
    bob = member(scene.bob.id)
    await finish(server.lifecycle)
    assert server.lifecycle.files.exists(scene.made.track_files["Bob"]), "that was not asked for yet"
    path = f"/api/v1/my-data/recordings/{scene.made.id}/remove"

    assert (await scene.bob.json("POST", path))[0] == 204

    assert not server.lifecycle.files.exists(scene.made.track_files["Bob"])
    assert server.lifecycle.files.exists(scene.made.track_files["Ann"])
    decided = await server.lifecycle.db.study(consents.timeline, bob)
    said = [(each.decision, each.method) for each in decided if each.purpose == "recording"]
    assert said == [
        ("given", "dialog"),
        ("withdrawn", "dialog"),
        ("refused", "dialog"),
        ("withdrawn", "settings"),
    ]
    assert (await scene.bob.json("POST", path))[0] == 404


async def test_a_legal_hold_keeps_what_was_recorded_and_no_consent(server: Server, scene: Scene) -> None:
    """Who withdraws is told that nothing could be destroyed yet; what could not is when the hold is over, unasked."""

    def hold(conn: Connection) -> Hold:
        now_ms = server.lifecycle.clock.now_ms()
        return holds.place(
            conn,
            recording_id=scene.made.id,
            reason="legal_claim",
            review_at_ms=now_ms + days(1),
            now_ms=now_ms,
            actor="operator",
        )

    path = await agreed(server, scene)
    placed = await server.lifecycle.db.work(hold)

    status, problem = await scene.bob.json("POST", path)

    assert (status, problem["code"]) == (409, "held")
    assert server.lifecycle.files.exists(scene.made.track_files["Bob"])
    assert (await scene.bob.json("POST", path))[1]["code"] == "no_consent"
    await say(server, scene, "refused")  # asked again in the meeting, they say no once more
    await finish(server.lifecycle)
    assert server.lifecycle.files.exists(scene.made.track_files["Bob"])

    now_ms = server.lifecycle.clock.now_ms()
    await server.lifecycle.db.work(lambda conn: holds.release(conn, placed.id, now_ms=now_ms, actor="operator"))
    await finish(server.lifecycle)

    assert not server.lifecycle.files.exists(scene.made.track_files["Bob"])
    assert server.lifecycle.files.exists(scene.made.track_files["Ann"])
    assert (await actions(server)).count("recording.person_removed") == 1


async def test_an_owner_takes_somebody_out_and_nobody_else_does(server: Server, scene: Scene, admin: Visitor) -> None:
    """Being able to watch is not enough, nor is looking after the server."""
    await scene.ann.json("POST", f"{scene.url}/shares", {"email": scene.cleo.email})
    removing = f"{scene.url}/people/{scene.made.people['Gail']}/remove"
    assert [(await each.json("POST", removing))[0] for each in (scene.bob, scene.cleo, admin, scene.dan)] == [
        403,
        403,
        403,
        404,
    ]

    assert (await scene.ann.json("POST", removing))[0] == 204

    assert (await scene.ann.json("POST", removing))[0] == 404
    assert not server.lifecycle.files.exists(scene.made.track_files["Gail"])


async def test_a_film_is_asked_for_by_the_owner_only(server: Server, scene: Scene) -> None:
    """With what the player page offers, and nothing else."""
    wish = {"layout": "speaker", "format": "webm", "height": 360, "names": False}
    assert (await scene.bob.json("POST", f"{scene.url}/films", wish))[0] == 403
    for bad in ({**wish, "height": 4320}, {**wish, "format": "avi"}, {**wish, "layout": "x"}, {}):
        assert (await scene.ann.json("POST", f"{scene.url}/films", bad))[0] == 400

    status, made = await scene.ann.json("POST", f"{scene.url}/films", wish)

    assert status == 202
    _, shown = await scene.ann.json("GET", scene.url)
    (film,) = [each for each in shown["films"] if each["id"] == made["id"]]
    assert (film["layout"], film["format"], film["height"], film["names"]) == ("speaker", "webm", 360, False)
    assert shown["film"]["id"] == scene.made.film  # the one that can be watched
    assert (await scene.bob.json("POST", f"{scene.url}/films/{made['id']}/cancel"))[0] == 403
    assert (await scene.ann.json("POST", f"{scene.url}/films/{'A' * 22}/cancel"))[0] == 404
    assert "film.requested" in await actions(server)


async def test_a_film_is_made_and_watched(server: Server, scene: Scene) -> None:
    """From the button to the sound: the server makes it beside everything else, and the file is what it says."""
    made = await make_recording(
        server.lifecycle, scene.slug, scene.ann.id, {"Ann": Seat(scene.ann.id)}, track=sound(), lasts_ms=2_000
    )
    url = f"{API}/{made.id}"
    wish = {"layout": "grid", "format": "webm", "height": 360, "names": True}
    status, asked = await scene.ann.json("POST", f"{url}/films", wish)
    assert status == 202

    async with asyncio.timeout(120):
        while True:
            _, shown = await scene.ann.json("GET", url)
            (film,) = [each for each in shown["films"] if each["id"] == asked["id"]]
            if film["state"] not in ("queued", "making"):
                break
            await asyncio.sleep(0.1)  # the player page asks again, too

    assert (film["state"], film["error"]) == ("ready", None)
    async with scene.ann.http.get(f"{url}/films/{film['id']}/file") as response:
        content = await response.read()
    assert (response.headers["Content-Type"], len(content)) == ("video/webm", film["size"])
    with av.open(io.BytesIO(content)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 24_000


async def _link(scene: Scene, password: str | None = None) -> str:
    body = {"days": 7, **({"password": password} if password else {})}
    status, made = await scene.ann.json("POST", f"{scene.url}/shares", body)
    assert status == 201, made
    address, _, token = made["url"].partition("#")
    assert address == f"{scene.ann.url}/watch"
    return str(token)
