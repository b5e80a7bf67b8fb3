"""Puts a film together: every picture from the tiles of its moment, the sound beside it, into MP4 or WebM.

Memory depends on how many people are to be seen at once, not on how long the film is; only the index that MP4 keeps of its
frames grows with it.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction
from typing import Any, Final

import av
from av import VideoFrame
from av.container import OutputContainer

from pymeet.db.files import Files
from pymeet.recording.compose.canvas import Canvas, Patch, Scaler, avatar, blank, label
from pymeet.recording.compose.job import Format, Job, Track
from pymeet.recording.compose.patching import Patchable, Tail
from pymeet.recording.compose.sound import RATE, Mixer
from pymeet.recording.compose.tracks import Pictures
from pymeet.recording.layout import Picture, Segment, Span, Tile, segments, size_of

FPS: Final = 30
AHEAD: Final = 8
"""So many pictures are put together before they are encoded, so that neither waits while the other has more to do."""

PICTURE: Final[Mapping[Format, tuple[str, Mapping[str, str]]]] = {
    # Without B-frames and with the quickest search for motion: half the time, the same likeness, a quarter more bytes
    # where cameras are noisy. B-frames at fixed places would be as quick, but shared text that scrolls takes five times
    # the bytes with them.
    "mp4": ("libx264", {"preset": "veryfast", "crf": "23", "g": "120", "bf": "0", "subq": "1", "weightp": "none"}),
    "webm": (
        "libvpx-vp9",
        {
            "deadline": "realtime",
            "cpu-used": "8",
            "row-mt": "1",
            "crf": "34",
            "b": "0",
            "g": "120",
            "lag-in-frames": "0",
        },
    ),
}
"""Encoder and what it is told."""
_SOUND: Final[Mapping[Format, tuple[str, int]]] = {"mp4": ("aac", 128_000), "webm": ("libopus", 96_000)}
"""Encoder and bits per second."""

_BT601: Final = 6
"""SMPTE 170M: what cameras of browsers send where nothing else is said; said in the film, so that nobody guesses."""
_BT709: Final = 1
_LIMITED: Final = 1

Progress = Callable[[int], None]


def compose(job: Job, files: Files, sink: Patchable, progress: Progress) -> int:
    """Writes the film and tells how many milliseconds it has. `progress` hears thousandths.

    Raises OSError when there is no room, FFmpegError when it cannot be encoded.
    """
    frames = max(1, job.ends_at * FPS // 1000)
    heard = [track for track in job.tracks if not track.is_picture]
    screen, tail = Screen(job, files), Tail(sink)
    mixer = Mixer(files, heard, job.ends_at) if heard else None
    try:
        with av.open(tail, "w", format=job.format) as output, closing(screen.all(frames)) as pictures:
            picture = encoder_of_picture(output, job.format, job.height)
            sound = encoder_of_sound(output, job.format) if mixer is not None else None
            for number, frame in enumerate(pictures):
                if mixer is not None:
                    encode(output, sound, mixer.until(number * 1000 // FPS))
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                encode(output, picture, [frame])
                progress(number * 1000 // frames)
            encode(output, picture, [None])
            if mixer is not None:
                encode(output, sound, mixer.until(job.ends_at))
                encode(output, sound, mixer.end())
                encode(output, sound, [None])
            tail.hold()
        tail.release()
    finally:
        screen.close()
        if mixer is not None:
            mixer.close()
    return frames * 1000 // FPS


def encoder_of_picture(output: OutputContainer, kind: Format, height: int) -> Any:
    """A stream for the picture in a film of this format and size."""
    codec, options = PICTURE[kind]
    stream: Any = output.add_stream(codec, rate=FPS, options=dict(options))
    stream.width, stream.height = size_of(height)
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.colorspace, context.color_range = _BT601, _LIMITED
    context.color_primaries = context.color_trc = _BT709
    return stream


def encoder_of_sound(output: OutputContainer, kind: Format) -> Any:
    """A stream for the sound in a film of this format."""
    codec, bits = _SOUND[kind]
    sound: Any = output.add_stream(codec, rate=RATE, layout="stereo")
    sound.bit_rate = bits
    return sound


def encode(output: OutputContainer, stream: Any, frames: Iterable[Any]) -> None:
    """Puts frames through an encoder into the film; None at the end fetches what it holds back."""
    for frame in frames:
        output.mux(stream.encode(frame))


class Screen:
    """What is to be seen, asked for in the order of time."""

    def __init__(self, job: Job, files: Files) -> None:
        self._job, self._files = job, files
        self._tracks = {track.id: track for track in job.tracks if track.is_picture}
        self._names = {person.id: person.name if job.with_names else None for person in job.people}
        size = size_of(job.height)
        self._canvas = Canvas(*size)
        self._plan = segments(
            [_picture(track, job) for track in self._tracks.values()],
            _present(job),
            [_span(each) for each in job.happenings if each.kind == "spoke"],
            style=job.style,
            size=size,
            ends_at=job.ends_at,
        )
        self._index = 0
        self._views: dict[Tile, _View] = {}
        self._open: dict[str, Pictures] = {}
        self._avatars: dict[tuple[str, int, int], Patch] = {}
        self._labels: dict[tuple[str, int], Patch | None] = {}
        self._begin()

    def all(self, frames: int) -> Generator[VideoFrame, None, None]:
        """So many pictures of the film, put together in threads while those before are encoded. To be closed."""
        with ThreadPoolExecutor(1) as beside, ThreadPoolExecutor(1) as ahead:
            waiting: deque[Future[VideoFrame]] = deque()
            for number in range(frames + AHEAD):
                if number < frames:
                    # What begins within half a picture's time is shown now: sound and picture differ by no more.
                    waiting.append(ahead.submit(self._at, number * 1000 // FPS + 500 // FPS, beside))
                if number >= AHEAD:
                    yield waiting.popleft().result()

    def _at(self, at_ms: int, beside: ThreadPoolExecutor) -> VideoFrame:
        """The picture of that moment."""
        changed = False
        while at_ms >= self._plan[self._index].ends_at and self._index + 1 < len(self._plan):
            self._index += 1
            changed = True
        if changed:
            self._begin()
        # One half here, the other beside: decoding and scaling let go of the interpreter.
        views = list(self._views.values())
        middle = len(views) // 2
        others = beside.submit(_patches, views[:middle], at_ms) if middle else None
        try:
            patches = _patches(views[middle:], at_ms)
        finally:
            first = others.result() if others is not None else ()  # also after a fault: nothing is closed under it
        patches = [*first, *patches]
        for view, each in zip(views, patches, strict=True):
            if each:
                self._put(view.tile, each)
        return self._canvas.frame()

    def close(self) -> None:
        """Closes the files."""
        for pictures in self._open.values():
            pictures.close()

    def _begin(self) -> None:
        """Prepares the segment: opens what it needs, closes what is over, and clears the canvas."""
        segment: Segment = self._plan[self._index]
        for track_id in list(self._open):
            if self._tracks[track_id].ends_at <= segment.begins_at:
                self._open.pop(track_id).close()
        for tile in segment.tiles:
            if tile.track_id is not None and tile.track_id not in self._open:
                self._open[tile.track_id] = Pictures(self._files, self._tracks[tile.track_id])
        self._views = {
            tile: _View(tile, self._open[tile.track_id] if tile.track_id else None, self._avatar(tile))
            for tile in segment.tiles
        }
        self._canvas.clear()

    def _put(self, tile: Tile, patches: Sequence[Patch]) -> None:
        for patch in patches:
            self._canvas.put(patch, tile.x, tile.y)
        name = self._names[tile.person_id]
        key = tile.person_id, tile.width
        if name is not None and key not in self._labels:
            self._labels[key] = label(name, tile.width, self._job.height)
        written = self._labels.get(key)
        if written is not None and written.height <= tile.height:
            self._canvas.put(written, tile.x, tile.y + tile.height - written.height)

    def _avatar(self, tile: Tile) -> Patch:
        key = tile.person_id, tile.width, tile.height
        if key not in self._avatars:
            self._avatars[key] = avatar(tile.person_id, self._names[tile.person_id], tile.width, tile.height)
        return self._avatars[key]


class _View:
    """One tile of a segment: tells what has to be copied anew."""

    def __init__(self, tile: Tile, pictures: Pictures | None, instead: Patch) -> None:
        self.tile = tile
        self._pictures = pictures
        self._instead = instead
        self._scaler = Scaler(tile.width, tile.height)
        self._shown: object = None
        self._place: tuple[int, int, int, int] | None = None

    def patches(self, at_ms: int) -> Sequence[Patch]:
        """What has to be put there, one over the other; nothing while there is to be seen what was before."""
        frame = self._pictures.at(at_ms) if self._pictures is not None else None
        what = self._instead if frame is None else frame
        if what is self._shown:
            return ()
        patch = self._instead if frame is None else self._scaler.patch_of(frame)
        before, place = self._place, (patch.left, patch.top, patch.width, patch.height)
        self._shown, self._place = what, place
        # Somebody who turns a telephone leaves the edges of the other shape behind.
        if before in (None, place) or place == (0, 0, self.tile.width, self.tile.height):
            return (patch,)
        return blank(self.tile.width, self.tile.height), patch


def _patches(views: Sequence[_View], at_ms: int) -> list[Sequence[Patch]]:
    return [view.patches(at_ms) for view in views]


def _picture(track: Track, job: Job) -> Picture:
    """A screen is there while it was shared, where the timeline knows."""
    begin, end = track.begins_at, track.ends_at
    shared = [each for each in job.happenings if each.kind == "shared" and each.person_id == track.person_id]
    if track.source == "screen":
        end = min([end, *(each.ends_at for each in shared if each.begins_at <= end and each.ends_at > begin)])
    return Picture(track.id, track.person_id, "screen" if track.source == "screen" else "camera", begin, end)


def _present(job: Job) -> list[Span]:
    """When each person was in the room: as the timeline says, and at least while something of them is there."""
    found = [_span(each) for each in job.happenings if each.kind == "present"]
    known = {span.person_id for span in found}
    for person in job.people:
        theirs = [track for track in job.tracks if track.person_id == person.id]
        if theirs and person.id not in known:
            found.append(Span(person.id, min(each.begins_at for each in theirs), max(each.ends_at for each in theirs)))
    return [*found, *(Span(track.person_id, track.begins_at, track.ends_at) for track in job.tracks)]


def _span(each: Any) -> Span:
    return Span(each.person_id, each.begins_at, each.ends_at)
