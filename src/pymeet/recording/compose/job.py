"""What the server tells the child process: one line of JSON on its standard input. Keys go this way and no other.

The child has no key store. It opens sealed files with the keys it is given, and writes one under a key that the server
made; destroying a file is the server's business.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.errors import NotFoundError

Format = Literal["mp4", "webm"]


@dataclass(frozen=True)
class Person:
    """Somebody to be seen and heard."""

    id: str
    name: str


@dataclass(frozen=True)
class Track:
    """A sealed Matroska file with one stream; `begins_at` is the time of its first frame."""

    id: str
    person_id: str
    source: str
    file_id: str
    begins_at: int
    duration_ms: int

    @property
    def ends_at(self) -> int:
        """When it ends, in milliseconds since the recording's beginning."""
        return self.begins_at + self.duration_ms

    @property
    def is_picture(self) -> bool:
        """Whether there is something to be seen in it."""
        return self.source in ("camera", "screen")


@dataclass(frozen=True)
class Happening:
    """A line of the timeline: `present`, `spoke` or `shared`."""

    kind: str
    person_id: str
    begins_at: int
    ends_at: int


@dataclass(frozen=True)
class Job:
    """Everything that a film is made of. Times are milliseconds since the recording's beginning."""

    data_dir: str
    keys: Mapping[str, str]
    """File id → key, as base64."""
    file_id: str
    """Where the film goes."""
    style: Literal["grid", "speaker"]
    format: Format
    height: int
    with_names: bool
    people: tuple[Person, ...]
    tracks: tuple[Track, ...]
    happenings: tuple[Happening, ...]
    ends_at: int
    now_ms: int
    """The time it was begun, UTC."""

    def to_json(self) -> bytes:
        """One line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> "Job":
        """The inverse of `to_json`."""
        read: dict[str, Any] = json.loads(line)
        for name, kind in (("people", Person), ("tracks", Track), ("happenings", Happening)):
            read[name] = tuple(kind(**each) for each in read[name])
        return cls(**read)

    def files(self) -> Files:
        """The sealed files of the data directory, as far as there are keys for them."""
        keys = {file_id: b64decode(key) for file_id, key in self.keys.items()}
        return Files(Path(self.data_dir), cast(KeyStore, GivenKeys(keys)))


class GivenKeys:
    """The part of a key store that `Files` needs, over keys that somebody else keeps."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = keys

    def make(self, file_id: str, _now_ms: int) -> bytes:
        """The key was made before."""
        return self.get(file_id)

    def get(self, file_id: str) -> bytes:
        """NotFoundError for a file this process has nothing to do with."""
        try:
            return self._keys[file_id]
        except KeyError:
            raise NotFoundError("There is no key for this file.") from None

    def shred(self, *_file_ids: str) -> None:
        """Keys are destroyed where they are kept."""


def text_of_key(key: bytes) -> str:
    """How a key stands in a job."""
    return b64encode(key).decode()
