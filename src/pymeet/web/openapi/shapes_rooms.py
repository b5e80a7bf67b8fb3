"""What the API answers about rooms and scheduled meetings."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from pymeet.db.schema.schedule import ANSWERS
from pymeet.meetings.settings import MayRecord, MayShare, WaitingRoom
from pymeet.web.openapi.words import Id, Ms, words

Answer = Annotated[str, words(*ANSWERS)]


class RoomLink(TypedDict):
    """A room, and where it is."""

    slug: str
    """Its address: the last part of `url`."""
    name: str
    url: str


class OwnRoom(RoomLink):
    """A room of one's own."""

    created_at: Ms
    people: int
    """How many are in it now."""


class Rooms(TypedDict):
    """The member's rooms."""

    rooms: list[OwnRoom]
    next: str | None
    """The `after` of the next page; null on the last one."""


class RoomsQuery(TypedDict, total=False):
    """Which page of them."""

    after: Annotated[str, Field(max_length=64)]
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=200)]
    """How many at most; all, unless a page is asked for."""


class MediaAddress(TypedDict):
    """Where media is sent."""

    host: str
    """An IPv4 or IPv6 address."""
    port: int


class IceServer(TypedDict):
    """A TURN server, as `RTCPeerConnection` takes it."""

    urls: list[str]
    username: str
    credential: str


class MediaWays(TypedDict):
    """What it takes to look whether the media port can be reached."""

    ufrag: str
    password: str
    udp: list[MediaAddress]
    tcp: list[MediaAddress]
    """Empty where media comes by UDP only."""
    ice_servers: list[IceServer]
    """For members, and for guests whom the room lets in unasked; empty where there is no TURN server."""


class RunningRecording(TypedDict):
    """A recording that runs now."""

    id: Id
    started_at: Ms
    chat: bool
    """Whether the chat of those who agree is recorded too."""
    keep_until: Ms | None
    """When it will be deleted at the earliest; null without an end."""


class RoomPreview(TypedDict):
    """What is shown before joining. What depends on who asks holds for the asker."""

    slug: str
    name: str
    people: int
    max_participants: int
    may_join: bool
    role: Literal["host", "cohost", "member", "guest"]
    """As which the asker comes in."""
    has_password: bool
    """Whether the asker is asked for the room's password."""
    waiting_room: bool
    """Whether the asker waits until a host admits them."""
    locked: bool
    recording: RunningRecording | None
    recordings_allowed: bool


class ServerLimits(TypedDict):
    """What the server says about all rooms."""

    guests: bool
    capacity: int


class RoomSettings(TypedDict):
    """What was decided about a room; null is what the server says, or none."""

    guests: bool | None
    """Whether people without an account may come in."""
    waiting_room: WaitingRoom
    """Who waits until a host admits them."""
    capacity: int | None
    may_share: MayShare
    may_record: MayRecord
    chat_history: bool
    """Whether those who come later see what was written before."""
    chat_limit: int | None
    """How many messages are kept."""
    has_password: bool
    server: ServerLimits


class Attended(TypedDict):
    """Somebody who was there."""

    name: str
    member: bool
    """Whether they have an account."""
    kind: Literal["browser", "publisher", "player"]
    joined_at: Ms
    left_at: Ms | None


class Attendance(TypedDict):
    """Who was in the room, the newest 1,000 first."""

    people: list[Attended]


class MeetingFacts(TypedDict):
    """What a meeting is."""

    id: Id
    title: str
    organiser: str
    """The name of who planned it."""
    room: RoomLink
    start: str
    """The wall clock of `time_zone`: `2027-03-28T09:00`, or `2027-03-28`."""
    time_zone: str
    """An IANA name."""
    duration_min: int
    all_day: bool
    rrule: str | None
    """A rule of RFC 5545; null for a single meeting."""


class Occurrence(TypedDict):
    """One time at which a meeting takes place."""

    recurrence_id: str
    """The wall clock at which it would have begun: `20270328T090000`, or `20270328`."""
    starts_at: Ms
    ends_at: Ms


class PlannedOccurrence(MeetingFacts):
    """One time at which a meeting takes place, with what the meeting is."""

    mine: bool
    """Whether the asker planned it."""
    answer: Answer | None
    """The asker's answer; null for who planned it."""
    occurrence: Occurrence


class Occurrences(TypedDict):
    """A page of what takes place, in order."""

    occurrences: list[PlannedOccurrence]
    next: str | None
    """The `after` of the next page; null on the last one."""


class ChangedOccurrence(TypedDict):
    """How one of a series differs."""

    recurrence_id: str
    cancelled: bool
    start: str | None
    duration_min: int | None


class Invitee(TypedDict):
    """Somebody who was invited. Only the organiser sees ids, addresses and times."""

    name: str | None
    """A member's name, once they answered; at once where they were invited with a group."""
    answer: Answer
    id: NotRequired[Id]
    email: NotRequired[str | None]
    """null for who was invited with a group."""
    answered_at: NotRequired[Ms | None]


class NewInvitee(TypedDict):
    """Who was invited."""

    id: Id
    email: str
    name: str | None
    answer: Answer
    answered_at: Ms | None


class GroupInvitee(TypedDict):
    """Who was invited with a group."""

    id: Id
    email: None
    name: str
    answer: Answer
    answered_at: Ms | None


class GroupInvited(TypedDict):
    """Who came to the list by a group; empty where everybody was invited already."""

    invitees: list[GroupInvitee]


class Meeting(MeetingFacts):
    """A meeting with everything the asker may see of it."""

    agenda: str
    sequence: int
    """Counts what was changed, as in calendars."""
    mine: bool
    """Whether the asker planned it."""
    answer: Answer | None
    """The asker's answer; null for who planned it."""
    occurrence: Occurrence | None
    """The one that comes next; where none does, that which was."""
    changes: list[ChangedOccurrence]
    invitees: list[Invitee]


class InvitationShown(MeetingFacts):
    """What the link in an invitation leads to."""

    agenda: str
    answer: Answer
    occurrence: Occurrence | None
    """The next one."""


class Answered(TypedDict):
    """The answer that is in force."""

    answer: Answer


class CalendarFeed(TypedDict):
    """Whether the member has a calendar feed."""

    enabled: bool
    made_at: Ms | None


class NewCalendarFeed(TypedDict):
    """The secret address of the feed, told this once."""

    url: str


OccurrencesQuery = TypedDict(
    "OccurrencesQuery",
    {
        "from": Annotated[int, Field(ge=0, description="UTC milliseconds; now, unless it is given.")],
        "to": Annotated[int, Field(ge=0, description="UTC milliseconds; 31 days after `from`, unless it is given.")],
        "limit": Annotated[int, Field(ge=1, le=500, description="How many at most; 100 unless it is given.")],
        "after": Annotated[str, Field(description="`next` of the page before.")],
    },
    total=False,
)
"""Which time is looked at: 400 days at most, between ten years ago and five years from now."""
