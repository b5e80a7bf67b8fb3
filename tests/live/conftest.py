"""Fixtures around the real server; see live_server.py, which other folders may import too."""

import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live_server import ServeProcess, Visitor, first_admin, free_port, make_config, running, visiting

from pymeet.config import Config
from pymeet.server import Server


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A fresh installation on loopback."""
    return make_config(tmp_path / "data")


@pytest.fixture
async def server(config: Config) -> AsyncIterator[Server]:
    """A server that nobody has used yet."""
    async with running(config) as server:
        yield server


@pytest.fixture
async def visitor(server: Server) -> AsyncIterator[Visitor]:
    """Somebody who is not signed in."""
    async with visiting(server) as visitor:
        yield visitor


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[Visitor]:
    """The first administrator, signed in."""
    async with first_admin(server) as visitor:
        yield visitor


@pytest.fixture
async def room(admin: Visitor) -> str:
    """The slug of a room of the administrator."""
    return await admin.make_room()


@pytest.fixture
async def serve_process(tmp_path: Path) -> AsyncIterator[ServeProcess]:
    """A process that is not started yet; whatever still runs at the end is killed."""
    process = ServeProcess(tmp_path / "data", free_port(), free_port(socket.SOCK_DGRAM))
    yield process
    if process.started:
        await process.end(signal.SIGKILL)
