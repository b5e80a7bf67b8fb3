"""Fixtures around the real server; see live_server.py, which other folders may import too."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
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


# One server for all those tests of a file that leave it as it was, which is quicker than one for each. What such a test
# uses must run on the module's event loop, as the test itself: `@pytest.mark.asyncio(loop_scope="module")`.


@pytest.fixture(scope="module")
def shared_config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Of the server that a file shares."""
    return make_config(tmp_path_factory.mktemp("shared") / "data")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_server(shared_config: Config) -> AsyncIterator[Server]:
    """A server for the whole file."""
    async with running(shared_config) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_admin(shared_server: Server) -> AsyncIterator[Visitor]:
    """Its first administrator, signed in."""
    async with first_admin(shared_server) as visitor:
        yield visitor


@pytest_asyncio.fixture(loop_scope="module")
async def new_visitor(shared_server: Server) -> AsyncIterator[Visitor]:
    """Somebody new on the shared server, who is not signed in."""
    async with visiting(shared_server) as visitor:
        yield visitor


@pytest_asyncio.fixture(loop_scope="module")
async def new_room(shared_admin: Visitor) -> str:
    """The slug of a room of its own for each test on the shared server."""
    return await shared_admin.make_room()


@pytest.fixture
async def serve_process(tmp_path: Path) -> AsyncIterator[ServeProcess]:
    """A process that is not started yet; whatever still runs at the end is killed."""
    process = ServeProcess(tmp_path / "data", free_port(), free_port())
    yield process
    if process.started:
        await process.end(signal.SIGKILL)
