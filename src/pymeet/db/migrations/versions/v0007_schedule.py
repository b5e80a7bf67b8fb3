"""Scheduled meetings with exceptions and invitees; calendar feeds, what mail people want, personal rooms, reminders."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATEMENTS = """
CREATE TABLE meetings (
    id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    organiser_id TEXT NOT NULL,
    title TEXT NOT NULL,
    agenda TEXT NOT NULL,
    starts_local TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    duration_min INTEGER NOT NULL,
    rrule TEXT,
    sequence INTEGER DEFAULT '0' NOT NULL,
    created_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    starts_at_ms BIGINT NOT NULL,
    ends_at_ms BIGINT,
    next_at_ms BIGINT,
    CONSTRAINT pk_meetings PRIMARY KEY (id),
    CONSTRAINT fk_meetings_room_id FOREIGN KEY(room_id) REFERENCES rooms (id) ON DELETE CASCADE,
    CONSTRAINT fk_meetings_organiser_id FOREIGN KEY(organiser_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_meetings_ends_at_ms ON meetings (ends_at_ms);

CREATE INDEX ix_meetings_next_at_ms ON meetings (next_at_ms);

CREATE INDEX ix_meetings_organiser_id ON meetings (organiser_id);

CREATE INDEX ix_meetings_room_id ON meetings (room_id);

CREATE TABLE meeting_exceptions (
    meeting_id TEXT NOT NULL,
    recurrence_id TEXT NOT NULL,
    cancelled BOOLEAN NOT NULL,
    starts_local TEXT,
    duration_min INTEGER,
    CONSTRAINT pk_meeting_exceptions PRIMARY KEY (meeting_id, recurrence_id),
    CONSTRAINT fk_meeting_exceptions_meeting_id FOREIGN KEY(meeting_id) REFERENCES meetings (id) ON DELETE CASCADE
);

CREATE INDEX ix_meeting_exceptions_meeting_id ON meeting_exceptions (meeting_id);

CREATE TABLE invitees (
    id TEXT NOT NULL,
    meeting_id TEXT NOT NULL,
    user_id TEXT,
    email TEXT NOT NULL,
    language TEXT NOT NULL,
    answer TEXT DEFAULT 'none' NOT NULL,
    created_at_ms BIGINT NOT NULL,
    answered_at_ms BIGINT,
    CONSTRAINT pk_invitees PRIMARY KEY (id),
    CONSTRAINT ck_invitees_answer_word CHECK (answer IN ('none', 'accepted', 'tentative', 'declined')),
    CONSTRAINT fk_invitees_meeting_id FOREIGN KEY(meeting_id) REFERENCES meetings (id) ON DELETE CASCADE,
    CONSTRAINT fk_invitees_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_invitees_email ON invitees (email);

CREATE UNIQUE INDEX ix_invitees_meeting_id_email ON invitees (meeting_id, email);

CREATE INDEX ix_invitees_user_id ON invitees (user_id);

CREATE TABLE calendar_feeds (
    user_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT pk_calendar_feeds PRIMARY KEY (user_id),
    CONSTRAINT fk_calendar_feeds_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_calendar_feeds_secret_hash ON calendar_feeds (secret_hash);

CREATE TABLE notification_settings (
    user_id TEXT NOT NULL,
    mail BOOLEAN NOT NULL,
    reminder_min INTEGER,
    CONSTRAINT pk_notification_settings PRIMARY KEY (user_id),
    CONSTRAINT fk_notification_settings_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE personal_rooms (
    user_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    CONSTRAINT pk_personal_rooms PRIMARY KEY (user_id),
    CONSTRAINT fk_personal_rooms_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_personal_rooms_room_id FOREIGN KEY(room_id) REFERENCES rooms (id) ON DELETE CASCADE
);

CREATE INDEX ix_personal_rooms_room_id ON personal_rooms (room_id);

CREATE TABLE reminder_marks (
    id INTEGER NOT NULL,
    until_ms BIGINT NOT NULL,
    CONSTRAINT pk_reminder_marks PRIMARY KEY (id)
)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
