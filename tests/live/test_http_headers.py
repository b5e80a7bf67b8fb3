"""The security headers, on answers of every kind."""

import asyncio
from urllib.parse import urlsplit

import pytest
from live_server import Visitor

from pymeet.server import Server

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/sign-in", 200),
        ("GET", "/api/v1/me", 200),
        ("GET", "/api/v1/rooms", 401),
        ("GET", "/api/v1/rooms/none", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/static/nothing.js", 404),
        ("GET", "/static/vendor/preact.js", 200),
        ("PUT", "/api/v1/me", 405),
        ("POST", "/api/v1/sign-in", 415),
        ("GET", "/ws/none", 400),
        ("POST", "/whip/none", 404),
        ("OPTIONS", "/whip/none", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/metrics", 404),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_every_answer_carries_the_headers(new_visitor: Visitor, method: str, path: str, status: int):
    """One answer without them, such as an error page, is where an attack would begin."""
    async with new_visitor.http.request(method, path) as response:
        assert response.status == status
        for name, value in EVERYWHERE.items():
            assert response.headers[name] == value
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert f"connect-src 'self' ws://{urlsplit(new_visitor.url).netloc};" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "camera=(self)" in response.headers["Permissions-Policy"]
        assert "geolocation=()" in response.headers["Permissions-Policy"]
        assert response.headers["Cache-Control"] == ("no-cache" if status == 200 and "/static/" in path else "no-store")
        assert "Server" not in response.headers
        assert "Strict-Transport-Security" not in response.headers


@pytest.mark.parametrize("host", ["evil'; script-src *", "a b", "x\ty", "[::1", ""])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_strange_host_never_reaches_the_policy(shared_server: Server, host: str):
    """The policy names the host; a made-up one must not be able to write into it."""
    answer = await raw_request(shared_server, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())

    policy = next((line for line in answer.split("\r\n") if line.startswith("Content-Security-Policy:")), "")
    assert "script-src *" not in policy
    assert " 500 " not in answer.split("\r\n")[0]


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header\x00: y\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_no_http_gets_a_plain_400_with_the_headers(shared_server: Server, raw: bytes):
    """Noise from the internet is answered without repeating it."""
    answer = await raw_request(shared_server, raw)

    assert answer.split("\r\n")[0].split(" ")[1] == "400"
    assert "X-Content-Type-Options: nosniff" in answer
    assert answer.endswith("This is not an HTTP request that can be answered.\n")


async def raw_request(server: Server, raw: bytes) -> str:
    """Sends bytes as they are, and hands back the answer until the server closes."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(raw)
        async with asyncio.timeout(10):
            return (await reader.read()).decode()
    finally:
        writer.close()
        await writer.wait_closed()
