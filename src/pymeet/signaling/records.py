"""The records that messages are made of: docs/protocol.md section 1.2, below the tables. `messages.py` has the messages themselves."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Source = Literal["microphone", "camera", "screen", "screen_audio"]
Identifier = Annotated[str, Field(min_length=1, max_length=64)]
RoleName = Literal["host", "cohost", "member", "guest"]


class Message(BaseModel):
    """Base of everything on the wire."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RoomRecord(Message):
    slug: str
    name: str
    ends_in_s: int | None = None


class IceServerRecord(Message):
    urls: tuple[str, ...]
    username: str
    credential: str


class Track(Message):
    id: str
    source: Source
    kind: Literal["audio", "video"]
    muted: bool


class ParticipantRecord(Message):
    id: str
    name: str
    role: RoleName
    kind: Literal["browser", "publisher", "player"]
    connection: Literal["connected", "reconnecting"]
    tracks: tuple[Track, ...]
    picture: str | None = None


class ChatRecord(Message):
    id: str
    participant: str
    name: str
    text: str
    at: int
    to: str | None = None
    edited_at: int | None = None


class SaysNull(Message):
    """Some fields are said also when they are null; what is empty is left out elsewhere."""

    nulls: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _with_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {**dict.fromkeys(self.nulls), **handler(self)}


class RecordingWarning(SaysNull):
    nulls = ("stops_at",)
    reason: Literal["time", "size", "disk"]
    stops_at: int | None


class RecordingRecord(SaysNull):
    nulls = ("keep_until", "you")
    id: str
    started_at: int
    by: str
    chat: bool
    keep_until: int | None
    recorded: tuple[str, ...]
    you: Literal["yes", "no"] | None
    warning: RecordingWarning | None = None


class StateRecord(SaysNull):
    nulls = ("spotlight",)
    locked: bool
    spotlight: str | None
    hands: tuple[str, ...]
    may_share: Literal["everybody", "members", "hosts"]
    may_record: Literal["hosts", "nobody"]
