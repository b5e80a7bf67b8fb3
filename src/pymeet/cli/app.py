"""Puts the commands together, and turns errors into two lines and an exit code (docs/admin.md lists the codes)."""

import sys
from typing import Annotated

import typer

from pymeet import __version__
from pymeet.cli import (
    audit,
    backup,
    breach,
    config,
    consent,
    doctor,
    erase,
    export,
    group,
    hold,
    init,
    keys,
    live,
    mail,
    privacy,
    profile_field,
    purge,
    recording,
    request,
    restore,
    retention,
    room,
    serve,
    settings,
    status,
    token,
    user,
)
from pymeet.cli.exit_codes import CONFIG, FAILED, NOT_FOUND
from pymeet.cli.help_text import Command
from pymeet.cli.output import fail
from pymeet.errors import ConfigError, NotFoundError, PymeetError

app = typer.Typer(
    name="pymeet",
    help="A video meeting server of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its help names the types of switches and the names of Python
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.command("serve", cls=Command)(serve.serve)
app.command("init", cls=Command)(init.init)
app.command("status", cls=Command)(status.status)
app.command("doctor", cls=Command)(doctor.doctor)
app.command("purge", cls=Command)(purge.purge)
app.command("export-user", cls=Command)(export.export_user)
app.command("erase-user", cls=Command)(erase.erase_user)
app.command("find-subject", cls=Command)(erase.find_subject)
app.command("find-mentions", cls=Command)(erase.find_mentions)
app.command("correct-user", cls=Command)(erase.correct_user)
app.command("breach-report", cls=Command)(breach.breach_report)
app.command("restore", cls=Command)(restore.restore)
app.add_typer(room.app)
app.add_typer(recording.app)
app.add_typer(user.app)
app.add_typer(group.app)
app.add_typer(profile_field.app)
app.add_typer(token.app)
app.add_typer(request.app)
app.add_typer(consent.app)
app.add_typer(privacy.app)
app.add_typer(hold.app)
app.add_typer(retention.app)
app.add_typer(mail.app)
app.add_typer(live.app)
app.add_typer(settings.app)
app.add_typer(backup.app)
app.add_typer(keys.app)
app.add_typer(audit.app)
app.add_typer(breach.app)
app.add_typer(config.app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pymeet {__version__}")
        raise typer.Exit


@app.callback()
def _pymeet(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A video meeting server of your own."""


def main() -> None:
    """Runs the command in `sys.argv` and ends the process."""
    try:
        app()
    except ConfigError as error:
        fail(error.message, error.code)
        sys.exit(CONFIG)
    except NotFoundError as error:
        fail(error.message, error.code)
        sys.exit(NOT_FOUND)
    except PymeetError as error:
        fail(error.message, error.code)
        sys.exit(FAILED)
    except FileNotFoundError as error:
        fail(f"There is no file or directory {error.filename}.", "no_such_file")
        sys.exit(NOT_FOUND)
    except FileExistsError as error:
        fail(f"{error.filename} exists already. Nothing was written.", "file_exists")
        sys.exit(FAILED)
    except OSError as error:
        fail(f"{error.filename or 'The system'}: {error.strerror}.", "system")
        sys.exit(FAILED)
