"""What the owner of a room decides about it, private messages, and messages that were edited."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATEMENTS = """
ALTER TABLE rooms ADD COLUMN guests BOOLEAN;

ALTER TABLE rooms ADD COLUMN waiting_room TEXT DEFAULT 'off' NOT NULL
    CONSTRAINT ck_rooms_waiting_room_word CHECK (waiting_room IN ('off', 'guests', 'everybody'));

ALTER TABLE rooms ADD COLUMN capacity INTEGER;

ALTER TABLE rooms ADD COLUMN may_share TEXT DEFAULT 'everybody' NOT NULL
    CONSTRAINT ck_rooms_may_share_word CHECK (may_share IN ('everybody', 'members', 'hosts'));

ALTER TABLE rooms ADD COLUMN may_record TEXT DEFAULT 'hosts' NOT NULL
    CONSTRAINT ck_rooms_may_record_word CHECK (may_record IN ('hosts', 'nobody'));

ALTER TABLE rooms ADD COLUMN chat_history BOOLEAN DEFAULT '1' NOT NULL;

ALTER TABLE rooms ADD COLUMN chat_limit INTEGER;

ALTER TABLE messages ADD COLUMN is_private BOOLEAN DEFAULT '0' NOT NULL;

ALTER TABLE messages ADD COLUMN edited_at_ms BIGINT;

CREATE TABLE room_passwords (
    room_id TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    CONSTRAINT pk_room_passwords PRIMARY KEY (room_id),
    CONSTRAINT fk_room_passwords_room_id FOREIGN KEY(room_id) REFERENCES rooms (id) ON DELETE CASCADE
);

CREATE TABLE message_recipients (
    message INTEGER NOT NULL,
    participant_id TEXT NOT NULL,
    user_id TEXT,
    at_ms BIGINT NOT NULL,
    CONSTRAINT pk_message_recipients PRIMARY KEY (message),
    CONSTRAINT fk_message_recipients_message FOREIGN KEY(message) REFERENCES messages (sequence) ON DELETE CASCADE,
    CONSTRAINT fk_message_recipients_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL
);

CREATE INDEX ix_message_recipients_user_id ON message_recipients (user_id);

CREATE INDEX ix_message_recipients_participant_id ON message_recipients (participant_id)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
