"""`pymeet backup` and `pymeet restore` as an administrator meets them, with the server running and without."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.commands import Run, configured, runner, server

from pymeet.cli.backup import _size

PASSPHRASE = "correct horse battery"


@pytest.fixture
def config(tmp_path: Path) -> str:
    return configured(tmp_path)


@pytest.fixture
def alone(config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs commands where no server runs."""
    return runner(config, monkeypatch, capsys)


@pytest.fixture(params=["server runs", "no server"])
def pymeet(request: pytest.FixtureRequest, config: str, alone: Run) -> Iterator[Run]:
    """The same test twice: through the socket, and in this process."""
    if request.param == "no server":
        yield alone
        return
    with server(config):
        yield alone


@pytest.fixture
def passphrase_file(tmp_path: Path) -> str:
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_text(f"{PASSPHRASE}\n")
    return str(path)


def emails(tmp_path: Path) -> list[str]:
    with closing(sqlite3.connect(tmp_path / "data" / "pymeet.db")) as conn:
        return [row[0] for row in conn.execute("SELECT email FROM users ORDER BY email")]


def test_sizes_are_written_as_people_write_them():
    """No powers of ten, which three digits for a little less than a mebibyte became."""
    sizes = (999, 1536, 1_034_240, 1 << 20, 5 << 30)

    assert [_size(each) for each in sizes] == ["999 B", "1.5 KiB", "1010 KiB", "1.0 MiB", "5.0 GiB"]


def test_a_backup_is_made_listed_verified_and_deleted(pymeet: Run, tmp_path: Path) -> None:
    """And says what to keep where: the master key is not in it."""
    made = pymeet("backup")
    path = Path(made.stdout.strip())
    listed, as_json = pymeet("backup", "list"), json.loads(pymeet("backup", "list", "--json").stdout)
    verified = pymeet("backup", "verify", path.name)
    asked = pymeet("backup", "delete", path.name)
    deleted = pymeet("backup", "delete", path.name, "--yes")

    assert (made.returncode, path.parent) == (0, tmp_path / "data" / "backups")
    assert "master.key is in no backup" in made.stderr
    assert f"keys/{path.name}.db" in made.stderr
    assert path.name in listed.stdout
    assert "verified" in listed.stdout
    assert [(each["name"], each["encrypted"]) for each in as_json] == [(path.name, False)]
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "is whole" in verified.stdout
    assert (asked.returncode, deleted.returncode) == (6, 0)
    assert pymeet("backup", "list", "--json").stdout == "[]\n"
    assert "no backups here yet" in pymeet("backup", "list").stderr


def test_a_backup_goes_where_it_is_wanted(pymeet: Run, tmp_path: Path) -> None:
    """Relative to where the command was typed, not to where the server was started."""
    made = json.loads(pymeet("backup", "-o", "elsewhere", "--json").stdout)

    assert Path(made["path"]).parent == tmp_path / "elsewhere"
    assert pymeet("backup", "verify", made["name"], "-o", "elsewhere").returncode == 0
    assert pymeet("backup", "verify", made["name"]).returncode == 4


def test_an_encrypted_backup_needs_its_passphrase(pymeet: Run, passphrase_file: str, tmp_path: Path) -> None:
    """To look inside; whether its files are what was written shows without."""
    made = json.loads(pymeet("backup", "--encrypt", "--passphrase-file", passphrase_file, "--json").stdout)
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("another passphrase")

    without = pymeet("backup", "verify", made["name"])
    with_it = pymeet("backup", "verify", made["name"], "--passphrase-file", passphrase_file)
    refused = pymeet("backup", "verify", made["name"], "--passphrase-file", str(wrong))

    assert made["encrypted"]
    assert (without.returncode, with_it.returncode, refused.returncode) == (0, 0, 1)
    assert "was not opened" in without.stderr
    assert with_it.stderr == ""
    assert "passphrase does not open" in refused.stderr


