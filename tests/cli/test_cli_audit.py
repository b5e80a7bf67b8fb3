"""`pymeet audit`, `pymeet breach-report`, `pymeet breach` and `pymeet user role`, as people and scripts meet them."""

import json
import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pymeet.cli import main

CONFIG = """\
data_dir: {directory}/data
http: {{host: 127.0.0.1, port: 18777, tls: {{mode: 'off'}}}}
media: {{port: 18778, addresses: ['127.0.0.1']}}
privacy: {{controller: 'Example Clinic, 1 Main Street', dpo_contact: dpo@example.org}}
"""


@dataclass
class Result:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def pymeet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, with a configuration and a data directory of its own."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PYMEET_")]:
        monkeypatch.delenv(name)
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "pymeet.yaml").write_text(CONFIG.format(directory=tmp_path))

    def run(*arguments: str) -> Result:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["pymeet", *arguments])
            try:
                main()
            except SystemExit as ended:
                code = ended.code
        printed = capsys.readouterr()
        return Result(int(code or 0), printed.out, printed.err)

    return run


def done(result: Result) -> Result:
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture
def used(pymeet: Run) -> Run:
    """A server with an administrator and two rooms."""
    done(pymeet("user", "add", "Ada", "ada@example.org", "--admin"))
    done(pymeet("room", "create", "Tea", "--slug", "tea-time"))
    done(pymeet("room", "create", "Ada's", "--owner", "ada@example.org"))
    return pymeet


def test_what_was_done_is_listed_the_newest_first(used: Run) -> None:
    """Numbers, times and fixed words; no name and no address unless asked for."""
    listed = done(used("audit", "list"))
    as_json = json.loads(done(used("audit", "list", "--json")).stdout)

    assert [line.split()[4] for line in listed.stdout.splitlines()[1:]] == [
        "room.created",
        "room.created",
        "user.added",
    ]
    assert "ada@example.org" not in listed.stdout
    assert [event["action"] for event in as_json] == ["audit.viewed", "room.created", "room.created", "user.added"]
    assert as_json[-1]["detail"] == {"role": "admin"}


def test_names_are_shown_on_request_and_that_is_noted(used: Run) -> None:
    """Looking behind pseudonyms is an access to personal data of its own."""
    listed = done(used("audit", "list", "--names"))
    of_ada = json.loads(done(used("audit", "list", "--target", "ada@example.org", "--json")).stdout)
    looked = json.loads(done(used("audit", "list", "--action", "audit.viewed", "--json")).stdout)

    assert "ada@example.org" in listed.stdout
    assert [event["action"] for event in of_ada] == ["user.added"]
    assert [event["detail"]["names"] for event in looked] == [True, True]


def test_the_list_is_narrowed_down(used: Run) -> None:
    """By kind, by actor, by time, by number."""
    assert len(json.loads(done(used("audit", "list", "--action", "room", "--json")).stdout)) == 2
    assert len(json.loads(done(used("audit", "list", "--action", "room", "--limit", "1", "--json")).stdout)) == 1
    assert json.loads(done(used("audit", "list", "--until", "7d", "--json")).stdout) == []
    assert len(json.loads(done(used("audit", "list", "--since", "1h", "--actor", "operator", "--json")).stdout)) == 6
    assert "There is no such event." in used("audit", "list", "--since", "2999-01-01").stderr
    assert used("audit", "list", "--actor", "nobody@example.org").returncode == 4
    refused = used("audit", "list", "--since", "yesterday")
    assert refused.returncode == 1
    assert "Write 2026-11-01T10:00" in refused.stderr


def test_an_untouched_log_verifies(used: Run) -> None:
    """One line for people, all numbers for scripts."""
    said = done(used("audit", "verify"))
    report = json.loads(done(used("audit", "verify", "--json")).stdout)

    assert said.stdout.startswith("The audit log is intact: 3 events")
    assert report["intact"] is True
    assert report["problems"] == []
    assert len(report["fingerprint"]) == 64


def test_a_changed_log_ends_with_five(used: Run, tmp_path: Path) -> None:
    """A nightly job looks at the exit code; a human at what and where."""
    with sqlite3.connect(tmp_path / "data" / "pymeet.db") as outside:
        outside.execute("UPDATE audit_events SET action = 'room.deleted' WHERE sequence = 2")
    outside.close()

    said = used("audit", "verify")
    report = used("audit", "verify", "--json")

    assert said.returncode == report.returncode == 5
    assert said.stdout == "Number 2: The content of this event was changed.\n"
    assert said.stderr.startswith("The audit log is not intact.")
    assert json.loads(report.stdout)["problems"][0]["what"] == "changed"


