"""How long each class of data is kept: the one table of classes, and the periods a configuration makes of it.

The schema names a class for every table that ends by time; the configuration section `retention` has one key for every
class. Periods are whole milliseconds: days of 24 hours, never calendar months (nobody's data lives longer for having
been written in February).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pymeet.errors import InvalidInputError

FOREVER: Final = "forever"
"""What an operator must type to keep a class without end; shown to everybody whom it concerns."""

_UNITS_MS = {"min": 60_000, "h": 3_600_000, "d": 86_400_000}


class Pace(StrEnum):
    """How soon after its end a row is looked for."""

    OFTEN = "often"  # every few minutes
    DAILY = "daily"


@dataclass(frozen=True)
class RetentionClass:
    """One class; periods in milliseconds."""

    name: str
    """The key in the configuration: `retention.<name>`."""
    title: str
    begins: str
    """The moment from which time runs, in words: "after …"."""
    default_ms: int
    min_ms: int
    max_ms: int
    pace: Pace = Pace.DAILY
    may_be_forever: bool = False
    per_room: bool = False
    """Whether a room may have its own period, inside the same bounds."""


def minutes(count: int) -> int:
    """A period in milliseconds."""
    return count * _UNITS_MS["min"]


def hours(count: int) -> int:
    """A period in milliseconds."""
    return count * _UNITS_MS["h"]


def days(count: int) -> int:
    """A period in milliseconds; a day has 24 hours, whatever the calendar says."""
    return count * _UNITS_MS["d"]


_ALL = (
    RetentionClass(
        "account",
        "Accounts",
        "after the account was last used",
        default_ms=days(730),
        min_ms=days(30),
        max_ms=days(3650),
        may_be_forever=True,
    ),
    RetentionClass(
        "erasure_grace",
        "Time to think better of an erasure",
        "after the erasure was asked for",
        default_ms=days(14),
        min_ms=0,
        max_ms=days(21),
    ),
    RetentionClass(
        "session",
        "Ended sessions",
        "after the session expired",
        default_ms=hours(1),
        min_ms=0,
        max_ms=days(1),
        pace=Pace.OFTEN,
    ),
    RetentionClass(
        "link",
        "Expired one-time links",
        "after the link expired",
        default_ms=hours(1),
        min_ms=0,
        max_ms=days(1),
        pace=Pace.OFTEN,
    ),
    RetentionClass(
        "token",
        "Expired API tokens",
        "after the token expired",
        default_ms=hours(1),
        min_ms=0,
        max_ms=days(1),
        pace=Pace.OFTEN,
    ),
    RetentionClass(
        "room_address",
        "Addresses of deleted rooms",
        "after the room was deleted",
        default_ms=days(7),
        min_ms=0,
        max_ms=days(90),
    ),
    RetentionClass(
        "attendance",
        "Who took part",
        "after the participant left",
        default_ms=days(90),
        min_ms=hours(1),
        max_ms=days(3650),
        may_be_forever=True,
        per_room=True,
    ),
    RetentionClass(
        "chat",
        "Chat messages",
        "after the message was written",
        default_ms=days(90),
        min_ms=hours(1),
        max_ms=days(3650),
        may_be_forever=True,
        per_room=True,
    ),
    RetentionClass(
        "recording",
        "Recordings",
        "after the recording ended, or after it was no longer pinned",
        default_ms=days(90),
        min_ms=days(1),
        max_ms=days(3650),
        may_be_forever=True,
        per_room=True,
    ),
    RetentionClass(
        "recording_trash",
        "Recordings in the trash",
        "after the recording was deleted by hand",
        default_ms=days(7),
        min_ms=0,
        max_ms=days(30),
    ),
    RetentionClass(
        "meeting",
        "Scheduled meetings",
        "after the last meeting of the series ended",
        default_ms=days(30),
        min_ms=days(1),
        max_ms=days(3650),
        may_be_forever=True,
    ),
    RetentionClass(
        "mail_sent",
        "Mails that were sent",
        "after the mail was sent",
        default_ms=hours(24),
        min_ms=0,
        max_ms=days(7),
        pace=Pace.OFTEN,
    ),
    RetentionClass(
        "mail_failed",
        "Mails that could not be sent",
        "after the last attempt",
        default_ms=days(7),
        min_ms=hours(1),
        max_ms=days(30),
    ),
    RetentionClass(
        "notification",
        "Notifications",
        "after it was told",
        default_ms=days(90),
        min_ms=days(1),
        max_ms=days(365),
    ),
    RetentionClass(
        "notification_read",
        "Notifications that were read",
        "after it was read",
        default_ms=days(30),
        min_ms=0,
        max_ms=days(365),
    ),
    RetentionClass(
        "export",
        "Archives of a person's data",
        "after the archive was asked for",
        default_ms=days(7),
        min_ms=days(1),
        max_ms=days(30),
    ),
    RetentionClass(
        "consent",
        "Consent records",
        "after the decision, or the end of what it was for",
        default_ms=days(3 * 365),
        min_ms=days(365),
        max_ms=days(3650),
    ),
    RetentionClass(
        "request",
        "Register of requests and legal holds",
        "after the request was closed",
        default_ms=days(3 * 365),
        min_ms=days(365),
        max_ms=days(3650),
    ),
    RetentionClass(
        "ledger",
        "Marks by which erased people stay erased after a restore",
        "after the erasure",
        default_ms=days(44),
        min_ms=days(30),
        max_ms=days(3650),
    ),
    RetentionClass(
        "audit",
        "Audit log",
        "after it was done",
        default_ms=days(365),
        min_ms=days(180),
        max_ms=days(3650),
    ),
    RetentionClass(
        "breach",
        "Register of breaches",
        "after the breach was noticed",
        default_ms=days(5 * 365),
        min_ms=days(3 * 365),
        max_ms=days(3650),
    ),
    RetentionClass(
        "backup",
        "Backups",
        "after the backup was made",
        default_ms=days(14),
        min_ms=days(1),
        max_ms=days(365),
    ),
)

CLASSES: Final[Mapping[str, RetentionClass]] = {each.name: each for each in _ALL}
"""Every class by name."""


def parse_period(text: str) -> int:
    """Reads `90d`, `12h`, `30min` or `0d` as milliseconds. InvalidInputError for anything else, a bare number above all."""
    match = re.fullmatch(r"([0-9]{1,6})(min|h|d)", text.strip())
    if match is None:
        what = f"{text} has no unit." if text.strip().isdigit() else f"{text!r} is not a period."
        raise InvalidInputError(f"{what} Write a whole number with a unit: 90d, 12h or 30min.")
    return int(match[1]) * _UNITS_MS[match[2]]


def format_period(milliseconds: int | None) -> str:
    """Writes a period as it is typed, `90d`; None, which means without end, as `forever`."""
    if milliseconds is None:
        return FOREVER
    unit = next((unit for unit in ("d", "h", "min") if milliseconds % _UNITS_MS[unit] == 0), None)
    return f"{milliseconds // _UNITS_MS[unit]}{unit}" if unit else f"{milliseconds}ms"


def check_period(name: str, milliseconds: int | None) -> None:
    """InvalidInputError when class `name` cannot be kept for that long (None: without end); refused, never clamped."""
    known = CLASSES[name]
    if milliseconds is None:
        if not known.may_be_forever:
            raise InvalidInputError(f"{known.title} cannot be kept forever. At most {format_period(known.max_ms)}.")
    elif not known.min_ms <= milliseconds <= known.max_ms:
        raise InvalidInputError(
            f"{known.title} can be kept from {format_period(known.min_ms)} to {format_period(known.max_ms)}, "
            f"not for {format_period(milliseconds)}."
        )
