"""`pymeet mail`: outgoing mail."""

from typing import Annotated

import typer

from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, counted, hint, moment, say, show_json, show_table

app = typer.Typer(
    name="mail", help="Try outgoing mail, and look after its queue.", no_args_is_help=True, rich_markup_mode=None
)


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


@app.command("list", cls=Command)
def list_mails(
    failed: Annotated[
        bool, typer.Option("--failed", help="Those that were given up, instead of those that wait.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the newest 200 mails that wait. Addresses are not shown whole."""
    found = operate(config, "mail.list", failed=failed)
    if as_json:
        show_json(found)
        return
    if not found["mails"]:
        hint("No mail was given up." if failed else "No mail waits.")
        return
    show_table(
        ["Mail", "To", "Queued (UTC)", "Tries", "Given up" if failed else "Next try", "Why", "Id"],
        [
            [
                each["kind"],
                each["to"],
                moment(each["created_at"]),
                each["tries"],
                moment(each["failed_at"] if failed else each["next_try_at"]),
                each["error"] or "",
                each["id"],
            ]
            for each in found["mails"]
        ],
    )
    if not found["on"]:
        hint("Mail is off: mail.host is not set. What waits is given up after two days.")


@app.command(cls=Command)
def retry(
    mail: Annotated[str | None, typer.Argument(metavar="ID", help="The mail; all that wait without it.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Try one waiting mail now, or all of them."""
    done = operate(config, "mail.retry", mail_id=mail)
    if as_json:
        show_json(done)
        return
    say(f"{counted(done['count'], 'mail')} will be tried now.")


@app.command(cls=Command)
def drop(
    mail: Annotated[str, typer.Argument(metavar="ID", help="The mail; `pymeet mail list` shows the id.")],
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take a waiting mail out of the queue, for good."""
    confirm("The mail is not sent, and what it says is deleted.", "Drop it?", yes=yes)
    done = operate(config, "mail.drop", mail_id=mail)
    if as_json:
        show_json(done)
        return
    say("Dropped the mail.")
