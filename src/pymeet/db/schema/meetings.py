"""Rooms, who was in them, and what was written there. Times are UTC milliseconds."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Text

from pymeet.db.inventory import (
    Anchor,
    Basis,
    Category,
    Erase,
    EraseRow,
    Export,
    Hop,
    Keep,
    Kind,
    Recipient,
    Subject,
    not_personal,
    personal,
    table,
)
from pymeet.db.schema.base import metadata


def _theirs(kind: Kind, *, provided: bool = False) -> dict[str, Any]:
    """The common case: the column dies with its row, and the person gets it in their export."""
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES, provided=provided)


_ROOM_STAYS = "The room belongs to everybody who uses it; its owner renames or deletes it."

rooms = table(
    "rooms",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    Column(
        "slug",
        Text,
        nullable=False,
        info=personal(Kind.CONTENT, erase=Erase.KEEP, export=Export.YES, provided=True, reason=_ROOM_STAYS),
    ),
    Column(
        "name",
        Text,
        nullable=False,
        info=personal(Kind.CONTENT, erase=Erase.KEEP, export=Export.YES, provided=True, reason=_ROOM_STAYS),
    ),
    Column(
        "owner_id",
        Text,
        ForeignKey("users.id", ondelete="SET NULL"),
        nullable=True,
        info=personal(Kind.REFERENCE, erase=Erase.CLEAR, export=Export.YES),
    ),
    Column("created_at_ms", BigInteger, nullable=False, info=not_personal()),
    Column("deleted_at_ms", BigInteger, nullable=True, info=not_personal()),
    Index("ix_rooms_slug", "slug", unique=True),
    Index("ix_rooms_owner_id", "owner_id"),
    Index("ix_rooms_deleted_at_ms", "deleted_at_ms"),
    category=Category.ROOM,
    purpose="To give a meeting an address that lasts.",
    basis=Basis.CONTRACT,
    subject=(Subject("owner", (Hop("owner_id", "users.id"),)),),
    keep=(
        # Deleting a room empties it at once. What stays is its address, so that an old invitation cannot lead into a
        # stranger's new room.
        Keep("room_address", clock="deleted_at_ms"),
    ),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.ROOM, Recipient.ADMINISTRATORS, Recipient.BACKUPS),
)

attendance = table(
    "attendance",
    metadata,
    Column(
        "participant_id",
        Text,
        primary_key=True,
        info=personal(Kind.REFERENCE, erase=Erase.PSEUDONYM, export=Export.YES),
    ),
    Column("room_id", Text, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, info=not_personal()),
    Column(
        "name",
        Text,
        nullable=False,
        info=personal(Kind.NAME, erase=Erase.PSEUDONYM, export=Export.YES, provided=True),
    ),
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="SET NULL"),
        nullable=True,
        info=personal(Kind.REFERENCE, erase=Erase.CLEAR, export=Export.YES),
    ),
    Column("kind", Text, nullable=False, info=not_personal()),
    Column(
        "joined_at_ms",
        BigInteger,
        nullable=False,
        info=personal(Kind.ACTIVITY, erase=Erase.KEEP, export=Export.YES, reason="How many met when names nobody."),
    ),
    Column(
        "left_at_ms",
        BigInteger,
        nullable=True,
        info=personal(Kind.ACTIVITY, erase=Erase.KEEP, export=Export.YES, reason="How many met when names nobody."),
    ),
    Index("ix_attendance_room_id", "room_id"),
    Index("ix_attendance_user_id", "user_id"),
    Index("ix_attendance_left_at_ms", "left_at_ms"),
    category=Category.ATTENDANCE,
    purpose="To show a room's owner who took part.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(
        Subject("member", (Hop("user_id", "users.id"),)),
        Subject("guest", anchor=Anchor.GUEST),
    ),
    # The receipt of a guest leads through their seat to the recordings they are in.
    keep=(Keep("attendance", clock="left_at_ms", unless_named_by="recording_people.participant_id"),),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.ROOM, Recipient.OWNER, Recipient.BACKUPS),
)

messages = table(
    "messages",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True, info=not_personal()),
    Column("id", Text, nullable=False, info=_theirs(Kind.REFERENCE)),
    Column("room_id", Text, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, info=not_personal()),
    Column("participant_id", Text, nullable=False, info=_theirs(Kind.REFERENCE)),
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="SET NULL"),
        nullable=True,
        info=_theirs(Kind.REFERENCE),
    ),
    Column("name", Text, nullable=False, info=_theirs(Kind.NAME, provided=True)),
    Column("text", Text, nullable=False, info=_theirs(Kind.CONTENT, provided=True)),
    Column("at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Index("ix_messages_id", "id", unique=True),
    Index("ix_messages_room_id_sequence", "room_id", "sequence"),
    Index("ix_messages_user_id", "user_id"),
    Index("ix_messages_participant_id", "participant_id"),
    Index("ix_messages_at_ms", "at_ms"),
    category=Category.CHAT,
    purpose="To let people in a room write to each other and read it later.",
    basis=Basis.CONTRACT,
    subject=(
        Subject("author", (Hop("user_id", "users.id"),)),
        Subject("guest", (Hop("participant_id", "attendance.participant_id"),), Anchor.GUEST),
    ),
    keep=(Keep("chat", clock="at_ms"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.ROOM, Recipient.BACKUPS),
    sqlite_autoincrement=True,
)
