"""How commands speak: data on standard output, messages on standard error, colour on terminals only."""

import json
import shlex
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from pymeet.cli.exit_codes import MUST_ASK
from pymeet.ops.progress import Progress, silent

_BAR_AFTER_S = 1.0
"""What is done sooner needs no bar."""

_PIPED_WIDTH = 400
"""Columns where no terminal is."""

_GAP = 3
"""Columns between two columns of a table."""

_NOT_FOLDED = 22
"""A cell of so many columns stays on one line; ids have 22."""

_REMEDIES = {
    "not_found": "Check the spelling; `list` of the same command shows what there is, as in `pymeet room list`.",
    "no_such_file": "Check the path.",
    "file_exists": "Choose another name.",
    "account_disabled": "It stays so; `pymeet user list` shows which accounts are active.",
    "slug_taken": "Give another address with --slug, or leave it out for a random one.",
    "name_taken": "Choose another name; `pymeet group list` shows all groups.",
    "label_taken": "Choose another label; `pymeet profile-field list` shows all fields.",
    "email_taken": "`pymeet user list` shows all accounts; `pymeet user link EMAIL` makes a fresh link.",
    "scope_not_allowed": "Scopes that begin with users, privacy or server are for administrators and data protection "
    "officers; `pymeet user role` changes what somebody is.",
    "invalid_input": "Change that and run the command again.",
    "no_such_request": "`pymeet request list --all` shows those that there are.",
    "erasure_decides_itself": "`pymeet erase-user` carries it out.",
    "no_erasure": "`pymeet request list` shows the erasures that wait.",
    "last_admin": "`pymeet user role EMAIL admin` makes somebody an administrator.",
    "conflict": "`pymeet status` and the list commands show how things stand.",
    "no_such_operation": "The running server has another version: restart it.",
    "system": "Check that the disk has room and that this user may write there; `pymeet doctor` looks at both.",
}


def say(line: str) -> None:
    """A line of result on standard output."""
    typer.echo(printable(line))


def hint(line: str) -> None:
    """A line that is not part of the result, on standard error."""
    typer.echo(printable(_typeable(line)), err=True)


def show_json(value: Any) -> None:
    """The result for machines."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """The result for people. Piped, every row stays on one line.

    On a terminal long texts are folded between words; where that is not enough, each row becomes a paragraph: an id
    that is broken in two cannot be copied.
    """
    console = Console() if sys.stdout.isatty() else Console(width=_PIPED_WIDTH, color_system=None)
    cells = [[cell if isinstance(cell, Text) else Text(printable(str(cell))) for cell in row] for row in rows]
    columns = [[Text(heading), *(row[place] for row in cells)] for place, heading in enumerate(headings)]
    least = [max(map(_least, column)) for column in columns]
    whole = [max(cell.cell_len for cell in column) for column in columns]
    room = console.width - sum(least) - _GAP * (len(least) - 1)
    if room < 0:
        _show_paragraphs(console, headings, cells)
        return
    short = sum(whole) - sum(least)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for heading, narrow, wide in zip(headings, least, whole, strict=True):
        width = wide if short <= room else narrow + (wide - narrow) * room // short
        table.add_column(heading, overflow="fold", width=width)
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _least(cell: Text) -> int:
    """The columns that a cell needs at least: all for an id, a name or a time, the longest word for what is read."""
    return cell.cell_len if cell.cell_len <= _NOT_FOLDED else max(map(len, cell.plain.split()), default=0)


def _show_paragraphs(console: Console, headings: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    width = max(map(len, headings)) + _GAP
    for number, row in enumerate(rows):
        if number:
            console.print()
        for heading, cell in zip(headings, row, strict=True):
            if cell:
                console.print(Text.assemble((heading.ljust(width), "bold"), cell), soft_wrap=True)


def fail(message: str, code: str) -> None:
    """What happened, and below it what to do; a message of several lines brings its own remedy."""
    what, _, remedy = message.partition("\n")
    remedy = remedy or _REMEDIES.get(code, "`pymeet doctor` looks for the usual causes.")
    typer.echo(typer.style(printable(what), fg="red" if sys.stderr.isatty() else None), err=True)
    for line in remedy.splitlines():
        hint(line)


def confirm(plan: str, question: str, *, yes: bool) -> None:
    """Shows the plan and asks, unless `yes` was given or nobody is there to be asked. Ends the command on a no."""
    if yes or not sys.stdin.isatty():
        return
    hint(plan)
    typer.confirm(question, abort=True, err=True)


def confirm_destructive(plan: Sequence[str], question: str, *, yes: bool) -> None:
    """Shows the plan and asks, for what cannot be taken back; `yes` is the answer given beforehand.

    Where nobody is there to be asked, the command ends with MUST_ASK and does nothing; after a no, with FAILED.
    """
    if yes:
        return
    for line in plan:
        hint(line)
    if not sys.stdin.isatty():
        fail("Nothing was done: this asks first, and nobody is here to answer.\nRun it again with --yes.", "must_ask")
        raise typer.Exit(MUST_ASK)
    typer.confirm(question, abort=True, err=True)


@contextmanager
def progress_bar(description: str, *, as_json: bool = False) -> Iterator[Progress]:
    """A bar on standard error while its block runs, for `operate(…, on_progress=…)`. It goes when the block ends.

    There is none before a second has passed, none for machines (`as_json`), and none where no terminal is.
    """
    if as_json or not sys.stderr.isatty():
        yield silent
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(printable(description), total=None)

    def show(done: int, total: int | None, what: str) -> None:
        says = printable(what or description)
        bar.update(task, completed=done, total=total, description=says[:1].upper() + says[1:])

    later = threading.Timer(_BAR_AFTER_S, bar.start)
    later.start()
    try:
        yield show
    finally:
        later.cancel()
        later.join()  # it may be about to show the bar
        bar.stop()


def counted(count: int, what: str) -> str:
    """`1 row`, `2 rows`, `1,000 rows`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def moment(text: str | None) -> str:
    """`2026-11-21T12:00:00Z` as people read it, in UTC: `2026-11-21 12:00`; nothing for None."""
    return text[:16].replace("T", " ") if text else ""


def program() -> str:
    """What to type for this program: `pymeet` where that finds it, otherwise the path that it was started by."""
    started, found = sys.argv[0], shutil.which("pymeet")
    if not started.endswith("/pymeet") or (found and Path(found).resolve() == Path(started).resolve()):
        return "pymeet"
    return shlex.quote(started)


def _typeable(line: str) -> str:
    """With the commands between backquotes as they can be typed here."""
    return line.replace("`pymeet ", f"`{program()} ")


def printable(line: str) -> str:
    """Without control characters: a name must not steer the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
