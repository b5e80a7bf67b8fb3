"""Reads the tracks: pictures and sounds in the order of time, as far as they can be read.

What is damaged or torn off is left out: one bad packet costs what depends on it, a broken file what lies behind the break.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import av
from av import AudioFrame, VideoFrame
from av.error import FFmpegError
from av.packet import Packet

from pymeet.db.files import Files
from pymeet.db.seal import SealedReader, SealError
from pymeet.errors import PymeetError
from pymeet.recording.compose.job import Track

GAP_MS: Final = 2000
"""A camera from which nothing came for so long was off. A screen on which nothing moves sends nothing for longer."""
HOLD_MS: Final = 500
"""The last picture before such a gap stays for so long."""


class OpenTrack:
    """One track being read. Belongs to one thread at a time."""

    def __init__(self, files: Files, track: Track) -> None:
        """Raises PymeetError when there is nothing in it that can be read."""
        self.track = track
        self._file = _Forgiving(files.open(track.file_id))
        try:
            self._container = av.open(self._file, "r", format="matroska")
            self._stream = self._container.streams[0]
        except (FFmpegError, IndexError):
            self._file.close()
            raise SealError("This track holds nothing that can be read.") from None
        self._first: int | None = None

    def packets(self) -> Iterator["Packet[Any]"]:
        """What is in it, in order. The time of the first packet counts as `begins_at`."""
        with suppress(FFmpegError):
            for packet in self._container.demux(self._stream):
                if packet.size == 0:
                    return  # the demuxer's last one only asks decoders for what they hold back
                if self._first is None:
                    self._first = packet.pts or 0
                yield packet

    def frames(self) -> Iterator[tuple[int, Any]]:
        """(milliseconds of the recording, frame)."""
        decoder: Any = self._stream.codec_context
        for packet in self.packets():
            with suppress(FFmpegError):
                for frame in decoder.decode(packet):
                    yield self.time_of(frame.pts), frame
        with suppress(FFmpegError):
            for frame in decoder.decode(None):
                yield self.time_of(frame.pts), frame

    def time_of(self, pts: int | None) -> int:
        """Milliseconds of the recording."""
        base = self._stream.time_base
        assert base is not None  # noqa: S101  Matroska always has one
        return self.track.begins_at + round(((pts or 0) - (self._first or 0)) * base * 1000)

    @property
    def stream(self) -> Any:
        """The stream, for those who copy it as it is."""
        return self._stream

    def close(self) -> None:
        """Closes the file too. May be called twice."""
        self._container.close()
        self._file.close()


class Pictures:
    """What somebody's camera or screen shows at a time; times are asked for in order."""

    def __init__(self, files: Files, track: Track) -> None:
        self._track = track
        self._open: OpenTrack | None = None
        with suppress(PymeetError, OSError):
            self._open = OpenTrack(files, track)
        self._frames: Iterator[tuple[int, VideoFrame]] = self._open.frames() if self._open else iter(())
        self._now: tuple[int, VideoFrame] | None = None
        self._next = next(self._frames, None)

    @property
    def readable(self) -> bool:
        """Whether there is a picture in it at all."""
        return self._now is not None or self._next is not None

    def at(self, at_ms: int) -> VideoFrame | None:
        """The picture to be seen then. None before the first one, and while the camera was off."""
        while self._next is not None and self._next[0] <= at_ms:
            self._now, self._next = self._next, next(self._frames, None)
        if self._now is None:
            return None
        since, frame = self._now
        until = self._next[0] if self._next else self._track.ends_at
        if self._track.source == "camera" and until - since > GAP_MS and at_ms - since > HOLD_MS:
            return None
        return frame

    def close(self) -> None:
        """Lets go of file and pictures."""
        self._frames, self._now, self._next = iter(()), None, None
        if self._open is not None:
            self._open.close()


def sounds(files: Files, track: Track) -> Iterator[tuple[int, AudioFrame]]:
    """(milliseconds of the recording, sound) of a track; nothing when it cannot be read."""
    try:
        opened = OpenTrack(files, track)
    except (PymeetError, OSError):
        return
    try:
        yield from opened.frames()
    finally:
        opened.close()


class _Forgiving:
    """A sealed file that ends where it is damaged, as a torn one would."""

    def __init__(self, reader: SealedReader) -> None:
        self._reader = reader

    def read(self, length: int) -> bytes:
        try:
            return self._reader.read(length)
        except (SealError, OSError):
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()

    def close(self) -> None:
        self._reader.close()
