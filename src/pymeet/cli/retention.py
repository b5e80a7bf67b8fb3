"""`pymeet retention`: the periods in force and those that wait, and the clock that sweeps go by."""

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, counted, hint, moment, say, show_json, show_table

app = typer.Typer(
    name="retention", help="Look at how long things are kept.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list", cls=Command)
def list_periods(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the periods in force, and shorter ones that wait.

    A shorter period waits for 72 hours; what it will delete is shown.
    """
    found = operate(config, "retention.periods")
    if as_json:
        show_json(found)
        return
    show_table(
        ["Class", "Kept", "Counted", "What"],
        [[each["class"], each["period"], each["begins"], each["title"]] for each in found["classes"]],
    )
    for each in found["rooms"]:
        say(f"The room {each['room']} keeps {each['class']} for {each['period']}.")
    for each in found["coming"]:
        rows = counted(each["rows"], "row")
        where = f" in the room {each['room']}" if each["room"] else ""
        oldest = f", the oldest from {each['oldest'][:10]}" if each["oldest"] else ""
        say(
            f"From {moment(each['in_force_from'])} UTC on {each['class']}{where} is kept for {each['to']} "
            f"instead of {each['from']}: {rows} will be deleted{oldest}."
        )
    if found["coming"]:
        hint("Until then it can be taken back.")


@app.command("accept-clock", cls=Command)
def accept_clock(yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Believe the clock as it is, so that sweeps delete again.

    They stop when the clock seems to have jumped: with a clock that is ahead, everything would be over.
    """
    confirm("Sweeps delete what is over by this machine's clock.", "Is the clock right?", yes=yes)
    accepted = operate(config, "retention.accept_clock")
    if as_json:
        show_json(accepted)
        return
    say(f"The clock is believed; it says {moment(accepted['now'])} UTC.")
