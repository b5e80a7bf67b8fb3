"""What records nothing: it implements `pymeet.rooms.recorder` and remembers what it was told, in one order."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from pymeet.rooms.events import Event
from pymeet.rooms.recorder import Begun
from pymeet.rooms.recording import RecordingWarning
from tests.rooms.fake_media import FakeTrack

STARTED_MS = 1_700_000_000_000
KEEP_UNTIL_MS = STARTED_MS + 90 * 86_400_000


@dataclass
class Answered:
    """What was written down of one answer."""

    participant_id: str
    user_id: str | None
    decision: str
    method: str
    language: str


@dataclass
class FakeRecorder:
    """Breaks where `breaks` says: `send`, `set_tracks` or `close`."""

    id: str
    log: list[object]
    stop: Callable[[str], None]
    warn: Callable[[RecordingWarning | None], None]
    heard: list[Event] = field(default_factory=list)
    tracks: list[FakeTrack] = field(default_factory=list)
    ever: set[str] = field(default_factory=set)
    """Whose tracks it was ever handed."""
    closed: str | None = None
    breaks: set[str] = field(default_factory=set)

    def send(self, event: Event) -> None:
        self._do("send")
        self.heard.append(event)

    def set_tracks(self, tracks: Sequence[FakeTrack], now: float) -> None:
        self._do("set_tracks")
        for track in {track.id: track for track in (*self.tracks, *tracks)}.values():
            track.set_tap(self if track in tracks else None, now)
        self.tracks = list(tracks)
        self.ever |= {track.owner for track in tracks}
        self.log.append(("tracks", sorted((track.owner, track.source) for track in tracks)))

    def close(self, reason: str) -> None:
        self._do("close")
        assert self.closed is None, "closed twice"
        self.closed = reason

    def sources(self) -> list[tuple[str, str]]:
        """Who is recorded with what now."""
        return sorted((track.owner, track.source) for track in self.tracks)

    def of(self, kind: type[Event]) -> list[Event]:
        """What it heard of one kind, oldest first."""
        return [event for event in self.heard if isinstance(event, kind)]

    def _do(self, what: str) -> None:
        assert self.closed is None, f"{what} after the end"
        if what in self.breaks:
            raise OSError("broken")


class FakeRecordings:
    """Writes consents into `log`, where what is handed over stands as well."""

    def __init__(self) -> None:
        self.log: list[object] = []
        self.made: list[FakeRecorder] = []
        self.begun_by: list[tuple[str, str, str | None, bool]] = []
        self.cannot_begin: Exception | None = None
        self.cannot_write: Exception | None = None
        self.breaks: set[str] = set()
        """What breaks in the recorders that are made from now on."""
        self.gate = asyncio.Event()
        """Beginning and writing wait for it."""
        self.gate.set()
        self._numbers = count(1)

    @property
    def now(self) -> FakeRecorder:
        """The newest one."""
        return self.made[-1]

    @property
    def written(self) -> list[Answered]:
        """Every answer that was written down."""
        return [entry for entry in self.log if isinstance(entry, Answered)]

    async def begin(
        self,
        room_id: str,
        room_name: str,
        user_id: str | None,
        with_chat: bool,
        stop: Callable[[str], None],
        warn: Callable[[RecordingWarning | None], None],
    ) -> Begun:
        self.begun_by.append((room_id, room_name, user_id, with_chat))
        await self.gate.wait()
        await asyncio.sleep(0)
        if self.cannot_begin is not None:
            raise self.cannot_begin
        made = FakeRecorder(f"recording-{next(self._numbers)}", self.log, stop, warn, breaks=set(self.breaks))
        self.made.append(made)
        return Begun(self.now, STARTED_MS, KEEP_UNTIL_MS)

    async def agreed(
        self, recording_id: str, participant_id: str, user_id: str | None, name: str, method: str, language: str
    ) -> None:
        await self._write(Answered(participant_id, user_id, "given", method, language))

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
        decision = "withdrawn" if withdrawn else "refused"
        await self._write(Answered(participant_id, user_id, decision, method, language))

    async def _write(self, answered: Answered) -> None:
        await self.gate.wait()
        await asyncio.sleep(0)
        if self.cannot_write is not None:
            raise self.cannot_write
        self.log.append(answered)
