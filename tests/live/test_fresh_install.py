"""What a fresh installation does when nobody has configured anything (CVE class 26)."""

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_server import visiting

from pymeet.config import Config
from pymeet.ops.client import call
from pymeet.server import Server

_watching: list[list[tuple[str, object]]] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        _watching[0].append((event, arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]))


sys.addaudithook(_audit)  # cannot be taken back, and is silent but for the test below


@pytest.fixture
def asked() -> Iterator[list[tuple[str, object]]]:
    """Every address that this process sends to, and every name that it looks up, from here on."""
    _watching.append([])
    yield _watching[0]
    _watching.clear()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """As it comes, but on free ports of loopback."""
    http = {"host": "127.0.0.1", "port": 0, "tls": {"mode": "off"}}
    return Config.model_validate({"data_dir": str(tmp_path / "data"), "http": http, "media": {"port": 0}})


def _is_here(where: object) -> bool:
    host = where[0] if isinstance(where, tuple) else where
    if isinstance(host, str | bytes) and str(host).endswith(".sock"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return host in (None, "localhost")


async def test_nobody_outside_is_asked(asked: list[tuple[str, object]], config: Config) -> None:
    """No STUN server, no look-up, no check for updates: an operator's meetings are nobody else's business."""
    encrypted = config.model_copy(update={"http": config.http.model_copy(update={"tls": type(config.http.tls)()})})
    server = await Server.start(encrypted)
    room = await server.meetings.create_room("Tea", None)
    await call(encrypted, "status", {})
    publisher = server.sfu.publisher("somebody", lambda event: None, server.clock.monotonic())
    publisher.close(server.clock.monotonic())
    await server.stop()

    assert room.slug
    assert asked, "the watcher does not see anything"
    assert [where for where in asked if not _is_here(where[1])] == []


async def test_there_is_no_account_and_nobody_is_host_without_one(config: Config) -> None:
    """The first administrator comes by the printed link only; a visitor neither makes rooms nor rules in one."""
    server = await Server.start(config)
    room = await server.meetings.create_room("Tea", None, "tea")
    async with visiting(server) as visitor:
        for email in ("admin", "admin@example.org", "root@localhost", "pymeet@localhost"):
            for password in ("", "admin", "password", "pymeet", "changeme"):
                status, _ = await visitor.json("POST", "/api/v1/sign-in", {"email": email, "password": password})
                assert status in (400, 401, 429)
        assert (await visitor.json("POST", "/api/v1/rooms", {"name": "Mine"}))[0] == 401
        async with visitor.http.ws_connect(f"/ws/{room.slug}") as socket:
            await socket.send_json({"type": "join", "v": 1, "name": "admin"})
            assert (await socket.receive_json())["role"] == "guest"
        assert (await visitor.http.get("/metrics")).status == 404
    assert await call(config.model_copy(update={"http": server.config.http}), "user.list", {}) == []
    await server.stop()
