"""Makes recordings: what `server.py` hands to the rooms. Nobody is recorded before their consent is on the disk.

Made once for a server. All of it is called on the event loop.
"""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from pymeet.errors import ConflictError, NotAllowedError
from pymeet.ids import new_id
from pymeet.privacy.parts import Lifecycle
from pymeet.privacy.people import DataSubject, guest, member
from pymeet.recording import store
from pymeet.recording.capture import Capture
from pymeet.recording.limits import Limits
from pymeet.recording.recorder import LOOK_S, Means, MeetingRecorder
from pymeet.rooms.recorder import Begun, RecordingWarning
from pymeet.rooms.recording import EndReason

log = structlog.get_logger(__name__)


class RecordingService:
    """The `pymeet.rooms.recorder.Recordings` of a server."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        *,
        leave: Callable[[str, str], None],
        poke_films: Callable[[], None] = lambda: None,
        look_s: float = LOOK_S,
    ) -> None:
        """`leave(person_id, recording_id)` tells the room that somebody is no longer in its recording: a member, by the
        account's id, or a guest, by the seat's. `poke_films` is called when a film was asked for."""
        config = lifecycle.config.recording
        self._lifecycle = lifecycle
        self._periods = lifecycle.periods
        self._leave = leave
        self._poke_films = poke_films
        self._capture = Capture(
            lifecycle.files,
            lifecycle.clock,
            sync_s=config.sync.total_seconds(),
            on_disk_error=self._stop_all,
        )
        self._means = Means(
            db=lifecycle.db,
            files=lifecycle.files,
            capture=self._capture,
            clock=lifecycle.clock,
            config=config,
            data_dir=lifecycle.config.data_dir,
            look_s=look_s,
        )
        self._running: dict[str, MeetingRecorder] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> frozenset[str]:
        """Ids of the recordings that are under way, or not yet complete."""
        return frozenset(self._running)

    async def begin(
        self,
        room_id: str,
        room_name: str,
        user_id: str | None,
        with_chat: bool,
        stop: Callable[[str], None],
        warn: Callable[[RecordingWarning | None], None],
    ) -> Begun:
        """Begins a recording that takes nothing yet. NotAllowedError (`recording_off`), ConflictError (`disk_full`), or
        NotFoundError when the room is gone."""
        config = self._means.config
        if not self._lifecycle.in_force.recording.enabled:
            raise NotAllowedError("Meetings are not recorded on this server.", code="recording_off")
        if await self._means.free_bytes() < Limits.of(config).free_bytes:
            raise ConflictError(
                "There is too little room on the server's disk to record. Tell whoever runs this server.",
                code="disk_full",
            )
        recorder = MeetingRecorder(new_id(), self._means, stop=stop, warn=warn)
        started_at_ms = recorder.started_at_ms
        await self._means.write(store.begin, recorder.id, room_id, room_name, user_id, with_chat, started_at_ms)
        self._running[recorder.id] = recorder
        task = asyncio.create_task(self._run(recorder), name="recording")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        log.info("recording begins", recording_id=recorder.id, room=room_id)
        period_ms = self._periods.room(room_id, "recording", started_at_ms)
        return Begun(recorder, started_at_ms, None if period_ms is None else started_at_ms + period_ms)

    async def agreed(
        self, recording_id: str, participant_id: str, user_id: str | None, name: str, method: str, language: str
    ) -> None:
        """Writes down that somebody agreed: consent and person in one transaction. ConflictError when it is over."""
        recorder = self._running.get(recording_id)
        if recorder is None or recorder.is_closed:
            raise ConflictError("That recording is over.")
        person, now_ms = _person(participant_id, user_id), self._means.clock.now_ms()
        person_id = await self._means.write(
            store.agreed, recording_id, participant_id, person, name, method, language, now_ms
        )
        recorder.agreed(participant_id, person_id, user_id)

    async def refused(
        self,
        recording_id: str,
        participant_id: str,
        user_id: str | None,
        method: str,
        language: str,
        *,
        withdrawn: bool,
    ) -> None:
        """Writes down that somebody does not agree, or no longer. Whatever was being taken of them stops before that."""
        recorder = self._running.get(recording_id)
        person = _person(participant_id, user_id)
        if recorder is not None:
            recorder.withdraw(person)
        now_ms = self._means.clock.now_ms()

        def write(conn: Connection) -> None:
            store.refused(conn, recording_id, person, method, language, now_ms, withdrawn=withdrawn)

        await self._means.write(write)

    async def person_withdrew(self, person: DataSubject, recording_id: str) -> None:
        """Somebody took their consent back elsewhere, which is written down already. When this returns, nothing of theirs
        is taken any more and their files are closed. Nothing happens when that recording does not run."""
        recorder = self._running.get(recording_id)
        if recorder is None:
            return
        tracks = recorder.withdraw(person)
        self._leave(person.id, recording_id)
        await recorder.closed(tracks)

    async def forget(self, person: DataSubject) -> None:
        """Somebody is being erased: the same for every recording that runs."""
        for recording_id in list(self._running):
            await self.person_withdrew(person, recording_id)

    async def finish_all(self, reason: str = EndReason.SERVER.value, grace_s: float = 2.0) -> None:
        """Ends every recording and waits until all is stored; what is not by then is put in order at the next start."""
        for recorder in list(self._running.values()):
            recorder.close(reason)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            if late:
                log.warning("recordings could not be completed in time; the next start does that", count=len(late))
                await asyncio.wait(late, timeout=grace_s)
        await self._capture.close()

    async def _run(self, recorder: MeetingRecorder) -> None:
        try:
            await recorder.run()
        except Exception:
            log.exception("a recording failed; the next start puts in order what was taken", recording_id=recorder.id)
            recorder.stop(EndReason.SERVER)
        finally:
            self._running.pop(recorder.id, None)
        log.info("recording ended", recording_id=recorder.id)
        self._poke_films()

    def _stop_all(self, _code: str) -> None:
        for recorder in list(self._running.values()):
            recorder.stop(EndReason.DISK)


def _person(participant_id: str, user_id: str | None) -> DataSubject:
    return guest(participant_id) if user_id is None else member(user_id)
