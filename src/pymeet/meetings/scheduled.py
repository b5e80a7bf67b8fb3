"""What the schedule hands out: frozen facts. Times are UTC milliseconds."""

from collections.abc import Iterable
from dataclasses import dataclass

from pymeet.meetings.recurrence import Timing


@dataclass(frozen=True)
class Invitee:
    """Somebody invited. The address they were invited by is shown to the organiser only."""

    id: str
    meeting_id: str
    user_id: str | None
    email: str
    """The one they were invited by; where that was by a group it is a member's own, or their id, and nobody is shown it."""
    write_to: str
    """A member's present address, which nobody is shown; for anybody else the same as `email`."""
    name: str | None
    """A member's, once they answered: until then nobody can tell whether an address that was typed has an account."""
    language: str
    time_zone: str | None
    """Where a member lives; None when nobody said."""
    answer: str
    """`none`, `accepted`, `tentative` or `declined`."""
    answered_at_ms: int | None
    wants_mail: bool
    reminder_min: int | None
    """How long before a meeting they want to be reminded; None for never."""
    by_group: bool = False
    """Invited with a group: the organiser did not type the address, and is not told it, but always the name."""


@dataclass(frozen=True)
class Scheduled:
    """A meeting that was planned, once or as a series."""

    id: str
    room_id: str
    slug: str
    room_name: str
    organiser_id: str
    organiser_name: str
    title: str
    agenda: str
    timing: Timing
    sequence: int
    """How often those invited were told of a change (RFC 5545, section 3.8.7.4)."""
    changed_at_ms: int
    starts_at_ms: int
    ends_at_ms: int | None
    """When the last occurrence ends; None for a series without end."""

    @property
    def uid(self) -> str:
        """By what calendars know the meeting again, for ever (RFC 7986, section 5.3)."""
        return f"{self.id}@pymeet"


def once_each(people: Iterable[Invitee]) -> list[Invitee]:
    """Everybody once, by the first of their rows: somebody can be invited both by a group and by address."""
    found: dict[str, Invitee] = {}
    for each in people:
        found.setdefault(each.write_to, each)
    return [*found.values()]
