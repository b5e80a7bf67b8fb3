"""One type per message of docs/protocol.md section 1, exact and closed: no other fields, no other types of value.

A test compares them with the document. `parsing.py` makes them of what clients send.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pymeet.signaling.error_codes import ErrorCode
from pymeet.signaling.records import (
    ChatRecord,
    IceServerRecord,
    Identifier,
    Message,
    ParticipantRecord,
    RecordingRecord,
    RoleName,
    RoomRecord,
    SaysNull,
    Source,
    StateRecord,
)

Description = Annotated[str, Field(min_length=1, max_length=200_000)]
Reaction = Literal["thumbs_up", "clap", "heart", "laugh", "surprised", "celebrate"]
Number = Annotated[int, Field(ge=0, lt=2**31)]
Language = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*$")]
"""As BCP 47 writes them (RFC 5646 section 4.4.1 says how long they get)."""


# -- client to server -----------------------------------------------------------------------------------------------


class Request(Message):
    """Base of what clients send."""

    id: Annotated[str, Field(max_length=40)] | None = None


class ResumeWish(Message):
    token: Annotated[str, Field(max_length=100)]
    media: Literal["keep", "new"]
    last_message: Identifier | None = None


class RecordingAnswer(Message):
    id: Identifier
    answer: Literal["yes", "no"]
    language: Language | None = None


class Join(Request):
    type: Literal["join"]
    v: Literal[1]
    name: Annotated[str, Field(min_length=1, max_length=60)]
    password: Annotated[str, Field(max_length=1_024)] | None = None
    resume: ResumeWish | None = None
    recording: RecordingAnswer | None = None


class PublishedTrack(Message):
    mid: Annotated[str, Field(min_length=1, max_length=32)]
    source: Source
    muted: bool


class Publish(Request):
    type: Literal["publish"]
    sdp: Description
    tracks: Annotated[list[PublishedTrack], Field(max_length=4)]

    @model_validator(mode="after")
    def _once_each(self) -> "Publish":
        for values in ([t.mid for t in self.tracks], [t.source for t in self.tracks]):
            if len(set(values)) != len(values):
                raise ValueError("each mid and each source stands there once")
        return self


class Subscribed(Request):
    type: Literal["subscribed"]
    offer: Number
    sdp: Description


class Restart(Request):
    type: Literal["restart"]
    media: Literal["keep", "new"] = "keep"


class Mute(Request):
    type: Literal["mute"]
    source: Source
    muted: bool


class SeenTrack(Message):
    track: Identifier
    height: Annotated[int, Field(ge=0, le=10_000)]
    pinned: bool = False


class View(Request):
    type: Literal["view"]
    tiles: Annotated[list[SeenTrack], Field(max_length=1_000)]
    audio_only: bool = False


class AskFigures(Request):
    type: Literal["figures"]


class Chat(Request):
    type: Literal["chat"]
    text: Annotated[str, Field(min_length=1, max_length=4_000)]
    to: Identifier | None = None


class EditMessage(Request):
    type: Literal["edit_message"]
    message: Identifier
    text: Annotated[str, Field(min_length=1, max_length=4_000)]


class DeleteMessage(Request):
    type: Literal["delete_message"]
    message: Identifier


class Hand(Request):
    type: Literal["hand"]
    up: bool


class React(Request):
    type: Literal["react"]
    reaction: Reaction


class Admit(Request):
    type: Literal["admit"]
    participant: Identifier | None = None


class Refuse(Request):
    type: Literal["refuse"]
    participant: Identifier
    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Stop(Request):
    type: Literal["stop"]
    participant: Identifier
    source: Source


class MuteAll(Request):
    type: Literal["mute_all"]
    but: Identifier | None = None


class LowerHand(Request):
    type: Literal["lower_hand"]
    participant: Identifier


class Spotlight(Request):
    type: Literal["spotlight"]
    participant: Identifier | None


class Lock(Request):
    type: Literal["lock"]
    on: bool


class GiveRole(Request):
    type: Literal["role"]
    participant: Identifier
    role: Literal["cohost", "member"]


class HandOver(Request):
    type: Literal["hand_over"]
    participant: Identifier


class Remove(Request):
    type: Literal["remove"]
    participant: Identifier
    ban: bool = False


class End(Request):
    type: Literal["end"]


class Record(Request):
    type: Literal["record"]
    on: bool
    chat: bool = False


class Consent(Request):
    type: Literal["consent"]
    recording: Identifier
    answer: Literal["yes", "no"]
    language: Language | None = None


class Marker(Request):
    type: Literal["marker"]
    text: Annotated[str, Field(min_length=1, max_length=80)] | None = None


class Ping(Request):
    type: Literal["ping"]


class Leave(Request):
    type: Literal["leave"]


ClientMessage = Annotated[
    Join
    | Publish
    | Subscribed
    | Restart
    | Mute
    | View
    | AskFigures
    | Chat
    | EditMessage
    | DeleteMessage
    | Hand
    | React
    | Admit
    | Refuse
    | Stop
    | MuteAll
    | LowerHand
    | Spotlight
    | Lock
    | GiveRole
    | HandOver
    | Remove
    | End
    | Record
    | Consent
    | Marker
    | Ping
    | Leave,
    Field(discriminator="type"),
]


# -- server to client -----------------------------------------------------------------------------------------------


class Answer(Message):
    """Base of what the server sends; `re` is the `id` of the message that it answers, if it had one."""

    re: str | None = None


class Waiting(Answer):
    type: Literal["waiting"] = "waiting"
    id: str
    room: RoomRecord


class Joined(Answer, SaysNull):
    nulls = ("recording",)
    type: Literal["joined"] = "joined"
    v: Literal[1] = 1
    you: str
    resumed: bool
    resume: str
    room: RoomRecord
    role: RoleName
    state: StateRecord
    participants: tuple[ParticipantRecord, ...]
    messages: tuple[ChatRecord, ...]
    heartbeat_s: float
    seat_s: int
    receipt: str | None = None
    """To guests only: with it they see, take along and erase their data."""
    ice_servers: tuple[IceServerRecord, ...] | None = None
    recording: RecordingRecord | None


class Published(Answer):
    type: Literal["published"] = "published"
    sdp: str


class OfferedTrack(Message):
    mid: str
    participant: str
    track: str
    source: Source


class Offer(Answer):
    type: Literal["offer"] = "offer"
    offer: int
    fresh: bool
    sdp: str
    tracks: tuple[OfferedTrack, ...]


class Participant(Answer):
    type: Literal["participant"] = "participant"
    participant: ParticipantRecord


class ParticipantLeft(Answer):
    type: Literal["participant_left"] = "participant_left"
    participant: str
    reason: Literal["left", "removed", "lost"]


class Speakers(Answer):
    type: Literal["speakers"] = "speakers"
    participants: tuple[str, ...]
    dominant: str | None


class ChatAdded(Answer):
    type: Literal["chat"] = "chat"
    message: ChatRecord


class MessageChanged(Answer, SaysNull):
    nulls = ("text", "edited_at")
    type: Literal["message_changed"] = "message_changed"
    id: str
    text: str | None
    edited_at: int | None


class RoomState(Answer, StateRecord):
    type: Literal["room_state"] = "room_state"


class WaitingPerson(Message):
    id: str
    name: str
    kind: Literal["member", "guest"]
    since: int


class Lobby(Answer):
    type: Literal["lobby"] = "lobby"
    people: tuple[WaitingPerson, ...]


class ReactionShown(Answer):
    type: Literal["reaction"] = "reaction"
    participant: str
    reaction: Reaction


class Stopped(Answer):
    type: Literal["stopped"] = "stopped"
    source: Source
    by: str


class Removed(Answer):
    type: Literal["removed"] = "removed"
    reason: str


class Ended(Answer):
    type: Literal["ended"] = "ended"
    reason: str


class Closing(Answer):
    type: Literal["closing"] = "closing"
    reason: str
    retry_s: int


class Media(Answer):
    type: Literal["media"] = "media"
    connection: Literal["publish", "subscribe"]
    state: Literal["connected", "disconnected", "failed"]


class Layers(Answer):
    type: Literal["layers"] = "layers"
    source: Source
    active: tuple[str, ...]


class Withheld(Answer):
    type: Literal["withheld"] = "withheld"
    tracks: tuple[str, ...]


class Graded(Message):
    participant: str
    grade: Literal["weak", "poor"]
    cause: Literal["sending", "receiving", "delay", "narrow"]


class Quality(Answer):
    type: Literal["quality"] = "quality"
    participants: tuple[Graded, ...]


class SentLayer(Message):
    track: str
    layer: int


class Figures(Answer, SaysNull):
    nulls = ("sent_loss", "received_loss", "round_trip_ms", "queue_ms", "target_bps", "demand_bps")
    type: Literal["figures"] = "figures"
    sent_loss: float | None
    received_loss: float | None
    round_trip_ms: int | None
    queue_ms: int | None
    target_bps: int | None
    demand_bps: int | None
    layers: tuple[SentLayer, ...]


class Recording(Answer, SaysNull):
    nulls = ("recording",)
    type: Literal["recording"] = "recording"
    recording: RecordingRecord | None
    reason: Literal["host", "empty", "ended", "time", "size", "disk", "nobody", "server"] | None = None


class Pong(Answer):
    type: Literal["pong"] = "pong"


class Ok(Answer):
    type: Literal["ok"] = "ok"


class Error(Answer):
    type: Literal["error"] = "error"
    code: ErrorCode
    message: str


ServerMessage = (
    Waiting
    | Joined
    | Published
    | Offer
    | Participant
    | ParticipantLeft
    | Speakers
    | ChatAdded
    | MessageChanged
    | RoomState
    | Lobby
    | ReactionShown
    | Stopped
    | Removed
    | Ended
    | Closing
    | Media
    | Layers
    | Withheld
    | Quality
    | Figures
    | Recording
    | Pong
    | Ok
    | Error
)
