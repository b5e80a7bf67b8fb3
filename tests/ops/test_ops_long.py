"""Operations that take long: they tell how far they are, nothing cuts them short but their end, and no answer is lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.management import serving

from pymeet import errors
from pymeet.config import Config
from pymeet.errors import InvalidInputError, PymeetError
from pymeet.ops.client import ask, call
from pymeet.ops.operations import merged, run
from pymeet.ops.progress import Progress
from pymeet.ops.services import Services, open_services

HALF_AN_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'3b\r\n{"progress": {"done": 1, "total": 2, "what": "the rooms"}}\n\r\n'
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.model_validate({"data_dir": str(tmp_path / "d"), "http": {"public_url": "https://meet.example.org"}})


class Slow:
    """An operation that goes on only when it is told to, and knows how it ended."""

    def __init__(self) -> None:
        self.started, self.go_on, self.cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self, services: Services) -> str:
        self.started.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "done"


async def test_progress_arrives_in_order_and_then_the_result(config: Config) -> None:
    """A bar that jumps back is worse than none."""
    heard: list[tuple[int, int | None, str]] = []
    news = asyncio.Event()

    def listen(done: int, total: int | None, what: str) -> None:
        heard.append((done, total, what))
        news.set()

    async def export(services: Services, progress: Progress, *, subject: str) -> str:
        for done in (1, 2):
            progress(done, 3, f"part {done}")
            await news.wait()
            news.clear()
        await asyncio.to_thread(progress, 3, None, "from a thread")
        return subject

    async with serving(config, operations={"export": export}):
        result = await call(config, "export", {"subject": "s1"}, on_progress=listen)

    assert result == "s1"
    assert heard == [(1, 3, "part 1"), (2, 3, "part 2"), (3, None, "from a thread")]


async def test_of_many_reports_at_once_the_latest_is_told(config: Config) -> None:
    """A sweep reports every row; the socket is not for that."""
    heard: list[int] = []

    async def sweep(services: Services, progress: Progress) -> None:
        for done in range(1000):
            progress(done, 1000, "rows")

    async with serving(config, operations={"sweep": sweep}):
        await call(config, "sweep", {}, on_progress=lambda done, _total, _what: heard.append(done))

    assert heard == [999]


async def test_without_a_server_progress_is_told_too(config: Config) -> None:
    """One code path for both ways."""
    heard: list[int] = []

    async def sweep(services: Services, progress: Progress) -> None:
        progress(1, 2, "rows")

    async with open_services(config) as services:
        await run(
            services, "sweep", {}, progress=lambda done, _total, _what: heard.append(done), operations={"sweep": sweep}
        )
        await run(services, "sweep", {}, operations={"sweep": sweep})
        with pytest.raises(InvalidInputError):
            await run(services, "sweep", {"progress": 1}, operations={"sweep": sweep})

    assert heard == [1]


async def test_a_silent_operation_gives_a_sign_of_life(config: Config) -> None:
    """Otherwise the command could not tell a long step from a dead server."""
    slow = Slow()
    async with (
        serving(config, operations={"slow": slow}, keep_alive_s=0.1),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(config.socket_path))) as session,
        session.post("http://pymeet/op/slow", json={}) as response,
    ):
        first = json.loads(await response.content.readline())
        slow.go_on.set()
        rest = [json.loads(line) async for line in response.content]

    assert response.content_type == "application/x-ndjson"
    assert first == {"progress": None}
    assert rest[-1] == {"result": "done"}
    assert all(line == {"progress": None} for line in rest[:-1])


async def test_a_command_that_ends_takes_its_operation_with_it(config: Config) -> None:
    """Ctrl-C means: stop that."""
    slow = Slow()
    async with serving(config, operations={"slow": slow}), asyncio.timeout(10):
        asking = asyncio.create_task(ask(config, "slow", {}))
        await slow.started.wait()
        asking.cancel()
        await slow.cancelled.wait()


async def test_a_server_that_stops_says_that_it_broke_off(config: Config) -> None:
    """The operator should know that the purge is not done."""
    slow = Slow()
    async with asyncio.timeout(10):
        async with serving(config, operations={"slow": slow}):
            asking = asyncio.create_task(call(config, "slow", {}))
            await slow.started.wait()
        with pytest.raises(PymeetError, match="stopping") as broken_off:
            await asking

    assert broken_off.value.code == "server_stopping"
    assert slow.cancelled.is_set()


@asynccontextmanager
async def dying_server(config: Config, answer: bytes) -> AsyncIterator[None]:
    """Sends `answer` to whatever it is asked, and hangs up."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    config.data_dir.mkdir(mode=0o700)
    server = await asyncio.start_unix_server(hang_up, config.socket_path)
    async with server:
        yield


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        HALF_AN_ANSWER,
        HALF_AN_ANSWER + b"0\r\n\r\n",
        HALF_AN_ANSWER.replace(b"3b\r\n{", b"3b\r\n["),
        b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
    ],
    ids=["nothing", "cut off", "no result", "no JSON", "an error page"],
)
async def test_a_server_that_dies_on_the_way_is_noticed(config: Config, answer: bytes) -> None:
    """Half an answer must never pass for a result."""
    async with dying_server(config, answer):
        with pytest.raises(PymeetError, match="did not answer properly"):
            await call(config, "export", {})


async def test_an_operation_that_breaks_harms_no_other(config: Config) -> None:
    """A fault of ours is told as such; where it was stands in the log."""

    async def broken(services: Services) -> None:
        raise RuntimeError

    async def fine(services: Services) -> str:
        return "fine"

    async with serving(config, operations={"broken": broken, "fine": fine}):
        with pytest.raises(PymeetError, match="did not answer properly"):
            await call(config, "broken", {})
        assert await call(config, "fine", {}) == "fine"


async def test_a_long_list_arrives_whole(config: Config) -> None:
    """A result stands on one line, however long that is."""

    async def audit(services: Services) -> list[str]:
        return ["x" * 1000] * 5000

    async with serving(config, operations={"audit": audit}):
        assert len(await call(config, "audit", {})) == 5000


KINDS = [PymeetError, *PymeetError.__subclasses__()]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.__module__ == errors.__name__])
async def test_an_error_arrives_as_the_class_that_it_was(config: Config, kind: type[PymeetError]) -> None:
    """Exit codes hang on the class, and what else a command shows on the details."""
    details: dict[str, Any] = {"failed": ["f1"], "drift": {"rooms": 2}}

    class Special(kind):  # type: ignore[misc, valid-type]
        """One that the command line does not know."""

    async def refuse(services: Services, *, special: bool) -> None:
        raise (Special if special else kind)("No.", code="no", details=details)

    async with serving(config, operations={"refuse": refuse}):
        for special in (False, True):
            with pytest.raises(PymeetError) as refused:
                await call(config, "refuse", {"special": special})
            assert type(refused.value) is kind
            assert (refused.value.message, refused.value.code, refused.value.details) == ("No.", "no", details)


def test_two_operations_cannot_go_by_one_name() -> None:
    """The second would silently replace the first."""
    with pytest.raises(ValueError, match="purge"):
        merged({"purge": Slow()}, {"purge": Slow()})
