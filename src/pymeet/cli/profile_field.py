"""`pymeet profile-field`: what administrators ask of every member on the profile."""

from typing import Annotated, Any

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm_destructive, hint, say, show_json, show_table

app = typer.Typer(
    name="profile-field",
    help="Add fields to everybody's profile.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Field = Annotated[str, typer.Argument(metavar="FIELD", help="The field's label or id.")]


@app.command(cls=Command)
def add(
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What stands beside it, such as Department.")],
    locked: Annotated[bool, typer.Option("--locked", help="Only administrators fill it in.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Add a field of one line to everybody's profile.

    What stands in it, the person sees, and administrators do; nobody else.
    """
    field = operate(config, "profile_field.add", label=label, editable=not locked)
    _said(field, f"Added the field {field['label']}. {_who(field)}", as_json=as_json)


@app.command("list", cls=Command)
def list_fields(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the fields, and for how many people each is filled in."""
    fields = operate(config, "profile_field.list")
    if as_json:
        show_json(fields)
    elif fields:
        rows = [
            [str(place), each["label"], "members" if each["editable"] else "administrators", each["people"], each["id"]]
            for place, each in enumerate(fields, 1)
        ]
        show_table(["Place", "Label", "Filled in by", "People", "Id"], rows)
    else:
        hint("There are no profile fields yet. Add one with `pymeet profile-field add LABEL`.")


@app.command(cls=Command)
def change(
    field: Field,
    label: Annotated[str | None, typer.Option(metavar="LABEL", help="Another label.")] = None,
    editable: Annotated[
        bool | None,
        typer.Option("--editable/--locked", help="Whether members fill it in themselves, or only administrators."),
    ] = None,
    place: Annotated[int | None, typer.Option(metavar="NUMBER", help="Which one it is to be, from 1 on.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Change a field's label, who fills it in, or its place.

    What stands in it stays.
    """
    changed = operate(config, "profile_field.change", field=field, label=label, editable=editable, place=place)
    _said(changed, f"The field is called {changed['label']}. {_who(changed)}", as_json=as_json)


@app.command(cls=Command)
def delete(field: Field, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Delete a field, with what stands in it for everybody."""
    found = operate(config, "profile_field.show", field=field)
    plan = f"{found['label']} is filled in for {_people(found)}. That is deleted with the field."
    confirm_destructive([plan], "Delete the field?", yes=yes)
    gone = operate(config, "profile_field.delete", field=found["id"])
    _said(gone, f"Deleted the field {gone['label']}, with what {_people(gone)} had in it.", as_json=as_json)


def _who(field: dict[str, Any]) -> str:
    return "Members fill it in themselves." if field["editable"] else "Only administrators fill it in."


def _people(field: dict[str, Any]) -> str:
    return "1 person" if field["people"] == 1 else f"{field['people']:,} people"


def _said(answer: dict[str, Any], line: str, *, as_json: bool) -> None:
    if as_json:
        show_json(answer)
    else:
        say(line)
