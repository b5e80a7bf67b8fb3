"""What the API answers about recordings. Times inside one count in milliseconds from its beginning."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from pymeet.db.schema.recordings import (
    EVENT_KINDS,
    FILM_FORMATS,
    FILM_LAYOUTS,
    FILM_STATES,
    SHARE_KINDS,
    SOURCES,
    TRACK_STATES,
    VIEW_KINDS,
)
from pymeet.recording.access import Verb
from pymeet.recording.views import By
from pymeet.web.openapi.words import Id, Ms, words

InsideMs = Annotated[int, Field(description="Milliseconds since the recording began.")]
DurationMs = Annotated[int, Field(description="Milliseconds.")]
Bytes = Annotated[int, Field(description="Bytes.")]
Switch = Annotated[Literal["true", "false", "1", "0"], Field(description="Off, unless it is given.")]


class RecordedRoom(TypedDict):
    """Where it was recorded."""

    slug: str | None
    """Null when the room was deleted."""
    name: str


class Film(TypedDict):
    """A film that was made of the tracks."""

    id: Id
    state: Annotated[str, words(*FILM_STATES)]
    layout: Annotated[str, words(*FILM_LAYOUTS)]
    format: Annotated[str, words(*FILM_FORMATS)]
    height: int
    """Lines of the picture."""
    names: bool
    """Whether names stand in the picture."""
    duration_ms: DurationMs | None
    size: Bytes | None
    asked_at: Ms
    made_at: Ms | None
    progress: float | None
    """From 0 to 1 while it is being made."""
    error: str | None
    """Why it failed, in fixed words."""
    restricted: bool
    """Whether somebody in it asked for it not to be used at present."""


class RecordedName(TypedDict):
    """Somebody who is in it, under the id of their first seat."""

    id: Id
    name: str
    you: bool


class Track(TypedDict):
    """What one person sent of one sort."""

    id: Id
    source: Annotated[str, words(*SOURCES)]
    codec: str
    state: Annotated[str, words(*TRACK_STATES)]
    begins_at: InsideMs | None
    duration_ms: DurationMs | None
    size: Bytes | None


class RecordedPerson(RecordedName):
    """Somebody who is in it, with what they sent."""

    tracks: NotRequired[list[Track]]
    """For who may view it."""


class RecordedEvent(TypedDict):
    """Something that happened."""

    kind: Annotated[str, words(*EVENT_KINDS)]
    person: Id
    begins_at: InsideMs
    ends_at: InsideMs | None
    text: str | None


class Share(TypedDict):
    """Somebody or a group it is shared with, or a link."""

    id: Id
    kind: Annotated[str, words(*SHARE_KINDS, "group")]
    name: str | None
    """A group's; a member's, once they have looked."""
    made_at: Ms
    expires_at: Ms | None
    has_password: bool


class View(TypedDict):
    """That somebody looked."""

    at: Ms
    kind: Annotated[str, words(*VIEW_KINDS)]
    by: By
    who: str | None
    """A member's name."""


class RecordingFacts(TypedDict):
    """What is known of a recording without looking into it."""

    id: Id
    name: str
    room: RecordedRoom
    mine: bool
    """Whether it is the asker's own."""
    state: Literal["recording", "ended"]
    started_at: Ms
    ended_at: Ms | None
    duration_ms: DurationMs | None
    size: int
    """Bytes of tracks and films."""
    delete_at: int | None
    """When it will be deleted, UTC milliseconds; null: never."""
    pinned_until: Ms | None
    pin_limit: int | None
    """Until when it may be pinned, UTC milliseconds."""
    trashed_at: Ms | None
    film: Film | None
    """The film to show."""
    may: list[Verb]
    """What the asker may do with it now."""
    held: NotRequired[Annotated[bool, Field(description="Whether a legal hold keeps it; to who may delete it.")]]


class Recording(RecordingFacts):
    """A recording as lists show it."""

    people: list[RecordedName]
    """Nobody, for who may not view it."""


class WholeRecording(RecordingFacts):
    """A recording with all that the asker may see of it."""

    people: list[RecordedPerson]
    """Nobody, for who may not view it."""
    events: NotRequired[list[RecordedEvent]]
    films: NotRequired[list[Film]]
    shares: NotRequired[list[Share]]
    """For its owner."""
    views: NotRequired[list[View]]
    """For its owner and the people in it: the newest 500."""


class Storage(TypedDict):
    """What all recordings of the server take."""

    recordings: int
    bytes: int
    free_bytes: int


class Recordings(TypedDict):
    """Recordings, the newest first."""

    recordings: list[Recording]
    next: str | None
    """The `after` of the next page; null on the last one."""
    storage_bytes: int
    """What the asker's own take, the trash included."""
    storage: NotRequired[Storage]
    """For administrators who asked for the others."""


class NewShare(TypedDict):
    """The share; of a link also its address, told this once."""

    id: Id
    url: NotRequired[str]


class LinkFilm(TypedDict):
    """The film behind a link."""

    id: Id
    state: Annotated[str, words(*FILM_STATES)]
    format: Annotated[str, words(*FILM_FORMATS)]
    height: int
    duration_ms: DurationMs | None


class LinkPerson(TypedDict):
    """Somebody who is in it."""

    name: str


class LinkEvent(TypedDict):
    """Something that happened; `person` is a name."""

    kind: Literal["spoke", "shared", "marker"]
    person: str
    begins_at: InsideMs
    ends_at: InsideMs | None
    text: str | None


class LinkRecording(TypedDict):
    """What whoever has a link sees of a recording."""

    id: Id
    name: str
    started_at: Ms
    duration_ms: DurationMs | None
    people: list[LinkPerson]
    events: list[LinkEvent]
    film: LinkFilm | None
    may_until: Ms
    """When the link ends."""


class LinkOpened(TypedDict):
    """The link is good; the answer sets the cookie with which the film plays for 12 hours."""

    recording: LinkRecording


class RecordingsQuery(TypedDict, total=False):
    """Which recordings are listed."""

    search: Annotated[str, Field(max_length=200)]
    """A part of its name, of the room's, or of somebody's in it."""
    trash: Switch
    others: Switch
    after: Annotated[str, Field(max_length=64)]
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=200)]
    """How many at most; all, unless a page is asked for."""


class FileQuery(TypedDict, total=False):
    """What the file is for."""

    download: Annotated[Literal["0", "1"], Field(description="`1`: to be stored, under a name.")]
