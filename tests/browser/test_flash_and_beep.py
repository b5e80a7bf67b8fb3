"""Flash and beep in a real browser: what Chromium sends of one moment is recorded as one moment."""

import asyncio
import itertools
import statistics
from array import array
from pathlib import Path

import av
import pytest
from live_server import first_admin, make_config, running
from sqlalchemy import RowMapping, select

from pymeet.db.files import Files
from pymeet.db.schema import recording_tracks
from tests.browser.people import chromium, enter

pytestmark = pytest.mark.browser

LASTS_S = 15

_CLAPPER = """(() => {
  const make = () => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 320, height: 240});
    const paint = canvas.getContext("2d");
    const audio = new AudioContext({latencyHint: "interactive"});
    const heard = audio.createMediaStreamDestination();
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = 1000;
    gain.gain.value = 0;
    tone.connect(gain);
    gain.connect(heard);
    tone.start();
    let next = Math.ceil(audio.currentTime) + 1;
    setInterval(() => {
      for (; next < audio.currentTime + 2; next += 1) {
        gain.gain.setValueAtTime(0.8, next);
        gain.gain.setValueAtTime(0, next + 0.1);
      }
    }, 200);
    setInterval(() => {
      paint.fillStyle = audio.currentTime % 1 < 0.1 ? "#fff" : "#000";
      paint.fillRect(0, 0, 320, 240);
      paint.fillStyle = "#888";
      paint.fillRect((performance.now() / 10) % 300, 220, 20, 20);
    }, 10);
    return {seen: canvas.captureStream(30), heard: heard.stream};
  };
  let made;
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    made ??= make();
    const stream = new MediaStream();
    if (wanted.video) stream.addTrack(made.seen.getVideoTracks()[0].clone());
    if (wanted.audio) stream.addTrack(made.heard.getAudioTracks()[0].clone());
    return stream;
  };
})();"""
"""Camera and microphone of the page: white and a tone for the first tenth of every second."""


def _moments(files: Files, track: RowMapping) -> list[float]:
    """When flashes or beeps begin, in seconds of the recording."""
    found: list[float] = []
    with files.open(track["file_id"]) as file, av.open(file) as container:
        for frame in container.decode(container.streams[0]):
            at = track["begins_at"] / 1000 + float(frame.pts * frame.time_base)
            if isinstance(frame, av.VideoFrame):
                plane = frame.planes[0]
                is_there = bytes(plane)[plane.line_size * 20 + 40] > 120
            else:
                samples = array("f", bytes(frame.planes[0])[: 4 * frame.samples])
                loud = next((i for i, sample in enumerate(samples) if abs(sample) > 0.1), None)
                is_there = loud is not None
                at += (loud or 0) / 48000
            if is_there and (not found or at - found[-1] > 0.5):
                found.append(at)
    return found


async def test_what_is_seen_and_heard_at_once_is_recorded_at_once(tmp_path: Path) -> None:
    """Browsers report their clocks in their own ways. The median counts: a busy machine paints single flashes late.

    From one start of Chromium to the next its own clocks of sound and picture are up to 50 ms apart, always by the same for
    as long as it runs; what the recorder adds to it is looked at with exact clocks in test_recording_lips.py.
    """
    async with (
        running(make_config(tmp_path / "data", recording={"film": "off"})) as server,
        first_admin(server) as admin,
        chromium() as browser,
    ):
        slug = await admin.make_room("Weekly")
        ada = await enter(browser, server.url, "Ada", locale="en-GB")
        await ada.context.add_init_script(_CLAPPER)
        for cookie in admin.http.cookie_jar:
            await ada.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": admin.url}])
        await ada.join(slug)
        await ada.press("Record meeting")
        await ada.press("Start recording")
        await ada.press("Record me")
        await asyncio.sleep(LASTS_S)
        await ada.press("Stop recording")
        await ada.page.get_by_role("dialog").get_by_role("button", name="Stop recording").click()
        async with asyncio.timeout(10):
            tracks: dict[str, RowMapping] = {}
            while {track["state"] for track in tracks.values()} != {"whole"}:
                async with server.database.read() as tx:
                    tracks = {row["source"]: row for row in (await tx.execute(select(recording_tracks))).mappings()}
                await asyncio.sleep(0.1)
        files = server.lifecycle.files
        flashes = await asyncio.to_thread(_moments, files, tracks["camera"])
        beeps = await asyncio.to_thread(_moments, files, tracks["microphone"])

    apart = [min((flash - beep for flash in flashes), key=abs) for beep in beeps]
    assert len(beeps) >= LASTS_S - 3
    assert abs(statistics.median(apart)) < 0.080, apart
    intervals = [b - a for a, b in itertools.pairwise(beeps)]
    assert abs(statistics.median(intervals) - 1.0) < 0.005, intervals
    assert ada.complaints == []
