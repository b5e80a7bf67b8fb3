"""`pymeet purge`, `hold`, `retention` and `room retention` as people and scripts meet them."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from test_cli_terminal import Terminal
from tests.support.management import serving
from tests.support.retention import DAY_MS, add_messages, add_room, add_seat, add_user

from pymeet.cli import main
from pymeet.clock import Clock, ManualClock, SystemClock
from pymeet.config import load
from pymeet.db.engine import Database
from pymeet.ops.client import call
from pymeet.ops.services import open_services
from pymeet.privacy.clockguard import mark, read_clocks

CONFIG = """\
data_dir: {directory}/data
http: {{host: 127.0.0.1, port: 18779, tls: {{mode: 'off'}}}}
media: {{port: 18780, addresses: ['127.0.0.1']}}
{more}
"""


@dataclass
class Result:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


Run = Callable[..., Result]


@pytest.fixture
def pymeet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in a directory with a database in it, as a script would: nobody can be asked."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PYMEET_")]:
        monkeypatch.delenv(name)
    configure(tmp_path)
    (tmp_path / "data").mkdir(mode=0o700)
    asyncio.run(fill(tmp_path))

    def run(*arguments: str) -> Result:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["pymeet", *arguments])
            patch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115  closed a few lines below
            try:
                main()
            except SystemExit as ended:
                code = ended.code
            finally:
                sys.stdin.close()
        printed = capsys.readouterr()
        return Result(int(code or 0), printed.out, printed.err)

    return run


def configure(directory: Path, more: str = "") -> None:
    (directory / "pymeet.yaml").write_text(CONFIG.format(directory=directory, more=more))


async def fill(directory: Path, *, seen_clock: bool = True, clock: Clock | None = None) -> None:
    """Two rooms with old and new messages; a sweep that has seen this machine's clock."""
    now_ms = (clock or SystemClock()).now_ms()

    def rows(conn: Connection) -> None:
        add_user(conn, "ann", seen_ms=now_ms)
        for room in ("alpha", "beta"):
            add_room(conn, room)
            ages = (*[100] * 10, 50, 1)
            add_messages(conn, room, *(now_ms - age * DAY_MS for age in ages), user_id="ann", seat=f"{room}-seat")
            add_seat(conn, room, f"{room}-seat", now_ms - 100 * DAY_MS)
        if seen_clock:
            mark(conn, read_clocks(now_ms))

    async with open_services(load(directory / "pymeet.yaml", {}), clock) as services:
        await services.db.work(rows)


def messages(directory: Path) -> int:
    async def ask() -> int:
        db = await Database.open(directory / "data" / "pymeet.db")
        try:
            return await db.study(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM messages").scalar_one())
        finally:
            await db.close()

    return asyncio.run(ask())


def test_a_dry_run_shows_what_would_go_and_deletes_nothing(pymeet: Run, tmp_path: Path):
    """The first thing an administrator types, on a server that matters."""
    shown = pymeet("purge", "--older-than", "90d", "--dry-run")

    assert shown.returncode == 0
    assert [line.split()[:4] for line in shown.stdout.splitlines()] == [
        ["Class", "What", "Rows", "Oldest"],
        ["attendance", "delete", "attendance", "2"],
        ["chat", "delete", "messages", "20"],
    ]
    assert messages(tmp_path) == 24


def test_a_purge_deletes_what_was_shown(pymeet: Run, tmp_path: Path):
    """With --yes nobody is asked; exit code 0 says that everything planned is gone from the disk."""
    done = pymeet("purge", "--older-than", "90d", "--yes")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Deleted 22 rows."
    assert messages(tmp_path) == 4
    again = pymeet("purge", "--older-than", "90d", "--yes")
    assert (again.returncode, again.stdout) == (0, "")
    assert "There is nothing to delete." in again.stderr


def test_without_anybody_to_ask_and_without_yes_nothing_happens(pymeet: Run, tmp_path: Path):
    """A script that forgot it must not delete; 6 tells it apart from failures."""
    refused = pymeet("purge", "--older-than", "90d")

    assert refused.returncode == 6
    assert "Run it again with --yes." in refused.stderr
    assert messages(tmp_path) == 24


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--older-than", "90"], 1, "90 has no unit. Write a whole number with a unit: 90d, 12h or 30min."),
        (["--older-than", "30min"], 1, "can be kept from 1h to 3650d, not for 30min."),
        (["--older-than", "90d", "--category", "audit"], 1, "Audit log can be kept from 180d to 3650d, not for 90d."),
        (["--category", "chats"], 1, "chats is not a class that can be purged."),
        (["--room", "gamma"], 4, "There is no such room."),
        (["--user", "nobody@example.org"], 4, "There is no such account."),
    ],
)
def test_what_cannot_be_meant_is_refused(pymeet: Run, tmp_path: Path, arguments: list[str], code: int, says: str):
    """Before anything is planned, with the bounds or the names there are."""
    refused = pymeet("purge", *arguments, "--yes")

    assert refused.returncode == code
    assert says in refused.stderr
    assert messages(tmp_path) == 24


