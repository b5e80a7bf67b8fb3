"""What lies between a muxer and a sealed file, which can be written again at its beginning only.

While it works a muxer appends; when it is done it goes back, to the beginning for lengths, and within the index that it is
just writing. That index is held in memory until it is whole: some two megabytes for an hour of MP4.
"""

import os
from typing import Protocol


class Patchable(Protocol):
    """A sealed file being written, as `Files.create_patchable` makes it."""

    def write(self, data: bytes, /) -> int:
        """Takes all of it."""

    def seek(self, offset: int, whence: int = ..., /) -> int:
        """To somewhere in the beginning, or to the end."""

    def tell(self) -> int:
        """Where the next byte goes."""


class Tail:
    """Hand this to a muxer; call `hold()` before it ends the file and `release()` after."""

    def __init__(self, sink: Patchable) -> None:
        self._sink = sink
        self._base: int | None = None
        """Where what is held begins."""
        self._held = bytearray()
        self._position = sink.tell()

    def hold(self) -> None:
        """From here on what is appended stays in memory, and can be written again."""
        self._base = self._sink.seek(0, os.SEEK_END)

    def release(self) -> None:
        """Appends what was held."""
        self._sink.seek(0, os.SEEK_END)
        self._sink.write(bytes(self._held))
        self._base = None

    def write(self, data: bytes) -> int:
        """Takes all of it."""
        if self._base is None or self._position < self._base:
            self._sink.seek(self._position)
            self._sink.write(data)
        else:
            at = self._position - self._base
            self._held[at : at + len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The place is tried when something is written there."""
        end = self._sink.seek(0, os.SEEK_END) if self._base is None else self._base + len(self._held)
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: end}[whence]
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """Where the next byte goes."""
        return self._position
