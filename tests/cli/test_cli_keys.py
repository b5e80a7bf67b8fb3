"""`pymeet keys` as an administrator meets it, with the server running and without."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.support.commands import Run, configured, runner, server

from pymeet.config import load
from pymeet.db.schema import audit_events
from pymeet.ids import new_id
from pymeet.keyring import Keyring
from pymeet.ops.management import hold_data_dir
from pymeet.ops.services import Services, open_services
from pymeet.ops.verbs.keys import finish_change, is_unfinished


@pytest.fixture
def config(tmp_path: Path) -> str:
    return configured(tmp_path)


@pytest.fixture(params=["server runs", "no server"])
def pymeet(
    request: pytest.FixtureRequest,
    config: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """The same test twice: through the socket, and in this process."""
    run = runner(config, monkeypatch, capsys)
    if request.param == "no server":
        yield run
        return
    with server(config):
        yield run


def do(config: str, work: Any) -> Any:
    """Does something with the services, as another process would."""

    async def there() -> Any:
        async with open_services(load(Path(config), {})) as services:
            return await work(services)

    return asyncio.run(there())


async def seal(services: Services) -> str:
    file_id = new_id()
    with services.files.create(file_id, 1) as sink:
        sink.write(b"content")
        sink.finish()
    return file_id


async def read(services: Services, file_id: str) -> bytes:
    with services.files.open(file_id) as file:
        return file.read()


def test_changing_the_master_key_keeps_every_file_readable(pymeet: Run, config: str, tmp_path: Path) -> None:
    """And the text says what to do with the former key, which older snapshots need."""
    file_id = do(config, seal)
    before = (tmp_path / "data" / "master.key").read_text()

    asked = pymeet("keys", "rotate")
    done = pymeet("keys", "rotate", "--yes")
    checked = json.loads(pymeet("keys", "check", "--json").stdout)

    assert (asked.returncode, done.returncode) == (6, 0)
    after = (tmp_path / "data" / "master.key").read_text()
    assert after != before
    assert len(after.split()) == 1
    assert "Changed the master key" in done.stdout
    assert "former master.key" in done.stderr
    assert "`pymeet backup`" in done.stderr or "backup`" in done.stderr
    assert before.strip() not in done.stdout + done.stderr
    assert not checked["unfinished_change"]
    assert do(config, lambda services: read(services, file_id)) == b"content"


def test_it_stands_in_the_audit_log(pymeet: Run, config: str) -> None:
    """Whoever answers for the data should know when."""
    pymeet("keys", "rotate", "--yes")

    async def actions(services: Services) -> list[str]:
        async with services.db.read() as conn:
            return list((await conn.execute(select(audit_events.c.action))).scalars())

    assert "master_key.changed" in do(config, actions)


def test_a_change_that_was_interrupted_shows_and_is_finished(pymeet: Run, config: str, tmp_path: Path) -> None:
    """By running it again."""
    do(config, seal)
    Keyring.begin_change(tmp_path / "data")

    shown = pymeet("keys", "check")
    done = json.loads(pymeet("keys", "rotate", "--yes", "--json").stdout)

    assert "not finished" in shown.stderr
    assert done["resumed"]
    assert "not finished" not in pymeet("keys", "check").stderr


def test_a_wrong_master_key_is_loud(pymeet: Run, tmp_path: Path) -> None:
    """It is found out before anything is written under it."""
    pymeet("keys", "check")
    (tmp_path / "data" / "master.key").write_text("ab" * 32)

    refused = pymeet("keys", "check")

    assert refused.returncode in (0, 1)  # a running server has the right one in its memory
    if refused.returncode:
        assert "another master key" in refused.stderr


async def test_the_start_of_the_server_finishes_a_change(config: str, tmp_path: Path) -> None:
    """Nobody has to remember it."""
    settings = load(Path(config), {})
    async with open_services(settings) as services:
        assert finish_change(settings, services.keys) is None
        file_id = await seal(services)
        Keyring.begin_change(settings.data_dir)
    async with open_services(settings) as services:
        done = finish_change(settings, services.keys)

        assert done
        assert done.resumed
        assert not is_unfinished(settings)
        assert await read(services, file_id) == b"content"


def test_without_a_server_it_holds_the_data_directory(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that starts meanwhile would use a key that is about to go."""
    run = runner(config, monkeypatch, capsys)
    with hold_data_dir(load(Path(config), {})):
        refused = run("keys", "rotate", "--yes")

    assert refused.returncode == 1
    assert len((Path(config).parent / "data" / "master.key").read_text().split()) == 1
