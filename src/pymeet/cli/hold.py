"""`pymeet hold`: what must not be deleted, though its time is over."""

from typing import Annotated, Any

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, hint, say, show_json, show_table

app = typer.Typer(
    name="hold", help="Keep what a court or a legal duty asks for.", no_args_is_help=True, rich_markup_mode=None
)


@app.command(cls=Command)
def place(
    reason: Annotated[
        str,
        typer.Option(metavar="REASON", help="legal_claim, legal_duty, authority_request or investigation."),
    ],
    user: Annotated[
        str | None, typer.Option(metavar="WHO", help="Everything of this member: e-mail address or account id.")
    ] = None,
    guest_receipt: Annotated[
        str | None,
        typer.Option(
            metavar="RECEIPT", help="Everything of the guest who has this receipt; - reads it from standard input."
        ),
    ] = None,
    room: Annotated[
        str | None, typer.Option(metavar="SLUG", help="Everything in this room, its recordings too.")
    ] = None,
    recording: Annotated[
        str | None,
        typer.Option(metavar="ID", help="This recording; `pymeet recording list` shows the id."),
    ] = None,
    review: Annotated[str, typer.Option(metavar="PERIOD", help="When to look whether it is still needed.")] = "90d",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Place a hold. It ends when somebody releases it, and never by itself."""
    if sum(each is not None for each in (user, guest_receipt, room, recording)) != 1:
        raise typer.BadParameter("Name one of --user, --guest-receipt, --room and --recording.")
    if guest_receipt == "-":
        guest_receipt = typer.get_text_stream("stdin").readline().strip()
    who = guest_receipt if user is None else user
    hold = operate(config, "hold.place", reason=reason, review=review, who=who, room=room, recording=recording)
    if as_json:
        show_json(hold)
        return
    say(f"Placed the hold {hold['id']} on {_object(hold)}.")
    hint(f"Nothing it keeps is deleted before somebody releases it. To be looked at again on {hold['review_at'][:10]}.")


@app.command(cls=Command)
def release(
    hold_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the hold, as `pymeet hold list` shows it.")],
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Release a hold.

    What it kept is deleted when its time is over, as a rule by the next sweep.
    """
    confirm("What only this hold keeps is deleted by the next sweep.", "Release it?", yes=yes)
    hold = operate(config, "hold.release", hold_id=hold_id)
    if as_json:
        show_json(hold)
        return
    say(f"Released the hold on {_object(hold)}.")


@app.command("list", cls=Command)
def list_holds(
    also_released: Annotated[bool, typer.Option("--all", help="Those that were released, too.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the holds in force, those to be looked at first in front."""
    found = operate(config, "hold.list", also_released=also_released)
    if as_json:
        show_json(found)
    elif found:
        show_table(
            ["Id", "On", "Reason", "Placed", "Look again", "Released"],
            [
                [
                    hold["id"],
                    _object(hold),
                    hold["reason"],
                    hold["placed_at"][:10],
                    hold["review_at"][:10] + (" (overdue)" if hold["overdue"] else ""),
                    (hold["released_at"] or "–")[:10],
                ]
                for hold in found
            ],
        )
    else:
        hint("There are no holds.")


def _object(hold: dict[str, Any]) -> str:
    if hold["room"]:
        return f"the room {hold['room']}"
    if hold["recording"]:
        return f"the recording {hold['recording']}"
    return str(hold["user"]) if hold["user"] else f"the guest {hold['guest']}"
