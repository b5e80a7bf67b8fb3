"""A camera in three sizes of H.264: how large its pictures are is read from them, and decides who gets which."""

from dataclasses import dataclass

from pymeet.sfu.renditions import renditions_of
from tests.netem import World
from tests.support.packetising import film, payloads
from tests.support.peer import VP8
from tests.support.simulcast import RIDS, SimulcastPublisher, Size


@dataclass
class H264Size(Size):
    """One layer, as x264 encodes it. Every frame is a key frame."""

    def frame(self, number: int) -> list[bytes]:
        """The packets of a frame."""
        sample = film("h264", 1, width=self.width, height=self.height)[0]
        parts = payloads("h264", sample)
        packets = []
        for part in parts:
            marker = 0x80 if part is parts[-1] else 0
            packets.append(self._header(marker | VP8, self.sequence, self.timestamp(number), self.ssrc) + part)
            self.sent[self.sequence] = packets[-1]
            self.sequence = (self.sequence + 1) & 0xFFFF
        return packets


def _h264_simulcaster(world: World, *sizes: tuple[int, int]) -> SimulcastPublisher:
    """Somebody who sends three sizes, and lists the largest first as encoders like to."""
    publisher = SimulcastPublisher(world, "alice", tuple(reversed(RIDS)))
    for place, (rid, (width, height)) in enumerate(zip(RIDS, sizes, strict=True)):
        publisher.sizes[rid] = H264Size(rid, place, width, height, 1, 0)
    publisher.join(codec="H264")
    world.run_until(lambda: publisher.is_connected)
    publisher.obeys = False
    publisher.film()
    return publisher


def test_layers_of_h264_are_fitted_to_tiles_by_the_sizes_in_their_parameter_sets() -> None:
    """The camera of a small machine has 360 lines and not 720: who shows 180 of them wants the middle size, not the smallest."""
    world = World(seed=171)
    alice = _h264_simulcaster(world, (160, 90), (320, 180), (640, 360))
    world.run(0.5)

    assert [(layer.rid, layer.width, layer.height) for layer in alice.video.streams] == [
        ("l", 160, 90),
        ("m", 320, 180),
        ("h", 640, 360),
    ]
    assert [alice.video.rank_for(lines) for lines in (90, 180, 360, 720)] == [0, 1, 2, 2]


def test_a_player_is_told_the_sizes_of_h264() -> None:
    """It can then choose by pixels, and not only by names that tell it nothing."""
    world = World(seed=172)
    alice = _h264_simulcaster(world, (320, 180), (640, 360), (1280, 720))
    world.run(0.5)

    assert [(each.rid, each.width, each.height) for each in renditions_of(alice.video, world.now)] == [
        ("h", 1280, 720),
        ("m", 640, 360),
        ("l", 320, 180),
    ]


def test_a_size_that_changes_is_noticed_with_the_next_key_frame() -> None:
    """Encoders that are short of time make pictures smaller; which layer fits a tile is then another question."""
    world = World(seed=173)
    alice = _h264_simulcaster(world, (160, 90), (320, 180), (640, 360))
    world.run(0.5)
    alice.sizes["h"].width, alice.sizes["h"].height = 480, 270
    world.run(0.2)

    assert alice.video.streams[-1].height == 270
