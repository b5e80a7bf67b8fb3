"""Who may do what over HTTP: one row for each route, one column for each kind of person who asks.

The things in the addresses are Olga's, the owner's: whoever is not her must have a reason to reach them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import authorization_world as olgas
from authorization_world import Target, World, unknown
from test_http_authorization import BODIES

ASKERS: Final = ("anonymous", "guest", "member", "rival", "owner", "admin", "dpo")
"""Nobody who is known; a guest who sits in the owner's room; a member whom she invited, and who is in her recording; the host
of another room; the owner; an administrator; a data protection officer."""

LIKE_NOBODY: Final = ("expired", "forged", "wrong token")
"""Get what nobody gets, or 401: the owner's session after its end, one that was made up, and an API token that is none,
beside the owner's good session."""

API: Final = "/api/v1"
ROOM: Final = f"{API}/rooms/{{slug}}"
MEETING: Final = f"{API}/meetings/{{id}}"
TAPE: Final = f"{API}/recordings/{{id}}"
DATA: Final = f"{API}/my-data"
ADMIN: Final = f"{API}/admin"

Body = Callable[[World, str], Awaitable[dict[str, Any]]] | dict[str, Any] | None

FORM: Final = "application/x-www-form-urlencoded"
PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)


@dataclass(frozen=True)
class Row:
    """What comes of a request, in the order of `ASKERS`."""

    method: str
    path: str
    statuses: tuple[int, ...]
    target: Target
    body: Body
    new: bool
    """Whether people do this to themselves: somebody new of their kind asks, where it is allowed."""
    sent: tuple[bytes, str] | None
    """What is sent in place of JSON, and its type."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def of(self, who: str) -> int:
        """What somebody gets."""
        return self.statuses[ASKERS.index(who)]


def row(
    method: str,
    path: str,
    statuses: str,
    target: Target = unknown,
    body: Body = None,
    *,
    new: bool = False,
    sent: tuple[bytes, str] | None = None,
) -> Row:
    """One status for all, or one for each asker. Without `body` the one that stands in BODIES."""
    each = tuple(map(int, statuses.split())) * (len(ASKERS) if " " not in statuses else 1)
    assert len(each) == len(ASKERS), path
    return Row(method, path, each, target, BODIES.get((method, path)) if body is None else body, new, sent)


def members(status: int) -> str:
    """Whoever has an account, about what is their own."""
    return f"401 401{f' {status}' * 5}"


def admins(status: int) -> str:
    """Administrators alone."""
    return f"401 401 403 403 403 {status} 403"


def office(status: int) -> str:
    """Administrators and data protection officers."""
    return f"401 401 403 403 403 {status} {status}"


MEETING_BODY: Final = {"title": "Trap", "start": "2099-03-22T09:00", "time_zone": "UTC", "duration_min": 60}
MOVED: Final = {"start": "2099-03-31T09:00"}

PAGES: Final = (
    row("GET", "/", "200"),
    row("GET", "/sign-in", "200"),
    row("GET", "/link", "200"),
    row("GET", "/register", "200"),
    row("GET", "/forgot", "200"),
    row("GET", "/security", "200"),
    row("GET", "/profile", "200"),
    row("GET", "/admin/users", "200"),
    row("GET", "/admin/groups", "200"),
    row("GET", "/r/{slug}", "200", olgas.own_room),
    row("GET", "/my-data", "200"),
    row("GET", "/guest-data", "200"),
    row("GET", "/erasure", "200"),
    row("GET", "/admin/{page}", "200"),
    row("GET", "/recordings", "200"),
    row("GET", "/recordings/{id}", "200"),
    row("GET", "/watch", "200"),
    row("GET", "/rsvp", "200"),
    row("GET", "/oidc/callback", "200"),
    row("GET", "/api", "200"),
    row("GET", "/privacy", "200"),
    row("GET", "/privacy/versions/{version}", "200"),
    row("GET", "/static/{path}", "200"),
)
"""Shells, the same for everybody: what differs comes through the API."""

#                                            nobody guest member rival owner admin dpo
SIGNING_IN: Final = (
    row("GET", f"{API}/openapi.json", "200"),
    row("GET", f"{API}/me", "200"),
    row("POST", f"{API}/sign-in", "200", new=True),
    row("POST", f"{API}/sign-out", "204", new=True),
    row("POST", f"{API}/sign-in/second-factor", "401"),
    row("POST", f"{API}/sign-in/passkey/options", "409"),
    row("POST", f"{API}/sign-in/passkey", "409"),
    row("POST", f"{API}/sign-in/oidc", "503"),  # the provider cannot be reached
    row("POST", f"{API}/sign-in/oidc/finish", "401"),
    row("POST", "/oidc/backchannel-logout", "400", sent=(b"logout_token=x&logout_token=y", FORM)),
    row("POST", f"{API}/links/inspect", "404"),
    row("POST", f"{API}/links/redeem", "404"),
    row("POST", f"{API}/register", "403"),
    row("POST", f"{API}/reset-password", "202", body=olgas.new_address, new=True),
    row("POST", f"{API}/sign-in-link", "202", body=olgas.new_address, new=True),
)

# sessions first: once Olga has a passkey, signing in takes more than her password
ONESELF: Final = (
    row("GET", f"{API}/security", members(200)),
    row("DELETE", f"{API}/security/sessions/{{id}}", "401 401 404 404 204 404 404", olgas.session),
    row("DELETE", f"{API}/security/devices/{{id}}", "401 401 404 404 204 404 404", olgas.device),
    row("POST", f"{API}/security/totp", members(200), new=True),
    row("POST", f"{API}/security/totp/confirm", members(404)),
    row("POST", f"{API}/security/totp/remove", members(404)),
    row("POST", f"{API}/security/recovery-codes", members(409)),
    row("POST", f"{API}/security/passkeys/options", members(409)),
    row("POST", f"{API}/security/passkeys", members(404)),
    row("PATCH", f"{API}/security/passkeys/{{id}}", "401 401 404 404 204 404 404", olgas.passkey),
    row("POST", f"{API}/security/passkeys/{{id}}/remove", "401 401 404 404 204 404 404", olgas.passkey),
    row("POST", f"{API}/security/password", members(204), new=True),
    row("POST", f"{API}/security/confirm", members(503)),
    row("POST", f"{API}/security/identities", members(503)),
    row("POST", f"{API}/security/identities/{{id}}/remove", "401 401 404 404 204 404 404", olgas.identity),
    row("POST", f"{API}/security/sessions/end-others", members(200), new=True),
    row("GET", f"{API}/security/tokens", members(200)),
    row("POST", f"{API}/security/tokens", members(201), new=True),
    row("DELETE", f"{API}/security/tokens/{{id}}", "401 401 404 404 204 404 404", olgas.token),
    row("PATCH", f"{API}/profile", members(200), new=True),
    row("POST", f"{API}/profile/email", members(202), body=olgas.new_address_confirmed, new=True),
    row("PUT", f"{API}/profile/avatar", members(204), new=True, sent=(PNG, "image/png")),
    row("DELETE", f"{API}/profile/avatar", members(204), new=True),
    row("GET", f"{API}/profile/fields", members(200)),
    row("PATCH", f"{API}/profile/fields", members(200), body=olgas.filled_in),
    row("GET", f"{API}/users/{{id}}/avatar", members(200), olgas.owner),
)

ROOMS: Final = (
    row("GET", f"{API}/privacy", "200"),
    row("GET", f"{API}/rooms", members(200)),
    row("POST", f"{API}/rooms", members(201)),
    row("GET", ROOM, "200", olgas.own_room),
    row("DELETE", ROOM, "401 401 403 403 204 204 403", olgas.room),
    row("GET", f"{ROOM}/settings", "401 401 403 403 200 200 403", olgas.own_room),
    row("PATCH", f"{ROOM}/settings", "401 401 403 403 200 200 403", olgas.room),
    row("GET", f"{ROOM}/attendance", "401 401 403 403 200 403 403", olgas.own_room),
    row("GET", f"{ROOM}/pictures/{{picture}}", "404", olgas.own_room),  # who is in the meeting knows words for it
    row("POST", f"{API}/personal-room", members(200)),
    row("GET", f"{API}/groups", members(200)),
    row("GET", f"{API}/groups/{{id}}", "401 401 200 404 200 404 404", olgas.group),
)

MEETINGS: Final = (
    row("POST", f"{API}/connection-check", "200", body={}),
    row("GET", f"{API}/meetings", members(200)),
    row("POST", f"{API}/meetings", members(201), body=MEETING_BODY),
    row("GET", MEETING, "401 401 200 404 200 404 404", olgas.meeting),
    row("PATCH", MEETING, "401 401 403 404 200 404 404", olgas.meeting),
    row("DELETE", MEETING, "401 401 403 404 204 404 404", olgas.meeting),
    row("PATCH", f"{MEETING}/occurrences/{{recurrence}}", "401 401 403 404 200 404 404", olgas.meeting, MOVED),
    row("DELETE", f"{MEETING}/occurrences/{{recurrence}}", "401 401 403 404 204 404 404", olgas.meeting),
    row("POST", f"{MEETING}/invitees", "401 401 403 404 201 404 404", olgas.meeting, olgas.new_address),
    row("POST", f"{MEETING}/groups", "401 401 403 404 201 404 404", olgas.meeting, olgas.own_group),
    row("DELETE", f"{MEETING}/invitees/{{invitee}}", "401 401 403 404 204 404 404", olgas.meeting),
    row("PUT", f"{MEETING}/answer", "401 401 200 404 404 404 404", olgas.meeting),
    row("POST", f"{API}/rsvp/inspect", "404"),
    row("POST", f"{API}/rsvp/answer", "404"),
    row("GET", f"{API}/calendar-feed", members(200)),
    row("POST", f"{API}/calendar-feed", members(201), new=True),
    row("DELETE", f"{API}/calendar-feed", members(204), new=True),
    row("GET", "/calendar/{secret}.ics", "404"),
    row("GET", f"{API}/notifications", members(200)),
    row("GET", f"{API}/notifications/unread", members(200)),
    row("POST", f"{API}/notifications/read", members(204)),
    row("POST", f"{API}/notifications/{{id}}/read", "401 401 404 404 204 404 404", olgas.notification),
    row("DELETE", f"{API}/notifications/{{id}}", "401 401 404 404 204 404 404", olgas.notification),
    row("GET", f"{API}/notification-settings", members(200)),
    row("PUT", f"{API}/notification-settings", members(204), new=True),
)

RECORDINGS: Final = (
    row("GET", f"{API}/recordings", members(200)),
    row("GET", TAPE, "401 401 200 404 200 200 404", olgas.recording),
    row("PATCH", TAPE, "401 401 403 404 204 403 404", olgas.recording),
    row("DELETE", TAPE, "401 401 403 404 204 204 404", olgas.recording),
    row("POST", f"{TAPE}/restore", "401 401 403 404 204 204 404", olgas.trashed),
    row("POST", f"{TAPE}/films", "401 401 403 404 409 403 404", olgas.trashed),  # or it would be made
    row("POST", f"{TAPE}/films/{{film}}/cancel", "401 401 403 404 409 403 404", olgas.recording),
    row("POST", f"{TAPE}/films/{{film}}/retry", "401 401 403 404 409 403 404", olgas.recording),
    row("DELETE", f"{TAPE}/films/{{film}}", "401 401 403 404 204 403 404", olgas.recording),
    row("GET", f"{TAPE}/films/{{film}}/file", "401 401 200 404 200 403 404", olgas.recording),
    row("GET", f"{TAPE}/tracks/{{track}}/file", "401 401 200 404 200 403 404", olgas.recording),
    row("POST", f"{TAPE}/people/{{person}}/remove", "401 401 403 404 204 403 404", olgas.recording),
    row("POST", f"{TAPE}/shares", "401 401 403 404 201 403 404", olgas.recording),
    row("DELETE", f"{TAPE}/shares/{{share}}", "401 401 403 404 204 403 404", olgas.recording),
    row("POST", f"{API}/shared-recordings", "404"),
)

RIGHTS: Final = (
    row("GET", DATA, members(200)),
    row("PATCH", DATA, members(204), new=True),
    row("POST", f"{DATA}/exports", members(202), new=True),
    row("GET", f"{DATA}/exports/{{id}}/file", "401 401 404 404 200 404 404", olgas.export),
    row("PUT", f"{DATA}/restriction", members(204), new=True),
    row("PUT", f"{DATA}/objection", members(204), new=True),
    row("POST", f"{DATA}/erasure", members(200), new=True),
    row("POST", f"{DATA}/consents/{{id}}/withdraw", "401 401 404 404 204 404 404", olgas.consent),
    row("GET", f"{DATA}/consents/{{id}}/receipt", "401 401 404 404 200 404 404", olgas.consent),
    row("POST", f"{DATA}/recordings/{{id}}/remove", "401 401 204 404 204 404 404", olgas.recording),
    row("POST", f"{DATA}/notice", members(204), new=True),
    row("POST", f"{API}/guest-data", "401 200 401 401 401 401 401", body=olgas.own_receipt),
    row("POST", f"{API}/guest-data/export", "401 200 401 401 401 401 401", body=olgas.receipt_and(language="en")),
    row("PUT", f"{API}/guest-data/restriction", "401 204 401 401 401 401 401", body=olgas.receipt_and(on=False)),
    row("POST", f"{API}/guest-data/erasure", "401 200 401 401 401 401 401", body=olgas.another_receipt),
    row(
        "POST",
        f"{API}/guest-data/consents/{{id}}/withdraw",
        "401 404 401 401 401 401 401",
        olgas.consent,
        olgas.own_receipt,
    ),
    row(
        "POST",
        f"{API}/guest-data/recordings/{{id}}/remove",
        "401 204 401 401 401 401 401",
        olgas.recording,
        olgas.own_receipt,
    ),
    row("POST", f"{API}/erasures/inspect", "401"),
    row("POST", f"{API}/erasures/cancel", "409"),
)

ADMINISTRATION: Final = (
    row("GET", f"{ADMIN}/users", admins(200)),
    row("POST", f"{ADMIN}/invitations", admins(201), body=olgas.invitation),
    row("POST", f"{ADMIN}/users/{{id}}/disable", admins(204), olgas.somebody),
    row("POST", f"{ADMIN}/users/{{id}}/enable", admins(204), olgas.somebody),
    row("POST", f"{ADMIN}/users/{{id}}/reset-password", admins(200), olgas.somebody),
    row("POST", f"{ADMIN}/users/{{id}}/remove-second-factor", admins(204), olgas.somebody),
    row("GET", f"{ADMIN}/users/{{id}}/access", admins(200), olgas.somebody),
    row("DELETE", f"{ADMIN}/users/{{id}}/tokens/{{token}}", admins(204), olgas.somebodys_token),
    row("DELETE", f"{ADMIN}/users/{{id}}/identities/{{identity}}", admins(204), olgas.somebodys_identity),
    row("PUT", f"{ADMIN}/users/{{id}}/role", admins(204), olgas.somebody),
    row("DELETE", f"{ADMIN}/users/{{id}}", admins(200), olgas.somebody),
    row("GET", f"{ADMIN}/users/{{id}}/profile-fields", admins(200), olgas.somebody),
    row("PATCH", f"{ADMIN}/users/{{id}}/profile-fields", admins(200), olgas.somebody, olgas.filled_in),
    row("GET", f"{ADMIN}/profile-fields", admins(200)),
    row("POST", f"{ADMIN}/profile-fields", admins(201), body=olgas.new_label),
    row("PATCH", f"{ADMIN}/profile-fields/{{id}}", admins(200), olgas.field, olgas.new_label),
    row("DELETE", f"{ADMIN}/profile-fields/{{id}}", admins(204), olgas.field),
    row("GET", f"{ADMIN}/groups", admins(200)),
    row("POST", f"{ADMIN}/groups", admins(201), body=olgas.new_name),
    row("GET", f"{ADMIN}/groups/{{id}}", admins(200), olgas.group),
    row("PATCH", f"{ADMIN}/groups/{{id}}", admins(200), olgas.group, olgas.new_name),
    row("DELETE", f"{ADMIN}/groups/{{id}}", admins(204), olgas.group),
    row("PUT", f"{ADMIN}/groups/{{id}}/members/{{person}}", admins(204), olgas.group),
    row("DELETE", f"{ADMIN}/groups/{{id}}/members/{{person}}", admins(204), olgas.group),
    row("GET", f"{ADMIN}/rooms", admins(200)),
    row("PUT", f"{ADMIN}/rooms/{{slug}}/owner", admins(200), olgas.room),
    row("GET", f"{ADMIN}/live", admins(200)),
    row("GET", f"{ADMIN}/live/{{slug}}/people", admins(200), olgas.own_room),
    row("POST", f"{ADMIN}/live/{{slug}}/end", admins(409), olgas.room),
    row("POST", f"{ADMIN}/live/{{slug}}/people/{{person}}/remove", admins(404), olgas.own_room),
    row("GET", f"{ADMIN}/mail", admins(200)),
    row("POST", f"{ADMIN}/mail/retry", admins(200)),
    row("POST", f"{ADMIN}/mail/{{id}}/retry", admins(204), olgas.mail),
    row("POST", f"{ADMIN}/mail/{{id}}/drop", admins(204), olgas.mail),
    row("GET", f"{ADMIN}/settings", admins(200)),
    row("PUT", f"{ADMIN}/settings/{{name}}", admins(200), olgas.setting),
    row("DELETE", f"{ADMIN}/settings/{{name}}", admins(200), olgas.setting),
    row("GET", f"{ADMIN}/requests", office(200)),
    row("POST", f"{ADMIN}/requests", office(201)),
    row("POST", f"{ADMIN}/requests/{{id}}/decide", office(204), olgas.request),
    row("POST", f"{ADMIN}/requests/{{id}}/extend", office(204), olgas.request),
    row("POST", f"{ADMIN}/people", admins(200)),
    row("POST", f"{ADMIN}/people/{{id}}/exports", admins(202), olgas.somebody),
    row("GET", f"{ADMIN}/exports/{{id}}/file", admins(200), olgas.export),
    row("GET", f"{ADMIN}/people/{{id}}/erasure", admins(200), olgas.owner),
    row("POST", f"{ADMIN}/people/{{id}}/erasure", admins(200), olgas.somebody),
    row("GET", f"{ADMIN}/holds", office(200)),
    row("POST", f"{ADMIN}/holds", office(201), body=olgas.held),
    row("POST", f"{ADMIN}/holds/{{id}}/release", "401 401 403 403 403 403 204", olgas.hold),
    row("GET", f"{ADMIN}/audit", office(200)),
    row("POST", f"{ADMIN}/audit/verify", "401 401 403 403 403 403 200"),
    row("GET", f"{ADMIN}/retention", office(200)),
)

LIVE: Final = (
    row("GET", "/ws/{slug}", "400", olgas.own_room),  # as what people come in has a test of its own
    row("POST", "/whip/{slug}", "401", olgas.room_without_guests, sent=olgas.OFFER),
    row("POST", "/whep/{slug}", "401", olgas.room_without_guests, sent=olgas.WISH),
    row("OPTIONS", "/{kind}/{slug}", "200", olgas.own_room),
    row("PATCH", "/{kind}/{slug}/{id}", "404", olgas.own_room),
    row("DELETE", "/{kind}/{slug}/{id}", "404", olgas.own_room),
    row("OPTIONS", "/{kind}/{slug}/{id}", "200", olgas.own_room),
    row("POST", "/whep/{slug}/{id}/layer", "404", olgas.own_room),
    row("POST", "/whep/{slug}/{id}/events", "404", olgas.own_room),
    row("GET", "/whep/{slug}/{id}/events", "404", olgas.own_room),
    row("DELETE", "/whep/{slug}/{id}/events", "404", olgas.own_room),
    row("OPTIONS", "/whep/{slug}/{id}/{part}", "200", olgas.own_room),
    row("GET", "/healthz", "200"),
    row("GET", "/readyz", "200"),
    row("GET", "/metrics", "401"),
)
"""Cookies never count for WHIP and WHEP, and no account reads the metrics."""

TABLE: Final = (
    *PAGES,
    *SIGNING_IN,
    *ONESELF,
    *ROOMS,
    *MEETINGS,
    *RECORDINGS,
    *RIGHTS,
    *ADMINISTRATION,
    *LIVE,
)
