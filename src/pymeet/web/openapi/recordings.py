"""Operations around recordings."""

from typing import Final

from pymeet.web import recordings, shared_recordings
from pymeet.web.openapi import shapes_recordings as shapes
from pymeet.web.openapi.shapes_privacy import Made
from pymeet.web.openapi.words import File, Operation, Section, Who

_NOT_NOW: Final = "still_recording in_trash not_in_trash"

RECORDINGS: Final = Section(
    "Recordings",
    "Whoever may not see a recording gets 404, as for one that is not there.",
    {
        "GET /recordings": Operation(
            "Recordings, the newest first", Who.MEMBER, shapes.Recordings, query=shapes.RecordingsQuery
        ),
        "GET /recordings/{id}": Operation("A recording with all one may see of it", Who.MEMBER, shapes.WholeRecording),
        "PATCH /recordings/{id}": Operation(
            "Rename a recording, or keep it longer",
            Who.MEMBER,
            takes=recordings.Change,
            refuses={
                400: "invalid_input pin_too_late",
                403: "not_allowed",
                409: f"{_NOT_NOW} kept_forever over_without_pin",
            },
            more="`pinned_until` null takes the pin back.",
        ),
        "DELETE /recordings/{id}": Operation(
            "Put a recording into the trash", Who.MEMBER, refuses={403: "not_allowed", 409: _NOT_NOW}
        ),
        "POST /recordings/{id}/restore": Operation(
            "Take a recording out of the trash", Who.MEMBER, refuses={403: "not_allowed", 409: _NOT_NOW}
        ),
        "POST /recordings/{id}/films": Operation(
            "Have a film made",
            Who.MEMBER,
            Made,
            status=202,
            takes=recordings.FilmWish,
            refuses={403: "not_allowed", 409: f"{_NOT_NOW} nothing_to_show", 429: "too_many", 503: "unavailable"},
        ),
        "POST /recordings/{id}/films/{film}/cancel": Operation(
            "Stop making a film",
            Who.MEMBER,
            refuses={403: "not_allowed", 409: f"{_NOT_NOW} film_not_under_way", 503: "unavailable"},
        ),
        "POST /recordings/{id}/films/{film}/retry": Operation(
            "Try again to make a film",
            Who.MEMBER,
            refuses={403: "not_allowed", 409: f"{_NOT_NOW} film_not_failed", 503: "unavailable"},
        ),
        "DELETE /recordings/{id}/films/{film}": Operation(
            "Delete a film",
            Who.MEMBER,
            refuses={403: "not_allowed", 409: f"{_NOT_NOW} film_under_way"},
            more="It can be made again from the tracks.",
        ),
        "GET /recordings/{id}/films/{film}/file": Operation(
            "A film, to play or to store",
            Who.VIEWER,
            File(("video/mp4", "video/webm"), ranges=True),
            query=shapes.FileQuery,
            refuses={403: "not_allowed", 409: f"{_NOT_NOW} film_not_ready restricted"},
        ),
        "GET /recordings/{id}/tracks/{track}/file": Operation(
            "One track, to play; one's own also to store",
            Who.VIEWER,
            File(("audio/webm", "video/webm", "audio/x-matroska", "video/x-matroska"), ranges=True),
            query=shapes.FileQuery,
            refuses={403: "not_allowed", 409: _NOT_NOW},
        ),
        "POST /recordings/{id}/people/{person}/remove": Operation(
            "Take somebody out of a recording",
            Who.MEMBER,
            refuses={403: "not_allowed", 409: f"{_NOT_NOW} held"},
            more="For good, with all their seats: by the owner, or by themself.",
        ),
        "POST /recordings/{id}/shares": Operation(
            "Share a recording",
            Who.MEMBER,
            shapes.NewShare,
            status=201,
            takes=recordings.ShareWish,
            refuses={403: "not_allowed", 409: f"{_NOT_NOW} already_shared", 429: "too_many"},
            more="With a member by `email`, or by a link that is good for `days`. The link is told this once.",
        ),
        "DELETE /recordings/{id}/shares/{share}": Operation(
            "End a share", Who.MEMBER, refuses={403: "not_allowed", 409: _NOT_NOW}
        ),
        "POST /shared-recordings": Operation(
            "Open a shared link",
            Who.ANYBODY,
            shapes.LinkOpened,
            takes=shared_recordings.Link,
            refuses={
                403: "password_needed wrong_password not_allowed",
                404: "not_found",
                409: _NOT_NOW,
                429: "too_many",
            },
        ),
    },
)
