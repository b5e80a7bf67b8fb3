"""The command line as people and scripts meet it: what is printed where, and the exit code."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pymeet import __version__
from pymeet.cli import main
from pymeet.cli.output import printable


@dataclass
class Result:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]

CONFIG = """\
data_dir: {directory}/data
http: {{host: 127.0.0.1, port: 18777, tls: {{mode: 'off'}}}}
media: {{port: 18778, addresses: ['127.0.0.1']}}
"""


@pytest.fixture
def pymeet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in an empty directory, as a script would; in this process, which is ten times quicker."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PYMEET_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["pymeet", *arguments])
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            try:
                main()
            except SystemExit as ended:
                code = ended.code
        printed = capsys.readouterr()
        return Result(int(code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration whose data directory was made, as `pymeet init` and `pymeet serve` do."""
    (tmp_path / "data").mkdir(mode=0o700)
    path = tmp_path / "bench.yaml"
    path.write_text(CONFIG.format(directory=tmp_path))
    return str(path)


def test_the_installed_program_tells_its_version() -> None:
    """The first thing asked in a bug report. A process of its own, to see that the entry point is installed."""
    program = Path(sys.executable).with_name("pymeet")

    printed = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout

    assert printed == f"pymeet {__version__}\n"


def test_init_writes_a_file_with_which_everything_works(pymeet: Run, tmp_path: Path) -> None:
    """Somebody who likes to see the settings first starts here."""
    first = pymeet("init")
    check = pymeet("config", "check")

    assert (first.returncode, check.returncode) == (0, 0)
    assert "pymeet.yaml is fine." in check.stdout
    assert stat.S_IMODE((tmp_path / "pymeet-data" / "master.key").stat().st_mode) == 0o600


def test_init_overwrites_nothing(pymeet: Run, tmp_path: Path) -> None:
    """The file may be the only copy of somebody's work."""
    (tmp_path / "pymeet.yaml").write_text("log: {level: debug}")

    again = pymeet("init")

    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert (tmp_path / "pymeet.yaml").read_text() == "log: {level: debug}"


def test_a_refused_configuration_is_told_in_two_lines(pymeet: Run, tmp_path: Path) -> None:
    """Where and what; and the remedy. Exit code 3, so that a service manager need not try again."""
    (tmp_path / "pymeet.yaml").write_text("http:\n  prot: 3\n")

    result = pymeet("config", "check")

    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr == "pymeet.yaml, line 2: http.prot is no setting.\nDid you mean http.port?\n"


def test_config_show_tells_what_is_in_force_without_secrets(pymeet: Run) -> None:
    """The output is pasted into tickets."""
    env = {"PYMEET_HTTP__METRICS_TOKEN": "canary-canary-canary", "PYMEET_HTTP__PORT": "1234"}

    text, data = pymeet("config", "show", env=env), pymeet("config", "show", "--json", env=env)

    assert "canary" not in text.stdout + data.stdout
    assert "port: 1234" in text.stdout
    assert json.loads(data.stdout)["http"]["port"] == 1234


def test_config_schema_is_json(pymeet: Run) -> None:
    """Editors read it."""
    assert "http" in json.loads(pymeet("config", "schema").stdout)["properties"]


def test_rooms_are_made_and_found_by_scripts(pymeet: Run, config: str) -> None:
    """`--json` leaves standard output clean."""
    made = json.loads(pymeet("room", "create", "bench", "--json", "-c", config).stdout)
    named = json.loads(pymeet("room", "create", "Tea", "--slug", "tea-time", "--json", "--config", config).stdout)
    listed = json.loads(pymeet("room", "list", "--json", "-c", config).stdout)

    assert made["name"] == "bench"
    assert made["url"] == f"http://127.0.0.1:18777/r/{made['slug']}"
    assert named["slug"] == "tea-time"
    assert {room["slug"] for room in listed} == {made["slug"], "tea-time"}


