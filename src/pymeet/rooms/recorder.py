"""What a room needs to be recorded: the seam at which `server.py` hands in `pymeet.recording.service.RecordingService`.

All of it is called on the event loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pymeet.rooms.events import Event
from pymeet.rooms.media import Track
from pymeet.rooms.recording import RecordingWarning

__all__ = ["Begun", "Recorder", "RecordingWarning", "Recordings", "Track"]


class Recorder(Protocol):
    """One recording under way: a member of the room without a seat. None of its methods waits."""

    @property
    def id(self) -> str:
        """Of the recording."""

    def send(self, event: Event) -> None:
        """Tells what everybody in the room is told. Chat comes only when it is recorded, of those who agreed."""

    def set_tracks(self, tracks: Sequence[Track], now: float) -> None:
        """From now on (monotonic seconds) exactly these are taken: what those who agreed send. When this returns, no packet of
        any other is taken any more."""

    def close(self, reason: str) -> None:
        """The recording is over, for one of `EndReason`. What was taken is finished in the background."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A recording that has begun."""

    recorder: Recorder
    started_at_ms: int
    keep_until_ms: int | None


class Recordings(Protocol):
    """What makes recordings and keeps who agreed."""

    async def begin(
        self,
        room_id: str,
        room_name: str,
        user_id: str | None,
        with_chat: bool,
        stop: Callable[[str], None],
        warn: Callable[[RecordingWarning | None], None],
    ) -> Begun:
        """Begins one that takes nothing yet; `user_id` starts it. Raises PymeetError when that cannot be, with a sentence
        for who started it (codes `recording_off`, `disk_full`).

        When a limit comes near, `warn` is called, or with None when it is far again; when it is reached, `stop` with one
        of `EndReason`. Either is called on the loop and not before this has returned.
        """

    async def agreed(
        self, recording_id: str, participant_id: str, user_id: str | None, name: str, method: str, language: str
    ) -> None:
        """Writes down that somebody agreed to be in it. When this returns, it is on the disk."""

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
        """Writes down that somebody does not want to be in it, or, with `withdrawn`, no longer."""
