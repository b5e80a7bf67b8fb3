"""`pymeet keys`: the master key and what is wrapped under it."""

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm_destructive, hint, progress_bar, say, show_json

app = typer.Typer(name="keys", help="Check and change the server's keys.", no_args_is_help=True, rich_markup_mode=None)


@app.command(cls=Command)
def check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Open every key, to be sure that the master key is the right one."""
    found = operate(config, "keys.check")
    if as_json:
        show_json(found)
        return
    say(
        f"The master key opens every key; there are {found['keys']}."
        if found["keys"] != 1
        else "The master key opens the only key."
    )
    if found["unfinished_change"]:
        hint("A change of the master key is not finished. Run `pymeet keys rotate` to finish it.")


@app.command(cls=Command)
def rotate(yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Change the master key. Sealed files stay as they are; people notice nothing.

    It may be interrupted: the next call finishes.
    """
    plan = [
        "The server gets a new master key, and every key is wrapped anew under it.",
        "Snapshots of the keys in older backups still need the present one: copy master.key first and keep it with them.",
    ]
    confirm_destructive(plan, "Change the master key?", yes=yes)
    with progress_bar("Changing the master key", as_json=as_json) as bar:
        done = operate(config, "keys.rotate", on_progress=bar)
    if as_json:
        show_json(done)
        return
    begun = ", finishing a change begun earlier" if done["resumed"] else ""
    say(f"Changed the master key: {done['keys']} keys were wrapped anew{begun}.")
    hint("Keep the former master.key with the older snapshots of the keys, until those backups are gone.")
    hint("Run `pymeet backup` now, for a snapshot under the new key, and put a copy of the new master.key away.")
