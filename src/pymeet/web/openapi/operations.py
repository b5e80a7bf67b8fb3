"""The table of all operations, in the order in which they are shown."""

from collections.abc import Mapping
from typing import Final

from pymeet.web.openapi import accounts, admin, privacy, recordings, rooms
from pymeet.web.openapi.words import Operation, Section

SECTIONS: Final[tuple[Section, ...]] = (
    rooms.ROOMS,
    rooms.MEETINGS,
    recordings.RECORDINGS,
    accounts.SIGNING_IN,
    accounts.PROFILE,
    accounts.SECURITY,
    privacy.MY_DATA,
    privacy.GUEST_DATA,
    privacy.ERASURES,
    admin.ACCOUNTS,
    admin.OFFICE,
)

OPERATIONS: Final[Mapping[str, Operation]] = {
    line: operation for section in SECTIONS for line, operation in section.operations.items()
}
"""`GET /rooms/{slug}` → operation."""
