"""Addresses of rooms: what may stand behind `/r/`."""

import re

from pymeet.errors import InvalidInputError

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

RESERVED = frozenset(
    {
        *("admin", "api", "assets", "healthz", "link", "metrics", "new", "privacy", "pymeet", "readyz", "robots"),
        *("root", "settings", "sign-in", "sign-out", "static", "status", "support", "system", "whep", "whip", "www"),
    }
)
"""Words that the server uses, may come to use, or that would let a room pose as part of it."""


def checked_slug(slug: str) -> str:
    """The slug itself if it is acceptable. Raises InvalidInputError that says what would be."""
    if not 3 <= len(slug) <= 60:
        raise InvalidInputError("A room's address has 3 to 60 characters.")
    if not _SLUG.fullmatch(slug):
        raise InvalidInputError(
            "A room's address consists of small letters a-z, digits, and single hyphens between them."
        )
    if slug in RESERVED:
        raise InvalidInputError(f"The address {slug} is reserved. Choose another one.")
    return slug
