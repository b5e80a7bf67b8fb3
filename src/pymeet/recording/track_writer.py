"""One track on its way to its file: packets in order, frames, their times, clusters, the sealed log. For the writer's thread."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pymeet.recording.depacket import for_codec
from pymeet.recording.depacket.frame import Frame, MalformedError, payload_of
from pymeet.recording.depacket.reorder import Ordered, Reorder
from pymeet.recording.matroska import CLUSTER_MS, Muxer
from pymeet.recording.media_clock import LeastDelay, MediaClock
from pymeet.sfu.producer import Source

_VIDEO_PACKETS, _VIDEO_WAIT_S = 512, 0.5
"""A lost packet of video is asked for again; that takes a few round trips."""
_AUDIO_PACKETS, _AUDIO_WAIT_S = 16, 0.1
_ASK_AGAIN_S = 1.0
_FRAME_MS = 33
"""How long the last picture of a track is shown, when there was no other to go by."""


class LogSink(Protocol):
    """A sealed log being written, as `db.files.SealedLogSink` is."""

    def append(self, data: bytes) -> None:
        """The operating system has it when this returns. Raises OSError."""

    def sync(self) -> None:
        """The disk has everything when this returns. Raises OSError."""

    def finish(self) -> None:
        """The file is whole. After a failure of `append`, with what came before it. Raises OSError; the file is closed then
        too, and can be recovered."""


class LogFiles(Protocol):
    """Where sealed logs are made, as `db.files.Files` is."""

    def create_log(self, file_id: str, now_ms: int) -> LogSink:
        """Begins a log under a new key. Raises OSError or sqlite3.Error when there is no room."""


@dataclass(frozen=True, slots=True)
class TrackMeta:
    """What a track is, and where it goes."""

    track_id: str
    file_id: str
    source: Source
    codec: str
    """As `sfu.producer.Track.codec` has it: one of `depacket.CODECS`."""
    publisher: str
    """The same for the tracks of one publishing connection: they share the publisher's clock."""
    zero_s: float
    """When the recording began, in monotonic seconds."""


@dataclass(frozen=True, slots=True)
class TrackBegun:
    """The first frame is about to be written: now it is known when the track begins."""

    track_id: str
    begins_at: int
    """In milliseconds of the recording. The times in the file count from there."""


@dataclass(frozen=True, slots=True)
class TrackEnd:
    """Nothing more comes."""

    track_id: str
    begins_at: int | None
    """None when not one frame came; then there is no file either."""
    duration_ms: int
    size_bytes: int
    lost_frames: int
    error: str | None
    """`disk_full` or `disk_error` when the file could not be written to its end, `internal` for a fault of ours: what was
    written before can be recovered. `gone` when it was destroyed meanwhile."""


