"""Names of files that people take along: safe on every system, whatever a recording or a person is called. Pure."""

import re
from datetime import UTC, datetime
from typing import Final

LONGEST: Final = 80
"""Characters of what somebody typed, in a name of a file."""

_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]')

_VIDEO: Final = frozenset({"camera", "screen"})

_IN_WEBM: Final = frozenset({"opus", "vorbis", "vp8", "vp9", "av1"})


def safe(text: str) -> str:
    """The text without what could lead into another folder, hide an ending or turn the direction of reading around."""
    line = " ".join(_UNSAFE.sub(" ", text).split())
    return line[:LONGEST].strip(" .") or "recording"


def film_name(recording: str, started_at_ms: int, film_format: str) -> str:
    """`Tea 2026-11-21.mp4`."""
    return f"{safe(recording)} {_day(started_at_ms)}.{film_format}"


def track_name(recording: str, started_at_ms: int, person: str, source: str, number: int) -> str:
    """`Tea 2026-11-21 Ada camera 1.mkv`; the ending says whether there is a picture in it."""
    ending = "mkv" if source in _VIDEO else "mka"
    return f"{safe(recording)} {_day(started_at_ms)} {safe(person)} {source} {number}.{ending}"


def track_type(source: str, codec: str) -> str:
    """The media type of a track. Browsers play Matroska where it is what WebM allows, and is called so."""
    kind = "video" if source in _VIDEO else "audio"
    return f"{kind}/webm" if codec.lower() in _IN_WEBM else f"{kind}/x-matroska"


def film_type(film_format: str) -> str:
    """The media type of a film."""
    return f"video/{film_format}"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
