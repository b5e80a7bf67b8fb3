"""Rooms, live meetings, waiting mails and settings on the command line, as scripts and people meet them."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.support.commands import Run, configured, runner

from pymeet.config import load
from pymeet.db import outbox
from pymeet.ops.services import open_services


@pytest.fixture
def config(tmp_path: Path) -> str:
    return configured(tmp_path)


@pytest.fixture
def pymeet(config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(config, monkeypatch, capsys)


def test_what_holds_for_a_room_is_changed_and_shown(pymeet: Run, tmp_path: Path) -> None:
    """The twin of the settings dialog, for scripts; a password never stands on the command line."""
    pymeet("user", "add", "Ada", "ada@example.org")
    pymeet("room", "create", "Tea", "--slug", "tea-time")
    secret = tmp_path / "password"
    secret.write_text("camomile and honey\n")
    secret.chmod(0o600)

    options = ["--owner", "ada@example.org", "--waiting-room", "guests", "--capacity", "12", "--guests", "no"]
    changed = pymeet("room", "set", "tea-time", *options, "--password-file", str(secret), "--json")
    shown = pymeet("room", "show", "tea-time")
    freed = pymeet("room", "set", "tea-time", "--owner", "none", "--capacity", "none", "--no-password", "--json")

    assert changed.returncode == 0, changed.stderr
    room = json.loads(changed.stdout)
    assert room["owner"] == "ada@example.org"
    assert room["settings"]["waiting_room"] == "guests"
    assert (room["settings"]["capacity"], room["settings"]["guests"], room["settings"]["has_password"]) == (
        12,
        False,
        True,
    )
    assert "Waiting room" in shown.stdout
    assert "guests" in shown.stdout
    back = json.loads(freed.stdout)
    assert (back["owner"], back["settings"]["capacity"], back["settings"]["has_password"]) == (None, None, False)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 2),
        (["--guests", "maybe"], 2),
        (["--capacity", "many"], 2),
        (["--waiting-room", "sometimes"], 1),
        (["--owner", "nobody@example.org"], 4),
    ],
)
def test_what_a_room_cannot_be_is_refused_in_a_sentence(pymeet: Run, options: list[str], code: int) -> None:
    pymeet("room", "create", "Tea", "--slug", "tea-time")

    refused = pymeet("room", "set", "tea-time", *options)

    assert refused.returncode == code
    assert refused.stdout == ""
    assert refused.stderr


def test_settings_are_set_over_the_configuration_and_given_back(pymeet: Run) -> None:
    """Without a server they count from its next start on, and the command says so."""
    before = pymeet("settings", "list")
    made = pymeet("settings", "set", "rooms.guests_allowed", "false")
    listed = json.loads(pymeet("settings", "list", "--json").stdout)
    back = pymeet("settings", "reset", "rooms.guests_allowed")
    wrong = pymeet("settings", "set", "accounts.registration", "sometimes")

    assert "rooms.guests_allowed" in before.stdout
    assert made.stdout == "rooms.guests_allowed is false.\n"
    assert "No server is running" in made.stderr
    (setting,) = (each for each in listed if each["name"] == "rooms.guests_allowed")
    assert (setting["value"], setting["configured"], setting["set_here"]) == (False, True, True)
    assert back.stdout == "rooms.guests_allowed is true, as the configuration says.\n"
    assert wrong.returncode == 1


def test_the_mail_queue_is_listed_masked_and_a_mail_dropped(pymeet: Run, config: str) -> None:
    """What a mail says, and whole addresses, stand nowhere in it."""

    async def queue() -> str:
        async with open_services(load(Path(config), {})) as services, services.db.write() as conn:
            return await outbox.queue(
                conn,
                now_ms=services.clock.now_ms(),
                user_id=None,
                to="carl@example.net",
                template="sign_in",
                values={"url": "https://meet.example.org/link#secret"},
                language="en",
            )

    mail_id = asyncio.run(queue())
    listed = pymeet("mail", "list")
    off = pymeet("mail", "retry", mail_id)
    dropped = pymeet("mail", "drop", mail_id)
    empty = pymeet("mail", "list")
    failed = json.loads(pymeet("mail", "list", "--failed", "--json").stdout)

    assert "c…@example.net" in listed.stdout
    assert "secret" not in listed.stdout
    assert "Mail is off" in listed.stderr
    assert off.returncode == 1
    assert dropped.stdout == "Dropped the mail.\n"
    assert "No mail waits." in empty.stderr
    assert [(each["id"], each["error"]) for each in failed["mails"]] == [(mail_id, "dropped")]


def test_without_a_server_nobody_is_in_a_meeting(pymeet: Run) -> None:
    """Looking is no error; ending what does not run is one."""
    pymeet("room", "create", "Tea", "--slug", "tea-time")

    assert json.loads(pymeet("live", "list", "--json").stdout) == []
    assert pymeet("live", "list").returncode == 0
    assert pymeet("live", "people", "tea-time").returncode == 1
    assert pymeet("live", "end", "tea-time").returncode == 1