def test_at_a_terminal_it_asks(pymeet: Run, tmp_path: Path):
    """With the plan in sight, and the number of rows in the question; a no deletes nothing."""
    for answer, code, left in (("n", 1, 24), ("y", 0, 4)):
        terminal = Terminal(
            f"import os, sys; os.chdir({str(tmp_path)!r}); sys.argv = ['pymeet', 'purge', '--older-than', '90d']\n"
            "from pymeet.cli import main; main()"
        )
        terminal.wait_for("Delete 22 rows for good? [y/N]")
        terminal.type(f"{answer}\n")

        assert terminal.end() == code
        assert "delete messages" in terminal.shown
        assert messages(tmp_path) == left


async def test_the_running_server_does_the_same(tmp_path: Path):
    """Plan and run go over its socket as two operations; what it deletes is what the first one said."""
    configure(tmp_path)
    (tmp_path / "data").mkdir(mode=0o700)
    await fill(tmp_path, clock=ManualClock())
    config = load(tmp_path / "pymeet.yaml", {})
    told: list[tuple[int, int | None, str]] = []

    async with serving(config):
        plan = await call(config, "purge.plan", {"older_than": "90d"}, offline=lambda: told.append((0, 0, "offline")))
        await call(config, "hold.place", {"room": "beta", "reason": "legal_claim", "review": "30d"})
        outcome = await call(
            config, "purge.run", {"plan": plan["plan"], "take_clock": True}, on_progress=lambda *each: told.append(each)
        )

    assert plan["rows"] == 22
    assert outcome["done"] == {"attendance": 1, "chat": 10}
    assert {each["retention_class"]: each["causes"] for each in outcome["drift"]} == {
        "attendance": {"held": 1},
        "chat": {"held": 10},
    }
    assert told == [] or told[-1][:2] == (11, 22)


def test_category_room_and_user_narrow_it(pymeet: Run, tmp_path: Path):
    """A request about one room or one person is answered without touching the others."""
    narrow = ["--older-than", "90d", "--category", "chat", "--json"]

    by_room = pymeet("purge", *narrow, "--room", "alpha", "--dry-run").json
    by_user = pymeet("purge", *narrow, "--user", "ann@example.org", "--dry-run").json
    assert [(step["class"], step["rows"]) for step in by_room["steps"]] == [("chat", 10)]
    assert [(step["class"], step["rows"]) for step in by_user["steps"]] == [("chat", 20)]

    done = pymeet("purge", *narrow, "--room", "alpha", "--yes").json
    assert done["outcome"]["done"] == {"chat": 10}
    assert done["outcome"]["complete"]
    assert messages(tmp_path) == 14


def test_without_a_period_those_in_force_decide(pymeet: Run, tmp_path: Path):
    """What the next sweep would do, now."""
    assert pymeet("purge", "--yes").returncode == 0
    assert messages(tmp_path) == 4


