"""What was recorded plays elsewhere: films and single tracks in Chromium, Firefox, GStreamer and FFmpeg, as the server sends them.

Tracks of all codecs are written by the recorder from RTP, the server makes the films, and players get both over HTTP.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest
import pytest_asyncio
from live_server import PASSWORD, make_config, running
from privacy_people import Person, person
from sqlalchemy import Connection, insert, select

from pymeet.db.schema import recording_people, recording_tracks, recordings, rooms
from pymeet.ids import new_id
from pymeet.recording.media_clock import LeastDelay
from pymeet.recording.track_writer import TrackEnd, TrackMeta, TrackWriter
from pymeet.server import Server
from pymeet.sfu.producer import Source
from tests.stacks.chromium import chromium, evaluator
from tests.stacks.firefox import firefox
from tests.stacks.peers import SYSTEM_PYTHON
from tests.stacks.processes import client
from tests.stacks.waiting import until
from tests.support.packetising import film, packets, sound

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LASTS_S, FPS = 4, 15
LASTS_MS = LASTS_S * 1000
CAMERAS = {"Ann": "h264", "Bob": "vp8", "Cem": "vp9", "Dan": "av1"}
HEIGHT, SIZE = 360, (640, 360)
TYPES = {"mp4": 'video/mp4; codecs="avc1.64001e, mp4a.40.2"', "webm": 'video/webm; codecs="vp9, opus"'}
FILM_S = 240

PLAY = """async ({url, type}) => {
  const video = document.createElement("video");
  const can = video.canPlayType(type);
  if (!can) return {can};
  video.muted = true;
  document.body.append(video);
  const happens = (name, act) => new Promise((done, fail) => {
    const state = () => `${video.error?.message ?? ""} at ${video.currentTime}, ready ${video.readyState}`;
    const late = setTimeout(() => fail(new Error(`no ${name}: ${state()}`)), 15000);
    video.addEventListener(name, () => { clearTimeout(late); done(); }, {once: true});
    video.addEventListener("error", () => fail(new Error(`error before ${name}: ${state()}`)), {once: true});
    act();
  });
  await happens("canplay", () => { video.src = url; });
  const {duration, videoWidth, videoHeight} = video;
  await happens("playing", () => video.play());
  while (video.currentTime < 0.5) await happens("timeupdate", () => {});
  video.pause();
  await happens("seeked", () => { video.currentTime = duration / 2; });
  const middle = video.currentTime;
  const before = video.getVideoPlaybackQuality().totalVideoFrames;
  await happens("ended", () => video.play());
  const frames = video.getVideoPlaybackQuality().totalVideoFrames - before;
  const error = video.error?.message ?? null;
  video.remove();
  return {can, duration, size: [videoWidth, videoHeight], middle, end: video.currentTime, frames, error};
}"""

SIGN_IN = """async ({email, password}) => (await fetch("/api/v1/sign-in", {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({email, password}),
})).status"""


@dataclass
class Recorded:
    """What there is to play: paths on the server, and Ann, who may."""

    ann: Person
    films: dict[str, str] = field(default_factory=dict)
    """By format."""
    tracks: dict[tuple[str, str], str] = field(default_factory=dict)
    """By person and source."""

    async def fetched(self, path: str, folder: Path) -> Path:
        """The file as a player gets it, piece by piece by ranges."""
        content = bytearray()
        while True:
            piece = {"Range": f"bytes={len(content)}-{len(content) + 99_999}"}
            async with self.ann.http.get(path, headers=piece) as response:
                assert response.status == 206
                size = int(response.headers["Content-Range"].rpartition("/")[2])
                content += await response.read()
            if len(content) == size:
                break
        file = folder / "played"
        file.write_bytes(content)
        return file


def _taken(server: Server, name: str, source: Source, codec: str) -> tuple[TrackMeta, TrackEnd]:
    """A track as the recorder leaves it."""
    samples = sound(float(LASTS_S)) if codec == "opus" else film(codec, FPS * LASTS_S, fps=FPS, keyframe_every=FPS)
    meta = TrackMeta(new_id(), new_id(), source, codec, name, 0.0)
    now_ms = server.lifecycle.clock.now_ms()
    writer = TrackWriter(meta, LeastDelay(), server.lifecycle.files, 1.0)
    for sent in packets(codec, samples):
        writer.packet(sent.packet, sent.sequence, sent.timestamp, sent.at_s, now_ms)
        writer.tick(sent.at_s, now_ms)
    return meta, writer.end(0, None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Recorded]:
    """Four people, each with a camera of another codec and a microphone, and both kinds of film of them."""
    config = make_config(tmp_path_factory.mktemp("server") / "data")
    async with running(config) as server, person(server, "Ann") as ann:
        slug, recording_id = await ann.make_room(), new_id()
        recorded = Recorded(ann)
        seats = {name: new_id() for name in CAMERAS}
        taken = []
        for name, codec in CAMERAS.items():
            for source, of in (("camera", codec), ("microphone", "opus")):
                taken.append((name, await asyncio.to_thread(_taken, server, name, source, of)))

        def add(conn: Connection) -> None:
            room_id = conn.execute(select(rooms.c.id).where(rooms.c.slug == slug)).scalar_one()
            end = server.lifecycle.clock.now_ms()
            about = {"id": recording_id, "room_id": room_id, "name": "Tea", "owner_id": ann.id, "with_chat": False}
            times = {"started_at_ms": end - LASTS_MS, "ended_at_ms": end, "keep_from_ms": end, "end_reason": "host"}
            conn.execute(insert(recordings).values(**about, **times))
            for name, seat in seats.items():
                who = {"participant_id": new_id(), "user_id": ann.id if name == "Ann" else None, "name": name}
                conn.execute(insert(recording_people).values(id=seat, recording_id=recording_id, **who))
            for name, (meta, ended) in taken:
                what = {"source": meta.source, "codec": meta.codec, "file_id": meta.file_id, "state": "whole"}
                size = {"duration_ms": ended.duration_ms, "size_bytes": ended.size_bytes}
                row = {"id": meta.track_id, "recording_id": recording_id, "person_id": seats[name]}
                conn.execute(insert(recording_tracks).values(**row, **what, **size, begins_at=ended.begins_at))

        await server.lifecycle.db.work(add)
        url = f"/api/v1/recordings/{recording_id}"
        recorded.tracks = {(name, meta.source): f"{url}/tracks/{meta.track_id}/file" for name, (meta, _ended) in taken}
        for kind in TYPES:
            wish = {"layout": "grid", "format": kind, "height": HEIGHT, "names": True}
            status, answer = await ann.json("POST", f"{url}/films", wish)
            assert status == 202, answer
            recorded.films[kind] = f"{url}/films/{answer['id']}/file"

        async def states() -> list[str]:
            _, shown = await ann.json("GET", url)
            return [each["state"] for each in shown["films"]]

        await until(states, lambda seen: seen == ["ready"] * len(TYPES), FILM_S, "both films are made")
        yield recorded


async def _plays(call: Callable[[str, object], Awaitable[Any]], recorded: Recorded) -> dict[str, bool]:
    """Which films the browser says it can play; those must then play, from the beginning, from the middle, to the end."""
    assert await call(SIGN_IN, {"email": recorded.ann.email, "password": PASSWORD}) == 200
    can = {}
    for kind, path in recorded.films.items():
        played = await call(PLAY, {"url": path, "type": TYPES[kind]})
        can[kind] = bool(played["can"])
        if can[kind]:
            assert played["error"] is None, (kind, played)
            assert tuple(played["size"]) == SIZE, (kind, played)
            assert abs(played["duration"] - LASTS_S) < 0.2, (kind, played)
            assert abs(played["middle"] - LASTS_S / 2) < 0.2, (kind, played)
            assert abs(played["end"] - played["duration"]) < 0.3, (kind, played)
            assert played["frames"] > LASTS_S / 2 * 10, (kind, played)
    return can


async def test_chromium_plays_both_films(recorded: Recorded) -> None:
    """MP4 is the default, so nothing but that both play will do; Debian's Chromium has H.264."""
    async with chromium() as browser, evaluator(browser, recorded.ann.url) as call:
        assert await _plays(call, recorded) == {"mp4": True, "webm": True}


