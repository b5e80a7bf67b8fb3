"""`pymeet breach-report` and `pymeet breach`: what a breach may concern, the letters, and the 72 hours."""

from typing import Annotated, Any

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, operate
from pymeet.cli.output import hint, moment, say, show_json, show_table

app = typer.Typer(
    name="breach", help="Keep the register of breaches and the 72 hours.", no_args_is_help=True, rich_markup_mode=None
)

Since = Annotated[
    str, typer.Option(metavar="TIME", help="When it began: 2026-11-01T10:00 (UTC), or 7d for seven days ago.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="When it ended. Default: now.")]
Categories = Annotated[
    list[str] | None, typer.Option("--category", metavar="CATEGORY", help="Only this category; may be repeated.")
]
Noticed = Annotated[str | None, typer.Option(metavar="TIME", help="When you noticed it.")]


def breach_report(
    since: Since,
    until: Until = None,
    category: Categories = None,
    noticed: Noticed = None,
    notice: Annotated[
        bool, typer.Option("--notice", help="Print drafts of the letters to authority and people.")
    ] = False,
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help="Of the letters: en or de.")] = "en",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Count what a breach may concern, and draft the letters.

    The numbers are of now; what was deleted since is not in them.
    """
    asked: dict[str, Any] = {
        "since": since,
        "until": until,
        "categories": category or [],
        "noticed": noticed,
        "language": language,
    }
    found: dict[str, Any] = operate(config, "breach.report", **asked, letters=notice)
    if as_json:
        show_json(found)
        return
    if notice:
        for number, letter in enumerate(found["letters"].values()):
            say("-" * 60 if number else "")
            for line in letter.splitlines():
                say(line)
        return
    say(f"From {moment(found['since'])} to {moment(found['until'])} UTC: records (members, guests).")
    rows = [[each["category"], _extent(each["within"]), _extent(each["held"]), ", ".join(each["sensitive"])]
            for each in found["categories"]]  # fmt: skip
    rows.append(["altogether", _extent(found["within"]), _extent(found["held"]), ""])
    show_table(["Category", "In that time", "Held now", "Sensitive"], rows)
    say("")
    if found["access"]:
        show_table(
            ["Who", "What", "Events"], [[each["actor"], each["action"], each["events"]] for each in found["access"]]
        )
    say(f"Failed sign-ins: {found['failed_sign_ins']}.")
    for each in found["unreachable"]:
        hint(f"Not counted: {each}")
    if not found["audit_intact"]:
        hint("The audit log is not intact, so the list of who did what may be wrong. See `pymeet audit verify`.")
    hint("`--notice` prints drafts of the letters. `pymeet breach note` starts the clock of 72 hours.")


@app.command(cls=Command)
def note(
    since: Since,
    until: Until = None,
    category: Categories = None,
    noticed: Noticed = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Enter a breach in the register, noticed now if nothing else is said."""
    asked: dict[str, Any] = {"since": since, "until": until, "categories": category or [], "noticed": noticed}
    made = operate(config, "breach.note", **asked)
    if as_json:
        show_json(made)
        return
    say(f"Noted as {made['id']}. {_left(made)}")
    hint(f"When the authority is told, run `pymeet breach told authority {made['id']}`.")


@app.command("list", cls=Command)
def list_breaches(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the register, the newest first."""
    found = operate(config, "breach.list")
    if as_json:
        show_json(found)
    elif found:
        show_table(
            ["Id", "Noticed (UTC)", "Records", "Authority", "People"],
            [
                [
                    each["id"],
                    moment(each["noticed_at"]),
                    each["counts"]["held"]["records"],
                    moment(each["authority_told_at"]) or _short(each),
                    moment(each["people_told_at"]) or "not told",
                ]
                for each in found
            ],
        )
    else:
        hint("No breach was noted.")


@app.command(cls=Command)
def told(
    whom: Annotated[str, typer.Argument(metavar="WHOM", help="authority or people.")],
    breach_id: Annotated[str, typer.Argument(metavar="ID", help="The breach; `pymeet breach list` shows it.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Note that the authority, or the people, were told now."""
    found = operate(config, "breach.told", whom=whom, breach_id=breach_id)
    if as_json:
        show_json(found)
        return
    at = moment(found[f"{whom}_told_at"])
    say(f"The people were told at {at} UTC." if whom == "people" else f"The authority was told at {at} UTC.")


def _extent(extent: dict[str, int]) -> str:
    return f"{extent['records']} ({extent['members']}, {extent['guests']})"


def _left(breach: dict[str, Any]) -> str:
    if breach["left_s"] < 0:
        over = _span(breach["left_s"])
        return f"The 72 hours were over {over} ago: tell the authority, with the reasons for the delay."
    return f"{_span(breach['left_s'])} left to tell the authority, until {moment(breach['deadline'])} UTC."


def _short(breach: dict[str, Any]) -> str:
    return f"{_span(breach['left_s'])} {'late' if breach['left_s'] < 0 else 'left'}"


def _span(seconds: int) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{hours} h {minutes} min"
