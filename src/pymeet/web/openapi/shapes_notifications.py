"""What the API answers about notifications."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from pymeet.db.schema.notifications import KINDS
from pymeet.db.schema.schedule import ANSWERS
from pymeet.web.openapi.words import Id, Ms, words


class Notification(TypedDict):
    """Something that the member is told. What it says of others is as they may see it now."""

    id: Id
    kind: Annotated[str, words(*KINDS)]
    at: Ms
    """When it was told."""
    read: bool
    page: str
    """The path of the page to which it leads."""
    subject: str | None
    """The title of the meeting, or the name of the recording, the room or the browser."""
    person: str | None
    """Who invites, or who answered."""
    answer: Annotated[str, words(*ANSWERS[1:])] | None
    moment: Ms | None
    """When the meeting begins, the recording is deleted, or the archive can be fetched no longer."""
    all_day: bool
    """Whether of `moment` only the day counts."""


class Notifications(TypedDict):
    """A page of notifications, the newest first."""

    notifications: list[Notification]
    next: str | None
    """`after` of the next page; null on the last."""
    unread: int
    """How many there are in all that were not read."""


class Unread(TypedDict):
    """How many notifications were not read."""

    unread: int


class NotificationChoice(TypedDict):
    """Where the member is told of one kind."""

    in_app: bool
    mail: NotRequired[bool]
    """Only there where a mail tells of this kind."""


class NotificationSettings(TypedDict):
    """Of what the member wants to be told."""

    mail: bool
    """Whether any invitations, changes and cancellations come by mail."""
    reminder_min: int | None
    """How many minutes before a meeting a reminder comes by mail; null for none."""
    kinds: dict[str, NotificationChoice]
    """By kind; those that are always told are not there."""


class NotificationsQuery(TypedDict, total=False):
    """Which page is looked at."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many at most; 20 unless it is given.")]
    after: Annotated[str, Field(description="`next` of the page before.")]
