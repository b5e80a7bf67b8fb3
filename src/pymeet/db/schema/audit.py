"""What was done to accounts and rooms, by whom: random ids and fixed words, never free text."""

from sqlalchemy import BigInteger, Column, Index, Integer, Text

from pymeet.db.inventory import (
    Basis,
    Category,
    Erase,
    EraseRow,
    Export,
    Hop,
    Keep,
    Kind,
    Subject,
    days,
    not_personal,
    personal,
    table,
)
from pymeet.db.schema.base import metadata

_STAYS = "An account of what was done must not change; once the account is erased, the random id leads to nobody."

audit_log = table(
    "audit_log",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True, info=not_personal()),
    Column(
        "at_ms",
        BigInteger,
        nullable=False,
        info=personal(Kind.ACTIVITY, erase=Erase.KEEP, export=Export.YES, reason=_STAYS),
    ),
    Column(
        "actor",
        Text,
        nullable=False,
        info=personal(Kind.REFERENCE, erase=Erase.KEEP, export=Export.YES, reason=_STAYS),
    ),
    Column("action", Text, nullable=False, info=not_personal()),
    Column(
        "target",
        Text,
        nullable=False,
        info=personal(Kind.REFERENCE, erase=Erase.KEEP, export=Export.YES, reason=_STAYS),
    ),
    Index("ix_audit_log_at_ms", "at_ms"),
    Index("ix_audit_log_actor", "actor"),
    Index("ix_audit_log_target", "target"),
    category=Category.ACCOUNTABILITY,
    purpose="To answer who did what to accounts and rooms.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(
        Subject("actor", (Hop("actor", "users.id"),)),
        Subject("person concerned", (Hop("target", "users.id"),)),
    ),
    keep=(
        Keep(
            "audit",
            clock="at_ms",
            begins="it was done",
            default_ms=days(365),
            min_ms=days(180),
            max_ms=days(3650),
        ),
    ),
    erase=EraseRow.COLUMNS,
    sqlite_autoincrement=True,
)
