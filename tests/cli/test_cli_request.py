"""`pymeet request` and `pymeet consent` as those use them who answer for personal data."""

import asyncio
import io
import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pymeet.cli import main
from pymeet.config import Config
from pymeet.ids import new_id
from pymeet.ops.services import Services, open_services
from pymeet.privacy import consents, receipts
from pymeet.privacy.notices import Notices
from pymeet.privacy.people import guest, member


class Shell:
    """Runs commands in this process, in a directory with a data directory; gives what they printed."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.code = 0
        self.out = ""
        self.err = ""

    def __call__(self, *arguments: str, typed: str = "") -> str:
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["pymeet", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(typed))
            try:
                main()
            except SystemExit as ended:
                self.code = int(ended.code or 0)
        self.out, self.err = self._capsys.readouterr()
        return self.out

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    def services(self, work: Callable[[Services], Any]) -> Any:
        """What `work` makes of the opened services."""

        async def run() -> Any:
            async with open_services(Config(data_dir=Path("pymeet-data"))) as services:
                return await work(services)

        return asyncio.run(run())


@pytest.fixture
def pymeet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PYMEET_")]:
        monkeypatch.delenv(name)
    (tmp_path / "pymeet-data").mkdir(mode=0o700)
    shell = Shell(tmp_path, monkeypatch, capsys)
    shell("user", "add", "Ada", "ada@example.org")
    return shell


def _receipt(shell: Shell, seat: str) -> str:
    async def work(services: Services) -> str:
        return receipts.issue(services.keys.purpose_key(receipts.PURPOSE), seat, "room", 1)

    text: str = shell.services(work)
    return text


def test_a_request_is_entered_shown_extended_and_decided(pymeet: Shell) -> None:
    """The whole way of a letter that came by post."""
    today = datetime.now(UTC).date()
    made = pymeet.json("request", "add", "access", "--user", "ADA@example.org", "--received", str(today))
    extended = pymeet.json("request", "extend", made["id"], "--reason", "complexity")
    pymeet("request", "decide", made["id"], "granted")
    assert pymeet.out == "Closed: granted.\n"
    shown = pymeet.json("request", "show", made["id"])

    assert made["who"] == "ada@example.org"
    assert made["received_at"] == f"{today}T00:00:00Z"
    assert 27 <= made["days_left"] <= 30
    assert extended["was_due_at"] == made["due_at"] < extended["due_at"]
    assert (shown["state"], shown["decision"], shown["days_left"], shown["overdue"]) == ("done", "granted", None, False)
    assert [step["what"] for step in shown["timeline"]] == ["requested", "extended", "done"]


def test_what_must_be_told_to_the_person_is_said_to_whoever_decides(pymeet: Shell) -> None:
    """The law does not end with the register (Article 12(3) and (4))."""
    made = pymeet("request", "add", "objection", "--unidentified").strip()
    assert "Answer it by" in pymeet.err

    pymeet("request", "extend", made, "--reason", "complexity")
    assert "Tell the person before" in pymeet.err
    pymeet("request", "decide", made, "unfounded")
    assert "complain to the authority" in pymeet.err


def test_lists_hold_what_is_asked_for_with_the_days_that_are_left(pymeet: Shell) -> None:
    """One look must say what to do next."""
    received = str((datetime.now(UTC) - timedelta(days=45)).date())
    late = pymeet("request", "add", "access", "--user", "ada@example.org", "--received", received).strip()
    new = pymeet("request", "add", "erasure", "--receipt", _receipt(pymeet, "seat")).strip()
    done = pymeet("request", "add", "portability", "--unidentified").strip()
    pymeet("request", "decide", done, "not_identified")

    assert [each["id"] for each in pymeet.json("request", "list")] == [late, new]
    assert [each["id"] for each in pymeet.json("request", "list", "--overdue")] == [late]
    assert {each["id"] for each in pymeet.json("request", "list", "--all")} == {late, new, done}
    lines = pymeet("request", "list", "--all").splitlines()
    assert lines[0].split() == ["Request", "Right", "Who", "State", "Due", "Days", "left"]
    by_id = {line.split()[0]: line for line in lines[1:]}
    assert " -1" in by_id[late]
    assert " guest " in by_id[new]
    assert by_id[done].endswith("not_identified")
    assert pymeet.err == ""
    assert "overdue" in pymeet("request", "show", late)


def test_on_a_terminal_what_is_overdue_is_red(pymeet: Shell) -> None:
    """Among thirty lines the one that breaks the law must be seen."""
    pymeet("request", "add", "access", "--unidentified", "--received", "2020-01-01")
    pymeet("request", "add", "portability", "--unidentified")

    shown = _on_a_terminal(pymeet.directory, "request", "list")

    (late,) = [line for line in shown.splitlines() if "access" in line]
    (new,) = [line for line in shown.splitlines() if "portability" in line]
    assert "\x1b[1;31m-" in late
    assert "\x1b[1;31m" not in new


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["request", "list"], "There are no such requests."),
        (["request", "list", "--open", "--all"], "Choose one of"),
        (["request", "add", "pizza", "--unidentified"], "Choose one of: access"),
        (["request", "add", "access"], "Name who asks"),
        (["request", "add", "access", "--user", "ada@example.org", "--unidentified"], "Name who asks"),
        (["request", "add", "access", "--user", "bob@example.org"], "There is no such account."),
        (["request", "add", "access", "--receipt", "pmg1.forged.forged"], "not a privacy receipt"),
        (["request", "add", "access", "--unidentified", "--received", "yesterday"], "Write the day as"),
        (["request", "add", "access", "--unidentified", "--received", "2999-01-01"], "in the future"),
        (["request", "show", "nothing"], "There is no such request."),
        (["request", "decide", "nothing", "granted"], "There is no such request."),
        (["consent", "show", "ada@example.org"], "Nothing was decided."),
        (["consent", "receipt", "nothing"], "There is no such record of consent."),
        (["consent", "verify", "missing.json"], "There is no file or directory missing.json."),
    ],
)
def test_mistakes_are_answered_with_what_to_write_instead(pymeet: Shell, arguments: list[str], said: str) -> None:
    """A register is used rarely; nobody knows its words by heart."""
    pymeet(*arguments)

    assert said in pymeet.err


def test_no_id_looks_like_an_option() -> None:
    """One in sixty-four would, and the command that is given it would say that there is no such option."""
    assert not any(new_id().startswith("-") for _ in range(5_000))


def test_a_receipt_can_be_typed_instead_of_standing_in_the_list_of_processes(pymeet: Shell) -> None:
    """It opens a guest's data; every user of the machine can read the arguments of commands."""
    receipt = _receipt(pymeet, "seat")

    made = pymeet("request", "add", "access", "--receipt", "-", typed=f"{receipt}\n").strip()

    assert pymeet.json("request", "show", made)["who"] == "guest"


