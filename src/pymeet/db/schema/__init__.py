"""Every table of pymeet, one file per feature. Importing this package checks the inventory as a whole."""

from pymeet.db import inventory
from pymeet.db.schema.accounts import one_time_links, sessions, user_credentials, users
from pymeet.db.schema.audit import audit_log
from pymeet.db.schema.base import metadata
from pymeet.db.schema.meetings import attendance, messages, rooms

inventory.check(metadata)

__all__ = [
    "attendance",
    "audit_log",
    "messages",
    "metadata",
    "one_time_links",
    "rooms",
    "sessions",
    "user_credentials",
    "users",
]
