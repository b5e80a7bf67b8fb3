"""How the server itself keeps its promises: periods in force, files still to be removed, notices published, breaches
noticed. Nothing here says anything about anybody. Times are UTC milliseconds."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Text

from pymeet.db.inventory import Basis, Category, EraseRow, Keep, KeepWith, Lasting, not_personal, table
from pymeet.db.schema.base import metadata


def _plain(name: str, kind: Any, *more: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, *more, info=not_personal(), **options)


def _said(purpose: str) -> dict[str, Any]:
    """What tables without personal data have in common."""
    return {
        "category": Category.OPERATION,
        "purpose": purpose,
        "basis": Basis.LEGAL_OBLIGATION,
        "subject": (),
        "erase": EraseRow.COLUMNS,
    }


retention_periods = table(
    "retention_periods",
    metadata,
    _plain("id", Integer, primary_key=True, autoincrement=True),
    _plain("class_name", Text, nullable=False),
    _plain("period_ms", BigInteger, nullable=True),
    _plain("decided_at_ms", BigInteger, nullable=False),
    _plain("in_force_from_ms", BigInteger, nullable=False),
    Index("ix_retention_periods_class_name", "class_name"),
    keep=(Lasting("Which period was in force when is part of the proof of deletion."),),
    **_said("To let a shortened period wait 72 hours, and to show which was in force when. NULL means without end."),
)

room_retention = table(
    "room_retention",
    metadata,
    _plain("room_id", Text, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
    _plain("class_name", Text, primary_key=True),
    _plain("in_force_from_ms", BigInteger, primary_key=True),
    _plain("period_ms", BigInteger, nullable=True),
    _plain("decided_at_ms", BigInteger, nullable=False),
    Index("ix_room_retention_room_id", "room_id"),
    keep=(KeepWith("rooms", "room_id"),),
    **_said(
        "To keep what belongs to one room for another time than elsewhere, inside the same bounds. NULL means as elsewhere."
    ),
)

pending_gone = table(
    "pending_gone",
    metadata,
    _plain("file_id", Text, primary_key=True),
    _plain("queued_at_ms", BigInteger, nullable=False),
    _plain("attempts", Integer, nullable=False, server_default="0"),
    _plain("error", Text, nullable=True),
    keep=(Lasting("Until the file is gone: a row leaves when its file has left the disk."),),
    **_said("To remove every file whose row was deleted, also when the disk or the power fails in between."),
)

clock_marks = table(
    "clock_marks",
    metadata,
    _plain("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True),
    _plain("wall_ms", BigInteger, nullable=False),
    _plain("boot_id", Text, nullable=False),
    _plain("boot_ms", BigInteger, nullable=False),
    keep=(Lasting("One row, overwritten by every sweep."),),
    **_said("To notice a clock that jumped before it deletes what is not due."),
)

notices = table(
    "notices",
    metadata,
    _plain("version", Integer, primary_key=True, autoincrement=True),
    _plain("published_at_ms", BigInteger, nullable=False),
    _plain("hash", Text, nullable=False),
    _plain("text", Text, nullable=False),
    _plain("needs_renewal", Boolean, nullable=False),
    keep=(Lasting("What people agreed to must be readable as long as any record of consent names it."),),
    **_said("To show which privacy notice was in force when, in every language."),
)

breaches = table(
    "breaches",
    metadata,
    _plain("id", Text, primary_key=True),
    _plain("noticed_at_ms", BigInteger, nullable=False),
    _plain("since_ms", BigInteger, nullable=False),
    _plain("until_ms", BigInteger, nullable=False),
    _plain("counts", Text, nullable=False),
    _plain("authority_told_at_ms", BigInteger, nullable=True),
    _plain("people_told_at_ms", BigInteger, nullable=True),
    Index("ix_breaches_noticed_at_ms", "noticed_at_ms"),
    keep=(Keep("breach", clock="noticed_at_ms"),),
    **_said("To document every breach (Article 33(5)) with numbers only, and to watch the 72 hours."),
)
