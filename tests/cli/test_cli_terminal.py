"""Commands at a terminal and without one: bars, questions, and Ctrl-C."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from tests.support.management import serving

from pymeet.cli.output import confirm_destructive, progress_bar
from pymeet.config import Config
from pymeet.ops.services import Services


class Terminal:
    """A Python script that runs with a terminal for its three standard files."""

    def __init__(self, script: str, columns: int = 100) -> None:
        self._ours, theirs = pty.openpty()
        environ = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=theirs, stdout=theirs, stderr=theirs, env=environ
        )
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text: str) -> None:
        """Until the script has shown `text`; AssertionError when it ends before."""
        while text not in self.shown:
            assert self._read(), self.shown

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Waits for the script's end; its exit code."""
        while self._read():
            pass
        os.close(self._ours)
        return self._process.wait(60)

    def _read(self) -> bool:
        try:
            data = os.read(self._ours, 4096)
        except OSError:  # Linux says EIO when the other side is closed (pty(7))
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)


CONFIRM = """
import sys
from pymeet.cli.output import confirm_destructive
import typer
try:
    confirm_destructive(["3 rooms go.", "1 hold stays."], "Erase them?", yes=False)
except typer.Abort:
    sys.exit(1)
print("erased")
"""

BAR = """
from pymeet.cli.output import progress_bar
with progress_bar("Erasing") as show:
    show(1, 2, "rooms\\x07")
    input()
print("ended")
"""


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_what_cannot_be_taken_back_is_asked_after_showing_the_plan(answer: str, code: int) -> None:
    """Nobody agrees to what they have not seen."""
    terminal = Terminal(CONFIRM)
    terminal.wait_for("Erase them?")
    terminal.type(f"{answer}\n")

    assert terminal.end() == code
    assert "3 rooms go." in terminal.shown
    assert "1 hold stays." in terminal.shown
    assert ("erased" in terminal.shown) == (code == 0)


def test_without_anybody_to_ask_nothing_is_erased(capsys: pytest.CaptureFixture[str]) -> None:
    """A script that forgot --yes must not erase, and must be able to tell why not."""
    with pytest.raises(typer.Exit) as ended:
        confirm_destructive(["3 rooms go."], "Erase them?", yes=False)
    printed = capsys.readouterr()

    assert ended.value.exit_code == 6
    assert "3 rooms go." in printed.err
    assert "--yes" in printed.err
    assert printed.out == ""


def test_an_answer_given_beforehand_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """`--yes` is for scripts: it neither asks nor talks."""
    confirm_destructive(["3 rooms go."], "Erase them?", yes=True)

    assert capsys.readouterr().err == ""


def test_a_bar_is_shown_at_a_terminal_and_goes_away() -> None:
    """Whoever waits sees what for; names in it cannot steer the terminal."""
    terminal = Terminal(BAR)
    terminal.wait_for("1/2")
    terminal.type("\n")

    assert terminal.end() == 0
    assert "Rooms" in terminal.shown
    assert "\a" not in terminal.shown
    assert "ended" in terminal.shown


def test_what_is_done_soon_shows_no_bar() -> None:
    """It would only flash."""
    terminal = Terminal(BAR.replace("    input()\n", ""))

    assert terminal.end() == 0
    assert terminal.shown.split() == ["ended"]


@pytest.mark.parametrize("as_json", [False, True])
def test_machines_see_no_bar(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """A log full of bars helps nobody."""
    with progress_bar("Erasing", as_json=as_json) as show:
        show(1, 2, "rooms")

    assert capsys.readouterr() == ("", "")


async def test_ctrl_c_ends_the_operation_in_the_server(tmp_path: Path) -> None:
    """The command is a process of its own, as for a person."""
    file = tmp_path / "pymeet.yaml"
    file.write_text(f"data_dir: {tmp_path}/data\n")
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(services: Services) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(Config(data_dir=tmp_path / "data"), operations={"room.list": slow}), asyncio.timeout(60):
        program = [sys.executable, "-c", "from pymeet.cli import main; main()", "room", "list", "-c", str(file)]
        process = await asyncio.create_subprocess_exec(*program, stderr=asyncio.subprocess.PIPE)
        await started.wait()
        process.send_signal(signal.SIGINT)
        await cancelled.wait()
        _, said = await process.communicate()

    assert process.returncode == 130
    assert b"Traceback" not in said


TABLE = """
from pymeet.cli.output import show_table
show_table(["Id", "Who", "Kept", "Text"], [["xSRUaAoLwQ3EnxsyYCskN1", "bo@example.org", 3, "one two three " * 6]] * 2)
show_table(["Id", "Other id", "Address", "Text"], [["x" * 22, "y" * 22, "z" * 22, "one two three " * 6]] * 2)
show_table(["Id"], [])
"""


def test_a_narrow_terminal_breaks_no_id_in_two() -> None:
    """It is copied from there into the next command."""
    terminal = Terminal(TABLE, columns=80)

    assert terminal.end() == 0
    lines = terminal.shown.splitlines()
    assert sum("xSRUaAoLwQ3EnxsyYCskN1   bo@example.org   3" in line for line in lines) == 2
    assert sum("y" * 22 in line for line in lines) == 2
    assert "Other id" in terminal.shown
    assert terminal.shown.count("three") == 24
