"""The real server on loopback, and the browsers, for tests of other stacks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live_server import Visitor, first_admin, make_config, running
from playwright.async_api import Browser

from pymeet.server import Server
from tests.stacks.chromium import chromium
from tests.stacks.firefox import Firefox
from tests.stacks.firefox import firefox as run_firefox
from tests.stacks.peers import P256, Where, make_p256


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server on loopback."""
    async with running(make_config(tmp_path / "data")) as server:
        yield server


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[Visitor]:
    """The first administrator, signed in."""
    async with first_admin(server) as visitor:
        yield visitor


@pytest.fixture
async def room(server: Server, admin: Visitor) -> Where:
    """A room that guests may enter."""
    return Where(server.url, await admin.make_room())


@pytest.fixture
async def viewer_browser() -> AsyncIterator[Browser]:
    """Chromium, for whoever watches."""
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def firefox(tmp_path: Path) -> AsyncIterator[Firefox]:
    """Firefox with an empty tab."""
    async with run_firefox(tmp_path) as browser:
        yield browser


@pytest.fixture
def p256(tmp_path: Path) -> P256:
    """A certificate with an elliptic key, and the key."""
    return make_p256(tmp_path)
