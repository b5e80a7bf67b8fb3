"""Rooms, who was in them, and what was written there. Times are UTC milliseconds."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Text

from pymeet.db.inventory import (
    Anchor,
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
    Unreachable,
    not_personal,
    personal,
    secret,
    table,
)
from pymeet.db.schema.base import metadata
from pymeet.db.schema.words import one_of

WAITING_ROOMS = ("off", "guests", "everybody")
MAY_SHARE = ("everybody", "members", "hosts")
MAY_RECORD = ("hosts", "nobody")


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
    Column("guests", Boolean, nullable=True, info=not_personal()),
    Column("waiting_room", Text, nullable=False, server_default="off", info=not_personal()),
    Column("capacity", Integer, nullable=True, info=not_personal()),
    Column("may_share", Text, nullable=False, server_default="everybody", info=not_personal()),
    Column("may_record", Text, nullable=False, server_default="hosts", info=not_personal()),
    Column("chat_history", Boolean, nullable=False, server_default="1", info=not_personal()),
    Column("chat_limit", Integer, nullable=True, info=not_personal()),
    # since when it has been this owner's; NULL where it always was
    Column("owner_since_ms", BigInteger, nullable=True, info=not_personal()),
    one_of("waiting_room", WAITING_ROOMS),
    one_of("may_share", MAY_SHARE),
    one_of("may_record", MAY_RECORD),
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

room_passwords = table(
    "room_passwords",
    metadata,
    Column("room_id", Text, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True, info=not_personal()),
    Column(
        "password_hash",
        Text,
        nullable=False,
        info=secret(reason="It opens the room; the password itself cannot be read from it."),
    ),
    category=Category.ROOM,
    purpose="To let only those into a room who know its password.",
    basis=Basis.CONTRACT,
    # Where it went with the owner, a room that others still use would be open to strangers.
    subject=(Unreachable("who chose it", "It is the room's and names nobody, and stays when an owner goes."),),
    keep=(KeepWith("rooms", "room_id"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.BACKUPS,),
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
    Column("is_private", Boolean, nullable=False, server_default="0", info=not_personal()),
    Column("edited_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
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

# The text of a private message is its author's alone, and goes with them; that it was written to somebody is about them as
# well. It stays private when this row is gone.
message_recipients = table(
    "message_recipients",
    metadata,
    Column(
        "message",
        Integer,
        ForeignKey("messages.sequence", ondelete="CASCADE"),
        primary_key=True,
        info=not_personal(),
    ),
    Column("participant_id", Text, nullable=False, info=_theirs(Kind.REFERENCE)),
    Column("user_id", Text, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, info=_theirs(Kind.REFERENCE)),
    Column("at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Index("ix_message_recipients_user_id", "user_id"),
    Index("ix_message_recipients_participant_id", "participant_id"),
    category=Category.CHAT,
    purpose="To show a private message to the one it was written to.",
    basis=Basis.CONTRACT,
    subject=(
        Subject("recipient", (Hop("user_id", "users.id"),)),
        Subject("guest", (Hop("participant_id", "attendance.participant_id"),), Anchor.GUEST),
    ),
    keep=(KeepWith("messages", "message"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.BACKUPS,),
)
