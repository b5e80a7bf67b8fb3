"""What people asked for, agreed to and objected to; what must not be deleted yet; archives made for people.

No column takes free text: words come from fixed lists that the database itself enforces. Times are UTC milliseconds.
"""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Text

from pymeet.db.inventory import (
    Anchor,
    Basis,
    Category,
    Erase,
    EraseRow,
    Export,
    Hop,
    Keep,
    KeepWith,
    Kind,
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

RIGHTS = ("access", "rectification", "erasure", "restriction", "portability", "objection", "withdrawal")
STATES = ("requested", "verified", "restricted", "erasing", "partial", "done", "refused", "cancelled")
ORIGINS = ("self", "guest", "operator", "inactivity")
DECISIONS = ("granted", "granted_in_part", "nothing_held", "not_identified", "unfounded", "legal_duty", "withdrawn")
EXTENSIONS = ("complexity", "number_of_requests")
LIMITS = ("erasure", "restriction", "objection")
HOLD_REASONS = ("legal_claim", "legal_duty", "authority_request", "investigation")
CONSENT_PURPOSES = ("privacy_notice", "recording", "transcript", "streaming", "summary")
CONSENT_DECISIONS = ("given", "refused", "withdrawn", "acknowledged")
CONSENT_METHODS = ("joining", "dialog", "settings", "receipt", "operator")
EXPORT_STATES = ("building", "ready", "failed", "fetched")

_MEMBER = Subject("member", (Hop("user_id", "users.id"),))
_GUEST = Subject("guest", (Hop("participant_id", "attendance.participant_id"),), Anchor.GUEST)
_PROOF = "It proves that the request was answered, and leads to nobody once the person is erased."
_RECORD = "It proves that somebody agreed (Article 7(1)), and leads to nobody once the person is erased."


def _theirs(kind: Kind, *, provided: bool = False) -> dict[str, Any]:
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES, provided=provided)


def _proof(kind: Kind) -> dict[str, Any]:
    return personal(kind, erase=Erase.KEEP, export=Export.YES, reason=_PROOF)


def _record(kind: Kind) -> dict[str, Any]:
    return personal(kind, erase=Erase.KEEP, export=Export.YES, reason=_RECORD)


def _cut() -> dict[str, Any]:
    """A link to the person, which erasing cuts."""
    return personal(Kind.REFERENCE, erase=Erase.CLEAR, export=Export.YES)


def _user(info: dict[str, Any], ondelete: str = "CASCADE") -> Column[Any]:
    return Column("user_id", Text, ForeignKey("users.id", ondelete=ondelete), nullable=True, info=info)


requests = table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True, info=_proof(Kind.REFERENCE)),
    Column("right", Text, nullable=False, info=not_personal()),
    Column("origin", Text, nullable=False, info=not_personal()),
    _user(_cut(), "SET NULL"),
    Column("participant_id", Text, nullable=True, info=_cut()),
    Column("received_at_ms", BigInteger, nullable=False, info=_proof(Kind.ACTIVITY)),
    Column("due_at_ms", BigInteger, nullable=False, info=not_personal()),
    Column("extended_at_ms", BigInteger, nullable=True, info=not_personal()),
    Column("extension_reason", Text, nullable=True, info=not_personal()),
    Column("reminded_at_ms", BigInteger, nullable=True, info=not_personal()),
    Column("state", Text, nullable=False, info=not_personal()),
    Column("decision", Text, nullable=True, info=not_personal()),
    Column("not_before_ms", BigInteger, nullable=True, info=not_personal()),
    Column("closed_at_ms", BigInteger, nullable=True, info=_proof(Kind.ACTIVITY)),
    Column("result", Text, nullable=True, info=not_personal()),
    one_of("right", RIGHTS),
    one_of("origin", ORIGINS),
    one_of("state", STATES),
    one_of("decision", DECISIONS),
    one_of("extension_reason", EXTENSIONS),
    Index("ix_requests_user_id", "user_id"),
    Index("ix_requests_participant_id", "participant_id"),
    Index("ix_requests_state", "state"),
    Index("ix_requests_closed_at_ms", "closed_at_ms"),
    category=Category.RIGHTS,
    purpose="To answer every request about personal data in time, and to prove it.",
    basis=Basis.LEGAL_OBLIGATION,
    subject=(_MEMBER, _GUEST),
    keep=(Keep("request", clock="closed_at_ms"),),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.ADMINISTRATORS, Recipient.PRIVACY_OFFICERS, Recipient.BACKUPS),
)