def test_rooms_are_made_and_deleted_by_people(pymeet: Run, config: str) -> None:
    """What happened, and what one may want to do now."""
    made = pymeet("room", "create", "Tea", "--slug", "tea-time", "-c", config)
    listed = pymeet("room", "list", "-c", config)
    deleted = pymeet("room", "delete", "tea-time", "-c", config)
    again = pymeet("room", "delete", "tea-time", "-c", config)

    assert made.stdout == "Made the room Tea: http://127.0.0.1:18777/r/tea-time\n"
    assert made.stderr.splitlines()[1:] == ["Send people that link."]
    assert "http://127.0.0.1:18777/r/tea-time" in listed.stdout
    assert deleted.returncode == 0
    assert again.returncode == 4
    assert len(again.stderr.splitlines()) == 2


def test_a_room_token_stands_alone_on_standard_output(pymeet: Run, config: str) -> None:
    """So that a script can take it as it is."""
    pymeet("room", "create", "Tea", "--slug", "tea-time", "-c", config)

    result = pymeet("room", "token", "tea-time", "--name", "Camera", "--hours", "2", "-c", config)

    assert len(result.stdout.split()) == 1
    assert "http://127.0.0.1:18777/whip/tea-time" in result.stderr


def test_accounts_are_added_listed_and_disabled(pymeet: Run, config: str) -> None:
    """The link is all that a person needs to get in."""
    added = pymeet("user", "add", "Ada", "ada@example.org", "--admin", "-c", config)
    fresh = pymeet("user", "link", "ada@example.org", "-c", config)
    twice = pymeet("user", "add", "Ada", "ada@example.org", "-c", config)
    disabled = pymeet("user", "disable", "ada@example.org", "-c", config)
    too_late = pymeet("user", "link", "ada@example.org", "-c", config)
    listed = pymeet("user", "list", "-c", config)

    assert added.stdout.startswith("http://127.0.0.1:18777/link#")
    assert fresh.stdout.startswith("http://127.0.0.1:18777/link#")
    assert twice.returncode == 1
    assert disabled.returncode == 0
    assert too_late.returncode == 1
    assert too_late.stderr.startswith("The account is disabled.\n")
    assert "status" not in too_late.stderr
    assert "administrator" in listed.stdout
    assert "disabled" in listed.stdout


def test_doctor_ends_with_one_when_a_check_fails(pymeet: Run, config: str, tmp_path: Path) -> None:
    """A deployment script stops there."""
    pymeet("room", "list", "-c", config)
    fine = pymeet("doctor", "-c", config)
    (tmp_path / "data" / "master.key").chmod(0o644)

    broken = pymeet("doctor", "--json", "-c", config)

    assert fine.returncode == 0, fine.stdout
    assert broken.returncode == 1
    assert not json.loads(broken.stdout)["ok"]


def test_status_without_a_server_says_so(pymeet: Run, config: str) -> None:
    """And how to start one."""
    result = pymeet("status", "-c", config)

    assert result.returncode == 0
    assert "running           no" in result.stdout
    assert "pymeet serve" in result.stderr
    assert json.loads(pymeet("status", "--json", "-c", config).stdout)["running"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ["room", "create", "Tea"],
        ["room", "list"],
        ["room", "delete", "tea-time", "--yes"],
        ["room", "token", "tea-time"],
        ["user", "add", "Ada", "ada@example.org"],
        ["user", "list", "--json"],
    ],
)
def test_a_command_in_the_wrong_directory_is_refused_and_makes_nothing(
    pymeet: Run, tmp_path: Path, arguments: list[str]
) -> None:
    """A room made there would be in a database that no server reads, and its link would lead nowhere."""
    result = pymeet(*arguments)

    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"There is no data directory {tmp_path}/pymeet-data")
    assert all(word in result.stderr for word in ("the server's directory", "-c FILE", "pymeet init", "pymeet serve"))
    assert list(tmp_path.iterdir()) == []


def test_looking_in_an_empty_directory_makes_nothing(pymeet: Run, tmp_path: Path) -> None:
    """Whoever only asks must not leave keys and a database behind."""
    status, as_json = pymeet("status"), pymeet("status", "--json")
    pymeet("doctor")

    assert status.returncode == 0
    assert "running           no" in status.stdout
    assert "There is no data directory here." in status.stderr
    assert json.loads(as_json.stdout)["rooms"] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["room", "create", "Tea"], ["user", "add", "Ada", "ada@example.org", "--json"]])
