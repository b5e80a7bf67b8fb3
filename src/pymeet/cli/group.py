"""`pymeet group`: several members under one name."""

from typing import Annotated, Any

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, hint, moment, say, show_json, show_table

app = typer.Typer(
    name="group",
    help="Make groups of members, and say who is in them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Group = Annotated[str, typer.Argument(metavar="GROUP", help="The group's name or id.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's e-mail address or id.")]
Description = Annotated[str | None, typer.Option(metavar="TEXT", help="What the group is for.")]


@app.command(cls=Command)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The group's name.")],
    description: Description = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a group.

    Whoever is in it can invite it to meetings and share recordings with it.
    """
    group = operate(config, "group.add", name=name, description=description or "")
    if as_json:
        show_json(group)
        return
    say(f"Made the group {group['name']}.")
    hint("`pymeet group join GROUP EMAIL` puts somebody into it.")


@app.command("list", cls=Command)
def list_groups(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List all groups."""
    groups = operate(config, "group.list")
    if as_json:
        show_json(groups)
    elif groups:
        rows = [[each["name"], str(each["people"]), each["description"], each["id"]] for each in groups]
        show_table(["Name", "People", "Description", "Id"], rows)
    else:
        hint("There are no groups yet. Make one with `pymeet group add NAME`.")


@app.command(cls=Command)
def show(group: Group, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show a group and who is in it."""
    found = operate(config, "group.show", group=group)
    if as_json:
        show_json(found)
        return
    facts = [["Name", found["name"]], ["Description", found["description"]], ["Id", found["id"]]]
    show_table(["What", "Value"], [*facts, ["Made (UTC)", moment(found["created_at"])]])
    say("")
    if found["members"]:
        rows = [[each["name"], each["email"], each["state"].replace("_", " ")] for each in found["members"]]
        show_table(["Name", "E-mail", "State"], rows)
    else:
        hint("Nobody is in it yet. `pymeet group join GROUP EMAIL` puts somebody into it.")


@app.command(cls=Command)
def rename(
    group: Group,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The new name; without it the name stays.")] = None,
    description: Description = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a group another name or description."""
    changed = operate(config, "group.rename", group=group, name=name, description=description)
    _said(changed, f"The group is called {changed['name']}.", as_json=as_json)


@app.command(cls=Command)
def delete(group: Group, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Delete a group; the people in it stay.

    What was shared with it is so no more. Invitations stay.
    """
    confirm(f"Recordings that are shared with {group} are so no more.", "Delete the group?", yes=yes)
    gone = operate(config, "group.delete", group=group)
    _said(gone, f"Deleted the group {gone['name']}.", as_json=as_json)


@app.command(cls=Command)
def join(group: Group, email: Email, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Put somebody into a group."""
    joined = operate(config, "group.join", group=group, email=email)
    _said(joined, f"{joined['person']} is in {joined['name']} now.", as_json=as_json)


@app.command(cls=Command)
def leave(group: Group, email: Email, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Take somebody out of a group.

    Recordings that are shared with it are theirs to watch no more; invitations stay.
    """
    left = operate(config, "group.leave", group=group, email=email)
    _said(left, f"{left['person']} is not in {left['name']} any more.", as_json=as_json)


def _said(answer: dict[str, Any], line: str, *, as_json: bool) -> None:
    if as_json:
        show_json(answer)
    else:
        say(line)
