"""The API of the catalogue of recordings (docs/protocol.md, section 6): listing, changing, sharing, having films made."""

import asyncio
import shutil
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import Field, model_validator
from sqlalchemy import RowMapping

from pymeet.errors import InvalidInputError, NotFoundError
from pymeet.privacy.people import member as data_subject
from pymeet.recording.access import MAY, Asker, Verb
from pymeet.recording.catalogue import Contents, Entry, FilmMaker, picked
from pymeet.recording.catalogue_store import PersonRow
from pymeet.recording.removal import remove_person, take_out
from pymeet.recording.shares import LONGEST_DAYS, Share
from pymeet.recording.views import View
from pymeet.web.bodies import Body, read_json
from pymeet.web.errors import StatusError
from pymeet.web.origins import public_base
from pymeet.web.paging import cut
from pymeet.web.parts import PARTS
from pymeet.web.recording_parts import RECORDINGS
from pymeet.web.sessions import member

SEARCH_LENGTH: Final = 200

_FILM: Final = ("id", "state", "layout", "format", "height", "duration_ms", "error")


class Change(Body):
    name: str | None = None
    pinned_until: Annotated[int, Field(ge=0, le=1 << 53)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Change":
        if not self.model_fields_set or ("name" in self.model_fields_set and self.name is None):
            raise ValueError("give a name, a moment, or null for the moment")
        return self


class FilmWish(Body):
    layout: Literal["grid", "speaker"]
    format: Literal["mp4", "webm"]
    height: Literal[360, 480, 720, 1080]
    names: bool


class ShareWish(Body):
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    group: Annotated[str, Field(max_length=30)] | None = None
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] | None = None
    password: Annotated[str, Field(min_length=1, max_length=1024)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "ShareWish":
        given = [each for each in (self.email, self.group, self.days) if each is not None]
        if len(given) != 1 or (self.days is None and self.password is not None):
            raise ValueError("give an address, or a group, or for how many days a link is good")
        return self


async def list_recordings(request: web.Request) -> web.Response:
    """One's own, and for administrators who ask for the others those too, as far as they may see them."""
    asker = await _asker(request)
    search, trash = request.query.get("search", ""), _switch(request, "trash")
    others = _switch(request, "others") and asker.is_admin
    if len(search) > SEARCH_LENGTH:
        raise InvalidInputError(f"Search for {SEARCH_LENGTH} characters at most.")
    catalogue = request.app[RECORDINGS].catalogue
    every = await catalogue.every(asker, others=others)
    entries, following = cut(request, picked(every, search=search, trash=trash), lambda entry: entry.id)
    answer: dict[str, Any] = {
        "recordings": [_shown(request, each) for each in entries],
        "next": following,
        "storage_bytes": sum(each.size_bytes for each in every if each.mine),
    }
    if others:
        seen = [each for each in entries if Verb.VIEW not in _ever(each)]
        if seen:
            await catalogue.note(asker, "data.viewed", "recordings", {"count": len(seen)})
        answer["storage"] = await _storage(request, every)
    return web.json_response(answer)


async def show(request: web.Request) -> web.Response:
    """Everything about one recording that the asker may see."""
    asker, recordings = await _asker(request), request.app[RECORDINGS]
    entry = await recordings.catalogue.one(asker, request.match_info["id"])
    answer = _shown(request, entry)
    if Verb.VIEW in entry.may:
        contents = await recordings.catalogue.contents(entry)
        answer["people"] = [_person(entry, each, contents) for each in entry.persons]
        answer["events"] = _events(entry, contents)
        answer["films"] = [_film(request, each) for each in entry.rows.films]
    if Verb.SHARE in entry.may:
        answer["shares"] = [_share(each) for each in await recordings.shares.of(entry.id)]
    if Verb.VIEWS in entry.may:
        answer["views"] = [_view(each) for each in await recordings.views.of(entry.id)]
    if Verb.VIEW not in _ever(entry):
        await recordings.catalogue.note(asker, "data.viewed", entry.id, {"count": 1})
    return web.json_response(answer)


async def change(request: web.Request) -> web.Response:
    asker = await _asker(request)
    body = await read_json(request, Change)
    catalogue, recording_id = request.app[RECORDINGS].catalogue, request.match_info["id"]
    if "pinned_until" in body.model_fields_set:
        await catalogue.pin(asker, recording_id, body.pinned_until)
    if body.name is not None:
        await catalogue.rename(asker, recording_id, body.name)
    return web.Response(status=204)


async def delete(request: web.Request) -> web.Response:
    """Into the trash, out of which it can be taken again."""
    await request.app[RECORDINGS].catalogue.trash(await _asker(request), request.match_info["id"])
    return web.Response(status=204)


async def restore(request: web.Request) -> web.Response:
    await request.app[RECORDINGS].catalogue.restore(await _asker(request), request.match_info["id"])
    return web.Response(status=204)


async def make_film(request: web.Request) -> web.Response:
    asker = await _asker(request)
    body = await read_json(request, FilmWish)
    catalogue = request.app[RECORDINGS].catalogue
    entry = await catalogue.one(asker, request.match_info["id"], Verb.COMPOSE)
    film_id = await _films(request).request(
        entry.id, layout=body.layout, format=body.format, height=body.height, with_names=body.names
    )
    await catalogue.note(asker, "film.requested", film_id, {"format": body.format, "height": body.height})
    return web.json_response({"id": film_id}, status=202)


async def cancel_film(request: web.Request) -> web.Response:
    asker, catalogue = await _asker(request), request.app[RECORDINGS].catalogue
    _, film = await catalogue.film(asker, request.match_info["id"], request.match_info["film"], Verb.COMPOSE)
    await _films(request).cancel(film["id"])
    await catalogue.note(asker, "film.cancelled", film["id"])
    return web.Response(status=204)


async def retry_film(request: web.Request) -> web.Response:
    asker, catalogue = await _asker(request), request.app[RECORDINGS].catalogue
    _, film = await catalogue.film(asker, request.match_info["id"], request.match_info["film"], Verb.COMPOSE)
    await _films(request).retry(film["id"])
    await catalogue.note(asker, "film.retried", film["id"])
    return web.Response(status=204)


async def delete_film(request: web.Request) -> web.Response:
    asker = await _asker(request)
    await request.app[RECORDINGS].catalogue.delete_film(asker, request.match_info["id"], request.match_info["film"])
    return web.Response(status=204)


async def remove(request: web.Request) -> web.Response:
    """Takes a person out of the recording, with all their seats: by the owner, or by themself."""
    asker, catalogue = await _asker(request), request.app[RECORDINGS].catalogue
    lifecycle = request.app[PARTS].lifecycle
    entry = await catalogue.one(asker, request.match_info["id"])
    person = next((each for each in entry.rows.people if each.id == request.match_info["person"]), None)
    if person is None or not entry.is_you(person):
        entry = await catalogue.one(asker, entry.id, Verb.REMOVE)
    if person is None:
        raise NotFoundError("There is no such person in this recording.")
    if asker.user_id is not None and entry.is_you(person):
        await take_out(lifecycle, entry.id, data_subject(asker.user_id), asker.actor)
        return web.Response(status=204)
    for each in entry.rows.people:
        if each.id == person.id or (person.user_id is not None and each.user_id == person.user_id):
            await remove_person(lifecycle, entry.id, each.id, asker.actor)
    return web.Response(status=204)


async def share(request: web.Request) -> web.Response:
    """With a member, a group, or by a link whose token stands in the fragment and is told this once."""
    asker = await _asker(request)
    body = await read_json(request, ShareWish)
    shares, recording_id = request.app[RECORDINGS].shares, request.match_info["id"]
    if body.group is not None:
        made = {"id": await shares.with_group(asker, recording_id, body.group)}
    elif body.days is None:
        made = {"id": await shares.with_member(asker, recording_id, body.email or "")}
    else:
        share_id, token = await shares.by_link(asker, recording_id, body.days, body.password)
        made = {"id": share_id, "url": f"{public_base(request)}/watch#{token}"}
    return web.json_response(made, status=201)


async def end_share(request: web.Request) -> web.Response:
    shares = request.app[RECORDINGS].shares
    await shares.end(await _asker(request), request.match_info["id"], request.match_info["share"])
    return web.Response(status=204)


async def of_guest(request: web.Request, participant_id: str) -> list[dict[str, Any]]:
    """The recordings that a guest with a receipt is in, as far as it concerns them."""
    entries = await request.app[RECORDINGS].catalogue.of_guest(participant_id)
    return [
        {
            "id": each.id,
            "name": each.rows.recording["name"],
            "room": each.rows.recording["room_name"],
            "started_at": each.rows.recording["started_at_ms"],
            "ended_at": each.rows.recording["ended_at_ms"],
            "duration_ms": each.duration_ms,
            "delete_at": each.delete_at_ms,
        }
        for each in entries
    ]


async def _asker(request: web.Request) -> Asker:
    user = await member(request)
    return Asker(user_id=user.id, is_admin=user.is_admin)


def _films(request: web.Request) -> FilmMaker:
    films = request.app[PARTS].films
    if films is None:
        raise StatusError(503, "Films cannot be made at present.")
    return films


def _switch(request: web.Request, name: str) -> bool:
    return request.query.get(name, "") in ("1", "true")


def _ever(entry: Entry) -> frozenset[Verb]:
    """What somebody may do with it at some time: an administrator who is not in it may never view it."""
    return frozenset[Verb]().union(*(MAY[each] for each in entry.standings))


async def _storage(request: web.Request, every: list[Entry]) -> dict[str, int]:
    disk = await asyncio.to_thread(shutil.disk_usage, request.app[PARTS].config.data_dir)
    return {"recordings": len(every), "bytes": sum(each.size_bytes for each in every), "free_bytes": disk.free}


def _shown(request: web.Request, entry: Entry) -> dict[str, Any]:
    recording, may = entry.rows.recording, entry.may
    there = recording["room_deleted_at_ms"] is None
    answer = {
        "id": entry.id,
        "name": recording["name"],
        "room": {"slug": recording["slug"] if there else None, "name": recording["room_name"]},
        "mine": entry.mine,
        "started_at": recording["started_at_ms"],
        "ended_at": recording["ended_at_ms"],
        "duration_ms": entry.duration_ms,
        "people": [],
        "size": entry.size_bytes,
        "delete_at": entry.delete_at_ms,
        "pinned_until": entry.pinned_until_ms,
        "pin_limit": entry.pin_limit_ms,
        "trashed_at": recording["trashed_at_ms"],
        "state": "recording" if entry.running else "ended",
        "film": None,
        "may": sorted(each.value for each in may if each is not Verb.SEE),
    }
    ever = _ever(entry)
    if Verb.DELETE in ever:
        answer["held"] = entry.rows.held
    if Verb.VIEW in ever:
        answer["people"] = [_named(entry, each) for each in entry.persons]
        answer["film"] = None if entry.film is None else _film(request, entry.film)
    return answer


def _named(entry: Entry, seats: tuple[PersonRow, ...]) -> dict[str, Any]:
    """Everybody stands there once, however many seats they had, under the id of the first one."""
    return {"id": seats[0].id, "name": seats[0].name, "you": entry.is_you(seats[0])}


def _person(entry: Entry, seats: tuple[PersonRow, ...], contents: Contents) -> dict[str, Any]:
    theirs = {each.id for each in seats}
    return {
        **_named(entry, seats),
        "tracks": [
            {
                "id": each["id"],
                "source": each["source"],
                "codec": each["codec"],
                "state": each["state"],
                "begins_at": each["begins_at"],
                "duration_ms": each["duration_ms"],
                "size": each["size_bytes"],
            }
            for each in contents.tracks
            if each["person_id"] in theirs
        ],
    }


def _events(entry: Entry, contents: Contents) -> list[dict[str, Any]]:
    first = {seat.id: seats[0].id for seats in entry.persons for seat in seats}
    return [
        {
            "kind": each["kind"],
            "person": first[each["person_id"]],
            "begins_at": each["begins_at"],
            "ends_at": each["ends_at"],
            "text": each["text"],
        }
        for each in contents.events
    ]


def _film(request: web.Request, film: RowMapping) -> dict[str, Any]:
    films = request.app[PARTS].films
    shown = {name: film[name] for name in _FILM}
    return {
        **shown,
        "names": film["with_names"],
        "size": film["size_bytes"],
        "asked_at": film["asked_at_ms"],
        "made_at": film["made_at_ms"],
        "progress": None if films is None or film["state"] != "making" else films.progress(film["id"]),
        "restricted": bool(film["hidden"]),
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "kind": share.kind,
        "name": share.name,
        "made_at": share.made_at_ms,
        "expires_at": share.expires_at_ms,
        "has_password": share.has_password,
    }


def _view(view: View) -> dict[str, Any]:
    return {"at": view.at_ms, "kind": view.kind, "by": view.by.value, "who": view.name}
