"""`pymeet request`: the register of what people asked for, and until when they must be answered."""

import sys
from typing import Annotated, Any

import typer
from rich.text import Text

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, operate
from pymeet.cli.output import counted, hint, moment, say, show_json, show_table

app = typer.Typer(
    name="request",
    help="Register and answer requests about personal data.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The request, as `pymeet request list` shows it.")]


@app.command("list", cls=Command)
def list_requests(
    open_ones: Annotated[bool, typer.Option("--open", help="Those that wait for an answer (the default).")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that are late.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List requests; what is due first comes first."""
    if open_ones + overdue + every > 1:
        raise typer.BadParameter("Choose one of --open, --overdue and --all.")
    found = operate(config, "request.list", which="overdue" if overdue else "all" if every else "open")
    if as_json:
        show_json(found)
    elif found:
        rows = [
            [each["id"], each["right"], each["who"] or "nobody", each["state"], each["due_at"][:10], _left(each)]
            for each in found
        ]
        show_table(["Request", "Right", "Who", "State", "Due", "Days left"], rows)
    else:
        hint("There are no such requests. Enter one with `pymeet request add RIGHT --user EMAIL`.")


@app.command(cls=Command)
def show(request_id: Id, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show one request with everything that happened to it."""
    found = operate(config, "request.show", request_id=request_id)
    if as_json:
        show_json(found)
        return
    say(f"{found['right']}, asked for by {found['who'] or 'nobody'}, received {moment(found['received_at'])}")
    say(_due(found))
    show_table(["When (UTC)", "What"], [[moment(step["at"]), step["what"]] for step in found["timeline"]])


@app.command(cls=Command)
def add(
    right: Annotated[
        str,
        typer.Argument(
            metavar="RIGHT",
            help="access, rectification, erasure, restriction, portability, objection or withdrawal.",
        ),
    ],
    user: Annotated[str | None, typer.Option(metavar="EMAIL", help="The member who asks; an id will do.")] = None,
    receipt: Annotated[
        str | None, typer.Option(metavar="RECEIPT", help="The receipt of the guest who asks; - reads it.")
    ] = None,
    unidentified: Annotated[bool, typer.Option("--unidentified", help="Nobody knows yet who asks.")] = False,
    received: Annotated[
        str | None, typer.Option(metavar="DATE", help="When it came in, such as 2026-11-21; now without it.")
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Enter a request that came by letter, by mail or by word of mouth.

    It must be answered within a month of the day on which it came in (Article 12(3) GDPR).
    """
    if (user is not None) + (receipt is not None) + unidentified != 1:
        raise typer.BadParameter("Name who asks: --user EMAIL, --receipt RECEIPT or --unidentified.")
    made = operate(
        config,
        "request.add",
        right=right,
        user=user,
        receipt=_typed(receipt),
        unidentified=unidentified,
        received=received,
    )
    if as_json:
        show_json(made)
        return
    say(made["id"])
    hint(
        f"Entered. Answer it by {moment(made['due_at'])} UTC; `pymeet request decide {made['id']} DECISION` closes it."
    )


@app.command(cls=Command)
def extend(
    request_id: Id,
    reason: Annotated[str, typer.Option(metavar="REASON", help="complexity or number_of_requests.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a request two more months, once, before it is due."""
    found = operate(config, "request.extend", request_id=request_id, reason=reason)
    if as_json:
        show_json(found)
        return
    say(f"Due on {moment(found['due_at'])} UTC now.")
    hint(
        f"Tell the person before {moment(found['was_due_at'])} UTC that it takes longer, and why (Article 12(3) GDPR)."
    )


@app.command(cls=Command)
def decide(
    request_id: Id,
    decision: Annotated[
        str,
        typer.Argument(
            metavar="DECISION",
            help="granted, granted_in_part, nothing_held, not_identified, unfounded, legal_duty or withdrawn.",
        ),
    ],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Close a request with what was decided."""
    found = operate(config, "request.decide", request_id=request_id, decision=decision)
    if as_json:
        show_json(found)
        return
    say(f"Closed: {found['decision']}.")
    if found["state"] == "refused":
        hint("Tell the person why, and that they can complain to the authority or go to court (Article 12(4) GDPR).")


def _typed(text: str | None) -> str | None:
    """A receipt opens somebody's data: whoever does not want it in the list of processes types it here."""
    return sys.stdin.readline().strip() if text == "-" else text


def _left(request: dict[str, Any]) -> object:
    if request["days_left"] is None:
        return request["decision"] or "closed"
    return Text(str(request["days_left"]), style="bold red" if request["overdue"] else "")


def _due(request: dict[str, Any]) -> str:
    if request["closed_at"]:
        return f"{request['state']}: {request['decision'] or 'closed'}, {moment(request['closed_at'])}"
    late = ", overdue" if request["overdue"] else ""
    return f"{request['state']}, due {moment(request['due_at'])} UTC, {counted(request['days_left'], 'day')} left{late}"
