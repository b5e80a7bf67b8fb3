"""A meeting that was recorded, as it stands on a server: rows, sealed tracks that play, and a film that plays."""

import io
import math
from array import array
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import av
from sqlalchemy import Connection, insert, update

from pymeet.db.schema import films, recording_events, recording_tracks
from pymeet.ids import new_id
from pymeet.privacy.parts import Lifecycle
from tests.support.recordings import Made, Seat, change_recording, make_recording, sealed

LASTS_MS = 12_000
FPS = 5
FILM_SIZE, CAMERA_SIZE = (640, 360), (160, 90)
RATE = 48_000
TONE_HZ = 440

Colour = tuple[int, int, int]
Colours = tuple[Colour, ...]

# Luma and chroma of what a person's camera shows, so that a picture tells whose it is.
COLOURS: Colours = ((110, 90, 160), (140, 160, 90), (90, 140, 190), (150, 110, 110))


@dataclass
class Recorded:
    """What there is, and the rows behind it."""

    lifecycle: Lifecycle
    made: Made
    cameras: dict[str, str] = field(default_factory=dict)
    """Names to the ids of their camera tracks."""

    async def add_event(self, name: str, kind: str, begins_at: int, ends_at: int | None = None, text: str = "") -> None:
        """Something that somebody did."""
        values: dict[str, Any] = {"kind": kind, "begins_at": begins_at, "ends_at": ends_at, "text": text or None}

        def add(conn: Connection) -> None:
            conn.execute(
                insert(recording_events).values(recording_id=self.made.id, person_id=self.made.people[name], **values)
            )

        await self.lifecycle.db.work(add)

    async def add_film(self, state: str) -> str:
        """A film that waits, is being made or has failed, asked for a moment ago."""
        film_id = new_id()
        values: dict[str, Any] = {"layout": "speaker", "format": "webm", "height": 480, "with_names": True}

        def add(conn: Connection) -> None:
            at_ms = self.lifecycle.clock.now_ms()
            conn.execute(
                insert(films).values(
                    id=film_id, recording_id=self.made.id, state=state, asked_at_ms=at_ms, attempts=0, **values
                )
            )

        await self.lifecycle.db.work(add)
        return film_id


async def record(lifecycle: Lifecycle, slug: str, owner_id: str, people: dict[str, Seat], name: str) -> Recorded:
    """A meeting of twelve seconds in which the people spoke one after the other, three seconds each; each has a tone and a
    coloured picture. The film shows everybody's colour side by side."""
    colours = tuple(COLOURS[index % len(COLOURS)] for index in range(len(people)))
    made = await make_recording(lifecycle, slug, owner_id, people, name=name, track=sound(), film=film_of(colours))
    ended_at_ms = lifecycle.clock.now_ms()
    await change_recording(
        lifecycle, made.id, started_at_ms=ended_at_ms - LASTS_MS, ended_at_ms=ended_at_ms, keep_from_ms=ended_at_ms
    )
    recorded = Recorded(lifecycle, made)

    def settle(conn: Connection) -> None:
        conn.execute(update(films).where(films.c.id == made.film).values(duration_ms=LASTS_MS))
        conn.execute(
            update(recording_tracks).where(recording_tracks.c.recording_id == made.id).values(duration_ms=LASTS_MS)
        )
        conn.execute(recording_events.delete().where(recording_events.c.recording_id == made.id))

    await lifecycle.db.work(settle)
    for index, each in enumerate(people):
        recorded.cameras[each] = await _add_camera(recorded, each, camera_of(colours[index]))
        await recorded.add_event(each, "present", 0, LASTS_MS)
        for begins_at in range(index * 3000, LASTS_MS, len(people) * 3000):
            await recorded.add_event(each, "spoke", begins_at + 100, begins_at + 2800)
    return recorded


async def _add_camera(recorded: Recorded, name: str, content: bytes) -> str:
    track_id = new_id()
    file_id = sealed(recorded.lifecycle.files, content, recorded.lifecycle.clock.now_ms())

    def add(conn: Connection) -> None:
        conn.execute(
            insert(recording_tracks).values(
                id=track_id,
                recording_id=recorded.made.id,
                person_id=recorded.made.people[name],
                source="camera",
                codec="vp8",
                file_id=file_id,
                state="whole",
                begins_at=0,
                duration_ms=LASTS_MS,
                size_bytes=len(content),
            )
        )

    await recorded.lifecycle.db.work(add)
    return track_id


@cache
def film_of(colours: Colours) -> bytes:
    """MP4 with H.264 and AAC: the colours side by side, and a tone."""
    return _film("mp4", "libx264", "aac", colours, FILM_SIZE, {"preset": "ultrafast", "g": str(FPS)})


@cache
def camera_of(colour: Colour) -> bytes:
    """WebM with VP8, as a track has it."""
    return _film("webm", "libvpx", None, (colour,), CAMERA_SIZE, {"deadline": "realtime", "cpu-used": "8"})


@cache
def sound() -> bytes:
    """WebM with Opus, as a track has it."""
    return _film("webm", None, "libopus", (), CAMERA_SIZE, {})


def _film(
    container: str,
    video: str | None,
    audio: str | None,
    colours: Colours,
    size: tuple[int, int],
    options: dict[str, str],
) -> bytes:
    content = io.BytesIO()
    # A track is written while it happens: its head does not say how long it is, nor where what stands in it.
    live = {"live": "1"} if container == "webm" else {}
    with av.open(content, "w", format=container, options=live) as out:
        picture = out.add_stream(video, rate=FPS, options=options) if video else None
        tone = out.add_stream(audio, rate=RATE, layout="mono") if audio else None
        if isinstance(picture, av.VideoStream):
            (picture.width, picture.height), picture.pix_fmt = size, "yuv420p"
            for number in range(FPS * LASTS_MS // 1000):
                out.mux(picture.encode(_picture(colours, size, number)))
            out.mux(picture.encode(None))
        if isinstance(tone, av.AudioStream):
            for number in range(LASTS_MS * RATE // 1000 // 960):
                out.mux(tone.encode(_sound(number)))
            out.mux(tone.encode(None))
    return content.getvalue()


def _picture(colours: Colours, size: tuple[int, int], number: int) -> av.VideoFrame:
    """A stripe for each colour, and a bar that wanders down, so that the picture moves."""
    width, height = size
    frame = av.VideoFrame(width, height, "yuv420p")
    for index, plane in enumerate(frame.planes):
        width, height = plane.width, plane.height
        row = b"".join(bytes([colour[index]]) * (width // len(colours)) for colour in colours)
        row = row.ljust(plane.line_size, row[-1:])
        bright = bytes([235 if index == 0 else 128]) * plane.line_size
        at = number * 2 % height
        plane.update(b"".join(bright if at <= line < at + 4 else row for line in range(height)))
    frame.pts = number
    return frame


def _sound(number: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=960)
    start = number * 960
    wave = (int(6000 * math.sin(2 * math.pi * TONE_HZ * (start + each) / RATE)) for each in range(960))
    frame.planes[0].update(array("h", wave).tobytes())
    frame.sample_rate, frame.pts = RATE, start
    return frame
