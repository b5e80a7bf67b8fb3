"""Retention, the rights of data subjects, mail, and an audit log that is chained.

What the former audit log holds moves into the chain. The hashing stands here once more, because a migration must do the
same for ever, whatever becomes of the code around it.
"""

import hashlib
import json
import os
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from pymeet.ids import new_id

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE audit_anchors (
    segment TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    chain BLOB NOT NULL,
    mac BLOB NOT NULL,
    sealed_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_audit_anchors PRIMARY KEY (segment)
);

CREATE TABLE audit_events (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    segment TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT,
    action TEXT,
    target TEXT,
    detail TEXT,
    salt BLOB,
    leaf BLOB NOT NULL,
    chain BLOB NOT NULL
);

CREATE INDEX ix_audit_events_actor ON audit_events (actor);

CREATE INDEX ix_audit_events_at_ms ON audit_events (at_ms);

CREATE INDEX ix_audit_events_segment ON audit_events (segment);

CREATE INDEX ix_audit_events_target ON audit_events (target);

CREATE TABLE audit_head (
    id INTEGER NOT NULL CONSTRAINT ck_audit_head_one_row CHECK (id = 1),
    sequence INTEGER NOT NULL,
    chain BLOB NOT NULL,
    sealed_sequence INTEGER,
    sealed_chain BLOB,
    mac BLOB,
    CONSTRAINT pk_audit_head PRIMARY KEY (id)
);

CREATE TABLE breaches (
    id TEXT NOT NULL,
    noticed_at_ms BIGINT NOT NULL,
    since_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    counts TEXT NOT NULL,
    authority_told_at_ms BIGINT,
    people_told_at_ms BIGINT,
    CONSTRAINT pk_breaches PRIMARY KEY (id)
);

CREATE INDEX ix_breaches_noticed_at_ms ON breaches (noticed_at_ms);

CREATE TABLE clock_marks (
    id INTEGER NOT NULL CONSTRAINT ck_clock_marks_one_row CHECK (id = 1),
    wall_ms BIGINT NOT NULL,
    boot_id TEXT NOT NULL,
    boot_ms BIGINT NOT NULL,
    CONSTRAINT pk_clock_marks PRIMARY KEY (id)
);

CREATE TABLE erasure_ledger (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    subject_mark TEXT NOT NULL,
    anchor TEXT NOT NULL,
    cause TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    inventory TEXT NOT NULL,
    CONSTRAINT ck_erasure_ledger_anchor_word CHECK (anchor IN ('member', 'guest')),
    CONSTRAINT ck_erasure_ledger_cause_word CHECK (cause IN ('self', 'guest', 'operator', 'inactivity'))
);

CREATE INDEX ix_erasure_ledger_at_ms ON erasure_ledger (at_ms);

CREATE INDEX ix_erasure_ledger_subject_mark ON erasure_ledger (subject_mark);

CREATE TABLE notices (
    version INTEGER NOT NULL,
    published_at_ms BIGINT NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    needs_renewal BOOLEAN NOT NULL,
    CONSTRAINT pk_notices PRIMARY KEY (version)
);

CREATE TABLE pending_gone (
    file_id TEXT NOT NULL,
    queued_at_ms BIGINT NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    error TEXT,
    CONSTRAINT pk_pending_gone PRIMARY KEY (file_id)
);

CREATE TABLE retention_periods (
    id INTEGER NOT NULL,
    class_name TEXT NOT NULL,
    period_ms BIGINT,
    decided_at_ms BIGINT NOT NULL,
    in_force_from_ms BIGINT NOT NULL,
    CONSTRAINT pk_retention_periods PRIMARY KEY (id)
);

CREATE INDEX ix_retention_periods_class_name ON retention_periods (class_name);

