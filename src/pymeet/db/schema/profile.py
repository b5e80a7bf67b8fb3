"""Fields of the profile that administrators define, and what stands in them. Times are UTC milliseconds."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Text

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

_FILLED_IN = Hop("user_id", "users.id")


def _theirs(kind: Kind, *, provided: bool = False) -> dict[str, Any]:
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES, provided=provided)


profile_fields = table(
    "profile_fields",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    Column("label", Text, nullable=False, info=not_personal()),
    # Whether members fill it in themselves; administrators always can.
    Column("editable", Boolean, nullable=False, info=not_personal()),
    # Fields are shown in the order of this number.
    Column("place", Integer, nullable=False, info=not_personal()),
    Column("created_at_ms", BigInteger, nullable=False, info=not_personal()),
    category=Category.ACCOUNT,
    purpose="To ask members for what this server's administrators need to know of them.",
    basis=Basis.CONTRACT,
    # So that an export tells members what the fields are called that are filled in for them.
    subject=(Subject("member whose field is filled in", (Hop("id", "profile_values.field_id"), _FILLED_IN)),),
    keep=(Lasting("A field names nobody by itself; an administrator deletes it."),),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.ADMINISTRATORS, Recipient.BACKUPS),
)

profile_values = table(
    "profile_values",
    metadata,
    Column(
        "field_id", Text, ForeignKey("profile_fields.id", ondelete="CASCADE"), primary_key=True, info=not_personal()
    ),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, info=_theirs(Kind.REFERENCE)),
    Column("value", Text, nullable=False, info=_theirs(Kind.CONTENT, provided=True)),
    Column("changed_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Index("ix_profile_values_field_id", "field_id"),
    Index("ix_profile_values_user_id", "user_id"),
    category=Category.ACCOUNT,
    purpose="To tell this server's administrators what they asked for in a field of the profile.",
    basis=Basis.CONTRACT,
    subject=(Subject("member", (_FILLED_IN,)),),
    keep=(KeepWith("profile_fields", "field_id"), KeepWith("users", "user_id")),
    erase=EraseRow.DELETE,
    recipients=(Recipient.ADMINISTRATORS, Recipient.BACKUPS),
)
