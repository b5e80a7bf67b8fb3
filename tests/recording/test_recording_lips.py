"""Flash and beep: lips match in what was recorded, measured on what a decoder makes of the sealed files.

Everything between is real, encoders, encryption, the media server, the files, but time and network, which are simulated: the
sound card is 200 ppm off, the computer's clock 40 ppm, packets jitter and get lost, pictures come late.
"""

import statistics
from array import array
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
from tests.netem import NTP_1900, Publisher, World
from tests.support.peer import OPUS, VP8

from pymeet.db.files import Files
from pymeet.db.keys import KeyStore
from pymeet.keyring import Keyring
from pymeet.recording.media_clock import LeastDelay
from pymeet.recording.track_writer import TrackEnd, TrackMeta, TrackWriter
from pymeet.sfu import rtcp, rtp

LASTS_S = 240
FPS = 20
CARD_PPM, CLOCK_PPM = 200e-6, 40e-6
PICTURE_LATE_S = 0.12
REPORT_NOISE_S = 0.01


def flash() -> list[bytes]:
    """A second of VP8: white in its first frame, then black. It begins with a key frame, so it can be sent over and over."""
    context = av.CodecContext.create("libvpx", "w")
    context.width, context.height, context.pix_fmt = 64, 48, "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
    context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    out = []
    for i in [*range(FPS), None]:
        frame = None
        if i is not None:
            frame = av.VideoFrame(64, 48, "yuv420p")
            for number, plane in enumerate(frame.planes):
                plane.update(bytes([128 if number else 16 + 219 * (i == 0)]) * plane.buffer_size)
            frame.pts = i
        out += [bytes(packet) for packet in context.encode(frame)]
    return out


