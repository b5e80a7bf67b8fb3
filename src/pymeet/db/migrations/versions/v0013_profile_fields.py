"""Fields of the profile that administrators define, and what stands in them."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_STATEMENTS = """
CREATE TABLE profile_fields (
    id TEXT NOT NULL,
    label TEXT NOT NULL,
    editable BOOLEAN NOT NULL,
    place INTEGER NOT NULL,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_profile_fields PRIMARY KEY (id)
);

CREATE TABLE profile_values (
    field_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    value TEXT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_profile_values PRIMARY KEY (field_id, user_id),
    CONSTRAINT fk_profile_values_field_id FOREIGN KEY(field_id) REFERENCES profile_fields (id) ON DELETE CASCADE,
    CONSTRAINT fk_profile_values_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_profile_values_field_id ON profile_values (field_id);

CREATE INDEX ix_profile_values_user_id ON profile_values (user_id)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
