"""Taking tracks down: the event loop drops packets into queues, and one thread for the whole server makes files of them.

The thread takes many short turns and stands back after each, because while it computes nothing is forwarded. When the disk
is too slow the queues are kept short by giving up the oldest video, up to its next key frame; sound only when there is
nothing else.
"""

import asyncio
import errno
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakValueDictionary

import structlog

from pymeet.clock import Clock
from pymeet.recording.media_clock import LeastDelay
from pymeet.recording.track_writer import LogFiles, TrackBegun, TrackEnd, TrackMeta, TrackWriter
from pymeet.sfu.codecs import starts_keyframe
from pymeet.sfu.rtp import payload_at
from pymeet.stepback import step_back

__all__ = ["Capture", "CaptureTrack", "TrackBegun", "TrackEnd", "TrackMeta"]

_log = structlog.get_logger(__name__)

_TICK_S = 0.04
_TURN_PACKETS = 8
"""Some 0.3 ms: so long the loop waits at worst when a packet comes in the middle."""
_STAND_BACK_S = 0.0001
"""Long enough for a thread that waits to take over; 0 would not be."""
_REPORTS_APART_S = 0.1
CLOSE_S = 2.0
"""How long the end of a server waits for the disk, at most."""
_MAX_PACKETS = 40_000
_MAX_BYTES = 32 * 1024 * 1024
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

_Item = tuple[bytes | None, int, int, float]
"""A packet with number, timestamp and arrival; without packet a sender report with its NTP time, or `_RESTARTED`."""
_RESTARTED: _Item = (None, -1, 0, 0.0)


