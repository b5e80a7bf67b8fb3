"""Sealed files on their way to where the administrator wants them: whole, or not without saying so."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.management import serving

from pymeet.config import Config
from pymeet.errors import NotFoundError, PymeetError
from pymeet.ids import new_id
from pymeet.ops.client import fetch_file
from pymeet.ops.services import open_services

CONTENT = bytes(range(256)) * 5000


@pytest.fixture(params=["server runs", "no server"])
async def config(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Config]:
    """The same test twice: through the socket, and in this process."""
    config = Config(data_dir=tmp_path / "d")
    config.data_dir.mkdir(mode=0o700)
    if request.param == "no server":
        yield config
        return
    async with serving(config):
        yield config


async def sealed(config: Config) -> str:
    """A new file; its id."""
    async with open_services(config) as services:
        file_id = new_id()
        sink = services.files.create(file_id, services.clock.now_ms())
        sink.write(CONTENT)
        sink.finish()
    return file_id


async def test_a_sealed_file_is_fetched_as_it_was(config: Config) -> None:
    """An export is worth nothing with a byte missing."""
    file_id, fetched = await sealed(config), io.BytesIO()

    await fetch_file(config, file_id, fetched)

    assert fetched.getvalue() == CONTENT


@pytest.mark.parametrize("file_id", ["A" * 22, "", "../master.key", "A" * 22 + "\n"])
async def test_what_is_not_there_is_not_found(config: Config, file_id: str) -> None:
    """Nor does any name lead to another file."""
    with pytest.raises(NotFoundError):
        await fetch_file(config, file_id, io.BytesIO())


async def test_a_file_whose_key_was_destroyed_stays_closed(config: Config) -> None:
    """That is what destroying it means."""
    file_id = await sealed(config)
    async with open_services(config) as services:
        services.files.destroy(file_id)

    with pytest.raises(NotFoundError):
        await fetch_file(config, file_id, io.BytesIO())


async def test_a_file_that_was_changed_is_not_passed_for_whole(config: Config) -> None:
    """A flipped bit in the middle shows only when it is read."""
    file_id = await sealed(config)
    (path,) = [path for path in config.data_dir.rglob("*") if path.is_file() and file_id in path.name]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    with pytest.raises(PymeetError):
        await fetch_file(config, file_id, io.BytesIO())
