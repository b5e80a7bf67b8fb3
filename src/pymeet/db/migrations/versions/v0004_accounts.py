"""What people set in their profile, their pictures, and links that carry the address they prove."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATEMENTS = """
ALTER TABLE users ADD COLUMN language TEXT;

ALTER TABLE users ADD COLUMN time_zone TEXT;

ALTER TABLE users ADD COLUMN theme TEXT CONSTRAINT ck_users_theme_word CHECK (theme IN ('system', 'light', 'dark', 'contrast'));

ALTER TABLE one_time_links ADD COLUMN email TEXT;

CREATE INDEX ix_one_time_links_email ON one_time_links (email);

CREATE TABLE avatars (
    user_id TEXT NOT NULL,
    file_id TEXT,
    changed_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_avatars PRIMARY KEY (user_id),
    CONSTRAINT fk_avatars_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