request_events = table(
    "request_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True, info=not_personal()),
    Column("request_id", Text, ForeignKey("requests.id", ondelete="CASCADE"), nullable=False, info=not_personal()),
    Column("at_ms", BigInteger, nullable=False, info=_proof(Kind.ACTIVITY)),
    Column("state", Text, nullable=False, info=not_personal()),
    one_of("state", STATES),
    Index("ix_request_events_request_id", "request_id"),
    category=Category.RIGHTS,
    purpose="To show when a request went which step.",
    basis=Basis.LEGAL_OBLIGATION,
    subject=(
        Subject("member", (Hop("request_id", "requests.id"), Hop("user_id", "users.id"))),
        Subject(
            "guest",
            (Hop("request_id", "requests.id"), Hop("participant_id", "attendance.participant_id")),
            Anchor.GUEST,
        ),
    ),
    keep=(KeepWith("requests", "request_id"),),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.ADMINISTRATORS, Recipient.PRIVACY_OFFICERS, Recipient.BACKUPS),
)

processing_limits = table(
    "processing_limits",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    _user(_theirs(Kind.REFERENCE)),
    Column("participant_id", Text, nullable=True, info=_theirs(Kind.REFERENCE)),
    Column("cause", Text, nullable=False, info=not_personal()),
    Column("request_id", Text, ForeignKey("requests.id", ondelete="SET NULL"), nullable=True, info=not_personal()),
    Column("from_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("lifted_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    one_of("cause", LIMITS),
    Index("ix_processing_limits_user_id", "user_id"),
    Index("ix_processing_limits_participant_id", "participant_id"),
    Index("ix_processing_limits_request_id", "request_id"),
    Index("ix_processing_limits_lifted_at_ms", "lifted_at_ms"),
    category=Category.RIGHTS,
    purpose="To stop using what a person restricted, objected to or wants erased (Articles 17, 18 and 21).",
    basis=Basis.LEGAL_OBLIGATION,
    subject=(_MEMBER, _GUEST),
    keep=(Keep("request", clock="lifted_at_ms"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.ADMINISTRATORS, Recipient.PRIVACY_OFFICERS, Recipient.BACKUPS),
)

holds = table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    _user(_theirs(Kind.REFERENCE)),
    Column("participant_id", Text, nullable=True, info=_theirs(Kind.REFERENCE)),
    Column("room_id", Text, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=True, info=not_personal()),
    Column("reason", Text, nullable=False, info=not_personal()),
    Column("placed_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("review_at_ms", BigInteger, nullable=False, info=not_personal()),
    Column("released_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Column("recording_id", Text, ForeignKey("recordings.id", ondelete="CASCADE"), nullable=True, info=not_personal()),
    one_of("reason", HOLD_REASONS),
    Index("ix_holds_user_id", "user_id"),
    Index("ix_holds_participant_id", "participant_id"),
    Index("ix_holds_room_id", "room_id"),
    Index("ix_holds_recording_id", "recording_id"),
    Index("ix_holds_released_at_ms", "released_at_ms"),
    category=Category.RIGHTS,
    purpose="To keep what a court or a legal duty asks for; a hold ends only when somebody who may ends it.",
    basis=Basis.LEGAL_OBLIGATION,
    subject=(_MEMBER, _GUEST),
    keep=(Keep("request", clock="released_at_ms"),),
    erase=EraseRow.DELETE,
    recipients=(Recipient.ADMINISTRATORS, Recipient.PRIVACY_OFFICERS, Recipient.BACKUPS),
)

consents = table(
    "consents",
    metadata,
    Column("id", Text, primary_key=True, info=_record(Kind.REFERENCE)),
    _user(_cut(), "SET NULL"),
    Column("participant_id", Text, nullable=True, info=_cut()),
    Column("purpose", Text, nullable=False, info=not_personal()),
    Column("object_id", Text, nullable=True, info=not_personal()),
    Column("decision", Text, nullable=False, info=not_personal()),
    Column("method", Text, nullable=False, info=not_personal()),
    Column("notice_version", Integer, nullable=False, info=not_personal()),
    Column("notice_hash", Text, nullable=False, info=not_personal()),
    Column("language", Text, nullable=False, info=_record(Kind.ACTIVITY)),
    Column("at_ms", BigInteger, nullable=False, info=_record(Kind.ACTIVITY)),
    Column("keep_from_ms", BigInteger, nullable=False, info=not_personal()),
    one_of("purpose", CONSENT_PURPOSES),
    one_of("decision", CONSENT_DECISIONS),
    one_of("method", CONSENT_METHODS),
    Index("ix_consents_user_id", "user_id"),
    Index("ix_consents_participant_id", "participant_id"),
    Index("ix_consents_keep_from_ms", "keep_from_ms"),
    Index("ix_consents_object_id", "object_id"),
    category=Category.RIGHTS,
    purpose="To prove who agreed to what, when, and after reading which text.",
    basis=Basis.LEGAL_OBLIGATION,
    subject=(_MEMBER, _GUEST),
    keep=(Keep("consent", clock="keep_from_ms"),),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.ADMINISTRATORS, Recipient.PRIVACY_OFFICERS, Recipient.BACKUPS),
)

exports = table(
    "exports",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    _user(_theirs(Kind.REFERENCE)),
    Column("participant_id", Text, nullable=True, info=_theirs(Kind.REFERENCE)),
    Column("request_id", Text, ForeignKey("requests.id", ondelete="SET NULL"), nullable=True, info=not_personal()),
    Column("state", Text, nullable=False, info=not_personal()),
    Column("file_id", Text, nullable=True, info=sealed_file()),
    Column(
        "token_hash",
        Text,
        nullable=True,
        info=secret(reason="It stands for the link by which the archive is fetched."),
    ),
    Column("size_bytes", BigInteger, nullable=True, info=not_personal()),
    Column("downloads_left", Integer, nullable=False, info=not_personal()),
    Column("requested_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("ready_at_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Column("link_expires_at_ms", BigInteger, nullable=True, info=not_personal()),
    one_of("state", EXPORT_STATES),
    Index("ix_exports_user_id", "user_id"),
    Index("ix_exports_participant_id", "participant_id"),
    Index("ix_exports_request_id", "request_id"),
    Index("ix_exports_token_hash", "token_hash", unique=True),
    Index("ix_exports_requested_at_ms", "requested_at_ms"),
    category=Category.RIGHTS,
    purpose="To hand people their data.",
    basis=Basis.LEGAL_OBLIGATION,
    subject=(_MEMBER, _GUEST),
    keep=(Keep("export", clock="requested_at_ms"),),
    erase=EraseRow.DELETE,
)

erasure_ledger = table(
    "erasure_ledger",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True, info=not_personal()),
    Column(
        "subject_mark",
        Text,
        nullable=False,
        info=personal(
            Kind.REFERENCE,
            erase=Erase.KEEP,
            export=Export.NO,
            reason="A keyed hash by which the person is found again, and erased again, in a restored backup.",
        ),
    ),
    Column("anchor", Text, nullable=False, info=not_personal()),
    Column("cause", Text, nullable=False, info=not_personal()),
    Column("at_ms", BigInteger, nullable=False, info=not_personal()),
    Column("inventory", Text, nullable=False, info=not_personal()),
    CheckConstraint("anchor IN ('member', 'guest')", name="anchor_word"),
    one_of("cause", ORIGINS),
    Index("ix_erasure_ledger_subject_mark", "subject_mark"),
    Index("ix_erasure_ledger_at_ms", "at_ms"),
    category=Category.RIGHTS,
    purpose="To keep erased people erased when a backup is restored. A copy stands in a file outside the backups.",
    basis=Basis.LEGAL_OBLIGATION,
    subject=(Unreachable("erased person", "Only who has the server's key and the person's former id can tell."),),
    keep=(Keep("ledger", clock="at_ms"),),
    erase=EraseRow.COLUMNS,
    sqlite_autoincrement=True,
)
