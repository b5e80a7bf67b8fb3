"""Scheduled meetings, who is invited, and what people want of their calendar. Times are UTC milliseconds."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Text

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
    Lasting,
    Recipient,
    Subject,
    Unreachable,
    not_personal,
    personal,
    secret,
    table,
)
from pymeet.db.schema.base import metadata
from pymeet.db.schema.words import one_of

ANSWERS = ("none", "accepted", "tentative", "declined")


def _theirs(kind: Kind, *, provided: bool = False) -> dict[str, Any]:
    """The common case: the column dies with its row, and the person gets it in their export."""
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES, provided=provided)


meetings = table(
    "meetings",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    Column("room_id", Text, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, info=not_personal()),
    Column(
        "organiser_id",
        Text,
        ForeignKey("users.id", ondelete="CASCADE"),
        nullable=False,
        info=_theirs(Kind.REFERENCE),
    ),
    Column("title", Text, nullable=False, info=_theirs(Kind.CONTENT, provided=True)),
    Column("agenda", Text, nullable=False, info=_theirs(Kind.CONTENT, provided=True)),
    # The wall clock of the zone: `2027-03-28T09:00`, or `2027-03-28` for whole days. Instants follow from it.
    Column("starts_local", Text, nullable=False, info=not_personal()),
    Column("time_zone", Text, nullable=False, info=_theirs(Kind.ROLE, provided=True)),
    Column("duration_min", Integer, nullable=False, info=not_personal()),
    Column("rrule", Text, nullable=True, info=not_personal()),
    Column("sequence", Integer, nullable=False, server_default="0", info=not_personal()),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("changed_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("starts_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("ends_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    # The next occurrence that reminders look at; NULL when none is left.
    Column("next_at_ms", BigInteger, nullable=True, info=not_personal()),
    Index("ix_meetings_room_id", "room_id"),
    Index("ix_meetings_organiser_id", "organiser_id"),
    Index("ix_meetings_ends_at_ms", "ends_at_ms"),
    Index("ix_meetings_next_at_ms", "next_at_ms"),
    category=Category.MEETING,
    purpose="To plan meetings, and to tell everybody invited when and where they are.",
    basis=Basis.CONTRACT,
    subject=(Subject("organiser", (Hop("organiser_id", "users.id"),)),),
    keep=(Keep("meeting", clock="ends_at_ms"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.INVITED, Recipient.MAIL_SERVER, Recipient.BACKUPS),
)

meeting_exceptions = table(
    "meeting_exceptions",
    metadata,
    Column("meeting_id", Text, ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True, info=not_personal()),
    # Which occurrence: the wall clock at which it would have begun.
    Column("recurrence_id", Text, primary_key=True, info=not_personal()),
    Column("cancelled", Boolean, nullable=False, info=not_personal()),
    Column("starts_local", Text, nullable=True, info=not_personal()),
    Column("duration_min", Integer, nullable=True, info=not_personal()),
    Index("ix_meeting_exceptions_meeting_id", "meeting_id"),
    category=Category.MEETING,
    purpose="To move or cancel one meeting of a series.",
    basis=Basis.CONTRACT,
    subject=(),
    keep=(KeepWith("meetings", "meeting_id"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.INVITED, Recipient.BACKUPS),
)

invitees = table(
    "invitees",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    Column("meeting_id", Text, ForeignKey("meetings.id", ondelete="CASCADE"), nullable=False, info=not_personal()),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=True, info=_theirs(Kind.REFERENCE)),
    Column("email", Text, nullable=False, info=_theirs(Kind.CONTACT)),
    Column("language", Text, nullable=False, info=not_personal()),
    Column("answer", Text, nullable=False, server_default="none", info=_theirs(Kind.ACTIVITY)),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("answered_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    # Whoever was invited by a group is shown to its organiser by name, and not by address.
    Column("by_group", Boolean, nullable=False, server_default="0", info=not_personal()),
    one_of("answer", ANSWERS),
    Index("ix_invitees_meeting_id_email", "meeting_id", "email", unique=True),
    Index("ix_invitees_user_id", "user_id"),
    Index("ix_invitees_email", "email"),
    category=Category.MEETING,
    purpose="To invite people to a meeting, remind them, and tell its organiser who comes.",
    basis=Basis.CONTRACT,
    subject=(
        Subject("invited member", (Hop("user_id", "users.id"),)),
        Unreachable("invited person without account", "They are found by their address, which is part of the row."),
    ),
    keep=(KeepWith("meetings", "meeting_id"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.ORGANISER, Recipient.MAIL_SERVER, Recipient.BACKUPS),
)

calendar_feeds = table(
    "calendar_feeds",
    metadata,
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, info=_theirs(Kind.REFERENCE)),
    Column("secret_hash", Text, nullable=False, info=secret(reason="It stands for an address that shows a calendar.")),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Index("ix_calendar_feeds_secret_hash", "secret_hash", unique=True),
    category=Category.MEETING,
    purpose="To let a member's own calendar show their meetings.",
    basis=Basis.CONTRACT,
    subject=(Subject("member", (Hop("user_id", "users.id"),)),),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.BACKUPS,),
)

notification_settings = table(
    "notification_settings",
    metadata,
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, info=_theirs(Kind.REFERENCE)),
    Column("mail", Boolean, nullable=False, info=_theirs(Kind.ROLE, provided=True)),
    Column("reminder_min", Integer, nullable=True, info=_theirs(Kind.ROLE, provided=True)),
    category=Category.MEETING,
    purpose="To send members the mails about meetings that they want, and no others.",
    basis=Basis.CONTRACT,
    subject=(Subject("member", (Hop("user_id", "users.id"),)),),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.BACKUPS,),
)

personal_rooms = table(
    "personal_rooms",
    metadata,
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, info=_theirs(Kind.REFERENCE)),
    Column("room_id", Text, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, info=not_personal()),
    Index("ix_personal_rooms_room_id", "room_id"),
    category=Category.ROOM,
    purpose="To know which room is a member's personal one.",
    basis=Basis.CONTRACT,
    subject=(Subject("member", (Hop("user_id", "users.id"),)),),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.BACKUPS,),
)

reminder_marks = table(
    "reminder_marks",
    metadata,
    Column("id", Integer, primary_key=True, info=not_personal()),
    Column("until_ms", BigInteger, nullable=False, info=not_personal()),
    category=Category.MEETING,
    purpose="To know until when reminders were sent, so that none is sent twice.",
    basis=Basis.CONTRACT,
    subject=(),
    keep=(Lasting("One row, overwritten at every look."),),
    erase=EraseRow.DELETE,
)
