"""`pymeet token`: tokens by which programs use the API."""

from typing import Annotated

import typer

from pymeet.accounts.scopes import Scope
from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, hint, moment, say, show_json, show_table

app = typer.Typer(name="token", help="Make, list and revoke API tokens.", no_args_is_help=True, rich_markup_mode=None)


@app.command(cls=Command)
def create(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="In whose name the program acts.")],
    scope: Annotated[
        list[str], typer.Option(metavar="SCOPE", help=f"What it may do; may be repeated: {', '.join(Scope)}.")
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What the person knows it by.")] = "From the command line",
    expires: Annotated[str, typer.Option(metavar="PERIOD", help="When it ends, at most 366d.")] = "90d",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a token, and print it. It is shown this once.

    Programs send it as `Authorization: Bearer TOKEN`. It may never do more than its person.
    """
    made = operate(config, "token.create", email=email, name=name, scopes=scope, expires=expires)
    if as_json:
        show_json(made)
        return
    say(made["token"])
    hint(f"Good until {moment(made['expires_at'])} UTC. End it before with `pymeet token revoke {made['id']}`.")


@app.command("list", cls=Command)
def list_tokens(
    email: Annotated[str | None, typer.Argument(metavar="EMAIL", help="Whose tokens; without it everybody's.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the tokens that are still good. The tokens themselves are not kept anywhere."""
    tokens = operate(config, "token.list", email=email)
    if as_json:
        show_json(tokens)
    elif tokens:
        show_table(
            ["Id", "Whose", "Name", "Scopes", "Ends (UTC)", "Last used (UTC)"],
            [
                [
                    each["id"],
                    each["email"],
                    each["name"],
                    " ".join(each["scopes"]),
                    moment(each["expires_at"]),
                    moment(each["last_used_at"]) or "never",
                ]
                for each in tokens
            ],
        )
    else:
        hint("There are no tokens. Make one with `pymeet token create EMAIL --scope rooms:read`.")


@app.command(cls=Command)
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The token's id, from `pymeet token list`.")],
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """End a token at once."""
    confirm("The program that uses it gets no answers any more.", "Revoke the token?", yes=yes)
    done = operate(config, "token.revoke", token_id=token_id)
    if as_json:
        show_json(done)
        return
    say("Revoked the token.")
