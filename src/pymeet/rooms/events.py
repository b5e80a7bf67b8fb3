"""What happened. The first group comes out of `Room`; the second is said by the rim to one member."""

from dataclasses import dataclass
from typing import Literal

from pymeet.rooms.people import Departure, Kind, Participant, Reaction, Role, RoomState, Source, WaitingPerson
from pymeet.rooms.quality import Verdict
from pymeet.rooms.recording import EndReason, RecordingState


@dataclass(frozen=True, slots=True)
class ParticipantChanged:
    """Somebody is new, or their record is another one now."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """Somebody is no longer in the room."""

    participant_id: str
    reason: Departure


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """Others speak now, or somebody else leads; ids, loudest first."""

    participants: tuple[str, ...]
    dominant: str | None = None
    """Who leads, also in a pause; None when nobody has spoken for a while."""


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """Somebody said something in the chat."""

    id: str
    participant_id: str
    name: str
    text: str
    at_ms: int
    to: str | None = None
    """The participant to whom alone it was written."""
    edited_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TrackMuted:
    """The media server must stop or start forwarding this track. For the rim; nobody is told."""

    participant_id: str
    track_id: str
    muted: bool


@dataclass(frozen=True, slots=True)
class TracksEnded:
    """A host ended what somebody sends from one source: nobody gets these tracks any more. For the rim; nobody is told."""

    participant_id: str
    track_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceStopped:
    """A host switched something of somebody's off; they alone are told."""

    participant_id: str
    source: Source
    by: str


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The meeting's state is this now."""

    state: RoomState


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody shows a reaction."""

    participant_id: str
    reaction: Reaction


@dataclass(frozen=True, slots=True)
class Removed:
    """A host sent somebody out; they alone are told."""

    participant_id: str
    reason: str
    ban: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """The meeting is over for everybody."""

    reason: str


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """A recording began, is another one now, or ended."""

    recording: RecordingState | None
    reason: EndReason | None = None
    """Why it ended."""
    answered: str | None = None
    """Id of the participant whose answer is all that changed."""


@dataclass(frozen=True, slots=True)
class MarkerSet:
    """A host marked this moment of the recording. For the recorder alone."""

    participant_id: str
    text: str | None


RoomEvent = (
    ParticipantChanged
    | ParticipantLeft
    | SpeakersChanged
    | MessageAdded
    | TrackMuted
    | TracksEnded
    | SourceStopped
    | StateChanged
    | Reacted
    | Removed
    | Ended
    | RecordingChanged
    | MarkerSet
)


@dataclass(frozen=True, slots=True)
class Welcome:
    """The whole present state, for somebody who just came or came back. Always the first thing they are told."""

    you: str
    resumed: bool
    resume_token: str
    slug: str
    room_name: str
    role: Role
    kind: Kind
    state: RoomState
    participants: tuple[Participant, ...]
    messages: tuple[MessageAdded, ...]
    seat_s: int
    recording: RecordingState | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """A host must admit them first. Until then they are told nothing else of the meeting."""

    id: str
    slug: str
    room_name: str


@dataclass(frozen=True, slots=True)
class LobbyChanged:
    """Who waits, those first who came first; for hosts and cohosts."""

    people: tuple[WaitingPerson, ...]


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A message has another text now, or (None) none at all; for those to whom it was shown."""

    id: str
    text: str | None
    edited_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Section:
    """One section of an offer and what it carries."""

    mid: str
    participant_id: str
    track_id: str
    source: Source


@dataclass(frozen=True, slots=True)
class Offered:
    """The server offers the connection on which this member receives."""

    number: int
    fresh: bool
    sdp: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class MediaChanged:
    """How the server sees one of this member's media connections."""

    connection: Literal["publish", "subscribe"]
    state: Literal["connected", "disconnected", "failed"]


@dataclass(frozen=True, slots=True)
class LayersWanted:
    """Of what this member sends from one source in several sizes, somebody wants these; the others need not be sent."""

    source: Source
    active: tuple[str, ...]
    """Names of encodings (RIDs, RFC 8851)."""


@dataclass(frozen=True, slots=True)
class PicturesWithheld:
    """These pictures this member would see are not sent to them, because there are more than one person gets at a time."""

    track_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QualityChanged:
    """Whose connections do not work well now, by participant; all others' do."""

    verdicts: tuple[tuple[str, Verdict], ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """The server goes away; come back in `retry_s` seconds."""

    reason: str
    retry_s: int


Event = (
    RoomEvent
    | Welcome
    | Waits
    | LobbyChanged
    | MessageChanged
    | Offered
    | MediaChanged
    | LayersWanted
    | PicturesWithheld
    | QualityChanged
    | Closing
)
