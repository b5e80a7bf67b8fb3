"""`pymeet profile-field` and `pymeet user set-field` as an operator types them, where no server runs."""

import json
from pathlib import Path

import pytest
from tests.support.commands import Run, configured, runner


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(configured(tmp_path), monkeypatch, capsys)


def test_a_field_is_added_filled_in_changed_and_deleted(run: Run) -> None:
    """For people and for programs; deleting says first what goes, and does not without a yes."""
    assert "There are no profile fields yet" in run("profile-field", "list").stderr
    assert run("user", "add", "Ann", "ann@example.org").returncode == 0
    assert "Members fill it in" in run("profile-field", "add", "Department").stdout
    assert "Only administrators" in run("profile-field", "add", "Staff number", "--locked").stdout
    assert run("user", "set-field", "ann@example.org", "staff number", "4711").stdout == "Staff number: 4711\n"
    assert "called Number" in run("profile-field", "change", "staff number", "--label", "Number", "--place", "1").stdout

    listed = json.loads(run("profile-field", "list", "--json").stdout)
    shown = run("user", "show", "ann@example.org").stdout
    asked = run("profile-field", "delete", "Number")

    assert [(each["label"], each["editable"], each["people"]) for each in listed] == [
        ("Number", False, 1),
        ("Department", True, 0),
    ]
    assert "4711" in shown
    assert asked.returncode != 0
    assert "1 person" in asked.stderr
    assert "1 person" in run("profile-field", "delete", "Number", "--yes").stdout
    assert run("user", "set-field", "ann@example.org", "Department", "Garden").returncode == 0
    assert run("user", "set-field", "ann@example.org", "Department").stdout == "Department is empty.\n"
    assert json.loads(run("user", "show", "ann@example.org", "--json").stdout)["fields"] == [
        {"label": "Department", "value": None}
    ]


def test_a_field_that_is_not_there_or_there_already_is_named(run: Run) -> None:
    """With what to do about it, and an exit code for scripts."""
    assert run("profile-field", "add", "Department").returncode == 0

    missing, taken = run("profile-field", "delete", "Floor", "--yes"), run("profile-field", "add", "department")

    assert missing.returncode == 4
    assert taken.returncode == 1
    assert "pymeet profile-field list" in taken.stderr
