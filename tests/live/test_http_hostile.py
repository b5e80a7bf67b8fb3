"""Hostile requests: the worst answer is a 4xx, and the server goes on."""

import gzip
import json

import aiohttp
import pytest
from live_server import Visitor

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b'{"email": ', {}, 400),
        (b"\xff\xfe\x00", {}, 400),
        (b"[]", {}, 400),
        (b"null", {}, 400),
        (b'"text"', {}, 400),
        (b"[" * 8000, {}, 400),
        (b"[" * 8000 + b"]" * 8000, {}, 400),
        (b'{"a":' * 3000, {}, 400),
        (DEEP, {}, 413),
        (b'{"email": "a@b.c", "email": "d@e.f", "password": "x"}', {}, 400),
        (b'{"email": NaN, "password": "x"}', {}, 400),
        (b'{"email": 1, "password": "x"}', {}, 400),
        (b'{"email": "a@b.c", "password": "x", "admin": true}', {}, 400),
        (b'{"email": "\\ud800@b.c", "password": "x"}', {}, 400),
        (b'{"email": "a\\u0000@b.c", "password": "x"}', {}, 401),
        (b'{"email": "a@b.c", "password": "\\udfff"}', {}, 400),
        (b'{"\\ud800": 1, "email": "a@b.c", "password": "x"}', {}, 400),
        (b'{"email": "a@b.c", "password": "x", "\\u0000\\ud800\\r\\nX: y": {}}', {}, 400),
        (b'{"email": ' + b"9" * 5000 + b', "password": "x"}', {}, 400),
        (b'{"email": 1e999, "password": "x"}', {}, 400),
        (b" " * 20_000, {}, 413),
        (gzip.compress(b'{"email": "a@b.c", "password": "x"}', mtime=0), {"Content-Encoding": "gzip"}, 415),
        (b"\x1f\x8b broken", {"Content-Encoding": "gzip"}, 415),
        (b"\x1f\x8b broken", {"Content-Encoding": "deflate"}, 415),
        (b"x=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"--x\r\nbroken", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (b"--x\r\nbroken", {"Content-Type": "multipart/form-data"}, 415),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Type": "nonsense"}, 415),
        (b"{}", {"Content-Type": "application/json; charset=\xff"}, 400),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_bad_body_is_a_4xx_problem(new_visitor: Visitor, body: bytes, headers: dict[str, str], status: int):
    """Never a 500: broken JSON, 100 000 brackets, broken gzip, broken multipart, another type."""
    headers = {"Content-Type": "application/json", **headers}
    async with new_visitor.http.post("/api/v1/sign-in", data=body, headers=headers) as response:
        problem = await response.json(content_type=None)

        assert response.status == status, problem
        assert response.content_type == "application/problem+json"
        assert problem["status"] == status
        assert set(problem) == {"type", "title", "status", "code", "detail"}


async def test_a_huge_body_is_not_read_to_its_end(visitor: Visitor):
    """A gigabyte announced or streamed costs nothing."""

    async def endless():
        while True:
            yield b" " * 65536

    try:
        async with visitor.http.post(
            "/api/v1/sign-in", data=endless(), headers={"Content-Type": "application/json"}
        ) as response:
            assert response.status == 413
    except aiohttp.ClientConnectionError:
        pass  # the connection may be closed while we are still sending


async def test_input_is_not_repeated_in_errors(visitor: Visitor):
    """An error is often logged or shown by the one who asked; a password must not stand in it."""
    status, problem = await visitor.json("POST", "/api/v1/sign-in", {"email": ["hunter2"], "password": "hunter2"})

    assert status == 400
    assert "hunter2" not in json.dumps(problem)


@pytest.mark.parametrize("path", ["/r/%0d%0aSet-Cookie:%20a=b", "/api/v1/rooms/%0d%0aX:%20y", "/%0d%0aX-Evil:%201"])
@pytest.mark.asyncio(loop_scope="module")
async def test_line_breaks_in_addresses_reach_no_header(new_visitor: Visitor, path: str):
    """Header injection is refused by there being nowhere to inject."""
    async with new_visitor.http.get(path) as response:
        assert response.status == 404
        assert "Set-Cookie" not in response.headers
        assert "X-Evil" not in response.headers


@pytest.mark.parametrize("name", ["Tea\r\nSet-Cookie: a=b", "\x00", "<script>alert(1)</script>", "\u202etxt.exe"])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_rooms_name_is_text_and_nothing_else(shared_admin: Visitor, name: str):
    """Whatever stands in a name, it is stored as text or refused, and never leaves the JSON."""
    async with shared_admin.http.post("/api/v1/rooms", json={"name": name}) as response:
        assert response.status in (201, 400)
        assert "Set-Cookie" not in response.headers
        assert response.content_type in ("application/json", "application/problem+json")


@pytest.mark.parametrize("header", ["100-continue", "something-else"])
@pytest.mark.asyncio(loop_scope="module")
async def test_an_unknown_expectation_is_answered(new_visitor: Visitor, header: str):
    """`Expect` is handled by aiohttp before any middleware; it must not end in a 500 either."""
    async with new_visitor.http.get("/api/v1/me", headers={"Expect": header}) as response:
        assert response.status in (200, 417)
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("cookie", ["pymeet_session=x", "pymeet_session=" + "a" * 5000, 'pymeet_session="\\303\\251"'])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_made_up_session_is_nobody(new_visitor: Visitor, cookie: str):
    """A guess is answered like no session at all."""
    async with new_visitor.http.get("/api/v1/me", headers={"Cookie": cookie}) as response:
        assert response.status == 200
        assert (await response.json())["user"] is None
