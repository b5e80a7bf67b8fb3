"""`pymeet room`: rooms and the tokens for them."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, counted, hint, moment, say, show_json, show_table
from pymeet.cli.passphrases import read_passphrase

app = typer.Typer(name="room", help="Make, change, list and delete rooms.", no_args_is_help=True, rich_markup_mode=None)

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
def show(slug: Slug, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show one room with what was decided about it."""
    room = operate(config, "room.show", slug=slug)
    if as_json:
        show_json(room)
    else:
        _show_settings(room)


@app.command("set", cls=Command)
def change(
    slug: Slug,
    owner: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Hand the room to this account; none: to nobody in particular.")
    ] = None,
    guests: Annotated[
        str | None, typer.Option(metavar="WHICH", help="yes: as the server says, no: only people with an account.")
    ] = None,
    waiting_room: Annotated[
        str | None, typer.Option(metavar="WHO", help="Who waits to be admitted: off, guests or everybody.")
    ] = None,
    capacity: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="How many people it takes; none: as many as the server says.")
    ] = None,
    may_share: Annotated[
        str | None, typer.Option(metavar="WHO", help="Who may share a screen: everybody, members or hosts.")
    ] = None,
    may_record: Annotated[str | None, typer.Option(metavar="WHO", help="Who may record: hosts or nobody.")] = None,
    chat_history: Annotated[
        str | None, typer.Option(metavar="WHICH", help="Whether those who come later see what was written: yes or no.")
    ] = None,
    chat_limit: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="How many messages are kept; none: all.")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The room's password is the first line of this file.")
    ] = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="Take the room's password away.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Change what holds for a room. It counts at once, also in a meeting that is going on."""
    words = {"waiting_room": waiting_room, "may_share": may_share, "may_record": may_record}
    changes: dict[str, Any] = {name: word for name, word in words.items() if word is not None}
    if owner is not None:
        changes["owner"] = None if owner == "none" else owner
    if guests is not None:
        changes["guests"] = None if _yes("--guests", guests) else False
    if chat_history is not None:
        changes["chat_history"] = _yes("--chat-history", chat_history)
    for name, text in (("capacity", capacity), ("chat_limit", chat_limit)):
        if text is not None:
            changes[name] = _number(name, text)
    if no_password and password_file:
        raise typer.BadParameter("Give one of --password-file and --no-password.")
    if no_password or password_file:
        changes["password"] = None if password_file is None else read_passphrase(password_file)
    if not changes:
        raise typer.BadParameter("Say what to change; `pymeet room set --help` lists it.")
    room = operate(config, "room.set", slug=slug, changes=changes)
    if as_json:
        show_json(room)
        return
    say(f"Changed the room {room['name']}.")
    _show_settings(room)


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


def _yes(option: str, word: str) -> bool:
    if word not in ("yes", "no"):
        raise typer.BadParameter(f"{option} is yes or no.")
    return word == "yes"


def _number(name: str, text: str) -> int | None:
    if text != "none" and not re.fullmatch(r"[0-9]{1,9}", text):
        raise typer.BadParameter(f"--{name.replace('_', '-')} is a whole number, or none.")
    return None if text == "none" else int(text)


def _show_settings(room: dict[str, Any]) -> None:
    settings = room["settings"]
    words: dict[object, str] = {True: "yes", False: "no", None: "none"}
    shown = {
        "Address": room["url"],
        "Owner": room["owner"] or "nobody",
        "Guests": "no" if settings["guests"] is False else "as the server says",
        "Waiting room": settings["waiting_room"],
        "Password": words[settings["has_password"]],
        "Capacity": settings["capacity"] or "as the server says",
        "May share": settings["may_share"],
        "May record": settings["may_record"],
        "Chat history": words[settings["chat_history"]],
        "Chat limit": settings["chat_limit"] or "none",
    }
    show_table([room["name"], ""], [[name, value] for name, value in shown.items()])
