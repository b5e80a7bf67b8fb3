"""`pymeet export-user` as an administrator meets it, with the server running and without."""

import asyncio
import io
import json
import os
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pyrage
import pytest
from sqlalchemy import Connection, delete, insert
from tests.support.canaries import Canaries, fill
from tests.support.exports import declared_pictures
from tests.support.management import serving

from pymeet.cli import main
from pymeet.config import load
from pymeet.db.schema import exports
from pymeet.ids import new_id
from pymeet.ops.services import open_services
from pymeet.privacy import receipts
from pymeet.privacy.people import guest, member

CONFIG = """\
data_dir: {directory}/data
http: {{host: 127.0.0.1, port: 18777, tls: {{mode: 'off'}}}}
media: {{port: 18778, addresses: ['127.0.0.1']}}
"""


@dataclass
class Result:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "data").mkdir(mode=0o700)
    path = tmp_path / "bench.yaml"
    path.write_text(CONFIG.format(directory=tmp_path))
    return str(path)


@pytest.fixture(params=["server runs", "no server"])
def pymeet(
    request: pytest.FixtureRequest,
    config: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """Runs a command, as a script would. The same test twice: through the socket, and in this process."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PYMEET_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, typed: str = "") -> Result:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["pymeet", *arguments, "-c", config])
            patch.setattr(sys, "stdin", io.StringIO(typed))
            try:
                main()
            except SystemExit as ended:
                code = ended.code
        printed = capsys.readouterr()
        return Result(int(code or 0), printed.out, printed.err)

    if request.param == "no server":
        yield run
        return
    started, stop = Event(), Event()
    server = Thread(target=lambda: asyncio.run(_serve(config, started, stop)))
    server.start()
    assert started.wait(30)
    yield run
    stop.set()
    server.join()


async def _serve(config: str, started: Event, stop: Event) -> None:
    async with serving(load(Path(config), {})):
        started.set()
        await asyncio.to_thread(stop.wait)


def do(config: str, work: Callable[[Any], Any]) -> Any:
    """Does something with the services, as another process would."""

    async def there() -> Any:
        async with open_services(load(Path(config), {})) as services:
            return await work(services)

    return asyncio.run(there())


@pytest.fixture
def somebody(config: str) -> tuple[str, Canaries]:
    """The e-mail address of somebody with data, and their tokens."""

    async def make(services: Any) -> tuple[str, Canaries]:
        person = member(new_id())
        canaries = await services.db.work(fill, person, "a")
        await services.db.work(lambda conn: conn.execute(delete(exports)))
        return f"{canaries['users', 'email']}@example.org", canaries

    made: tuple[str, Canaries] = do(config, make)
    return made


def test_everything_about_somebody_comes_into_one_private_file(
    pymeet: Run, config: str, somebody: tuple[str, Canaries], tmp_path: Path
) -> None:
    """One command, one file; and no second copy on the server."""
    email, canaries = somebody

    result = pymeet("export-user", email, "-o", "anna.zip")

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Wrote anna.zip: ")
    assert "sessions.token_hash" in result.stderr
    assert "It stands for a token that grants access." in result.stderr
    assert "open index.html in a browser" in result.stderr
    assert stat.S_IMODE((tmp_path / "anna.zip").stat().st_mode) == 0o600
    with zipfile.ZipFile(tmp_path / "anna.zip") as archive:
        assert archive.testzip() is None
        assert canaries["messages", "text"] in archive.read("data/messages.jsonl").decode()
    assert [path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file()] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["anna.zip", "bench.yaml", "data"]
    assert pymeet("export-user", email, "-o", "again.zip").returncode == 0


def test_it_can_be_named_by_account_and_told_to_machines(
    pymeet: Run, config: str, somebody: tuple[str, Canaries], tmp_path: Path
) -> None:
    """`--json` leaves standard output clean, and says what is inside and what is not."""
    _, canaries = somebody

    result = pymeet("export-user", canaries["users", "id"], "-o", "a.zip", "--language", "de", "--json")

    said = json.loads(result.stdout)
    assert (said["file"], said["encrypted"], said["complete"], said["failed"]) == ("a.zip", False, True, [])
    assert said["tables"]["messages"] == 1
    assert said["size_bytes"] == (tmp_path / "a.zip").stat().st_size
    assert ("sessions", "token_hash") in {(each["table"], each["column"]) for each in said["withheld"]}
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert '<html lang="de">' in archive.read("index.html").decode()


def test_with_a_passphrase_any_age_program_opens_it_and_nothing_else(
    pymeet: Run, somebody: tuple[str, Canaries], tmp_path: Path
) -> None:
    """The archive travels by mail, the passphrase by telephone."""
    email, canaries = somebody
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse battery\n")
    secret.chmod(0o600)

    result = pymeet("export-user", email, "-o", "anna.zip", "--passphrase-file", str(secret))

    assert result.returncode == 0, result.stderr
    assert "age -d" in result.stderr
    assert not (tmp_path / "anna.zip").exists()
    locked = (tmp_path / "anna.zip.age").read_bytes()
    assert b"index.html" not in locked
    opened = pyrage.passphrase.decrypt(locked, "correct horse battery")
    with zipfile.ZipFile(io.BytesIO(opened)) as archive:
        assert canaries["users", "name"] in archive.read("data/users.jsonl").decode()


@pytest.mark.parametrize(("mode", "text"), [(0o644, "correct horse battery"), (0o600, "too short")])
def test_a_careless_passphrase_is_refused_before_anything_is_made(
    pymeet: Run, somebody: tuple[str, Canaries], tmp_path: Path, mode: int, text: str
) -> None:
    """A passphrase that others can read, or guess, protects nothing."""
    secret = tmp_path / "passphrase"
    secret.write_text(text)
    secret.chmod(mode)

    result = pymeet("export-user", somebody[0], "-o", "anna.zip", "--passphrase-file", str(secret))

    assert result.returncode in (1, 3)
    assert not list(tmp_path.glob("anna*"))


def test_no_file_is_replaced_by_mistake(pymeet: Run, somebody: tuple[str, Canaries], tmp_path: Path) -> None:
    """It may be the archive of somebody else."""
    (tmp_path / "anna.zip").write_text("precious")

    refused = pymeet("export-user", somebody[0], "-o", "anna.zip")
    nowhere = pymeet("export-user", somebody[0], "-o", "no/such/place.zip")
    kept = (tmp_path / "anna.zip").read_text()
    replaced = pymeet("export-user", somebody[0], "-o", "anna.zip", "--force")

    assert (refused.returncode, nowhere.returncode, kept, replaced.returncode) == (1, 1, "precious", 0)
    assert "--force" in refused.stderr
    assert zipfile.is_zipfile(tmp_path / "anna.zip")


def test_a_guest_is_found_by_the_receipt_which_need_not_be_typed_for_all_to_see(
    pymeet: Run, config: str, tmp_path: Path
) -> None:
    """People without account have the same rights."""

    async def make(services: Any) -> tuple[str, Canaries]:
        seat = new_id()
        canaries = await services.db.work(fill, guest(seat), "g")
        await services.db.work(lambda conn: conn.execute(delete(exports)))
        key = services.keys.purpose_key(receipts.PURPOSE)
        return receipts.issue(key, seat, new_id(), 0), canaries

    receipt, canaries = do(config, make)

    result = pymeet("export-user", "-", "-o", "guest.zip", typed=f"{receipt}\n")

    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(tmp_path / "guest.zip") as archive:
        assert canaries["attendance", "name"] in archive.read("data/attendance.jsonl").decode()
        assert json.loads(archive.read("manifest.json"))["subject"]["anchor"] == "guest"


def test_nobody_is_told_as_such(pymeet: Run, tmp_path: Path) -> None:
    """Exit code 4, and no file."""
    result = pymeet("export-user", "nobody@example.org", "-o", "anna.zip")

    assert result.returncode == 4
    assert not (tmp_path / "anna.zip").exists()


def test_what_could_not_be_read_is_told_and_the_code_says_so(
    pymeet: Run, config: str, somebody: tuple[str, Canaries], tmp_path: Path
) -> None:
    """An archive with a hole must not pass for whole in a script."""
    email, canaries = somebody
    with declared_pictures() as pictures:

        def lose(conn: Connection) -> None:
            pictures.create(conn)
            conn.execute(insert(pictures).values(user_id=canaries["users", "id"], file_id=new_id()))

        do(config, lambda services: services.db.work(lose))
        told = pymeet("export-user", email, "-o", "anna.zip")
        said = json.loads(pymeet("export-user", email, "-o", "b.zip", "--json").stdout)

    assert told.returncode == 5
    assert "The archive is not complete: 1 file could not be read." in told.stderr
    assert "files/pictures/" in told.stderr
    assert (said["complete"], len(said["failed"])) == (False, 1)
    assert zipfile.is_zipfile(tmp_path / "anna.zip")
