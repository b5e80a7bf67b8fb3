"""What the operating system allows a process is used: service managers start programs with room for 1,024 connections."""

import resource
from collections.abc import Iterator

import pytest
from live_server import ServeProcess


@pytest.fixture
def few_files() -> Iterator[int]:
    """Children of this process begin with a low soft limit under the usual hard one, which is handed back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_the_server_takes_as_many_connections_as_it_may(few_files: int, serve_process: ServeProcess) -> None:
    """Otherwise a thousand idle connections of one stranger would keep everybody else out."""
    await serve_process.start()

    assert serve_process.pid is not None
    assert resource.prlimit(serve_process.pid, resource.RLIMIT_NOFILE) == (few_files, few_files)
