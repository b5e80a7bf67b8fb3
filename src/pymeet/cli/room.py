"""`pymeet room`: rooms and the tokens for them."""

import re
from typing import Annotated

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, counted, hint, moment, say, show_json, show_table

app = typer.Typer(name="room", help="Make, list and delete rooms.", no_args_is_help=True, rich_markup_mode=None)

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The room's address: the part after /r/.")]


def _hours(typed: str | int) -> int:
    text = str(typed)  # the default comes by here too
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise typer.BadParameter("Write a whole number of hours, such as 12.")
    return int(text)


@app.command(cls=Command)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the room is called.")],
    slug: Annotated[str | None, typer.Option(metavar="SLUG", help="The address wanted; random without it.")] = None,
    owner: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Whose room it is; without it only administrators are host.")
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a room, and print its link."""
    room = operate(config, "room.create", name=name, slug=slug, owner=owner)
    if as_json:
        show_json(room)
        return
    say(f"Made the room {room['name']}: {room['url']}")
    hint("Send people that link.")


@app.command("list", cls=Command)
def list_rooms(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List all rooms."""
    rooms = operate(config, "room.list")
    if as_json:
        show_json(rooms)
    elif rooms:
        show_table(
            ["Room", "Address", "Owner", "People", "Made"],
            [
                [room["name"], room["url"], room["owner"] or "nobody", room["people"], room["created_at"][:10]]
                for room in rooms
            ],
        )
    else:
        hint("There are no rooms yet. Make one with `pymeet room create NAME`.")


@app.command(cls=Command)
def delete(slug: Slug, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Delete a room with its messages and attendance. A meeting in it ends."""
    confirm(f"The room {slug} goes, with all messages and attendance in it.", "Delete it?", yes=yes)
    room = operate(config, "room.delete", slug=slug)
    if as_json:
        show_json(room)
        return
    say(f"Deleted the room {room['name']} ({room['slug']}).")
    hint("Its link and its tokens no longer work.")


@app.command(cls=Command)
def token(
    slug: Slug,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The name its bearer goes by in the room.")] = None,
    hours: Annotated[int, typer.Option(metavar="HOURS", parser=_hours, help="For how many hours it is good.")] = 24,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a token for publishing (WHIP) or playing (WHEP) in a room.

    Programs send it as `Authorization: Bearer TOKEN`. It cannot be taken back.
    """
    made = operate(config, "room.token", slug=slug, name=name, hours=hours)
    if as_json:
        show_json(made)
        return
    say(made["token"])
    hint(f"Good until {moment(made['expires_at'])} UTC. Publish to {made['whip']}, play from {made['whep']}.")


@app.command(cls=Command)
def retention(
    slug: Slug,
    name: Annotated[str, typer.Argument(metavar="CLASS", help="What it is about: chat or attendance.")],
    period: Annotated[
        str,
        typer.Argument(metavar="PERIOD", help="How long it is kept, such as 30d; default for what counts elsewhere."),
    ],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Keep what is in a room for another time than elsewhere.

    A shorter time counts after 72 hours, so that a mistake can be taken back.
    """
    made = operate(config, "room.retention", slug=slug, name=name, period=period)
    if as_json:
        show_json(made)
        return
    say(f"The room {made['slug']} keeps {made['class']} for {made['period']}.")
    if coming := made["coming"]:
        rows = counted(coming["rows"], "row")
        say(f"From {moment(coming['in_force_from'])} UTC on it keeps it for {coming['to']}: {rows} will be deleted.")
