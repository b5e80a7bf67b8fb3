"""Lists that can be read page by page: rooms here, recordings where there are some; without a page all is shown."""

import pytest
from live_server import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_rooms_can_be_read_page_by_page(shared_admin: Visitor) -> None:
    """Nothing stands on two pages, and nothing on none."""
    made = [await shared_admin.make_room(f"Tea {number}") for number in range(5)]
    _, everything = await shared_admin.json("GET", "/api/v1/rooms")
    assert everything["next"] is None

    found: list[str] = []
    page = "/api/v1/rooms?limit=2"
    for _ in range(10):
        _, answer = await shared_admin.json("GET", page)
        assert len(answer["rooms"]) <= 2
        found += [room["slug"] for room in answer["rooms"]]
        if answer["next"] is None:
            break
        page = f"/api/v1/rooms?limit=2&after={answer['next']}"

    assert found == [room["slug"] for room in everything["rooms"]]
    assert set(made) <= set(found)


async def test_a_page_after_something_that_is_gone_begins_anew(shared_admin: Visitor) -> None:
    """What was deleted in between must not hide the rest."""
    await shared_admin.make_room()
    _, everything = await shared_admin.json("GET", "/api/v1/rooms")

    _, answer = await shared_admin.json("GET", "/api/v1/rooms?after=gone-since")

    assert answer["rooms"] == everything["rooms"]


@pytest.mark.parametrize("path", ["/api/v1/rooms", "/api/v1/recordings"])
@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", ""])
async def test_a_page_of_an_impossible_size_is_refused(shared_admin: Visitor, path: str, limit: str) -> None:
    """Rather than answered with something else than was asked for."""
    status, problem = await shared_admin.json("GET", f"{path}?limit={limit}")

    assert (status, problem["code"]) == (400, "invalid_input")