def beep() -> list[bytes]:
    """A second of Opus: a tone for its first tenth, then silence."""
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "mono", "s16"
    out = []
    for i in [*range(50), None]:
        frame = None
        if i is not None:
            frame = av.AudioFrame("s16", "mono", 960)
            wave = [12000 if n // 24 % 2 else -12000 for n in range(960)] if i < 5 else [0] * 960
            frame.planes[0].update(array("h", wave).tobytes())
            frame.sample_rate, frame.pts = 48000, i * 960
        out += [bytes(packet) for packet in context.encode(frame)]
    return out


class Camcorder:
    """Alice, who claps every second: sends the very picture and sound of it with the timestamps of imperfect devices."""

    def __init__(self, world: World, alice: Publisher) -> None:
        self.world, self.alice = world, alice
        self.flashes: list[float] = []
        self.beeps: list[float] = []
        """When these were to be seen and heard, in seconds since the beginning."""
        self._pictures, self._sounds = flash(), beep()
        self._frame = self._packet = 0
        self._since_beep = 49
        self._sequences = {VP8: 60000, OPUS: 65000}
        self._zero = world.now

    def start(self) -> None:
        self._film()
        self._talk()
        self.world.at(self._zero + 0.4, self._report_video)
        self.world.at(self._zero + 2.2, self._report_audio)

    def _send(self, payload_type: int, ssrc: int, marker: int, timestamp: int, payload: bytes) -> None:
        sequence = self._sequences[payload_type]
        self._sequences[payload_type] = (sequence + 1) & 0xFFFF
        packet = rtp.HEADER.pack(0x80, marker | payload_type, sequence, timestamp & 0xFFFFFFFF, ssrc) + payload
        if payload_type == VP8:
            self.alice.source.sent[sequence] = packet  # to be sent again when asked for
        self.alice.send_packet(packet)

    def _film(self) -> None:
        t = self._frame / FPS
        number = self._frame % FPS
        if number == 0:
            self.flashes.append(t)
        stamp, payload = self._video_stamp(t), b"\x10" + self._pictures[number]
        self.world.at(
            self._zero + t + PICTURE_LATE_S, lambda: self._send(VP8, self.alice.video_ssrc, 0x80, stamp, payload)
        )
        self._frame += 1
        self.world.at(self._zero + self._frame / FPS, self._film)

    def _talk(self) -> None:
        t = self._packet * 0.02 / (1 + CARD_PPM)
        if t >= len(self.beeps):
            self.beeps.append(t)
            self._since_beep = 0
        else:
            self._since_beep = min(49, self._since_beep + 1)
        sound = self._sounds[self._since_beep]
        self._send(OPUS, self.alice.audio_ssrc, 0, 0xFFFF0000 + self._packet * 960, sound)
        self._packet += 1
        self.world.at(self._zero + self._packet * 0.02 / (1 + CARD_PPM), self._talk)

    def _video_stamp(self, t: float) -> int:
        return 777 + round(t * 90000)

    def _report(self, ssrc: int, stamp: int) -> None:
        t = self.world.now - self._zero
        noise = self.world.random.uniform(-REPORT_NOISE_S, REPORT_NOISE_S)
        ntp = int((NTP_1900 + self.alice.clock_offset + t * (1 + CLOCK_PPM) + noise) * 2**32)
        self.alice.send_control(rtcp.sender_report(rtcp.SenderReport(ssrc, ntp, stamp & 0xFFFFFFFF, 1, 1)))

    def _report_video(self) -> None:
        self._report(self.alice.video_ssrc, self._video_stamp(self.world.now - self._zero))
        self.world.at(self.world.now + 1.0, self._report_video)

    def _report_audio(self) -> None:
        t = self.world.now - self._zero
        self._report(self.alice.audio_ssrc, 0xFFFF0000 + round(t * 48000 * (1 + CARD_PPM)))
        self.world.at(self.world.now + 5.0, self._report_audio)


class Recording:
    """A tap that writes a track, in virtual time."""

    def __init__(self, world: World, files: Files, name: str, codec: str, publisher: LeastDelay) -> None:
        meta = TrackMeta(name, f"file-of-{name}", "camera", codec, "alice", world.now)
        self.world, self.writer = world, TrackWriter(meta, publisher, files, 1.0)
        self.restarted, self.report = self.writer.restarted, self.writer.report
        self._tick()

    def packet(self, packet: bytes, sequence: int, timestamp: int, now: float) -> None:
        self.writer.packet(packet, sequence, timestamp, now, 1)

    def _tick(self) -> None:
        self.writer.tick(self.world.now, 1)
        self.world.at(self.world.now + 0.04, self._tick)


def seen(files: Files, end: TrackEnd) -> list[float]:
    """When flashes begin, in seconds of the recording."""
    with files.open(f"file-of-{end.track_id}") as file, av.open(file) as container:
        frames = [(float(f.pts * f.time_base), bytes(f.planes[0])[0]) for f in container.decode(video=0)]
    return [(end.begins_at or 0) / 1000 + at for at, brightness in frames if brightness > 120]


def heard(files: Files, end: TrackEnd) -> list[float]:
    """When beeps begin, in seconds of the recording."""
    onsets: list[float] = []
    with files.open(f"file-of-{end.track_id}") as file, av.open(file) as container:
        for frame in container.decode(audio=0):
            samples = array("f", bytes(frame.planes[0])[: 4 * frame.samples])
            loud = next((i for i, sample in enumerate(samples) if abs(sample) > 0.1), None)
            if loud is not None:
                at = (end.begins_at or 0) / 1000 + float(frame.pts * frame.time_base) + loud / 48000
                if not onsets or at - onsets[-1] > 0.5:
                    onsets.append(at)
    return onsets


def test_flash_and_beep_are_recorded_together(tmp_path: Path) -> None:
    """p95 below 40 ms, drift below 10 ms in ten minutes: more is noticed."""
    world = World(seed=41)
    alice = world.publisher()
    camcorder = Camcorder(world, alice)
    publisher = LeastDelay()
    with closing(KeyStore.open(tmp_path / "keys.db", Keyring.open(tmp_path))) as keys:
        files = Files(tmp_path, keys)
        picture = Recording(world, files, "picture", "vp8", publisher)
        sound = Recording(world, files, "sound", "opus", publisher)
        alice.video.set_tap(picture, world.now)
        alice.audio.set_tap(sound, world.now)
        alice.up.jitter, alice.up.loss, alice.up.reorder = 0.03, 0.005, 0.01
        camcorder.start()
        world.run(LASTS_S)
        ends = [recording.writer.end(0, None) for recording in (picture, sound)]
        flashes, beeps = seen(files, ends[0]), heard(files, ends[1])

    def nearest(moments: list[float], to: float) -> float:
        return min(moments, key=lambda at: abs(at - to))

    errors = []
    for flash_at, beep_at in zip(camcorder.flashes[:-1], camcorder.beeps[:-1], strict=True):
        shown, played = nearest(flashes, flash_at), nearest(beeps, beep_at)
        if abs(shown - flash_at) < 0.4 and abs(played - beep_at) < 0.4:  # else one of them was lost on the way
            errors.append((shown - played) - (flash_at - beep_at))
    apart = sorted(abs(error) for error in errors)
    first, last = errors[10:60], errors[-50:]
    drift_in_ten_minutes = (statistics.mean(last) - statistics.mean(first)) * 600 / (LASTS_S - 60)

    assert len(errors) > 0.9 * LASTS_S
    assert apart[int(0.95 * len(apart))] < 0.040
    assert abs(statistics.mean(errors)) < 0.020
    assert abs(drift_in_ten_minutes) < 0.010
