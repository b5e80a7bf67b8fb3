"""Options that several commands take, and the way from a command to an operation."""

import asyncio
import os
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from pymeet.cli.output import hint, program
from pymeet.config import DEFAULT_FILE, Config, load
from pymeet.ops.progress import Progress, silent

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="The configuration file. Default: ./pymeet.yaml if it exists."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_LOOKING = frozenset(
    {
        "audit.export",
        "audit.list",
        "audit.verify",
        "backup.list",
        "backup.verify",
        "breach.list",
        "breach.report",
        "consent.show",
        "consent.verify",
        "erasure.preview",
        "erasure.receipt",
        "group.list",
        "group.show",
        "hold.list",
        "keys.check",
        "live.list",
        "live.people",
        "mail.list",
        "privacy.check",
        "privacy.document",
        "privacy.verify",
        "profile_field.list",
        "profile_field.show",
        "purge.plan",
        "recording.files",
        "recording.list",
        "recording.show",
        "recording.verify",
        "request.list",
        "request.show",
        "retention.periods",
        "room.list",
        "room.show",
        "settings.list",
        "status",
        "subject.find",
        "subject.mentions",
        "user.list",
    }
)
"""Operations that change nothing and promise nothing, so that it does not matter who does them."""


def configuration(file: Path | None) -> Config:
    """The configuration a command works with. ConfigError.

    What is logged where no server runs goes to standard error from here on, and only what somebody should know.
    """
    # Late, because it brings a library that `pymeet --version` does not need.
    from pymeet.ops.log import configure_log

    settings = load(chosen(file), os.environ)
    configure_log(settings.log.model_copy(update={"level": "error" if settings.log.level == "error" else "warning"}))
    return settings


def chosen(file: Path | None) -> Path | None:
    """The file given, else ./pymeet.yaml where it exists, else none."""
    return file or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)


def operate(file: Path | None, operation: str, *, on_progress: Progress = silent, **arguments: Any) -> Any:
    """Runs one operation, in the running server or here; Ctrl-C cancels it. PymeetError."""
    # Late, because it brings the database: `pymeet --version` should not wait for it.
    from pymeet.ops.client import call

    settings = configuration(file)

    def say_so() -> None:
        if operation not in _LOOKING:
            start = command("serve", file=file)
            hint(f"No server is running with {settings.data_dir.absolute()}; `{start}` starts one.")

    return asyncio.run(call(settings, operation, arguments, on_progress=on_progress, offline=say_so))


def command(words: str, *, file: Path | None) -> str:
    """A command as it can be typed here, for the same configuration."""
    return f"{program()} {words}{f' -c {shlex.quote(str(file))}' if file else ''}"
