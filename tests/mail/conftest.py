"""A real mail server on loopback, and a real outbox to send from."""

import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from post_office import PostOffice
from tests.support.migrated import prepare

from pymeet.clock import ManualClock
from pymeet.db.engine import Database
from pymeet.ops.certificates import make_self_signed


@pytest.fixture(autouse=True)
def _restored_log() -> Iterator[None]:
    """Leaves the logging of the test run as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(prepare(tmp_path / "pymeet.db"))
    yield database
    await database.close()


@pytest.fixture
async def open_office() -> AsyncIterator[Callable[..., Any]]:
    """Opens mail servers that are closed after the test."""
    async with AsyncExitStack() as stack:

        async def opened(**settings: Any) -> PostOffice:
            return await stack.enter_async_context(PostOffice(**settings))

        yield opened


@pytest.fixture
async def office(open_office: Callable[..., Any]) -> PostOffice:
    """One that takes everything, without encryption."""
    office: PostOffice = await open_office()
    return office


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a mail server called `localhost` shows; this process trusts it, as an operator's own authority is trusted."""
    file = tmp_path / "mail.pem"
    file.write_bytes(make_self_signed(["localhost"], datetime.now(UTC)))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
