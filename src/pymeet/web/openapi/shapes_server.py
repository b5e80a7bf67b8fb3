"""What the answers look like by which administrators look after rooms, live meetings, the mail queue and settings."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from pymeet.web.openapi.words import Id, Ms

After = Annotated[str, Field(max_length=64)]
Limit = Annotated[int, Field(ge=1, le=200)]


class Owner(TypedDict):
    """Whom a room belongs to."""

    id: Id
    name: str
    email: str


class ListedRoom(TypedDict):
    """A room as administrators see it."""

    slug: str
    name: str
    owner: Owner | None
    """Null for a room of nobody in particular."""
    personal: bool
    """Whether it is its owner's personal room."""
    created_at: Ms
    last_used_at: Ms | None
    """When somebody came in last, for as long as attendance is kept."""
    people: int
    """How many are in it now."""


class ListedRooms(TypedDict):
    """A page of rooms, by name."""

    rooms: list[ListedRoom]
    next: str | None
    """The `after` of the next page; null on the last one."""


class ListedRoomsQuery(TypedDict, total=False):
    """Which rooms are listed."""

    search: Annotated[str, Field(max_length=254)]
    """A part of the room's name or address, or of its owner's."""
    after: After
    """`next` of the page before."""
    limit: Limit
    """How many at most; 50 unless it is given."""


class LiveMeeting(TypedDict):
    """A meeting that is going on."""

    slug: str
    name: str
    since: Ms
    people: int
    """How many have a seat: people, publishers and players."""
    waiting: int
    """How many wait to be admitted."""
    locked: bool
    recording_since: Ms | None
    """Null while nothing is recorded."""


class LiveMeetings(TypedDict):
    """A page of meetings, by the room's name."""

    meetings: list[LiveMeeting]
    next: str | None
    """The `after` of the next page; null on the last one."""


class LiveQuery(TypedDict, total=False):
    """Which page."""

    after: After
    """`next` of the page before."""
    limit: Limit
    """How many at most; 50 unless it is given."""


class LivePerson(TypedDict):
    """Somebody in a meeting, or waiting to come in."""

    id: Id
    """Of their seat."""
    name: str
    role: Literal["guest", "member", "cohost", "host"]
    kind: Literal["browser", "publisher", "player"]
    member: bool
    """Whether they have an account."""
    since: Ms
    waits: bool


class LivePeople(TypedDict):
    """Who is in a meeting, and then who waits."""

    people: list[LivePerson]


class QueuedMail(TypedDict):
    """A mail that waits, or was given up."""

    id: Id
    kind: str
    """Which of the fixed texts it has."""
    to: str
    """The first letter and the domain of the address."""
    state: Literal["waiting", "failed"]
    created_at: Ms
    tries: int
    next_try_at: Ms | None
    """Null for one that is not tried any more."""
    failed_at: Ms | None
    error: str | None
    """Why it was not sent the last time: `unreachable`, `refused`, `deferred`, `rejected`, `unusable`, `expired`, or
    `dropped` by an administrator."""


class MailKind(TypedDict):
    """How many mails of one kind there are in one state."""

    kind: str
    state: Literal["waiting", "failed"]
    count: int


class QueuedMails(TypedDict):
    """A page of mails, the newest first."""

    on: bool
    """Whether this server sends mail."""
    mails: list[QueuedMail]
    next: str | None
    """The `after` of the next page; null on the last one."""
    kinds: list[MailKind]
    """All there are, whatever the page shows."""


class QueuedMailsQuery(TypedDict, total=False):
    """Which mails are listed."""

    state: Literal["waiting", "failed"]
    """`waiting` unless it is given."""
    kind: Annotated[str, Field(max_length=40)]
    after: After
    """`next` of the page before."""
    limit: Limit
    """How many at most; 50 unless it is given."""


class Hastened(TypedDict):
    """How many mails will be tried now."""

    count: int


class Setting(TypedDict):
    """A setting that needs no restart, with both values."""

    name: str
    """As in the configuration file."""
    value: bool | str | None
    """What holds."""
    configured: bool | str | None
    """What the configuration says."""
    set_here: bool
    """Whether an administrator's value holds."""
    choices: list[str]
    """The words it can be; none for a switch or a text."""
    changed_at: Ms | None
    """When it was set here."""


class Settings(TypedDict):
    """All of them."""

    settings: list[Setting]
