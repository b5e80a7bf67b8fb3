"""`pymeet token` as operators use it, on a server that does not run."""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pymeet.cli import main

Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pymeet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs a command; its exit code, and what it printed where."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PYMEET_")]:
        monkeypatch.delenv(name)
    (tmp_path / "pymeet-data").mkdir(mode=0o700)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["pymeet", *arguments])
            patch.setattr(sys, "stdin", io.StringIO())
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return code, *capsys.readouterr()

    run("user", "add", "Ada", "ada@example.org")
    return run


def test_a_token_is_printed_alone_so_that_a_script_can_take_it(pymeet: Shell) -> None:
    """And it is shown nowhere else, also not in the list."""
    code, out, err = pymeet("token", "create", "ada@example.org", "--scope", "rooms:read", "--scope", "meetings:read")
    token = out.strip()
    _, listed, _ = pymeet("token", "list")
    _, as_json, _ = pymeet("token", "list", "ada@example.org", "--json")

    assert code == 0
    assert token.startswith("pymeet_")
    assert token not in err + listed + as_json
    (row,) = json.loads(as_json)
    assert row["scopes"] == ["rooms:read", "meetings:read"]
    assert row["id"] in listed
    assert "never" in listed

    assert pymeet("token", "revoke", row["id"], "--yes")[:2] == (0, "Revoked the token.\n")
    assert pymeet("token", "list")[1] == ""
    assert pymeet("token", "revoke", row["id"], "--yes")[0] == 4


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--scope", "users:read"], "may not have the scope users:read"),
        (["--scope", "everything"], "There is no scope 'everything'."),
        (["--scope", "rooms:read", "--expires", "367d"], "1 to 366 days"),
        (["--scope", "rooms:read", "--expires", "90"], "has no unit"),
        (["--scope", "rooms:read", "--expires", "36h"], "whole days"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(pymeet: Shell, more: list[str], says: str) -> None:
    """Whoever types it must know what to type instead."""
    code, out, err = pymeet("token", "create", "ada@example.org", *more)

    assert code != 0
    assert out == ""
    assert says in err
