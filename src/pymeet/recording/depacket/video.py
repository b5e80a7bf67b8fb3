"""What all video has in common: payloads of one timestamp are one frame, and after a loss only a key frame helps."""

from abc import ABC, abstractmethod

from pymeet.recording.depacket.frame import Bytes, Frame, MalformedError, Picture

MAX_FRAME_BYTES = 8 * 1024 * 1024
"""Nobody sends a frame as large as that to a meeting; memory is bounded by it."""


class Video(ABC):
    """Base of the video depacketisers; see `Depacketiser`."""

    def __init__(self) -> None:
        self.wants_keyframe = True
        self.lost_frames = 0
        self.malformed = 0
        self._timestamp: int | None = None
        self._parts: list[Bytes] = []
        self._bytes = 0
        self._open: bytearray | None = None  # a unit that goes on in the next packet
        self._is_broken = False
        self._has_begun = False

    @abstractmethod
    def _take(self, payload: Bytes) -> None:
        """Adds what a payload carries to the present frame. Raises MalformedError."""

    @abstractmethod
    def _frame(self) -> tuple[bytes, Picture | None]:
        """The present frame, with its picture when a decoder can begin with it. Empty when there is nothing to show.

        Raises MalformedError.
        """

    def push(self, payload: Bytes, marker: bool, timestamp: int, *, gap: bool) -> list[Frame]:
        """See `Depacketiser`."""
        frames: list[Frame] = []
        if gap:
            if self._timestamp is not None:
                self._is_broken = True
                self._end(frames)
            self.wants_keyframe = True
        if self._timestamp is not None and timestamp != self._timestamp:
            self._end(frames)
        self._timestamp = timestamp
        try:
            self._take(payload)
        except MalformedError:
            self.malformed += 1
            self._is_broken = True
        if self._bytes > MAX_FRAME_BYTES:
            self.malformed += 1
            self._is_broken = True
            self._parts, self._bytes = [], 0
        if marker:
            self._end(frames)
        return frames

    def _add(self, part: Bytes) -> None:
        self._parts.append(part)
        self._bytes += len(part)

    def _extend(self, part: Bytes, *, whole: bool) -> None:
        """Adds to the unit that is open, or opens one; `whole` when it is complete with this part."""
        if self._open is None:
            self._open = bytearray()
        self._open += part
        if len(self._open) > MAX_FRAME_BYTES:
            self._open = None
            raise MalformedError("a frame too large")
        if whole:
            self._add(bytes(self._open))
            self._open = None

    def _end(self, frames: list[Frame]) -> None:
        timestamp, is_broken = self._timestamp, self._is_broken
        data, picture = b"", None
        if not is_broken and timestamp is not None:
            try:
                if self._open is not None:
                    raise MalformedError("a unit without its end")
                data, picture = self._frame()
            except MalformedError:
                self.malformed += 1
                is_broken = True
        self._timestamp, self._parts, self._bytes, self._open, self._is_broken = None, [], 0, None, False
        if is_broken:
            self.wants_keyframe = True
        elif not data:
            return
        elif picture is not None:
            self.wants_keyframe = False
            self._has_begun = True
        if self.wants_keyframe or timestamp is None:
            self.lost_frames += self._has_begun
            return
        frames.append(Frame(data, timestamp, picture is not None, picture))
