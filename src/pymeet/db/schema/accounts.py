"""People with an account, how they prove who they are, and where they are signed in. Times are UTC milliseconds."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Text

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
    Purge,
    Recipient,
    Subject,
    Unreachable,
    not_personal,
    personal,
    sealed_file,
    secret,
    table,
)
from pymeet.db.schema.base import metadata
from pymeet.db.schema.words import one_of

THEMES = ("system", "light", "dark", "contrast")

_MEMBER = Subject("member", (Hop("user_id", "users.id"),))


def _theirs(kind: Kind, *, provided: bool = False) -> dict[str, Any]:
    """The common case: the column dies with its row, and the person gets it in their export."""
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES, provided=provided)


users = table(
    "users",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    Column("name", Text, nullable=False, info=_theirs(Kind.NAME, provided=True)),
    Column("email", Text, nullable=False, info=_theirs(Kind.CONTACT, provided=True)),
    Column("is_admin", Boolean, nullable=False, info=_theirs(Kind.ROLE)),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("last_seen_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("disabled_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Column("is_dpo", Boolean, nullable=False, server_default="0", info=_theirs(Kind.ROLE)),
    Column("language", Text, nullable=True, info=_theirs(Kind.ROLE)),
    Column("time_zone", Text, nullable=True, info=_theirs(Kind.ROLE)),
    Column("theme", Text, nullable=True, info=_theirs(Kind.ROLE)),
    one_of("theme", THEMES),
    Index("ix_users_email", "email", unique=True),
    Index("ix_users_last_seen_at_ms", "last_seen_at_ms"),
    category=Category.ACCOUNT,
    purpose="To know members and administrators and to let them make rooms.",
    basis=Basis.CONTRACT,
    subject=(Subject("member"),),
    keep=(Keep("account", clock="last_seen_at_ms", purge=Purge.ERASE),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.ADMINISTRATORS, Recipient.BACKUPS),
)

avatars = table(
    "avatars",
    metadata,
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="CASCADE"),
        primary_key=True,
        info=_theirs(Kind.REFERENCE),
    ),
    Column("file_id", Text, nullable=True, info=sealed_file()),
    Column("changed_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    category=Category.ACCOUNT,
    purpose="To show the picture that a member chose to other members, and to those in a room with them.",
    basis=Basis.CONTRACT,
    subject=(_MEMBER,),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.MEMBERS, Recipient.ROOM, Recipient.BACKUPS),
)

user_credentials = table(
    "user_credentials",
    metadata,
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="CASCADE"),
        primary_key=True,
        info=_theirs(Kind.REFERENCE),
    ),
    Column("password_hash", Text, nullable=False, info=secret(reason="It would help somebody to guess the password.")),
    Column("changed_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    category=Category.SIGN_IN,
    purpose="To check a member's password.",
    basis=Basis.CONTRACT,
    subject=(_MEMBER,),
    keep=(KeepWith("users", "user_id"),),
    erase=EraseRow.DELETE,
)

sessions = table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True, info=secret(reason="It stands for a token that grants access.")),
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="CASCADE"),
        nullable=False,
        info=_theirs(Kind.REFERENCE),
    ),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("last_seen_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("expires_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("id", Text, nullable=False, info=_theirs(Kind.REFERENCE)),
    Column("device", Text, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_id", "id", unique=True),
    Index("ix_sessions_expires_at_ms", "expires_at_ms"),
    category=Category.SIGN_IN,
    purpose="To know a signed-in member again.",
    basis=Basis.CONTRACT,
    subject=(_MEMBER,),
    keep=(Keep("session", clock="expires_at_ms"),),
    erase=EraseRow.DELETE,
)

one_time_links = table(
    "one_time_links",
    metadata,
    Column("token_hash", Text, primary_key=True, info=secret(reason="It stands for a token that grants access.")),
    Column("purpose", Text, nullable=False, info=not_personal()),
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="CASCADE"),
        nullable=True,
        info=_theirs(Kind.REFERENCE),
    ),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("expires_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Column("email", Text, nullable=True, info=_theirs(Kind.CONTACT)),
    Index("ix_one_time_links_user_id", "user_id"),
    Index("ix_one_time_links_email", "email"),
    Index("ix_one_time_links_expires_at_ms", "expires_at_ms"),
    category=Category.SIGN_IN,
    purpose="To let somebody in who proves by mail who they are: to set a password, sign in, register or change an address.",
    basis=Basis.CONTRACT,
    subject=(
        _MEMBER,
        Unreachable("first administrator", "The link that makes the first administrator belongs to nobody yet."),
        Unreachable("somebody who registers", "They have no account yet; their address is part of the row."),
    ),
    keep=(Keep("link", clock="expires_at_ms"),),
    erase=EraseRow.DELETE,
)
