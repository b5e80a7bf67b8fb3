"""The verbs of `pymeet recording`."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from pymeet.db.files import Files
from pymeet.errors import ConflictError, NotFoundError, PymeetError
from pymeet.ops.progress import Progress
from pymeet.ops.services import Operation, Services
from pymeet.ops.verbs.values import iso
from pymeet.ops.verbs.viewing import record_view, views
from pymeet.privacy import find, receipts
from pymeet.recording import catalogue_store as store
from pymeet.recording.access import OPERATOR, Verb
from pymeet.recording.catalogue import UNDER_WAY, Catalogue, Entry
from pymeet.recording.catalogue_store import PersonRow
from pymeet.recording.names import film_name, track_name
from pymeet.recording.removal import remove_person
from pymeet.recording.verifying import problem_of
from pymeet.recording.views import Views

LOOK_EVERY_S: Final = 0.5
"""How often the making of a film is looked at."""

UNKNOWN: Final = "unknown_file"
UNFINISHED: Final = "unfinished"
"""A track is not closed, though nobody writes it."""


@views("recordings")
async def recording_list(services: Services, *, room: str | None = None, trash: bool = False) -> list[dict[str, Any]]:
    """The recordings, or those of one room by its address; in the trash or not. The newest comes first."""
    room_id = None if room is None else (await services.meetings.room(room)).id
    entries = await _catalogue(services).listed(OPERATOR, trash=trash, others=True)
    return [_shown(each) for each in entries if room_id in (None, each.rows.recording["room_id"])]


@views("recordings")
async def recording_show(services: Services, *, recording_id: str) -> dict[str, Any]:
    """One recording with its people, tracks and films. NotFoundError."""
    catalogue = _catalogue(services)
    entry = await catalogue.one(OPERATOR, recording_id)
    contents = await catalogue.contents(entry)
    people = [
        {
            "id": each.id,
            "name": each.name,
            "kind": "member" if each.user_id else "guest",
            "tracks": [
                {name: track[name] for name in ("id", "source", "codec", "state", "begins_at", "duration_ms")}
                | {"size_bytes": track["size_bytes"], "lost_frames": track["lost_frames"]}
                for track in contents.tracks
                if track["person_id"] == each.id
            ],
        }
        for each in entry.people
    ]
    films = [
        {
            name: each[name]
            for name in ("id", "state", "layout", "format", "height", "duration_ms", "size_bytes", "error")
        }
        for each in entry.rows.films
    ]
    return {**_shown(entry), "people": people, "films": films}


async def recording_files(services: Services, *, recording_id: str, tracks: bool = False) -> list[dict[str, Any]]:
    """The newest film, or with `tracks` every track, each with a name for its file and the id to fetch it by.

    The people in it are told that somebody took it along. NotFoundError, ConflictError (`film_not_ready`, `restricted`,
    and while it runs).
    """
    catalogue = _catalogue(services)
    entry = await catalogue.one(OPERATOR, recording_id, Verb.DOWNLOAD)
    found = await _tracks(catalogue, entry) if tracks else [_film(entry)]
    kind = "track_download" if tracks else "film_download"
    await Views(services.lifecycle).looked(OPERATOR, entry.id, kind, entry.id, begins=True)
    await catalogue.note(OPERATOR, "recording.exported", entry.id, {"files": len(found), "tracks": tracks})
    return found


async def recording_delete(services: Services, *, recording_id: str, now: bool = False) -> dict[str, Any]:
    """Puts a recording into the trash, or with `now` deletes it for good, also out of the trash.

    NotFoundError, ConflictError while it runs or is held.
    """
    catalogue = _catalogue(services)
    if now:
        return {"deleted": True, "files_removed": await catalogue.delete_now(recording_id), "delete_at": None}
    await catalogue.trash(OPERATOR, recording_id)
    entry = await catalogue.one(OPERATOR, recording_id)
    return {"deleted": False, "files_removed": None, "delete_at": _iso(entry.delete_at_ms)}


async def recording_restore(services: Services, *, recording_id: str) -> dict[str, Any]:
    """Takes a recording out of the trash. NotFoundError, ConflictError (`not_in_trash`)."""
    catalogue = _catalogue(services)
    await catalogue.restore(OPERATOR, recording_id)
    return {"delete_at": _iso((await catalogue.one(OPERATOR, recording_id)).delete_at_ms)}


async def recording_compose(
    services: Services,
    progress: Progress,
    *,
    recording_id: str,
    film_format: str | None = None,
    layout: str | None = None,
    height: int | None = None,
    names: bool = True,
) -> dict[str, Any]:
    """Has a film made and waits for it; what is not given is as the configuration says.

    ConflictError without a running server (`no_server`), PymeetError (`film_failed`), NotFoundError. When this is
    cancelled, so is the film.
    """
    films, config = services.films, services.config.recording
    if films is None:
        raise ConflictError("Films are made by the running server.\nStart it with `pymeet serve`.", code="no_server")
    catalogue = _catalogue(services)
    entry = await catalogue.one(OPERATOR, recording_id, Verb.COMPOSE)
    film_id = await films.request(
        entry.id,
        layout=layout or config.film_layout,
        format=film_format or ("mp4" if config.film == "off" else config.film),
        height=height or config.film_height,
        with_names=names,
    )
    await catalogue.note(OPERATOR, "film.requested", film_id)
    try:
        while True:
            _, film = await catalogue.film(OPERATOR, entry.id, film_id, Verb.SEE)
            if film["state"] not in UNDER_WAY:
                break
            done = films.progress(film_id)
            what = "Waiting for other films" if done is None else "Making the film (%)"
            progress(round((done or 0.0) * 100), 100, what)
            await asyncio.sleep(LOOK_EVERY_S)
    except asyncio.CancelledError:
        with contextlib.suppress(PymeetError):
            await films.cancel(film_id)
        raise
    if film["state"] != "ready":
        why = film["error"] or film["state"]
        raise PymeetError(
            f"The film was not made ({why}).\nThe tracks are as they were; the server's log may say more.",
            code="film_failed",
        )
    return {name: film[name] for name in ("id", "layout", "format", "height", "duration_ms", "size_bytes")}


async def recording_verify(
    services: Services, progress: Progress, *, recording_id: str | None = None
) -> dict[str, Any]:
    """Whether every track and film, of one recording or of all, is whole and can be played; for all of them also whether
    there are sealed files that nothing knows. NotFoundError."""

    def look(conn: Connection) -> tuple[list[dict[str, Any]], set[str]]:
        if recording_id is not None and not store.exists_at_all(conn, recording_id):
            raise NotFoundError("There is no such recording.")
        tracks = [{"kind": "track", **each} for each in store.all_tracks(conn, recording_id)]
        films = [{"kind": "film", **each} for each in store.all_films(conn, recording_id)]
        return tracks + films, store.running(conn)

    rows, running = await services.db.study(look)
    findings, counts = [], {"track": 0, "film": 0}
    for done, each in enumerate(rows):
        progress(done, len(rows), "Reading tracks and films")
        if each["state"] == store.GONE_TRACK or (each["state"] == "writing" and each["recording_id"] in running):
            continue
        counts[each["kind"]] += 1
        if each["state"] == "writing":
            problem: str | None = UNFINISHED
        else:
            problem = await asyncio.to_thread(problem_of, services.files, each["file_id"])
        if problem:
            findings.append(
                {"recording": each["recording_id"], "kind": each["kind"], "id": each["id"], "what": problem}
            )
    if recording_id is None:
        unknown = await _unknown_files(services)
        findings += [{"recording": None, "kind": "file", "id": each, "what": UNKNOWN} for each in unknown]
    return {"tracks": counts["track"], "films": counts["film"], "findings": findings}


async def recording_remove_person(
    services: Services, *, recording_id: str, who: str, dry_run: bool = False
) -> dict[str, Any]:
    """Takes somebody out of a recording, with all their seats in it: named by the id that `recording.show` tells, an
    e-mail address, an account's id or a guest's receipt. With `dry_run` it only says what would go.

    NotFoundError, ConflictError (`held`), NotSignedInError for a receipt that is not ours.
    """
    entry = await _catalogue(services).one(OPERATOR, recording_id, Verb.REMOVE)
    seats = await _seats(services, entry, who.strip())
    totals: dict[str, Any] = {"recording_id": entry.id, "seats": len(seats), "dry_run": dry_run}
    for each in seats:
        removal = await remove_person(services.lifecycle, entry.id, each.id, OPERATOR.actor, dry_run=dry_run)
        for name in ("tracks", "size_bytes", "events", "messages", "films"):
            totals[name] = totals.get(name, 0) + getattr(removal, name)
        totals["files_left"] = removal.files_left
        totals["log_emptied"] = removal.log_emptied
    if dry_run:
        await record_view(services, "recordings", 1)
    return totals


OPERATIONS: Mapping[str, Operation] = {
    "recording.list": recording_list,
    "recording.show": recording_show,
    "recording.files": recording_files,
    "recording.delete": recording_delete,
    "recording.restore": recording_restore,
    "recording.compose": recording_compose,
    "recording.verify": recording_verify,
    "recording.remove_person": recording_remove_person,
}


def _catalogue(services: Services) -> Catalogue:
    return Catalogue(services.lifecycle)


async def _seats(services: Services, entry: Entry, who: str) -> list[PersonRow]:
    """All seats of the one who is meant. NotFoundError when there are none."""
    named = [each for each in entry.rows.people if each.id == who]
    if named:
        user_id, participant_id = named[0].user_id, named[0].participant_id
    else:
        key = await asyncio.to_thread(services.keys.purpose_key, receipts.PURPOSE)
        person = await services.db.study(find.the_person, who, key)
        user_id, participant_id = person.user_id, person.participant_id or ""
    found = [
        each
        for each in entry.rows.people
        if (each.user_id == user_id if user_id is not None else each.participant_id == participant_id)
    ]
    if not found:
        raise NotFoundError("This person is not in the recording.", code="not_in_recording")
    return found


def _film(entry: Entry) -> dict[str, Any]:
    film, recording = entry.film, entry.rows.recording
    if film is None or film["state"] != "ready":
        raise ConflictError(
            f"There is no film of this recording yet.\n`pymeet recording compose {entry.id}` makes one; "
            "--tracks takes the tracks along.",
            code="film_not_ready",
        )
    if film["hidden"]:
        raise ConflictError(
            "Somebody in this film restricted the use of their data, or is being erased.\n"
            "--tracks takes the tracks of the others along.",
            code="restricted",
        )
    name = film_name(recording["name"], recording["started_at_ms"], film["format"])
    return {"name": name, "file_id": film["file_id"], "size_bytes": film["size_bytes"] or 0}


async def _tracks(catalogue: Catalogue, entry: Entry) -> list[dict[str, Any]]:
    """Every track under a name of its own, however people are called."""
    recording, names = entry.rows.recording, {each.id: each.name for each in entry.people}
    found: list[dict[str, Any]] = []
    taken: set[str] = set()
    for each in (await catalogue.contents(entry)).tracks:
        if each["state"] == "writing":
            continue
        number = 1
        while True:
            person = names[each["person_id"]]
            name = track_name(recording["name"], recording["started_at_ms"], person, each["source"], number)
            if name.casefold() not in taken:
                break
            number += 1
        taken.add(name.casefold())
        found.append({"name": name, "file_id": each["file_id"], "size_bytes": each["size_bytes"] or 0})
    return found


async def _unknown_files(services: Services) -> list[str]:
    """Sealed files that are finished and that nothing knows. Read before the rows: one that is made meanwhile is known."""
    there = await asyncio.to_thread(_finished, services.files)
    known = await services.db.study(store.known_files)
    return sorted(there - known)


def _finished(files: Files) -> set[str]:
    return {file_id for file_id, _, is_part in files.ids() if not is_part}


def _shown(entry: Entry) -> dict[str, Any]:
    recording, film = entry.rows.recording, entry.film
    return {
        "id": entry.id,
        "name": recording["name"],
        "room": recording["slug"] if recording["room_deleted_at_ms"] is None else None,
        "state": "recording" if entry.running else "trash" if entry.trashed else "ended",
        "started_at": iso(recording["started_at_ms"]),
        "ended_at": _iso(recording["ended_at_ms"]),
        "end_reason": recording["end_reason"],
        "duration_ms": entry.duration_ms,
        "people": len(entry.persons),
        "size_bytes": entry.size_bytes,
        "film": None if film is None else film["state"],
        "held": entry.rows.held,
        "pinned_until": _iso(entry.pinned_until_ms),
        "delete_at": _iso(entry.delete_at_ms),
    }


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso(at_ms)
