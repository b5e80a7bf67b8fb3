"""Operations by which administrators look after rooms, live meetings, the mail queue and settings."""

from typing import Final

from pymeet.web import admin_rooms, admin_server
from pymeet.web.openapi import shapes_server as shapes
from pymeet.web.openapi.words import Operation, Section, Who

SERVER: Final = Section(
    "The server",
    "For administrators. What they look at and what they change is written to the audit log.",
    {
        "GET /admin/rooms": Operation(
            "All rooms by name, page by page", Who.ADMIN, shapes.ListedRooms, query=shapes.ListedRoomsQuery
        ),
        "PUT /admin/rooms/{slug}/owner": Operation(
            "Hand a room to another owner",
            Who.ADMIN,
            shapes.ListedRoom,
            takes=admin_rooms.NewOwner,
            refuses={404: "not_found", 409: "account_disabled"},
            more="Attendance and recordings of the time before stay none of the new owner's. In a meeting that is going on, "
            "roles stay as they are.",
        ),
        "GET /admin/live": Operation(
            "The meetings that are going on, without names of people",
            Who.ADMIN,
            shapes.LiveMeetings,
            query=shapes.LiveQuery,
        ),
        "GET /admin/live/{slug}/people": Operation(
            "Who is in a meeting", Who.ADMIN, shapes.LivePeople, refuses={409: "no_meeting"}
        ),
        "POST /admin/live/{slug}/end": Operation(
            "End a meeting for everybody in it", Who.ADMIN, refuses={409: "no_meeting"}
        ),
        "POST /admin/live/{slug}/people/{person}/remove": Operation(
            "Send somebody out of a meeting",
            Who.ADMIN,
            takes=admin_rooms.Removal,
            refuses={404: "not_found", 409: "no_meeting"},
        ),
        "GET /admin/mail": Operation(
            "Mails that wait or were given up, the newest first",
            Who.ADMIN,
            shapes.QueuedMails,
            query=shapes.QueuedMailsQuery,
            more="What a mail says is shown to nobody, and its address not whole.",
        ),
        "POST /admin/mail/retry": Operation(
            "Have all waiting mails tried now", Who.ADMIN, shapes.Hastened, refuses={409: "mail_off"}
        ),
        "POST /admin/mail/{id}/retry": Operation(
            "Have a waiting mail tried now", Who.ADMIN, refuses={404: "not_found", 409: "mail_off mail_done"}
        ),
        "POST /admin/mail/{id}/drop": Operation(
            "Take a waiting mail out of the queue for good",
            Who.ADMIN,
            refuses={404: "not_found", 409: "mail_done"},
            more="One that is being handed over at this moment may still arrive.",
        ),
        "GET /admin/settings": Operation("Settings that need no restart", Who.ADMIN, shapes.Settings),
        "PUT /admin/settings/{name}": Operation(
            "Set a value over the configuration's",
            Who.ADMIN,
            shapes.Setting,
            takes=admin_server.SettingValue,
            refuses={404: "not_found"},
            more="It holds for what begins from now on.",
        ),
        "DELETE /admin/settings/{name}": Operation(
            "Let the configuration's value hold again", Who.ADMIN, shapes.Setting, refuses={404: "not_found"}
        ),
    },
)
