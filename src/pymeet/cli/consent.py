"""`pymeet consent`: who agreed to what, receipts of it, and asking everybody anew."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, hint, moment, say, show_json, show_table

app = typer.Typer(
    name="consent",
    help="Show consent, and issue and verify receipts of it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(cls=Command)
def show(
    person: Annotated[
        str, typer.Argument(metavar="USER", help="A member's e-mail address or id, or a guest's receipt; - reads it.")
    ],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what a member or guest decided, oldest first."""
    found = operate(config, "consent.show", person=sys.stdin.readline().strip() if person == "-" else person)
    if as_json:
        show_json(found)
    elif found:
        rows = [
            [
                moment(each["at"]),
                each["purpose"],
                each["object"] or "",
                each["decision"],
                each["notice_version"],
                each["id"],
            ]
            for each in found
        ]
        show_table(["When (UTC)", "Purpose", "For", "Decision", "Notice", "Record"], rows)
    else:
        hint("Nothing was decided.")


@app.command(cls=Command)
def receipt(
    consent_id: Annotated[str, typer.Argument(metavar="ID", help="The record, as `pymeet consent show` shows it.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; printed without it.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Issue the signed receipt of a consent.

    It is for the person to keep, in the form of ISO/IEC TS 27560.
    """
    made = operate(config, "consent.receipt", consent_id=consent_id)
    if output is None:
        show_json(made)
        return
    # For its owner only, and never over a file that is there.
    with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(json.dumps(made, ensure_ascii=False, indent=2) + "\n")
    hint(f"Wrote {output}.")


@app.command(cls=Command)
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The receipt.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a receipt is from here, and unchanged."""
    found = operate(config, "consent.verify", text=file.read_text(encoding="utf-8", errors="replace"))
    if as_json:
        show_json(found)
        return
    say(f"This server issued it on {found['created'][:10]}, and nothing was changed since.")
    show_table(
        ["When (UTC)", "What"], [[moment(each["at"]), each["state"].partition(":")[2]] for each in found["events"]]
    )


@app.command(cls=Command)
def renew(yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Ask every member to read the privacy notice again."""
    confirm("Every member is asked to read the privacy notice when they come next.", "Ask them?", yes=yes)
    made = operate(config, "consent.renew")
    if as_json:
        show_json(made)
        return
    say(f"Published version {made['version']} of the privacy notice.")
