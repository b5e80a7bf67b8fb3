"""Tokens by which programs use the interface in a member's name. Times are UTC milliseconds."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Text

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
    personal,
    secret,
    table,
)
from pymeet.db.schema.base import metadata


def _theirs(kind: Kind, *, provided: bool = False) -> dict[str, Any]:
    """The common case: the column dies with its row, and the person gets it in their export."""
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES, provided=provided)


api_tokens = table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="CASCADE"),
        nullable=False,
        info=_theirs(Kind.REFERENCE),
    ),
    Column("token_hash", Text, nullable=False, info=secret(reason="It stands for a token that grants access.")),
    Column("name", Text, nullable=False, info=_theirs(Kind.CONTENT, provided=True)),
    Column("scopes", Text, nullable=False, info=_theirs(Kind.ROLE)),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("expires_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("last_used_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Index("ix_api_tokens_user_id", "user_id"),
    Index("ix_api_tokens_token_hash", "token_hash", unique=True),
    Index("ix_api_tokens_expires_at_ms", "expires_at_ms"),
    category=Category.SIGN_IN,
    purpose="To let a member's programs do what the member allowed them.",
    basis=Basis.CONTRACT,
    subject=(Subject("member", (Hop("user_id", "users.id"),)),),
    keep=(Keep("token", clock="expires_at_ms"),),
    erase=EraseRow.DELETE,
)