CREATE TABLE audit_people (
    user_id TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    CONSTRAINT pk_audit_people PRIMARY KEY (user_id),
    CONSTRAINT fk_audit_people_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_audit_people_pseudonym ON audit_people (pseudonym);

CREATE TABLE consents (
    id TEXT NOT NULL,
    user_id TEXT,
    participant_id TEXT,
    purpose TEXT NOT NULL,
    object_id TEXT,
    decision TEXT NOT NULL,
    method TEXT NOT NULL,
    notice_version INTEGER NOT NULL,
    notice_hash TEXT NOT NULL,
    language TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    keep_from_ms BIGINT NOT NULL,
    CONSTRAINT pk_consents PRIMARY KEY (id),
    CONSTRAINT ck_consents_purpose_word CHECK (purpose IN (
        'privacy_notice', 'recording', 'transcript', 'streaming', 'summary'
    )),
    CONSTRAINT ck_consents_decision_word CHECK (decision IN ('given', 'refused', 'withdrawn', 'acknowledged')),
    CONSTRAINT ck_consents_method_word CHECK (method IN ('joining', 'dialog', 'settings', 'receipt', 'operator')),
    CONSTRAINT fk_consents_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL
);

CREATE INDEX ix_consents_keep_from_ms ON consents (keep_from_ms);

CREATE INDEX ix_consents_object_id ON consents (object_id);

CREATE INDEX ix_consents_participant_id ON consents (participant_id);

CREATE INDEX ix_consents_user_id ON consents (user_id);

CREATE TABLE mail_outbox (
    id TEXT NOT NULL,
    user_id TEXT,
    to_address TEXT NOT NULL,
    template TEXT NOT NULL,
    language TEXT NOT NULL,
    template_values TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    next_at_ms BIGINT NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    sent_at_ms BIGINT,
    failed_at_ms BIGINT,
    error TEXT,
    CONSTRAINT pk_mail_outbox PRIMARY KEY (id),
    CONSTRAINT fk_mail_outbox_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_mail_outbox_failed_at_ms ON mail_outbox (failed_at_ms);

CREATE INDEX ix_mail_outbox_next_at_ms ON mail_outbox (next_at_ms);

CREATE INDEX ix_mail_outbox_sent_at_ms ON mail_outbox (sent_at_ms);

CREATE INDEX ix_mail_outbox_user_id ON mail_outbox (user_id);

CREATE TABLE requests (
    id TEXT NOT NULL,
    "right" TEXT NOT NULL,
    origin TEXT NOT NULL,
    user_id TEXT,
    participant_id TEXT,
    received_at_ms BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    extended_at_ms BIGINT,
    extension_reason TEXT,
    reminded_at_ms BIGINT,
    state TEXT NOT NULL,
    decision TEXT,
    not_before_ms BIGINT,
    closed_at_ms BIGINT,
    result TEXT,
    CONSTRAINT pk_requests PRIMARY KEY (id),
    CONSTRAINT ck_requests_right_word CHECK (right IN (
        'access', 'rectification', 'erasure', 'restriction', 'portability', 'objection', 'withdrawal'
    )),
    CONSTRAINT ck_requests_origin_word CHECK (origin IN ('self', 'guest', 'operator', 'inactivity')),
    CONSTRAINT ck_requests_state_word CHECK (state IN (
        'requested', 'verified', 'restricted', 'erasing', 'partial', 'done', 'refused', 'cancelled'
    )),
    CONSTRAINT ck_requests_decision_word CHECK (decision IN (
        'granted', 'granted_in_part', 'nothing_held', 'not_identified', 'unfounded', 'legal_duty', 'withdrawn'
    )),
    CONSTRAINT ck_requests_extension_reason_word CHECK (extension_reason IN ('complexity', 'number_of_requests')),
    CONSTRAINT fk_requests_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL
);

CREATE INDEX ix_requests_closed_at_ms ON requests (closed_at_ms);

CREATE INDEX ix_requests_participant_id ON requests (participant_id);

CREATE INDEX ix_requests_state ON requests (state);

CREATE INDEX ix_requests_user_id ON requests (user_id);

CREATE TABLE exports (
    id TEXT NOT NULL,
    user_id TEXT,
    participant_id TEXT,
    request_id TEXT,
    state TEXT NOT NULL,
    file_id TEXT,
    token_hash TEXT,
    size_bytes BIGINT,
    downloads_left INTEGER NOT NULL,
    requested_at_ms BIGINT NOT NULL,
    ready_at_ms BIGINT,
    link_expires_at_ms BIGINT,
    CONSTRAINT pk_exports PRIMARY KEY (id),
    CONSTRAINT ck_exports_state_word CHECK (state IN ('building', 'ready', 'failed', 'fetched')),
    CONSTRAINT fk_exports_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_exports_request_id FOREIGN KEY(request_id) REFERENCES requests (id) ON DELETE SET NULL
);

CREATE INDEX ix_exports_participant_id ON exports (participant_id);

CREATE INDEX ix_exports_request_id ON exports (request_id);

CREATE INDEX ix_exports_requested_at_ms ON exports (requested_at_ms);

CREATE UNIQUE INDEX ix_exports_token_hash ON exports (token_hash);

CREATE INDEX ix_exports_user_id ON exports (user_id);

CREATE TABLE holds (
    id TEXT NOT NULL,
    user_id TEXT,
    participant_id TEXT,
    room_id TEXT,
    reason TEXT NOT NULL,
    placed_at_ms BIGINT NOT NULL,
    review_at_ms BIGINT NOT NULL,
    released_at_ms BIGINT,
    CONSTRAINT pk_holds PRIMARY KEY (id),
    CONSTRAINT ck_holds_reason_word CHECK (reason IN (
        'legal_claim', 'legal_duty', 'authority_request', 'investigation'
    )),
    CONSTRAINT fk_holds_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_holds_room_id FOREIGN KEY(room_id) REFERENCES rooms (id) ON DELETE CASCADE
);

CREATE INDEX ix_holds_participant_id ON holds (participant_id);

CREATE INDEX ix_holds_released_at_ms ON holds (released_at_ms);

CREATE INDEX ix_holds_room_id ON holds (room_id);

CREATE INDEX ix_holds_user_id ON holds (user_id);

CREATE TABLE processing_limits (
    id TEXT NOT NULL,
    user_id TEXT,
    participant_id TEXT,
    cause TEXT NOT NULL,
    request_id TEXT,
    from_ms BIGINT NOT NULL,
    lifted_at_ms BIGINT,
    CONSTRAINT pk_processing_limits PRIMARY KEY (id),
    CONSTRAINT ck_processing_limits_cause_word CHECK (cause IN ('erasure', 'restriction', 'objection')),
    CONSTRAINT fk_processing_limits_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_processing_limits_request_id FOREIGN KEY(request_id) REFERENCES requests (id) ON DELETE SET NULL
);

CREATE INDEX ix_processing_limits_lifted_at_ms ON processing_limits (lifted_at_ms);

CREATE INDEX ix_processing_limits_participant_id ON processing_limits (participant_id);

CREATE INDEX ix_processing_limits_request_id ON processing_limits (request_id);

CREATE INDEX ix_processing_limits_user_id ON processing_limits (user_id);

CREATE TABLE request_events (
    id INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    CONSTRAINT pk_request_events PRIMARY KEY (id),
    CONSTRAINT ck_request_events_state_word CHECK (state IN (
        'requested', 'verified', 'restricted', 'erasing', 'partial', 'done', 'refused', 'cancelled'
    )),
    CONSTRAINT fk_request_events_request_id FOREIGN KEY(request_id) REFERENCES requests (id) ON DELETE CASCADE
);

CREATE INDEX ix_request_events_request_id ON request_events (request_id);

CREATE TABLE room_retention (
    room_id TEXT NOT NULL,
    class_name TEXT NOT NULL,
    in_force_from_ms BIGINT NOT NULL,
    period_ms BIGINT,
    decided_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_room_retention PRIMARY KEY (room_id, class_name, in_force_from_ms),
    CONSTRAINT fk_room_retention_room_id FOREIGN KEY(room_id) REFERENCES rooms (id) ON DELETE CASCADE
);

CREATE INDEX ix_room_retention_room_id ON room_retention (room_id)
"""

_FIXED_WORDS = ("system", "operator")


def upgrade() -> None:
    for statement in _TABLES.split(";"):
        op.execute(statement)
    op.add_column("users", sa.Column("is_dpo", sa.Boolean(), server_default="0", nullable=False))
    _chain()
    op.drop_table("audit_log")


def _chain() -> None:
    """Gives people their pseudonyms and events their place in the chain."""
    connection = op.get_bind()
    people = {row[0]: new_id() for row in connection.execute(sa.text("SELECT id FROM users"))}
    for user_id, pseudonym in people.items():
        connection.execute(
            sa.text("INSERT INTO audit_people (user_id, pseudonym) VALUES (:user_id, :pseudonym)"),
            {"user_id": user_id, "pseudonym": pseudonym},
        )
    sequence, chain = 0, bytes(32)
    events = connection.execute(sa.text("SELECT at_ms, actor, action, target FROM audit_log ORDER BY sequence")).all()
    for at_ms, actor, action, target in events:
        sequence += 1
        segment = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")
        who = actor if actor in _FIXED_WORDS else people.setdefault(actor, new_id())
        # Only who has an account here has a pseudonym; rooms keep their own random ids.
        whom = people.get(target, target)
        payload = json.dumps([at_ms, segment, who, action, whom, None], separators=(",", ":")).encode()
        salt = os.urandom(32)
        number = sequence.to_bytes(8, "big")
        leaf = hashlib.sha256(salt + number + payload).digest()
        chain = hashlib.sha256(chain + leaf).digest()
        connection.execute(
            sa.text(
                "INSERT INTO audit_events (sequence, segment, at_ms, actor, action, target, salt, leaf, chain)"
                " VALUES (:sequence, :segment, :at_ms, :actor, :action, :target, :salt, :leaf, :chain)"
            ),
            {
                "sequence": sequence,
                "segment": segment,
                "at_ms": at_ms,
                "actor": who,
                "action": action,
                "target": whom,
                "salt": salt,
                "leaf": leaf,
                "chain": chain,
            },
        )
    connection.execute(
        sa.text("INSERT INTO audit_head (id, sequence, chain) VALUES (1, :sequence, :chain)"),
        {"sequence": sequence, "chain": chain},
    )