def test_a_change_without_a_server_says_that_none_runs(
    pymeet: Run, config: str, tmp_path: Path, arguments: list[str]
) -> None:
    """It works, for the server that starts next; whoever expected one to run learns that it does not."""
    result = pymeet(*arguments, "-c", config)

    assert result.returncode == 0
    told = f"No server is running with {tmp_path}/data; `pymeet serve -c {config}` starts one."
    assert result.stderr.splitlines()[0] == told
    assert "No server" not in pymeet("room", "list", "-c", config).stderr


def test_a_room_is_made_for_its_owner(pymeet: Run, config: str) -> None:
    """Otherwise nobody but an administrator could end a meeting in it."""
    pymeet("user", "add", "Ada", "ada@example.org", "-c", config)

    made = json.loads(pymeet("room", "create", "Tea", "--owner", "Ada@example.org", "--json", "-c", config).stdout)
    nobodys = json.loads(pymeet("room", "create", "Hall", "--json", "-c", config).stdout)
    unknown = pymeet("room", "create", "Tea", "--owner", "ben@example.org", "-c", config)
    listed = pymeet("room", "list", "-c", config).stdout

    assert (made["owner"], nobodys["owner"]) == ("ada@example.org", None)
    assert unknown.returncode == 4
    assert "ada@example.org" in listed
    assert "nobody" in listed


def test_help_speaks_of_rooms_and_people_not_of_types(pymeet: Run) -> None:
    """`<bool>` and `<int range>` say nothing to an operator."""
    texts = [
        pymeet(*command, "--help").stdout
        for command in ([], ["room", "create"], ["room", "token"], ["user", "add"], ["serve"], ["config", "show"])
    ]

    assert all("<" not in text and "{" not in text and "[x" not in text for text in texts), texts
    assert all("..." not in line for line in texts[0].splitlines()[1:]), "a command's description is cut off"
    assert "NAME EMAIL" in texts[3]


def test_no_command_is_described_in_half_a_sentence(pymeet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns the library cuts off what is too long."""
    monkeypatch.setenv("COLUMNS", "80")
    groups = [
        line.split()[0] for line in pymeet("--help").stdout.partition("Commands:")[2].splitlines() if line.strip()
    ]

    cut = [line for group in groups for line in pymeet(group, "--help").stdout.splitlines() if line.endswith("...")]
    assert [line for line in cut if "Usage:" not in line] == []


def test_a_file_that_is_not_there_is_named(pymeet: Run, config: str) -> None:
    """Room on the disk is not what is missing then."""
    result = pymeet("consent", "verify", "nowhere.json", "-c", config)

    assert result.returncode == 4
    assert result.stderr.splitlines() == ["There is no file or directory nowhere.json.", "Check the path."]


@pytest.mark.parametrize("hours", ["0", "-1", "x", "1.5"])
def test_wrong_hours_are_refused_in_a_sentence(pymeet: Run, config: str, hours: str) -> None:
    """The message tells what to write, not how a library read it."""
    result = pymeet("room", "token", "tea-time", "--hours", hours, "-c", config)

    assert result.returncode == 2
    assert "Write a whole number of hours, such as 12." in result.stderr
    assert "Input" not in result.stderr


def test_commands_are_told_as_they_can_be_typed(tmp_path: Path) -> None:
    """Installed beside the sources, the program is not on the path, and `pymeet` alone would not be found."""
    program = Path(sys.executable).with_name("pymeet")

    def hint(path: str) -> str:
        environ = {"PATH": path}
        return subprocess.run([program, "status"], capture_output=True, text=True, cwd=tmp_path, env=environ).stderr

    assert f"`{program} serve`" in hint("/usr/bin:/bin")
    assert "`pymeet serve`" in hint(f"{program.parent}:/usr/bin:/bin")


@pytest.mark.parametrize("arguments", [["paint"], ["room", "create"], ["room", "list", "--colour"], []])
def test_wrong_usage_ends_with_two(pymeet: Run, arguments: list[str]) -> None:
    """Scripts can tell a typing mistake from a failure."""
    assert pymeet(*arguments).returncode == 2


def test_names_cannot_steer_the_terminal() -> None:
    """A room's name may hold what a terminal takes for an order."""
    assert printable("Tea\x1b[2J\u202e") == "Tea\ufffd[2J\ufffd"
