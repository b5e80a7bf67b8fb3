"""Flash and beep in a real browser: what Chromium says is one moment is recorded as one moment."""

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
from pymeet.recording.capture import CaptureTrack
from pymeet.recording.media_clock import MediaClock
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


class Sent:
    """What Chromium sent of one track, as the recorder was told: which millisecond was made of which timestamp, and the
    sender reports, by which the timestamps of sound and picture belong together (RFC 3550 section 6.4.1)."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.reports: list[tuple[float, int]] = []
        self.timestamps: dict[int, int] = {}

    def said_at(self, recorded_at: float) -> float:
        """By Chromium's own clock, in seconds, when that was which is in the recording at `recorded_at`."""
        placed_ms = min(self.timestamps, key=lambda ms: abs(ms - recorded_at * 1000))
        timestamp = self.timestamps[placed_ms]
        at, reported = min(self.reports, key=lambda report: abs(_apart(timestamp, report[1])))
        return at + _apart(timestamp, reported) / self.rate + recorded_at - placed_ms / 1000


def _apart(timestamp: int, other: int) -> int:
    return (timestamp - other + 0x80000000) % 0x100000000 - 0x80000000


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> dict[str, Sent]:
    """Looks over the recorder's shoulder, by source."""
    found = {"camera": Sent(90_000), "microphone": Sent(48_000)}
    report, at = CaptureTrack.report, MediaClock.at

    def reported(track: CaptureTrack, ntp: int, timestamp: int, now: float) -> None:
        found["camera" if track.is_video else "microphone"].reports.append((ntp / 2**32, timestamp))
        report(track, ntp, timestamp, now)

    def placed(clock: MediaClock, timestamp: int) -> int:
        ms = at(clock, timestamp)
        found["camera" if clock.rate == 90_000 else "microphone"].timestamps[ms] = timestamp
        return ms

    monkeypatch.setattr(CaptureTrack, "report", reported)
    monkeypatch.setattr(MediaClock, "at", placed)
    return found


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


async def test_what_is_seen_and_heard_at_once_is_recorded_at_once(tmp_path: Path, sent: dict[str, Sent]) -> None:
    """Browsers report their clocks in their own ways. The median counts: a busy machine paints single flashes late.

    From one start of Chromium to the next its own clocks of sound and picture are up to 50 ms apart, by much the same for as
    long as it runs. So it is looked at twice: what the recorder adds to what Chromium says, and, more loosely, the whole.
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

    assert len(beeps) >= LASTS_S - 3
    pairs = [(beep, min(flashes, key=lambda flash: abs(flash - beep))) for beep in beeps]
    apart = [flash - beep for beep, flash in pairs]
    added = [flash - beep - (sent["camera"].said_at(flash) - sent["microphone"].said_at(beep)) for beep, flash in pairs]
    assert abs(statistics.median(added)) < 0.020, added
    assert abs(statistics.median(apart)) < 0.080, apart
    intervals = [b - a for a, b in itertools.pairwise(beeps)]
    assert abs(statistics.median(intervals) - 1.0) < 0.005, intervals
    assert ada.complaints == []
