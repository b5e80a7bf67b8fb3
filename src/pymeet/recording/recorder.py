"""One recording under way: takes the tracks of those who agreed, and writes down what happens.

Nothing here waits on the event loop's time: what must be stored is done by one task per recording, in the order in which it
came, so that a track's row is on the disk before its file gets its first byte. The task also looks every two seconds
whether a limit is near, and writes the timeline on.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pymeet.clock import Clock
from pymeet.config import RecordingConfig
from pymeet.db.engine import Database
from pymeet.db.files import Files
from pymeet.errors import PymeetError
from pymeet.ids import new_id
from pymeet.privacy.people import DataSubject
from pymeet.recording import store
from pymeet.recording.capture import Capture, CaptureTrack, TrackBegun, TrackEnd, TrackMeta
from pymeet.recording.limits import Limits, Measured, must_stop, warning
from pymeet.recording.timeline import Timeline
from pymeet.rooms.events import Event
from pymeet.rooms.recorder import RecordingWarning, Track
from pymeet.rooms.recording import EndReason

log = structlog.get_logger(__name__)

T = TypeVar("T")

LOOK_S = 2.0
"""How often the timeline is written on and the limits are looked at."""

MOST_TRACKS = 5_000
MOST_TRACKS_OF_ONE = 500
"""So many tracks a recording has, and one of its people, over all their seats: each is a row, a key and a file, and a camera
can be switched on and off a thousand times. What begins after that is not recorded."""

WRITE_ON_S = 1.0
"""How long what was taken before a withdrawal may still be written after it; a slow disk gets the rest no more."""

WITHDRAW_S = 10.0
"""How long somebody who withdrew waits for their files to be closed, at most; no packet of theirs is taken meanwhile."""


@dataclass(frozen=True)
class Means:
    """What recorders work with."""

    db: Database
    files: Files
    capture: Capture
    clock: Clock
    config: RecordingConfig
    data_dir: Path
    look_s: float = LOOK_S

    async def write(self, function: Callable[..., T], *arguments: object) -> T:
        """One transaction; on the disk when this returns."""
        async with self.db.write() as conn:
            return await conn.run_sync(function, *arguments)

    async def free_bytes(self) -> int:
        """The room on the disk that the server may use."""
        return (await asyncio.to_thread(shutil.disk_usage, self.data_dir)).free


@dataclass(frozen=True)
class _Seat:
    """A seat that is in the recording."""

    participant_id: str
    person_id: str
    user_id: str | None

    @property
    def whose(self) -> str:
        """The same for all seats of one person, as far as that is known."""
        return self.user_id or self.participant_id

    def is_of(self, person: DataSubject) -> bool:
        return (self.user_id if person.user_id is not None else self.participant_id) == person.id


@dataclass(eq=False)
class _Taken:
    """A track that is recorded, or was and is not closed yet."""

    track: Track
    seat: _Seat
    row_id: str = field(default_factory=new_id)
    file_id: str = field(default_factory=new_id)
    capture: CaptureTrack | None = None
    dropped: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class MeetingRecorder:
    """A `pymeet.rooms.recorder.Recorder`. `run()` must go on beside; it returns when everything is stored."""

    def __init__(
        self,
        recording_id: str,
        means: Means,
        *,
        stop: Callable[[str], None],
        warn: Callable[[RecordingWarning | None], None],
    ) -> None:
        self.id = recording_id
        self.started_at_ms = means.clock.now_ms()
        self._zero_s = means.clock.monotonic()
        self._means = means
        self._limits = Limits.of(means.config)
        self._stop = stop
        self._warn = warn
        self._warned: RecordingWarning | None = None
        self._seats: dict[str, _Seat] = {}
        self._anybody_agreed = False
        self._taken: dict[str, _Taken] = {}
        """By the track's id: what is recorded now."""
        self._unfinished: dict[str, _Taken] = {}
        """By the row's id: also what is being opened, and what is being closed."""
        self._finished_bytes = 0
        self._opened: Counter[str] = Counter()
        """Tracks begun so far, by `_Seat.whose`."""
        self._left_out: set[str] = set()
        self._publishers: WeakKeyDictionary[object, str] = WeakKeyDictionary()
        self._timeline = Timeline()
        self._rows: dict[int, int] = {}
        self._jobs: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._reason: str | None = None
        self._ended_at = 0

    # -- what the room does ---------------------------------------------------------------------------------------

    def send(self, event: Event) -> None:
        """Takes what happened in the room."""
        if self._reason is None:
            self._timeline.hear(event, self._at())

    def set_tracks(self, tracks: Sequence[Track], now: float) -> None:
        """Exactly these are recorded from now on, but for those of people who did not agree. Others end at once."""
        wanted = {} if self._reason else {track.id: track for track in tracks if track.owner in self._seats}
        for track_id in [each for each in self._taken if each not in wanted]:
            self._drop(self._taken.pop(track_id), now)
        for track_id, track in wanted.items():
            seat = self._seats[track.owner]
            if track_id not in self._taken and self._may_open(seat):
                self._opened[seat.whose] += 1
                taken = _Taken(track, seat)
                self._taken[track_id] = self._unfinished[taken.row_id] = taken
                self._jobs.put_nowait(partial(self._open, taken))

    def close(self, reason: str) -> None:
        """Ends it; a second call does nothing. What was taken is finished by `run`."""
        if self._reason is not None:
            return
        self._reason = reason
        self._ended_at = self._at()
        self.set_tracks((), self._means.clock.monotonic())
        self._timeline.finish(self._ended_at)
        self._jobs.put_nowait(self._save_timeline)

    def stop(self, reason: EndReason) -> None:
        """Ends it, whatever the room does, and has the room tell everybody."""
        if self._reason is None:
            log.info("a recording is stopped", recording_id=self.id, reason=reason.value)
            self.close(reason.value)
            self._stop(reason.value)

    # -- what the service does ------------------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether it takes nothing more."""
        return self._reason is not None

    def agreed(self, participant_id: str, person_id: str, user_id: str | None) -> None:
        """This seat is in the recording from now on; its tracks come with the next `set_tracks`."""
        self._anybody_agreed = True
        self._seats[participant_id] = _Seat(participant_id, person_id, user_id)
        if self._reason is None:
            self._timeline.agreed(participant_id, person_id, self._at())

    def withdraw(self, person: DataSubject) -> Collection[_Taken]:
        """Stops taking anything of all seats of somebody, before it returns. What is to be waited for with `closed`."""
        now = self._means.clock.monotonic()
        for track_id in [each for each, taken in self._taken.items() if taken.seat.is_of(person)]:
            self._drop(self._taken.pop(track_id), now)
        theirs = [participant_id for participant_id, seat in self._seats.items() if seat.is_of(person)]
        for participant_id in theirs:
            del self._seats[participant_id]
            self._timeline.withdrew(participant_id, self._at())
        if theirs and self._reason is None:
            self._jobs.put_nowait(self._save_timeline)
        # also what was closing already when they left, or said no in the room
        closing = [taken for taken in self._unfinished.values() if taken.seat.is_of(person)]
        for taken in closing:
            if taken.capture is not None:
                taken.capture.close_by(now + WRITE_ON_S)
        return closing

    async def closed(self, tracks: Collection[_Taken]) -> None:
        """Returns when nothing is written to these any more."""
        try:
            async with asyncio.timeout(WITHDRAW_S):
                for taken in tracks:
                    await taken.ended.wait()
        except TimeoutError:
            log.error("tracks of somebody who withdrew could not be closed in time", recording_id=self.id)

    async def run(self) -> None:
        """Stores what comes, until the recording is over and complete."""
        loop = asyncio.get_running_loop()
        look_at = loop.time() + self._means.look_s
        while self._reason is None or self._unfinished or not self._jobs.empty():
            try:
                async with asyncio.timeout_at(look_at):
                    job = await self._jobs.get()
            except TimeoutError:
                job = self._look
                look_at = loop.time() + self._means.look_s
            try:
                await job()
            except (SQLAlchemyError, OSError):
                # as a rule a full disk: what is stored stays, and recovery at the next start puts the rest in order
                log.exception("a recording could not be written on", recording_id=self.id)
                self.stop(EndReason.DISK)
        try:
            await self._means.write(self._complete)
        except SQLAlchemyError:
            log.exception("the end of a recording could not be stored; the next start does that", recording_id=self.id)

    def _may_open(self, seat: _Seat) -> bool:
        if self._opened[seat.whose] < MOST_TRACKS_OF_ONE and self._opened.total() < MOST_TRACKS:
            return True
        if seat.whose not in self._left_out:
            self._left_out.add(seat.whose)
            log.warning("somebody has begun too many tracks: no further one is recorded", recording_id=self.id)
        return False

    # -- tracks ---------------------------------------------------------------------------------------------------

    async def _open(self, taken: _Taken) -> None:
        """The row first, then the packets."""
        track, written = taken.track, False
        try:
            if not taken.dropped:
                written = await self._means.write(
                    store.add_track,
                    taken.row_id,
                    self.id,
                    taken.seat.person_id,
                    track.source,
                    track.codec,
                    taken.file_id,
                    self._at(),
                )
            if written and taken.dropped:
                await self._means.write(store.drop_track, taken.row_id)
            elif written:
                try:
                    self._begin_capture(taken)
                except KeyError:
                    log.warning(
                        "a track cannot be recorded: nobody knows its codec", recording_id=self.id, kind=track.codec
                    )
                    await self._means.write(store.drop_track, taken.row_id)
        finally:
            if taken.capture is None:
                self._forget(taken)

    def _begin_capture(self, taken: _Taken) -> None:
        track = taken.track
        publisher = self._publishers.setdefault(track.transport, new_id())
        meta = TrackMeta(
            track_id=taken.row_id,
            file_id=taken.file_id,
            source=track.source,
            codec=track.codec,
            publisher=publisher,
            zero_s=self._zero_s,
        )
        clock = self._means.clock
        taken.capture = self._means.capture.open(
            meta,
            want_keyframe=lambda: track.request_keyframe(clock.monotonic()),
            on_begun=self._on_begun,
            on_end=self._on_end,
        )
        track.set_tap(taken.capture, clock.monotonic())

    def _drop(self, taken: _Taken, now: float) -> None:
        taken.dropped = True
        if taken.capture is not None:
            taken.track.set_tap(None, now)
            taken.capture.close()

    def _on_begun(self, begun: TrackBegun) -> None:
        self._jobs.put_nowait(partial(self._means.write, store.track_begun, begun.track_id, begun.begins_at))

    def _on_end(self, end: TrackEnd) -> None:
        self._jobs.put_nowait(partial(self._close, end))

    async def _close(self, end: TrackEnd) -> None:
        taken = self._unfinished[end.track_id]
        try:
            if end.begins_at is None:
                await self._means.write(store.drop_track, end.track_id)
                return
            state, size_bytes = "whole", end.size_bytes
            if end.error is not None:
                # Where even this does not fit on the disk, the row stays as it is, and the next start tries it again.
                kept = await asyncio.to_thread(self._means.files.recover_log, taken.file_id)
                state, size_bytes = ("lost", 0) if kept is None else ("repaired", kept)
            await self._means.write(
                store.end_track, end.track_id, state, end.begins_at, end.duration_ms, size_bytes, end.lost_frames
            )
            self._finished_bytes += size_bytes
        except PymeetError as error:  # destroyed meanwhile, or damaged
            log.warning("a track could not be finished", recording_id=self.id, reason=error.code)
        finally:
            self._forget(taken)

    def _forget(self, taken: _Taken) -> None:
        """Nothing more will be written to it."""
        del self._unfinished[taken.row_id]
        taken.ended.set()

    # -- time -----------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        await self._save_timeline()
        if self._reason is not None:
            return
        measured = Measured(
            started_at_ms=self.started_at_ms,
            elapsed_ms=self._at(),
            size_bytes=self._finished_bytes + sum(map(self._means.capture.size_bytes, self._unfinished)),
            free_bytes=await self._means.free_bytes(),
            anybody_agreed=self._anybody_agreed,
        )
        reason = must_stop(self._limits, measured)
        if reason is not None:
            self.stop(reason)
        elif (coming := warning(self._limits, measured)) != self._warned:
            self._warned = coming
            self._warn(coming)

    async def _save_timeline(self) -> None:
        entries = self._timeline.take(self._at())
        if entries:
            try:
                self._rows |= await self._means.write(store.save_entries, self.id, entries, self._rows)
            except BaseException:
                self._timeline.put_back(entries)
                raise

    def _complete(self, conn: Connection) -> None:
        now_ms = self._means.clock.now_ms()
        if store.end(conn, self.id, self.started_at_ms + self._ended_at, self._reason or "server", now_ms):
            store.queue_film(conn, self.id, self._means.config, now_ms)
            if self._timeline.is_taken:  # what could not be stored is something that happened
                store.remove_empty(conn, self.id, now_ms)

    def _at(self) -> int:
        return round((self._means.clock.monotonic() - self._zero_s) * 1000)