async def test_firefox_plays_the_films_it_has_codecs_for(recorded: Recorded, tmp_path: Path) -> None:
    """WebM must play in any case. MP4 must where Firefox says that it can: it takes H.264 and AAC from the system's FFmpeg,
    which some systems do not have."""
    async with firefox(tmp_path) as browser:
        await browser.goto(recorded.ann.url)
        can = await _plays(browser.evaluate, recorded)
    assert can["webm"]
    print(f"Firefox played {', '.join(kind for kind, did in can.items() if did)}")


async def _decoded(file: Path, *from_ms: int) -> dict[str, Any]:
    """What GStreamer makes of the file."""
    async with client(SYSTEM_PYTHON, "gstreamer_file.py", str(file), *map(str, from_ms)) as gstreamer:
        await gstreamer.end()
    return gstreamer.said


@pytest.mark.parametrize("kind", TYPES)
async def test_gstreamer_decodes_films_to_their_end_and_from_the_middle(
    recorded: Recorded, kind: str, tmp_path: Path
) -> None:
    """An implementation that shares nothing with the libraries that made the film."""
    file = await recorded.fetched(recorded.films[kind], tmp_path)

    whole, half = await _decoded(file), await _decoded(file, LASTS_MS // 2)

    assert abs(whole["told_ms"] - LASTS_MS) < 100
    assert abs(whole["video"]["count"] - LASTS_S * 30) <= 3
    for stream in ("video", "audio"):
        assert whole[stream]["first_ms"] < 60
        assert abs(whole[stream]["end_ms"] - LASTS_MS) < 100
        assert abs(half[stream]["first_ms"] - LASTS_MS // 2) < 60
        assert abs(half[stream]["end_ms"] - LASTS_MS) < 100


async def test_gstreamer_decodes_every_track(recorded: Recorded, tmp_path: Path) -> None:
    """A track is a live file without length or index in its head; players outside browsers must take it nevertheless."""
    for (name, source), path in recorded.tracks.items():
        said = await _decoded(await recorded.fetched(path, tmp_path))
        stream = said["video" if source == "camera" else "audio"]
        assert stream["first_ms"] < 60, (name, source, said)
        assert abs(stream["end_ms"] - LASTS_MS) < 100, (name, source, said)
        if source == "camera":
            assert stream["count"] == LASTS_S * FPS, (CAMERAS[name], said)


async def test_ffmpeg_decodes_films_and_tracks_without_complaint(recorded: Recorded, tmp_path: Path) -> None:
    """FFmpeg is behind VLC and most other players. Its library always; its program too, which is stricter, where it is installed."""
    program = shutil.which("ffmpeg")
    for what, path in {**recorded.films, **recorded.tracks}.items():
        file = await recorded.fetched(path, tmp_path)
        end_s = await asyncio.to_thread(_end_s, file)
        assert all(abs(end - LASTS_S) < 0.1 for end in end_s.values()), (what, end_s)
        if program:
            arguments = ("-nostdin", "-v", "warning", "-xerror", "-i", str(file), "-f", "null", "-")
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(program, *arguments, stdout=pipe, stderr=pipe)
            assert await process.communicate() == (b"", b""), what
            assert process.returncode == 0, what


def _end_s(file: Path) -> dict[str, float]:
    """When the last frame of each kind is over."""
    ends: dict[str, float] = {}
    with av.open(str(file)) as container:
        for frame in container.decode(*container.streams):
            is_sound = isinstance(frame, av.AudioFrame)
            lasts = (
                frame.samples / frame.sample_rate if is_sound else 1 / float(container.streams.video[0].average_rate)
            )
            ends["sound" if is_sound else "picture"] = frame.time + lasts
    return ends