class TrackWriter:
    """Made for one track. Its methods raise OSError or sqlite3.Error when the file cannot be written; then only `end` may follow."""

    def __init__(self, meta: TrackMeta, publisher: LeastDelay, files: LogFiles, sync_s: float) -> None:
        is_audio = meta.codec == "opus"
        self.meta = meta
        self.begins_at: int | None = None
        self.size_bytes = 0
        self._files = files
        self._sync_s = sync_s
        self._rate = 48000 if is_audio else 90000
        wait = (_AUDIO_PACKETS, _AUDIO_WAIT_S) if is_audio else (_VIDEO_PACKETS, _VIDEO_WAIT_S)
        self._reorder = Reorder(*wait)
        self._depacketiser = for_codec(meta.codec)
        self._clock = MediaClock(publisher, self._rate, meta.zero_s)
        self._muxer = Muxer(meta.codec)
        self._sink: LogSink | None = None
        self._malformed = 0
        self._gap = False
        self._last_ms = self._kept_ms = 0
        self._last_duration_ms = 0 if is_audio else _FRAME_MS
        self._cluster_since = self._synced_at = self._asked_at = meta.zero_s
        self._is_synced = True
        self._heard = False
        self._now, self._now_ms = meta.zero_s, 0

    @property
    def malformed(self) -> int:
        """Packets that do not follow their format."""
        return self._malformed + self._depacketiser.malformed

    def packet(self, packet: bytes, sequence: int, timestamp: int, now: float, now_ms: int) -> None:
        """Takes a packet of the track that arrived at `now`; the file is made, if need be, at `now_ms`."""
        self._now, self._now_ms = now, now_ms
        self._heard = True
        self._clock.arrived(timestamp, now)
        self._pass_on(self._reorder.push(packet, sequence, timestamp, now))

    def report(self, ntp: int, timestamp: int, now: float) -> None:
        """Takes a sender report."""
        self._clock.reported(ntp, timestamp, now)

    def restarted(self) -> None:
        """What follows is another stream of packets."""
        self._pass_on(self._reorder.restart())
        self._clock.restart()

    def tick(self, now: float, now_ms: int) -> None:
        """To be called many times a second: gives up what is missing, writes what has waited long enough, syncs."""
        self._now, self._now_ms = now, now_ms
        self._pass_on(self._reorder.expire(now))
        if self._muxer.is_empty:
            self._cluster_since = now
        elif now - self._cluster_since >= CLUSTER_MS / 1000:
            self._append(self._muxer.flush(), self._end_ms)
            self._cluster_since = now
        if self._sink is not None and not self._is_synced and now - self._synced_at >= self._sync_s:
            self._sink.sync()
            self._is_synced, self._synced_at = True, now

    def take_keyframe_wish(self, now: float) -> bool:
        """Whether to ask for a key frame now; it counts as asked."""
        heard, self._heard = self._heard, False
        if not (heard and self._depacketiser.wants_keyframe) or now - self._asked_at < _ASK_AGAIN_S:
            return False
        self._asked_at = now
        return True

    def end(self, dropped_frames: int, error: str | None) -> TrackEnd:
        """Writes what there is and closes the file. After an `error` only what was written before is kept.

        `dropped_frames` were lost before they came here. Raises like the others; to be called again then, with an error.
        """
        if error is None:
            self._pass_on(self._reorder.flush())
            self._append(self._muxer.flush(), self._end_ms)
        sink, self._sink = self._sink, None
        if sink is not None:
            try:
                sink.finish()
            except Exception:
                if error is None:
                    raise
        lost = self._depacketiser.lost_frames + dropped_frames
        return TrackEnd(self.meta.track_id, self.begins_at, self._kept_ms, self.size_bytes, lost, error)

    @property
    def _end_ms(self) -> int:
        """Where the last frame ends."""
        return self._last_ms + self._last_duration_ms

    def _pass_on(self, packets: Iterable[Ordered]) -> None:
        for ordered in packets:
            gap, self._gap = ordered.gap or self._gap, False
            try:
                payload = payload_of(ordered.packet)
            except MalformedError:
                self._malformed += 1
                self._gap = True
                continue
            if not payload:  # padding that probes for bandwidth
                self._gap = gap
                continue
            marker = bool(ordered.packet[1] & 0x80)
            for frame in self._depacketiser.push(payload, marker, ordered.timestamp, gap=gap):
                self._write(frame)

    def _write(self, frame: Frame) -> None:
        at_ms = self._clock.at(frame.rtp_timestamp)
        if self.begins_at is None:
            self._sink = self._files.create_log(self.meta.file_id, self._now_ms)
            self.begins_at = at_ms
            self._append(self._muxer.head(frame.picture, at_ms), 0)
        at_ms -= self.begins_at
        end_before = self._end_ms
        if frame.duration:
            self._last_duration_ms = frame.duration * 1000 // self._rate
        elif at_ms > self._last_ms:
            self._last_duration_ms = min(at_ms - self._last_ms, 1000)
        self._last_ms = at_ms
        if piece := self._muxer.add(frame, at_ms):
            self._append(piece, end_before)
            self._cluster_since = self._now

    def _append(self, piece: bytes, end_ms: int) -> None:
        """Writes a piece, with which what is written ends at `end_ms`."""
        if piece and self._sink is not None:
            self._sink.append(piece)
            self.size_bytes += len(piece)
            self._kept_ms = end_ms
            self._is_synced = False
