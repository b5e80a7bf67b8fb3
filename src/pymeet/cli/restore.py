"""`pymeet restore`: puts a backup in the place of what is there, while no server runs."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from pymeet.cli.backup import PassphraseFile
from pymeet.cli.exit_codes import PARTLY
from pymeet.cli.options import AsJson, ConfigFile, Yes, command, configuration
from pymeet.cli.output import confirm_destructive, hint, progress_bar, say, show_json
from pymeet.cli.passphrases import read_passphrase


def restore(
    name: Annotated[str, typer.Argument(metavar="SET", help="The backup's name, or the path of its directory.")],
    passphrase_file: PassphraseFile = None,
    keep_replaced: Annotated[
        bool, typer.Option("--keep-replaced", help="Make a backup of what is there now first.")
    ] = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup back, while no server runs. Whoever was erased since stays erased."""
    # Late, because it brings the database.
    from pymeet.clock import SystemClock
    from pymeet.ops import restore as work
    from pymeet.ops.backup_sets import ENCRYPTED
    from pymeet.ops.verbs.values import iso
    from pymeet.privacy.age import Lock

    settings = configuration(config)
    path = work.chosen(settings, name)
    manifest = work.check(settings, path, SystemClock())
    passphrase = read_passphrase(passphrase_file) if passphrase_file else None
    lock = None
    if manifest.encrypted and passphrase:
        with (path / ENCRYPTED).open("rb") as file:
            lock = Lock.open(file, passphrase)
    plan = [
        f"The backup {path.name}, made {iso(manifest.made_at_ms)}, takes the place of everything in "
        f"{settings.data_dir.absolute()}.",
        "What was done since then is lost, but for requests, holds, restrictions, consents, passwords and locked accounts.",
        "Whoever was erased since is erased again, and what is over is deleted, before the server can start.",
        "Everybody has to sign in again.",
    ]
    confirm_destructive(plan, "Restore it?", yes=yes)
    with progress_bar("Restoring the backup", as_json=as_json) as bar:
        keep = (lambda: Lock.make(passphrase) if passphrase else None) if keep_replaced else None
        done = asyncio.run(work.restore(settings, path, lock=lock, keep=keep, progress=bar)).as_dict()
    if as_json:
        show_json({**done, "made_at": iso(done["made_at_ms"])})
    else:
        _tell(done, settings.data_dir, command("serve", file=config))
    if done["held"] or done["holds_lost"] or not done["present_was_read"]:
        raise typer.Exit(PARTLY)


def _tell(done: dict[str, Any], data_dir: Path, start: str) -> None:
    say(f"Restored the backup {done['name']} to {data_dir.absolute()}.")
    if done["erased_again"]:
        hint(
            f"People erased since, and now again: {done['erased_again']}. A search of all bytes found nothing of them."
        )
    if done["held"]:
        hint(
            f"A legal hold keeps something of {done['held']} of them, and the account with it. Look at `pymeet hold list`: "
            "what a hold of the backup keeps goes when it is released."
        )
    if done["files_destroyed"]:
        hint(f"Files that were destroyed since stay closed: {done['files_destroyed']}.")
    if rows := sum(done["deleted"].values()):
        hint(f"Rows that were over and are deleted: {rows}.")
    if not done["present_was_read"]:
        hint(
            "There was no database here that could be read, so nothing newer came over. If holds were placed or requests "
            "made since the backup, enter them again."
        )
    if done["holds_lost"]:
        hint(f"Holds on somebody or something that the backup does not know: {done['holds_lost']}. Look at them first.")
    if done["kept"]:
        hint(f"What was there before is kept as the backup {done['kept']}.")
    hint(f"Start the server with `{start}`, and make a fresh backup.")
