"""`pymeet room`: rooms and the tokens for them."""

from typing import Annotated

import typer

from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, hint, say, show_json, show_table

app = typer.Typer(name="room", help="Make, list and delete rooms.", no_args_is_help=True)

Slug = Annotated[str, typer.Argument(help="The room's address: the part after /r/.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the room is called.")],
    slug: Annotated[str | None, typer.Option(help="The address wanted; random without it.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a room."""
    room = operate(config, "room.create", name=name, slug=slug)
    if as_json:
        show_json(room)
        return
    say(f"Made the room {room['name']}: {room['url']}")
    hint("Send people that link.")


@app.command("list")
def list_rooms(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List all rooms."""
    rooms = operate(config, "room.list")
    if as_json:
        show_json(rooms)
    elif rooms:
        show_table(
            ["Room", "Address", "People", "Made"],
            [[room["name"], room["url"], room["people"], room["created_at"][:10]] for room in rooms],
        )
    else:
        hint("There are no rooms yet. Make one with `pymeet room create NAME`.")


@app.command()
def delete(slug: Slug, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Delete a room with its messages and attendance. A meeting in it ends."""
    confirm(f"The room {slug} goes, with all messages and attendance in it.", "Delete it?", yes=yes)
    room = operate(config, "room.delete", slug=slug)
    if as_json:
        show_json(room)
        return
    say(f"Deleted the room {room['name']} ({room['slug']}).")
    hint("Its link and its tokens no longer work.")


@app.command()
def token(
    slug: Slug,
    name: Annotated[str | None, typer.Option(help="The name its bearer goes by in the room.")] = None,
    hours: Annotated[int, typer.Option(min=1, help="How long it is good for.")] = 24,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a bearer token with which a program publishes (WHIP) or plays (WHEP) in a room."""
    made = operate(config, "room.token", slug=slug, name=name, hours=hours)
    if as_json:
        show_json(made)
        return
    say(made["token"])
    hint(f"Good until {made['expires_at']}. Publish to {made['whip']}, play from {made['whep']}.")
