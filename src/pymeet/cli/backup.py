"""`pymeet backup`: sets of the database, the sealed files and the keys, made while the server runs or stands still."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pymeet.cli.exit_codes import FAILED
from pymeet.cli.help_text import Command
from pymeet.cli.options import AsJson, ConfigFile, Yes, configuration, operate
from pymeet.cli.output import confirm_destructive, counted, hint, moment, progress_bar, say, show_json, show_table
from pymeet.cli.passphrases import read_passphrase

app = typer.Typer(
    name="backup",
    help="Make, list, verify and delete backups.",
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="SET", help="The backup's name, such as 20261121T020000Z.")]
Directory = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="The directory of backups. Default: backup.dir."),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A file with the passphrase; only its owner may read it."),
]

KIB = 1024


@app.callback()
def make(
    context: typer.Context,
    output: Directory = None,
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Encrypt the database with a passphrase (age); files are sealed anyway.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a backup, while the server runs or stands still. Below: list, verify and delete."""
    if context.invoked_subcommand:
        return
    if encrypt != bool(passphrase_file):
        raise typer.BadParameter("--encrypt and --passphrase-file FILE belong together.")
    lock = None
    if passphrase_file:
        # Here and not in the server: it takes 256 MiB, and so the passphrase never leaves this process.
        from pymeet.privacy.age import Lock

        lock = _as_json(Lock.make(read_passphrase(passphrase_file)))
    with progress_bar("Making a backup", as_json=as_json) as bar:
        made = operate(config, "backup.make", on_progress=bar, directory=_absolute(output), lock=lock)
    if as_json:
        show_json(made)
        return
    say(made["path"])
    hint(
        f"Made and verified: the database{' (encrypted)' if made['encrypted'] else ''} and {counted(made['files'], 'sealed file')}, "
        f"{_size(made['size_bytes'])}. It is deleted after {made['expires_at'][:10]}."
    )
    hint(f"The keys of sealed files are apart, in {made['keys']}: copy both to another machine, not to the same place.")
    hint("master.key is in no backup. Keep a copy of it in a third place: without it sealed files stay closed.")


@app.command("list", cls=Command)
def list_sets(output: Directory = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the backups."""
    found = operate(config, "backup.list", directory=_absolute(output))
    if as_json:
        show_json(found)
    elif found:
        show_table(
            ["Backup", "Made (UTC)", "Size", "Files", "State", "Encrypted", "Deleted after"],
            [
                [
                    each["name"],
                    moment(each["made_at"]),
                    _size(each["size_bytes"]),
                    each["files"],
                    "verified" if each["verified"] else "damaged",
                    "yes" if each["encrypted"] else "no",
                    moment(each["expires_at"]),
                ]
                for each in found
            ],
        )
    else:
        hint("There are no backups here yet. Make one with `pymeet backup`.")


@app.command(cls=Command)
def verify(
    name: Name,
    output: Directory = None,
    passphrase_file: PassphraseFile = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Read all of a backup, and say whether it could be restored. Ends with 1 if not."""
    lock = None
    if passphrase_file:
        from pymeet.ops.backup_sets import ENCRYPTED, find
        from pymeet.privacy.age import Lock

        path = find(output or configuration(config).backup_dir, name)
        if (path / ENCRYPTED).exists():
            with (path / ENCRYPTED).open("rb") as file:
                lock = _as_json(Lock.open(file, read_passphrase(passphrase_file)))
    with progress_bar("Verifying the backup", as_json=as_json) as bar:
        found = operate(config, "backup.verify", on_progress=bar, name=name, directory=_absolute(output), lock=lock)
    if as_json:
        show_json(found)
    else:
        _tell(found)
    if not found["good"]:
        raise typer.Exit(FAILED)


@app.command(cls=Command)
def delete(
    name: Name, output: Directory = None, yes: Yes = False, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Delete a backup before its time."""
    confirm_destructive([f"The backup {name} goes, and cannot be brought back."], "Delete it?", yes=yes)
    operate(config, "backup.delete", name=name, directory=_absolute(output))
    if as_json:
        show_json({"name": name})
        return
    say(f"Deleted the backup {name}.")


def _tell(found: dict[str, Any]) -> None:
    if found["good"]:
        say(f"The backup {found['name']} is whole. What was written was read again: {counted(found['files'], 'file')}.")
    else:
        say(f"The backup {found['name']} cannot be restored as it is.")
    for path in found["damaged"]:
        hint(f"Damaged: {path}")
    for file_id in found["without_key"]:
        hint(f"Not in the newest snapshot of the keys: {file_id}. Run `pymeet backup` for a fresh one.")
    if not found["database_opened"] and not found["damaged"]:
        hint("Its database is encrypted and was not opened; --passphrase-file FILE looks inside.")
    if found["destroyed_since"]:
        hint(f"Files that were destroyed since, and stay closed: {found['destroyed_since']}.")
    if found["keys_need_former_master_key"]:
        hint("The newest snapshot of the keys needs a former master key. Run `pymeet backup` for a fresh one.")


def _as_json(lock: Any) -> dict[str, str]:
    return {"header": lock.header.decode(), "file_key": lock.file_key.hex()}


def _absolute(directory: Path | None) -> str | None:
    """The server has another working directory than the command."""
    return str(directory.absolute()) if directory else None


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        if size < KIB:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= KIB
    return f"{size:.1f} GiB"
