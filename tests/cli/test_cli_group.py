"""`pymeet group` as an operator types it, where no server runs."""

import json
from pathlib import Path

import pytest
from tests.support.commands import Run, configured, runner


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(configured(tmp_path), monkeypatch, capsys)


def test_a_group_is_made_filled_shown_and_deleted(run: Run) -> None:
    """By its name, however it is written; for people and for programs."""
    assert run("user", "add", "Ann", "ann@example.org").returncode == 0
    assert "Made the group Choir" in run("group", "add", "Choir", "--description", "Who sings").stdout
    assert run("group", "join", "choir", "ann@example.org").stdout == "Ann is in Choir now.\n"

    listed, shown = run("group", "list"), run("group", "show", "Choir")
    told = json.loads(run("group", "show", "Choir", "--json").stdout)

    assert "Who sings" in listed.stdout
    assert "ann@example.org" in shown.stdout
    assert [each["name"] for each in told["members"]] == ["Ann"]
    assert run("group", "rename", told["id"], "Singers").stdout == "The group is called Singers.\n"
    assert run("group", "leave", "Singers", "ann@example.org").stdout == "Ann is not in Singers any more.\n"
    assert run("group", "delete", "Singers", "--yes").stdout == "Deleted the group Singers.\n"
    assert "There are no groups yet" in run("group", "list").stderr


def test_a_group_or_person_that_is_not_there_is_named(run: Run) -> None:
    """With what to do about it, and an exit code for scripts."""
    assert run("group", "add", "Choir").returncode == 0

    for words, code in (
        (("show", "Board"), 4),
        (("join", "Choir", "nobody@example.org"), 4),
        (("leave", "Choir", "nobody@example.org"), 4),
    ):
        result = run("group", *words)
        assert result.returncode == code, result.stderr
        assert "pymeet" in result.stderr
    taken = run("group", "add", "CHOIR")
    assert taken.returncode == 1
    assert "pymeet group list" in taken.stderr
