"""Making, showing and deleting rooms."""

from pathlib import Path

import pytest
from live_server import Visitor, first_admin, make_config, running, visiting

from pymeet.server import Server


async def test_a_member_makes_a_room_and_finds_it_again(admin: Visitor):
    """The link in the answer is what is sent to others."""
    async with admin.http.post("/api/v1/rooms", json={"name": "Tea & cake"}) as response:
        assert response.status == 201
        room = await response.json()
        assert response.headers["Location"] == f"/api/v1/rooms/{room['slug']}"

    assert room == {"slug": room["slug"], "name": "Tea & cake", "url": f"{admin.url}/r/{room['slug']}"}
    _, listed = await admin.json("GET", "/api/v1/rooms")
    assert [entry["slug"] for entry in listed["rooms"]] == [room["slug"]]
    assert listed["rooms"][0]["people"] == 0
    assert listed["rooms"][0]["created_at"] > 1_600_000_000_000


async def test_visitors_neither_make_nor_list_rooms(visitor: Visitor):
    """Only members do."""
    assert (await visitor.json("GET", "/api/v1/rooms"))[0] == 401
    assert (await visitor.json("POST", "/api/v1/rooms", {"name": "x"}))[0] == 401
    assert (await visitor.json("DELETE", "/api/v1/rooms/none"))[0] == 401


async def test_the_preview_tells_who_one_would_be(server: Server, admin: Visitor, room: str):
    """The owner is host, others are guests; both may come in."""
    status, seen = await admin.json("GET", f"/api/v1/rooms/{room}")
    assert status == 200
    assert seen == {
        "slug": room,
        "name": "Tea",
        "people": 0,
        "max_participants": 100,
        "may_join": True,
        "has_password": False,
        "waiting_room": False,
        "locked": False,
        "recording": None,
        "recordings_allowed": True,
        "role": "host",
    }
    async with visiting(server) as guest:
        _, seen = await guest.json("GET", f"/api/v1/rooms/{room}")
    assert (seen["role"], seen["may_join"]) == ("guest", True)


async def test_without_guests_a_visitor_may_not_join(tmp_path: Path):
    """The page says so before anybody tries."""
    config = make_config(tmp_path / "data", rooms={"guests_allowed": False})
    async with running(config) as server, first_admin(server) as admin, visiting(server) as guest:
        room = await admin.make_room()
        _, seen = await guest.json("GET", f"/api/v1/rooms/{room}")

    assert seen["may_join"] is False


async def test_only_the_owner_deletes_a_room(server: Server, admin: Visitor, room: str):
    """And then it is gone."""
    async with visiting(server) as guest:
        assert (await guest.json("DELETE", f"/api/v1/rooms/{room}"))[0] == 401

    assert (await admin.json("DELETE", f"/api/v1/rooms/{room}"))[0] == 204
    assert (await admin.json("GET", f"/api/v1/rooms/{room}"))[0] == 404
    assert (await admin.json("DELETE", f"/api/v1/rooms/{room}"))[0] == 404


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "The room's name must not be empty."),
        (" ", "The room's name must not be empty."),
        ("x" * 81, "The room's name can have at most 80 characters."),
        ("x" * 101, "The room's name can have at most 80 characters."),
    ],
)
async def test_a_room_needs_a_name_of_some_length(admin: Visitor, name: str, says: str):
    """Empty names make lists unreadable; whoever typed too much is told how much is possible."""
    status, problem = await admin.json("POST", "/api/v1/rooms", {"name": name})

    assert status == 400
    assert (problem["code"], problem["detail"]) == ("invalid_input", says)


async def test_administrators_find_the_rooms_of_nobody_in_their_list(server: Server, admin: Visitor, room: str):
    """A room made on the server's command line is hosted by them alone, so that is where they look for it."""
    await server.meetings.create_room("Hall", None, slug="hall")

    async with admin.http.get("/api/v1/rooms") as response:
        listed = [entry["slug"] for entry in (await response.json())["rooms"]]

    assert sorted(listed) == sorted([room, "hall"])
