"""`pymeet export-user`: everything held about one person, in one file."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pymeet.cli.exit_codes import PARTLY
from pymeet.cli.new_files import Watched, new_file, refuse_to_replace
from pymeet.cli.options import AsJson, ConfigFile, configuration
from pymeet.cli.output import counted, fail, hint, progress_bar, say, show_json
from pymeet.cli.passphrases import read_passphrase
from pymeet.config import Config
from pymeet.ops.progress import Progress

_FAILED = {
    "unreadable": "is damaged or gone, and is left out",
    "broken": "is damaged: only its beginning could be read",
    "unfinished": "is still being recorded, and is left out",
}


def export_user(
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO",
            help="An e-mail address, an account's id, or a guest's receipt; `-` reads it from standard input.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The archive to write (ZIP).")],
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Encrypt the archive (age) with the passphrase in this file, which only its owner may read.",
        ),
    ] = None,
    language: Annotated[
        Literal["en", "de"], typer.Option(metavar="LANGUAGE", help="The language of its index: en or de.")
    ] = "en",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write everything held about a person into one archive.

    It is for people and for programs. Ends with 5 when something could not be read; the archive says what.
    """
    path = output.with_name(f"{output.name}.age") if passphrase_file and output.suffix != ".age" else output
    refuse_to_replace(path, force=force)
    passphrase = read_passphrase(passphrase_file) if passphrase_file else None
    settings = configuration(config)
    person = sys.stdin.readline().strip() if who == "-" else who
    with progress_bar("Making the archive", as_json=as_json) as bar:
        made = asyncio.run(_export(settings, person, language, path, passphrase, bar, force=force))
    if as_json:
        show_json({"file": str(path), "encrypted": passphrase is not None, "complete": not made["failed"], **made})
    else:
        _tell(made, path, encrypted=passphrase is not None)
    if made["failed"]:
        raise typer.Exit(PARTLY)


async def _export(
    config: Config, who: str, language: str, path: Path, passphrase: str | None, progress: Progress, *, force: bool
) -> dict[str, Any]:
    # Late, because it brings the database.
    from pymeet.ops.client import call, fetch_file
    from pymeet.privacy.age import AgeWriter, Lock

    made: dict[str, Any] = await call(config, "export.build", {"who": who, "language": language}, on_progress=progress)
    export_id, file_id = made.pop("id"), made.pop("file_id")
    try:
        with new_file(path, force=force) as file:
            sink = Watched(file, made["size_bytes"], progress)
            if passphrase:
                lock = await asyncio.to_thread(Lock.make, passphrase)
                locked = AgeWriter(sink, lock)
                await fetch_file(config, file_id, locked)
                locked.close()
            else:
                await fetch_file(config, file_id, sink)
    finally:
        # Here too when it was broken off: a copy that nobody fetches is of no use.
        await call(config, "export.discard", {"export_id": export_id})
    return made


def _tell(made: dict[str, Any], path: Path, *, encrypted: bool) -> None:
    rows = sum(made["tables"].values())
    files = f" and {counted(made['files'], 'file')}" if made["files"] else ""
    say(f"Wrote {path}: {counted(rows, 'row')} from {counted(len(made['tables']), 'table')}{files}.")
    if made["failed"]:
        what = [f"The archive is not complete: {counted(len(made['failed']), 'file')} could not be read."]
        what += [f"{each['path']} {_FAILED[each['reason']]}." for each in made["failed"]]
        fail("\n".join(what), "export_partly")
    by_reason: dict[str, list[str]] = {}
    for each in made["withheld"]:
        by_reason.setdefault(each["reason"], []).append(f"{each['table']}.{each['column']}")
    for reason, columns in by_reason.items():
        hint(f"Left out: {', '.join(columns)}. {reason}")
    if encrypted:
        hint(f"To open it: `age -d -o export.zip {path.name}` asks for the passphrase. Hand that over by another way.")
        hint("Then unpack export.zip and open index.html in a browser.")
    else:
        hint("To open it: unpack it and open index.html in a browser. It is not encrypted: send it by a safe way.")
