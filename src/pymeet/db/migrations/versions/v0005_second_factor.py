"""Second factors, recovery codes, passkeys and known devices; sessions that can be told apart."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATEMENTS = """
CREATE TABLE second_factors (
    user_id TEXT NOT NULL,
    totp_secret TEXT NOT NULL,
    last_step BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_second_factors PRIMARY KEY (user_id),
    CONSTRAINT fk_second_factors_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE recovery_codes (
    code_hash TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_recovery_codes PRIMARY KEY (code_hash),
    CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_recovery_codes_user_id ON recovery_codes (user_id);

CREATE TABLE passkeys (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    sign_count INTEGER NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_used_at_ms BIGINT,
    CONSTRAINT pk_passkeys PRIMARY KEY (id),
    CONSTRAINT fk_passkeys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_passkeys_user_id ON passkeys (user_id);

CREATE UNIQUE INDEX ix_passkeys_credential_id ON passkeys (credential_id);

CREATE TABLE known_devices (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_seen_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    trusted_until_ms BIGINT,
    CONSTRAINT pk_known_devices PRIMARY KEY (id),
    CONSTRAINT fk_known_devices_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_known_devices_user_id ON known_devices (user_id);

CREATE INDEX ix_known_devices_token_hash ON known_devices (token_hash);

CREATE INDEX ix_known_devices_expires_at_ms ON known_devices (expires_at_ms);

ALTER TABLE sessions RENAME TO sessions_before;

CREATE TABLE sessions (
    token_hash TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_seen_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    id TEXT NOT NULL,
    device TEXT NOT NULL,
    CONSTRAINT pk_sessions PRIMARY KEY (token_hash),
    CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

INSERT INTO sessions SELECT *, lower(hex(randomblob(11))), '' FROM sessions_before;

DROP TABLE sessions_before;

CREATE INDEX ix_sessions_expires_at_ms ON sessions (expires_at_ms);

CREATE INDEX ix_sessions_user_id ON sessions (user_id);

CREATE UNIQUE INDEX ix_sessions_id ON sessions (id)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
