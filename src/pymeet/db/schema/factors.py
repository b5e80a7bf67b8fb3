"""What people prove besides a password who they are, and browsers that are known. Times are UTC milliseconds."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Text

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
    Subject,
    personal,
    secret,
    table,
)
from pymeet.db.schema.base import metadata

_MEMBER = Subject("member", (Hop("user_id", "users.id"),))


def _theirs(kind: Kind, *, provided: bool = False) -> dict[str, Any]:
    """The common case: the column dies with its row, and the person gets it in their export."""
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES, provided=provided)


def _whose(*, primary_key: bool = False) -> Column[str]:
    """The person whose row it is."""
    person = ForeignKey("users.id", ondelete="CASCADE")
    return Column("user_id", Text, person, primary_key=primary_key, nullable=False, info=_theirs(Kind.REFERENCE))


second_factors = table(
    "second_factors",
    metadata,
    _whose(primary_key=True),
    Column("totp_secret", Text, nullable=False, info=secret(reason="Whoever has it makes the codes.")),
    Column("last_step", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    category=Category.SIGN_IN,
    purpose="To check the codes that a member's authenticator app shows. The secret is encrypted.",
    basis=Basis.CONTRACT,
    subject=(_MEMBER,),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
)

recovery_codes = table(
    "recovery_codes",
    metadata,
    Column("code_hash", Text, primary_key=True, info=secret(reason="It stands for a code that grants access.")),
    _whose(),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Index("ix_recovery_codes_user_id", "user_id"),
    category=Category.SIGN_IN,
    purpose="To let a member in who has lost their second factor.",
    basis=Basis.CONTRACT,
    subject=(_MEMBER,),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
)

passkeys = table(
    "passkeys",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    _whose(),
    Column("name", Text, nullable=False, info=_theirs(Kind.NAME, provided=True)),
    Column("credential_id", Text, nullable=False, info=_theirs(Kind.REFERENCE)),
    Column("public_key", Text, nullable=False, info=_theirs(Kind.CREDENTIAL)),
    Column("sign_count", Integer, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("last_used_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Index("ix_passkeys_user_id", "user_id"),
    Index("ix_passkeys_credential_id", "credential_id", unique=True),
    category=Category.SIGN_IN,
    purpose="To check the signatures of a member's passkeys.",
    basis=Basis.CONTRACT,
    subject=(_MEMBER,),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
)

known_devices = table(
    "known_devices",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    _whose(),
    Column("token_hash", Text, nullable=False, info=secret(reason="It stands for a token that helps to get access.")),
    Column("name", Text, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("last_seen_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("expires_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("trusted_until_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Index("ix_known_devices_user_id", "user_id"),
    Index("ix_known_devices_token_hash", "token_hash"),
    Index("ix_known_devices_expires_at_ms", "expires_at_ms"),
    category=Category.SIGN_IN,
    purpose="To tell a member's own browser from a stranger's, and to ask for the second factor less often there.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(_MEMBER,),
    keep=(Keep("session", clock="expires_at_ms"),),
    erase=EraseRow.DELETE,
)
