"""Groups of members, and recordings that are shared with whole groups. Times are UTC milliseconds."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Text

from pymeet.db.inventory import (
    Basis,
    Category,
    Erase,
    EraseRow,
    Export,
    Hop,
    KeepWith,
    Kind,
    Lasting,
    Recipient,
    Subject,
    not_personal,
    personal,
    table,
)
from pymeet.db.schema.base import metadata

_IN_GROUP = Hop("user_id", "users.id")

groups = table(
    "groups",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    Column("name", Text, nullable=False, info=not_personal()),
    Column("description", Text, nullable=False, info=not_personal()),
    Column("created_at_ms", BigInteger, nullable=False, info=not_personal()),
    Index("ix_groups_name", "name", unique=True),
    category=Category.ACCOUNT,
    purpose="To name several members at once, where they are invited or something is shared with them.",
    basis=Basis.CONTRACT,
    # So that an export tells members what the groups are called which they are in.
    subject=(Subject("member of the group", (Hop("id", "group_members.group_id"), _IN_GROUP)),),
    keep=(Lasting("A group names nobody by itself; an administrator deletes it."),),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.GROUP, Recipient.ADMINISTRATORS, Recipient.BACKUPS),
)

group_members = table(
    "group_members",
    metadata,
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, info=not_personal()),
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="CASCADE"),
        primary_key=True,
        info=personal(Kind.REFERENCE, erase=Erase.WITH_ROW, export=Export.YES),
    ),
    Column(
        "added_at_ms",
        BigInteger,
        nullable=False,
        info=personal(Kind.ACTIVITY, erase=Erase.WITH_ROW, export=Export.YES),
    ),
    Index("ix_group_members_group_id", "group_id"),
    Index("ix_group_members_user_id", "user_id"),
    category=Category.ACCOUNT,
    purpose="To know who is in a group.",
    basis=Basis.CONTRACT,
    subject=(Subject("member", (_IN_GROUP,)),),
    keep=(KeepWith("groups", "group_id"), KeepWith("users", "user_id")),
    erase=EraseRow.DELETE,
    recipients=(Recipient.GROUP, Recipient.ADMINISTRATORS, Recipient.BACKUPS),
)

recording_group_shares = table(
    "recording_group_shares",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    Column("recording_id", Text, ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False, info=not_personal()),
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), nullable=False, info=not_personal()),
    Column("made_at_ms", BigInteger, nullable=False, info=not_personal()),
    Index("ix_recording_group_shares_recording_id_group_id", "recording_id", "group_id", unique=True),
    Index("ix_recording_group_shares_group_id", "group_id"),
    category=Category.RECORDING,
    purpose="To let everybody who is in a group watch a recording.",
    basis=Basis.CONSENT,
    subject=(Subject("member of a group it is shared with", (Hop("group_id", "group_members.group_id"), _IN_GROUP)),),
    keep=(KeepWith("recordings", "recording_id"), KeepWith("groups", "group_id")),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.GROUP, Recipient.HOST, Recipient.OWNER, Recipient.BACKUPS),
)
