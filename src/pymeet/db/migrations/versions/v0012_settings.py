"""Settings that administrators change while the server runs, and since when a room has been its owner's."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATEMENTS = """
ALTER TABLE rooms ADD COLUMN owner_since_ms BIGINT;

CREATE TABLE server_settings (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_server_settings PRIMARY KEY (name)
)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
