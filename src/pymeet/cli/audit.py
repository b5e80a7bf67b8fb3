"""`pymeet audit`: who did what, and the proof that nobody changed it since."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from pymeet.cli.exit_codes import PARTLY
from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, operate
from pymeet.cli.output import counted, fail, hint, moment, say, show_json, show_table

app = typer.Typer(
    name="audit", help="Read, check and export the audit log.", no_args_is_help=True, rich_markup_mode=None
)

Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="From then on: 2026-11-01T10:00 (UTC), or 7d for seven days ago.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")]


@app.command("list", cls=Command)
def list_events(
    since: Since = None,
    until: Until = None,
    actor: Annotated[
        str | None, typer.Option(metavar="WHO", help="Who did it: an e-mail address, or operator.")
    ] = None,
    action: Annotated[
        str | None, typer.Option(metavar="WHAT", help="What was done, such as room.deleted, or room for all of these.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="WHOM", help="To whom or what: an e-mail address or an id.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="COUNT", min=1, max=10_000, help="So many at most.")] = 100,
    names: Annotated[bool, typer.Option("--names", help="Show e-mail addresses; the log notes that you did.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List what was done, the newest first.

    People stand in the log as random names.
    """
    wanted: dict[str, Any] = {"since": since, "until": until, "actor": actor, "action": action, "target": target}
    wanted |= {"limit": limit, "names": names}
    events = operate(config, "audit.list", **wanted)
    if as_json:
        show_json(events)
    elif events:
        rows = []
        for event in events:
            detail = " ".join(f"{key}={value}" for key, value in (event["detail"] or {}).items())
            what = event["action"] or "redacted"
            rows.append(
                [event["number"], moment(event["at"]), event["actor"] or "", what, event["target"] or "", detail]
            )
        show_table(["Number", "When (UTC)", "Who", "What", "Whom or what", "Detail"], rows)
    else:
        hint("There is no such event.")


@app.command(cls=Command)
def verify(
    checkpoints: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A copy of ledger/audit-checkpoints.jsonl from elsewhere.")
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Check that the audit log was not changed. Ends with 5 when it was."""
    copy = None if checkpoints is None else str(checkpoints.absolute())
    report = operate(config, "audit.verify", checkpoints=copy)
    if as_json:
        show_json(report)
    elif report["intact"]:
        say(f"The audit log is intact: {counted(report['events'], 'event')}, the newest has number {report['head']}.")
        say(f"Fingerprint {report['fingerprint']}")
        for line in _besides(report):
            hint(line)
    else:
        fail("The audit log is not intact.\nKeep a copy of the data directory before you do anything else.", "broken")
        for problem in report["problems"]:
            say(f"Number {problem['number']}: {problem['sentence']}")
    if not report["intact"]:
        raise typer.Exit(PARTLY)


@app.command(cls=Command)
def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A new file to write to.")
    ] = None,
    since: Since = None,
    until: Until = None,
    config: ConfigFile = None,
) -> None:
    """Write the audit log as JSON lines.

    They can be verified without pymeet (docs/dpo.md).
    """
    after, count = None, 0
    with _new_file(output) as file:
        while True:
            page = operate(config, "audit.export", since=since, until=until, after=after)
            file.writelines(f"{line}\n" for line in page["lines"])
            count += len(page["lines"])
            after = page["next"]
            if after is None:
                break
    if output:
        hint(
            f"Wrote {counted(count, 'line')} to {output}. The section on verifying the audit log in docs/dpo.md tells how to check them."
        )


def _besides(report: dict[str, object]) -> Iterator[str]:
    """What else is worth knowing about a log that is intact."""
    if report["sealed"]:
        yield f"It is signed up to number {report['sealed']}; the oldest checkpoint is of {report['sealed_since']}."
    else:
        yield "It is not signed yet, so nobody could tell if all of it were exchanged. A running server signs it."
    if report["dropped"]:
        yield f"{report['dropped']} older events were deleted when their time was over, a signature vouches for each month."
    if report["redacted"]:
        yield f"The content of {report['redacted']} events was removed, and the log says so."
    if report["restores"]:
        times = "once" if report["restores"] == 1 else f"{report['restores']} times"
        yield f"A backup was put back {times}."


@contextmanager
def _new_file(path: Path | None) -> Iterator[TextIO]:
    """A file that was not there, or standard output; a file that was not finished is removed."""
    if path is None:
        yield sys.stdout
        return
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        try:
            yield file
        except BaseException:
            path.unlink()
            raise
