"""Groups of members, recordings that are shared with groups, and invitations that came by one."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATEMENTS = """
CREATE TABLE groups (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_groups PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ix_groups_name ON groups (name);

CREATE TABLE group_members (
    group_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    added_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_group_members PRIMARY KEY (group_id, user_id),
    CONSTRAINT fk_group_members_group_id FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE,
    CONSTRAINT fk_group_members_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_group_members_group_id ON group_members (group_id);

CREATE INDEX ix_group_members_user_id ON group_members (user_id);

CREATE TABLE recording_group_shares (
    id TEXT NOT NULL,
    recording_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_recording_group_shares PRIMARY KEY (id),
    CONSTRAINT fk_recording_group_shares_recording_id FOREIGN KEY(recording_id) REFERENCES recordings (id) ON DELETE CASCADE,
    CONSTRAINT fk_recording_group_shares_group_id FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_recording_group_shares_recording_id_group_id ON recording_group_shares (recording_id, group_id);

CREATE INDEX ix_recording_group_shares_group_id ON recording_group_shares (group_id);

ALTER TABLE invitees ADD COLUMN by_group BOOLEAN DEFAULT '0' NOT NULL
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
