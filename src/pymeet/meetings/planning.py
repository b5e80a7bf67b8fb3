"""Everything about scheduled meetings, put together."""

from dataclasses import dataclass

from pymeet.meetings.answers import Answers
from pymeet.meetings.calendar import Place
from pymeet.meetings.feeds import Feeds
from pymeet.meetings.invitations import Letters
from pymeet.meetings.mail_limits import MailLimits
from pymeet.meetings.personal_rooms import PersonalRooms
from pymeet.meetings.reminders import Reminders
from pymeet.meetings.schedule import Schedule
from pymeet.meetings.service import Meetings
from pymeet.privacy.parts import Lifecycle


@dataclass(frozen=True)
class Planning:
    """The parts, which share place and key."""

    place: Place
    schedule: Schedule
    answers: Answers
    feeds: Feeds
    reminders: Reminders
    personal_rooms: PersonalRooms

    @classmethod
    def of(cls, lifecycle: Lifecycle, rooms: Meetings, *, site: str, key: bytes) -> "Planning":
        """Makes them, and lets `rooms` cancel what is planned in a room that is deleted.

        `site` is the address that people open; `key` is made for `invitations.PURPOSE`.
        """
        mail = lifecycle.config.mail
        place = Place(site.rstrip("/"), mail.from_address if mail.host else None)
        letters = Letters(place, key, mail.language, MailLimits())
        schedule = Schedule(lifecycle, rooms, letters)
        rooms.cancel_planned = schedule.cancel_in
        return cls(
            place,
            schedule,
            Answers(lifecycle, letters),
            Feeds(lifecycle, place),
            Reminders(lifecycle, letters),
            PersonalRooms(lifecycle, rooms),
        )