def test_what_a_hold_keeps_stays_and_ends_with_5(pymeet: Run, tmp_path: Path):
    """The administrator learns that it is not all gone, and a script does too."""
    placed = pymeet("hold", "place", "--room", "alpha", "--reason", "legal_claim", "--review", "30d")
    assert placed.returncode == 0, placed.stderr
    assert "on the room alpha" in placed.stdout

    partly = pymeet("purge", "--older-than", "90d", "--yes")

    assert partly.returncode == 5
    assert "Deleted 11 rows." in partly.stdout
    assert "Kept by a legal hold or a restriction: 11 rows." in partly.stderr
    assert messages(tmp_path) == 14

    (hold,) = pymeet("hold", "list", "--json").json
    assert (hold["room"], hold["reason"], hold["overdue"]) == ("alpha", "legal_claim", False)
    assert pymeet("hold", "release", hold["id"], "--yes").returncode == 0
    assert pymeet("hold", "list", "--json").json == []
    assert hold["id"] in pymeet("hold", "list", "--all").stdout
    assert pymeet("purge", "--older-than", "90d", "--yes").returncode == 0
    assert messages(tmp_path) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--room", "alpha", "--reason", "because"], 1, "The reasons are legal_claim, legal_duty,"),
        (["--room", "alpha", "--reason", "legal_claim", "--review", "90"], 1, "90 has no unit."),
        (["--reason", "legal_claim"], 2, "Name one of --user, --guest-receipt, --room and --recording."),
        (["--room", "alpha", "--user", "ann", "--reason", "legal_claim"], 2, "Name one of --user,"),
        (
            ["--guest-receipt", "pmg1.forged", "--reason", "legal_claim"],
            1,
            "This is not a privacy receipt of this server.",
        ),
    ],
)
def test_a_hold_needs_one_object_and_one_of_the_reasons(pymeet: Run, arguments: list[str], code: int, says: str):
    """Free text would put names into a register that outlives them."""
    refused = pymeet("hold", "place", *arguments)

    assert refused.returncode == code
    assert says in refused.stderr


def test_a_doubted_clock_deletes_nothing_until_it_is_accepted(pymeet: Run, tmp_path: Path):
    """A server whose sweeps never saw this clock asks before it deletes much."""
    (tmp_path / "data").rename(tmp_path / "other")
    (tmp_path / "data").mkdir(mode=0o700)
    asyncio.run(fill(tmp_path, seen_clock=False))

    refused = pymeet("purge", "--yes")
    assert refused.returncode == 1
    assert "Nothing was deleted: the clock may be wrong (there was no sweep yet to compare it with" in refused.stderr
    assert "--accept-clock" in refused.stderr
    assert messages(tmp_path) == 24

    assert pymeet("purge", "--yes", "--accept-clock").returncode == 0
    assert messages(tmp_path) == 4


def test_the_clock_can_be_accepted_by_itself(pymeet: Run, tmp_path: Path):
    """So that the sweeps of the server go on."""
    accepted = pymeet("retention", "accept-clock", "--json")

    assert accepted.json["now"].endswith("Z")


def test_a_shorter_period_is_listed_with_what_it_will_delete(pymeet: Run, tmp_path: Path):
    """Three days to notice a slip of the finger."""
    configure(tmp_path, "retention: {chat: 7d}")

    found = pymeet("retention", "list", "--json").json

    (change,) = found["coming"]
    assert (change["class"], change["from"], change["to"], change["rows"]) == ("chat", "90d", "7d", 22)
    assert {each["class"]: each["period"] for each in found["classes"]}["chat"] == "90d"
    shown = pymeet("retention", "list").stdout
    assert "chat is kept for 7d instead of 90d: 22 rows will be deleted, the oldest from" in shown


def test_a_room_gets_its_own_period(pymeet: Run, tmp_path: Path):
    """Longer at once, shorter after 72 hours, and back."""
    assert pymeet("room", "retention", "alpha", "chat", "180d").stdout == "The room alpha keeps chat for 180d.\n"
    assert pymeet("purge", "--yes").returncode == 0
    assert messages(tmp_path) == 14

    waiting = pymeet("room", "retention", "alpha", "chat", "30d")
    assert waiting.stdout.startswith("The room alpha keeps chat for 180d.\nFrom ")
    assert "on it keeps it for 30d: 11 rows will be deleted." in waiting.stdout
    assert pymeet("room", "retention", "alpha", "chat", "180d").stdout == "The room alpha keeps chat for 180d.\n"

    refused = pymeet("room", "retention", "alpha", "audit", "200d")
    assert refused.returncode == 1
    assert "only for attendance, chat" in refused.stderr
    assert pymeet("room", "retention", "gamma", "chat", "30d").returncode == 4