def test_a_copy_of_the_checkpoints_must_be_there(used: Run) -> None:
    """A slip in the path must not pass for proof."""
    assert used("audit", "verify", "--checkpoints", "nowhere.jsonl").returncode == 4


def test_the_log_is_exported_to_a_new_file(used: Run, tmp_path: Path) -> None:
    """Nothing is overwritten, and nobody else reads it."""
    file = tmp_path / "audit.jsonl"

    done(used("audit", "export", "-o", str(file)))
    printed = done(used("audit", "export"))
    again = used("audit", "export", "-o", str(file))

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["start", *["event"] * 4, "end"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(printed.stdout.splitlines()) == 7
    assert again.returncode == 1
    assert len(file.read_text().splitlines()) == 6


def test_an_export_that_failed_leaves_no_half_file(used: Run, tmp_path: Path) -> None:
    """Somebody might take it for the whole log."""
    file = tmp_path / "audit.jsonl"

    assert used("audit", "export", "-o", str(file), "--since", "yesterday").returncode == 1

    assert not file.exists()


def test_a_role_is_given_and_shown(used: Run) -> None:
    """The operator makes somebody data protection officer."""
    done(used("user", "add", "Dora", "dora@example.org"))

    said = done(used("user", "role", "dora@example.org", "dpo"))

    assert said.stdout == "Dora is a data protection officer now.\n"
    assert "data protection officer" in done(used("user", "list")).stdout
    roles = {user["email"]: user["role"] for user in json.loads(done(used("user", "list", "--json")).stdout)}
    assert roles == {"ada@example.org": "admin", "dora@example.org": "dpo"}
    (event,) = json.loads(done(used("audit", "list", "--action", "user.role_changed", "--json")).stdout)
    assert event["detail"] == {"from": "member", "to": "dpo", "sessions": 0}


def test_a_role_that_does_not_exist_is_refused(used: Run) -> None:
    """With those that do."""
    refused = used("user", "role", "ada@example.org", "king")

    assert refused.returncode == 1
    assert "member, admin, dpo" in refused.stderr


def test_a_breach_is_counted(used: Run) -> None:
    """Article 33(3)(a) asks for categories and approximate numbers."""
    said = done(used("breach-report", "--since", "1h"))
    report = json.loads(done(used("breach-report", "--since", "1h", "--category", "account", "--json")).stdout)
    earlier = json.loads(done(used("breach-report", "--since", "3d", "--until", "2d", "--json")).stdout)

    assert "altogether" in said.stdout
    assert "room.created" in said.stdout
    assert report["held"] == {"records": 1, "members": 1, "guests": 0}
    assert [each["category"] for each in report["categories"]] == ["account"]
    assert report["categories"][0]["sensitive"] == ["contact", "content"]
    assert report["audit_intact"] is True
    assert earlier["within"]["records"] == 0
    assert earlier["held"]["records"] > 0
    assert used("breach-report", "--since", "1h", "--category", "shoes").returncode == 1


@pytest.mark.parametrize(("language", "words"), [("en", "Notification of a"), ("de", "Meldung einer Verletzung")])
def test_letters_are_drafted(used: Run, language: str, words: str) -> None:
    """With what the server knows, and marked gaps for what it does not."""
    drafted = done(used("breach-report", "--since", "1h", "--notice", "--language", language)).stdout

    assert words in drafted
    assert "Example Clinic, 1 Main Street" in drafted
    assert "dpo@example.org" in drafted
    assert "[[" in drafted


def test_the_72_hours_are_kept(used: Run) -> None:
    """From noticing to telling the authority."""
    noted = done(used("breach", "note", "--since", "2d", "--noticed", "1d"))
    (listed,) = json.loads(done(used("breach", "list", "--json")).stdout)
    told = done(used("breach", "told", "authority", listed["id"]))
    done(used("breach", "told", "people", listed["id"]))

    assert noted.stdout.startswith(f"Noted as {listed['id']}. 4")  # 47 hours and some minutes
    assert 47 * 3600 <= listed["left_s"] <= 48 * 3600
    assert told.stdout.startswith("The authority was told at ")
    assert "not told" not in done(used("breach", "list")).stdout
    assert used("breach", "told", "authority", "nothing").returncode == 4
    late = done(used("breach", "note", "--since", "9d", "--noticed", "8d"))
    assert "over" in late.stdout


def test_no_breach_is_a_short_answer(used: Run) -> None:
    """And a good one."""
    assert done(used("breach", "list")).stderr == "No breach was noted.\n"
