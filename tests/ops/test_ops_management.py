"""Operations do the same with and without a running server, and the socket belongs to one server and its owner."""

import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.management import FakeLive, serving

from pymeet.clock import ManualClock
from pymeet.config import Config
from pymeet.errors import ConfigError, ConflictError, InvalidInputError, NotFoundError, PymeetError
from pymeet.ops import room_tokens
from pymeet.ops.client import ask, call
from pymeet.ops.management import hold_data_dir
from pymeet.ops.operations import OPERATIONS, run
from pymeet.ops.services import open_services


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.model_validate({"data_dir": str(tmp_path / "d"), "http": {"public_url": "https://meet.example.org"}})


@pytest.fixture(params=["server runs", "no server"])
async def either(request: pytest.FixtureRequest, config: Config) -> AsyncIterator[Config]:
    """The same test twice: through the socket, and in this process."""
    if request.param == "no server":
        config.data_dir.mkdir(mode=0o700)
        yield config
        return
    async with serving(config):
        yield config


async def test_a_room_is_made_listed_and_deleted(either: Config) -> None:
    """One code path for both ways."""
    made = await call(either, "room.create", {"name": "Tea", "slug": "tea-time"})
    listed = await call(either, "room.list", {})
    await call(either, "room.delete", {"slug": "tea-time"})

    assert made["slug"] == "tea-time"
    assert made["url"] == "https://meet.example.org/r/tea-time"
    assert [room["name"] for room in listed] == ["Tea"]
    assert await call(either, "room.list", {}) == []


async def test_an_account_is_made_listed_and_disabled(either: Config) -> None:
    """The link carries its token in the fragment, which no log sees."""
    added = await call(either, "user.add", {"name": "Ada", "email": "ada@example.org", "admin": True})
    fresh = await call(either, "user.link", {"email": "ada@example.org"})
    disabled = await call(either, "user.disable", {"email": "ada@example.org"})

    assert added["link"].startswith("https://meet.example.org/link#")
    assert fresh["link"] != added["link"]
    assert disabled["disabled"]
    assert [user["email"] for user in await call(either, "user.list", {})] == ["ada@example.org"]


async def test_errors_arrive_as_what_they_are(either: Config) -> None:
    """Exit codes and remedies depend on it."""
    await call(either, "room.create", {"name": "Tea", "slug": "tea-time"})

    with pytest.raises(NotFoundError):
        await call(either, "room.delete", {"slug": "nope"})
    with pytest.raises(ConflictError) as taken:
        await call(either, "room.create", {"name": "Tea", "slug": "tea-time"})
    with pytest.raises(InvalidInputError):
        await call(either, "room.create", {"colour": "red"})
    with pytest.raises(NotFoundError):
        await call(either, "room.paint", {})
    assert taken.value.code == "slug_taken"


async def test_status_tells_whether_a_server_runs(config: Config) -> None:
    """The first question of an operator."""
    without = await call(config, "status", {})
    async with serving(config):
        with_server = await call(config, "status", {})

    assert (without["running"], with_server["running"]) == (False, True)
    assert with_server["participants"] == 3


async def test_the_live_meeting_learns_of_deletions(config: Config) -> None:
    """Nobody may go on talking in a room that is gone, or with an account that is locked."""
    live = FakeLive()
    async with serving(config, live):
        await call(config, "room.create", {"name": "Tea", "slug": "tea-time"})
        user = await call(config, "user.add", {"name": "Ada", "email": "ada@example.org"})
        await call(config, "room.delete", {"slug": "tea-time"})
        await call(config, "user.disable", {"email": "ada@example.org"})

    assert live.happened == ["deleted tea-time", f"disabled {user['id']}"]


async def test_a_room_token_is_signed_for_its_room(config: Config) -> None:
    """The web verifies it with the same key."""
    async with open_services(config, ManualClock()) as services:
        room = await services.meetings.create_room("Tea", None, slug="tea-time")
        made = await run(services, "room.token", {"slug": "tea-time", "name": "Camera", "hours": 2})
        key, now_ms = services.keys.purpose_key(room_tokens.PURPOSE), services.clock.now_ms()

    assert room_tokens.verify(key, made["token"], now_ms).room_id == room.id
    assert made["whip"] == "https://meet.example.org/whip/tea-time"


@pytest.mark.parametrize("arguments", [{"hours": 0}, {"hours": 100_000}, {"name": " "}, {"name": "x" * 61}])
async def test_unusable_wishes_for_a_token_are_refused(config: Config, arguments: dict[str, Any]) -> None:
    """A token cannot be taken back."""
    async with open_services(config) as services:
        await services.meetings.create_room("Tea", None, slug="tea-time")
        with pytest.raises(InvalidInputError):
            await run(services, "room.token", {"slug": "tea-time", **arguments})


async def test_the_socket_is_for_its_owner_and_goes_with_the_server(config: Config) -> None:
    """Whoever may open it may do everything."""
    async with serving(config):
        mode = stat.S_IMODE(config.socket_path.stat().st_mode)

    assert mode == 0o600
    assert not config.socket_path.exists()


async def test_the_socket_of_a_crashed_server_is_replaced(config: Config) -> None:
    """kill -9 leaves it behind; the next start must not need a person."""
    config.data_dir.mkdir()
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(config.socket_path))

    assert await ask(config, "status", {}) is None
    async with serving(config):
        assert await ask(config, "status", {}) is not None


async def test_a_second_server_is_refused_and_the_first_lives_on(config: Config) -> None:
    """Two servers on one database would each know half of every meeting."""
    async with serving(config):
        with pytest.raises(ConflictError, match="Another pymeet server"), hold_data_dir(config):
            pass

        assert await ask(config, "status", {}) is not None
    with hold_data_dir(config):
        pass


async def test_metrics_can_be_read_on_the_socket(config: Config) -> None:
    """Without a token configured this is the only place."""
    async with serving(config):
        connector = aiohttp.UnixConnector(str(config.socket_path))
        async with aiohttp.ClientSession(connector=connector) as session, session.get("http://p/metrics") as response:
            text = await response.text()

    assert text == "pymeet_rooms 1\n"


async def test_a_path_too_long_for_a_socket_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """The system's own message would name neither path nor limit."""
    config = Config(data_dir=tmp_path / ("x" * 100))

    with pytest.raises(ConfigError, match="shorter data_dir"):
        async with serving(config):
            pass


async def test_a_database_that_cannot_be_used_gives_a_remedy(config: Config) -> None:
    """A full disk must not end in a traceback."""
    config.data_dir.mkdir()
    config.database_path.write_bytes(b"this is no database" * 100)

    with pytest.raises(PymeetError, match="cannot be used"):
        await call(config, "room.list", {})


def test_every_operation_says_what_it_does() -> None:
    """The table is what other tools build on."""
    assert all(operation.__doc__ for operation in OPERATIONS.values())
