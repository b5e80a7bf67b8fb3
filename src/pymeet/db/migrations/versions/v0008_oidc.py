"""Accounts at the organisation's own OpenID provider, and the sessions that began there."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATEMENTS = """
CREATE TABLE identities (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_used_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_identities PRIMARY KEY (id),
    CONSTRAINT fk_identities_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_identities_user_id ON identities (user_id);

CREATE UNIQUE INDEX ix_identities_subject ON identities (subject, issuer);

CREATE TABLE provider_sessions (
    session_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    provider_session TEXT,
    id_token TEXT,
    confirmed_at_ms BIGINT,
    CONSTRAINT pk_provider_sessions PRIMARY KEY (session_id),
    CONSTRAINT fk_provider_sessions_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT fk_provider_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_provider_sessions_identity_id FOREIGN KEY(identity_id) REFERENCES identities (id) ON DELETE CASCADE
);

CREATE INDEX ix_provider_sessions_user_id ON provider_sessions (user_id);

CREATE INDEX ix_provider_sessions_identity_id ON provider_sessions (identity_id)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
