"""`pymeet privacy` as a data protection officer meets it: before the first start, with a database, with a server."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pymeet.cli import main
from pymeet.config import Config
from pymeet.ops.client import call
from pymeet.ops.services import open_services
from pymeet.retention import days


class Shell:
    """Runs commands in this process; gives what they printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.code = 0
        self.err = ""

    def __call__(self, *arguments: str) -> str:
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["pymeet", *arguments])
            try:
                main()
                self.code = 0
            except SystemExit as ended:
                self.code = int(ended.code or 0)
        out, self.err = self._capsys.readouterr()
        return out


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """In an empty directory, without a server."""
    monkeypatch.chdir(tmp_path)
    return Shell(monkeypatch, capsys)


def test_the_record_can_be_read_before_the_first_start(shell: Shell, tmp_path: Path):
    """Article 30 wants it before anybody's data is processed. Reading makes no data directory."""
    Path("pymeet.yaml").write_text("privacy: {controller: Example Clinic}\n")

    record = shell("privacy", "record")

    assert (shell.code, shell.err) == (0, "")
    assert "Example Clinic" in record
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pymeet.yaml"]


def test_documents_come_in_each_form_and_into_files(shell: Shell):
    """For people, for programs, for spreadsheets; German for those who read it."""
    assert json.loads(shell("privacy", "cookies", "--format", "json")) == json.loads(
        shell("privacy", "cookies", "--json")
    )
    assert shell("privacy", "retention", "--format", "csv").startswith("class,title,")
    assert shell("privacy", "notice", "--language", "de").startswith("# Datenschutz auf diesem Server\n")

    assert shell("privacy", "data-map", "-o", "map.md") == ""
    assert Path("map.md").read_text() == shell("privacy", "data-map")


def test_periods_in_force_are_shown_not_those_that_wait(shell: Shell):
    """A shortened period counts after 72 hours; until then a document must not promise it."""

    async def open_once(config: Config) -> Any:
        async with open_services(config):
            pass
        return await call(config, "privacy.document", {"name": "retention", "form": "json"})

    Path("pymeet-data").mkdir(mode=0o700)
    asyncio.run(open_once(Config(data_dir=Path("pymeet-data"))))
    Path("pymeet.yaml").write_text("retention: {chat: 7d}\n")

    classes = {each["class"]: each for each in json.loads(shell("privacy", "retention", "--json"))["classes"]}

    assert classes["chat"]["effective_ms"] == days(90)


def test_the_check_is_red_only_where_it_is_asked_to_be_strict(shell: Shell):
    """A timer or a pipeline needs the exit code; whoever looks needs the list."""
    printed = shell("privacy", "check")

    assert shell.code == 0
    assert "fail  controller" in printed
    assert "Set privacy.controller." in printed
    shell("privacy", "check", "--strict")
    assert shell.code == 5

    Path("pymeet.yaml").write_text("privacy: {controller: C, contact: c@example.org}\n")
    assert json.loads(shell("privacy", "check", "--strict", "--json"))["ok"] is True
    assert shell.code == 0


def test_what_is_kept_without_end_fails_the_strict_check(shell: Shell):
    """`forever` must be typed, and it must be seen."""
    Path("pymeet.yaml").write_text("privacy: {controller: C, contact: c@example.org}\nretention: {chat: forever}\n")

    printed = shell("privacy", "check", "--strict")

    assert shell.code == 5
    assert "Chat messages are kept without end." in printed
    assert "**forever**" in shell("privacy", "retention")
