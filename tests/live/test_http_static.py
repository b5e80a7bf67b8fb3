"""The client's files, and all the ways not to get other ones."""

import pytest
from live_server import Visitor
from test_http_headers import raw_request

from pymeet.server import Server

TRAVERSALS = [
    "/static/../app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e/app.py",
    "/static/%2e%2e%2fapp.py",
    "/static/..%5capp.py",
    "/static/..\\app.py",
    "/static/....//app.py",
    "/static/%252e%252e%252fapp.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/js/../../app.py",
    "/static/%c0%ae%c0%ae/app.py",
    "/static/..%00/app.py",
    "/static/vendor/preact.js%00.html",
    "/static/file:///etc/passwd",
    "/static/vendor",
    "/static/vendor/",
    "/static/",
    "/static",
    "/static/.",
    "/r/..%2f..%2fetc%2fpasswd",
    "/r/../static/vendor/preact.js/",
    "/r/%2e%2e",
    "/api/v1/rooms/..%2fme",
    "/ws/..%2f..",
]


@pytest.mark.parametrize("path", TRAVERSALS)
@pytest.mark.asyncio(loop_scope="module")
async def test_no_path_leads_out_of_the_folder(shared_server: Server, path: str):
    """Sent as raw bytes, for a client library would tidy the path before it gets here."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    answer = await raw_request(shared_server, request.encode("latin-1"))

    assert answer.split("\r\n")[0].split(" ")[1] in ("400", "404")
    assert "root:" not in answer
    assert "make_app" not in answer


@pytest.mark.asyncio(loop_scope="module")
async def test_a_file_is_packed_for_whoever_takes_that(new_visitor: Visitor):
    """A page is some eighty files: packed they are a third. Each form has a tag of its own, so that no cache mixes them."""
    shown = {}
    for accepted in ("gzip, br", "identity", "gzip;q=0, br"):
        headers = {"Accept-Encoding": accepted}
        async with new_visitor.http.get("/static/vendor/preact.js", headers=headers) as response:
            assert response.headers["Vary"] == "Accept-Encoding"
            shown[accepted] = response.headers.get("Content-Encoding"), response.headers["ETag"], await response.read()
            length = int(response.headers["Content-Length"])
        again = {**headers, "If-None-Match": shown[accepted][1]}
        async with new_visitor.http.get("/static/vendor/preact.js", headers=again) as response:
            assert response.status == 304
        if accepted == "gzip, br":
            assert length < len(shown[accepted][2]) / 2

    packed, plain, refused = shown.values()
    assert (packed[0], plain[0]) == ("gzip", None)
    assert packed[1] != plain[1]
    assert packed[2] == plain[2]
    assert plain == refused


async def test_a_file_comes_with_its_type_and_once_only(visitor: Visitor):
    """Modules run only with a JavaScript type; an unchanged file is not sent twice."""
    async with visitor.http.get("/static/vendor/preact.js") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
        etag = response.headers["ETag"]
        assert await response.read()
    async with visitor.http.get("/static/vendor/preact.js", headers={"If-None-Match": etag}) as response:
        assert response.status == 304
        assert response.headers["ETag"] == etag
    async with visitor.http.get("/static/vendor/preact.js", headers={"If-None-Match": "nonsense, \x22"}) as response:
        assert response.status == 200
    async with visitor.http.head("/static/vendor/preact.js") as response:
        assert response.status == 200


async def test_a_person_at_a_wrong_address_sees_a_page(visitor: Visitor):
    """Programs get a problem document, people a page."""
    async with visitor.http.get("/nowhere", headers={"Accept": "text/html,*/*"}) as response:
        assert response.status == 404
        assert response.content_type == "text/html"
    async with visitor.http.get("/r/no-such-room", headers={"Accept": "text/html,*/*"}) as response:
        assert response.status == 404
        assert response.content_type == "text/html"
    async with visitor.http.get("/api/v1/nowhere", headers={"Accept": "text/html,*/*"}) as response:
        assert response.status == 404
        assert response.content_type == "application/problem+json"


async def test_a_rooms_page_is_served_under_its_address(visitor: Visitor, room: str):
    """The link that people share opens the room's page."""
    async with visitor.http.get(f"/r/{room}") as response:
        assert response.status == 200
        assert response.content_type == "text/html"
