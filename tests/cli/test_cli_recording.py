"""`pymeet recording` as an operator types it, with the server running and without."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from tests.support.commands import Run, configured, runner
from tests.support.management import serving
from tests.support.recordings import FILM, TRACK, Made, Seat, change_recording, make_recording

from pymeet.config import load
from pymeet.ops.operations import run as operate
from pymeet.ops.services import Services, open_services

T = TypeVar("T")


@pytest.fixture
def config(tmp_path: Path) -> str:
    return configured(tmp_path)


@pytest.fixture
def run(config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(config, monkeypatch, capsys)


@pytest.fixture
def made(config: str) -> Made:
    """Ada and Bob were recorded in the room tea-time."""

    async def make(services: Services) -> Made:
        seats = {}
        for name in ("Ada", "Bob"):
            added = {"name": name, "email": f"{name.lower()}@example.org"}
            seats[name] = Seat((await operate(services, "user.add", added))["id"])
        await operate(services, "room.create", {"name": "Tea", "slug": "tea-time", "owner": "ada@example.org"})
        return await make_recording(services.lifecycle, "tea-time", seats["Ada"].user_id, seats, name="Planting")

    return opened(config, make)


def opened(config: str, work: Callable[[Services], Awaitable[T]]) -> T:
    """What `work` makes of the services, where no server runs."""

    async def there() -> T:
        async with open_services(load(Path(config), {})) as services:
            return await work(services)

    return asyncio.run(there())


def test_a_recording_is_listed_and_shown(run: Run, made: Made) -> None:
    """For people and for programs."""
    listed = run("recording", "list")
    shown = run("recording", "show", made.id)

    assert (listed.returncode, shown.returncode) == (0, 0)
    assert made.id in listed.stdout
    assert "Planting" in listed.stdout
    assert made.people["Bob"] in shown.stdout
    assert "microphone" in shown.stdout
    assert json.loads(run("recording", "list", "--room", "tea-time", "--json").stdout)[0]["id"] == made.id
    assert run("recording", "show", "A" * 22).returncode == 4
    assert run("recording", "list", "--room", "nowhere").returncode == 4


def test_the_film_and_the_tracks_are_written_into_files(run: Run, made: Made, tmp_path: Path) -> None:
    """Byte for byte, readable by their owner only, and nothing is replaced by mistake."""
    out = tmp_path / "out"
    out.mkdir()

    assert run("recording", "export", made.id, "-o", str(tmp_path / "film.mp4")).returncode == 0
    assert run("recording", "export", made.id, "-o", str(out), "--tracks").returncode == 0

    film = tmp_path / "film.mp4"
    assert (film.read_bytes(), film.stat().st_mode & 0o777) == (FILM, 0o600)
    assert [each.read_bytes() for each in sorted(out.iterdir())] == [TRACK, TRACK]
    assert all(each.name.startswith("Planting ") for each in out.iterdir())
    assert run("recording", "export", made.id, "-o", str(film)).returncode == 1
    assert run("recording", "export", made.id, "-o", str(film), "--force").returncode == 0
    assert run("recording", "export", made.id, "-o", str(film), "--tracks").returncode == 1


def test_deleting_for_good_asks_and_the_trash_does_not(run: Run, made: Made) -> None:
    """What can be taken back needs no question."""
    assert run("recording", "delete", made.id).returncode == 0
    assert made.id in run("recording", "list", "--trash").stdout
    assert run("recording", "restore", made.id).returncode == 0

    assert run("recording", "delete", made.id, "--now").returncode == 6
    assert made.id in run("recording", "list").stdout
    gone = run("recording", "delete", made.id, "--now", "--yes")

    assert (gone.returncode, "destroyed" in gone.stdout) == (0, True)
    assert made.id not in run("recording", "list").stdout


def test_a_person_is_taken_out_after_it_was_shown_what_goes(run: Run, made: Made) -> None:
    """With `--dry-run` nothing happens."""
    shown = run("recording", "remove-person", made.id, "bob@example.org", "--dry-run")
    assert (shown.returncode, "1 track" in shown.stdout) == (0, True)
    assert run("recording", "remove-person", made.id, "bob@example.org").returncode == 6
    assert len(json.loads(run("recording", "show", made.id, "--json").stdout)["people"]) == 2

    done = run("recording", "remove-person", made.id, "bob@example.org", "--yes", "--json")

    assert (done.returncode, json.loads(done.stdout)["tracks"]) == (0, 1)
    assert len(json.loads(run("recording", "show", made.id, "--json").stdout)["people"]) == 1
    assert run("recording", "remove-person", made.id, "nobody@example.org", "--yes").returncode == 4


def test_what_cannot_be_played_ends_with_five(run: Run, made: Made) -> None:
    """These files hold no sound, which a script must learn."""
    found = run("recording", "verify", made.id)

    assert found.returncode == 5
    assert "cannot be played" in found.stderr
    assert len(json.loads(run("recording", "verify", "--json").stdout)["findings"]) == 3


def test_without_a_server_no_film_is_made(run: Run, made: Made) -> None:
    """It says what to do."""
    refused = run("recording", "compose", made.id)

    assert (refused.returncode, "pymeet serve" in refused.stderr) == (1, True)
    assert run("recording", "compose", made.id, "--height", "100").returncode == 2


def test_it_is_the_same_with_the_server_running(run: Run, made: Made, config: str, tmp_path: Path) -> None:
    """Through its socket; files too."""

    async def work() -> None:
        async with serving(load(Path(config), {})) as services:
            await change_recording(services.lifecycle, made.id, keep_from_ms=services.clock.now_ms())
            listed = await asyncio.to_thread(run, "recording", "list", "--json")
            assert json.loads(listed.stdout)[0]["id"] == made.id
            written = await asyncio.to_thread(run, "recording", "export", made.id, "-o", str(tmp_path / "film.mp4"))
            assert written.returncode == 0, written.stderr
            removed = await asyncio.to_thread(
                run, "recording", "remove-person", made.id, "bob@example.org", "--yes", "--json"
            )
            assert removed.returncode == 0, removed.stderr

    asyncio.run(work())
    assert (tmp_path / "film.mp4").read_bytes() == FILM
