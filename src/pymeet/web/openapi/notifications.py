"""Operations around what members are told on the pages."""

from typing import Final

from pymeet.web import notifications
from pymeet.web.openapi import shapes_notifications as shapes
from pymeet.web.openapi.words import Operation, Section, Who

NOTIFICATIONS: Final = Section(
    "Notifications",
    "What members are told on the pages, and of what they want to be told, there and by mail.",
    {
        "GET /notifications": Operation(
            "What one is told", Who.MEMBER, shapes.Notifications, query=shapes.NotificationsQuery
        ),
        "GET /notifications/unread": Operation("How much of it is new", Who.MEMBER, shapes.Unread),
        "POST /notifications/read": Operation(
            "Mark everything as read",
            Who.MEMBER,
            takes=notifications.SeenUntil,
            more="Everything that was told until `up_to`, milliseconds in UTC: what came since nobody has seen yet.",
        ),
        "POST /notifications/{id}/read": Operation("Mark one as read", Who.MEMBER),
        "DELETE /notifications/{id}": Operation("Delete one", Who.MEMBER),
        "GET /notification-settings": Operation(
            "Of what one wants to be told", Who.MEMBER, shapes.NotificationSettings
        ),
        "PUT /notification-settings": Operation(
            "Choose of what one wants to be told",
            Who.MEMBER,
            takes=notifications.Wishes,
            more="Kinds that are not named stay as they are. `mail` off switches the mails about meetings off whatever `kinds` says.",
        ),
    },
)
