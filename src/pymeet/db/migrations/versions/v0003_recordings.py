"""Recordings, films made of them, who may look, and who did; and holds that keep one recording."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = """
CREATE TABLE recordings (
    id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    name TEXT NOT NULL,
    owner_id TEXT,
    with_chat BOOLEAN NOT NULL,
    started_at_ms BIGINT NOT NULL,
    ended_at_ms BIGINT,
    end_reason TEXT,
    keep_from_ms BIGINT,
    warned_days INTEGER,
    trashed_at_ms BIGINT,
    CONSTRAINT pk_recordings PRIMARY KEY (id),
    CONSTRAINT ck_recordings_end_reason_word
        CHECK (end_reason IN ('host', 'empty', 'ended', 'time', 'size', 'disk', 'nobody', 'server', 'crash')),
    CONSTRAINT fk_recordings_room_id FOREIGN KEY(room_id) REFERENCES rooms (id) ON DELETE CASCADE,
    CONSTRAINT fk_recordings_owner_id FOREIGN KEY(owner_id) REFERENCES users (id) ON DELETE SET NULL
);

CREATE INDEX ix_recordings_keep_from_ms ON recordings (keep_from_ms);

CREATE INDEX ix_recordings_owner_id ON recordings (owner_id);

CREATE INDEX ix_recordings_room_id ON recordings (room_id);

CREATE INDEX ix_recordings_trashed_at_ms ON recordings (trashed_at_ms);

