"""What waits to be sent on one connection: bounded, so that a client that does not read costs a bounded amount of memory. Pure."""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

MESSAGES_LIMIT = 1_000
BYTES_LIMIT = 4 * 1024 * 1024


class FrameKind(Enum):
    """The frames that the server sends of itself; the closing one is not among them."""

    TEXT = auto()
    PING = auto()
    PONG = auto()


@dataclass(frozen=True, slots=True)
class Frame:
    """One WebSocket frame."""

    kind: FrameKind
    payload: bytes


class Outbox:
    """First in, first out. When one more would be too much, `put` refuses it: then the connection is to be closed."""

    def __init__(self, *, messages: int = MESSAGES_LIMIT, size: int = BYTES_LIMIT) -> None:
        self._frames: deque[Frame] = deque()
        self._messages_limit = messages
        self._bytes_limit = size
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: Frame) -> bool:
        """Appends a frame; False when there is no room for it."""
        if len(self._frames) >= self._messages_limit or self._bytes + len(frame.payload) > self._bytes_limit:
            return False
        self._frames.append(frame)
        self._bytes += len(frame.payload)
        return True

    def take(self) -> Frame | None:
        """The frame that waited longest; None when there is none."""
        if not self._frames:
            return None
        frame = self._frames.popleft()
        self._bytes -= len(frame.payload)
        return frame

    def clear(self) -> None:
        """Forgets what waits."""
        self._frames.clear()
        self._bytes = 0
