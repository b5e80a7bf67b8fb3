"""Where nothing must be mixed, the picture is copied as it was sent: one person, one camera or screen, without pauses.

MP4 takes H.264 that way, its sound is still levelled and made AAC; WebM takes VP8, VP9 and AV1, and Opus.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av

from pymeet.db.files import Files
from pymeet.errors import PymeetError
from pymeet.recording.compose.film import Progress, encode, encoder_of_sound
from pymeet.recording.compose.job import Job, Track
from pymeet.recording.compose.patching import Patchable, Tail
from pymeet.recording.compose.sound import Mixer
from pymeet.recording.compose.tracks import GAP_MS, OpenTrack

_PICTURES: Final = {"mp4": {"h264"}, "webm": {"vp8", "vp9", "av1"}}
_LATEST_BEGIN_MS: Final = {"mp4": 10_000, "webm": 1000}
"""A picture that begins later needs something to be seen before. MP4 says in an edit list that it does; in WebM it is left
to players where the time begins, and a film's time is the recording's.
"""
_SPS: Final = 7
"""A sequence parameter set (H.264 table 7-1): it says how large the picture is."""
_MS: Final = Fraction(1, 1000)


def passable(job: Job, files: Files) -> bool:
    """Whether the picture of this film need not be made anew. Reads the whole track once."""
    pictures = [track for track in job.tracks if track.is_picture]
    sounds = [track for track in job.tracks if not track.is_picture]
    if len(pictures) != 1 or len(sounds) > 1 or len(job.people) != 1:
        return False
    track = pictures[0]
    if track.begins_at > _LATEST_BEGIN_MS[job.format]:
        return False
    try:
        opened = OpenTrack(files, track)
    except PymeetError:
        return False
    try:
        codec = opened.stream.codec_context.codec.canonical_name
        if codec not in _PICTURES[job.format]:
            return False
        last = track.begins_at
        seen: set[bytes] = set()
        for packet in opened.packets():
            at_ms = opened.time_of(packet.pts)
            if track.source == "camera" and at_ms - last > GAP_MS:
                return False
            last = at_ms
            if codec == "h264" and packet.is_keyframe:
                seen.update(unit for unit in _units(bytes(packet)) if unit[0] & 31 == _SPS)
        # MP4 has one set of parameters for all of a track, taken from its beginning.
        return len(seen) <= 1 and job.ends_at - last <= GAP_MS
    finally:
        opened.close()


def pass_through(job: Job, files: Files, sink: Patchable, progress: Progress) -> int:
    """Writes the film of one person; milliseconds of it. Raises as `film.compose`."""
    picture = OpenTrack(files, next(track for track in job.tracks if track.is_picture))
    heard = [track for track in job.tracks if not track.is_picture]
    tail, end = Tail(sink), 0
    try:
        with av.open(tail, "w", format=job.format) as output:
            target = output.add_stream_from_template(picture.stream)
            sound = _Copied(output, files, heard, job) if job.format == "webm" else _Levelled(output, files, heard, job)
            for packet in picture.packets():
                end = picture.time_of(packet.pts)
                sound.until(end)
                packet.pts = packet.dts = end
                packet.time_base, packet.stream = _MS, target
                output.mux(packet)
                progress(min(999, end * 1000 // max(1, job.ends_at)))
            sound.until(job.ends_at)
            sound.end()
            tail.hold()
        tail.release()
    finally:
        picture.close()
    return max(end, job.ends_at)


def _units(frame: bytes) -> Iterator[bytes]:
    """The units of an H.264 frame, each behind its length in four bytes (ISO/IEC 14496-15 section 5.2.3)."""
    at = 0
    while at + 4 < len(frame):
        size = int.from_bytes(frame[at : at + 4], "big")
        if size:
            yield frame[at + 4 : at + 4 + size]
        at += 4 + size


class _Copied:
    """Opus as it came."""

    def __init__(self, output: Any, files: Files, heard: list[Track], _job: Job) -> None:
        self._output = output
        self._open = OpenTrack(files, heard[0]) if heard else None
        self._packets = iter(self._open.packets()) if self._open else iter(())
        self._target = output.add_stream_from_template(self._open.stream) if self._open else None
        self._next = next(self._packets, None)

    def until(self, at_ms: int) -> None:
        while self._next is not None and self._open is not None and self._open.time_of(self._next.pts) <= at_ms:
            packet = self._next
            packet.pts = packet.dts = self._open.time_of(packet.pts)
            packet.time_base, packet.stream = _MS, self._target
            self._output.mux(packet)
            self._next = next(self._packets, None)

    def end(self) -> None:
        if self._open is not None:
            self._open.close()


class _Levelled:
    """Sound made as for any other film."""

    def __init__(self, output: Any, files: Files, heard: list[Track], job: Job) -> None:
        self._output = output
        self._mixer = Mixer(files, heard, job.ends_at) if heard else None
        self._stream = encoder_of_sound(output, job.format) if heard else None

    def until(self, at_ms: int) -> None:
        if self._mixer is not None:
            encode(self._output, self._stream, self._mixer.until(at_ms))

    def end(self) -> None:
        if self._mixer is not None:
            encode(self._output, self._stream, self._mixer.end())
            encode(self._output, self._stream, [None])
            self._mixer.close()
