"""Recordings: who agreed to be in one, a track for each thing they sent, what happened when, films made of it, and who
looked. Media stand in sealed files, each under its own key. Times are UTC milliseconds; `…_at` inside a recording are
milliseconds since its beginning."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Text

from pymeet.db.inventory import (
    Anchor,
    Basis,
    Category,
    Erase,
    EraseRow,
    Export,
    Hop,
    Keep,
    KeepWith,
    Kind,
    Recipient,
    Subject,
    not_personal,
    personal,
    sealed_file,
    secret,
    table,
)
from pymeet.db.schema.base import metadata
from pymeet.db.schema.words import one_of

END_REASONS = ("host", "empty", "ended", "time", "size", "disk", "nobody", "server", "crash")
"""Why a recording ended: a host stopped it, everybody left, the meeting was ended, a limit, nobody had agreed within a minute, the
server was stopped, or it died."""
SOURCES = ("microphone", "camera", "screen", "screen_audio")
TRACK_STATES = ("writing", "whole", "repaired", "lost")
EVENT_KINDS = ("spoke", "shared", "present", "marker", "message")
FILM_STATES = ("queued", "making", "ready", "failed", "cancelled")
FILM_LAYOUTS = ("grid", "speaker")
FILM_FORMATS = ("mp4", "webm")
SHARE_KINDS = ("member", "link")
VIEW_KINDS = ("film", "track", "film_download", "track_download")

_OWNER = Subject("host", (Hop("owner_id", "users.id"),))
_STAYS = "It belongs to everybody who is in it; a host renames or deletes it."
_SHOWS_OTHERS = "A film shows others too. What it shows of the person is handed over as tracks."
_SEEN = "That it was looked at, and when, is told to the people in it, who looked no more."


def _theirs(kind: Kind, *, provided: bool = False) -> dict[str, Any]:
    return personal(kind, erase=Erase.WITH_ROW, export=Export.YES, provided=provided)


def _of_person(*, via: str) -> tuple[Subject, ...]:
    """Paths over `recording_people`, by this column."""
    first = Hop(via, "recording_people.id")
    return (
        Subject("recorded member", (first, Hop("user_id", "users.id"))),
        Subject("recorded guest", (first, Hop("participant_id", "attendance.participant_id")), Anchor.GUEST),
    )


def _recording() -> Column[Any]:
    return Column(
        "recording_id", Text, ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False, info=not_personal()
    )


def _person() -> Column[Any]:
    return Column(
        "person_id",
        Text,
        ForeignKey("recording_people.id", ondelete="CASCADE"),
        nullable=False,
        info=_theirs(Kind.REFERENCE),
    )


_SEEN_BY = (Recipient.HOST, Recipient.OWNER, Recipient.RECORDED, Recipient.VIEWERS, Recipient.BACKUPS)

recordings = table(
    "recordings",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    Column("room_id", Text, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, info=not_personal()),
    Column(
        "name",
        Text,
        nullable=False,
        info=personal(Kind.CONTENT, erase=Erase.KEEP, export=Export.YES, provided=True, reason=_STAYS),
    ),
    Column(
        "owner_id",
        Text,
        ForeignKey("users.id", ondelete="SET NULL"),
        nullable=True,
        info=personal(Kind.REFERENCE, erase=Erase.CLEAR, export=Export.YES),
    ),
    Column("with_chat", Boolean, nullable=False, info=not_personal()),
    Column("started_at_ms", BigInteger, nullable=False, info=not_personal()),
    Column("ended_at_ms", BigInteger, nullable=True, info=not_personal()),
    Column("end_reason", Text, nullable=True, info=not_personal()),
    Column("keep_from_ms", BigInteger, nullable=True, info=not_personal()),
    Column("warned_days", Integer, nullable=True, info=not_personal()),
    Column("trashed_at_ms", BigInteger, nullable=True, info=not_personal()),
    one_of("end_reason", END_REASONS),
    Index("ix_recordings_room_id", "room_id"),
    Index("ix_recordings_owner_id", "owner_id"),
    Index("ix_recordings_keep_from_ms", "keep_from_ms"),
    Index("ix_recordings_trashed_at_ms", "trashed_at_ms"),
    category=Category.RECORDING,
    purpose="To watch a meeting again, with sound and picture of those who agreed.",
    basis=Basis.CONSENT,
    subject=(_OWNER,),
    # Two clocks: the end of its time (which pinning moves), and the end of its days in the trash.
    keep=(Keep("recording", clock="keep_from_ms"), Keep("recording_trash", clock="trashed_at_ms")),
    erase=EraseRow.COLUMNS,
    recipients=(*_SEEN_BY, Recipient.ADMINISTRATORS),
)

recording_people = table(
    "recording_people",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    _recording(),
    Column("participant_id", Text, nullable=False, info=_theirs(Kind.REFERENCE)),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=True, info=_theirs(Kind.REFERENCE)),
    Column("name", Text, nullable=False, info=_theirs(Kind.NAME, provided=True)),
    Index("ix_recording_people_recording_id", "recording_id"),
    Index("ix_recording_people_participant_id", "participant_id"),
    Index("ix_recording_people_user_id", "user_id"),
    category=Category.RECORDING,
    purpose="To know who is in a recording, so that each can see, take along and erase what shows them.",
    basis=Basis.CONSENT,
    subject=(
        Subject("recorded member", (Hop("user_id", "users.id"),)),
        Subject("recorded guest", (Hop("participant_id", "attendance.participant_id"),), Anchor.GUEST),
    ),
    keep=(KeepWith("recordings", "recording_id"),),
    erase=EraseRow.DELETE,
    recipients=_SEEN_BY,
)

recording_tracks = table(
    "recording_tracks",
    metadata,
    Column("id", Text, primary_key=True, info=_theirs(Kind.REFERENCE)),
    _recording(),
    _person(),
    Column("source", Text, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("codec", Text, nullable=False, info=not_personal()),
    Column("file_id", Text, nullable=False, info=sealed_file()),
    Column("state", Text, nullable=False, info=not_personal()),
    Column("begins_at", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("duration_ms", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Column("size_bytes", BigInteger, nullable=True, info=not_personal()),
    Column("lost_frames", Integer, nullable=False, server_default="0", info=not_personal()),
    one_of("source", SOURCES),
    one_of("state", TRACK_STATES),
    Index("ix_recording_tracks_recording_id", "recording_id"),
    Index("ix_recording_tracks_person_id", "person_id"),
    category=Category.RECORDING,
    purpose="To keep the sound and picture of one person apart from everybody else's.",
    basis=Basis.CONSENT,
    subject=_of_person(via="person_id"),
    keep=(KeepWith("recordings", "recording_id"),),
    erase=EraseRow.DELETE,
    recipients=_SEEN_BY,
)

recording_events = table(
    "recording_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True, info=not_personal()),
    _recording(),
    _person(),
    Column("kind", Text, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("begins_at", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("ends_at", BigInteger, nullable=True, info=_theirs(Kind.ACTIVITY)),
    Column("text", Text, nullable=True, info=_theirs(Kind.CONTENT, provided=True)),
    one_of("kind", EVENT_KINDS),
    Index("ix_recording_events_recording_id", "recording_id"),
    Index("ix_recording_events_person_id", "person_id"),
    category=Category.RECORDING,
    purpose="To find what was said or shown when, and by whom.",
    basis=Basis.CONSENT,
    subject=_of_person(via="person_id"),
    keep=(KeepWith("recordings", "recording_id"),),
    erase=EraseRow.DELETE,
    recipients=_SEEN_BY,
)

_IN_FILM = Hop("id", "film_people.film_id")

films = table(
    "films",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    _recording(),
    Column("state", Text, nullable=False, info=not_personal()),
    Column("layout", Text, nullable=False, info=not_personal()),
    Column("format", Text, nullable=False, info=not_personal()),
    Column("height", Integer, nullable=False, info=not_personal()),
    Column("with_names", Boolean, nullable=False, info=not_personal()),
    Column("file_id", Text, nullable=True, info=sealed_file(withheld=_SHOWS_OTHERS)),
    Column("asked_at_ms", BigInteger, nullable=False, info=not_personal()),
    Column("made_at_ms", BigInteger, nullable=True, info=not_personal()),
    Column("duration_ms", BigInteger, nullable=True, info=not_personal()),
    Column("size_bytes", BigInteger, nullable=True, info=not_personal()),
    Column("attempts", Integer, nullable=False, server_default="0", info=not_personal()),
    Column("error", Text, nullable=True, info=not_personal()),
    one_of("state", FILM_STATES),
    one_of("layout", FILM_LAYOUTS),
    one_of("format", FILM_FORMATS),
    Index("ix_films_recording_id", "recording_id"),
    Index("ix_films_state", "state"),
    category=Category.RECORDING,
    purpose="To show a meeting as one film. It is made of the tracks, and made again when somebody is taken out.",
    basis=Basis.CONSENT,
    subject=(
        Subject("recorded member", (_IN_FILM, Hop("person_id", "recording_people.id"), Hop("user_id", "users.id"))),
        Subject(
            "recorded guest",
            (
                _IN_FILM,
                Hop("person_id", "recording_people.id"),
                Hop("participant_id", "attendance.participant_id"),
            ),
            Anchor.GUEST,
        ),
    ),
    keep=(KeepWith("recordings", "recording_id"),),
    erase=EraseRow.DELETE,
    recipients=_SEEN_BY,
    made_again={
        "state": "queued",
        "file_id": None,
        "made_at_ms": None,
        "duration_ms": None,
        "size_bytes": None,
        "attempts": 0,
        "error": None,
    },
)
# Films lead to people over `film_people`, which goes with either: erasing, which takes children first, must come to them
# before it comes to the people.
films.add_is_dependent_on(recording_people)

film_people = table(
    "film_people",
    metadata,
    Column("film_id", Text, ForeignKey("films.id", ondelete="CASCADE"), primary_key=True, info=not_personal()),
    Column(
        "person_id",
        Text,
        ForeignKey("recording_people.id", ondelete="CASCADE"),
        primary_key=True,
        info=not_personal(),
    ),
    Index("ix_film_people_film_id", "film_id"),
    Index("ix_film_people_person_id", "person_id"),
    category=Category.RECORDING,
    purpose="To know whose tracks a film was made of.",
    basis=Basis.CONSENT,
    subject=(),
    keep=(KeepWith("films", "film_id"), KeepWith("recording_people", "person_id")),
    erase=EraseRow.COLUMNS,
)

recording_shares = table(
    "recording_shares",
    metadata,
    Column("id", Text, primary_key=True, info=not_personal()),
    _recording(),
    Column("kind", Text, nullable=False, info=not_personal()),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=True, info=_theirs(Kind.REFERENCE)),
    Column("token_hash", Text, nullable=True, info=secret(reason="It stands for a link by which the film is watched.")),
    Column("password_hash", Text, nullable=True, info=secret(reason="The link's password is checked by it.")),
    Column("made_at_ms", BigInteger, nullable=False, info=_theirs(Kind.ACTIVITY)),
    Column("expires_at_ms", BigInteger, nullable=True, info=not_personal()),
    one_of("kind", SHARE_KINDS),
    Index("ix_recording_shares_recording_id", "recording_id"),
    Index("ix_recording_shares_user_id", "user_id"),
    Index("ix_recording_shares_token_hash", "token_hash", unique=True),
    Index("ix_recording_shares_expires_at_ms", "expires_at_ms"),
    category=Category.RECORDING,
    purpose="To let others watch a recording.",
    basis=Basis.CONSENT,
    subject=(Subject("member it is shared with", (Hop("user_id", "users.id"),)),),
    keep=(KeepWith("recordings", "recording_id"), Keep("link", clock="expires_at_ms")),
    erase=EraseRow.DELETE,
    recipients=(Recipient.HOST, Recipient.OWNER, Recipient.BACKUPS),
)

recording_views = table(
    "recording_views",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True, info=not_personal()),
    _recording(),
    Column(
        "user_id",
        Text,
        ForeignKey("users.id", ondelete="SET NULL"),
        nullable=True,
        info=personal(Kind.REFERENCE, erase=Erase.CLEAR, export=Export.YES),
    ),
    Column(
        "share_id", Text, ForeignKey("recording_shares.id", ondelete="SET NULL"), nullable=True, info=not_personal()
    ),
    Column(
        "kind",
        Text,
        nullable=False,
        info=personal(Kind.ACTIVITY, erase=Erase.KEEP, export=Export.YES, reason=_SEEN),
    ),
    Column(
        "at_ms",
        BigInteger,
        nullable=False,
        info=personal(Kind.ACTIVITY, erase=Erase.KEEP, export=Export.YES, reason=_SEEN),
    ),
    one_of("kind", VIEW_KINDS),
    Index("ix_recording_views_recording_id", "recording_id"),
    Index("ix_recording_views_user_id", "user_id"),
    Index("ix_recording_views_share_id", "share_id"),
    category=Category.ACCOUNTABILITY,
    purpose="To tell the people in a recording who looked at it, and when.",
    basis=Basis.LEGITIMATE_INTEREST,
    subject=(Subject("viewer", (Hop("user_id", "users.id"),)),),
    keep=(KeepWith("recordings", "recording_id"),),
    erase=EraseRow.COLUMNS,
    recipients=(Recipient.RECORDED, Recipient.HOST, Recipient.OWNER, Recipient.BACKUPS),
)
