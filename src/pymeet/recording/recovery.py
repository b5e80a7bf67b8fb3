"""What a server that died left of its recordings is put in order at the next start: recordings get their end, and of every
track what was written becomes a file that can be watched.

Every step can be killed and done again. Nothing here touches what begins after `prepare`.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pymeet.config import RecordingConfig
from pymeet.db.files import Files
from pymeet.db.keys import KeyGoneError
from pymeet.db.seal import SealedReader, SealError
from pymeet.privacy.parts import Lifecycle
from pymeet.recording import matroska, store
from pymeet.recording.store import Open, Unfinished

log = structlog.get_logger(__name__)

_LAST_FRAME_MS = 33
_LONGEST_FRAME_MS = 1000
_TURN_PACKETS = 64
_STAND_BACK_S = 0.0001
"""After so many packets it stands back: people may be meeting, and while this thread computes nothing is forwarded."""


@dataclass(frozen=True)
class Repaired:
    """What became of a track."""

    state: str | None
    """`repaired`, `lost`, or None where nothing was ever written."""
    begins_at: int | None = None
    """None: as the row has it."""
    duration_ms: int = 0
    size_bytes: int = 0


async def prepare(lifecycle: Lifecycle) -> Sequence[Unfinished]:
    """Ends the recordings that a dead server left open, at the last moment of which anything is known, and tells which
    tracks are to be repaired. Quick; to be called at every start, before rooms are opened and before the first sweep."""
    tracks = await lifecycle.db.study(store.unfinished_tracks)
    opened = await lifecycle.db.study(store.open_recordings)
    written_ms = await asyncio.to_thread(_last_written, lifecycle.files) if opened else {}
    now_ms = lifecycle.clock.now_ms()
    for each in opened:
        theirs = [written_ms.get(track.file_id, 0) for track in tracks if track.recording_id == each.recording_id]
        # no later than now: the clock may have been ahead then, and what ends in the future is kept for too long
        ended_at_ms = max(each.started_at_ms, min(now_ms, max(each.started_at_ms + each.last_at, *theirs, 0)))
        await lifecycle.db.work(_end, each, ended_at_ms, lifecycle.config.recording, now_ms)
    if opened:
        log.warning("recordings that a crash interrupted were ended", count=len(opened))
    return tracks


async def run(lifecycle: Lifecycle, tracks: Sequence[Unfinished]) -> None:
    """Repairs these tracks; with the last one of a recording its film is asked for.

    It reads every file once, so it goes on beside the server. What cannot be repaired now, such as on a full disk, is
    tried at the next start.
    """
    for track in tracks:
        try:
            repaired = await asyncio.to_thread(_repair, lifecycle.files, track)
            await lifecycle.db.work(_note, track, repaired, lifecycle.config.recording, lifecycle.clock.now_ms())
        except (OSError, SQLAlchemyError):
            log.exception(
                "a track could not be repaired; the next start tries it again", recording_id=track.recording_id
            )
        else:
            log.info("a track was repaired", recording_id=track.recording_id, outcome=repaired.state or "empty")
            lifecycle.poke_films()


def _last_written(files: Files) -> dict[str, int]:
    return {file_id: at_ms for file_id, at_ms, _ in files.ids()}


def _end(conn: Connection, recording: Open, ended_at_ms: int, config: RecordingConfig, now_ms: int) -> None:
    store.close_entries(conn, recording.recording_id, ended_at_ms - recording.started_at_ms)
    store.end(conn, recording.recording_id, ended_at_ms, "crash", now_ms)
    store.queue_film(conn, recording.recording_id, config, now_ms)
    store.remove_empty(conn, recording.recording_id, now_ms)


def _note(conn: Connection, track: Unfinished, repaired: Repaired, config: RecordingConfig, now_ms: int) -> None:
    if repaired.state is None:
        store.drop_track(conn, track.track_id)
        store.remove_empty(conn, track.recording_id, now_ms)
    else:
        store.end_track(
            conn, track.track_id, repaired.state, repaired.begins_at, repaired.duration_ms, repaired.size_bytes
        )
    store.queue_film(conn, track.recording_id, config, now_ms)


def _repair(files: Files, track: Unfinished) -> Repaired:
    try:
        kept = files.recover_log(track.file_id)
    except KeyGoneError:
        # the crash came before the key was made, or the file was destroyed since
        return Repaired(None)
    except SealError:
        log.error("a track cannot be opened: its file is damaged", recording_id=track.recording_id)
        return Repaired("lost")
    if not kept:
        return Repaired("lost")
    with files.open(track.file_id) as reader:
        begins_at, duration_ms = measured(reader)
    if duration_ms == 0:
        return Repaired("lost", size_bytes=kept)
    return Repaired("repaired", begins_at, duration_ms, kept)


def measured(reader: SealedReader) -> tuple[int | None, int]:
    """When a track begins, in milliseconds of its recording, and how long it lasts; 0 where there is nothing to play."""
    import av  # large, and needed after a crash only

    begins_at, last_ms, frame_ms = None, -1, 0
    try:
        with av.open(reader, "r", format="matroska") as container:
            begins_at = matroska.begins_at(container.metadata)
            for number, packet in enumerate(container.demux()):
                if number % _TURN_PACKETS == 0:
                    time.sleep(_STAND_BACK_S)
                if packet.pts is None or packet.time_base is None:
                    continue  # the packet that flushes decoders
                at_ms = round(packet.pts * packet.time_base * 1000)
                if at_ms > last_ms >= 0:
                    frame_ms = min(at_ms - last_ms, _LONGEST_FRAME_MS)
                last_ms = max(last_ms, at_ms)
    except av.error.FFmpegError:
        pass  # what came before the damage counts
    return begins_at, 0 if last_ms < 0 else last_ms + (frame_ms or _LAST_FRAME_MS)
