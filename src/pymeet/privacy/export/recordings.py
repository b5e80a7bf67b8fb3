"""Names for a person's own tracks of recordings: by them people find what they look for, in any program that plays files."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, select

from pymeet.db.schema import recording_tracks, recordings
from pymeet.privacy.export.reading import FileOfPerson

_WHOLE: Final = frozenset({"whole", "repaired"})
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]')
_LONGEST: Final = 60


def named(conn: Connection, files: Iterable[FileOfPerson]) -> list[FileOfPerson]:
    """The same files; tracks by recording, time and source. A track that was lost has none; one being made is said so."""
    found = []
    for file in files:
        if file.table == recording_tracks.name:
            query = select(recording_tracks, recordings.c.name, recordings.c.started_at_ms).join(
                recordings, recordings.c.id == recording_tracks.c.recording_id
            )
            row = conn.execute(query.where(recording_tracks.c.file_id == file.file_id)).mappings().one()
            if row["state"] == "lost":
                continue
            began_ms = row["started_at_ms"] + row["begins_at"]
            folder = f"{_moment(row['started_at_ms'])} {_safe(row['name'])}".strip()
            name = f"files/recordings/{folder}/{_moment(began_ms)} {row['source']}.mkv"
            found.append(replace(file, name=name, unfinished=row["state"] not in _WHOLE))
        else:
            found.append(file)
    return found


def _moment(at_ms: int) -> str:
    """A moment in UTC, as file systems take it and as names sort."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H.%M.%S")


def _safe(text: str) -> str:
    return " ".join(_UNSAFE.sub(" ", text).split())[:_LONGEST].strip(" .")
