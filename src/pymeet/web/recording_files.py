"""Films and tracks over HTTP: any part of a sealed file (RFC 9110, section 14), opened in threads piece by piece, so that
a film of any length needs little memory. Whoever begins to look, or takes something along, gets an entry in the access
log first. While a file is being sent it is asked again and again whether it still may be: a share can end meanwhile."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import ETag, hdrs, web
from sqlalchemy import RowMapping

from pymeet.db.files import Files
from pymeet.db.seal import SealedReader, SealError
from pymeet.errors import ConflictError, NotAllowedError, NotFoundError, PymeetError
from pymeet.ops.wire import PIECE_BYTES
from pymeet.recording.access import Asker, Verb
from pymeet.recording.catalogue import Entry
from pymeet.recording.names import film_name, film_type, track_name, track_type
from pymeet.web.errors import StatusError
from pymeet.web.headers import SANDBOX
from pymeet.web.parts import PARTS
from pymeet.web.ranges import Span, UnsatisfiableError, requested, still_the_same
from pymeet.web.recording_parts import RECORDINGS
from pymeet.web.shared_recordings import viewer

log = structlog.get_logger(__name__)

ANY: Final = "*"

ASK_AGAIN_BYTES: Final = 4 * 1024 * 1024
"""After so many bytes it is asked again whether whoever watches still may."""


async def film_file(request: web.Request) -> web.StreamResponse:
    """A film, to play or with `?download=1` to take along; also for who opened a link (only to play)."""
    downloads = _downloads(request)
    asker, entry, film = await _film(request)
    recording = entry.rows.recording
    name = film_name(recording["name"], recording["started_at_ms"], film["format"])

    async def looked(begins: bool) -> None:
        kind = "film_download" if downloads else "film"
        await request.app[RECORDINGS].views.looked(asker, entry.id, kind, film["id"], begins=begins)

    return await _send(
        request,
        film["file_id"],
        film_type(film["format"]),
        name=name if downloads else None,
        looked=looked,
        may_still=lambda: _film(request),
    )


async def track_file(request: web.Request) -> web.StreamResponse:
    """A single track, to play beside others; to take along it is one's own only."""
    downloads = _downloads(request)
    asker, entry, tracks, track = await _track(request)
    person = next(each for each in entry.people if each.id == track["person_id"])
    recording = entry.rows.recording
    alike = [each["id"] for each in tracks if (each["person_id"], each["source"]) == (person.id, track["source"])]
    number = alike.index(track["id"]) + 1
    name = track_name(recording["name"], recording["started_at_ms"], person.name, track["source"], number)

    async def looked(begins: bool) -> None:
        kind = "track_download" if downloads else "track"
        await request.app[RECORDINGS].views.looked(asker, entry.id, kind, track["id"], begins=begins)

    return await _send(
        request,
        track["file_id"],
        track_type(track["source"], track["codec"]),
        name=name if downloads else None,
        looked=looked,
        may_still=lambda: _track(request),
    )


async def _film(request: web.Request) -> tuple[Asker, Entry, RowMapping]:
    """Who asks, and for which film of which recording. PymeetError where they may not have it, or not now."""
    asker, verb = await viewer(request), Verb.DOWNLOAD if _downloads(request) else Verb.VIEW
    catalogue = request.app[RECORDINGS].catalogue
    entry, film = await catalogue.film(asker, request.match_info["id"], request.match_info["film"], verb)
    if film["state"] != "ready" or film["file_id"] is None:
        raise ConflictError("This film is not ready.", code="film_not_ready")
    if film["hidden"]:
        raise ConflictError("Somebody in this film asked for it not to be used at present.", code="restricted")
    return asker, entry, film


async def _track(request: web.Request) -> tuple[Asker, Entry, Sequence[RowMapping], RowMapping]:
    """The same for a track, with all tracks that they see."""
    catalogue = request.app[RECORDINGS].catalogue
    asker = await viewer(request)
    entry = await catalogue.one(asker, request.match_info["id"], Verb.TRACKS)
    tracks = (await catalogue.contents(entry)).tracks
    track = next((each for each in tracks if each["id"] == request.match_info["track"]), None)
    if track is None:
        raise NotFoundError("There is no such track.")
    if track["state"] == "writing":
        raise ConflictError("This track is still being written.", code="still_recording")
    person = next(each for each in entry.people if each.id == track["person_id"])
    if _downloads(request) and not entry.is_you(person):
        raise NotAllowedError("Only one's own tracks can be taken along.")
    return asker, entry, tracks, track


