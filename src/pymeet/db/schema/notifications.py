"""What members are told inside the pages, and of what they want to be told how. Times are UTC milliseconds."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Text

from pymeet.db.inventory import (
    Basis,
    Category,
    Erase,
    EraseRow,
    Export,
    Hop,
    Keep,
    KeepWith,
    Kind,
    Recipient,
    Subject,
    not_personal,
    personal,
    table,
)
from pymeet.db.schema.base import metadata
from pymeet.db.schema.words import one_of

KINDS = (
    "meeting_invited",
    "meeting_changed",
    "meeting_cancelled",
    "meeting_answered",
    "recording_ready",
    "recording_shared",
    "recording_expiring",
    "export_ready",
    "somebody_waits",
    "new_device",
    "request_decided",
)


def _theirs(kind: Kind, *, provided: bool = False) -> dict[str, Any]:
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES, provided=provided)


notifications = table(
    "notifications",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, info=_theirs(Kind.REFERENCE)),
    Column("kind", Text, nullable=False, info=_theirs(Kind.ACTIVITY)),
    # What it is about: names and titles are read from there, so that nothing of anybody else is copied into here.
    Column("object_id", Text, nullable=False, info=not_personal()),
    # The moment that it speaks of, such as the beginning of a meeting.
    Column("moment_ms", BigInteger, nullable=True, info=not_personal()),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("read_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    one_of("kind", KINDS),
    Index("ix_notifications_user_id_created_at_ms", "user_id", "created_at_ms"),
    Index("ix_notifications_object_id", "object_id"),
    Index("ix_notifications_created_at_ms", "created_at_ms"),
    Index("ix_notifications_read_at_ms", "read_at_ms"),
    category=Category.ACCOUNT,
    purpose="To tell members on the pages what has happened that concerns them.",
    basis=Basis.CONTRACT,
    subject=(Subject("member", (Hop("user_id", "users.id"),)),),
    keep=(Keep("notification_read", clock="read_at_ms"), Keep("notification", clock="created_at_ms")),
    erase=EraseRow.DELETE,
    recipients=(Recipient.BACKUPS,),
)

notification_choices = table(
    "notification_choices",
    metadata,
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, info=_theirs(Kind.REFERENCE)),
    Column("kind", Text, primary_key=True, info=_theirs(Kind.ROLE, provided=True)),
    Column("in_app", Boolean, nullable=False, info=_theirs(Kind.ROLE, provided=True)),
    Column("mail", Boolean, nullable=False, info=_theirs(Kind.ROLE, provided=True)),
    one_of("kind", KINDS),
    Index("ix_notification_choices_user_id", "user_id"),
    category=Category.ACCOUNT,
    purpose="To tell members only of what they want to be told of, on the pages and by mail.",
    basis=Basis.CONTRACT,
    subject=(Subject("member", (Hop("user_id", "users.id"),)),),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.BACKUPS,),
)
