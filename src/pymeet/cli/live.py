"""`pymeet live`: the meetings that are going on."""

from typing import Annotated

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, counted, hint, moment, say, show_json, show_table

app = typer.Typer(
    name="live", help="See and end meetings that are going on.", no_args_is_help=True, rich_markup_mode=None
)

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The room's address: the part after /r/.")]


@app.command("list", cls=Command)
def list_meetings(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the meetings that are going on, without the names of people."""
    meetings = operate(config, "live.list")
    if as_json:
        show_json(meetings)
    elif meetings:
        show_table(
            ["Room", "Address", "Since (UTC)", "People", "Waiting", "Recorded since"],
            [
                [
                    each["name"],
                    each["slug"],
                    moment(each["since"]),
                    each["people"],
                    each["waiting"],
                    moment(each["recording_since"]),
                ]
                for each in meetings
            ],
        )
    else:
        hint("Nobody is in a meeting now.")


@app.command(cls=Command)
def people(slug: Slug, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List who is in a meeting. The audit log notes that somebody looked."""
    found = operate(config, "live.people", slug=slug)
    if as_json:
        show_json(found)
        return
    show_table(
        ["Name", "Role", "Since (UTC)", "Id"],
        [
            [
                each["name"],
                f"{each['role']}, waits" if each["waits"] else each["role"],
                moment(each["since"]),
                each["id"],
            ]
            for each in found
        ],
    )


@app.command(cls=Command)
def end(slug: Slug, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """End a meeting for everybody in it. The room stays."""
    if not yes:
        meetings = operate(config, "live.list")
        inside = sum(each["people"] for each in meetings if each["slug"] == slug)
        confirm(f"{counted(inside, 'seat')} in the meeting {slug} will be closed.", "End it?", yes=yes)
    ended = operate(config, "live.end", slug=slug)
    if as_json:
        show_json(ended)
        return
    say(f"Ended the meeting in {slug}.")
    hint("The room stays, and people can come in again.")


@app.command(cls=Command)
def remove(
    slug: Slug,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The id of a seat; `pymeet live people` shows it.")],
    ban: Annotated[bool, typer.Option("--ban", help="Do not let them come back into this meeting.")] = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Send one person out of a meeting."""
    confirm("They are sent out of the meeting at once.", "Remove them?", yes=yes)
    removed = operate(config, "live.remove", slug=slug, person_id=person, ban=ban)
    if as_json:
        show_json(removed)
        return
    say("Removed them from the meeting.")
    if not ban:
        hint("They can come back; with --ban they cannot, until the meeting is over.")
