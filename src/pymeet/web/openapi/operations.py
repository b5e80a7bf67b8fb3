"""The table of all operations, in the order in which they are shown."""

from collections.abc import Mapping
from typing import Any, Final

from pymeet.web.openapi import (
    accounts,
    admin,
    groups,
    notifications,
    oidc,
    privacy,
    profile_fields,
    recordings,
    rooms,
    server,
)
from pymeet.web.openapi.words import Operation, Section, Who

_DESCRIPTION: Final = Section(
    "This description",
    "The page that you read, for programs.",
    {
        "GET /openapi.json": Operation(
            "The description of the API (OpenAPI 3.1)", Who.ANYBODY, dict[str, Any], also={304: None}
        )
    },
)

SECTIONS: Final[tuple[Section, ...]] = (
    rooms.ROOMS,
    rooms.MEETINGS,
    recordings.RECORDINGS,
    accounts.SIGNING_IN,
    oidc.OIDC,
    accounts.PROFILE,
    notifications.NOTIFICATIONS,
    accounts.SECURITY,
    privacy.MY_DATA,
    privacy.GUEST_DATA,
    privacy.ERASURES,
    groups.GROUPS,
    profile_fields.PROFILE_FIELDS,
    admin.ACCOUNTS,
    server.SERVER,
    admin.OFFICE,
    _DESCRIPTION,
)

OPERATIONS: Final[Mapping[str, Operation]] = {
    line: operation for section in SECTIONS for line, operation in section.operations.items()
}
"""`GET /rooms/{slug}` → operation."""
