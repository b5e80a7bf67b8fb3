"""Which scope an API token needs for which route: one table, and the routes at which tokens are refused.

A route that stands in neither refuses tokens, and a test fails until somebody has decided. Closed is whatever opens a
way in or changes one, what people decide about their own data, and what shows something else than a token as proof.
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from pymeet.accounts.scopes import Scope

API: Final = "/api/v1"

Route = tuple[str, str]
"""Method and canonical path, as `("GET", "/api/v1/rooms/{slug}")`."""

_TABLE: Final[Mapping[Scope, tuple[str, ...]]] = {
    Scope.PROFILE_READ: (
        "GET /me",
        "GET /profile/fields",
        "GET /groups",
        "GET /groups/{id}",
        "GET /users/{id}/avatar",
        "GET /notifications",
        "GET /notifications/unread",
        "GET /notification-settings",
    ),
    Scope.ROOMS_READ: (
        "GET /rooms",
        "GET /rooms/{slug}",
        "GET /rooms/{slug}/settings",
        "GET /rooms/{slug}/attendance",
    ),
    Scope.ROOMS_WRITE: (
        "POST /rooms",
        "POST /personal-room",
        "DELETE /rooms/{slug}",
        "PATCH /rooms/{slug}/settings",
    ),
    Scope.MEETINGS_READ: (
        "GET /meetings",
        "GET /meetings/{id}",
        "GET /calendar-feed",
    ),
    Scope.MEETINGS_WRITE: (
        "POST /meetings",
        "PATCH /meetings/{id}",
        "DELETE /meetings/{id}",
        "PATCH /meetings/{id}/occurrences/{recurrence}",
        "DELETE /meetings/{id}/occurrences/{recurrence}",
        "POST /meetings/{id}/invitees",
        "POST /meetings/{id}/groups",
        "DELETE /meetings/{id}/invitees/{invitee}",
        "PUT /meetings/{id}/answer",
    ),
    Scope.RECORDINGS_READ: (
        "GET /recordings",
        "GET /recordings/{id}",
        "GET /recordings/{id}/films/{film}/file",
        "GET /recordings/{id}/tracks/{track}/file",
    ),
    Scope.RECORDINGS_WRITE: (
        "PATCH /recordings/{id}",
        "DELETE /recordings/{id}",
        "POST /recordings/{id}/restore",
        "POST /recordings/{id}/films",
        "POST /recordings/{id}/films/{film}/cancel",
        "POST /recordings/{id}/films/{film}/retry",
        "DELETE /recordings/{id}/films/{film}",
        "POST /recordings/{id}/people/{person}/remove",
        "POST /recordings/{id}/shares",
        "DELETE /recordings/{id}/shares/{share}",
    ),
    Scope.USERS_READ: (
        "GET /admin/users",
        "GET /admin/users/{id}/profile-fields",
        "GET /admin/profile-fields",
        "GET /admin/groups",
        "GET /admin/groups/{id}",
    ),
    Scope.USERS_WRITE: (
        "POST /admin/invitations",
        "POST /admin/users/{id}/disable",
        "POST /admin/users/{id}/enable",
        "PUT /admin/users/{id}/role",
        "DELETE /admin/users/{id}",
        "PATCH /admin/users/{id}/profile-fields",
        "POST /admin/profile-fields",
        "PATCH /admin/profile-fields/{id}",
        "DELETE /admin/profile-fields/{id}",
        "POST /admin/groups",
        "PATCH /admin/groups/{id}",
        "DELETE /admin/groups/{id}",
        "PUT /admin/groups/{id}/members/{person}",
        "DELETE /admin/groups/{id}/members/{person}",
    ),
    Scope.PRIVACY_READ: (
        "GET /admin/requests",
        "POST /admin/people",
        "GET /admin/people/{id}/erasure",
        "GET /admin/exports/{id}/file",
        "GET /admin/holds",
        "GET /admin/audit",
        "POST /admin/audit/verify",
        "GET /admin/retention",
    ),
    Scope.PRIVACY_WRITE: (
        "POST /admin/requests",
        "POST /admin/requests/{id}/decide",
        "POST /admin/requests/{id}/extend",
        "POST /admin/people/{id}/exports",
        "POST /admin/people/{id}/erasure",
        "POST /admin/holds",
        "POST /admin/holds/{id}/release",
    ),
    Scope.SERVER_READ: (
        "GET /admin/rooms",
        "GET /admin/live",
        "GET /admin/live/{slug}/people",
        "GET /admin/mail",
        "GET /admin/settings",
    ),
    Scope.SERVER_WRITE: (
        "PUT /admin/rooms/{slug}/owner",
        "POST /admin/live/{slug}/end",
        "POST /admin/live/{slug}/people/{person}/remove",
        "POST /admin/mail/retry",
        "POST /admin/mail/{id}/retry",
        "POST /admin/mail/{id}/drop",
        "PUT /admin/settings/{name}",
        "DELETE /admin/settings/{name}",
    ),
}

_PUBLIC: Final = ("GET /openapi.json", "GET /privacy", "GET /rooms/{slug}/pictures/{picture}")

_CLOSED: Final = (
    # ways in
    "POST /sign-in",
    "POST /sign-in/second-factor",
    "POST /sign-in/passkey/options",
    "POST /sign-in/passkey",
    "POST /sign-in/oidc",
    "POST /sign-in/oidc/finish",
    "POST /sign-out",
    "POST /links/inspect",
    "POST /links/redeem",
    "POST /register",
    "POST /reset-password",
    "POST /sign-in-link",
    "POST /admin/users/{id}/reset-password",  # where mail is off its answer is a way in
    "GET /security",
    "POST /security/totp",
    "POST /security/totp/confirm",
    "POST /security/totp/remove",
    "POST /security/recovery-codes",
    "POST /security/passkeys/options",
    "POST /security/passkeys",
    "PATCH /security/passkeys/{id}",
    "POST /security/passkeys/{id}/remove",
    "POST /security/password",
    "POST /security/confirm",
    "POST /security/identities",
    "POST /security/identities/{id}/remove",
    "POST /security/sessions/end-others",
    "DELETE /security/sessions/{id}",
    "DELETE /security/devices/{id}",
    "GET /security/tokens",
    "POST /security/tokens",
    "DELETE /security/tokens/{id}",
    "POST /admin/users/{id}/remove-second-factor",
    "GET /admin/users/{id}/access",
    "DELETE /admin/users/{id}/tokens/{token}",
    "DELETE /admin/users/{id}/identities/{identity}",
    "POST /calendar-feed",
    "DELETE /calendar-feed",
    # who one is, and what one wants
    "PATCH /profile",
    "PATCH /profile/fields",
    "POST /profile/email",
    "PUT /profile/avatar",
    "DELETE /profile/avatar",
    "POST /notifications/read",
    "POST /notifications/{id}/read",
    "DELETE /notifications/{id}",
    "PUT /notification-settings",
    # one's own data
    "GET /my-data",
    "PATCH /my-data",
    "POST /my-data/exports",
    "GET /my-data/exports/{id}/file",
    "PUT /my-data/restriction",
    "PUT /my-data/objection",
    "POST /my-data/erasure",
    "POST /my-data/consents/{id}/withdraw",
    "GET /my-data/consents/{id}/receipt",
    "POST /my-data/recordings/{id}/remove",
    "POST /my-data/notice",
    "POST /connection-check",  # gives what lets people in
    # other proofs: a link, a receipt, the status of an erasure
    "POST /rsvp/inspect",
    "POST /rsvp/answer",
    "POST /shared-recordings",
    "POST /guest-data",
    "POST /guest-data/export",
    "PUT /guest-data/restriction",
    "POST /guest-data/erasure",
    "POST /guest-data/consents/{id}/withdraw",
    "POST /guest-data/recordings/{id}/remove",
    "POST /erasures/inspect",
    "POST /erasures/cancel",
)


def _route(line: str) -> Route:
    method, _, path = line.partition(" ")
    return method, API + path


SCOPES: Final[Mapping[Route, Scope]] = {_route(line): scope for scope, lines in _TABLE.items() for line in lines}
"""The scope that a token needs."""

PUBLIC: Final = frozenset(map(_route, _PUBLIC))
"""Open to everybody, and so to every token that is good."""

CLOSED: Final = frozenset(map(_route, _CLOSED))
"""Here tokens are refused."""


def route_of(request: web.Request) -> Route | None:
    """The route that will answer, as it stands in the tables; None where there is none. HEAD is GET without a body."""
    resource = request.match_info.route.resource
    if resource is None or request.match_info.http_exception is not None:
        return None
    return "GET" if request.method == "HEAD" else request.method, resource.canonical