class CaptureTrack:
    """A track being taken down; see `Capture.open`. It is a `Tap`."""

    def __init__(
        self,
        capture: "Capture",
        writer: TrackWriter,
        want_keyframe: Callable[[], None],
        on_begun: Callable[[TrackBegun], None],
        on_end: Callable[[TrackEnd], None],
    ) -> None:
        self.meta = writer.meta
        self.is_video = writer.meta.codec != "opus"
        self.writer = writer
        """Belongs to the thread."""
        self.waiting: deque[_Item] = deque()
        self.closing = False
        self.until: float | None = None
        self.dropped_frames = 0
        self.want_keyframe = want_keyframe
        self.on_begun: Callable[[TrackBegun], None] | None = on_begun
        self.on_end = on_end
        self._capture = capture
        self._reported_at = float("-inf")

    @property
    def size_bytes(self) -> int:
        """How large the file is so far."""
        return self.writer.size_bytes

    def packet(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        """See `Tap.packet`."""
        if not self.closing:
            self.waiting.append((packet, sequence, timestamp, now))
            self._capture.took(len(packet))

    def report(self, ntp: int, timestamp: int, now: float) -> None:
        """See `Tap.report`. Not more of them than a clock is read by: nothing else bounds how many wait."""
        if now - self._reported_at >= _REPORTS_APART_S:
            self._reported_at = now
            self.waiting.append((None, ntp, timestamp, now))

    def restarted(self) -> None:
        """See `Tap.restarted`."""
        self._reported_at = float("-inf")
        self.waiting.append(_RESTARTED)

    def close(self) -> None:
        """The track ends with what has come so far. Returns at once; `on_end` is called later."""
        self.closing = True

    def close_by(self, until: float) -> None:
        """The same for who withdrew: what still waits for a slow disk then (monotonic seconds) is not written."""
        self.closing = True
        if self.until is None:
            self.until = until


class Capture:
    """All tracks being taken down. To be made, and its methods called, on the event loop; so are all its callbacks."""

    def __init__(
        self,
        files: LogFiles,
        clock: Clock,
        *,
        sync_s: float,
        on_disk_error: Callable[[str], None],
        max_packets: int = _MAX_PACKETS,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        """`on_disk_error` is told `disk_full` or `disk_error`, once until all tracks have ended; `sync_s` is how often
        files are made safe against a power cut; the maxima are what may wait for the disk."""
        self._files = files
        self._clock = clock
        self._sync_s = sync_s
        self._on_disk_error = on_disk_error
        self._max_packets = max_packets
        self._max_bytes = max_bytes
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._tracks: dict[str, CaptureTrack] = {}
        self._publishers: WeakValueDictionary[str, LeastDelay] = WeakValueDictionary()
        self._is_failing = False
        # what came in and what was given up is counted by the loop, what went out by the thread: no counter has two writers
        self._packets_in = self._bytes_in = 0
        self._packets_given_up = self._bytes_given_up = 0
        self._packets_out = self._bytes_out = 0
        self._malformed = self._lost_frames = 0

    # -- the event loop ---------------------------------------------------------------------------------------------

    def open(
        self,
        meta: TrackMeta,
        *,
        want_keyframe: Callable[[], None],
        on_begun: Callable[[TrackBegun], None],
        on_end: Callable[[TrackEnd], None],
    ) -> CaptureTrack:
        """Takes down a track from now on. Its file is made when its first frame comes.

        `want_keyframe` is called when nothing can be made of what comes before the next key frame, once a second; `on_begun`
        at most once; `on_end` exactly once and last, after `close()` or when the file could not be written. KeyError for
        a codec that cannot be recorded.
        """
        publisher = self._publishers.setdefault(meta.publisher, LeastDelay())
        writer = TrackWriter(meta, publisher, self._files, self._sync_s)
        track = CaptureTrack(self, writer, want_keyframe, on_begun, on_end)
        with self._lock:
            self._tracks[meta.track_id] = track
            if self._thread is None:
                self._is_failing = False
                self._thread = threading.Thread(target=self._write, name="recording", daemon=True)
                self._thread.start()
        return track

    async def close(self, patience_s: float = CLOSE_S) -> None:
        """Ends all tracks; every `on_end` has been called when this returns. A disk that does not answer is waited for so
        long only: what could not be written is put in order at the next start, and the thread ends with the process.
        """
        with self._lock:
            thread = self._thread
            for track in self._tracks.values():
                track.close()
        if thread is not None:
            await asyncio.to_thread(thread.join, patience_s)
            if thread.is_alive():
                _log.error(
                    "the disk does not answer: tracks are left as they are until the next start",
                    count=len(self._tracks),
                )

    def size_bytes(self, track_id: str) -> int:
        """How large the file of a track is so far; 0 when it is not being taken down."""
        track = self._tracks.get(track_id)
        return track.size_bytes if track is not None else 0

    def stats(self) -> dict[str, int]:
        """Counters and gauges for the metrics, without anything about persons."""
        packets, waiting_bytes = self._waiting()
        return {
            "tracks": len(self._tracks),
            "packets_waiting": packets,
            "bytes_waiting": waiting_bytes,
            "packets_given_up": self._packets_given_up,
            "packets_malformed": self._malformed,
            "frames_lost": self._lost_frames,
        }

    def took(self, size: int) -> None:
        """A packet of this size waits now."""
        self._packets_in += 1
        self._bytes_in += size
        if self._is_too_much:
            self._make_room()

    def _waiting(self) -> tuple[int, int]:
        return (
            self._packets_in - self._packets_out - self._packets_given_up,
            self._bytes_in - self._bytes_out - self._bytes_given_up,
        )

    @property
    def _is_too_much(self) -> bool:
        packets, waiting_bytes = self._waiting()
        return packets > self._max_packets or waiting_bytes > self._max_bytes

    def _make_room(self) -> None:
        waiting = [track for track in list(self._tracks.values()) if track.waiting]
        while waiting and self._is_too_much:
            track = min(waiting, key=lambda t: (not t.is_video, _oldest(t.waiting)))
            if not self._give_up(track):
                waiting.remove(track)  # only reports wait there, as of a muted camera

    def _give_up(self, track: CaptureTrack) -> bool:
        """Gives up the oldest packet of sound, or video up to the next key frame; whether there was any. The gap in the
        numbers tells the rest."""
        kept: list[_Item] = []
        stamp = -1
        given_up = 0
        with suppress(IndexError):  # the thread takes from the same queue
            while True:
                packet, _, timestamp, _ = item = track.waiting.popleft()
                if packet is None:
                    kept.append(item)
                    continue
                if given_up and track.is_video and starts_keyframe(track.meta.codec, packet[payload_at(packet) :]):
                    kept.append(item)
                    break
                given_up += 1
                self._packets_given_up += 1
                self._bytes_given_up += len(packet)
                if timestamp != stamp:
                    stamp = timestamp
                    track.dropped_frames += 1
                if not track.is_video:
                    break
        track.waiting.extendleft(reversed(kept))
        return given_up > 0

    # -- the thread -------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        step_back()
        while True:
            turn = 0
            for track in list(self._tracks.values()):
                turn = self._work(track, turn)
            with self._lock:
                if not self._tracks:
                    self._thread = None
                    return
            time.sleep(_TICK_S)

    def _work(self, track: CaptureTrack, turn: int) -> int:
        """Does what there is to do for a track; counts packets since the thread last stood back."""
        closing = track.closing  # before the packets are looked at, so that none comes after
        writer = track.writer
        try:
            now_ms = self._clock.now_ms()
            for _ in range(len(track.waiting)):
                try:
                    packet, number, timestamp, now = track.waiting.popleft()
                except IndexError:  # given up meanwhile
                    break
                if packet is not None:
                    self._packets_out += 1
                    self._bytes_out += len(packet)
                    if track.until is None or self._clock.monotonic() <= track.until:
                        writer.packet(packet, number, timestamp, now, now_ms)
                elif number < 0:
                    writer.restarted()
                else:
                    writer.report(number, timestamp, now)
                turn += 1
                if turn >= _TURN_PACKETS:
                    turn = 0
                    time.sleep(_STAND_BACK_S)
            now = self._clock.monotonic()
            writer.tick(now, now_ms)
            self._tell_begun(track)
            if writer.take_keyframe_wish(now):
                self._call(track.want_keyframe)
            if closing:
                self._end(track, None)
        except Exception as error:
            self._fail(track, error)
        return turn

    def _tell_begun(self, track: CaptureTrack) -> None:
        if track.on_begun is not None and track.writer.begins_at is not None:
            self._call(track.on_begun, TrackBegun(track.meta.track_id, track.writer.begins_at))
            track.on_begun = None

    def _end(self, track: CaptureTrack, error: str | None) -> None:
        end = track.writer.end(track.dropped_frames, error)
        self._tell_begun(track)
        track.close()
        with self._lock:
            del self._tracks[track.meta.track_id]
        with suppress(IndexError):  # what a failure left
            while True:
                packet, _, _, _ = track.waiting.popleft()
                self._packets_out += packet is not None
                self._bytes_out += len(packet or b"")
        self._malformed += track.writer.malformed
        self._lost_frames += end.lost_frames
        self._call(track.on_end, end)

    def _fail(self, track: CaptureTrack, error: Exception) -> None:
        if isinstance(error, sqlite3.Error):
            code = "disk_full" if error.sqlite_errorcode == sqlite3.SQLITE_FULL else "disk_error"
        elif isinstance(error, FileNotFoundError):
            code = "gone"
        elif isinstance(error, OSError):
            code = "disk_full" if error.errno in _NO_ROOM else "disk_error"
        else:
            code = "internal"
        _log.error("a track could not be written to its end", reason=code, exc_info=error)
        if code in ("disk_full", "disk_error") and not self._is_failing:
            self._is_failing = True
            self._call(self._on_disk_error, code)
        self._end(track, code)

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(callback, *args)


def _oldest(waiting: deque[_Item]) -> float:
    with suppress(IndexError):
        return waiting[0][3]
    return float("inf")
