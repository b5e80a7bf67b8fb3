"""What people are told inside the pages, and of what they want to be told how."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KINDS = (
    "'meeting_invited', 'meeting_changed', 'meeting_cancelled', 'meeting_answered', 'recording_ready', "
    "'recording_shared', 'recording_expiring', 'export_ready', 'somebody_waits', 'new_device', 'request_decided'"
)

_STATEMENTS = f"""
CREATE TABLE notifications (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    moment_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    read_at_ms BIGINT,
    CONSTRAINT pk_notifications PRIMARY KEY (id),
    CONSTRAINT ck_notifications_kind_word CHECK (kind IN ({_KINDS})),
    CONSTRAINT fk_notifications_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_notifications_created_at_ms ON notifications (created_at_ms);

CREATE INDEX ix_notifications_object_id ON notifications (object_id);

CREATE INDEX ix_notifications_read_at_ms ON notifications (read_at_ms);

CREATE INDEX ix_notifications_user_id_created_at_ms ON notifications (user_id, created_at_ms);

CREATE TABLE notification_choices (
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    in_app BOOLEAN NOT NULL,
    mail BOOLEAN NOT NULL,
    CONSTRAINT pk_notification_choices PRIMARY KEY (user_id, kind),
    CONSTRAINT ck_notification_choices_kind_word CHECK (kind IN ({_KINDS})),
    CONSTRAINT fk_notification_choices_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_notification_choices_user_id ON notification_choices (user_id)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
