"""Operations around rooms and scheduled meetings."""

from typing import Final

from pymeet.web import connection_check, meetings, rooms
from pymeet.web.openapi import shapes_rooms as shapes
from pymeet.web.openapi.words import File, Operation, Section, Who

ROOMS: Final = Section(
    "Rooms",
    "A room has an address that stays. What happens in it live goes over a WebSocket.",
    {
        "GET /rooms": Operation(
            "One's own rooms",
            Who.MEMBER,
            shapes.Rooms,
            query=shapes.RoomsQuery,
            more="Administrators also see those that belong to nobody.",
        ),
        "POST /rooms": Operation(
            "Make a room",
            Who.MEMBER,
            shapes.RoomLink,
            status=201,
            takes=rooms.CreateRoom,
            repeatable=True,
            refuses={403: "rooms_by_admins"},
        ),
        "GET /rooms/{slug}": Operation("A room as one sees it before joining", Who.ANYBODY, shapes.RoomPreview),
        "DELETE /rooms/{slug}": Operation(
            "Delete a room",
            Who.MEMBER,
            refuses={403: "not_allowed"},
            more="Its owner and administrators may. A meeting that is going on ends.",
        ),
        "GET /rooms/{slug}/pictures/{picture}": Operation(
            "The picture of somebody in a meeting",
            Who.ANYBODY,
            File(("image/webp",)),
            also={304: None},
            more="`picture` stands in their participant record, other for each who is told; for as long as both are there.",
        ),
        "GET /rooms/{slug}/settings": Operation(
            "What was decided about a room",
            Who.MEMBER,
            shapes.RoomSettings,
            refuses={403: "not_allowed"},
            more="Its owner and administrators may see it.",
        ),
        "PATCH /rooms/{slug}/settings": Operation(
            "Decide something about a room",
            Who.MEMBER,
            shapes.RoomSettings,
            takes=rooms.ChangeSettings,
            refuses={403: "not_allowed"},
            more="Its owner and administrators may. It holds at once, also in a meeting that is going on.",
        ),
        "GET /rooms/{slug}/attendance": Operation(
            "Who was in a room",
            Who.MEMBER,
            shapes.Attendance,
            refuses={403: "not_allowed"},
            more="For its owner alone, for as long as attendance is kept.",
        ),
        "POST /connection-check": Operation(
            "Look whether media would get through",
            Who.ANYBODY,
            shapes.MediaWays,
            takes=connection_check.ConnectionCheck,
            refuses={429: "too_many"},
            more="A STUN binding request with these credentials is answered, for one to two minutes; they open nothing else.",
        ),
        "POST /personal-room": Operation(
            "One's personal room",
            Who.MEMBER,
            shapes.RoomLink,
            refuses={403: "rooms_by_admins"},
            more="It is made when it is first asked for.",
        ),
    },
)

MEETINGS: Final = Section(
    "Scheduled meetings",
    "A meeting keeps the wall clock of its time zone when the clocks change. Invitations go out by mail with an iCalendar part.",
    {
        "GET /meetings": Operation(
            "What one planned or is invited to",
            Who.MEMBER,
            shapes.Occurrences,
            query=shapes.OccurrencesQuery,
            refuses={429: "too_many"},
        ),
        "POST /meetings": Operation(
            "Plan a meeting",
            Who.MEMBER,
            shapes.Meeting,
            status=201,
            takes=meetings.PlanMeeting,
            repeatable=True,
            refuses={
                403: "rooms_by_admins",
                404: "not_found",
                409: "already_invited too_many_invitees too_many_meetings",
                429: "too_many",
            },
            more="`room` is the address of a room of one's own; without it a new one is made.",
        ),
        "GET /meetings/{id}": Operation("A meeting", Who.MEMBER, shapes.Meeting),
        "PATCH /meetings/{id}": Operation(
            "Change a meeting",
            Who.MEMBER,
            shapes.Meeting,
            takes=meetings.ChangeMeeting,
            refuses={403: "not_allowed", 429: "too_many"},
            more="Another time voids answers and what differs in single occurrences.",
        ),
        "DELETE /meetings/{id}": Operation(
            "Cancel a meeting",
            Who.MEMBER,
            refuses={403: "not_allowed", 429: "too_many"},
            more="Those invited get a cancellation, and nothing of the meeting is kept.",
        ),
        "PATCH /meetings/{id}/occurrences/{recurrence}": Operation(
            "Move one of a series",
            Who.MEMBER,
            shapes.Meeting,
            takes=meetings.MoveOccurrence,
            refuses={403: "not_allowed", 409: "too_many_changes", 429: "too_many"},
        ),
        "DELETE /meetings/{id}/occurrences/{recurrence}": Operation(
            "Cancel one of a series",
            Who.MEMBER,
            refuses={400: "invalid_input", 403: "not_allowed", 409: "too_many_changes", 429: "too_many"},
        ),
        "POST /meetings/{id}/invitees": Operation(
            "Invite somebody",
            Who.MEMBER,
            shapes.NewInvitee,
            status=201,
            takes=meetings.Invite,
            refuses={403: "not_allowed", 409: "already_invited too_many_invitees", 429: "too_many"},
            more="The answer is the same whether or not the address has an account, or was invited by a group.",
        ),
        "POST /meetings/{id}/groups": Operation(
            "Invite everybody in a group",
            Who.MEMBER,
            shapes.GroupInvited,
            status=201,
            takes=meetings.InviteGroup,
            refuses={403: "not_allowed", 409: "too_many_invitees", 429: "too_many"},
            more="A group in which the organiser is. Who comes into it later is not invited.",
        ),
        "DELETE /meetings/{id}/invitees/{invitee}": Operation(
            "Take an invitation back", Who.MEMBER, refuses={403: "not_allowed", 429: "too_many"}
        ),
        "PUT /meetings/{id}/answer": Operation(
            "Answer an invitation", Who.MEMBER, shapes.Answered, takes=meetings.Answer
        ),
        "POST /rsvp/inspect": Operation(
            "What an invitation is for",
            Who.ANYBODY,
            shapes.InvitationShown,
            takes=meetings.Token,
            refuses={404: "not_found"},
        ),
        "POST /rsvp/answer": Operation(
            "Answer by the link of an invitation",
            Who.ANYBODY,
            shapes.InvitationShown,
            takes=meetings.AnswerByToken,
            refuses={404: "not_found"},
        ),
        "GET /calendar-feed": Operation("Whether one has a calendar feed", Who.MEMBER, shapes.CalendarFeed),
        "POST /calendar-feed": Operation(
            "Make a calendar feed",
            Who.MEMBER,
            shapes.NewCalendarFeed,
            status=201,
            more="The address is told this once; the one before is void.",
        ),
        "DELETE /calendar-feed": Operation("End the calendar feed", Who.MEMBER),
    },
)
