"""The sound of a film: one lane for each person, filled with silence where nothing came, levelled, mixed and limited.

Everything is stereo at 48 kHz. Sound comes in blocks, so that no more than a few seconds of it are in memory.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, Final

from av import AudioFrame
from av.error import BlockingIOError as NothingYetError
from av.error import EOFError as EndedError
from av.filter import Graph

from pymeet.db.files import Files
from pymeet.recording.compose.job import Track
from pymeet.recording.compose.tracks import sounds

RATE: Final = 48_000
BLOCK: Final = RATE // 2
"""Samples that are mixed at a time."""
GAP_MS: Final = 500
"""Behind a longer pause the clocks are compared anew; within, sound is stretched to follow its timestamps."""

_BYTES = 4  # two channels of 16 bits
_BASE = Fraction(1, RATE)
LEVEL: Final = "f=250:g=11:m=8:r=0.2"
"""Quarters of a second, smoothed over 2.75 s; at most 18 dB louder, to an RMS of -14 dB."""


class Mixer:
    """Mixes the tracks that are sound. Levelling looks ahead, so it hands out later than it takes in."""

    def __init__(self, files: Files, tracks: Sequence[Track], ends_at: int) -> None:
        """`tracks` are those of sound; there is at least one. The film has `ends_at` milliseconds."""
        self._samples = ends_at * RATE // 1000
        by_lane: dict[tuple[str, str], list[Track]] = {}
        for track in sorted(tracks, key=lambda track: track.begins_at):
            by_lane.setdefault((track.person_id, track.source), []).append(track)
        self._lanes = [_Lane(files, lane) for lane in by_lane.values()]
        self._graph, self._sources, self._sink = Graph(), [], None
        mix = self._graph.add("amix", inputs=str(len(by_lane)), normalize="0")
        for index, (_, source) in enumerate(by_lane):
            entry = self._graph.add_abuffer(sample_rate=RATE, format="s16", layout="stereo", time_base=_BASE)
            self._sources.append(entry)
            if source == "microphone":
                level = self._graph.add("dynaudnorm", LEVEL)
                entry.link_to(level)
                level.link_to(mix, 0, index)
            else:
                entry.link_to(mix, 0, index)
        limit = self._graph.add("alimiter", "limit=0.9:level=0:latency=1")
        shape = self._graph.add("aformat", "sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo")
        sink = self._graph.add("abuffersink")
        self._graph.link_nodes(mix, limit, shape, sink).configure()
        self._sink = sink
        self._at = 0

    def until(self, at_ms: int) -> Iterator[AudioFrame]:
        """Takes block after block until that time is over, or the film, and hands out what is mixed by then."""
        while self._at < self._samples and self._at * 1000 <= at_ms * RATE:
            samples = min(BLOCK, self._samples - self._at)
            for lane, source in zip(self._lanes, self._sources, strict=True):
                frame = AudioFrame("s16", "stereo", samples)
                frame.planes[0].update(lane.take(samples))
                frame.sample_rate, frame.time_base, frame.pts = RATE, _BASE, self._at
                source.push(frame)
            self._at += samples
            yield from _pulled(self._sink)

    def end(self) -> Iterator[AudioFrame]:
        """The rest."""
        for source in self._sources:
            source.push(None)
        yield from _pulled(self._sink)

    def close(self) -> None:
        """Closes the files."""
        for lane in self._lanes:
            lane.close()


class _Lane:
    """One person's sound from the beginning of the film on, without holes."""

    def __init__(self, files: Files, tracks: Sequence[Track]) -> None:
        self._files = files
        self._waiting = list(tracks)
        self._runs: Iterator[tuple[int, bytes]] = iter(())
        self._piece: tuple[int, bytes] | None = None
        self._at = 0

    def take(self, samples: int) -> bytes:
        """The next samples, two channels of 16 bits."""
        end, found = self._at + samples, bytearray()
        while self._at < end:
            if self._piece is None:
                self._piece = next(self._runs, None) or self._opened(end)
            if self._piece is None or self._piece[0] >= end:
                break
            begin, data = self._piece
            if begin > self._at:
                found += bytes((begin - self._at) * _BYTES)
                self._at = begin
            # What comes too late is cut off at its beginning: there is sound already.
            data = data[(self._at - begin) * _BYTES :]
            taken = data[: (end - self._at) * _BYTES]
            found += taken
            self._at += len(taken) // _BYTES
            rest = data[len(taken) :]
            self._piece = (self._at, rest) if rest else None
        self._at = end
        return bytes(found.ljust(samples * _BYTES, b"\0"))

    def close(self) -> None:
        self._runs = iter(())

    def _opened(self, end: int) -> tuple[int, bytes] | None:
        """The first piece of the next track whose time has come. Until then its file is not opened."""
        while self._waiting and self._waiting[0].begins_at * RATE // 1000 < end:
            self._runs = _pieces(self._files, self._waiting.pop(0))
            if piece := next(self._runs, None):
                return piece
        return None


def _pieces(files: Files, track: Track) -> Iterator[tuple[int, bytes]]:
    """(sample of the film, sound): each run without a pause through a graph of its own."""
    run: _Run | None = None
    for at_ms, frame in sounds(files, track):
        if run is not None and (at_ms > run.ends_at + GAP_MS or not run.takes(frame)):
            yield from run.end()
            run = None
        if run is None:
            run = _Run(frame)
        yield from run.push(at_ms, frame)
    if run is not None:
        yield from run.end()


class _Run:
    """Sound without a long pause. Its timestamps are those of the recording's clock; the samples are stretched to them."""

    def __init__(self, frame: AudioFrame) -> None:
        self._kind = (frame.sample_rate, frame.format.name, frame.layout.name)
        self.ends_at = 0
        graph = Graph()
        self._source = graph.add_abuffer(
            sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name, time_base=_BASE
        )
        follow = graph.add("aresample", f"{RATE}:async=1000")
        shape = graph.add("aformat", f"sample_fmts=s16:sample_rates={RATE}:channel_layouts=stereo")
        self._sink = graph.add("abuffersink")
        graph.link_nodes(self._source, follow, shape, self._sink).configure()
        self._graph = graph

    def takes(self, frame: AudioFrame) -> bool:
        return self._kind == (frame.sample_rate, frame.format.name, frame.layout.name)

    def push(self, at_ms: int, frame: AudioFrame) -> Iterator[tuple[int, bytes]]:
        self.ends_at = at_ms + frame.samples * 1000 // frame.sample_rate
        frame.time_base, frame.pts = _BASE, at_ms * RATE // 1000
        self._source.push(frame)
        yield from self._pull()

    def end(self) -> Iterator[tuple[int, bytes]]:
        self._source.push(None)
        yield from self._pull()

    def _pull(self) -> Iterator[tuple[int, bytes]]:
        for frame in _pulled(self._sink):
            yield max(0, frame.pts or 0), bytes(frame.planes[0])[: frame.samples * _BYTES]


def _pulled(sink: Any) -> Iterator[AudioFrame]:
    with suppress(NothingYetError, EndedError):
        while True:
            yield sink.pull()