def disposition(name: str | None) -> str:
    """`Content-Disposition` (RFC 6266): to be shown, or to be stored under this name, spelled for old and new clients."""
    if name is None:
        return "inline"
    plain = "".join(each if each.isascii() and (each.isalnum() or each in " ._-") else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _send(
    request: web.Request,
    file_id: str,
    media_type: str,
    *,
    name: str | None,
    looked: Callable[[bool], Awaitable[None]],
    may_still: Callable[[], Awaitable[object]],
) -> web.StreamResponse:
    """The file, or the part of it that is asked for. `looked` is told whether it is sent from its beginning; `may_still`
    raises PymeetError when it must not be sent any more."""
    etag = hashlib.sha256(file_id.encode()).hexdigest()[:32]
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Disposition": disposition(name),
        "Content-Security-Policy": SANDBOX,  # opened by itself it is a page of ours, made of what others sent
        "Content-Type": media_type,
        "ETag": f'"{etag}"',
    }
    files = request.app[PARTS].lifecycle.files
    reader = await _opened(files, file_id)
    try:
        if request.if_match is not None and not _names(request.if_match, etag):
            raise StatusError(412, "This file is another one by now.")
        if request.if_none_match is not None and _names(request.if_none_match, etag):
            return web.Response(status=304, headers={"ETag": headers["ETag"], "Cache-Control": "no-store"})
        span = _span(request, etag, reader.size)
        response = web.StreamResponse(status=206 if span else 200, headers=headers)
        if span:
            response.headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{reader.size}"
        whole = Span(0, reader.size)
        response.content_length = (span or whole).length
        if request.method == hdrs.METH_HEAD:
            await response.prepare(request)
        else:
            await looked(span is None or span.start == 0)
            await _stream(request, response, reader, span or whole, lambda: files.exists(file_id), may_still)
        return response
    finally:
        await asyncio.to_thread(reader.close)


async def _stream(
    request: web.Request,
    response: web.StreamResponse,
    reader: SealedReader,
    span: Span,
    there: Callable[[], bool],
    may_still: Callable[[], Awaitable[object]],
) -> None:
    """Sends the bytes. A file that is destroyed meanwhile, that must not be sent any more, or that turns out to be
    changed, breaks the answer off."""
    at = asked_at = span.start

    def piece() -> bytes:
        if not there():
            raise NotFoundError("This file is not there any more.")
        return reader.read_at(at, min(PIECE_BYTES, span.end - at))

    try:
        await response.prepare(request)
        while at < span.end:
            if at - asked_at >= ASK_AGAIN_BYTES:
                await may_still()
                asked_at = at
            data = await _to_its_end(asyncio.to_thread(piece))
            if not data:
                raise SealError("This file is shorter than it was.")
            await response.write(data)
            at += len(data)
        await response.write_eof()
    except (PymeetError, OSError) as error:
        # What was promised cannot follow any more. The client notices by the length; one that left is no error.
        if isinstance(error, SealError | OSError) and not isinstance(error, ConnectionError):
            log.error("a film or track could not be read to its end", error=type(error).__name__)
        response.force_close()
        if request.transport is not None:
            request.transport.abort()


async def _opened(files: Files, file_id: str) -> SealedReader:
    """Opens in a thread; a cancellation meanwhile leaves nothing open."""
    opening = asyncio.ensure_future(asyncio.to_thread(files.open, file_id))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        await asyncio.wait({opening})
        if not opening.cancelled() and opening.exception() is None:
            opening.result().close()
        raise


async def _to_its_end(work: Awaitable[bytes]) -> bytes:
    """A cancellation is passed on when the thread has let go of the reader."""
    reading = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(reading)
    finally:
        await asyncio.wait({reading})


def _span(request: web.Request, etag: str, size: int) -> Span | None:
    """Only GET knows ranges (RFC 9110, section 14.2). StatusError 416 for one behind the end."""
    if request.method != hdrs.METH_GET or not still_the_same(request.headers.get(hdrs.IF_RANGE), etag):
        return None
    try:
        return requested(request.headers.get(hdrs.RANGE), size)
    except UnsatisfiableError:
        raise StatusError(
            416,
            "The file is not as long as that.",
            code="range_not_satisfiable",
            headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"},
        ) from None


def _names(tags: tuple[ETag, ...], etag: str) -> bool:
    """Whether a condition is about this version. Our tags are strong; a weak one is none of them."""
    return any(tag.value == ANY or (tag.value == etag and not tag.is_weak) for tag in tags)


def _downloads(request: web.Request) -> bool:
    return request.query.get("download") == "1"
