"""What can be asked of a `Room`. Who asks is never part of a command: it is told apart, by the connection."""

from dataclasses import dataclass

from pymeet.rooms.people import Departure, Kind, Reaction, Role, Source, TrackRecord
from pymeet.rooms.recording import Answer, EndReason, RecordingState, RecordingWarning

SEAT_S = 60
"""Seconds for which the seat of a broken connection is held."""

RELOAD_S = 15
"""The same for a page that said it goes away: a reload is back by then, and who closed the page is not shown much longer."""


@dataclass(frozen=True, slots=True)
class Join:
    """The asker takes a seat."""

    name: str
    role: Role
    kind: Kind
    passes_lock: bool = False
    """Whether they come in though the room is locked: they host it, or a host admitted them."""
    picture: str | None = None
    """As of `Participant`."""


@dataclass(frozen=True, slots=True)
class Lose:
    """The asker's connection broke; the seat is held for `hold_s` seconds."""

    hold_s: float = SEAT_S


@dataclass(frozen=True, slots=True)
class Return:
    """The asker is connected again."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The asker gives the seat up."""

    reason: Departure = Departure.LEFT


@dataclass(frozen=True, slots=True)
class Send:
    """The asker now sends these tracks and no others."""

    tracks: tuple[TrackRecord, ...]


@dataclass(frozen=True, slots=True)
class Mute:
    """The asker mutes or unmutes what comes from one source."""

    source: Source
    muted: bool


@dataclass(frozen=True, slots=True)
class Say:
    """A chat message that was allowed and stored; whoever wrote it may have left meanwhile."""

    message_id: str
    participant_id: str
    name: str
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class RaiseHand:
    """The asker raises or lowers their hand."""

    up: bool


@dataclass(frozen=True, slots=True)
class React:
    """The asker shows a reaction."""

    reaction: Reaction


@dataclass(frozen=True, slots=True)
class StopSource:
    """The asker, who hosts, switches off what somebody sends from one source."""

    participant_id: str
    source: Source


@dataclass(frozen=True, slots=True)
class MuteAll:
    """The asker, who hosts, switches off the microphones of the others, but of `spared`."""

    spared: str | None = None


@dataclass(frozen=True, slots=True)
class LowerHand:
    """The asker, who hosts, lowers somebody's hand."""

    participant_id: str


@dataclass(frozen=True, slots=True)
class Spotlight:
    """The asker, who hosts, shows somebody, or (None) nobody, to everybody."""

    participant_id: str | None


@dataclass(frozen=True, slots=True)
class Lock:
    """The asker, who hosts, lets nobody new in, or lets them in again."""

    on: bool


@dataclass(frozen=True, slots=True)
class GiveRole:
    """A host makes somebody a cohost, or takes that back."""

    participant_id: str
    is_cohost: bool


@dataclass(frozen=True, slots=True)
class HandOver:
    """A host lets somebody else host, and becomes cohost."""

    participant_id: str


@dataclass(frozen=True, slots=True)
class Configure:
    """The room's settings are these from now on."""

    max_participants: int
    may_share: str
    may_record: str


@dataclass(frozen=True, slots=True)
class Remove:
    """The asker, or the server, sends somebody out."""

    participant_id: str
    reason: str = "You were removed from this meeting by a host."
    ban: bool = False
    """Whether they may not come back into this meeting."""


@dataclass(frozen=True, slots=True)
class End:
    """The meeting is over for everybody."""

    reason: str


@dataclass(frozen=True, slots=True)
class Speak:
    """These speak now, loudest first; `dominant` leads."""

    participants: tuple[str, ...]
    dominant: str | None = None


@dataclass(frozen=True, slots=True)
class StartRecording:
    """A recording that a host was allowed to start and that has begun; whoever started it may have left meanwhile."""

    recording: RecordingState


@dataclass(frozen=True, slots=True)
class AnswerRecording:
    """What somebody answered, when a yes is written down already; for the members' other seats, the server says it."""

    recording_id: str
    participant_id: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class WarnRecording:
    """The recording comes near a limit, or (None) is far from it again."""

    warning: RecordingWarning | None


@dataclass(frozen=True, slots=True)
class MarkRecording:
    """The asker marks this moment of the recording."""

    text: str | None


@dataclass(frozen=True, slots=True)
class StopRecording:
    """The recording is over; nothing happens when none runs."""

    reason: EndReason


Command = (
    Join
    | Lose
    | Return
    | Leave
    | Send
    | Mute
    | Say
    | RaiseHand
    | React
    | StopSource
    | MuteAll
    | LowerHand
    | Spotlight
    | Lock
    | GiveRole
    | HandOver
    | Configure
    | Remove
    | End
    | Speak
    | StartRecording
    | AnswerRecording
    | WarnRecording
    | MarkRecording
    | StopRecording
)