def test_consent_is_shown_and_its_receipt_verified(pymeet: Shell) -> None:
    """What a person is given, and what the operator says when it is shown years later."""

    async def decide(services: Services) -> None:
        now_ms = services.clock.now_ms()
        await Notices(services.lifecycle).current(now_ms)
        (user,) = await services.accounts.list_users()
        for person in (member(user.id), guest("seat")):
            options = {"method": "dialog", "notice_version": 1, "language": "en", "now_ms": now_ms}
            await services.db.work(
                lambda conn, whose=person, how=options: consents.record(
                    conn, whose, "recording", "rec1", "given", **how
                )
            )

    pymeet.services(decide)
    (shown,) = pymeet.json("consent", "show", "ada@example.org")
    assert (shown["purpose"], shown["object"], shown["decision"]) == ("recording", "rec1", "given")
    assert "given" in pymeet("consent", "show", "-", typed=_receipt(pymeet, "seat"))

    pymeet("consent", "receipt", shown["id"], "-o", "receipt.json")
    file = pymeet.directory / "receipt.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "nothing was changed since" in pymeet("consent", "verify", "receipt.json")
    assert pymeet.json("consent", "verify", "receipt.json")["record_id"] == shown["id"]
    assert json.loads(pymeet("consent", "receipt", shown["id"]))["record"] == json.loads(file.read_text())["record"]

    pymeet("consent", "receipt", shown["id"], "-o", "receipt.json")
    assert (pymeet.code, "receipt.json exists already." in pymeet.err) == (1, True)
    file.write_text(file.read_text().replace("ConsentGiven", "ConsentRefused"))
    pymeet("consent", "verify", "receipt.json")
    assert (pymeet.code, "changed since" in pymeet.err) == (1, True)


def test_everybody_can_be_asked_to_read_the_notice_again(pymeet: Shell) -> None:
    """After a change that the server cannot see, such as another use of what it holds."""
    first = pymeet.json("consent", "renew", "--yes")
    second = pymeet.json("consent", "renew", "--yes")

    assert (first["version"], second["version"]) == (1, 2)
    assert first["hash"] == second["hash"]


def _on_a_terminal(directory: Path, *arguments: str) -> str:
    """What a command shows on a terminal, with the codes that steer it."""
    ours, theirs = pty.openpty()
    program = Path(sys.executable).with_name("pymeet")
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    environ.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [program, *arguments], cwd=directory, stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    )
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 4096):
            shown += data
    except OSError:  # Linux says EIO when the other side is closed (pty(7))
        pass
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode()
