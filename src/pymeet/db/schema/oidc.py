"""Accounts at the organisation's own OpenID provider, and the sessions that began there. Times are UTC milliseconds."""

from typing import Any

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
    Subject,
    personal,
    secret,
    table,
)
from pymeet.db.schema.base import metadata

_MEMBER = Subject("member", (Hop("user_id", "users.id"),))


def _theirs(kind: Kind) -> dict[str, Any]:
    """The common case: the column dies with its row, and the person gets it in their export."""
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES)


def _whose() -> Column[str]:
    """The person whose row it is."""
    person = ForeignKey("users.id", ondelete="CASCADE")
    return Column("user_id", Text, person, nullable=False, info=_theirs(Kind.REFERENCE))


identities = table(
    "identities",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    _whose(),
    Column("issuer", Text, nullable=False, info=_theirs(Kind.CREDENTIAL)),
    Column("subject", Text, nullable=False, info=_theirs(Kind.CREDENTIAL)),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("last_used_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Index("ix_identities_user_id", "user_id"),
    Index("ix_identities_subject", "subject", "issuer", unique=True),
    category=Category.SIGN_IN,
    purpose="To let a member sign in with their account at the organisation's OpenID provider.",
    basis=Basis.CONTRACT,
    subject=(_MEMBER,),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
)

provider_sessions = table(
    "provider_sessions",
    metadata,
    Column(
        "session_id",
        Text,
        ForeignKey("sessions.id", ondelete="CASCADE"),
        primary_key=True,
        info=_theirs(Kind.REFERENCE),
    ),
    _whose(),
    Column(
        "identity_id",
        Text,
        ForeignKey("identities.id", ondelete="CASCADE"),
        nullable=False,
        info=_theirs(Kind.REFERENCE),
    ),
    Column("provider_session", Text, nullable=True, info=_theirs(Kind.CREDENTIAL)),
    Column("id_token", Text, nullable=True, info=secret(reason="It helps to end the session at the provider.")),
    Column("confirmed_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Index("ix_provider_sessions_user_id", "user_id"),
    Index("ix_provider_sessions_identity_id", "identity_id"),
    category=Category.SIGN_IN,
    purpose="To end a session here and at the OpenID provider together, and to know who showed there a moment ago who they are.",
    basis=Basis.CONTRACT,
    subject=(_MEMBER,),
    keep=(KeepWith("sessions", "session_id"),),
    erase=EraseRow.DELETE,
)