CREATE TABLE recording_people (
    id TEXT NOT NULL,
    recording_id TEXT NOT NULL,
    participant_id TEXT NOT NULL,
    user_id TEXT,
    name TEXT NOT NULL,
    CONSTRAINT pk_recording_people PRIMARY KEY (id),
    CONSTRAINT fk_recording_people_recording_id FOREIGN KEY(recording_id) REFERENCES recordings (id) ON DELETE CASCADE,
    CONSTRAINT fk_recording_people_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_recording_people_participant_id ON recording_people (participant_id);

CREATE INDEX ix_recording_people_recording_id ON recording_people (recording_id);

CREATE INDEX ix_recording_people_user_id ON recording_people (user_id);

CREATE TABLE recording_shares (
    id TEXT NOT NULL,
    recording_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    user_id TEXT,
    token_hash TEXT,
    password_hash TEXT,
    made_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    CONSTRAINT pk_recording_shares PRIMARY KEY (id),
    CONSTRAINT ck_recording_shares_kind_word CHECK (kind IN ('member', 'link')),
    CONSTRAINT fk_recording_shares_recording_id FOREIGN KEY(recording_id) REFERENCES recordings (id) ON DELETE CASCADE,
    CONSTRAINT fk_recording_shares_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX ix_recording_shares_expires_at_ms ON recording_shares (expires_at_ms);

CREATE INDEX ix_recording_shares_recording_id ON recording_shares (recording_id);

CREATE UNIQUE INDEX ix_recording_shares_token_hash ON recording_shares (token_hash);

CREATE INDEX ix_recording_shares_user_id ON recording_shares (user_id);

CREATE TABLE films (
    id TEXT NOT NULL,
    recording_id TEXT NOT NULL,
    state TEXT NOT NULL,
    layout TEXT NOT NULL,
    format TEXT NOT NULL,
    height INTEGER NOT NULL,
    with_names BOOLEAN NOT NULL,
    file_id TEXT,
    asked_at_ms BIGINT NOT NULL,
    made_at_ms BIGINT,
    duration_ms BIGINT,
    size_bytes BIGINT,
    attempts INTEGER DEFAULT '0' NOT NULL,
    error TEXT,
    CONSTRAINT pk_films PRIMARY KEY (id),
    CONSTRAINT ck_films_state_word CHECK (state IN ('queued', 'making', 'ready', 'failed', 'cancelled')),
    CONSTRAINT ck_films_layout_word CHECK (layout IN ('grid', 'speaker')),
    CONSTRAINT ck_films_format_word CHECK (format IN ('mp4', 'webm')),
    CONSTRAINT fk_films_recording_id FOREIGN KEY(recording_id) REFERENCES recordings (id) ON DELETE CASCADE
);

CREATE INDEX ix_films_recording_id ON films (recording_id);

CREATE INDEX ix_films_state ON films (state);

CREATE TABLE recording_events (
    id INTEGER NOT NULL,
    recording_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    begins_at BIGINT NOT NULL,
    ends_at BIGINT,
    text TEXT,
    CONSTRAINT pk_recording_events PRIMARY KEY (id),
    CONSTRAINT ck_recording_events_kind_word CHECK (kind IN ('spoke', 'shared', 'present', 'marker', 'message')),
    CONSTRAINT fk_recording_events_recording_id FOREIGN KEY(recording_id) REFERENCES recordings (id) ON DELETE CASCADE,
    CONSTRAINT fk_recording_events_person_id FOREIGN KEY(person_id) REFERENCES recording_people (id) ON DELETE CASCADE
);

CREATE INDEX ix_recording_events_person_id ON recording_events (person_id);

CREATE INDEX ix_recording_events_recording_id ON recording_events (recording_id);

CREATE TABLE recording_tracks (
    id TEXT NOT NULL,
    recording_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    source TEXT NOT NULL,
    codec TEXT NOT NULL,
    file_id TEXT NOT NULL,
    state TEXT NOT NULL,
    begins_at BIGINT NOT NULL,
    duration_ms BIGINT,
    size_bytes BIGINT,
    lost_frames INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_recording_tracks PRIMARY KEY (id),
    CONSTRAINT ck_recording_tracks_source_word CHECK (source IN ('microphone', 'camera', 'screen', 'screen_audio')),
    CONSTRAINT ck_recording_tracks_state_word CHECK (state IN ('writing', 'whole', 'repaired', 'lost')),
    CONSTRAINT fk_recording_tracks_recording_id FOREIGN KEY(recording_id) REFERENCES recordings (id) ON DELETE CASCADE,
    CONSTRAINT fk_recording_tracks_person_id FOREIGN KEY(person_id) REFERENCES recording_people (id) ON DELETE CASCADE
);

CREATE INDEX ix_recording_tracks_person_id ON recording_tracks (person_id);

CREATE INDEX ix_recording_tracks_recording_id ON recording_tracks (recording_id);

CREATE TABLE recording_views (
    id INTEGER NOT NULL,
    recording_id TEXT NOT NULL,
    user_id TEXT,
    share_id TEXT,
    kind TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    CONSTRAINT pk_recording_views PRIMARY KEY (id),
    CONSTRAINT ck_recording_views_kind_word CHECK (kind IN ('film', 'track', 'film_download', 'track_download')),
    CONSTRAINT fk_recording_views_recording_id FOREIGN KEY(recording_id) REFERENCES recordings (id) ON DELETE CASCADE,
    CONSTRAINT fk_recording_views_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT fk_recording_views_share_id FOREIGN KEY(share_id) REFERENCES recording_shares (id) ON DELETE SET NULL
);

CREATE INDEX ix_recording_views_recording_id ON recording_views (recording_id);

CREATE INDEX ix_recording_views_share_id ON recording_views (share_id);

CREATE INDEX ix_recording_views_user_id ON recording_views (user_id);

CREATE TABLE film_people (
    film_id TEXT NOT NULL,
    person_id TEXT NOT NULL,
    CONSTRAINT pk_film_people PRIMARY KEY (film_id, person_id),
    CONSTRAINT fk_film_people_film_id FOREIGN KEY(film_id) REFERENCES films (id) ON DELETE CASCADE,
    CONSTRAINT fk_film_people_person_id FOREIGN KEY(person_id) REFERENCES recording_people (id) ON DELETE CASCADE
);

CREATE INDEX ix_film_people_film_id ON film_people (film_id);

CREATE INDEX ix_film_people_person_id ON film_people (person_id);

ALTER TABLE holds RENAME TO holds_before;

CREATE TABLE holds (
    id TEXT NOT NULL,
    user_id TEXT,
    participant_id TEXT,
    room_id TEXT,
    reason TEXT NOT NULL,
    placed_at_ms BIGINT NOT NULL,
    review_at_ms BIGINT NOT NULL,
    released_at_ms BIGINT,
    recording_id TEXT,
    CONSTRAINT pk_holds PRIMARY KEY (id),
    CONSTRAINT ck_holds_reason_word CHECK (reason IN (
        'legal_claim', 'legal_duty', 'authority_request', 'investigation'
    )),
    CONSTRAINT fk_holds_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_holds_room_id FOREIGN KEY(room_id) REFERENCES rooms (id) ON DELETE CASCADE,
    CONSTRAINT fk_holds_recording_id FOREIGN KEY(recording_id) REFERENCES recordings (id) ON DELETE CASCADE
);

INSERT INTO holds SELECT *, NULL FROM holds_before;

DROP TABLE holds_before;

CREATE INDEX ix_holds_participant_id ON holds (participant_id);

CREATE INDEX ix_holds_released_at_ms ON holds (released_at_ms);

CREATE INDEX ix_holds_room_id ON holds (room_id);

CREATE INDEX ix_holds_user_id ON holds (user_id);

CREATE INDEX ix_holds_recording_id ON holds (recording_id)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
