"""What was done, by whom: pseudonyms and fixed words, never free text, in a chain that shows every change made later.

Each event has a leaf, a hash over its payload, a random salt and its number; each leaf is chained to all before it. An
event's payload and salt can be removed without breaking the chain. Times are UTC milliseconds.
"""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, Text

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
    Purge,
    Recipient,
    Subject,
    not_personal,
    personal,
    table,
)
from pymeet.db.schema.base import metadata

_STAYS = "What was done must stay provable; once the account is erased, nothing leads from the pseudonym to anybody."


def _stays(kind: Kind) -> dict[str, Any]:
    return personal(kind, erase=Erase.KEEP, export=Export.YES, reason=_STAYS)


audit_people = table(
    "audit_people",
    metadata,
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="CASCADE"),
        primary_key=True,
        info=personal(Kind.REFERENCE, erase=Erase.WITH_ROW, export=Export.YES),
    ),
    Column(
        "pseudonym",
        Text,
        nullable=False,
        info=personal(Kind.REFERENCE, erase=Erase.WITH_ROW, export=Export.YES),
    ),
    Index("ix_audit_people_pseudonym", "pseudonym", unique=True),
    category=Category.ACCOUNTABILITY,
    purpose="To know who stands behind a random name in the audit log; erasing a person removes the link.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(Subject("member", (Hop("user_id", "users.id"),)),),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.ADMINISTRATORS, Recipient.BACKUPS),
)

audit_events = table(
    "audit_events",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True, info=not_personal()),
    Column("segment", Text, nullable=False, info=not_personal()),
    Column("at_ms", BigInteger, nullable=False, info=_stays(Kind.ACTIVITY)),
    Column("actor", Text, nullable=True, info=_stays(Kind.REFERENCE)),
    Column("action", Text, nullable=True, info=not_personal()),
    Column("target", Text, nullable=True, info=_stays(Kind.REFERENCE)),
    Column("detail", Text, nullable=True, info=not_personal()),
    Column("salt", LargeBinary, nullable=True, info=not_personal()),
    Column("leaf", LargeBinary, nullable=False, info=not_personal()),
    Column("chain", LargeBinary, nullable=False, info=not_personal()),
    Index("ix_audit_events_at_ms", "at_ms"),
    Index("ix_audit_events_segment", "segment"),
    Index("ix_audit_events_actor", "actor"),
    Index("ix_audit_events_target", "target"),
    category=Category.ACCOUNTABILITY,
    purpose="To answer who did what to accounts, rooms and other people's data, and to prove that nothing was changed since.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(
        Subject("actor", (Hop("actor", "audit_people.pseudonym"), Hop("user_id", "users.id"))),
        Subject("person concerned", (Hop("target", "audit_people.pseudonym"), Hop("user_id", "users.id"))),
    ),
    keep=(Keep("audit", clock="at_ms", purge=Purge.SEGMENT),),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.ADMINISTRATORS, Recipient.PRIVACY_OFFICERS, Recipient.BACKUPS),
    sqlite_autoincrement=True,
)

audit_anchors = table(
    "audit_anchors",
    metadata,
    Column("segment", Text, primary_key=True, info=not_personal()),
    Column("first_sequence", Integer, nullable=False, info=not_personal()),
    Column("last_sequence", Integer, nullable=False, info=not_personal()),
    Column("chain", LargeBinary, nullable=False, info=not_personal()),
    Column("mac", LargeBinary, nullable=False, info=not_personal()),
    Column("sealed_at_ms", BigInteger, nullable=False, info=not_personal()),
    category=Category.ACCOUNTABILITY,
    purpose="To verify what is left of the audit log after whole months of it were deleted.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(),
    keep=(Lasting("Without its anchors nobody could tell a month that was due from one that was made to vanish."),),
    erase=EraseRow.COLUMNS,
)

audit_head = table(
    "audit_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, info=not_personal()),
    Column("sequence", Integer, nullable=False, info=not_personal()),
    Column("chain", LargeBinary, nullable=False, info=not_personal()),
    Column("sealed_sequence", Integer, nullable=True, info=not_personal()),
    Column("sealed_chain", LargeBinary, nullable=True, info=not_personal()),
    Column("mac", LargeBinary, nullable=True, info=not_personal()),
    category=Category.ACCOUNTABILITY,
    purpose="To notice when the newest events were cut off: every few minutes the end of the chain is signed.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(),
    keep=(Lasting("One row, overwritten by every event."),),
    erase=EraseRow.COLUMNS,
)
