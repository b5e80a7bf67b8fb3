"""`pymeet mail`: outgoing mail."""

from typing import Annotated

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, operate
from pymeet.cli.output import hint, say, show_json

app = typer.Typer(name="mail", help="Try outgoing mail.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _mail() -> None:
    """Try outgoing mail."""  # a group of one command needs this to stay a group


@app.command("test", cls=Command)
def try_out(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The e-mail address to write to.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Send a test mail, and say whether the mail server took it.

    Uses the configuration of the running server.
    """
    taken = operate(config, "mail.test", address=address)
    if as_json:
        show_json(taken)
        return
    say(f"{taken['server']} took the mail for {taken['to']}.")
    hint("Look whether it arrives, and whether it is taken for spam.")
