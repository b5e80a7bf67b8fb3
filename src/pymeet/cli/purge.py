"""`pymeet purge`: shows what would go, asks, and deletes exactly that."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from pymeet.cli.exit_codes import PARTLY
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm_destructive, counted, hint, moment, progress_bar, say, show_json, show_table

_CAUSES = {
    "added": "more than planned",
    "failed": "could not be done",
    "gone": "deleted meanwhile by somebody else",
    "held": "newly held",
    "left": "left for the next run",
    "running": "in a meeting that began meanwhile",
}


def purge(
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="PERIOD",
            help="What is older than this, such as 90d. Without it: what is over by the periods in force.",
        ),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="Only this class of data, such as chat; may be given several times."),
    ] = None,
    room: Annotated[str | None, typer.Option(metavar="SLUG", help="Only what belongs to this room.")] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Only what is about this person: e-mail address, account id or receipt; - reads it from standard input.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and do nothing.")] = False,
    yes: Yes = False,
    accept_clock: Annotated[
        bool, typer.Option("--accept-clock", help="Believe the clock, though it may have jumped.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Delete what is old, after showing what that is.

    Without --category accounts and what proves something (audit log, requests, consents, ledger, breaches) stay.
    """
    if user == "-":
        user = typer.get_text_stream("stdin").readline().strip()
    plan = operate(config, "purge.plan", older_than=older_than, categories=category, room=room, user=user)
    if dry_run:
        _show(plan, as_json=as_json)
        return
    if not as_json:
        _show(plan, as_json=False)
    if not plan["rows"]:
        if as_json:
            show_json({"plan": plan, "outcome": None})
        raise typer.Exit(PARTLY if plan["held"] or plan["running"] else 0)
    question = f"Delete {counted(plan['rows'], 'row')} for good?"
    confirm_destructive([], question, yes=yes)
    with progress_bar("Deleting", as_json=as_json) as bar:
        outcome = operate(config, "purge.run", on_progress=bar, plan=plan["plan"], take_clock=accept_clock)
    if as_json:
        show_json({"plan": plan, "outcome": outcome})
    else:
        _tell(outcome)
    raise typer.Exit(0 if outcome["complete"] and not plan["running"] else PARTLY)


def _show(plan: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(plan)
        return
    if plan["steps"]:
        columns = [name for name, shown in _COLUMNS.items() if any(shown(step) != "–" for step in plan["steps"])]
        show_table(columns, [[_COLUMNS[name](step) for name in columns] for step in plan["steps"]])
    for slug in plan["running"]:
        hint(f"People meet in the room {slug} now; nothing of it is deleted.")
    if plan["held"]:
        hint(
            f"Kept by a legal hold or a restriction: {counted(plan['held'], 'row')}. `pymeet hold list` shows the holds."
        )
    if not plan["rows"]:
        hint("There is nothing to delete.")


def _with_them(step: Mapping[str, Any]) -> str:
    parts = [f"{count} {table}" for table, count in step["with_them"].items()]
    parts += [counted(step["files"], "file")] if step["files"] else []
    return ", ".join(parts) or "–"


_COLUMNS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "Class": lambda step: str(step["class"]),
    "What": lambda step: f"{step['action']} {step['table']}",
    "Room": lambda step: step["room"] or "–",
    "Rows": lambda step: str(step["rows"]),
    "Oldest": lambda step: (step["oldest"] or "–")[:10],
    "Up to": lambda step: moment(step["until"]),
    "With them": _with_them,
    "Held": lambda step: str(step["held"] or "–"),
    "In a meeting": lambda step: str(step["running"] or "–"),
}
"""What is shown of a step; a column in which there is nothing is left out."""


def _tell(outcome: Mapping[str, Any]) -> None:
    total = sum(outcome["done"].values())
    files = outcome["files"]
    say(f"Deleted {counted(total, 'row')}{' and ' + counted(files['removed'], 'file') if files['removed'] else ''}.")
    for drift in outcome["drift"]:
        why = ", ".join(f"{count} {_CAUSES[cause]}" for cause, count in drift["causes"].items())
        hint(f"{drift['retention_class']}: planned {drift['planned']}, done {drift['done']} ({why}).")
    if outcome["held"]:
        hint(f"Kept by a legal hold or a restriction: {counted(outcome['held'], 'row')}.")
    if files["failed"]:
        hint(
            f"{counted(files['failed'], 'file')} could not be removed ({', '.join(files['errors'])}); every sweep tries again."
        )
    if not outcome["emptied"]:
        hint(
            "Something reads the database, so deleted rows are still in its write-ahead log; the next sweep empties it."
        )
