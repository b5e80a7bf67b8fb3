"""`pymeet recording`: what was recorded, its films, the trash, and taking one person out again."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pymeet.cli.exit_codes import PARTLY
from pymeet.cli.help_text import Command
from pymeet.cli.new_files import Watched, new_file, refuse_to_replace
from pymeet.cli.options import AsJson, ConfigFile, Yes, configuration, operate
from pymeet.cli.output import confirm_destructive, counted, fail, hint, moment, progress_bar, say, show_json, show_table
from pymeet.config import Config
from pymeet.errors import PymeetError
from pymeet.ops.progress import Progress

app = typer.Typer(
    name="recording",
    help="List, export, verify and delete recordings.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The recording, as `pymeet recording list` shows it.")]

_FINDINGS = {
    "missing": "has no file or no key any more",
    "damaged": "was changed or cut off",
    "not_playable": "is as it was written, and cannot be played",
    "unfinished": "is not closed; the next start of the server repairs it",
    "unknown_file": "belongs to nothing; the server removes it within a day",
}


@app.command("list", cls=Command)
def list_recordings(
    room: Annotated[str | None, typer.Option(metavar="SLUG", help="Only those of this room.")] = None,
    trash: Annotated[bool, typer.Option("--trash", help="Those in the trash.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List recordings, the newest first."""
    found = operate(config, "recording.list", room=room, trash=trash)
    if as_json:
        show_json(found)
    elif found:
        rows = [
            [
                each["id"],
                each["name"],
                each["room"] or "(deleted)",
                moment(each["started_at"]),
                _duration(each["duration_ms"]),
                each["people"],
                _size(each["size_bytes"]),
                each["film"] or "",
                _end(each),
            ]
            for each in found
        ]
        show_table(["Id", "Name", "Room", "Begun (UTC)", "Length", "People", "Size", "Film", "Deleted on"], rows)
        hint(f"{counted(len(found), 'recording')}, {_size(sum(each['size_bytes'] for each in found))} together.")
    else:
        hint("The trash is empty." if trash else "There are no recordings.")


