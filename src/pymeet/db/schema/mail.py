"""Mails on their way out. Times are UTC milliseconds."""

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
    Kind,
    Recipient,
    Subject,
    Unreachable,
    not_personal,
    personal,
    table,
)
from pymeet.db.schema.base import metadata


def _theirs(kind: Kind) -> dict[str, Any]:
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES)


mail_outbox = table(
    "mail_outbox",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=True, info=_theirs(Kind.REFERENCE)),
    Column("to_address", Text, nullable=False, info=_theirs(Kind.CONTACT)),
    Column("template", Text, nullable=False, info=not_personal()),
    Column("language", Text, nullable=False, info=not_personal()),
    Column(
        "template_values",
        Text,
        nullable=False,
        info=personal(
            Kind.CONTENT,
            erase=Erase.WITH_ROW,
            export=Export.NO,
            reason="It may hold a link that grants something; the mail itself has reached the person.",
        ),
    ),
    Column("created_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("next_at_ms", BigInteger, nullable=False, info=not_personal()),
    Column("attempts", Integer, nullable=False, server_default="0", info=not_personal()),
    Column("sent_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Column("failed_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Column("error", Text, nullable=True, info=not_personal()),
    Index("ix_mail_outbox_user_id", "user_id"),
    Index("ix_mail_outbox_next_at_ms", "next_at_ms"),
    Index("ix_mail_outbox_sent_at_ms", "sent_at_ms"),
    Index("ix_mail_outbox_failed_at_ms", "failed_at_ms"),
    category=Category.MAIL,
    purpose="To send what people must be told even when the mail server is away for a while.",
    basis=Basis.CONTRACT,
    subject=(
        Subject("member", (Hop("user_id", "users.id"),)),
        Unreachable("recipient without account", "They are found by their address, which is part of the row."),
    ),
    keep=(Keep("mail_sent", clock="sent_at_ms"), Keep("mail_failed", clock="failed_at_ms")),
    erase=EraseRow.DELETE,
    recipients=(Recipient.MAIL_SERVER, Recipient.ADMINISTRATORS, Recipient.BACKUPS),
)