def test_a_damaged_backup_ends_with_1(pymeet: Run) -> None:
    """For the script that looks after backups."""
    path = Path(pymeet("backup").stdout.strip())
    with (path / "pymeet.db").open("r+b") as file:
        file.seek(100)
        file.write(b"x")

    found = pymeet("backup", "verify", path.name)

    assert found.returncode == 1
    assert "Damaged: pymeet.db" in found.stderr


@pytest.mark.parametrize(
    ("content", "mode", "code", "said"),
    [
        (PASSPHRASE, 0o644, 3, "may read the passphrase"),
        ("v7Qx2!pL", 0o600, 1, "shorter than 12"),
        ("", 0o600, 1, "shorter"),
    ],
)
def test_a_bad_passphrase_file_is_refused(
    alone: Run, tmp_path: Path, content: str, mode: int, code: int, said: str
) -> None:
    """A backup under it would look protected. What is in it is not shown."""
    path = tmp_path / "passphrase"
    path.write_text(content)
    path.chmod(mode)

    refused = alone("backup", "--encrypt", "--passphrase-file", str(path))

    assert refused.returncode == code
    assert said in refused.stderr
    assert not content or content not in refused.stderr
    assert not (tmp_path / "data" / "backups").exists()


def test_encrypting_and_the_passphrase_belong_together(alone: Run, passphrase_file: str) -> None:
    """Whoever gives one of them expects an encrypted backup."""
    assert alone("backup", "--encrypt").returncode == 2
    assert alone("backup", "--passphrase-file", passphrase_file).returncode == 2


@pytest.mark.parametrize("encrypted", [False, True])
def test_yesterdays_state_comes_back(alone: Run, tmp_path: Path, passphrase_file: str, encrypted: bool) -> None:
    """And what is there now can be kept as a backup."""
    options = ["--passphrase-file", passphrase_file] if encrypted else []
    alone("user", "add", "Ada", "ada@example.org")
    made = json.loads(alone("backup", *(["--encrypt"] if encrypted else []), *options, "--json").stdout)
    alone("user", "add", "Bob", "bob@example.org")

    asked = alone("restore", made["name"], *options)
    before = emails(tmp_path)
    done = alone("restore", made["name"], *options, "--keep-replaced", "--yes", "--json")

    assert asked.returncode == 6
    assert "Everybody has to sign in again." in asked.stderr
    assert before == ["ada@example.org", "bob@example.org"]
    assert done.returncode == 0, done.stderr
    assert emails(tmp_path) == ["ada@example.org"]
    restored = json.loads(done.stdout)
    assert (restored["name"], restored["present_was_read"]) == (made["name"], True)
    kept = {each["name"]: each["encrypted"] for each in json.loads(alone("backup", "list", "--json").stdout)}
    assert kept == {made["name"]: encrypted, restored["kept"]: encrypted}


def test_what_is_lost_is_said_and_ends_with_5(alone: Run, tmp_path: Path) -> None:
    """Without the present database nobody knows which holds were placed since."""
    name = Path(alone("backup").stdout.strip()).name
    (tmp_path / "data" / "pymeet.db").unlink()

    done = alone("restore", name, "--yes")

    assert done.returncode == 5
    assert "nothing newer came over" in done.stderr


def test_a_running_server_is_left_alone(alone: Run, config: str) -> None:
    """Its database must not change under its feet."""
    name = Path(alone("backup").stdout.strip()).name
    with server(config):
        refused = alone("restore", name, "--yes")

    assert refused.returncode == 1
    assert "Stop it first" in refused.stderr


def test_without_its_passphrase_an_encrypted_backup_is_not_restored(alone: Run, passphrase_file: str) -> None:
    """It says what to give."""
    made = json.loads(alone("backup", "--encrypt", "--passphrase-file", passphrase_file, "--json").stdout)

    refused = alone("restore", made["name"], "--yes")

    assert refused.returncode == 1
    assert "--passphrase-file" in refused.stderr
