"""What a room knows of its recording: since when it runs, and who agreed to be in it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pymeet.errors import ConflictError, NotFoundError


class Answer(StrEnum):
    """What somebody said when they were asked. Who has said nothing is not recorded."""

    YES = "yes"
    NO = "no"


class EndReason(StrEnum):
    """Why a recording ended, as everybody is told; `db.schema.recordings` knows `crash` besides, which nobody hears of."""

    HOST = "host"
    EMPTY = "empty"
    ENDED = "ended"
    TIME = "time"
    SIZE = "size"
    DISK = "disk"
    NOBODY = "nobody"
    SERVER = "server"


class Limit(StrEnum):
    """What a recording comes close to."""

    TIME = "time"
    SIZE = "size"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class RecordingWarning:
    """The recording will soon be stopped by a limit."""

    reason: Limit
    stops_at_ms: int | None = None
    """When it will stop, in UTC milliseconds; None where that cannot be told."""


@dataclass(frozen=True, slots=True)
class RecordingState:
    """The recording that is under way."""

    id: str
    started_at_ms: int
    by: str
    """Id of the participant who started it; they may have left."""
    with_chat: bool
    keep_until_ms: int | None
    """Until when it will be kept at least; None: until somebody deletes it."""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """By participant id, of those who are here."""
    warning: RecordingWarning | None = None

    @property
    def recorded(self) -> tuple[str, ...]:
        """Ids of those who agreed."""
        return tuple(participant for participant, answer in self.answers.items() if answer is Answer.YES)

    def check(self, recording_id: str) -> None:
        """Raises ConflictError when this is not the recording that somebody means."""
        if recording_id != self.id:
            raise ConflictError("That recording is over; another one runs now.")

    def answered(self, participant_id: str, answer: Answer) -> "RecordingState":
        """The same after an answer."""
        return replace(self, answers={**self.answers, participant_id: answer})

    def without(self, participant_id: str) -> "RecordingState":
        """The same after somebody left."""
        return replace(self, answers={p: a for p, a in self.answers.items() if p != participant_id})


def running(recording: RecordingState | None) -> RecordingState:
    """The recording; NotFoundError when none runs."""
    if recording is None:
        raise NotFoundError("Nothing is being recorded here.")
    return recording