@app.command(cls=Command)
def show(recording_id: Id, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show one recording with its people, tracks and films."""
    found = operate(config, "recording.show", recording_id=recording_id)
    if as_json:
        show_json(found)
        return
    say(f"{found['name']}, room {found['room'] or '(deleted)'}, begun {moment(found['started_at'])} UTC")
    say(f"{_state(found)}; {_size(found['size_bytes'])}; deleted on {_end(found)}")
    rows = [row for person in found["people"] for row in _tracks(person)]
    show_table(["Person", "Id", "Track", "Codec", "From", "Length", "Size", "State"], rows)
    for film in found["films"]:
        size = f", {_size(film['size_bytes'])}" if film["size_bytes"] else ""
        say(f"Film {film['id']}: {film['state']}, {film['format']}, {film['layout']}, {film['height']} lines{size}")


@app.command(cls=Command)
def export(
    recording_id: Id,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PATH", help="The file for the film, or a directory.")
    ],
    tracks: Annotated[
        bool, typer.Option("--tracks", help="Every track as it was recorded, into a directory, instead of the film.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the film, or all tracks, of a recording into files.

    The people in it see that it was taken along. Whoever gets the files is responsible for them from then on.
    """
    if tracks and not output.is_dir():
        raise PymeetError(f"{output} is not a directory.\nName one that exists.", code="no_such_place")
    settings = configuration(config)
    with progress_bar("Reading", as_json=as_json) as bar:
        written = asyncio.run(
            _export(settings, recording_id, output, bar, tracks=tracks, into=output.is_dir(), force=force)
        )
    if as_json:
        show_json({"files": [str(each) for each in written]})
        return
    for each in written:
        say(str(each))
    hint("These files are not encrypted, and no longer deleted with the recording.")


@app.command(cls=Command)
def delete(
    recording_id: Id,
    now: Annotated[bool, typer.Option("--now", help="For good, without the trash.")] = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a recording into the trash, or delete it for good."""
    if now:
        found = operate(config, "recording.show", recording_id=recording_id)
        plan = [f"{found['name']}: {counted(len(found['people']), 'seat')}, {_size(found['size_bytes'])}."]
        confirm_destructive(plan, "Delete this recording for good?", yes=yes)
    done = operate(config, "recording.delete", recording_id=recording_id, now=now)
    if as_json:
        show_json(done)
    elif now:
        say("Deleted: keys and files are destroyed." if done["files_removed"] else "Deleted.")
    else:
        say(f"In the trash until {_day(done['delete_at'])}.")
        hint(f"`pymeet recording restore {recording_id}` takes it out again.")
    if done["files_removed"] is False:
        fail("Some files could not be removed yet; the server tries again.", "files_not_removed")
        raise typer.Exit(PARTLY)


@app.command(cls=Command)
def restore(recording_id: Id, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Take a recording out of the trash."""
    done = operate(config, "recording.restore", recording_id=recording_id)
    if as_json:
        show_json(done)
    else:
        say(f"Restored. Deleted on {_day(done['delete_at'])}.")


@app.command(cls=Command)
def compose(
    recording_id: Id,
    film_format: Annotated[
        Literal["mp4", "webm"] | None, typer.Option("--format", metavar="FORMAT", help="mp4 or webm.")
    ] = None,
    layout: Annotated[
        Literal["grid", "speaker"] | None, typer.Option(metavar="LAYOUT", help="grid or speaker.")
    ] = None,
    height: Annotated[int | None, typer.Option(metavar="LINES", help="360, 480, 720 or 1080.")] = None,
    no_names: Annotated[bool, typer.Option("--no-names", help="Do not show names in the picture.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a film of a recording, and wait for it.

    The running server makes it. What is not given is as the configuration says. Ctrl-C breaks it off.
    """
    if height not in (None, 360, 480, 720, 1080):
        raise typer.BadParameter("Choose 360, 480, 720 or 1080 lines.")
    with progress_bar("Making the film (%)", as_json=as_json) as bar:
        film = operate(
            config,
            "recording.compose",
            on_progress=bar,
            recording_id=recording_id,
            film_format=film_format,
            layout=layout,
            height=height,
            names=not no_names,
        )
    if as_json:
        show_json(film)
        return
    say(f"Film {film['id']}: {film['format']}, {_duration(film['duration_ms'])}, {_size(film['size_bytes'] or 0)}")
    hint(f"`pymeet recording export {recording_id} -o FILE` writes the newest film into a file.")


@app.command(cls=Command)
def verify(
    recording_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="The recording; all of them without it.")
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Look whether tracks and films are whole and play.

    They are read to their end and decoded: all of the sound, and the pictures that stand for themselves. Ends with 5
    when something is not as it should be.
    """
    with progress_bar("Reading tracks and films", as_json=as_json) as bar:
        found = operate(config, "recording.verify", on_progress=bar, recording_id=recording_id)
    if as_json:
        show_json(found)
    else:
        say(f"Read {counted(found['tracks'], 'track')} and {counted(found['films'], 'film')}.")
        for each in found["findings"]:
            where = f" of recording {each['recording']}" if each["recording"] else ""
            fail(f"The {each['kind']} {each['id']}{where} {_FINDINGS[each['what']]}.", each["what"])
        if not found["findings"] and (found["tracks"] or found["films"]):
            hint("Everything is whole and can be played.")
    if found["findings"]:
        raise typer.Exit(PARTLY)


@app.command("remove-person", cls=Command)
def remove_person(
    recording_id: Id,
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO",
            help="An id that `pymeet recording show` tells, an e-mail address, an account's id, or a guest's receipt; "
            "`-` reads it from standard input.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    yes: Yes = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take one person out of a recording, for good.

    Their tracks are destroyed with their keys, and what they did and wrote in it is deleted. Nobody else's tracks are
    touched; films are made again without them. Ends with 5 when not everything is off the disk yet.
    """
    who = sys.stdin.readline().strip() if who == "-" else who
    plan = operate(config, "recording.remove_person", recording_id=recording_id, who=who, dry_run=True)
    if dry_run:
        if as_json:
            show_json(plan)
        else:
            say(_goes(plan))
        return
    confirm_destructive([_goes(plan)], "Take this person out of the recording for good?", yes=yes)
    done = operate(config, "recording.remove_person", recording_id=recording_id, who=who)
    if as_json:
        show_json(done)
    else:
        say(f"Taken out. Gone: {_parts(done)}.")
        if done["films"]:
            hint("The server makes the films again, without them.")
    if done["files_left"] or not done["log_emptied"]:
        fail("Not everything is off the disk yet; the server goes on with it.", "files_not_removed")
        raise typer.Exit(PARTLY)


async def _export(
    config: Config, recording_id: str, output: Path, progress: Progress, *, tracks: bool, into: bool, force: bool
) -> list[Path]:
    """The files that were written; `into` says that `output` is a directory."""
    # Late, because it brings the database.
    from pymeet.ops.client import call, fetch_file

    if not into:
        refuse_to_replace(output, force=force)
    files = await call(config, "recording.files", {"recording_id": recording_id, "tracks": tracks})
    paths = [output / each["name"] if into else output for each in files]
    for path in paths:
        refuse_to_replace(path, force=force)
    for each, path in zip(files, paths, strict=True):
        with new_file(path, force=force) as file:
            await fetch_file(config, each["file_id"], Watched(file, each["size_bytes"], progress))
    return paths


def _tracks(person: dict[str, Any]) -> list[list[str]]:
    """A row for each track; one for somebody who was in it and sent nothing."""
    who = [person["name"], person["id"]]
    return [
        [
            *who,
            each["source"],
            each["codec"],
            _duration(each["begins_at"]),
            _duration(each["duration_ms"]),
            _size(each["size_bytes"] or 0),
            each["state"],
        ]
        for each in person["tracks"]
    ] or [[*who, *[""] * 6]]


def _goes(plan: dict[str, Any]) -> str:
    return f"What goes: {_parts(plan)}."


def _parts(found: dict[str, Any]) -> str:
    entries = f"{found['events']:,} {'entry' if found['events'] == 1 else 'entries'} of the timeline"
    tracks = f"{counted(found['tracks'], 'track')} ({_size(found['size_bytes'])})"
    return f"{tracks}, {entries}, {counted(found['messages'], 'message')}, {counted(found['films'], 'film')}"


def _state(found: dict[str, Any]) -> str:
    if found["state"] == "recording":
        return "Still being recorded"
    where = "In the trash" if found["state"] == "trash" else "Ended"
    return f"{where}, {_duration(found['duration_ms'])}, because: {found['end_reason']}"


def _end(found: dict[str, Any]) -> str:
    if found["state"] == "recording":
        return "(still being recorded)"
    pinned = " (pinned)" if found["pinned_until"] else ""
    return f"{_day(found['delete_at'])}{pinned}{' (held)' if found['held'] else ''}"


def _day(text: str | None) -> str:
    return text[:10] if text else "no day: it is kept without end"


def _duration(milliseconds: int | None) -> str:
    """`1:02:03`."""
    if milliseconds is None:
        return ""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _size(size_bytes: int) -> str:
    """In the units of disks: 10^6 and 10^9 bytes."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1_000_000_000 else f"{size_bytes / 1e6:.1f} MB"
