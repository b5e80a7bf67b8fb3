"""`pymeet user`: people with an account."""

from typing import Annotated, Any

import typer

from pymeet.cli.erase import erase_user
from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, operate
from pymeet.cli.output import confirm, hint, moment, say, show_json, show_table

app = typer.Typer(
    name="user", help="Invite, add, list and disable accounts.", no_args_is_help=True, rich_markup_mode=None
)

_ROLES = {"member": "member", "admin": "administrator", "dpo": "data protection officer"}

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's e-mail address.")]


@app.command(cls=Command)
def invite(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person's name.")],
    email: Email,
    role: Annotated[str, typer.Option(metavar="ROLE", help="member, admin or dpo.")] = "member",
    language: Annotated[str | None, typer.Option(metavar="LANGUAGE", help="en or de; without it the server's.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make an account and send its link by mail.

    Somebody who has not come yet gets a fresh link. Where mail is off, the link is printed.
    """
    user = operate(config, "user.invite", name=name, email=email, role=role, language=language)
    _sent(user, f"Invited {user['name']}.", "7 days", as_json=as_json)


@app.command(cls=Command)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person's name.")],
    email: Email,
    admin: Annotated[bool, typer.Option("--admin", help="Make the person an administrator.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make an account, and print its one-time link.

    On it the person sets a password.
    """
    user = operate(config, "user.add", name=name, email=email, admin=admin)
    if as_json:
        show_json(user)
        return
    say(user["link"])
    hint(f"Added {user['name']}. Send them that link: it works once, for 24 hours.")


@app.command(cls=Command)
def link(email: Email, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print a fresh one-time link for an account.

    On it the person sets a new password. The link before it becomes void.
    """
    made = operate(config, "user.link", email=email)
    if as_json:
        show_json(made)
        return
    say(made["link"])
    hint("Send them that link: it works once, for 24 hours.")


@app.command("reset-password", cls=Command)
def reset_password(email: Email, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Send somebody a link for a new password.

    Until then theirs is good. Where mail is off, the link is printed.
    """
    user = operate(config, "user.reset_password", email=email)
    _sent(user, f"Asked {user['name']} to set a new password.", "24 hours", as_json=as_json)


@app.command(cls=Command)
def show(email: Email, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show one account."""
    user = operate(config, "user.show", email=email)
    if as_json:
        show_json(user)
        return
    show_table(
        ["What", "Value"],
        [
            ["Name", user["name"]],
            ["E-mail", user["email"]],
            ["Id", user["id"]],
            ["Role", _ROLES[user["role"]]],
            ["State", _state(user)],
            ["Second factor", "yes" if user["second_factor"] else "no"],
            ["Made (UTC)", moment(user["created_at"])],
            ["Last seen (UTC)", _seen(user)],
            ["Language", user["language"] or "as the server"],
            ["Time zone", user["time_zone"] or "as the browser"],
            *([each["label"], each["value"] or ""] for each in user["fields"]),
        ],
    )


@app.command("list", cls=Command)
def list_users(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List all accounts."""
    users = operate(config, "user.list")
    if as_json:
        show_json(users)
    elif users:
        show_table(
            ["Name", "E-mail", "Role", "State", "Last seen (UTC)"],
            [
                [
                    user["name"],
                    user["email"],
                    _ROLES[user["role"]],
                    _state(user),
                    _seen(user),
                ]
                for user in users
            ],
        )
    else:
        hint("There are no accounts yet. Add one with `pymeet user add NAME EMAIL --admin`.")


@app.command(cls=Command)
def role(
    email: Email,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="member, admin or dpo (data protection officer).")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a person another role: member, admin or dpo.

    Their sessions end. A data protection officer sees requests and proofs, but no content.
    """
    user = operate(config, "user.role", email=email, role=role)
    if as_json:
        show_json(user)
        return
    say(f"{user['name']} is {_article(_ROLES[user['role']])} now.")


@app.command(cls=Command)
def disable(email: Email, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Lock an account: its holder can no longer sign in.

    Their sessions end.
    """
    confirm(f"{email} is signed out everywhere and can no longer sign in.", "Disable the account?", yes=yes)
    user = operate(config, "user.disable", email=email)
    if as_json:
        show_json(user)
        return
    say(f"Disabled the account of {user['name']}.")
    hint("Their rooms stay.")


@app.command(cls=Command)
def enable(email: Email, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Unlock an account: its holder signs in as before."""
    user = operate(config, "user.enable", email=email)
    if as_json:
        show_json(user)
        return
    say(f"Enabled the account of {user['name']}.")


@app.command("remove-second-factor", cls=Command)
def remove_second_factor(email: Email, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Let somebody in by their password alone.

    For who has lost phone and recovery codes: removes their authenticator app, passkeys and codes.
    """
    confirm(f"{email} signs in by the password alone then.", "Remove every second factor?", yes=yes)
    done = operate(config, "user.remove_second_factor", email=email)
    if as_json:
        show_json(done)
    elif done["removed"]:
        say(f"Removed the second factors of {done['name']}.")
        hint("Make sure that it was really them who asked. They can set up new ones on their security page.")
    else:
        say(f"{done['name']} has no second factor.")


@app.command(cls=Command)
def unlink(email: Email, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Take away the link with an OpenID provider.

    For when the wrong one was linked, or the address went to somebody else there. The next sign-in that fits is linked anew.
    """
    confirm(f"{email} is signed out.", "Take away the link with the OpenID provider?", yes=yes)
    done = operate(config, "user.unlink", email=email)
    if as_json:
        show_json(done)
    elif done["removed"]:
        say(f"{done['name']} is no longer linked with an account at the provider.")
    else:
        say(f"{done['name']} is not linked with any account at the provider.")


@app.command("set-field", cls=Command)
def set_field(
    email: Email,
    field: Annotated[str, typer.Argument(metavar="FIELD", help="The field's label or id.")],
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help="What is to stand in it; without it, nothing.")
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Fill in or empty a field of somebody's profile.

    `pymeet profile-field` says which fields there are.
    """
    filled = operate(config, "user.set_field", email=email, field=field, value=value)
    if as_json:
        show_json(filled)
    elif filled["value"] is None:
        say(f"{filled['label']} is empty.")
    else:
        say(f"{filled['label']}: {filled['value']}")


app.command("delete", cls=Command)(erase_user)


def _sent(user: dict[str, Any], said: str, lifetime: str, *, as_json: bool) -> None:
    if as_json:
        show_json(user)
    elif user["link"] is None:
        say(said)
        hint(f"The mail with the link is on its way; it works once, for {lifetime}.")
    else:
        say(user["link"])
        hint(f"{said} Mail is off: send them that link, which works once, for {lifetime}.")


def _state(user: dict[str, Any]) -> str:
    return str(user["state"]).replace("_", " ")


def _seen(user: dict[str, Any]) -> str:
    return moment(user["last_seen_at"]) or "never"


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
